"""One floor under all views, and the verdict: right where there is one, none where there is nothing to learn."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from floor_scenes import floor_error, frames_of, sight, sight_walkers, walkers
from small_scenes import shuffle_boxes

from selfmva.core.types import Frame
from selfmva.geometry.floor_search import Layout, find_floor


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
