"""Short tracks inside one view: which boxes of neighbouring instants are the same person, and who moves.

Tracklets are evidence, not a product: a broken one costs nothing, a wrong one little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.assignment import solve

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class TrackletSettings:
    """Linking of boxes, and their motion."""

    largest_gap: float = 4.0  # instants between two boxes of a tracklet
    gate: float = 0.8  # body heights that a prediction may be off, after one instant
    first_trust: float = 0.7  # factor, in a velocity that was seen once
    stride: int = 2  # boxes before and after, over which a speed is measured, and a walk is taken for straight
    shake: float = 0.1  # body heights off the line, from where on a box weighs half


TRACKLETS = TrackletSettings()


def link(time: FloatArray, starts: IntArray, feet: FloatArray, heads: FloatArray) -> IntArray:
    """Link the boxes of one view, instant by instant, by where foot or head and height are expected.

    A foot may be hidden at one instant and seen at the next; the head then tells who it is.

    Args:
        time: `(T,)` increasing times of the instants, neighbours about 1 apart.
        starts: `(T + 1,)` first box of every instant.
        feet: `(N, 2)` image points.
        heads: `(N, 2)` above them.

    Returns:
        `(N,)` int64 number of the tracklet of every box, from 0.

    Example:
        >>> feet = np.array([[0.0, 1], [3.0, 1], [0.1, 0.6], [3.1, 1]])  # the first foot is hidden later
        >>> link(np.arange(2.0), np.array([0, 2, 4]), feet, np.column_stack([feet[:, 0], np.zeros(4)])).tolist()
        [0, 1, 0, 1]
    """
    heights = feet[:, 1] - heads[:, 1]
    ids = np.full(len(feet), -1, dtype=np.int64)
    last = np.zeros(0, dtype=np.int64)  # the last box of every living tracklet
    velocity = np.zeros((0, 2))  # a time step
    last_time = np.zeros(0)  # when it was seen
    known = np.zeros(0, dtype=bool)  # whether it has a velocity
    count = 0
    for t, now in enumerate(time):
        alive = now - last_time <= TRACKLETS.largest_gap
        last, velocity, last_time, known = last[alive], velocity[alive], last_time[alive], known[alive]
        boxes = np.arange(starts[t], starts[t + 1])
        if len(last) and len(boxes):
            passed = now - last_time
            foot, head = (_way(points, last, boxes) - (velocity * passed[:, None])[:, None] for points in (feet, heads))
            ratio = heights[last][:, None] / heights[boxes]
            larger = np.maximum(heights[last][:, None], heights[boxes])
            cost = np.minimum(_length(foot), _length(head)) / larger / np.sqrt(passed)[:, None] + np.abs(np.log(ratio))
            row, column = solve(cost, unmatched_cost=2 * TRACKLETS.gate).matches(0).T
            good = cost[row, column] < TRACKLETS.gate
            row, column = row[good], column[good]
            box = boxes[column]
            ids[box] = ids[last[row]]
            shorter = (_length(head) < _length(foot))[row, column, None]
            fresh = velocity[row] + np.where(shorter, head[row, column], foot[row, column]) / passed[row, None]
            velocity[row] = np.where(known[row, None], (velocity[row] + fresh) / 2, TRACKLETS.first_trust * fresh)
            last[row], last_time[row], known[row] = box, now, True
        new = boxes[ids[boxes] < 0]
        ids[new] = count + np.arange(len(new))
        count += len(new)
        last, last_time = np.concatenate([last, new]), np.concatenate([last_time, np.full(len(new), now)])
        velocity = np.concatenate([velocity, np.zeros((len(new), 2))])
        known = np.concatenate([known, np.zeros(len(new), dtype=bool)])
    return ids


def _way(points: FloatArray, start: IntArray, end: IntArray) -> FloatArray:
    """`(N, M, 2)` from some points to others."""
    return np.asarray(points[end] - points[start][:, None])


def _length(vectors: FloatArray) -> FloatArray:
    return np.asarray(np.hypot(vectors[..., 0], vectors[..., 1]))


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
    before = order[np.maximum(place - TRACKLETS.stride, first)]
    after = order[np.minimum(place + TRACKLETS.stride, first + size - 1)]
    passed = time[after] - time[before]
    way = np.hypot(*(feet[after] - feet[before]).T) / np.sqrt(heights[after] * heights[before])
    result = np.full(len(order), np.nan)
    result[order] = np.where(passed > 0, way / np.where(passed > 0, passed, 1.0), np.nan)
    return result


def smoothed(time: FloatArray, tracks: IntArray, points: FloatArray, heights: FloatArray) -> FloatArray:
    """Points on the straight line through those of neighbouring boxes of the same tracklet.

    Detectors shake; people walk straight for a second. Boxes off the line (a hidden foot, a wrong link) weigh little,
    twice reweighted by the Cauchy law.

    Args:
        time: `(N,)` time of every box.
        tracks: `(N,)` its tracklet.
        points: `(N, K)` image coordinates.
        heights: `(N,)` in the same unit.

    Returns:
        `(N, K)`; as they were where a tracklet has fewer than three boxes.

    Example:
        >>> time, straight = np.arange(5.0), np.array([[0.0], [1], [2], [3], [4]])
        >>> shaken = straight + np.array([[0.0], [0], [0.1], [0], [0]])
        >>> smooth = smoothed(time, np.zeros(5, int), shaken, np.ones(5))
        >>> bool(np.abs(smooth - straight).max() < 0.05)
        True
    """
    order = np.lexsort((time, tracks))
    place = np.arange(len(order))[:, None] + np.arange(-TRACKLETS.stride, TRACKLETS.stride + 1)
    inside = (place >= 0) & (place < len(order))
    rows = order[np.where(inside, place, 0)]
    inside &= tracks[rows] == tracks[order][:, None]
    passed = np.where(inside, time[rows] - time[order][:, None], 0.0)
    values = points[rows]  # (N, 2 STRIDE + 1, K)
    weight = inside.astype(np.float64)
    line = points[order]
    for _ in range(3):
        total = weight.sum(axis=1)
        mean = (weight * passed).sum(axis=1) / total
        middle = (weight[..., None] * values).sum(axis=1) / total[:, None]
        lag = passed - mean[:, None]
        spread = (weight * lag**2).sum(axis=1)
        slope = ((weight * lag)[..., None] * values).sum(axis=1) / np.maximum(spread, 1e-12)[:, None]
        line = middle - slope * mean[:, None]
        off = values - line[:, None] - slope[:, None] * passed[..., None]
        square = (off**2).sum(axis=2) / (heights[order] * TRACKLETS.shake)[:, None] ** 2
        weight = inside / (1.0 + square)
    result = points.astype(np.float64)
    result[order] = np.where(inside.sum(axis=1)[:, None] >= 3, line, points[order])
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
