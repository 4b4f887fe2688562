"""Bundle adjustment, against the truth and against SciPy's solver."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from body_scenes import ring
from scipy.optimize import least_squares

from selfmva.geometry.bodies.bundle import Observations, adjust
from selfmva.geometry.bodies.rays import reproject, triangulate_linearly
from selfmva.geometry.cameras import Camera


def scene(noise: float, points: int = 120) -> tuple[dict[int, Camera], np.ndarray, Observations]:
    rng = np.random.default_rng(3)
    cameras, places = dict(enumerate(ring(4))), rng.uniform((-1, -1, 0), (1, 1, 2), (points, 3))
    matrices = np.stack([camera.matrix for camera in cameras.values()])
    pixels = reproject(matrices, places) + noise * rng.standard_normal((points, 4, 2))
    point, view = np.nonzero(rng.random((points, 4)) < 0.9)
    return cameras, places, Observations(point, view, pixels[point, view], np.full(len(point), 3.0))


def disturbed(cameras: dict[int, Camera]) -> dict[int, Camera]:
    rng = np.random.default_rng(4)
    return {
        view: Camera(
            camera.K * [[0.9, 1, 1], [1, 0.9, 1], [1, 1, 1]],
            cv2.Rodrigues(0.03 * rng.standard_normal(3))[0] @ camera.R,
            camera.t + 0.05 * rng.standard_normal(3),
        )
        for view, camera in cameras.items()
    }


def test_finds_what_was_disturbed() -> None:
    cameras, places, seen = scene(noise=0.0)
    found, _, cost = adjust(disturbed(cameras), places + 0.05, seen)
    assert cost < 5e-3  # what the focal lengths it began with still say
    lengths = [found[view].K[0, 0] for view in found]
    assert np.allclose(lengths, 1000, rtol=0.02)


def test_scipy_finds_nothing_better() -> None:
    """By the same robust cost, from where it ended."""
    cameras, places, seen = scene(noise=2.0, points=40)
    begun = disturbed(cameras)
    found, points, cost = adjust(begun, places, seen, keep_focal=True)

    def residuals(numbers: np.ndarray) -> np.ndarray:
        own, points = numbers[:24].reshape(4, 6), numbers[24:].reshape(-1, 3)
        image = np.empty((len(seen.point), 2))
        for view, (camera, part) in enumerate(zip(begun.values(), own, strict=True)):
            rows = seen.view == view
            local = points[seen.point[rows]] @ (cv2.Rodrigues(part[:3])[0] @ camera.R).T + part[3:]
            image[rows] = local[:, :2] / local[:, 2:] @ camera.K[:2, :2].T + camera.K[:2, 2]
        return np.linalg.norm((image - seen.pixels) / seen.tolerance[:, None], axis=1)

    own = [np.concatenate([np.zeros(3), camera.t]) for camera in found.values()]
    begun = found
    further = least_squares(residuals, np.concatenate([*own, points.reshape(-1)]), loss="cauchy", max_nfev=20)
    assert cost == pytest.approx(2 * further.cost / len(seen.point), rel=0.01)
    assert cost < 0.6


def test_lines_meet_in_one_point() -> None:
    cameras, places, _ = scene(noise=0.0)
    matrices = np.stack([camera.matrix for camera in cameras.values()])
    pixels = reproject(matrices, places)
    pixels[::2, 1] = np.nan
    assert np.allclose(triangulate_linearly(matrices, pixels), places)
    expected = cv2.triangulatePoints(matrices[0], matrices[2], pixels[:, 0].T, pixels[:, 2].T)
    both = triangulate_linearly(matrices[[0, 2]], pixels[:, [0, 2]])
    assert np.allclose(both, (expected[:3] / expected[3]).T)
    pixels[:, 1:] = np.nan
    assert np.isnan(triangulate_linearly(matrices, pixels)).all()
