"""MvMHAT's own metric of ids over views, with the errors of its published evaluation: for comparison alone.

Source: Gan et al., "Self-supervised Multi-view Multi-Human Association and Tracking", ACM MM 2021, and what its
published evaluation does. It errs in these ways: matches are not one to one; identity 0 doubles as "unmatched", so that
a person of that number is never found; an unmatched box in both views counts as one more id that both share; boxes are
counted once for each other view; an instant without anybody to find counts as one with precision and recall 0.
`PairScore` judges the same without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.metrics.tracking.clear import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence

MVMHAT_OVERLAP = 0.5  # of MvMHAT's evaluation: a match has more


@dataclass(frozen=True)
class MvmhatScore:
    """What MvMHAT's evaluation prints.

    Attributes:
        mvidp: Mean over instants of the found pairs that are right.
        mvidr: Mean over instants of the pairs of the truth that are found.
        mvidf1: Harmonic mean of the two means.
        mvma: 1 - (what is missed + false + 2 times mismatched) / boxes of all pairs of views; may be negative.
    """

    mvidp: float
    mvidr: float
    mvidf1: float
    mvma: float


def mvmhat_score(union: TrackSequence, occupied: int, instants: int, unmatched: int = -1) -> MvmhatScore:
    """MvMHAT's own metric.

    Args:
        union: Frames of all views one after another, as many of each as there are instants at which anybody is.
        occupied: How many these are.
        instants: How many there are, those at which nobody is included.
        unmatched: Number in `union` of the person whose identity is 0, where there is one.

    Returns:
        The scores; NaN where nothing defines them.
    """
    views = union.length // max(occupied, 1)
    person, best = _labels(union)
    person = np.where(person == unmatched, -1, person)
    true_at, found_at = (side.frames % max(occupied, 1) for side in (union.truth, union.found))
    shared = _pairs_at(occupied, true_at, union.truth.ids)

    # Of a person with several boxes of a view, the last one decides: the one of the largest id.
    named = person >= 0
    keys, where = np.unique(np.stack([union.found.frames, person])[:, named], axis=1, return_inverse=True)
    last = np.full(keys.shape[1], -1)
    np.maximum.at(last, where.reshape(-1), union.found.ids[named])
    right = _pairs_at(occupied, keys[0] % max(occupied, 1), keys[1], last)

    alone = ~best
    present, seen = np.unique(np.stack([found_at, union.found.ids]), axis=1, return_inverse=True)
    false = (np.bincount(seen.reshape(-1), minlength=present.shape[1])[seen.reshape(-1)] - 1)[alone].sum()
    boxes = len(union.truth.ids) * (views - 1)
    claimed = _pairs_at(occupied, found_at[named], union.found.ids[named]) + _both_unmatched(union, occupied, named)
    precision, recall = _mean(right, claimed, instants), _mean(right, shared, instants)
    return MvmhatScore(
        mvidp=precision,
        mvidr=recall,
        mvidf1=ratio(2 * precision * recall, precision + recall),
        # With mismatches p - t and misses 2 (g - p), the p found pairs cancel out: g of the truth, t of them right.
        mvma=1 - ratio(float(2 * (shared - right).sum() + false), boxes),
    )


def _labels(union: TrackSequence) -> tuple[IntArray, NDArray[np.bool_]]:
    """The person of each found box, -1 where it is matched with none; and whether it is matched at all.

    A box is matched with another where either is the other's best; of several people, that of the smallest number
    counts.
    """
    row_best, column_best = np.zeros(len(union.truth.ids)), np.zeros(len(union.found.ids))
    np.maximum.at(row_best, union.rows, union.similarity)
    np.maximum.at(column_best, union.columns, union.similarity)
    best = (union.similarity == row_best[union.rows]) | (union.similarity == column_best[union.columns])
    best &= union.similarity > MVMHAT_OVERLAP
    person = np.full(len(union.found.ids), union.truth.people)
    np.minimum.at(person, union.columns[best], union.truth.ids[union.rows[best]])
    matched = person < union.truth.people
    return np.where(matched, person, -1), matched


def _pairs_at(instants: int, at: IntArray, *keys: IntArray) -> IntArray:
    """`(T,)` pairs of boxes of each instant that have all of some keys in common."""
    groups, times = np.unique(np.stack([at, *keys]), axis=1, return_counts=True)
    return np.bincount(groups[0], times * (times - 1) // 2, minlength=instants).astype(np.int64)


def _both_unmatched(union: TrackSequence, instants: int, named: NDArray[np.bool_]) -> IntArray:
    """`(T,)` what else the published precision divides by.

    One for each pair of views that both have an unmatched box; and where the truth shows nobody in one of two views
    alone, the boxes that were found there.
    """
    shape = (-1, max(instants, 1))
    true, found = (
        np.bincount(side.frames, minlength=union.length).reshape(shape) for side in (union.truth, union.found)
    )
    unmatched = (np.bincount(union.found.frames[~named], minlength=union.length).reshape(shape) > 0).sum(axis=0)
    empty = true == 0
    strays = (np.where(empty, found, 0) * (~empty).sum(axis=0)).sum(axis=0)
    return np.asarray(unmatched * (unmatched - 1) // 2 + strays)


def _mean(part: IntArray, whole: IntArray, instants: int) -> float:
    """The mean fraction over instants; 0 where it is one of nothing."""
    fractions: FloatArray = np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
    return ratio(float(fractions.sum()), instants)
