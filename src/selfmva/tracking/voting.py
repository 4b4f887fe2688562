"""Constrained voting: what the boxes of a track say over a window decides, and no answer is given twice in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.assignment import solve

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

# Numbers in one batch of assignment problems: 64 MB.
MOST_NUMBERS = 8_000_000


def window_sums(instants: IntArray, tracks: IntArray, values: FloatArray, window: int) -> FloatArray:
    """Sums over the boxes of the same track within a window of instants around each box.

    Args:
        instants: `(N,)`.
        tracks: `(N,)`, a number a track; what is below 0 is alone.
        values: `(N, K)` finite.
        window: Instants; of an even number, one fewer.

    Returns:
        `(N, K)`.

    Example:
        >>> window_sums(np.array([0, 1, 2, 9]), np.zeros(4, int), np.eye(4), 3).sum(axis=1).tolist()
        [2.0, 3.0, 2.0, 1.0]
    """
    alone = tracks < 0
    groups = np.where(alone, tracks.max(initial=0) + 1 + np.arange(len(tracks)), tracks)
    order = np.lexsort((instants, groups))
    # Rows in the order of tracks and instants have increasing places; no number grows with the clock.
    times, moment = np.unique(instants[order], return_inverse=True)
    begin = np.unique(groups[order], return_inverse=True)[1] * (len(times) + 1)
    half = (window - 1) // 2
    first = np.searchsorted(times, instants[order] - half)
    after = np.searchsorted(times, instants[order] + half, side="right")
    low, high = np.searchsorted(begin + moment, begin + first), np.searchsorted(begin + moment, begin + after)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values[order], axis=0)])
    result = np.empty_like(values, dtype=np.float64)
    result[order] = sums[high] - sums[low]
    return result


def assign_in_images(instants: IntArray, views: IntArray, votes: FloatArray, least: float = 0.0) -> IntArray:
    """Give each box one of K answers, those of an image different ones, so that the votes are most in total.

    Args:
        instants: `(N,)`.
        views: `(N,)`.
        votes: `(N, K)`, -inf where an answer is out of the question.
        least: Votes that an answer needs more than.

    Returns:
        `(N,)` int64 the answer of each box, -1 where none is left for it.

    Example:
        >>> assign_in_images(np.zeros(2, int), np.zeros(2, int), np.array([[5.0, 4.0], [5.0, 1.0]])).tolist()
        [1, 0]
    """
    N, K = votes.shape
    answers = np.full(N, -1, dtype=np.int64)
    if not N or not K:
        return answers
    order = np.lexsort((np.arange(N), instants, views))
    keys = np.stack([views[order], instants[order]], axis=1)
    first = np.flatnonzero(np.r_[True, (np.diff(keys, axis=0) != 0).any(axis=1)])
    sizes = np.diff(np.append(first, N))
    by_size = np.argsort(sizes, kind="stable")  # images alike fill a batch without padding
    chunk = max(1, MOST_NUMBERS // (int(sizes.max()) * K))
    for part in np.split(by_size, np.arange(chunk, len(by_size), chunk)):
        most = int(sizes[part].max())
        place = np.minimum(first[part][:, None] + np.arange(most), N - 1)
        rows = order[place]
        costs = np.where(votes[rows] > least, -votes[rows], np.inf)
        found = solve(costs, rows=sizes[part], unmatched_cost=-least if least else 0.0).columns
        inside = np.arange(most) < sizes[part][:, None]
        answers[rows[inside]] = found[inside]
    return answers


def majority_ids(instants: IntArray, views: IntArray, ids: IntArray, tracks: IntArray, window: int) -> IntArray:
    """The id that most boxes of a track have within a window around each box, no id twice in an image.

    Args:
        instants: `(N,)`.
        views: `(N,)`.
        ids: `(N,)` below 0 = nobody, who has no vote.
        tracks: `(N,)` what belongs together inside a view; a number may stand in several views.
        window: Instants.

    Returns:
        `(N,)` int64; -1 where every id of the window belongs to another box of the image.

    Example:
        >>> zeros = np.zeros(5, int)
        >>> majority_ids(np.arange(5), zeros, np.array([3, 3, 8, 3, 3]), zeros, 5).tolist()
        [3, 3, 3, 3, 3]
    """
    known = np.unique(ids[ids >= 0])
    if not len(known):
        return np.full(len(ids), -1, dtype=np.int64)
    own = np.where(tracks < 0, -1, np.unique(np.stack([views, tracks], axis=1), axis=0, return_inverse=True)[1].ravel())
    votes = window_sums(instants, own, (ids[:, None] == known).astype(np.float64), window)
    # Among equal votes, a box keeps what it had.
    votes += 0.5 * (ids[:, None] == known) * (votes > 0)
    answers = assign_in_images(instants, views, votes)
    return np.where(answers < 0, -1, known[answers])
