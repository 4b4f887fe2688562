"""Whole walks, and those of two views that have one shape: sparse sums against dense ones and plain loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from acted_scenes import camera_at, cameras_around, read, strollers
from hypothesis import example, given
from hypothesis import strategies as st

from selfmva.geometry.walks import WALKS, CommonWalks, Walks, common_walks

MOST = 10_000
TURN, SHIFT = complex(np.exp(0.7j)), 3.0 - 2.0j


def walks_of(places: np.ndarray) -> Walks:
    """Of `(K, T)` places, NaN where nobody is seen."""
    walk, instant = np.nonzero(~np.isnan(places))
    return Walks(walk, instant, places[walk, instant], places.shape)


def some_places(rng: np.random.Generator, walks: int, instants: int) -> np.ndarray:
    """Walks with gaps on a grid of half body heights: many places, and sums of places, are exactly 0."""
    steps = rng.integers(-1, 2, (2, walks, instants)).cumsum(axis=2) / 2
    places = steps[0] + 1j * steps[1]
    places[rng.random(places.shape) < 0.3] = np.nan
    return places


def by_loops(
    first: np.ndarray, second: np.ndarray
) -> tuple[dict[tuple[int, int], tuple[complex, ...]], set[tuple[int, int]]]:
    """Common instants, means, spreads and covariance of all pairs of rows that have one shape.

    And the pairs that are on the border of having one, where rounding decides: places on a grid are, now and then.
    """
    found, undecided = {}, set()
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            both = ~np.isnan(one) & ~np.isnan(other)
            if both.sum() < WALKS.least_common:
                continue
            a, b = one[both], other[both]
            spread_a, spread_b = (float(np.mean(np.abs(z - z.mean()) ** 2)) for z in (a, b))
            covariance = complex(np.mean(np.conj(a - a.mean()) * (b - b.mean())))
            if min(spread_a, spread_b) * 2 <= WALKS.least_spread**2 or abs(covariance) < 1e-9:
                continue
            residual = np.sqrt(max(spread_b - abs(covariance) ** 2 / spread_a, 0.0))
            scale = max(spread_a / spread_b, spread_b / spread_a)
            bound = min(WALKS.largest_residual, 0.5 * np.sqrt(spread_b))
            if min(abs(scale - WALKS.largest_scale**2), abs(residual - bound)) < 1e-9:
                undecided.add((i, j))
            if scale < WALKS.largest_scale**2 and residual < bound:
                found[i, j] = (both.sum(), a.mean(), b.mean(), spread_a, spread_b, covariance)
    return found, undecided


def columns(found: CommonWalks) -> dict[tuple[int, int], tuple[complex, ...]]:
    rows = zip(
        found.common,
        found.mean_i,
        found.mean_j,
        found.spread_i,
        found.spread_j,
        found.covariance,
        strict=True,
    )
    return dict(zip(zip(found.i.tolist(), found.j.tolist(), strict=True), rows, strict=True))


@given(seed=st.integers(0, 2**32 - 1), walks=st.tuples(st.integers(0, 4), st.integers(0, 4)))
@example(seed=3_334_671_466, walks=(3, 1))  # exactly on the border
def test_common_walks_are_those_of_loops(seed: int, walks: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    first, second = (some_places(rng, count, 9) for count in walks)
    # One walk that both see, so that something is found.
    if min(walks):
        second[-1] = TURN * first[0] + SHIFT
    found = columns(common_walks(walks_of(first), walks_of(second), most=MOST))
    expected, undecided = by_loops(first, second)
    assert found.keys() ^ expected.keys() <= undecided
    for pair in found.keys() & expected.keys():
        assert found[pair] == pytest.approx(expected[pair])


def test_sums_that_are_exactly_zero_shift_no_other() -> None:
    """Two walks cross the origin, so far on either side: the sums of their places are 0, and those of no other."""
    line = np.arange(-3.0, 4.0)
    first = np.array([line, line + 1.0, 1j * line + 4.0])
    second = np.array([1j * line + 2.0, line])
    found = columns(common_walks(walks_of(first.astype(complex)), walks_of(second.astype(complex)), most=MOST))
    assert found.keys() == {(i, j) for i in range(3) for j in range(2)}
    for (i, j), values in found.items():
        assert values[1:3] == pytest.approx((first[i].mean(), second[j].mean()))
    assert found[0, 0][5] == pytest.approx(4j)  # the mean square of -3 .. 3, turned by a right angle


def test_places_at_the_origin_are_boxes_like_others() -> None:
    """Someone who stands at the origin half of the time: fewer entries than boxes if zeros were lost."""
    walk = np.array([[0, 0, 0, 0, 1, 2, 3, 4]], dtype=complex)
    assert walks_of(walk).matrices[1].nnz == 8
    ((common, mean, *_),) = columns(common_walks(walks_of(walk), walks_of(walk + 5j), most=MOST)).values()
    assert (common, mean) == (8, pytest.approx(walk.mean()))


def test_walks_that_never_overlap_have_nothing_in_common() -> None:
    one, other = np.full((2, 1, 12), np.nan, dtype=complex)
    one[0, :6], other[0, 6:] = np.arange(6), np.arange(6)
    assert len(common_walks(walks_of(one), walks_of(other), most=MOST).i) == 0
    assert len(common_walks(walks_of(one[:0]), walks_of(other), most=MOST).i) == 0


def test_a_turned_and_shifted_walk_tells_turn_and_shift() -> None:
    (time, places), *_ = strollers(1, 60)
    found = common_walks(walks_of(places[None]), walks_of((TURN * places + SHIFT)[None]), most=MOST)
    assert found.turn[0] == pytest.approx(TURN)
    assert found.shift[0] == pytest.approx(SHIFT)
    assert found.common[0] == len(time)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_views_conjugates_the_turn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = some_places(rng, 3, 9)
    # Of nearly one size, so that the residual is small either way round.
    second = TURN * first + 0.01 * rng.normal(size=first.shape)
    ahead, back = (common_walks(walks_of(a), walks_of(b), most=MOST) for a, b in ((first, second), (second, first)))
    turns, others = ({p: v[5] for p, v in columns(side).items()} for side in (ahead, back))
    for k in range(3):
        if (k, k) in turns:
            assert others[k, k] == pytest.approx(np.conj(turns[k, k]))


def test_long_walks_that_fit_well_come_first() -> None:
    """Worth: common instants up to 25, times the way up to 4, over the residual."""
    short = np.full(40, np.nan, dtype=complex)
    short[:8] = np.linspace(0, 6, 8)
    long = np.linspace(0, 6, 40) * (1 + 0j)
    rng = np.random.default_rng(0)
    shaken = long + 10 + 0.2 * rng.normal(size=40)
    found = common_walks(walks_of(np.array([short, long, shaken])), walks_of(np.array([short, long, long])), most=MOST)
    pairs = list(zip(found.i.tolist(), found.j.tolist(), strict=True))
    assert pairs[:2] == [(1, 1), (1, 2)]  # ties in the order of their numbers
    assert pairs.index((2, 1)) > pairs.index((1, 2))
    few = common_walks(walks_of(np.array([short, long, shaken])), walks_of(np.array([short, long, long])), most=3)
    assert list(zip(few.i.tolist(), few.j.tolist(), strict=True)) == pairs[:3]


def test_walks_of_a_view_are_its_long_usable_tracklets() -> None:
    """Three walk, one only sways and one is seen too briefly; boxes that are not usable are not there."""
    courses = strollers(3, 30)
    sways = (np.arange(30), 0.05 * np.exp(1j * np.arange(30)))
    brief = (np.arange(WALKS.least_common - 1), np.arange(WALKS.least_common - 1.0) + 0j)
    view = read(cameras_around(1)[0], [*courses, sways, brief], 30)
    view = dataclasses.replace(view, usable=view.usable & (view.instant != 7))
    walks = Walks.of(view)
    assert walks.shape == (3, 30)
    assert 7 not in walks.instant
    for walk in range(3):
        rows = walks.walk == walk
        (track,) = set(view.tracks[np.isin(view.places, walks.place[rows])])
        own = (view.tracks == track) & view.usable
        np.testing.assert_array_equal(walks.instant[rows], view.instant[own])
        np.testing.assert_array_equal(walks.place[rows], view.places[own])
        # As far from its middle as a walk must stray.
        assert np.sqrt(2.0) * walks.place[rows].std() > WALKS.least_spread


def test_nobody_has_no_walks() -> None:
    walks = Walks.of(read(camera_at(-8j, 0j), [], 5))
    assert walks.shape == (0, 5)
    assert len(walks.place) == 0


@given(seed=st.integers(0, 2**32 - 1), lag=st.integers(-15, 15))
def test_a_shift_rolls_the_recording(seed: int, lag: int) -> None:
    places = some_places(np.random.default_rng(seed), 3, 10)
    shifted = walks_of(places).shifted(lag)
    for own, rolled in zip(shifted.matrices, walks_of(np.roll(places, lag, axis=1)).matrices, strict=True):
        np.testing.assert_array_equal(own.toarray(), rolled.toarray())


@given(seed=st.integers(0, 2**32 - 1), stride=st.integers(1, 4))
def test_every_so_many_instants_are_a_slice(seed: int, stride: int) -> None:
    places = some_places(np.random.default_rng(seed), 3, 10)
    for own, sliced in zip(
        walks_of(places).every(stride).matrices, walks_of(places[:, ::stride]).matrices, strict=True
    ):
        np.testing.assert_array_equal(own.toarray(), sliced.toarray())


def test_time_without_gaps_but_for_those_longer_than_any_lag() -> None:
    walks = walks_of(np.array([[0, 1, 2, 3]], dtype=complex)).on_a_line(np.array([0, 1, 4, 90]), longest=10)
    assert walks.instant.tolist() == [0, 1, 4, 14]
    assert walks.shape == (1, 15)
