"""How far the clocks of views are apart, in instants, from the walks that they share.

Off by a few instants, two views still show the same walks, but everyone ahead of or behind himself. For every pair
of views and every lag, whole walks vote for a turn and a shift of one floor on the other; the lag at which most walks
agree is nearly the right one. Around it the cameras are refined, since wrong cameras hide a small lag, and the boxes
that then meet decide. Last, one clock a view is chosen that all pairs together say most for.

Everywhere, view v shows at instant t what view 0 shows at instant t + offsets[v].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.geometry.alignment import (
    LARGEST_RESIDUAL,
    LARGEST_SCALE,
    LEAST_COMMON,
    LEAST_SPREAD,
    _walks,
)
from selfmva.geometry.cameras import moved
from selfmva.geometry.floor import measure_support, null_shifts, walking_time
from selfmva.geometry.refinement import blocks, matching_tracklets, refine, thinned
from selfmva.types import Frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.geometry.floor import Support
    from selfmva.geometry.sightings import Sightings
    from selfmva.types import FloatArray, IntArray

    Pair = tuple[int, int]
    Curves = Mapping[Pair, Mapping[int, float]]

WALK_PARTS = 8  # lags are scanned in steps of at most this part of the time of one body height
NULL_WALKS = (2.0, 3.5, 5.0, 7.0)  # times of one body height beyond the bound: lags at which nothing can be right
LEAST_DEVIATIONS = 4.0  # of the votes at those lags, for a pair to be refined
SHAPE_NOISE = 0.35  # body heights between two walks laid on each other, beside a common offset
OFFSET_NOISE = 0.7  # body heights of that offset: cameras are not refined yet
LONG = 25  # instants; more make a common walk no better
HYPOTHESES, VOTERS = 300, 2000  # of a pair at one lag
PARTNERS = 3  # the strongest pairs of every view are refined
STARTS = 3
START_GATES, GATES = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3), (0.6, 0.5, 0.4, 0.3)  # body heights
BOXES, MATCHES, LEAST_MATCHES = 2000, 300, 8
AROUND = 2  # lags to both sides that are compared


@dataclass(frozen=True, eq=False)
class Clock:
    """When views show what view 0 shows.

    Attributes:
        offsets: `(V,)` int64: view v shows at instant t what view 0 shows at instant t + offsets[v]; offsets[0] is 0.
        confidence: `(V,)` share of a view's support in [0, 1] that is lost where its clock is set 2 instants or more
            to either side; NaN where nothing speaks for a view: it then keeps the clock of most others.
    """

    offsets: IntArray
    confidence: FloatArray


@dataclass(frozen=True)
class _Vote:
    """The turn and shift that most walks of two views agree on at one lag, and how much."""

    turn: complex
    shift: complex
    score: float


def count_instants(frames: Sequence[Frame]) -> IntArray:
    """Times of frames in instants, from 0: `Frame.index` over the largest step that divides all differences.

    Args:
        frames: In the order of time.

    Returns:
        `(T,)` int64, increasing.

    Raises:
        InputError: Frames are not in the order of time, each instant once.

    Example:
        >>> count_instants([Frame([[]], index) for index in (10, 15, 30)]).tolist()
        [0, 1, 4]
    """
    index = np.array([frame.index for frame in frames], dtype=np.int64)
    steps = np.diff(index)
    if (steps <= 0).any():
        late = int(np.argmax(steps <= 0))
        raise InputError(
            f"frames must be in the order of time, each instant once: instant {index[late + 1]} follows "
            f"{index[late]}; number them with Frame(boxes, index=t)"
        )
    return np.asarray((index - index[:1]) // max(_step(index), 1), dtype=np.int64)


def align_frames(frames: Sequence[Frame], offsets: Sequence[int] | IntArray) -> list[Frame]:
    """Show all views by the clock of view 0; scores and track ids go with their boxes.

    Args:
        frames: In the order of time; an instant without a frame is one at which nobody is seen.
        offsets: `(V,)` whole numbers of instants, see `Clock`; only their differences matter for who is together.

    Returns:
        Frames that carry the instants of view 0, without the ends at which some view has no recording.

    Raises:
        InputError: There is not one offset a view, or frames are not in the order of time.

    Example:
        >>> late = [Frame([[[t, 0, t + 1, 9]], [[t + 2, 0, t + 3, 9]]], t) for t in range(4)]  # view 1 is 2 ahead
        >>> [(frame.index, *(boxes[0, 0] for boxes in frame.boxes)) for frame in align_frames(late, [0, 2])]
        [(2, 2.0, 2.0), (3, 3.0, 3.0)]
    """
    count_instants(frames)
    wrong = next((frame for frame in frames if len(frame) != len(offsets)), None)
    if wrong is not None:
        raise InputError(
            f"instant {wrong.index} has {len(wrong)} views, but there are {len(offsets)} offsets; give one a view"
        )
    if not frames:
        return []
    seen = {frame.index: frame for frame in frames}
    step = _step(np.array(list(seen), dtype=np.int64))
    delays = [int(offset) * step for offset in offsets]
    first, last = frames[0].index + max(delays), frames[-1].index + min(delays)
    instants = sorted({index + delay for index in seen for delay in delays if first <= index + delay <= last})
    return [_gathered([seen.get(t - delay) for delay in delays], t) for t in instants]


def shift_sightings(views: Sequence[Sightings], time: IntArray, offsets: Sequence[int] | IntArray) -> list[Sightings]:
    """What views saw, by the clock of view 0; boxes that fall on an instant without a frame are dropped.

    Args:
        views: All over the same instants.
        time: `(T,)` increasing times of these, in instants, see `count_instants`.
        offsets: `(V,)`, see `Clock`.

    Returns:
        New sightings over the same instants.
    """
    return [_shifted(view, time, int(offset)) for view, offset in zip(views, offsets, strict=True)]


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
    if isinstance(bound, bool) or not isinstance(bound, int | np.integer) or bound < 0:
        raise InputError(f"bound must be a whole number of instants from 0 on, got {bound!r}")
    pairs = list(combinations(range(len(views)), 2))
    if not pairs:
        return Clock(np.zeros(len(views), np.int64), np.full(len(views), np.nan))
    walk = walking_time(views)
    scans, curves = {}, {}
    walks = [_on_a_line(view, time, int(bound + 2 * max(NULL_WALKS) * walk)) for view in views]
    for i, j in pairs:
        scans[i, j], curves[i, j] = _scan(walks[i], walks[j], int(bound), walk)
    heard = {pair: curve for pair, curve in curves.items() if max(curve.values(), default=0.0) >= LEAST_DEVIATIONS}
    guess = _consistent(heard, len(views))
    shifts = null_shifts(walk, len(time))[:8]
    supports = {}
    for i, j in _strongest(heard, guess):
        lag = int(guess[j] - guess[i])
        supports[i, j] = _sharpen((views[i], views[j]), time, scans[i, j], lag, int(bound), shifts)
    trusted = {
        pair: {lag: support.excess for lag, support in found.items()}
        for pair, found in supports.items()
        if any(support.trusted for support in found.values())
    }
    return _judged(trusted, len(views))


def _step(index: IntArray) -> int:
    return max(int(np.gcd.reduce(np.diff(index))), 1) if len(index) > 1 else 1


def _gathered(cells: Sequence[Frame | None], index: int) -> Frame:
    """One frame of what every view shows at an instant of its own; None where nobody is seen."""

    def column(name: str) -> list[np.ndarray] | None:
        values = [cell and getattr(cell, name) for cell in cells]
        if any(cell is not None and value is None for cell, value in zip(cells, values, strict=True)):
            return None
        return [np.zeros(0) if value is None else value[view] for view, value in enumerate(values)]

    boxes = [np.zeros((0, 4)) if cell is None else cell.boxes[view] for view, cell in enumerate(cells)]
    return Frame(boxes, index, column("scores"), column("track_ids"))


def _shifted(view: Sightings, time: IntArray, offset: int) -> Sightings:
    now = time[view.instant] + offset
    instant = np.minimum(np.searchsorted(time, now), len(time) - 1)
    kept = time[instant] == now
    per_box = {
        name: getattr(view, name)[kept]
        for name in (
            "feet",
            "heads",
            "heights",
            "foot_inside",
            "whole",
            "tracks",
            "speed",
            "moving",
            "usable",
            "places",
        )
    }
    starts = np.searchsorted(instant[kept], np.arange(len(time) + 1))
    return replace(view, instant=instant[kept], starts=starts, **per_box)


def _on_a_line(view: Sightings, time: IntArray, longest: int) -> tuple[np.ndarray, FloatArray]:
    """Walks `(K, D)` over time without gaps, so that a lag is a roll; gaps longer than any lag are shortened."""
    place, there = _walks(view)
    column = np.concatenate([[0], np.cumsum(np.minimum(np.diff(time), longest))])
    size = (len(place), int(column[-1]) + 1)
    places, present = np.zeros(size, complex), np.zeros(size)
    places[:, column], present[:, column] = place, there
    return places, present


def _scan(
    first: tuple[np.ndarray, FloatArray], second: tuple[np.ndarray, FloatArray], bound: int, walk: int
) -> tuple[dict[int, _Vote], dict[int, float]]:
    """Votes by lag up to the bound, and how far they exceed those beyond it, in standard deviations."""
    stride = max(1, walk // WALK_PARTS)
    total = first[0].shape[1]
    reach = bound // stride
    lags = [stride * step for step in range(-reach, reach + 1)]
    beyond = [bound + round(step * walk) for step in NULL_WALKS]
    null = [sign * lag for lag in beyond if lag < total / 2 for sign in (1, -1)]
    kept = (first[0][:, ::stride], first[1][:, ::stride])

    def at(lag: int) -> _Vote | None:
        # The second view's own time t is t + lag by the clock of the first.
        place, there = (np.roll(values, lag, axis=1)[:, ::stride] for values in second)
        return _vote(*kept, place, there)

    votes = {lag: vote for lag in lags if (vote := at(lag)) is not None}
    if not votes or not null:
        return {}, {}
    chance = [vote.score if (vote := at(lag)) is not None else 0.0 for lag in null]
    deviation = max(float(np.std(chance)), np.sqrt(LEAST_COMMON * max(np.mean(chance), LEAST_COMMON)))
    return votes, {lag: (vote.score - float(np.mean(chance))) / deviation for lag, vote in votes.items()}


def _vote(place_i: np.ndarray, there_i: FloatArray, place_j: np.ndarray, there_j: FloatArray) -> _Vote | None:
    """The turn and shift that most pairs of walks agree on.

    A pair of walks with n common instants, scatter r around a common offset m, says n exp(-(r^2 / SHAPE_NOISE^2 +
    m^2 / OFFSET_NOISE^2) / 2) for a hypothesis; of all pairs of one walk, the best counts. All hypotheses and pairs
    at once: the exponent is a sum of products of what the hypothesis says and what the pair says.
    """
    common = there_i @ there_j.T
    i, j = np.nonzero(common >= LEAST_COMMON)
    if not len(i):
        return None
    n = common[i, j]
    mean_i, mean_j = (place_i @ there_j.T)[i, j] / n, (there_i @ place_j.T)[i, j] / n
    spread_i = np.maximum((np.abs(place_i) ** 2 @ there_j.T)[i, j] / n - np.abs(mean_i) ** 2, 1e-12)
    spread_j = np.maximum((there_i @ np.abs(place_j.T) ** 2)[i, j] / n - np.abs(mean_j) ** 2, 1e-12)
    covariance = (np.conj(place_i) @ place_j.T)[i, j] / n - np.conj(mean_i) * mean_j
    residual = np.sqrt(np.maximum(spread_j - np.abs(covariance) ** 2 / spread_i, 0.0))
    way = np.sqrt(2.0 * np.minimum(spread_i, spread_j))
    good = (way > LEAST_SPREAD) & (np.abs(np.log(spread_j / spread_i)) < 2.0 * np.log(LARGEST_SCALE))
    good &= (residual < np.minimum(LARGEST_RESIDUAL, 0.5 * np.sqrt(spread_j))) & (np.abs(covariance) > 0)
    worth = np.minimum(n, LONG) * np.minimum(way, 4.0) / (0.15 + residual)
    best = np.flatnonzero(good)
    best = best[np.argsort(-worth[best], kind="stable")[:VOTERS]]
    if not len(best):
        return None
    i, j, n, mean_i, mean_j, covariance = (values[best] for values in (i, j, n, mean_i, mean_j, covariance))
    turn = (covariance / np.abs(covariance))[:HYPOTHESES]
    shift = mean_j[:HYPOTHESES] - turn * mean_i[:HYPOTHESES]
    shape, offset = 0.5 / SHAPE_NOISE**2, 0.5 / OFFSET_NOISE**2
    # |z|^2 of the common offset z = mean_j - turn mean_i - shift, multiplied out, beside the scatter.
    fixed = shape * (spread_i + spread_j)[best] + offset * (np.abs(mean_i) ** 2 + np.abs(mean_j) ** 2)
    turned = -2.0 * (shape * covariance + offset * np.conj(mean_i) * mean_j)
    says = np.stack([fixed, np.ones(len(best)), *_parts(turned), *_parts(mean_j), *_parts(mean_i)])
    asks = np.stack(
        [
            np.ones(len(turn)),
            offset * np.abs(shift) ** 2,
            *_parts(turn),
            *_parts(-2.0 * offset * shift),
            *_parts(2.0 * offset * np.conj(turn) * shift),
        ],
        axis=1,
    )
    scores = np.exp(-np.maximum(asks @ says, 0.0).astype(np.float32)) * np.minimum(n, LONG).astype(np.float32)
    total = np.minimum(_best_of_each(scores, i), _best_of_each(scores, j))
    winner = int(np.argmax(total))
    return _Vote(complex(turn[winner]), complex(shift[winner]), float(total[winner]))


def _parts(values: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Real and imaginary part: Re(conj(a) b) is the product of the parts of a and b."""
    return values.real, values.imag


def _best_of_each(scores: np.ndarray, walk: IntArray) -> np.ndarray:
    """`(H,)` sums over walks of the best score `(H, P)` that a pair with this walk has."""
    order = np.argsort(walk, kind="stable")
    starts = np.flatnonzero(np.diff(walk[order], prepend=-1))
    return np.asarray(np.maximum.reduceat(scores[:, order], starts, axis=1).sum(axis=1))


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
    lags = sorted({lag for curve in curves.values() for lag in curve})
    while True:
        gains = []
        for view in {view for pair in curves for view in pair}:
            now = _said(curves, offsets, view, 0)
            partners = {offsets[j] - offsets[i] for i, j in curves}
            steps = {int(lag - gap) for lag in lags for gap in partners}
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
    """The pairs that are among the PARTNERS strongest of one of their views."""
    said = {(i, j): curve.get(int(offsets[j] - offsets[i]), 0.0) for (i, j), curve in curves.items()}
    chosen: set[Pair] = set()
    for view in range(len(offsets)):
        own = sorted((pair for pair in said if view in pair and said[pair] > 0), key=lambda pair: -said[pair])
        chosen.update(own[:PARTNERS])
    return sorted(chosen)


def _sharpen(
    pair: tuple[Sightings, Sightings],
    time: IntArray,
    votes: Mapping[int, _Vote],
    lag: int,
    bound: int,
    shifts: Sequence[int],
) -> dict[int, Support]:
    """Support with refined cameras at lags around a guess, further on as long as it grows."""
    first, second = pair
    assert first.camera is not None and second.camera is not None  # a view without a camera has no walks
    near = sorted(votes, key=lambda other: (abs(other - lag), -votes[other].score))[:STARTS]
    instants = blocks(first, _shifted(second, time, lag), BOXES)
    found: dict[int, tuple[Support, dict[int, FloatArray]]] = {}

    def settle(at: int, cameras: dict[int, FloatArray], gates: Sequence[float]) -> None:
        both = [first, _shifted(second, time, at)]
        for gate in gates:
            matches = matching_tracklets(both, cameras, (0, 1), instants, gate)
            if len(matches.rows_i) < LEAST_MATCHES:
                return
            few = [thinned(matches, MATCHES)]
            cameras = refine(both, cameras, few, anchor=1, noise=max(gate / 3, 0.1), steps=5, lens=False)
        support = measure_support(both, cameras, (0, 1), instants, shifts)
        if at not in found or support.excess > found[at][0].excess:
            found[at] = support, cameras

    for start in near:
        laid = moved(first.camera, votes[start].turn, votes[start].shift)
        settle(lag, {0: laid, 1: second.camera}, START_GATES)
    tried = {lag}
    while found:
        best = max(found, key=lambda other: found[other][0].excess)
        around = [best + sign * step for step in range(1, AROUND + 1) for sign in (1, -1)]
        open_lags = [other for other in around if other not in tried and abs(other) <= bound]
        if not open_lags:
            break
        tried.add(open_lags[0])
        settle(open_lags[0], found[best][1], GATES)
    return {other: support for other, (support, _) in found.items()}


def _judged(curves: Curves, views: int) -> Clock:
    """The clock of the largest set of views that trusted pairs hold together."""
    offsets = _consistent(curves, views)
    linked: list[set[int]] = []
    for pair in curves:
        touched = [group for group in linked if group & set(pair)]
        linked = [group for group in linked if group not in touched] + [set(pair).union(*touched)]
    largest = max(linked, key=len, default=set())
    confidence = np.full(views, np.nan)
    for view in largest:
        now = _said(curves, offsets, view, 0)
        away = [_said(curves, offsets, view, sign * step) for step in range(2, 2 * AROUND + 1) for sign in (1, -1)]
        confidence[view] = np.clip(1.0 - max(away) / now, 0.0, 1.0) if now > 0 else 0.0
    held = sorted(largest)
    usual = int(np.sort(offsets[held])[len(held) // 2]) if held else 0
    offsets[[view for view in range(views) if view not in largest]] = usual
    return Clock(offsets - offsets[:1], confidence)
