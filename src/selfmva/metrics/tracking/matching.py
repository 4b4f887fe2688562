"""Which boxes of a frame are one: matchings of the largest weight, and who meets whom in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence


def best_pairs(sequence: TrackSequence, weights: FloatArray) -> NDArray[np.bool_]:
    """The one-to-one matching of each frame with the largest total weight.

    Args:
        sequence: Whose pairs may be chosen.
        weights: `(K,)` of the pairs; one of 0 is never chosen.

    Returns:
        `(K,)` bool, the chosen pairs.

    Example:
        >>> from selfmva.metrics.tracking.sequence import Side, TrackSequence
        >>> side = Side(np.array([0, 0]), np.array([0, 1]), 2)
        >>> pairs = TrackSequence(1, side, side, np.array([0, 0, 1]), np.array([0, 1, 0]), np.ones(3))
        >>> best_pairs(pairs, np.array([0.9, 0.6, 0.7])).tolist()
        [False, True, True]
    """
    chosen = np.asarray(weights > 0)
    candidates = np.flatnonzero(chosen)
    contested = candidates[is_contested(sequence, candidates)]
    chosen[contested] = False
    for pairs in split_by_frame(sequence, contested):
        chosen[pairs] = assign(sequence.rows[pairs], sequence.columns[pairs], weights[pairs])
    return chosen


def is_contested(sequence: TrackSequence, pairs: IntArray) -> NDArray[np.bool_]:
    """Which of some pairs have a box that another of them has, too; all others go into any best matching."""
    of_row = np.bincount(sequence.rows[pairs], minlength=1)
    of_column = np.bincount(sequence.columns[pairs], minlength=1)
    return np.asarray((of_row[sequence.rows[pairs]] > 1) | (of_column[sequence.columns[pairs]] > 1))


def split_by_frame(sequence: TrackSequence, pairs: IntArray) -> list[IntArray]:
    """Numbers of pairs, in the order of frames, frame by frame."""
    if not len(pairs):
        return []
    return list(np.split(pairs, np.flatnonzero(np.diff(sequence.frames[pairs])) + 1))


def assign(rows: IntArray, columns: IntArray, weights: FloatArray) -> NDArray[np.bool_]:
    """Which pairs of one frame make the one-to-one matching with the largest total weight.

    Args:
        rows: `(K,)` numbers of boxes.
        columns: `(K,)` numbers of boxes of the other side.
        weights: `(K,)` above 0.

    Returns:
        `(K,)` bool.

    Example:
        >>> assign(np.array([7, 7, 8]), np.array([2, 3, 2]), np.array([0.9, 0.6, 0.7])).tolist()
        [False, True, True]
    """
    from scipy.optimize import linear_sum_assignment

    first_row, first_column = rows.min(), columns.min()
    matrix = np.zeros((rows.max() - first_row + 1, columns.max() - first_column + 1))
    matrix[rows - first_row, columns - first_column] = weights
    partner = np.full(len(matrix), -1)
    of_row, of_column = linear_sum_assignment(matrix, maximize=True)
    partner[of_row] = of_column
    return np.asarray(partner[rows - first_row] == columns - first_column)


def meetings(sequence: TrackSequence, pairs: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Who meets whom in some pairs, each person with each id once.

    Args:
        sequence: Truth and what was found.
        pairs: Numbers of its pairs.

    Returns:
        `(M,)` people, `(M,)` ids, and `(K,)` which of the M meetings each pair belongs to.
    """
    people, ids = sequence.truth.ids[sequence.rows[pairs]], sequence.found.ids[sequence.columns[pairs]]
    several = max(sequence.found.people, 1)
    keys, meeting = np.unique(people * several + ids, return_inverse=True)
    return keys // several, keys % several, meeting
