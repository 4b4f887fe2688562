"""The recipe "auto": whether an embedding is trained, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.core.config import AutoRecipe, GeometryRecipe
from selfmva.core.packed_boxes import pack
from selfmva.core.thinning import evenly_spaced
from selfmva.training.pseudo_labels import floor_posteriors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.config import Recipe
    from selfmva.core.types import Frame, View
    from selfmva.geometry.floor import Floor


@dataclass(frozen=True)
class EmbeddingChoiceSettings:
    """Where the floor alone is enough.

    Between them lie the recordings on which an embedding gains next to nothing and those on which it gains .01 to .03
    F1: clean boxes (2 to 5 % open), a crowd in places known to 0.09 body heights (43 % open); bad boxes and bent bodies
    (16 to 25 % open, 0.13 to 0.21 body heights). See docs/benchmarks.md.
    """

    instants: int = 50  # on which it is measured
    open: float = 0.1  # fraction of the expected matches
    residual: float = 0.12  # body heights


CHOICE = EmbeddingChoiceSettings()


class EmbeddingChoice(NamedTuple):
    """Whether an embedding is trained.

    Attributes:
        train: True where one is.
        reason: Why, or why not, for the report; empty where the recipe leaves no choice.
    """

    train: bool
    reason: str = ""


def choose_embedding(
    views: Sequence[View], frames: Sequence[Frame], floor: Floor | None, recipe: Recipe
) -> EmbeddingChoice:
    """Decide whether an embedding is trained.

    The recipe `"auto"` trains one in two cases. Where views are on no common floor, it is all that tells who is who
    there, or finds the head lines that do. And where the floor leaves many matches open because it is imprecise: boxes
    are bad, or bodies bend. Where it is precise and leaves matches open, people stand close together, which an
    embedding resolves even less.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        floor: The common floor, None where none was found.
        recipe: Other recipes than `"auto"` have decided.

    Returns:
        The decision.
    """
    if not isinstance(recipe, AutoRecipe):
        return EmbeddingChoice(train=not isinstance(recipe, GeometryRecipe))
    if floor is None:
        return EmbeddingChoice(train=True, reason="an embedding was trained: no two views are on a common floor")
    missing = [view.name for number, view in enumerate(views) if number not in floor.views_on_floor]
    if missing:
        return EmbeddingChoice(
            train=True, reason=f"an embedding was trained: {', '.join(sorted(missing))} not on the common floor"
        )
    fraction, residual = open_fraction(floor, frames), _residual(floor)
    what = f"all views are on one floor, good to {residual:.2f} body heights, {fraction:.0%} of the matches open"
    if fraction > CHOICE.open and residual > CHOICE.residual:
        return EmbeddingChoice(train=True, reason=f"an embedding was trained: {what}")
    return EmbeddingChoice(train=False, reason=f"no embedding was trained: {what}")


def open_fraction(floor: Floor, frames: Sequence[Frame]) -> float:
    """How many of the matches that the floor expects are uncertain.

    Args:
        floor: The common floor.
        frames: Clipped frames of its views; a sample of them is looked at.

    Returns:
        The sum of p (1 - p) over all pairs of boxes, over that of p, in [0, 1]; 0 where no match is expected.
    """
    sample = [frames[t] for t in evenly_spaced(len(frames), CHOICE.instants, to_nearest=True)]
    recording = pack(sample, len(floor.views), features=False)
    uncertain = expected = 0.0
    for _, probabilities in floor_posteriors(floor, recording, np.arange(len(recording))):
        uncertain += float((probabilities * (1.0 - probabilities)).sum())
        expected += float(probabilities.sum())
    return uncertain / expected if expected else 0.0


def _residual(floor: Floor) -> float:
    """Median error of the trusted pairs of views in body heights; 0 where none is trusted."""
    known = [support.residual for support in floor.supports.values() if support.trusted]
    return float(np.median(known)) if known else 0.0
