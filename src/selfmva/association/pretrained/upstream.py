"""Checkpoints of the published code, made into associators."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from selfmva.association.associator import Associator
from selfmva.association.model import FittedModel, no_offsets
from selfmva.association.pretrained import Card
from selfmva.association.pretrained.encoder import encoder_from_weights
from selfmva.core.config import AssociatorConfig, PublishedRecipe, build
from selfmva.core.paths import as_path
from selfmva.core.runtime.torch_archive import read_torch_archive
from selfmva.encoders.box import EMBEDDING_DIM, FREQUENCIES, TOKEN_DIM
from selfmva.errors import CheckpointError
from selfmva.io.video.view_argument import resolve_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.io.video.view_argument import ViewLike

LICENSE_ID = "CC-BY-NC-SA-4.0"  # of all weights that the authors publish
PROMPT = "prompt_encoder."
PUBLISHED_GAUSSIAN = f"{PROMPT}pe_layer.positional_encoding_gaussian_matrix"
OFFSETS = {  # what is added to the features of the first and the second token
    "box": (f"{PROMPT}point_embeddings.2.weight", f"{PROMPT}point_embeddings.3.weight"),
    "point": (f"{PROMPT}point_embeddings.1.weight", f"{PROMPT}not_a_point_embed.weight"),
}
COORDINATES = {4: "box", 2: "point"}  # numbers that the decoder gives for every view
VIEW_TOKENS, DECODER = "z_cam_token", "observers"
LAYERS = {"layers.0": "pos_encoder.layer1", "layers.1": "pos_encoder.layer2", "layers.2": "pos_encoder.layer3"}


def convert_upstream(path: str | Path, views: Sequence[ViewLike], *, device: str = "cpu") -> Associator:
    """Make an associator from a checkpoint of the published code.

    It embeds at once; `associate` uses the published similarities until `adapt(boxes)` has learnt, without labels,
    what its distances mean. The weights that the authors publish are under CC BY-NC-SA 4.0, and stay so when converted.

    Args:
        path: A torch file that holds `{"model": ..., ...}`; only tensors and plain values are read from it. For a file
            that you don't trust, use torch 2.10 or newer.
        views: The cameras in the order of the checkpoint, as for `Associator.fit`.
        device: As for `Associator`.

    Returns:
        An associator with the embedding of the checkpoint and the published recipe.

    Raises:
        CheckpointError: The file is missing, cut short, holds more than tensors, is of another architecture or of
            another number of views, or a weight is not a number; names the file and the reason.
        InputError: Fewer than two views, or no path.

    Example:
        >>> convert_upstream("nowhere.pth.tar", [(640, 480)] * 3)
        Traceback (most recent call last):
        ...
        selfmva.errors.CheckpointError: nowhere.pth.tar does not exist
    """
    path = as_path(path, "the path of the checkpoint")
    cameras = resolve_views(views)
    model = _read_model(path)
    _check_view_count(model, len(cameras), path)
    prompt = _prompt(model, len(cameras), path)
    weights = {"gaussian": _weight(model, PUBLISHED_GAUSSIAN, (2, FREQUENCIES), path)}
    weights["token_offsets"] = torch.cat([_weight(model, name, (1, TOKEN_DIM), path) for name in OFFSETS[prompt]])
    weights["view_tokens"] = _weight(model, VIEW_TOKENS, (len(cameras), 1, TOKEN_DIM), path).flatten(1)
    for ours, theirs in (LAYERS | {"decoder": DECODER}).items():
        rows = len(model[f"{DECODER}.weight"]) if theirs == DECODER else EMBEDDING_DIM
        weights[f"{ours}.weight"] = _weight(model, f"{theirs}.weight", (rows, EMBEDDING_DIM), path)
        weights[f"{ours}.bias"] = _weight(model, f"{theirs}.bias", (rows,), path)
    config = build(AssociatorConfig, {"recipe": PublishedRecipe(), "encoder": {"prompt": prompt}})
    card = Card(
        license=LICENSE_ID,
        training_data=f"Converted from {Path(path).name}, a checkpoint of the published Self-MVA code. The weights "
        "that its authors publish are under CC BY-NC-SA 4.0, and stay so when converted.",
    )
    encoder = encoder_from_weights(cameras, config.encoder.prompt, weights, str(path))
    return Associator.from_model(FittedModel(cameras, config, no_offsets(cameras), encoder, card=card), device=device)


def _read_model(path: str | Path) -> dict[str, Any]:
    content = read_torch_archive(path)
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise CheckpointError(f"{path} is no checkpoint of the published code: it has no entry 'model'")
    return dict(content["model"])


def _check_view_count(model: dict[str, Any], count: int, path: str | Path) -> None:
    shape = _tensor(model, VIEW_TOKENS, path).shape
    if len(shape) == 3 and shape[0] != count:
        raise CheckpointError(f"{path} was trained on {shape[0]} views, got {count} cameras: give one for each view")


def _prompt(model: dict[str, Any], views: int, path: str | Path) -> str:
    """What was encoded: the decoder gives as many numbers for every view."""
    shape = tuple(_tensor(model, f"{DECODER}.weight", path).shape)
    prompts = [prompt for numbers, prompt in COORDINATES.items() if shape[:1] == (numbers * views,)]
    if not prompts:
        raise CheckpointError(
            f"{path} is of another architecture: {DECODER}.weight has shape {shape}, expected "
            f"{' or '.join(str((numbers * views, EMBEDDING_DIM)) for numbers in COORDINATES)} for {views} views"
        )
    return prompts[0]


def _tensor(model: dict[str, Any], name: str, path: str | Path) -> Tensor:
    value = model.get(name)
    if not isinstance(value, torch.Tensor):
        raise CheckpointError(f"{path} lacks {name}: is it a checkpoint of the published code?")
    return value


def _weight(model: dict[str, Any], name: str, shape: tuple[int, ...], path: str | Path) -> Tensor:
    """A weight as float32; looked at before it is computed with, for a few bytes can claim to be any tensor."""
    value = _tensor(model, name, path)
    if tuple(value.shape) != shape:
        raise CheckpointError(
            f"{path} is of another architecture: {name} has shape {tuple(value.shape)}, expected {shape}"
        )
    if not value.is_floating_point() or value.layout is not torch.strided or value.device.type != "cpu":
        kind = f"{value.dtype}, {value.layout}, on {value.device}"
        raise CheckpointError(f"{path} is refused: {name} is a tensor of {kind}; expected plain floating-point numbers")
    weight = value.detach().float()
    if not weight.isfinite().all():
        raise CheckpointError(f"{path} is damaged: {name} holds values that are not finite")
    return weight
