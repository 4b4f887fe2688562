"""One view's camera from the heights of people, against cameras that are known."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.geometry.camera_from_heights import (
    CAMERA_FIT,
    PRIOR_DEVIATION,
    PRIOR_MEAN,
    fit_camera_from_heights,
    height_residuals,
    prior_residuals,
    robust_share,
    weight_of_heights,
)
from selfmva.geometry.floor_cameras import HEIGHT, PARAMETERS, TILT, predicted_heights, project, projections, to_floor


def camera(focal: float, tilt: float, height: float) -> np.ndarray:
    return np.array([np.log(focal), tilt, 0.0, np.log(height), *np.zeros(PARAMETERS - 4)])


def people_before(true: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """`(N, 2)` image points of feet all over what the camera sees of the floor, 3 to 12 body heights ahead."""
    rng = np.random.default_rng(seed)
    floor = np.column_stack([rng.uniform(-2, 2, count), rng.uniform(3, 12, count)])
    return project(projections(true), floor)[0]


CAMERAS = [camera(0.8, 0.3, 1.5), camera(1.1, 0.5, 3.0), camera(0.7, 0.1, 1.0)]


@pytest.mark.parametrize("true", CAMERAS)
def test_noisy_heights_give_the_floor(true: np.ndarray) -> None:
    feet = people_before(true, 400)
    noise = np.exp(np.random.default_rng(1).normal(0, 0.05, 400))
    found = fit_camera_from_heights(feet, predicted_heights(projections(true), feet) * noise)
    assert found is not None
    expected = predicted_heights(projections(true), feet)
    assert predicted_heights(projections(found), feet) == pytest.approx(expected, rel=0.05)
    # Distances between people, which is what two views compare, hold as well as the prior knows focal lengths.
    places, true_places = (to_floor(projections(p), feet) for p in (found, true))
    scale = np.linalg.norm(places - places.mean(axis=0)) / np.linalg.norm(true_places - true_places.mean(axis=0))
    assert scale == pytest.approx(1.0, abs=0.3)


def test_boxes_of_nobody_do_not_move_it() -> None:
    true = CAMERAS[0]
    feet = people_before(true, 400)
    heights = predicted_heights(projections(true), feet)
    wrong = heights.copy()
    wrong[::10] *= 2.5
    found, clean = fit_camera_from_heights(feet, wrong), fit_camera_from_heights(feet, heights)
    assert found is not None
    assert clean is not None
    assert found[[TILT, HEIGHT]] == pytest.approx(clean[[TILT, HEIGHT]], abs=0.06)


def test_too_few_boxes_give_nothing() -> None:
    feet = people_before(CAMERAS[0], CAMERA_FIT.least_boxes)
    heights = predicted_heights(projections(CAMERAS[0]), feet)
    assert fit_camera_from_heights(feet, heights) is not None
    assert fit_camera_from_heights(feet[1:], heights[1:]) is None
    assert fit_camera_from_heights(np.zeros((0, 2)), np.zeros(0)) is None


def test_a_person_who_stands_still_gives_a_finite_camera() -> None:
    found = fit_camera_from_heights(np.full((50, 2), 0.1), np.full(50, 0.2))
    assert found is not None
    assert np.isfinite(found).all()


def test_the_truth_has_no_residual_and_many_boxes_weigh_no_more_than_some() -> None:
    true = CAMERAS[1]
    feet = people_before(true, 40 * CAMERA_FIT.independent)
    heights = predicted_heights(projections(true), feet)
    assert height_residuals(true, feet, heights) == pytest.approx(0.0)
    many = (height_residuals(true, feet, 1.1 * heights) ** 2).sum()
    some = (height_residuals(true, feet[: CAMERA_FIT.independent], 1.1 * heights[: CAMERA_FIT.independent]) ** 2).sum()
    assert many == pytest.approx(some)
    twice = height_residuals(np.stack([true, true]), feet, 1.1 * heights, np.full(len(feet), weight_of_heights(4000)))
    assert (twice**2).sum() == pytest.approx(2 * many)


def test_robust_residuals_are_the_cauchy_loss() -> None:
    square = np.array([0.0, 25.0, 0.25])
    assert robust_share(square) * square == pytest.approx(np.log1p(square))


def test_the_prior_counts_standard_deviations() -> None:
    assert prior_residuals(PRIOR_MEAN) == pytest.approx(0.0)
    assert prior_residuals(PRIOR_MEAN + np.where(np.isfinite(PRIOR_DEVIATION), PRIOR_DEVIATION, 7.0)) == pytest.approx(
        1
    )
