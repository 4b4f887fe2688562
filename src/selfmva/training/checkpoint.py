"""Checkpoints of a training: one safetensors file, written atomically, never a pickle.

The schedule and every random draw depend on the seed and the step alone, so the step is all of their state.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from selfmva.errors import CheckpointError
from selfmva.io.storage.atomic import atomic_write

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim.swa_utils import AveragedModel

    from selfmva.core.packed_boxes import PackedBoxes

CHECKPOINT_FORMAT = "selfmva-training-2"  # with a digest of everything in it
DIGEST = "sha256"


@dataclass(frozen=True)
class Fingerprint:
    """What a checkpoint belongs to: a training resumes only on the same data with the same hyper-parameters.

    Attributes:
        settings: The hyper-parameters, as JSON.
        data: SHA-256 of the boxes.
    """

    settings: str
    data: str


def fingerprint(recording: PackedBoxes, settings: dict[str, Any]) -> Fingerprint:
    """The fingerprint of a recording and its hyper-parameters."""
    digest = hashlib.sha256(recording.count.tobytes())
    digest.update(recording.boxes.tobytes())
    if recording.features is not None:
        digest.update(recording.features.tobytes())
    return Fingerprint(json.dumps(settings, sort_keys=True), digest.hexdigest())


def save_checkpoint(
    path: Path,
    encoder: Module,
    optimizer: torch.optim.Adam,
    step: int,
    belongs_to: Fingerprint,
    average: AveragedModel | None = None,
) -> None:
    """Write a checkpoint; whoever reads meanwhile, or after a crash, finds the old one whole.

    Args:
        path: The file; its folder must exist.
        encoder: The encoder that learns.
        optimizer: Its optimizer.
        step: Number of steps that are done.
        belongs_to: See `fingerprint`.
        average: The mean of the weights so far, where there is one.

    Raises:
        DataError: The disk is full or refuses; the old checkpoint is whole.
    """
    tensors = {f"model.{name}": value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value).detach().cpu().contiguous()
    if average is not None:
        tensors |= {
            f"average.{name}": value.detach().cpu().contiguous() for name, value in average.state_dict().items()
        }
    metadata = {
        "format": CHECKPOINT_FORMAT,
        "step": str(step),
        "settings": belongs_to.settings,
        "data": belongs_to.data,
    }
    metadata[DIGEST] = _digest(metadata, tensors)
    with atomic_write(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(str(error)) from error


def load_checkpoint(
    path: Path,
    encoder: Module,
    optimizer: torch.optim.Adam,
    belongs_to: Fingerprint,
    average: AveragedModel | None = None,
) -> int:
    """Bring an encoder and its optimizer to the state of a checkpoint.

    Args:
        path: The file.
        encoder: An encoder of the same architecture; changed in place.
        optimizer: Its optimizer; changed in place.
        belongs_to: Of the training that wants to go on.
        average: The mean of the weights so far; changed in place.

    Returns:
        The number of steps that were done.

    Raises:
        CheckpointError: The file is damaged, of another architecture, data or hyper-parameters; encoder and optimizer
            are as they were.
    """
    metadata, tensors = read_tensors(path)
    if metadata.get("format") != CHECKPOINT_FORMAT:
        raise CheckpointError(
            f"{path} is no training checkpoint of this version: its format is {metadata.get('format')!r}, "
            f"expected {CHECKPOINT_FORMAT!r}"
        )
    if metadata.get(DIGEST) != _digest(metadata, tensors) or {"step", "settings", "data"} - set(metadata):
        raise CheckpointError(
            f"{path} is damaged or was changed: its digest differs; take an older copy, or start afresh without resume"
        )
    if metadata["settings"] != belongs_to.settings:
        differing = _differences(metadata["settings"], belongs_to.settings)
        raise CheckpointError(
            f"{path} was made with other hyper-parameters ({differing}); use the same, or start afresh without resume"
        )
    model = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    check_architecture(path, encoder.state_dict(), model)
    if metadata["data"] != belongs_to.data:
        raise CheckpointError(f"{path} was made from other boxes; give the same, or start afresh without resume")
    if not re.fullmatch(r"\d{1,15}", metadata["step"]):
        raise CheckpointError(f"{path} is damaged: {metadata['step']!r} is no number of steps")
    step = int(metadata["step"])
    state = _optimizer_state(path, tensors, optimizer, step)
    mean = {name.removeprefix("average."): t for name, t in tensors.items() if name.startswith("average.")}
    if average is not None:
        check_architecture(path, average.state_dict(), mean)
    # Nothing is changed before everything is known to be right.
    encoder.load_state_dict(model)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    if average is not None:
        average.load_state_dict(mean)
    return step


def _optimizer_state(
    path: Path, tensors: dict[str, Tensor], optimizer: torch.optim.Adam, step: int
) -> dict[int, dict[str, Tensor]]:
    """What Adam knows of each parameter that had a gradient: all of it, and of no more steps than were done."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            index, _, key = name.removeprefix("optimizer.").partition(".")
            if not re.fullmatch(r"\d{1,9}", index):
                raise CheckpointError(f"{path} is damaged: it holds {name}, which is not known here")
            state.setdefault(int(index), {})[key] = tensor
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for number, own in state.items():
        shapes = {key: tuple(tensor.shape) for key, tensor in own.items()}
        shape = tuple(parameters[number].shape) if number < len(parameters) else ()
        if shapes != {"step": (), "exp_avg": shape, "exp_avg_sq": shape} or not 0 < float(own["step"]) <= step:
            raise CheckpointError(
                f"{path} is damaged: the state of the optimizer is not that of {len(parameters)} parameters after "
                f"{step} steps; start afresh without resume"
            )
    return state


def _digest(metadata: dict[str, str], tensors: dict[str, Tensor]) -> str:
    """SHA-256 of all that a checkpoint says but itself."""
    digest = hashlib.sha256(json.dumps({k: v for k, v in metadata.items() if k != DIGEST}, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def check_architecture(path: Path | str, wanted: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    """Raise a CheckpointError that names the first tensor that is missing, unknown or of another shape."""
    for name, tensor in wanted.items():
        if name not in found:
            raise CheckpointError(f"{path} lacks {name}: it is damaged or of another architecture")
        if found[name].shape != tensor.shape:
            raise CheckpointError(
                f"{path} is of another architecture: {name} has shape {tuple(found[name].shape)}, "
                f"expected {tuple(tensor.shape)}; do the number of views and the prompt agree?"
            )
    unknown = sorted(set(found) - set(wanted))
    if unknown:
        raise CheckpointError(f"{path} is of another architecture: it holds {unknown[0]}, which is not known here")


def read_tensors(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file.

    Raises:
        CheckpointError: The file is missing, cut short or no safetensors file.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"{path} does not exist")
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}): is it cut short, or no safetensors file?") from error


def _differences(one: str, other: str) -> str:
    first, second = _flatten(json.loads(one)), _flatten(json.loads(other))
    names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    return ", ".join(f"{name}: {first.get(name)!r} there, {second.get(name)!r} here" for name in names)


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flatten(inner, f"{prefix}.{name}" if prefix else name)
    return flat
