"""One floor under all views, and the verdict: right where there is one, none where there is nothing to learn."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from floor_scenes import floor_error, frames_of, sight, sight_walkers, walkers
from small_scenes import shuffle_boxes

from selfmva.geometry.cameras import moved
from selfmva.geometry.floor import (
    LEAST_WALKED,
    NO_SUPPORT,
    TRUST_RATIO,
    Layout,
    Support,
    find_floor,
    measure_support,
    null_shifts,
    walking_time,
)
from selfmva.types import Frame

if TYPE_CHECKING:
    from selfmva.geometry.sightings import Sightings

GOOD = Support(synchronous=100.0, shifted=10.0, largest=20.0, walked=30.0, steadiness=0.8, residual=0.1, instants=200)


def nobody() -> np.ndarray:
    return np.zeros((0, 4))


@cache
def found() -> Layout:
    layout = find_floor(sight_walkers())
    assert layout is not None
    return layout


def support_of(views: list[Sightings], cameras: dict[int, np.ndarray]) -> Support:
    """What is measured for the first two views."""
    instants = len(views[0].starts) - 1
    return measure_support(views, cameras, (0, 1), np.arange(instants), null_shifts(walking_time(views), instants))


def test_all_views_are_found_and_right() -> None:
    layout = found()
    assert sorted(layout.cameras) == [0, 1, 2]
    for pair in combinations(range(3), 2):
        assert layout.supports[pair].trusted
        assert floor_error(walkers(), layout.cameras, *pair) < 0.25


def test_support_vanishes_where_clocks_or_cameras_are_wrong() -> None:
    frames, cameras = frames_of(walkers()), found().cameras
    late = [
        Frame([frame.boxes[0], other.boxes[1], nobody()]) for frame, other in zip(frames, frames[60:], strict=False)
    ]
    turned = cameras | {1: moved(cameras[1], complex(np.exp(0.5j)), 0j)}
    assert support_of(sight_walkers(), cameras).trusted
    assert not support_of(sight(walkers(), late), cameras).trusted
    assert not support_of(sight_walkers(), turned).trusted


def test_steadiness_is_the_share_of_the_recording_that_carries_the_support() -> None:
    frames = frames_of(walkers())
    # In two thirds of the recording view 1 shows somebody at other instants than view 0: nothing can meet there.
    thirds = [
        Frame([boxes if t < 80 or (t % 2 == v % 2) else nobody() for v, boxes in enumerate(frame.boxes)])
        for t, frame in enumerate(frames)
    ]
    whole, part = sight_walkers(), sight(walkers(), thirds)
    steady, third = (support_of(views, found().cameras) for views in (whole, part))
    assert steady.steadiness > 0.6
    assert 0.0 < third.steadiness < 0.45
    assert third.excess < steady.excess


def test_walking_is_measured_in_body_heights_not_in_boxes() -> None:
    """The same walk at half the frame rate: half the boxes, the same way."""
    slow = sight(walkers(), frames_of(walkers())[::2])
    full, half = (support_of(views, found().cameras) for views in (sight_walkers(), slow))
    assert half.excess / full.excess == pytest.approx(0.5, abs=0.15)
    assert half.walked / full.walked == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize(
    "change",
    [
        {"largest": 100.0 / TRUST_RATIO * 1.01},
        {"walked": LEAST_WALKED / 0.8 * 0.99},
        {"steadiness": LEAST_WALKED / 30.0 * 0.99},
        {"walked": -30.0},
    ],
)
def test_every_doubt_is_enough_for_distrust(change: dict[str, float]) -> None:
    assert GOOD.trusted
    assert GOOD.excess == pytest.approx(90.0)
    assert not dataclasses.replace(GOOD, **change).trusted
    assert not NO_SUPPORT.trusted


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
    assert find_floor(sight_walkers(**options)) is None


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


def test_shifts_go_both_ways_and_stay_within_the_recording() -> None:
    shifts = null_shifts(4, 100)
    assert shifts[:4] == [6, -6, 10, -10]
    assert max(shifts) < 50
    assert sum(shifts) == 0
    assert null_shifts(4, 8) == []
