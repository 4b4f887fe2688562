"""Link the boxes of one view instant by instant: those with high scores first, then those with low ones.

The order of matching of ByteTrack (Zhang et al., ECCV 2022), with the constants that BoT-SORT and the winner of the AI
City Challenge 2023 publish. Without camera motion, without appearance, and every box that starts a track is its first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.assignment import solve
from selfmva.tracking.box_motion import begin_motion
from selfmva.tracking.overlaps import intersection_over_union

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.tracking.box_motion import BoxMotion


@dataclass(frozen=True)
class CascadeSettings:
    """When a box joins a track. Costs are 1 - intersection over union with where the track is expected."""

    high_score: float = 0.6  # from which on a box is matched first
    low_score: float = 0.1  # below which it is left out
    new_score: float = 0.7  # from which on it may start a track
    first_cost: float = 0.8  # largest, of boxes with high scores
    second_cost: float = 0.5  # of boxes with low scores, to tracks that were seen at the instant before
    tentative_cost: float = 0.7  # of tracks that were seen once
    buffer: float = 30.0  # steps of the clock after which a track that is not seen ends


CASCADE = CascadeSettings()


def link_by_cascade(
    instants: IntArray, boxes: FloatArray, scores: FloatArray, settings: CascadeSettings = CASCADE
) -> IntArray:
    """Link the boxes of one view.

    Args:
        instants: `(N,)` in any order.
        boxes: `(N, 4)` xyxy in pixels.
        scores: `(N,)` in [0, 1].
        settings: When a box joins a track.

    Returns:
        `(N,)` int64 number of the track of every box, -1 where it belongs to none.

    Example:
        >>> boxes = np.array([[0.0, 0, 10, 20], [50, 0, 60, 20], [51, 0, 61, 20], [1, 0, 11, 20]])
        >>> link_by_cascade(np.array([0, 0, 1, 1]), boxes, np.array([0.9, 0.9, 0.3, 0.9])).tolist()
        [0, 1, -1, 0]
    """
    ids = np.full(len(instants), -1, dtype=np.int64)
    if not len(ids):
        return ids
    times, starts = np.unique(np.sort(instants), return_index=True)
    order = np.lexsort((np.arange(len(instants)), instants))
    step = float(np.diff(times).min()) if len(times) > 1 else 1.0
    tracks = _Tracks(begin_motion(np.zeros((0, 4))))
    for now, rows in zip(times, np.split(order, starts[1:]), strict=True):
        tracks.advance(now / step, settings)
        _match(tracks, rows, boxes, scores, ids, settings)
    return ids


class _Tracks:
    """Living tracks: their motion, numbers, and when and how often they were seen."""

    def __init__(self, motion: BoxMotion) -> None:
        self.motion = motion
        self.numbers = np.zeros(0, dtype=np.int64)
        self.seen = np.zeros(0)  # when, last
        self.times = np.zeros(0, dtype=np.int64)  # how often
        self.fresh = np.zeros(0, dtype=bool)  # seen at the instant before
        self.now = 0.0
        self.count = 0

    def advance(self, now: float, settings: CascadeSettings) -> None:
        """Go on to an instant; tracks that were not seen for long, and those that were seen once and missed, end."""
        missed = self.seen < self.now
        kept = np.flatnonzero(~(missed & (self.times < 2)) & (now - self.seen <= settings.buffer))
        steps = np.full(len(kept), now - self.now)
        self.motion = self.motion.rows(kept)
        # Whose size is not seen changes it no more.
        self.motion.velocity[missed[kept], 2:] = 0.0
        self.motion = self.motion.predicted(steps)
        self.numbers, self.seen, self.times = self.numbers[kept], self.seen[kept], self.times[kept]
        self.fresh = ~missed[kept]
        self.now = now

    def update(self, tracks: IntArray, boxes: FloatArray) -> None:
        after = self.motion.rows(tracks).updated(boxes)
        for name, values in vars(self.motion).items():
            values[tracks] = getattr(after, name)
        self.seen[tracks] = self.now
        self.times[tracks] += 1

    def start(self, boxes: FloatArray) -> IntArray:
        new = self.count + np.arange(len(boxes))
        self.count += len(boxes)
        self.motion = self.motion.joined(begin_motion(boxes))
        self.numbers = np.concatenate([self.numbers, new])
        self.seen = np.concatenate([self.seen, np.full(len(new), self.now)])
        self.times = np.concatenate([self.times, np.ones(len(new), dtype=np.int64)])
        return new


def _match(
    tracks: _Tracks, rows: IntArray, boxes: FloatArray, scores: FloatArray, ids: IntArray, settings: CascadeSettings
) -> None:
    """One instant: three matchings, then the tracks that start."""
    high = rows[scores[rows] >= settings.high_score]
    low = rows[(scores[rows] < settings.high_score) & (scores[rows] >= settings.low_score)]
    expected = tracks.motion.boxes
    tentative = tracks.times < 2
    stages = (
        (~tentative, high, settings.first_cost),
        (~tentative & tracks.fresh, low, settings.second_cost),
        (tentative, high, settings.tentative_cost),
    )
    free = np.ones(len(expected), dtype=bool)
    for eligible, candidates, most in stages:
        chosen = np.flatnonzero(eligible & free)
        left = candidates[ids[candidates] < 0]
        if not (len(chosen) and len(left)):
            continue
        cost = 1.0 - intersection_over_union(expected[chosen], boxes[left])
        row, column = solve(np.where(cost <= most, cost, np.inf), unmatched_cost=most + 1e-9).matches(0).T
        ids[left[column]] = tracks.numbers[chosen[row]]
        tracks.update(chosen[row], boxes[left[column]])
        free[chosen[row]] = False
    new = high[(ids[high] < 0) & (scores[high] >= settings.new_score)]
    ids[new] = tracks.start(boxes[new])
