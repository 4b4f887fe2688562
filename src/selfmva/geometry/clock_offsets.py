"""How far the clocks of views are apart, in instants, from the walks that they share.

Off by a few instants, two views still show the same walks, but everyone ahead of or behind himself. For every pair
of views and every lag, whole walks vote for a turn and a shift of one floor on the other; the lag at which most walks
agree is nearly the right one. Around it the cameras are refined, since wrong cameras hide a small lag, and the boxes
that then meet decide. Last, one clock a view is chosen that all pairs together say most for.

Everywhere, view v shows at instant t what view 0 shows at instant t + offsets[v].
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.geometry.align_frames import shift_view
from selfmva.geometry.floor_cameras import moved
from selfmva.geometry.meetings import count_meetings, walking_time
from selfmva.geometry.pair_alignment import propose, search
from selfmva.geometry.refinement import refine
from selfmva.geometry.support import largest_group, null_shifts
from selfmva.geometry.tracklet_matches import blocks, matching_tracklets, thinned
from selfmva.geometry.walk_voting import vote
from selfmva.geometry.walks import WALKS, Walks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.pair_alignment import Alignment
    from selfmva.geometry.sightings import Sightings

    Pair = tuple[int, int]
    Curves = Mapping[Pair, Mapping[int, float]]


@dataclass(frozen=True)
class ClockSettings:
    """Search for the offsets of clocks."""

    walk_parts: int = 8  # lags are scanned in steps of at most this part of the time of one body height
    # Times of one body height beyond the bound: lags at which nothing can be right.
    null_walks: tuple[float, ...] = (2.0, 3.5, 5.0, 7.0)
    heard: float = 3.0  # deviations of what is found at those lags, for a pair to be heard alone
    hint: float = 2.0  # the same, for a pair to be heard beside others
    least_excess: float = 10.0  # support of a pair with refined cameras, over chance
    least_ratio: float = 2.0  # of this support to the largest at those lags
    refined_null: int = 4  # of those lags, at which cameras are refined
    few_hypotheses: int = 200  # of a pair: more cost too much to be counted at every lag
    partners: int = 4  # the strongest pairs of every view are refined
    start_gates: tuple[float, ...] = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3)  # body heights, narrowing
    gates: tuple[float, ...] = (0.6, 0.5, 0.4, 0.3)  # the same, from cameras that were refined at another lag
    refined_boxes: int = 4000  # of a view, by which cameras are refined
    measured_boxes: int = 6000  # of a view, on which support is measured
    most_matches: int = 300  # of a pair, by which cameras are refined
    least_matches: int = 8  # without which they are not
    around: int = 2  # lags to both sides that are compared


CLOCK = ClockSettings()


@dataclass(frozen=True, eq=False)
class Clock:
    """When views show what view 0 shows.

    Attributes:
        offsets: `(V,)` int64: view v shows at instant t what view 0 shows at instant t + offsets[v]; offsets[0] is 0.
        confidence: `(V,)` fraction of a view's support in [0, 1] that is lost where its clock is set 2 instants or more
            to either side; NaN where nothing speaks for a view: it then keeps the clock of most others.
    """

    offsets: IntArray
    confidence: FloatArray


def find_clock(views: Sequence[Sightings], time: IntArray, bound: int) -> Clock:
    """Find the clock of every view without a label.

    Args:
        views: What every view saw, all over the same instants.
        time: `(T,)` increasing times of these, in instants, see `count_instants`.
        bound: Largest number of instants between the clocks of any two views; time grows with it.

    Returns:
        The clock. Views whose pairs don't hold together by walks keep the clock of most others.

    Raises:
        InputError: The bound is no whole number from 0 on.
    """
    if bound < 0 or bound != int(bound):
        raise InputError(f"bound must be a whole number of instants from 0 on, got {bound!r}")
    pairs = list(combinations(range(len(views)), 2))
    if not pairs or not len(time):
        return Clock(np.zeros(len(views), np.int64), np.full(len(views), np.nan))
    walk = walking_time(views)
    shifts = null_shifts(walk, len(time))[:8]
    longest = bound + round(max(CLOCK.null_walks) * walk) + 1
    walks = [Walks.of(view).on_a_line(time, longest) for view in views]
    scans: dict[Pair, dict[int, Alignment]] = {}
    curves: dict[Pair, dict[int, float]] = {}
    for i, j in pairs:
        scans[i, j], curves[i, j] = _scan((views[i], views[j]), (walks[i], walks[j]), time, bound, walk)
    heard = {pair: curve for pair, curve in curves.items() if max(curve.values(), default=0.0) >= CLOCK.heard}
    guess = _consistent(heard, len(views))
    known = {view for pair in heard for view in pair}
    said: dict[Pair, dict[int, float]] = {}
    for i, j in _strongest({pair: curve for pair, curve in curves.items() if known.issuperset(pair)}, guess):
        lag = int(guess[j] - guess[i])
        excess, chance = _sharpen((views[i], views[j]), time, scans[i, j], lag, bound, shifts)
        if max(excess.values(), default=0.0) >= max(CLOCK.least_excess, CLOCK.least_ratio * chance):
            said[i, j] = excess
    return _judged(said, len(views))


def _scan(
    pair: tuple[Sightings, Sightings],
    walks: tuple[Walks, Walks],
    time: IntArray,
    bound: int,
    walk: int,
) -> tuple[dict[int, Alignment], dict[int, float]]:
    """The best alignments by lag, and how far those up to the bound exceed those beyond it, in deviations.

    Whole walks tell most in a crowd and cost least. Where they say nothing, and there are few, boxes are counted one
    by one: that survives boxes so loose that walks lose their shape.
    """
    first, second = pair
    stride = max(1, walk // CLOCK.walk_parts)
    total = walks[0].shape[1]
    reach = bound // stride
    lags = [stride * step for step in range(-reach, reach + 1)]
    beyond = [bound + round(step * walk) for step in CLOCK.null_walks]
    null = [sign * lag for lag in beyond if lag < total / 2 for sign in (1, -1)]
    walks_i = walks[0].every(stride)

    def voted(lag: int) -> Alignment | None:
        # The second view's own time t is t + lag by the clock of the first.
        return vote(walks_i, walks[1].shifted(lag).every(stride)).winner

    def counted(lag: int) -> Alignment | None:
        found = search(first, shift_view(second, time, lag), null_shifts(walk, len(time))[:2])
        return found[0] if found else None

    if not null:
        return {}, {}
    found, curve = _compared(voted, lags, null)
    few = 0 < len(propose(first, second)[0]) <= CLOCK.few_hypotheses
    return _compared(counted, lags, null) if few and max(curve.values(), default=0.0) < CLOCK.heard else (found, curve)


def _compared(
    at: Callable[[int], Alignment | None], lags: Sequence[int], null: Sequence[int]
) -> tuple[dict[int, Alignment], dict[int, float]]:
    """The alignments at all lags, and their consensus in deviations of that at lags where nothing can be right."""
    alignments = {lag: found for lag in (*lags, *null) if (found := at(lag)) is not None}
    chance = np.array([alignments[lag].consensus if lag in alignments else 0.0 for lag in null])
    mean = float(chance.mean())
    # Of few shifts, the deviation is a guess: not less than that of a count of walks.
    deviation = max(float(chance.std()), float(np.sqrt(WALKS.least_common * max(mean, WALKS.least_common))))
    return alignments, {lag: (alignments[lag].consensus - mean) / deviation for lag in lags if lag in alignments}


def _consistent(curves: Curves, views: int) -> IntArray:
    """`(V,)` the clocks for which all pairs together say most; views without a pair have 0.

    From the spanning tree of the strongest pairs, then clock by clock, always the one that gains most.
    """
    offsets = np.zeros(views, dtype=np.int64)
    tree = np.arange(views)
    best = {pair: max(curve, key=lambda lag: (curve[lag], -abs(lag))) for pair, curve in curves.items()}
    for i, j in sorted(curves, key=lambda pair: -curves[pair][best[pair]]):
        if tree[i] != tree[j]:
            moving = tree == tree[j]
            offsets[moving] += offsets[i] + best[i, j] - offsets[j]
            tree[moving] = tree[i]
    while True:
        gains: list[tuple[float, int, int, int]] = []
        for view in {view for pair in curves for view in pair}:
            now = _said(curves, offsets, view, 0)
            own = [(pair, 1 if view == pair[1] else -1) for pair in curves if view in pair]
            steps = {
                sign * (lag - int(offsets[pair[1]] - offsets[pair[0]])) for pair, sign in own for lag in curves[pair]
            }
            gains += [(_said(curves, offsets, view, step) - now, -abs(step), view, step) for step in steps]
        gain, _, view, step = max(gains, default=(0.0, 0, 0, 0))
        if gain <= 1e-9:
            return offsets
        offsets[view] += step


def _said(curves: Curves, offsets: IntArray, view: int, step: int) -> float:
    """How much the pairs of a view say for its clock set forward by so many instants."""
    lags = {(i, j): int(offsets[j] - offsets[i]) + step * (int(j == view) - int(i == view)) for i, j in curves}
    return sum(curve.get(lags[pair], 0.0) for pair, curve in curves.items() if view in pair)


def _strongest(curves: Curves, offsets: IntArray) -> list[Pair]:
    """The pairs that are among the strongest of one of their views."""
    said = {(i, j): curve.get(int(offsets[j] - offsets[i]), 0.0) for (i, j), curve in curves.items()}
    chosen: set[Pair] = set()
    for view in range(len(offsets)):
        own = sorted((pair for pair in said if view in pair and said[pair] >= CLOCK.hint), key=lambda pair: -said[pair])
        chosen.update(own[: CLOCK.partners])
    return sorted(chosen)


def _sharpen(
    pair: tuple[Sightings, Sightings],
    time: IntArray,
    starts: Mapping[int, Alignment],
    lag: int,
    bound: int,
    shifts: Sequence[int],
) -> tuple[dict[int, float], float]:
    """Support with refined cameras at lags around a guess, further on as long as it grows, and what chance reaches.

    At every lag the cameras start from its own alignment, and from those that were the best so far at another lag.
    Chance is the largest support that the same procedure finds beyond the bound.
    """
    first, second = pair
    few, many = (
        blocks(first, shift_view(second, time, lag), boxes) for boxes in (CLOCK.refined_boxes, CLOCK.measured_boxes)
    )
    near = [other for other in starts if abs(other) <= bound]
    found: dict[int, tuple[float, dict[int, FloatArray]]] = {}

    def settle(at: int, cameras: dict[int, FloatArray], gates: Sequence[float]) -> None:
        both = [first, shift_view(second, time, at)]
        settled = _refined(both, cameras, few, gates)
        if settled is not None:
            excess = count_meetings(both, settled, (0, 1), many, shifts).support().excess
            found[at] = max((excess, settled), found.get(at, (-np.inf, settled)), key=lambda entry: entry[0])

    def begin(at: int, start: Alignment) -> None:
        settle(at, {0: moved(first.camera, start.turn, start.shift), 1: second.camera}, CLOCK.start_gates)

    best = lag
    begun: set[int] = set()
    compared: set[int] = set()
    while best not in compared:
        compared.add(best)
        for at in (
            best + step for step in sorted(range(-CLOCK.around, CLOCK.around + 1), key=abs) if abs(best + step) <= bound
        ):
            if at not in begun:
                begun.add(at)
                begin(at, starts[min(near, key=lambda other: abs(other - at))])
            if at != best and best in found:
                settle(at, found[best][1], CLOCK.gates)
        best = max(found, key=lambda other: found[other][0], default=best)
    for at in [other for other in starts if abs(other) > bound][: CLOCK.refined_null]:
        begin(at, starts[at])
    curve = {at: excess for at, (excess, _) in found.items() if abs(at) <= bound}
    return curve, max((excess for at, (excess, _) in found.items() if abs(at) > bound), default=0.0)


def _refined(
    both: Sequence[Sightings], cameras: dict[int, FloatArray], instants: IntArray, gates: Sequence[float]
) -> dict[int, FloatArray] | None:
    """Cameras of two views, refined while the gate of the matches narrows; None where too little matches."""
    for gate in gates:
        matches = matching_tracklets(both, cameras, (0, 1), instants, gate)
        if len(matches.rows_i) < CLOCK.least_matches:
            return None
        thin = [thinned(matches, CLOCK.most_matches)]
        cameras = refine(both, cameras, thin, anchor=1, noise=max(gate / 3, 0.1), steps=5, lens=False)
    return cameras


def _judged(curves: Curves, views: int) -> Clock:
    """The clock of the largest set of views that these pairs hold together."""
    offsets = _consistent(curves, views)
    largest = largest_group(curves)
    confidence = np.full(views, np.nan)
    for view in largest:
        now = _said(curves, offsets, view, 0)
        away = [
            _said(curves, offsets, view, sign * step) for step in range(2, 2 * CLOCK.around + 1) for sign in (1, -1)
        ]
        confidence[view] = np.clip(1.0 - max(away) / now, 0.0, 1.0) if now > 0 else 0.0
    held = sorted(largest)
    usual = int(np.sort(offsets[held])[len(held) // 2]) if held else 0
    offsets[[view for view in range(views) if view not in largest]] = usual
    return Clock(offsets - offsets[:1], confidence)
