"""The few tensors of SAM's prompt encoder that can stand in for random corner features.

Source: Kirillov et al., "Segment Anything", ICCV 2023; ViT-H weights, Apache-2.0. SAM never trained the Fourier
matrix either: it is a Gaussian draw like ours, but the corner embeddings are learnt.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import torch

from selfmva.encoders.box import FREQUENCIES, TOKEN_DIM
from selfmva.errors import CheckpointError, DataError

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.encoders.box import BoxEncoder

SAM_REPOSITORY = "facebook/sam-vit-huge"
SAM_FILE = "model.safetensors"
BLOCK_BYTES = 2**16  # of a range request: the tensors are 2.5 kB, the file is 2.5 GB
SAM_GAUSSIAN = ("pe_layer.positional_encoding_gaussian_matrix", "shared_image_embedding.positional_embedding")
POINT = ("point_embeddings.{}.weight", "point_embed.{}.weight")
NOT_A_POINT = ("not_a_point_embed.weight",)
_LONGEST_HEADER = 10**8  # bytes; the limit of the safetensors format


def read_prompt_tensors(file: IO[bytes], name: str) -> dict[str, Tensor]:
    """Read Fourier matrix and embeddings from a safetensors file of SAM, and nothing else of it.

    Args:
        file: Seekable; only the header and the tensors themselves are read.
        name: Of the file, for error messages.

    Returns:
        `gaussian` (2, 128), `point_1` to `point_3` and `not_a_point` (1, 256), float32.

    Raises:
        CheckpointError: The file is no safetensors file, is cut short, or lacks one of the tensors.
    """
    header, data_start = _read_header(file, name)
    wanted = {"gaussian": SAM_GAUSSIAN, "not_a_point": NOT_A_POINT}
    wanted |= {f"point_{k}": tuple(ending.format(k) for ending in POINT) for k in (1, 2, 3)}
    tensors = {}
    for key, endings in wanted.items():
        entry = _find(header, endings)
        if entry is None:
            raise CheckpointError(
                f"{name} has no tensor whose name ends in {' or '.join(endings)}; is it a SAM model? "
                f"It holds, for example, {', '.join(sorted(header)[:3])}"
            )
        shape = [2, FREQUENCIES] if key == "gaussian" else [1, TOKEN_DIM]
        tensors[key] = _read_tensor(file, data_start, entry, shape, name)
    return tensors


def load_sam_features(encoder: BoxEncoder, file: str | Path | None = None) -> None:
    """Give an encoder SAM's Fourier matrix and corner embeddings.

    Args:
        encoder: Changed in place.
        file: A safetensors file of SAM or of its prompt encoder; None: a few kilobytes are read from the model hub.

    Raises:
        CheckpointError: The file is no SAM model.
        DataError: The file or the hub cannot be reached.
    """
    tensors = _read_local(Path(file)) if file is not None else _read_hub()
    offsets = ("point_2", "point_3") if encoder.prompt == "box" else ("point_1", "not_a_point")
    with torch.no_grad():
        encoder.gaussian.copy_(tensors["gaussian"])
        encoder.token_offsets.copy_(torch.cat([tensors[name] for name in offsets]))


def _read_local(path: Path) -> dict[str, Tensor]:
    try:
        with path.open("rb") as file:
            return read_prompt_tensors(file, str(path))
    except OSError as error:
        raise DataError(f"cannot read SAM's weights: {error}") from error


def _read_hub() -> dict[str, Tensor]:
    from huggingface_hub import HfFileSystem
    from huggingface_hub.errors import HfHubHTTPError

    name = f"{SAM_REPOSITORY}/{SAM_FILE}"
    try:
        with HfFileSystem().open(name, "rb", block_size=BLOCK_BYTES) as file:
            return read_prompt_tensors(file, name)
    except (OSError, HfHubHTTPError) as error:
        raise DataError(
            f"cannot read {name} from the model hub ({error}); check the connection, give a local file, or use "
            'corner_features="random"'
        ) from error


def _read_header(file: IO[bytes], name: str) -> tuple[dict[str, Any], int]:
    size = int.from_bytes(file.read(8), "little")
    if not 0 < size < _LONGEST_HEADER:
        raise CheckpointError(f"{name} is no safetensors file: its header would be {size} bytes long")
    try:
        header = json.loads(file.read(size))
    except ValueError as error:
        raise CheckpointError(f"{name} is no safetensors file, or it is cut short: {error}") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{name} is no safetensors file: its header is a {type(header).__name__}")
    header.pop("__metadata__", None)
    return header, 8 + size


def _find(header: dict[str, Any], endings: tuple[str, ...]) -> dict[str, Any] | None:
    for name, entry in header.items():
        if any(name == ending or name.endswith("." + ending) for ending in endings):
            return dict(entry)
    return None


def _read_tensor(file: IO[bytes], data_start: int, entry: dict[str, Any], shape: list[int], name: str) -> Tensor:
    file.seek(data_start + entry["data_offsets"][0])
    size = 4 * math.prod(shape)
    data = file.read(size)
    if entry["dtype"] != "F32" or entry["shape"] != shape or len(data) != size:
        raise CheckpointError(
            f"{name}: expected {size} bytes of F32 of shape {shape}, got {len(data)} bytes of {entry['dtype']} of "
            f"shape {entry['shape']}: is it cut short, or another model?"
        )
    return torch.from_numpy(np.frombuffer(data, dtype="<f4").reshape(shape).copy())
