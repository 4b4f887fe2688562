"""Pairs of boxes of one instant, how far a geometry puts them apart, and who is best for whom: against plain loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from acted_scenes import cameras_around, read, strollers
from hypothesis import given
from hypothesis import strategies as st

from selfmva.geometry.box_pairs import (
    best_of_each,
    carry,
    near_pairs,
    pairs_of_boxes,
    squared_errors,
    squared_length,
    transfer_errors,
)
from selfmva.geometry.floor_cameras import project, projections, to_floor
from selfmva.geometry.sightings import Sightings


def crowds(seed: int, instants: int) -> tuple[Sightings, Sightings]:
    """Two views with 0 to 4 boxes an instant, some of which are not usable."""
    rng = np.random.default_rng(seed)
    views = []
    for camera in cameras_around(2):
        present = [np.flatnonzero(rng.random(instants) < 0.6) for _ in range(4)]
        walks = [(time, rng.normal(size=len(time)) + 1j * rng.normal(size=len(time))) for time in present]
        view = read(camera, walks, instants)
        views.append(dataclasses.replace(view, usable=rng.random(len(view.feet)) < 0.7))
    return views[0], views[1]


@given(seed=st.integers(0, 2**32 - 1), instants=st.integers(1, 8), lag=st.integers(-20, 20), data=st.data())
def test_pairs_are_those_of_a_loop_over_instants(seed: int, instants: int, lag: int, data: st.DataObject) -> None:
    first, second = crowds(seed, instants)
    asked = np.array(data.draw(st.lists(st.integers(0, instants - 1), max_size=6)), dtype=np.int64)
    expected = [
        (position, box, partner)
        for position, instant in enumerate(asked)
        for box in np.flatnonzero(first.usable & (first.instant == instant))
        for partner in np.flatnonzero(second.usable & (second.instant == (instant + lag) % instants))
    ]
    found = pairs_of_boxes(first, second, asked, lag)
    assert [tuple(row) for row in np.column_stack(found).tolist()] == expected


def test_nobody_makes_no_pairs() -> None:
    view = read(cameras_around(1)[0], [], 5)
    found = pairs_of_boxes(view, view, np.arange(5))
    assert [len(column) for column in found] == [0, 0, 0]
    camera = cameras_around(1)[0]
    assert len(squared_errors(view, view, camera, camera, found.box, found.partner)) == 0


def test_errors_are_transferred_feet_in_heights_of_the_box_there() -> None:
    cameras = cameras_around(2)
    first, second = (read(camera, strollers(3, 12), 12, noise=0.1, seed=k) for k, camera in enumerate(cameras))
    _, box, partner = pairs_of_boxes(first, second, np.arange(12))
    in_j, in_i = transfer_errors(first, second, carry(first, second, *cameras), box, partner)
    assert len(box) > 50
    for k, (a, b) in enumerate(zip(box, partner, strict=True)):
        there = project(projections(cameras[1]), to_floor(projections(cameras[0]), first.feet[[a]]))[0][0]
        back = project(projections(cameras[0]), to_floor(projections(cameras[1]), second.feet[[b]]))[0][0]
        ahead, behind = (there - second.feet[b]) / second.heights[b], (back - first.feet[a]) / first.heights[a]
        assert in_j[k] == pytest.approx(complex(*ahead))
        assert in_i[k] == pytest.approx(complex(*behind))
    np.testing.assert_allclose(
        squared_errors(first, second, *cameras, box, partner), np.maximum(np.abs(in_j), np.abs(in_i)) ** 2
    )


@pytest.mark.parametrize("farthest", [0.05, 1.0, 3.0])
def test_near_pairs_are_those_whose_errors_are_both_short(farthest: float) -> None:
    cameras = cameras_around(2)
    first, second = (read(camera, strollers(5, 40), 40, noise=0.05, seed=k) for k, camera in enumerate(cameras))
    pairs = pairs_of_boxes(first, second, np.arange(40), lag=3)
    in_j, in_i = transfer_errors(first, second, carry(first, second, *cameras), pairs.box, pairs.partner)
    expected = np.maximum(np.abs(in_j), np.abs(in_i)) < farthest
    found, ahead, back = near_pairs(first, second, carry(first, second, *cameras), pairs, farthest)
    np.testing.assert_array_equal(np.column_stack(found), np.column_stack(pairs)[expected])
    np.testing.assert_array_equal(ahead, in_j[expected])
    np.testing.assert_array_equal(back, in_i[expected])


def test_who_asks_for_some_feet_gets_those() -> None:
    cameras = cameras_around(2)
    first, second = (read(camera, strollers(5, 40), 40, noise=0.05, seed=k) for k, camera in enumerate(cameras))
    some, others = np.array([3, 7, 7, 11]), np.array([2])
    everybody, asked = carry(first, second, *cameras), carry(first, second, *cameras, some, others)
    for whole, part, rows in zip(everybody, asked, (some, others), strict=True):
        np.testing.assert_allclose(part[rows], whole[rows], rtol=1e-12)
        assert not np.delete(part, rows).any()


def test_the_same_person_is_carried_onto_itself_and_nobody_else() -> None:
    cameras = cameras_around(2)
    first, second = (read(camera, strollers(3, 30), 30) for camera in cameras)
    _, box, partner = pairs_of_boxes(first, second, np.arange(30))
    square = squared_errors(first, second, *cameras, box, partner)
    same = first.tracks[box] == second.tracks[partner]
    assert square[same].max() < 1e-18
    assert square[~same].min() > 1e-4


def test_the_order_of_the_views_swaps_both_errors() -> None:
    cameras = cameras_around(2)
    first, second = (read(camera, strollers(3, 12), 12, noise=0.1, seed=k) for k, camera in enumerate(cameras))
    _, box, partner = pairs_of_boxes(first, second, np.arange(12))
    in_j, in_i = transfer_errors(first, second, carry(first, second, *cameras), box, partner)
    other_j, other_i = transfer_errors(second, first, carry(second, first, *cameras[::-1]), partner, box)
    np.testing.assert_array_equal(in_j, other_i)
    np.testing.assert_array_equal(in_i, other_j)


@given(entries=st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3).map(float)), max_size=20))
def test_the_best_of_each_is_the_first_of_the_largest(entries: list[tuple[int, float]]) -> None:
    group = np.array([entry[0] for entry in entries], dtype=np.int64)
    worth = np.array([entry[1] for entry in entries])
    best: dict[int, int] = {}
    for k, (number, value) in enumerate(entries):
        if value > 0 and (number not in best or value > worth[best[number]]):
            best[number] = k
    assert set(np.flatnonzero(best_of_each(group, worth)).tolist()) == set(best.values())


def test_squared_lengths() -> None:
    np.testing.assert_array_equal(squared_length(np.array([3 + 4j, -2j, 0j])), [25.0, 4.0, 0.0])
