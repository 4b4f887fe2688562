"""One floor under all views, and the verdict: right where there is one, none where there is nothing to learn."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from acted_scenes import camera_at, read, strollers
from floor_scenes import floor_error, frames_of, sight, sight_walkers, walkers
from small_scenes import shuffle_boxes
from true_floors import true_floor

from selfmva.core.types import Frame
from selfmva.geometry.floor_cameras import complex_places
from selfmva.geometry.floor_search import Layout, find_floor
from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.sightings import turn_boxes
from selfmva.geometry.support import SUPPORT, null_shifts


def nobody() -> np.ndarray:
    return np.zeros((0, 4))


@cache
def found() -> Layout:
    layout = find_floor(sight_walkers())
    assert layout is not None
    return layout


def test_all_views_are_found_and_right() -> None:
    layout = found()
    assert sorted(layout.cameras) == [0, 1, 2]
    for pair in combinations(range(3), 2):
        assert layout.supports[pair].trusted
        assert floor_error(walkers(), layout.cameras, *pair) < 0.25


@pytest.mark.parametrize(
    "options",
    [
        {"unrelated_views": True},
        {"moving_cameras": True},
        {"unrelated_views": True, "people": 1},
        {"moving_cameras": True, "people": 2, "instants": 120},
        {"standing": True, "people": 1},
        {"standing": True},
    ],
    ids=str,
)
def test_nothing_to_learn_is_not_trusted(options: dict[str, object]) -> None:
    assert find_floor(sight_walkers(**{"instants": 160} | options)) is None


def test_the_order_of_the_boxes_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    again = find_floor(sight(walkers(), [shuffle_boxes(frame, rng)[0] for frame in frames_of(walkers())]))
    assert again is not None
    assert again.supports == found().supports
    for view, camera in found().cameras.items():
        assert np.array_equal(camera, again.cameras[view])


def test_views_in_another_order_are_found_as_well() -> None:
    again = find_floor(sight_walkers()[::-1])
    assert again is not None
    cameras = {2 - view: camera for view, camera in again.cameras.items()}
    for pair in combinations(range(3), 2):
        assert floor_error(walkers(), cameras, *pair) == pytest.approx(
            floor_error(walkers(), found().cameras, *pair), abs=0.05
        )


def test_a_view_that_shows_nobody_is_left_out() -> None:
    frames = [Frame([*frame.boxes[:2], nobody()]) for frame in frames_of(walkers())]
    layout = find_floor(sight(walkers(), frames))
    assert layout is not None
    assert sorted(layout.cameras) == [0, 1]
    assert floor_error(walkers(), layout.cameras, 0, 1) < 0.25


@pytest.mark.parametrize("instants", [1, 2, 30])
def test_no_boxes_no_floor(instants: int) -> None:
    assert find_floor(sight(walkers(), [Frame([nobody()] * 3)] * instants)) is None


@pytest.mark.parametrize("instants", [1, 2, 5])
def test_instants_are_not_enough(instants: int) -> None:
    assert find_floor(sight(walkers(), frames_of(walkers())[:instants])) is None


def test_views_that_hang_upside_down_are_found_as_the_upright_ones() -> None:
    turned = (1, 2)
    size = (walkers().views[0].width, walkers().views[0].height)
    frames = [
        Frame([turn_boxes(boxes, *size) if view in turned else boxes for view, boxes in enumerate(frame.boxes)])
        for frame in frames_of(walkers())
    ]
    views = sight(walkers(), frames)
    assert [view.upside_down for view in views] == [view in turned for view in range(3)]
    told: list[tuple[int, int]] = []
    layout = find_floor(views, lambda *numbers: told.append(numbers))
    assert told == [(3, 3)]  # of three views
    assert layout is not None
    assert layout.supports.keys() == found().supports.keys()
    # Sightings and cameras are those of the images turned to be upright.
    for pair, support in layout.supports.items():
        assert support.trusted
        assert support.synchronous == pytest.approx(found().supports[pair].synchronous, rel=0.02)
        assert floor_error(walkers(), layout.cameras, *pair) == pytest.approx(
            floor_error(walkers(), found().cameras, *pair), abs=0.02
        )


@pytest.mark.parametrize("options", [{"views": 2, "people": 4}, {"views": 2, "people": 7, "seed": 3}], ids=str)
def test_people_who_march_in_step_are_not_trusted(options: dict[str, int]) -> None:
    """Not even where the cameras are the true ones, which a shift by one row would do as well."""
    marching = {"lockstep": True, "instants": 100} | options
    views, scene = sight_walkers(**marching), walkers(**marching)
    cameras = {view: camera for view, camera in enumerate(true_floor(scene).cameras) if camera is not None}
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    support = measure_pairs(views, cameras, [(0, 1)], shifts)[0, 1].support()
    assert support.rival > SUPPORT.largest_rival
    assert dataclasses.replace(support, rival=0.0).trusted
    assert find_floor(views) is None


def test_pairs_that_see_nobody_in_common_are_held_by_the_view_between_them() -> None:
    """Two rooms, and a view of both: the pair of their views is on the floor, and nothing is said of it."""
    instants, apart = 160, 9.0
    rooms = [
        [(time, place + side) for time, place in strollers(4, instants, seed)] for seed, side in ((1, 0), (2, apart))
    ]
    cameras = [camera_at(-8j, 0j), camera_at(apart / 2 - 13j, apart / 2 + 0j), camera_at(apart - 8j, apart + 0j)]
    shown = [rooms[0], rooms[0] + rooms[1], rooms[1]]
    views = [
        read(camera, walks, instants, noise=0.03, seed=view)
        for view, (camera, walks) in enumerate(zip(cameras, shown, strict=True))
    ]
    layout = find_floor(views)
    assert layout is not None
    assert sorted(layout.cameras) == [0, 1, 2]
    assert {(0, 1), (1, 2)} <= layout.supports.keys()
    assert all(layout.supports[pair].trusted for pair in ((0, 1), (1, 2)))
    assert not ((0, 2) in layout.supports and layout.supports[0, 2].trusted)
    feet = [view.feet[view.usable] for view in views]
    true, seen = (
        np.concatenate([complex_places(side[view], feet[view]) for view in range(3)])
        for side in (dict(enumerate(cameras)), layout.cameras)
    )
    turn, shift = np.polyfit(seen, true, 1)  # complex: a turn, a scale and a shift
    assert abs(turn) == pytest.approx(1.0, abs=0.1)
    assert np.median(np.abs(turn * seen + shift - true)) < 0.2
