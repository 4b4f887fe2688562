"""Pairs of boxes of different views: whether who is one person at an instant is given one id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.metrics.tracking.clear import ratio
from selfmva.metrics.tracking.matching import best_pairs
from selfmva.metrics.tracking.sequence import SIMILARITY_ROUNDING

if TYPE_CHECKING:
    from selfmva.core.types import IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence


@dataclass(frozen=True)
class PairScore:
    """How many pairs of boxes of different views at one instant are rightly one person; NaN where there are none.

    Attributes:
        precision: Found pairs (two boxes of one id) that are right: both boxes are matched with boxes of one person.
        recall: Pairs of the truth (two boxes of one person) that are found so.
        f1: Harmonic mean of the two.
        right: Number of right pairs.
        found_pairs: Number of found pairs.
        true_pairs: Number of pairs of the truth.
    """

    precision: float
    recall: float
    f1: float
    right: int
    found_pairs: int
    true_pairs: int


def pair_score(union: TrackSequence, instants: int, threshold: float = 0.5) -> PairScore:
    """Precision and recall of cross-view pairs, over all instants and pairs of views.

    Other than `selfmva.metrics.score_pairs`, which scores matches of boxes that are the same in truth and answer, this
    one takes boxes of a detector: one that it missed costs recall.

    Args:
        union: Frames of all views one after another, as many of each as there are instants.
        instants: How many these are.
        threshold: Least similarity of a match.
    """
    good = union.similarity >= threshold - SIMILARITY_ROUNDING
    matched = best_pairs(union, np.where(good, union.similarity, 0.0))
    people, ids = union.truth.ids[union.rows[matched]], union.found.ids[union.columns[matched]]
    right = _pairs(union.frames[matched] % instants, people, ids) if len(people) else 0
    true, found = (
        _pairs(side.frames % instants, side.ids) if len(side.ids) else 0 for side in (union.truth, union.found)
    )
    return PairScore(ratio(right, found), ratio(right, true), ratio(2 * right, found + true), right, found, true)


def _pairs(*keys: IntArray) -> int:
    """How many pairs of boxes have all of some keys in common."""
    times = np.unique(np.stack(keys, axis=1), axis=0, return_counts=True)[1]
    return int((times * (times - 1) // 2).sum())
