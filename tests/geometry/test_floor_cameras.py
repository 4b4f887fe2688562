"""Ten numbers of a camera: what they do to points, and what turning the image or moving the floor does to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.types import View
from selfmva.geometry.floor_cameras import (
    ASPECT,
    CENTRE_X,
    CENTRE_Y,
    NEAREST,
    PARAMETERS,
    ROLL,
    TILT,
    carried,
    complex_places,
    moved,
    pixel_matrix,
    predicted_heights,
    project,
    projections,
    to_floor,
    turned_over,
    upside_down,
)

seeds = st.integers(0, 2**32 - 1)


def any_cameras(seed: int, count: int = 5) -> np.ndarray:
    """Cameras of any pose, with any roll."""
    rng = np.random.default_rng(seed)
    cameras = rng.normal(scale=0.3, size=(count, PARAMETERS))
    cameras[:, TILT] += 0.5
    cameras[:, ROLL] = rng.uniform(-np.pi, np.pi, count)
    cameras[:, [CENTRE_X, CENTRE_Y, ASPECT]] *= 0.2
    return cameras


def points_ahead(camera: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`(20, 2)` places on the floor that a camera sees."""
    places = rng.normal(scale=10.0, size=(500, 2))
    return places[project(projections(camera), places)[1] > 0.5][:20]


@given(seed=seeds)
def test_a_camera_turned_over_sees_the_image_turned_by_180_degrees(seed: int) -> None:
    cameras = any_cameras(seed)
    points = np.random.default_rng(seed).normal(scale=4.0, size=(30, 3))
    image, depth = project(projections(cameras), points)
    other, other_depth = project(projections(turned_over(cameras)), points)
    front = depth > 0.1
    np.testing.assert_allclose(other[front], -image[front], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(other_depth, depth, atol=1e-9)


@given(seed=seeds)
def test_turned_over_twice_is_the_same_camera(seed: int) -> None:
    cameras = any_cameras(seed)
    assert (upside_down(turned_over(cameras)) == ~upside_down(cameras)).all()
    np.testing.assert_allclose(turned_over(turned_over(cameras)), cameras, atol=1e-12)


@pytest.mark.parametrize(
    ("roll", "expected"),
    [(0.0, False), (1.5, False), (-1.5, False), (1.6, True), (-1.6, True), (np.pi, True), (-3.0, True), (6.2, False)],
)
def test_a_roll_beyond_a_right_angle_is_upside_down(roll: float, expected: bool) -> None:
    camera = np.zeros(PARAMETERS)
    camera[ROLL] = roll
    assert bool(upside_down(camera)) == expected


def test_nothing_is_changed_in_place() -> None:
    cameras = any_cameras(0)
    kept = cameras.copy()
    turned_over(cameras)
    moved(cameras[0], 1j, 2.0 + 0j)
    np.testing.assert_array_equal(cameras, kept)


@given(seed=seeds)
def test_feet_come_back_to_the_floor(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for camera in any_cameras(seed):
        places = points_ahead(camera, rng)
        image = project(projections(camera), places)[0]
        np.testing.assert_allclose(to_floor(projections(camera), image), places, rtol=1e-6, atol=1e-6)


@given(seed=seeds)
def test_feet_are_carried_over_as_by_the_way_over_the_floor(seed: int) -> None:
    cameras, feet = projections(any_cameras(seed)), np.random.default_rng(seed).uniform(-0.5, 0.5, (30, 2))
    images, depths = carried(cameras, cameras[::-1], feet.T)
    for camera, other, image, depth in zip(cameras, cameras[::-1], images, depths, strict=True):
        expected, expected_depth = project(other, to_floor(camera, feet))
        near = np.abs(expected_depth) < 1e4  # beyond, rounding decides on which side of the horizon a foot is
        np.testing.assert_allclose(image.T[near], expected[near], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(depth[near], expected_depth[near], rtol=1e-6, atol=1e-6)


@given(seed=seeds)
def test_heights_are_those_of_heads_over_feet(seed: int) -> None:
    for projection in projections(any_cameras(seed)):
        feet = np.random.default_rng(seed).uniform(-0.5, 0.5, (30, 2))
        floor = to_floor(projection, feet)
        foot_depth = project(projection, floor)[1]
        head, depth = project(projection, np.column_stack([floor, np.ones(len(floor))]))
        there = (depth > NEAREST) & (foot_depth > NEAREST)
        expected = np.where(there, np.maximum(feet[:, 1] - head[:, 1], 1e-3), 1e-3)
        np.testing.assert_allclose(predicted_heights(projection, feet), expected, rtol=1e-6, atol=1e-9)


@given(seed=seeds)
def test_cameras_together_are_as_each_alone(seed: int) -> None:
    cameras = any_cameras(seed)
    together = projections(cameras)
    assert together.shape == (5, 3, 4)
    for camera, projection in zip(cameras, together, strict=True):
        np.testing.assert_allclose(projections(camera), projection, atol=1e-12)


@given(seed=seeds, angle=st.floats(-3, 3), along=st.floats(-9, 9), across=st.floats(-9, 9))
def test_a_moved_camera_sees_the_moved_floor(seed: int, angle: float, along: float, across: float) -> None:
    camera, rng = any_cameras(seed, 1)[0], np.random.default_rng(seed)
    turn, shift = complex(np.exp(1j * angle)), complex(along, across)
    feet = project(projections(camera), points_ahead(camera, rng))[0]
    before, after = complex_places(camera, feet), complex_places(moved(camera, turn, shift), feet)
    np.testing.assert_allclose(after, turn * before + shift, rtol=1e-6, atol=1e-6)


def test_a_body_of_a_level_camera_is_as_tall_as_its_foot_is_low() -> None:
    """At a height of two bodies, heads are halfway between horizon and feet; above the horizon nobody stands."""
    camera = np.zeros(PARAMETERS)
    camera[3] = np.log(2.0)
    feet = np.array([[0.0, 0.2], [0.3, 0.4], [0.0, -0.1]])
    np.testing.assert_allclose(predicted_heights(projections(camera), feet), [0.1, 0.2, 1e-3])


def test_pixels_of_the_middle_and_of_the_edge() -> None:
    corners = pixel_matrix(View("v", 1280, 720)) @ np.array([[0.0, 0.0, 1.0], [0.5, 0.25, 1.0]]).T
    np.testing.assert_array_equal(corners.T, [[640.0, 360.0, 1.0], [1280.0, 680.0, 1.0]])
