"""How far tracklets may be off when they are continued over a gap: learnt from tracklets that are cut where none is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class GapSettings:
    """What gaps are looked at, and how they are continued over; times in steps of the clock."""

    largest_gap: float = 120.0
    lags: tuple[int, ...] = (
        1,
        2,
        4,
        8,
        16,
        32,
        64,
    )  # at which tracklets are cut; between them, errors are interpolated
    window: float = 12.0  # of an end, over which its velocity is measured: detectors shake
    shake: float = 0.05  # body heights that a box may be off where nothing was learnt
    wander: float = 0.05  # body heights a step, likewise: 1.5 a second at 30
    least_cuts: int = 10  # at a lag, from which on it is learnt
    most_cuts: int = 10  # of one tracklet at one lag
    most_tracklets: int = 100  # that are cut: many more teach nothing new
    most_rounds: int = 10  # of linking: longer tracklets are continued better; it ends where nothing is joined


GAPS = GapSettings()


@dataclass(frozen=True, eq=False)
class Ends:
    """Ends of tracklets: where they are, and how they move on; in the direction of time that they are given in."""

    time: FloatArray  # (M,)
    place: FloatArray  # (M, 3) x and y of the centre, logarithm of the height
    velocity: FloatArray  # (M, 3)

    @property
    def height(self) -> FloatArray:
        """`(M,)` in pixels."""
        return np.asarray(np.exp(self.place[:, 2]))

    def rows(self, chosen: IntArray) -> Ends:
        """Some of them."""
        return Ends(*(values[chosen] for values in vars(self).values()))


def _end(time: FloatArray, place: FloatArray, last: bool) -> tuple[float, FloatArray, FloatArray]:
    """Time, place and velocity of one end of a tracklet: of a line through its boxes there."""
    edge = time[-1] if last else time[0]
    near = np.abs(time - edge) <= GAPS.window
    lag, values = time[near] - edge, place[near]
    if len(lag) < 3:
        return float(edge), values[-1 if last else 0], np.zeros(3)
    middle = lag.mean()
    # A slope is trusted as far as it can be told from the shake of boxes.
    spread = ((lag - middle) ** 2).sum()
    slope = ((lag - middle)[:, None] * (values - values.mean(axis=0))).sum(axis=0) / (spread + 2.0)
    slope[2] = 0.0
    return float(edge), values.mean(axis=0) - slope * middle, slope


def find_ends(times: Sequence[FloatArray], places: Sequence[FloatArray], last: bool) -> Ends:
    """The last ends of tracklets, or their first ones; see `learn_gaps`."""
    parts = [_end(time, place, last) for time, place in zip(times, places, strict=True)]
    place = np.array([part[1] for part in parts]).reshape(-1, 3)
    velocity = np.array([part[2] for part in parts]).reshape(-1, 3)
    return Ends(np.array([part[0] for part in parts]), place, velocity)


def evenly(count: int, most: int) -> IntArray:
    """Numbers below `count`, at most so many, evenly spread."""
    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(np.int64)


def continuation_errors(ends: Ends, starts: Ends) -> FloatArray:
    """`(M, 3)` how far ends and starts, one by one, are off each other when both are continued to the middle."""
    gap = (starts.time - ends.time)[:, None]
    off = starts.place - ends.place - gap * (starts.velocity + ends.velocity) / 2
    scale = np.sqrt(ends.height * starts.height)[:, None]
    return np.column_stack([off[:, :2] / scale, off[:, 2]])


@dataclass(frozen=True, eq=False)
class GapLaw:
    """How far continued tracklets are off.

    Attributes:
        lags: `(L,)` steps of the clock.
        same: `(L, 3)` scale of the errors over a gap of that length, of one person: x, y in heights, logarithm of the
            height.
        chance: `(3,)` standard deviation of the errors between different people.
    """

    lags: FloatArray
    same: FloatArray
    chance: FloatArray

    def scales(self, gaps: FloatArray) -> FloatArray:
        """`(M, 3)` scales of one person's errors over gaps of some lengths; beyond the last lag they grow with it."""
        inside = np.clip(gaps, self.lags[0], self.lags[-1])
        values = [np.exp(np.interp(np.log(inside), np.log(self.lags), np.log(own))) for own in self.same.T]
        return np.asarray(np.column_stack(values) * np.maximum(gaps / self.lags[-1], 1.0)[:, None])

    def log_odds(self, errors: FloatArray, gaps: FloatArray) -> FloatArray:
        """`(M,)` log-odds of one person against chance, of errors `(M, 3)` over `(M,)` gaps."""
        scales = self.scales(gaps)
        # Student's density with three degrees of freedom, since errors have far ones, against the normal one; which
        # falls no more beyond its scale, so that nothing far speaks for one person.
        same = np.log(2 / (np.pi * np.sqrt(3))) - 2 * np.log1p((errors / scales) ** 2 / 3) - np.log(scales)
        other = -0.5 * np.log(2 * np.pi) - np.log(self.chance) - 0.5 * np.minimum((errors / self.chance) ** 2, 1.0)
        return np.asarray((same - other).sum(axis=1))


def learn_gaps(times: Sequence[FloatArray], places: Sequence[FloatArray]) -> GapLaw:
    """Learn how far tracklets are off when they are continued over gaps, from tracklets without gaps.

    Args:
        times: For each tracklet its `(K,)` times in steps of the clock, increasing.
        places: For each `(K, 3)` x and y of the centre in pixels, logarithm of the height.

    Example:
        >>> walk = np.column_stack([np.arange(40.0), np.zeros(40), np.full(40, np.log(50.0))])
        >>> law = learn_gaps([np.arange(40.0)] * 2, [walk, walk + [200, 0, 0]])
        >>> near, far = law.log_odds(np.array([[0.0, 0, 0], [4.0, 0, 0]]), np.array([8.0, 8.0]))
        >>> bool(near > 0 > far)
        True
    """
    lags = np.array(GAPS.lags, dtype=np.float64)
    same = np.zeros((len(lags), 3))
    floor = np.full(3, GAPS.shake)
    for number, lag in enumerate(lags):
        errors = _errors_of_cuts(times, places, float(lag))
        if len(errors) >= GAPS.least_cuts:
            same[number] = np.median(np.abs(errors), axis=0) / 0.765  # the median of |t| with three degrees of freedom
        elif number:
            same[number] = same[number - 1] * lag / lags[number - 1]
        else:
            same[number] = floor + GAPS.wander * lag
    same = np.maximum(np.maximum.accumulate(same, axis=0), floor / 2)
    known = evenly(len(times), GAPS.most_tracklets)
    starts = find_ends([times[number] for number in known], [places[number] for number in known], last=False)
    rows, columns = np.triu_indices(len(starts.time), 1)
    scale = np.sqrt(starts.height[rows] * starts.height[columns])[:, None]
    off = starts.place[rows] - starts.place[columns]
    off = np.column_stack([off[:, :2] / scale, off[:, 2]])
    chance = np.sqrt((off**2).mean(axis=0)) if len(off) else np.array([3.0, 1.0, 0.3])
    return GapLaw(lags, same, np.maximum(chance, 4 * floor))


def _errors_of_cuts(times: Sequence[FloatArray], places: Sequence[FloatArray], lag: float) -> FloatArray:
    """`(M, 3)` errors over gaps of one length that are cut into tracklets."""
    ends: list[tuple[float, FloatArray, FloatArray]] = []
    starts: list[tuple[float, FloatArray, FloatArray]] = []
    for number in evenly(len(times), GAPS.most_tracklets):
        time, place = times[number], places[number]
        first = time[(time >= time[0] + 2) & (time + lag <= time[-1] - 2)]
        if len(first) > GAPS.most_cuts:
            first = first[evenly(len(first), GAPS.most_cuts)]
        for cut in first:
            before, after = time <= cut, time >= cut + lag
            if after.sum() and time[after][0] - cut == lag:
                ends.append(_end(time[before], place[before], last=True))
                starts.append(_end(time[after], place[after], last=False))
    if not ends:
        return np.zeros((0, 3))
    both = [Ends(*(np.array(values) for values in zip(*parts, strict=True))) for parts in (ends, starts)]
    return continuation_errors(*both)
