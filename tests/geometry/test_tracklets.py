"""Tracklets inside one view: who is followed, who is not, and how they move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.geometry.tracklets import (
    TRACKLETS,
    link,
    smoothed,
    speeds,
    spreads,
)


def walkers(instants: int, *courses: tuple[complex, complex]) -> np.ndarray:
    """`(T, P, 2)` feet of people who start somewhere and walk straight on."""
    start, step = np.array(courses).T
    places = start + step * np.arange(instants)[:, None]
    return np.stack([places.real, places.imag], axis=-1)


def heads_of(feet: np.ndarray, heights: np.ndarray | float = 1.0) -> np.ndarray:
    """Image points so far above the feet."""
    return feet - np.stack([np.zeros(len(feet)), np.broadcast_to(heights, len(feet))], axis=1)


def link_all(places: np.ndarray) -> np.ndarray:
    """`(T, P)` tracklets of people who have a box each at every instant."""
    instants, people = places.shape[:2]
    starts, feet = np.arange(instants + 1) * people, places.reshape(-1, 2)
    return link(np.arange(float(instants)), starts, feet, heads_of(feet)).reshape(instants, people)


def follow(time: np.ndarray, feet: np.ndarray, heads: np.ndarray) -> list[int]:
    """Tracklets of boxes that come one at a time."""
    return link(time, np.arange(len(time) + 1), feet, heads).tolist()


def test_people_who_cross_keep_their_tracklets() -> None:
    places = walkers(21, (-3 + 0j, 0.3 + 0j), (3 + 0.05j, -0.3 + 0j), (0 - 3j, 0.3j))
    assert (link_all(places) == [0, 1, 2]).all()


def test_nobody_jumps_further_than_the_gate() -> None:
    places = walkers(2, (0j, TRACKLETS.gate + 0.01 + 0j))
    assert link_all(places).tolist() == [[0], [1]]
    assert link_all(walkers(2, (0j, TRACKLETS.gate - 0.01 + 0j))).tolist() == [[0], [0]]


@pytest.mark.parametrize(("gap", "same"), [(TRACKLETS.largest_gap, True), (TRACKLETS.largest_gap + 1, False)])
def test_a_tracklet_survives_short_gaps_alone(gap: float, same: bool) -> None:
    feet = np.zeros((2, 2))
    first, second = follow(np.array([0.0, gap]), feet, heads_of(feet))
    assert (first == second) == same


@pytest.mark.parametrize(("missing", "same"), [(1, True), (3, True), (4, False)])
def test_a_walker_who_is_not_seen_for_a_moment_is_linked_again(missing: int, same: bool) -> None:
    time = np.delete(np.arange(14.0), range(5, 5 + missing))
    feet = walkers(14, (0j, 0.3 + 0.1j))[time.astype(int), 0]
    assert follow(time, feet, heads_of(feet)) == [0 if same or t < 5 else 1 for t in time]


@pytest.mark.parametrize("hidden", [[4], [1, 4, 7], [3, 4, 5, 6], [0, 1]])
def test_a_foot_that_is_hidden_now_and_then_breaks_no_tracklet(hidden: list[int]) -> None:
    """The box ends 0.4 of its height above the foot: too far for feet alone."""
    feet = walkers(10, (0j, 0.2 + 0.1j))[:, 0]
    heads = heads_of(feet)
    feet[hidden, 1] -= 0.4
    assert follow(np.arange(10.0), feet, heads) == [0] * 10


def test_a_head_that_is_cut_now_and_then_breaks_no_tracklet() -> None:
    feet = walkers(10, (0j, 0.2 + 0.1j))[:, 0]
    heads = heads_of(feet)
    heads[[2, 5, 6], 1] += 0.4
    assert follow(np.arange(10.0), feet, heads) == [0] * 10


def test_two_who_cross_with_hidden_feet_keep_their_tracklets() -> None:
    places = walkers(21, (-3 + 0j, 0.3 + 0j), (3 + 0.3j, -0.3 + 0j))
    feet = places.reshape(-1, 2)
    heads = heads_of(feet)
    feet[[9, 18, 20, 22, 31], 1] -= 0.4
    ids = link(np.arange(21.0), np.arange(22) * 2, feet, heads)
    assert (ids.reshape(21, 2) == [0, 1]).all()


def test_a_child_does_not_become_a_grown_up() -> None:
    feet = np.zeros((2, 2))
    assert follow(np.arange(2.0), feet, heads_of(feet, np.array([1.0, 3.0]))) == [0, 1]


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_boxes_changes_no_tracklet(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, instants = 4, 6
    places = walkers(instants, *[(4.0 * k + 0j, 0.3j) for k in range(people)])
    order = np.stack([rng.permutation(people) for _ in range(instants)])
    ids = link_all(np.take_along_axis(places, order[..., None], axis=1))
    first = np.argsort(order[0])  # where person k was listed at the first instant, which is the tracklet's number
    assert (np.take_along_axis(ids, np.argsort(order, axis=1), axis=1) == first).all()


def test_no_boxes_no_tracklets() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    assert link(np.arange(3.0), np.zeros(4, dtype=np.int64), np.zeros((0, 2)), np.zeros((0, 2))).shape == (0,)
    assert speeds(np.zeros(0), nobody, np.zeros((0, 2)), np.zeros(0)).shape == (0,)
    assert spreads(nobody, np.zeros((0, 2)), np.zeros(0)).shape == (0,)
    assert smoothed(np.zeros(0), nobody, np.zeros((0, 3)), np.zeros(0)).shape == (0, 3)


def test_the_speed_of_a_steady_walker_is_exact_everywhere() -> None:
    places = walkers(9, (0j, 0.3 + 0.4j))[:, 0]
    heights = np.full(9, 2.0)
    assert speeds(np.arange(9.0), np.zeros(9, dtype=int), places, heights) == pytest.approx(0.25)
    # The unit of length is the height, the unit of time an instant.
    assert speeds(np.arange(9.0) * 2, np.zeros(9, dtype=int), 3 * places, 3 * heights) == pytest.approx(0.125)


def test_a_lonely_box_has_no_speed() -> None:
    assert np.isnan(speeds(np.zeros(1), np.zeros(1, dtype=int), np.zeros((1, 2)), np.ones(1))).all()


def test_the_spread_is_the_standard_deviation_in_heights() -> None:
    rng = np.random.default_rng(0)
    feet, tracks = rng.normal(size=(50, 2)), rng.integers(0, 3, 50)
    expected = np.array([np.sqrt(feet[tracks == k].var(axis=0).sum()) / 2 for k in range(3)])
    assert spreads(tracks, feet, np.full(50, 2.0)) == pytest.approx(expected[tracks])


def straight(rng: np.random.Generator, boxes: int, numbers: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Times `(N,)` with gaps, and `(N, K)` coordinates of somebody who walks straight on."""
    time = np.cumsum(rng.integers(1, 4, boxes)).astype(float)
    return time, rng.normal(size=numbers) * 5 + time[:, None] * rng.normal(size=numbers)


@given(seed=st.integers(0, 2**32 - 1), boxes=st.integers(1, 20))
def test_straight_walks_are_left_as_they_are(seed: int, boxes: int) -> None:
    time, points = straight(np.random.default_rng(seed), boxes)
    smooth = smoothed(time, np.zeros(boxes, dtype=int), points, np.full(boxes, 0.8))
    np.testing.assert_allclose(smooth, points, atol=1e-9)


def test_the_shaking_of_the_detector_is_halved() -> None:
    rng = np.random.default_rng(0)
    before, after = [], []
    for _ in range(100):
        time, points = straight(rng, 20)
        noise = rng.normal(scale=TRACKLETS.shake / 5, size=points.shape)
        smooth = smoothed(time, np.zeros(20, dtype=int), points + noise, np.ones(20))
        before.append(noise)
        after.append(smooth - points)
    ratio = np.sqrt(np.mean(np.square(after), axis=(0, 2)) / np.mean(np.square(before), axis=(0, 2)))
    # A line through five equally good points has a fifth of their variance in its middle.
    assert ratio[2:-2].mean() == pytest.approx(np.sqrt(1 / 5), abs=0.07)
    assert ratio.max() < 1.0  # at the ends there is less to go by


@pytest.mark.parametrize("place", [1, 2, 3, 7, 12, 13])
@pytest.mark.parametrize("height", [0.1, 1.0])
def test_a_single_wrong_box_moves_nobody(place: int, height: float) -> None:
    time = np.arange(15.0)
    points = np.column_stack([0.3 * time, 2.0 - 0.1 * time]) * height
    wrong = points.copy()
    wrong[place] += (0.0, -height)
    smooth = smoothed(time, np.zeros(15, dtype=int), wrong, np.full(15, height))
    # Unweighted, a fifth of its error stays at its place, and up to two fifths of it come to others.
    assert np.abs(smooth - points).max() < TRACKLETS.shake * height


def test_one_or_two_boxes_are_left_as_they_are() -> None:
    rng = np.random.default_rng(0)
    tracks = np.array([0, 1, 1, 2, 3, 3])
    points = rng.normal(size=(6, 3))
    np.testing.assert_array_equal(smoothed(np.array([0.0, 0, 1, 1, 2, 4]), tracks, points, np.ones(6)), points)


@given(seed=st.integers(0, 2**32 - 1), people=st.integers(1, 4))
def test_tracklets_are_smoothed_one_by_one_in_any_order_of_boxes(seed: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    walks = [straight(rng, rng.integers(1, 8)) for _ in range(people)]
    walks = [(time, points + rng.normal(scale=0.3, size=points.shape)) for time, points in walks]
    alone = [smoothed(time, np.zeros(len(time), dtype=int), points, np.ones(len(time))) for time, points in walks]
    time, points = (np.concatenate(part) for part in zip(*walks, strict=True))
    tracks = np.repeat(np.arange(people), [len(walk[0]) for walk in walks])
    order = rng.permutation(len(time))
    smooth = smoothed(time[order], tracks[order], points[order], np.ones(len(time)))
    np.testing.assert_allclose(smooth, np.concatenate(alone)[order], atol=1e-9)
