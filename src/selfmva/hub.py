"""Weights that come from elsewhere: checkpoints of the published code."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from selfmva.associator import Associator
from selfmva.errors import CheckpointError
from selfmva.io.views import resolve_views
from selfmva.pretrained import SavedAssociator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.io.views import ViewLike

PROMPT = "prompt_encoder."
GAUSSIAN = f"{PROMPT}pe_layer.positional_encoding_gaussian_matrix"
OFFSETS = {  # what is added to the features of the first and the second token
    "box": (f"{PROMPT}point_embeddings.2.weight", f"{PROMPT}point_embeddings.3.weight"),
    "point": (f"{PROMPT}point_embeddings.1.weight", f"{PROMPT}not_a_point_embed.weight"),
}
LAYERS = {"layers.0": "pos_encoder.layer1", "layers.1": "pos_encoder.layer2", "layers.2": "pos_encoder.layer3"}


def convert_upstream(path: str | Path, views: Sequence[ViewLike], *, device: str = "cpu") -> Associator:
    """Make an associator from a checkpoint of the published code.

    It embeds at once; `associate` uses the published similarities until `adapt(boxes)` has learnt, without labels,
    what its distances mean.

    Args:
        path: A torch file that holds `{"model": ..., ...}`; read with `weights_only=True`.
        views: The cameras in the order of the checkpoint, as for `Associator.fit`.
        device: As for `Associator`.

    Returns:
        An associator with the embedding of the checkpoint and the published recipe.

    Raises:
        CheckpointError: The file is missing, cut short, holds code, or is of another architecture.
        InputError: Fewer than two views.
    """
    cameras = resolve_views(views)
    model = _read_model(Path(path))
    prompt = "box" if _value(model, "observers.weight", path).shape[0] == 4 * len(cameras) else "point"
    weights = {"gaussian": _value(model, GAUSSIAN, path)}
    weights["token_offsets"] = torch.cat([_value(model, name, path) for name in OFFSETS[prompt]])
    weights["view_tokens"] = _value(model, "z_cam_token", path).flatten(1)
    for ours, theirs in (LAYERS | {"decoder": "observers"}).items():
        for kind in ("weight", "bias"):
            weights[f"{ours}.{kind}"] = _value(model, f"{theirs}.{kind}", path)
    params = {"recipe": {"name": "published"}, "encoder": {"prompt": prompt}}
    saved = SavedAssociator(cameras, params, weights, floor=None, lines={}, tables=None, report=None)
    return Associator.from_saved(saved, name=str(path), device=device)


def _read_model(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle protocol of what is no checkpoint
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on a file of anything, the unpickler fails in any way
        raise CheckpointError(
            f"{path} cannot be read as weights ({error}): is it cut short, or does it hold more than tensors?"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise CheckpointError(f"{path} is no checkpoint of the published code: it has no entry 'model'")
    return dict(content["model"])


def _value(model: dict[str, Any], name: str, path: str | Path) -> Tensor:
    if not isinstance(model.get(name), torch.Tensor):
        raise CheckpointError(f"{path} lacks {name}: is it a checkpoint of the published code?")
    value: Tensor = model[name].float()
    return value
