"""Short tracks inside one view: which boxes of neighbouring instants are the same person, and who moves.

Tracklets are evidence, not a product: a broken one costs nothing, a wrong one little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from selfmva.types import FloatArray, IntArray

LARGEST_GAP = 2.0  # instants without a box that a tracklet survives
GATE = 1.0  # body heights a prediction may be off, after one instant
FIRST_TRUST = 0.7  # in a velocity that was seen once
STRIDE = 2  # boxes before and after, over which a speed is measured


def link(time: FloatArray, starts: IntArray, feet: FloatArray, heights: FloatArray) -> IntArray:
    """Link the boxes of one view, instant by instant, by predicted foot and height.

    Args:
        time: `(T,)` increasing times of the instants, neighbours about 1 apart.
        starts: `(T + 1,)` first box of every instant.
        feet: `(N, 2)` image points.
        heights: `(N,)` in the same unit.

    Returns:
        `(N,)` int64 number of the tracklet of every box, from 0.

    Example:
        >>> feet = np.array([[0.0, 0], [1.0, 0], [0.1, 0], [1.1, 0]])
        >>> link(np.arange(2.0), np.array([0, 2, 4]), feet, np.ones(4)).tolist()
        [0, 1, 0, 1]
    """
    ids = np.full(len(feet), -1, dtype=np.int64)
    last = np.zeros(0, dtype=np.int64)  # the last box of every living tracklet
    velocity = np.zeros((0, 2))  # a time step
    seen = np.zeros(0)  # when
    known = np.zeros(0, dtype=bool)  # whether it has a velocity
    count = 0
    for t, now in enumerate(time):
        alive = now - seen <= LARGEST_GAP
        last, velocity, seen, known = last[alive], velocity[alive], seen[alive], known[alive]
        boxes = np.arange(starts[t], starts[t + 1])
        if len(last) and len(boxes):
            passed = (now - seen)[:, None]
            ahead = (feet[last] + velocity * passed)[:, None] - feet[boxes]
            smaller = np.minimum(heights[last][:, None], heights[boxes])
            cost = np.hypot(ahead[..., 0], ahead[..., 1]) / smaller / np.sqrt(passed)
            cost += np.abs(np.log(heights[last][:, None] / heights[boxes]))
            row, column = linear_sum_assignment(np.minimum(cost, 2 * GATE))
            good = cost[row, column] < GATE
            row, box = row[good], boxes[column[good]]
            ids[box] = ids[last[row]]
            fresh = (feet[box] - feet[last[row]]) / passed[row]
            velocity[row] = np.where(known[row, None], (velocity[row] + fresh) / 2, FIRST_TRUST * fresh)
            last[row], seen[row], known[row] = box, now, True
        new = boxes[ids[boxes] < 0]
        ids[new] = count + np.arange(len(new))
        count += len(new)
        last, seen = np.concatenate([last, new]), np.concatenate([seen, np.full(len(new), now)])
        velocity = np.concatenate([velocity, np.zeros((len(new), 2))])
        known = np.concatenate([known, np.zeros(len(new), dtype=bool)])
    return ids


def speeds(time: FloatArray, tracks: IntArray, feet: FloatArray, heights: FloatArray) -> FloatArray:
    """How fast every box moves along its tracklet.

    Args:
        time: `(N,)` time of every box.
        tracks: `(N,)` its tracklet.
        feet: `(N, 2)` image points.
        heights: `(N,)` in the same unit.

    Returns:
        `(N,)` body heights a time step, over up to two boxes before and after; NaN where a box is alone.

    Example:
        >>> feet = np.array([[0.0, 0], [0.5, 0], [9.0, 9]])
        >>> speeds(np.array([0.0, 1, 1]), np.array([0, 0, 1]), feet, np.ones(3)).tolist()
        [0.5, 0.5, nan]
    """
    order = np.lexsort((time, tracks))
    _, first, size = np.unique(tracks[order], return_index=True, return_counts=True)
    first, size = np.repeat(first, size), np.repeat(size, size)
    place = np.arange(len(order))
    before = order[np.maximum(place - STRIDE, first)]
    after = order[np.minimum(place + STRIDE, first + size - 1)]
    passed = time[after] - time[before]
    way = np.hypot(*(feet[after] - feet[before]).T) / np.sqrt(heights[after] * heights[before])
    result = np.full(len(order), np.nan)
    result[order] = np.where(passed > 0, way / np.where(passed > 0, passed, 1.0), np.nan)
    return result


def spreads(tracks: IntArray, feet: FloatArray, heights: FloatArray) -> FloatArray:
    """`(N,)` how far the tracklet of every box strays from its middle, root mean square, in body heights.

    Example:
        >>> spreads(np.array([0, 0, 1]), np.array([[0.0, 0], [2.0, 0], [5.0, 5]]), np.ones(3)).tolist()
        [1.0, 1.0, 0.0]
    """
    size = np.maximum(np.bincount(tracks), 1)
    middle = np.stack([np.bincount(tracks, feet[:, k]) / size for k in (0, 1)], axis=1)
    away = ((feet - middle[tracks]) ** 2).sum(axis=1) / heights**2
    return np.asarray(np.sqrt(np.bincount(tracks, away) / size)[tracks])
