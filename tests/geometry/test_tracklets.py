"""Tracklets inside one view: who is followed, who is not, and how they move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.geometry.tracklets import GATE, LARGEST_GAP, link, speeds, spreads


def walkers(instants: int, *courses: tuple[complex, complex]) -> np.ndarray:
    """`(T, P, 2)` feet of people who start somewhere and walk straight on."""
    start, step = np.array(courses).T
    places = start + step * np.arange(instants)[:, None]
    return np.stack([places.real, places.imag], axis=-1)


def link_all(places: np.ndarray) -> np.ndarray:
    """`(T, P)` tracklets of people who have a box each at every instant."""
    instants, people = places.shape[:2]
    starts = np.arange(instants + 1) * people
    return link(np.arange(float(instants)), starts, places.reshape(-1, 2), np.ones(instants * people)).reshape(
        instants, people
    )


def test_people_who_cross_keep_their_tracklets() -> None:
    places = walkers(21, (-3 + 0j, 0.3 + 0j), (3 + 0.05j, -0.3 + 0j), (0 - 3j, 0.3j))
    assert (link_all(places) == [0, 1, 2]).all()


def test_nobody_jumps_further_than_the_gate() -> None:
    places = walkers(2, (0j, GATE + 0.01 + 0j))
    assert link_all(places).tolist() == [[0], [1]]
    assert link_all(walkers(2, (0j, GATE - 0.01 + 0j))).tolist() == [[0], [0]]


@pytest.mark.parametrize(("gap", "same"), [(LARGEST_GAP, True), (LARGEST_GAP + 1, False)])
def test_a_tracklet_survives_short_gaps_alone(gap: float, same: bool) -> None:
    ids = link(np.array([0.0, gap]), np.array([0, 1, 2]), np.zeros((2, 2)), np.ones(2))
    assert (ids[0] == ids[1]) is np.bool_(same)


def test_a_child_does_not_become_a_grown_up() -> None:
    assert link(np.arange(2.0), np.array([0, 1, 2]), np.zeros((2, 2)), np.array([1.0, 3.0])).tolist() == [0, 1]


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
    assert link(np.arange(3.0), np.zeros(4, dtype=np.int64), np.zeros((0, 2)), np.zeros(0)).shape == (0,)
    assert speeds(np.zeros(0), nobody, np.zeros((0, 2)), np.zeros(0)).shape == (0,)
    assert spreads(nobody, np.zeros((0, 2)), np.zeros(0)).shape == (0,)


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
