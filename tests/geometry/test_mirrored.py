"""Mirror images are found as such, in views that have a floor and in two alone; and nobody cries wolf."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from floor_scenes import flip, frames_of, sight, sight_walkers, walkers

from selfmva.core.config import GeometryConfig
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.calibration import calibrate
from selfmva.geometry.floor_search import Layout, find_floor
from selfmva.geometry.mirrored import find_mirrored, mirror_sightings


def scene() -> Simulated:
    return walkers(instants=120)


def only(frames: list[Frame], *views: int) -> list[Frame]:
    return [Frame([frame.boxes[view] for view in views], frame.index) for frame in frames]


@cache
def frames() -> list[Frame]:
    return frames_of(scene())


@cache
def floor_of_two() -> Layout:
    """Of the first two views, on which a third is tried."""
    layout = find_floor(sight(scene(), frames())[:2])
    assert layout is not None
    return layout


@pytest.mark.parametrize(("across", "over", "mirrored"), [(True, False, (2,)), (False, True, (2,)), (False, False, ())])
def test_a_third_view_is_mirrored_whether_it_is_upside_down_or_not(
    across: bool, over: bool, mirrored: tuple[int, ...]
) -> None:
    """An image flipped from top to bottom is one flipped from left to right, then turned by 180 degrees."""
    views = sight(scene(), flip(scene(), frames(), 2, across=across, over=over))
    assert views[2].upside_down is over
    assert find_mirrored(views, floor_of_two().cameras) == mirrored


def test_of_two_views_one_is_mirrored_but_not_which() -> None:
    assert calibrate(scene().views[:2], only(flip(scene(), frames(), 0), 0, 1), GeometryConfig()).mirrored == (0, 1)


def test_without_a_floor_nothing_is_said_of_mirrors() -> None:
    found = calibrate(scene().views, flip(scene(), frames(), 1), GeometryConfig(floor=False))
    assert (found.floor, found.mirrored) == (None, ())


def test_a_view_of_another_place_is_not_mirrored() -> None:
    other = frames_of(walkers(instants=120, seed=2))
    mixed = [
        Frame([*ours.boxes[:2], theirs.boxes[2]], ours.index) for ours, theirs in zip(frames(), other, strict=True)
    ]
    assert find_mirrored(sight(scene(), mixed), floor_of_two().cameras) == ()


@pytest.mark.parametrize("options", [{"unrelated_views": True}, {"moving_cameras": True}, {"standing": True}], ids=str)
def test_of_views_without_a_floor_none_is_mirrored(options: dict[str, bool]) -> None:
    assert find_mirrored(sight_walkers(**{"instants": 100} | options), {}) == ()


def test_without_a_floor_the_two_views_are_named_that_mirror_each_other() -> None:
    views = [*sight(scene(), flip(scene(), frames(), 0))[:2], *sight_walkers(instants=120, seed=2)[:1]]
    assert find_mirrored(views, {}) == (0, 1)


def test_nothing_is_tried_where_all_views_are_on_the_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfmva.geometry.mirrored.join_views", None)
    views = sight_walkers(instants=120)
    cameras = {number: np.zeros(10) for number in range(3)}
    assert find_mirrored(views, cameras) == ()
    nobody = [replace(view, camera=np.full(10, np.nan)) for view in views]
    assert find_mirrored(nobody, {}) == ()


def test_mirrored_sightings_are_those_of_mirrored_boxes() -> None:
    """Against the long way: flip the boxes, and read them anew."""
    view, other = (mirror_sightings(sight(scene(), frames())[1]), sight(scene(), flip(scene(), frames(), 1))[1])
    # Boxes of one instant are sorted by where they are.
    order, others = (np.lexsort((*seen.feet.T, seen.instant)) for seen in (view, other))
    for name in ("instant", "feet", "heads", "heights", "foot_inside", "whole", "speed", "moving"):
        np.testing.assert_allclose(getattr(view, name)[order], getattr(other, name)[others], atol=1e-9, err_msg=name)
    np.testing.assert_allclose(view.camera, other.camera, atol=1e-3)
    both = view.usable[order] & other.usable[others]
    assert both.mean() > 0.9
    np.testing.assert_allclose(view.places[order][both], other.places[others][both], rtol=0.01, atol=0.01)
