"""Appearance from a re-ID network in an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.runtime.onnx import OnnxModel
from selfmva.encoders.appearance.base import IMAGENET_MEAN, IMAGENET_STD, encode
from selfmva.encoders.appearance.crops import FORM, cut_crops
from selfmva.errors import CheckpointError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray
    from selfmva.encoders.appearance.base import Features


class OnnxAppearance:
    """Appearance from any re-ID network that was exported to ONNX.

    Args:
        path: An ONNX file: crops `[N, 3, H, W]` in, RGB, normalized as for ImageNet, H and W fixed; vectors `[N, D]`
            out.
        sha256: What the file must hash to; None: any file will do.
        threads: CPU threads; at least 1.
        device: `"cpu"`, `"cuda"`, or `"auto"` for the GPU where onnxruntime can use one.

    Attributes:
        identity: Hash of the weights, and how crops are cut.
        size: Height and width of a crop in pixels.
        width: D, the length of a vector.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        CheckpointError: The file is missing, has another hash, is no ONNX model, or no re-ID network.
        ConfigError: The device cannot be used.
        InputError: Fewer threads than 1.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, sha256: str | None = None, threads: int = 1, device: str = "cpu"
    ) -> None:
        self._model = OnnxModel(path, sha256=sha256, threads=threads, device=device)
        self.size: tuple[int, int] = _crop_size(self._model)
        self.width: int = _output_width(self._model, self.size)
        self.identity: str = f"onnx re-id {self._model.sha256} crops={FORM}"

    def __call__(self, images: Sequence[Image], boxes: Sequence[ArrayLike]) -> list[Features]:
        """Encode the boxes of images; see `AppearanceEncoder`.

        Raises:
            InputError: An image or boxes of another type or shape, or not as many of one as of the other.
        """
        return encode(images, boxes, self._encode, self.width)

    def _encode(self, batch: list[tuple[Image, FloatArray]]) -> Features:
        return self._model.run(normalized(np.concatenate([cut_crops(image, b, self.size) for image, b in batch])))


def normalized(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crops as networks of ImageNet take them: `(N, H, W, 3)` uint8 to `(N, 3, H, W)` float32.

    Example:
        >>> normalized(np.full((1, 1, 1, 3), 255, np.uint8)).ravel().round(2)
        array([2.25, 2.43, 2.64], dtype=float32)
    """
    scale = 1 / (255 * np.array(IMAGENET_STD))
    shift = -np.array(IMAGENET_MEAN) / IMAGENET_STD
    planes = np.ascontiguousarray(crops.transpose(0, 3, 1, 2))
    return planes * scale.astype(np.float32)[:, None, None] + shift.astype(np.float32)[:, None, None]


def _crop_size(model: OnnxModel) -> tuple[int, int]:
    shape = model.shape
    height, width = shape[2:] if len(shape) == 4 and shape[1] == 3 else (None, None)
    if height is None or width is None:
        raise CheckpointError(
            f"{model.path} is no re-ID network: expected an input [N, 3, H, W], such as [N, 3, 256, 128], with H and W "
            f"fixed, got {[side or 'any' for side in shape]}"
        )
    return height, width


def _output_width(model: OnnxModel, size: tuple[int, int]) -> int:
    """Look at what the network makes of an empty crop, twice."""
    output = model.run(np.zeros((2, 3, *size), np.float32))
    if output.ndim != 2 or len(output) != 2:
        raise CheckpointError(
            f"{model.path} is no re-ID network: expected an output [N, D], a vector for each crop, got "
            f"{list(output.shape)} for 2 crops"
        )
    return int(output.shape[1])
