"""Which pairs of views look as if they saw the same people: a first look at all of them, by votes of whole walks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.pair_alignment import ALIGNMENT, keep_distinct
from selfmva.geometry.walk_voting import vote
from selfmva.geometry.walks import WALKS, Walks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from selfmva.geometry.pair_alignment import Alignment
    from selfmva.geometry.sightings import Sightings


@dataclass(frozen=True)
class ScreeningSettings:
    """A first look at pairs of views."""

    shifts: tuple[int, ...] = (6, 7, 8, 9)  # which of the shifted instants tell chance: walkers are elsewhere there
    strongest: int = 5  # pairs of a view that are worth a closer look


SCREENING = ScreeningSettings()


@dataclass(frozen=True)
class Screened:
    """A first look at one pair of views.

    Attributes:
        deviations: By how many standard deviations the votes for the best alignment exceed those of shifted instants.
        alignments: Up to 8 distinct ones, those with most votes first.
    """

    deviations: float
    alignments: tuple[Alignment, ...]


def screen(
    views: Sequence[Sightings], shifts: Sequence[int], pairs: Iterable[tuple[int, int]] | None = None
) -> dict[tuple[int, int], Screened]:
    """Look at pairs of views that have a camera, and where some walks have one shape.

    Args:
        views: What every view saw.
        shifts: Shifted instants, the nearest first.
        pairs: Pairs (i, j), i < j, to look at; None: all.

    Returns:
        By pair (i, j), i < j.
    """
    walks = [Walks.of(view) if view.calibrated else None for view in views]
    lags = [shifts[number] for number in SCREENING.shifts if number < len(shifts)][:2] or shifts[-2:]
    found = {}
    for i, j in combinations(range(len(views)), 2) if pairs is None else pairs:
        first, second = walks[i], walks[j]
        if first is None or second is None:
            continue
        ballot = vote(first, second)
        if not len(ballot.votes):
            continue
        chance = np.array([max(vote(first, second.shifted(lag)).votes, default=0.0) for lag in lags] or [0.0])
        mean = float(chance.mean())
        # Of few shifts, the deviation is a guess: not less than that of a count of walks.
        deviation = max(float(chance.std()), float(np.sqrt(WALKS.least_common * max(mean, WALKS.least_common))))
        apart = (ALIGNMENT.distinct_turn, ALIGNMENT.distinct_shift)
        found[i, j] = Screened(
            (float(ballot.votes.max()) - mean) / deviation, tuple(keep_distinct(*ballot, apart, ALIGNMENT.kept))
        )
    return found


def strongest_pairs(screened: Mapping[tuple[int, int], Screened], views: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs that are among the strongest of one of some views, in their order."""
    chosen: set[tuple[int, int]] = set()
    for view in views:
        own = sorted((pair for pair in screened if view in pair), key=lambda pair: -screened[pair].deviations)
        chosen.update(own[: SCREENING.strongest])
    return sorted(chosen)
