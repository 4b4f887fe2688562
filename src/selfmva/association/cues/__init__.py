"""What two boxes have in common: on the floor, by the embedding, by lines of heads or joints, by appearance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.association.cues.appearance import AppearanceCue
from selfmva.association.cues.base import Cue, batch_of_frames
from selfmva.association.cues.embedding import EmbeddingCue
from selfmva.association.cues.floor import FloorCue
from selfmva.association.cues.head_lines import HeadLinesCue
from selfmva.association.cues.keypoints import KeypointsCue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame

CUES: tuple[type[Cue], ...] = (
    EmbeddingCue,
    FloorCue,
    HeadLinesCue,
    AppearanceCue,
    KeypointsCue,
)


def cues_of(model: FittedModel) -> list[Cue]:
    """The cues that a model knows something of."""
    return [cue for cue in (kind.of(model) for kind in CUES) if cue is not None]


def frame_distances(model: FittedModel, frames: Sequence[Frame]) -> list[dict[str, FloatArray]]:
    """Distances of all boxes of each frame, by every cue.

    Args:
        model: What was learnt.
        frames: Clipped frames of its cameras.

    Returns:
        For each frame, by the name of the cue, `(M, M)`, its boxes view after view; NaN where a cue knows nothing of
        two boxes.
    """
    batch, rows = batch_of_frames(frames)
    readings = [(cue, cue.read(batch)) for cue in cues_of(model)]
    return [{cue.name: cue.distances(found[part], found[part]) for cue, found in readings} for part in rows]
