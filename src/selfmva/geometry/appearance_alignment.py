"""Alignments of two floors from boxes that are likely to be one person, whoever says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.pair_alignment import keep_distinct
from selfmva.geometry.walks import WALKS

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.pair_alignment import Alignment
    from selfmva.geometry.sightings import Sightings


@dataclass(frozen=True)
class RansacSettings:
    """Random sample consensus over matches by appearance."""

    most_matches: int = 150  # evenly spread over all; every two are a hypothesis
    most_hypotheses: int = 4000  # evenly spread over all
    least_apart: float = 1.0  # body heights between two people who tell a turn
    kernel: float = 1.0  # body heights on the floor, as far off as places far away may be
    least_matches: int = 4  # matches that a hypothesis must bring together, those that it was made of included
    kept: int = 6  # hypotheses
    distinct_turn: float = 0.3  # radians between two that are kept, or
    distinct_shift: float = 1.5  # body heights


RANSAC = RansacSettings()


def align_matches(first: Sightings, second: Sightings, rows_i: IntArray, rows_j: IntArray) -> list[Alignment]:
    """The alignments on which most matches agree: random sample consensus, with every sample.

    Two people tell how the floor of one view lies on that of the other. Matches may be wrong, all but a few.

    Args:
        first: View i.
        second: View j.
        rows_i: `(K,)` boxes of view i.
        rows_j: `(K,)` boxes of view j that are likely to be the same people.

    Returns:
        Up to 6 distinct alignments, the one with most matches first; none where no few agree.
    """
    usable = first.usable[rows_i] & second.usable[rows_j]
    place_i, place_j = first.places[rows_i[usable]], second.places[rows_j[usable]]
    chosen = evenly_spaced(len(place_i), RANSAC.most_matches)
    place_i, place_j = place_i[chosen], place_j[chosen]
    if len(place_i) < RANSAC.least_matches:
        return []
    turn, shift = _propose(place_i, place_j)
    score = _agreement(turn, shift, place_i, place_j)
    enough = score >= RANSAC.least_matches
    return keep_distinct(
        turn[enough], shift[enough], score[enough], (RANSAC.distinct_turn, RANSAC.distinct_shift), RANSAC.kept
    )


def _propose(place_i: np.ndarray, place_j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(H,)` turns and shifts of all pairs of matches that are far enough apart, and as far in both views."""
    one, other = np.triu_indices(len(place_i), 1)
    way_i, way_j = place_i[other] - place_i[one], place_j[other] - place_j[one]
    near, far = np.minimum(np.abs(way_i), np.abs(way_j)), np.maximum(np.abs(way_i), np.abs(way_j))
    good = np.flatnonzero((near > RANSAC.least_apart) & (far < WALKS.largest_scale * near))
    good = good[evenly_spaced(len(good), RANSAC.most_hypotheses)]
    turn = way_j[good] * np.conj(way_i[good])
    turn /= np.abs(turn)
    middle_i, middle_j = ((place[one[good]] + place[other[good]]) / 2 for place in (place_i, place_j))
    return turn, middle_j - turn * middle_i


def _agreement(turn: np.ndarray, shift: np.ndarray, place_i: np.ndarray, place_j: np.ndarray) -> FloatArray:
    """`(H,)` how many matches each hypothesis brings together."""
    error = np.abs(turn[:, None] * place_i + shift[:, None] - place_j)
    return np.asarray(np.exp(-0.5 * (error / RANSAC.kernel) ** 2).sum(axis=1))
