"""From views and frames to a trained encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from selfmva.core.config import GeometryRecipe, PublishedRecipe
from selfmva.core.devices import find_device
from selfmva.core.packed_boxes import gather, pack
from selfmva.encoders.box import BoxEncoder
from selfmva.encoders.sam import load_sam_features
from selfmva.errors import ConfigError
from selfmva.pretext.sampler import check_anchor_view, hold_out
from selfmva.training.checkpoint import fingerprint
from selfmva.training.loop import Watch, train
from selfmva.training.pseudo_labels import find_consensus
from selfmva.training.recipes.batch import BatchObjective
from selfmva.training.recipes.published import PublishedObjective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.config import AssociatorConfig, TrainingRecipe
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import Frame, IntArray, View
    from selfmva.geometry.floor import Floor
    from selfmva.training.loop import Objective


@dataclass(frozen=True, eq=False)
class TrainedEncoder:
    """An encoder and the instants to judge it by.

    Attributes:
        encoder: Trained.
        held_out: Numbers of the instants kept from training; none where the recipe keeps none.
    """

    encoder: BoxEncoder
    held_out: IntArray


def fit_encoder(
    views: Sequence[View],
    frames: Sequence[Frame],
    config: AssociatorConfig,
    watch: Watch,
    floor: Floor | None = None,
) -> TrainedEncoder:
    """Train an encoder as a config says.

    Args:
        views: The cameras.
        frames: Clipped frames of these views, in the order of time.
        config: Seed, recipe, device, precision, encoder.
        watch: Progress, callbacks and checkpoint.
        floor: The common floor, whose matches the batch recipe learns from; None where none was found.

    Returns:
        The encoder, on the device of the config.

    Raises:
        InputError: Too few instants, or an anchor view that is not there.
        ConfigError: There is no such device, or the recipe trains none.
        CheckpointError, DataError: See `train`.
    """
    recipe = config.recipe
    if isinstance(recipe, GeometryRecipe):
        raise ConfigError("the recipe 'geometry' trains no encoder")
    check_anchor_view(recipe.anchor_view, len(views))
    device = find_device(config.device)
    encoder = BoxEncoder(views, prompt=config.encoder.prompt, generator=torch.Generator().manual_seed(config.seed))
    if config.encoder.corner_features == "sam":
        load_sam_features(encoder)
    encoder.to(device)
    learnt, held_out = hold_out(len(frames), recipe.held_out_fraction)
    # The batch recipe learns from boxes alone.
    packed = pack(frames, len(views), features=isinstance(recipe, PublishedRecipe))
    recording = gather(packed, learnt)
    settings = config.model_dump(include={"seed", "precision", "encoder"}) | {"recipe": recipe.model_dump()}
    settings["views"] = [[view.width, view.height] for view in views]
    train(
        encoder,
        _objective(recording, recipe, config.seed, floor),
        bfloat16=config.precision == "bfloat16",
        belongs_to=fingerprint(recording, settings),
        watch=watch,
    )
    return TrainedEncoder(encoder, held_out)


def _objective(recording: PackedBoxes, recipe: TrainingRecipe, seed: int, floor: Floor | None) -> Objective[BoxEncoder]:
    if isinstance(recipe, PublishedRecipe):  # learns from synchronization alone, as published
        return PublishedObjective(recording, recipe, seed)
    return BatchObjective(recording, recipe, seed, None if floor is None else find_consensus(floor, recording))
