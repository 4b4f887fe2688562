"""Triangulation against OpenCV and the truth; views that contradict are left out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from body_scenes import ring

from selfmva.errors import InputError
from selfmva.pose.triangulation import triangulate

LENS = (-0.1, 0.05, 0.0, 0.0, 0.0)


def seen(points: np.ndarray, noise: float = 0.0, lens: tuple[float, ...] = LENS) -> np.ndarray:
    rng = np.random.default_rng(5)
    views = [
        camera.project(points)[0] + noise * rng.standard_normal((*points.shape[:-1], 2)) for camera in ring(5, lens)
    ]
    return np.stack([np.concatenate([view, np.full((*points.shape[:-1], 1), 0.9)], axis=-1) for view in views], axis=-2)


def joints(people: int = 4) -> np.ndarray:
    return np.random.default_rng(6).uniform((-1, -1, 0), (1, 1, 2), (people, 17, 3))


def test_exact_rays_meet_exactly() -> None:
    found = triangulate(ring(5, LENS), seen(joints()), 2.0)
    assert np.allclose(found.joints, joints(), atol=1e-5)
    assert found.used.all()
    assert np.allclose(found.scores, 0.9)
    assert found.errors.max() < 0.01


def test_two_views_as_opencv() -> None:
    rig, points = ring(5), joints()
    keypoints = seen(points, 1.0, ())
    keypoints[..., 2:, :] = np.nan
    found = triangulate(rig, keypoints, 3.0).joints
    flat = keypoints.reshape(-1, 5, 3)
    expected = cv2.triangulatePoints(rig[0].matrix, rig[1].matrix, flat[:, 0, :2].T, flat[:, 1, :2].T)
    assert np.abs(found.reshape(-1, 3) - (expected[:3] / expected[3]).T).max() < 0.005  # one is algebraic


def test_what_contradicts_is_left_out() -> None:
    keypoints = seen(joints(), 1.0)
    keypoints[:, ::3, 2, :2] += 80
    keypoints[:, ::5, 4] = np.nan
    found = triangulate(ring(5, LENS), keypoints, 2.0)
    assert not found.used[:, ::3, 2].any()
    assert not found.used[:, ::5, 4].any()
    away = np.linalg.norm(found.joints - joints(), axis=-1)
    assert np.median(away) < 0.008
    assert away.max() < 0.05
    assert found.scores[0, 3] == pytest.approx(0.9 * 4 / 5)


def test_uncertainties_are_what_happens() -> None:
    """For errors of the size that is told."""
    found = triangulate(ring(5), seen(joints(60), 2.0, ()), 2.0 * np.sqrt(2))
    happened = np.sqrt(np.mean(np.linalg.norm(found.joints - joints(60), axis=-1) ** 2))
    assert np.sqrt(np.mean(found.uncertainties**2)) == pytest.approx(happened * np.sqrt(2), rel=0.25)


def test_one_view_tells_nothing() -> None:
    keypoints = seen(joints())
    keypoints[..., 1:, :] = np.nan
    found = triangulate(ring(5), keypoints, 2.0)
    assert np.isnan(found.joints).all()
    assert (found.scores == 0).all()
    one = triangulate([ring(5)[0], None, None, None, None], seen(joints()), 2.0)
    assert np.isnan(one.joints).all()
    assert triangulate(ring(5), np.zeros((0, 17, 5, 3)), 2.0).joints.shape == (0, 17, 3)


def test_another_number_of_views_is_an_error() -> None:
    with pytest.raises(InputError, match="keypoints of 4 views"):
        triangulate(ring(4), seen(joints()), 2.0)
