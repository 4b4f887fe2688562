"""Cameras as OpenCV has them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera

K = np.array([[1000.0, 2, 960], [0, 1100, 540], [0, 0, 1]])
LENS = [-0.2, 0.1, 0.001, -0.002, 0.02]


def made_camera(lens: list[float] | None = None) -> Camera:
    rotation = cv2.Rodrigues(np.array([0.3, -0.5, 0.2]))[0]
    return Camera(K, rotation, [[0.1], [0.2], [5]], lens)


def test_projects_as_opencv() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (10_000, 3))
    camera = made_camera(LENS)
    without_skew = K * [[1, 0, 1], [1, 1, 1], [1, 1, 1]]  # OpenCV has none
    expected = cv2.projectPoints(points, cv2.Rodrigues(camera.R)[0], camera.t, without_skew, np.array(LENS))[0][:, 0]
    expected[:, 0] += K[0, 1] * (expected[:, 1] - K[1, 2]) / K[1, 1]
    pixels, depth = camera.project(points)
    assert np.abs(pixels - expected).max() < 1e-3
    assert np.allclose(depth, (points @ camera.R.T + camera.t)[:, 2])
    assert np.abs(camera.undistort(pixels) - made_camera().project(points)[0]).max() < 0.01


def test_matrix_is_the_projection_of_a_lens_without_distortion() -> None:
    points, camera = np.random.default_rng(1).uniform(-1, 1, (50, 3)), made_camera()
    homogeneous = np.column_stack([points, np.ones(50)]) @ camera.matrix.T
    assert np.allclose(camera.project(points)[0], homogeneous[:, :2] / homogeneous[:, 2:])
    assert np.allclose(camera.R @ camera.centre + camera.t, 0)


def test_nothing_is_seen_behind() -> None:
    camera = Camera(K, np.eye(3), np.zeros(3))
    pixels, depth = camera.project([[0, 0, -1], [0, 0, 1]])
    assert np.isnan(pixels[0]).all()
    assert depth.tolist() == [-1, 1]
    assert camera.project(np.zeros((0, 3)))[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((np.eye(2), np.eye(3), np.zeros(3)), "K of a camera"),
        ((np.zeros((3, 3)), np.eye(3), np.zeros(3)), r"\[\[fx, s, cx\]"),
        ((K, -np.eye(3), np.zeros(3)), "determinant -1"),
        ((K, 2 * np.eye(3), np.zeros(3)), "rotation"),
        ((K, np.eye(3), [np.nan, 0, 0]), "t of a camera"),
        ((K, np.eye(3), np.zeros(3), np.zeros(6)), "got 6"),
    ],
)
def test_errors(arguments: tuple, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Camera(*arguments)
