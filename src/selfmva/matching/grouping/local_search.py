"""Groups by local search from several starts, for many frames at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.matching.grouping.climb import CLIMB, Climb

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class LocalSearchSettings:
    """Starts of the local search."""

    most_orders: int = 24  # of views
    boxes_of_all_orders: int = 400  # boxes of a frame times its orders: large frames have fewer


LOCAL_SEARCH = LocalSearchSettings()


def search(log_odds: FloatArray, count: IntArray) -> IntArray:
    """Maximise the summed log-odds inside groups, one box of a view at most, by coordinate ascent over views.

    Given the groups of all other views, the best places of the boxes of one view are an assignment problem: a box may
    join any group, or stay alone. Solving it for view after view never lowers the total. When no view changes any more,
    groups without a common view whose total log-odds is positive are joined. The end depends on the order of the views,
    so the search runs from several, and the best end counts.

    Orders begin with the view that has the most to say, so that neither the order of cameras nor that of boxes matters.

    Args:
        log_odds: `(F, V, K, V, K)` symmetric, of box k of view v and box l of view w; above 0 speaks for one person.
            What lies inside a view or in the padding is not read.
        count: `(F, V)` number of boxes, at most K.

    Returns:
        `(F, V, K)` int64 number of the group of each box within its frame; -1 in the padding.

    Raises:
        InputError: A value is NaN.

    Example:
        >>> odds = np.zeros((1, 2, 2, 2, 2))
        >>> odds[0, 0, :, 1, :] = [[-3.0, 2.0], [4.0, -3.0]]
        >>> search(odds + odds.transpose(0, 3, 4, 1, 2), np.array([[2, 2]]))
        array([[[0, 1],
                [1, 0]]])
    """
    frames, views, width = log_odds.shape[:3]
    if not frames * views * width:
        return np.full((frames, views, width), -1, dtype=np.int64)
    links = _between_views(log_odds, count)
    if np.isnan(links).any():
        raise InputError("log_odds must not be NaN")
    return climb_from_all_starts(links, count, _strongest_first(links), count.sum(axis=1))


def climb_from_all_starts(links: FloatArray, count: IntArray, strongest: IntArray, boxes: IntArray) -> IntArray:
    """The best end of each frame.

    Args:
        links: `(F, V, K, V, K)`, 0 inside views and in the padding; used up.
        count: `(F, V)`, of at least one view.
        strongest: `(F, V)` the order of views to start with.
        boxes: `(F,)` by which the number of starts is chosen: by each frame alone, for what else is in the batch must
            not matter.

    Returns:
        `(F, V, K)` int64 number of the group of each box within its frame; -1 in the padding.
    """
    orders = _orders(count.shape[1])
    tries = LOCAL_SEARCH.boxes_of_all_orders // np.maximum(boxes, 1)
    tries = np.minimum(np.maximum(tries, 1), len(orders))
    frame, begin = np.repeat(np.arange(len(count)), tries), np.cumsum(tries) - tries
    order = orders[np.arange(len(frame)) - begin[frame]]
    climb = Climb(links, count, frame, np.take_along_axis(strongest[frame], order, axis=1))
    slot, total = climb.run(), climb.totals()
    highest = np.maximum.reduceat(total, begin)[frame]
    as_good = total >= highest - CLIMB.gain * (1.0 + highest)  # but for rounding
    first = np.minimum.reduceat(np.where(as_good, np.arange(len(frame)), len(frame)), begin)
    return np.asarray(slot[first])


def _between_views(log_odds: FloatArray, count: IntArray) -> FloatArray:
    """`(F, V, K, V, K)` with 0 inside views and in the padding."""
    views, width = log_odds.shape[1:3]
    real = np.arange(width) < count[:, :, None]
    links = np.where(real[:, :, :, None, None] & real[:, None, None], log_odds, 0.0)
    same = np.arange(views)
    links[:, same, :, same] = 0.0
    return links


def _strongest_first(links: FloatArray) -> IntArray:
    """`(F, V)` views by the sum of what speaks for their boxes; rounded, so that the order of boxes does not matter."""
    return np.argsort(-np.maximum(links, 0.0).sum(axis=(2, 3, 4)).round(6), axis=1, kind="stable")


@cache
def _orders(views: int) -> IntArray:
    """Orders to start from, of at least one view; the plain one first, the others as different as chance makes them."""
    rng = np.random.default_rng(0)
    plain = np.arange(views)
    if views <= 4:
        every = np.array(list(permutations(range(views))))
        return np.concatenate([every[:1], rng.permutation(every[1:])])
    return np.stack([plain, *(rng.permutation(views) for _ in range(LOCAL_SEARCH.most_orders - 1))])
