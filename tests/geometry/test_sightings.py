"""What one view saw: upright, turned by 180 degrees, and with tracks of the user's own."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from floor_scenes import walkers
from hypothesis import given
from hypothesis import strategies as st
from true_floors import true_floor

from selfmva.core.types import View
from selfmva.geometry.camera_from_heights import CAMERA_FIT
from selfmva.geometry.floor_cameras import turned_over
from selfmva.geometry.sightings import Sightings, build_sightings, turn_boxes

VIEW = View("v", 640, 480)
# Of the view's own camera; the roll and the rest of `camera` say nothing of the boxes.
PER_BOX = ("feet", "heads", "heights", "foot_inside", "whole", "tracks", "speed", "moving", "usable", "places")


@cache
def boxes_of(view: int, shown: int = 120, **options: object) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of a view of `walkers`, instant after instant, and how many each shows."""
    boxes = [walkers(**options).frame(t).boxes[view] for t in range(shown)]
    return np.concatenate(boxes), np.array([len(array) for array in boxes])


def see(view: int, *, turned: bool, camera: np.ndarray | None = None) -> Sightings:
    boxes, counts = boxes_of(view)
    image = walkers().views[view]
    if turned:
        boxes = turn_boxes(boxes, image.width, image.height)
    return build_sightings(image, boxes, counts, np.arange(float(len(counts))), camera=camera)


@given(seed=st.integers(0, 2**32 - 1))
def test_boxes_turned_twice_are_as_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 100, (5, 2))
    boxes = np.column_stack([corners, corners + rng.uniform(1, 50, (5, 2))])
    width, height = rng.integers(150, 300, (2, 5)).astype(float)
    turned = turn_boxes(boxes, width, height)
    np.testing.assert_allclose(turn_boxes(turned, width, height), boxes, atol=1e-9)
    np.testing.assert_allclose(turned[:, 2:] - turned[:, :2], boxes[:, 2:] - boxes[:, :2], atol=1e-9)
    assert (turned[:, 2:] > turned[:, :2]).all()
    # Of one image size, as of each box's own.
    np.testing.assert_array_equal(turn_boxes(boxes[:1], width[0], height[0]), turned[:1])


def test_a_box_in_a_corner_turns_to_the_opposite_one() -> None:
    np.testing.assert_array_equal(turn_boxes(np.array([[0.0, 0, 10, 30]]), 640, 480), [[630, 450, 640, 480]])


@pytest.mark.parametrize("view", [1, 2])
def test_a_view_that_hangs_upside_down_says_the_same_as_upright(view: int) -> None:
    upright, turned = (see(view, turned=turned) for turned in (False, True))
    assert not upright.upside_down
    assert turned.upside_down
    np.testing.assert_array_equal(turned.tracks, upright.tracks)
    for name in PER_BOX:
        np.testing.assert_allclose(getattr(turned, name), getattr(upright, name), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(turned.camera, upright.camera, atol=1e-6)


def test_a_view_in_doubt_has_no_camera() -> None:
    """From high above, a turned image looks nearly as likely as an upright one."""
    turned = see(0, turned=True)
    assert not turned.upside_down
    assert not turned.calibrated
    assert not turned.usable.any()
    assert see(0, turned=False).calibrated


@pytest.mark.parametrize("options", [{"seed": 4, "eye_level": 3}], ids=str)
def test_the_sign_of_a_view_is_found(options: dict[str, object]) -> None:
    for view in range(3):
        boxes, counts = boxes_of(view, 60, **options, instants=60)
        image = walkers(**options, instants=60).views[view]
        for turned in (False, True):
            seen = turn_boxes(boxes, image.width, image.height) if turned else boxes
            assert build_sightings(image, seen, counts, np.arange(60.0)).upside_down == turned


def test_too_few_boxes_hang_upright() -> None:
    boxes, _ = boxes_of(0)
    few = turn_boxes(boxes[: CAMERA_FIT.least_boxes - 1], 1280, 720)
    found = build_sightings(walkers().views[0], few, np.ones(len(few), dtype=int), np.arange(float(len(few))))
    assert not found.upside_down
    assert not found.calibrated
    assert not found.usable.any()


def test_a_known_camera_tells_how_it_hangs() -> None:
    camera = true_floor(walkers()).cameras[1]
    assert camera is not None
    upright = see(1, turned=False, camera=camera)
    turned = see(1, turned=True, camera=turned_over(camera))
    assert turned.upside_down
    np.testing.assert_allclose(turned.camera, camera)
    for name in PER_BOX:
        np.testing.assert_allclose(getattr(turned, name), getattr(upright, name), rtol=1e-6, atol=1e-6)
    # Whatever the heights say: they fit worse.
    wrong = see(1, turned=True, camera=camera)
    assert not wrong.upside_down
    assert wrong.usable.mean() < upright.usable.mean() - 0.1


def test_usable_boxes_of_every_instant() -> None:
    view = see(0, turned=False)
    boxes, starts = view.usable_at
    assert 0 < len(boxes) < len(view.usable)
    for instant in range(120):
        expected = np.flatnonzero(view.usable & (view.instant == instant))
        np.testing.assert_array_equal(boxes[starts[instant] : starts[instant + 1]], expected)
    nobody = dataclasses.replace(view, usable=np.zeros_like(view.usable))
    assert nobody.usable_at[0].tolist() == []
    assert not nobody.usable_at[1].any()


def see_tracks(ids: list[list[int]]) -> list[int]:
    """Tracks of boxes with these ids, instant after instant."""
    counts = np.array([len(own) for own in ids])
    boxes = np.array([[20.0 * k, 100, 20.0 * k + 15, 160] for own in ids for k in range(len(own))]).reshape(-1, 4)
    flat = np.array([one for own in ids for one in own], dtype=np.int64)
    return build_sightings(VIEW, boxes, counts, np.arange(float(len(ids))), flat).tracks.tolist()


def test_boxes_without_a_track_are_tracks_of_their_own() -> None:
    assert see_tracks([[7, -1], [-1, 7], [3]]) == [1, 2, 3, 1, 0]
    assert see_tracks([[], []]) == []


def test_a_track_that_two_boxes_of_an_instant_have_says_nothing_of_them() -> None:
    first, second, third, fourth, fifth, sixth = see_tracks([[7, 8], [7, 7], [7, 8]])
    assert first == fifth
    assert second == sixth
    assert len({first, second, third, fourth}) == 4
