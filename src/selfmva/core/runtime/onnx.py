"""A network in an ONNX file: opened with care, run by onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.runtime.weight_file import read_weight_file
from selfmva.core.scalars import integer
from selfmva.core.threads import MOST_THREADS
from selfmva.errors import CheckpointError, ConfigError, require

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from numpy.typing import NDArray

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
ERRORS_ONLY = 3  # onnxruntime's level of what it writes to the terminal


class OnnxModel:
    """A network with one input and one output, both float32.

    Args:
        path: An ONNX file that holds its weights itself.
        sha256: What the file must hash to; None: any file will do.
        threads: CPU threads; at least 1.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where onnxruntime can use one.

    Attributes:
        path: Where the file is.
        sha256: Hash of its content, 64 hexadecimal digits.
        shape: Of the input; None where a side may have any length.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        CheckpointError: The file is missing, another one than expected, no ONNX model, or has other inputs or outputs.
        ConfigError: No such device, or onnxruntime cannot use it here.
        InputError: No path, or fewer threads than 1.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, sha256: str | None = None, threads: int = 1, device: str = "cpu"
    ) -> None:
        require("onnxruntime", "onnx")
        import onnxruntime

        self.path: Path = as_path(path, "the path of an ONNX file")
        self.sha256: str
        content, self.sha256 = read_weight_file(self.path, sha256, "an ONNX file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = integer(threads, "threads", least=1, most=MOST_THREADS)
        options.log_severity_level = ERRORS_ONLY
        providers = [_provider(device, onnxruntime.get_available_providers())]
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=providers)
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise CheckpointError(
                f"{self.path} cannot be opened as an ONNX model ({error}); expected one that is whole, with its "
                "weights in the same file"
            ) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if [node.type for node in (*inputs, *outputs)] != ["tensor(float)"] * 2:
            got = ", ".join(f"{node.name} {node.type}" for node in (*inputs, *outputs))
            raise CheckpointError(f"{self.path}: expected one input and one output, both float32, got {got}")
        self._input = inputs[0].name
        self.shape: tuple[int | None, ...] = tuple(side if isinstance(side, int) else None for side in inputs[0].shape)

    def run(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The output for an input, both `(B, ...)` float32.

        Where the file fixes B, the input is cut into pieces of that length, and the last one filled up with zeros.

        Raises:
            CheckpointError: The network fails on this input.
        """
        batch = self.shape[0]
        if batch is None:
            return self._run_once(values)
        missing = -len(values) % batch
        filled = np.concatenate([values, np.zeros((missing, *values.shape[1:]), np.float32)]) if missing else values
        pieces = [self._run_once(filled[start : start + batch]) for start in range(0, len(filled), batch)]
        return np.concatenate(pieces)[: len(values)]

    def _run_once(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            (output,) = self._session.run(None, {self._input: values})
        except Exception as error:
            raise CheckpointError(f"{self.path} fails on an input of shape {values.shape}: {error}") from error
        return np.asarray(output, dtype=np.float32)


def _provider(device: str, available: Any) -> str:
    if is_one_of(device, ("auto",)):
        device = "cuda" if PROVIDERS["cuda"] in available else "cpu"
    if not is_one_of(device, PROVIDERS):
        raise ConfigError(f"device: expected 'cpu', 'cuda' or 'auto', got {shown(device)}")
    if PROVIDERS[device] not in available:
        raise ConfigError(
            f"device {device!r} was asked for, but this onnxruntime cannot use it; install onnxruntime-gpu or use 'cpu'"
        )
    return PROVIDERS[device]
