"""Slopes of transfer errors, against finite differences; and what one match costs."""

from __future__ import annotations

import numpy as np
from acted_scenes import cameras_around, read, strollers

from selfmva.geometry.cameras import PARAMETERS, projections
from selfmva.geometry.matched_feet import BEHIND, MatchedFeet
from selfmva.geometry.tracklet_matches import Matches

CAMERAS = cameras_around(2)
STEP = 1e-6


def some_matches(count: int = 40) -> MatchedFeet:
    """Of boxes that may be anybody's: errors of all sizes."""
    crowd = strollers(5, 60)
    views = [read(camera, crowd, 60, noise=0.03, seed=number) for number, camera in enumerate(CAMERAS)]
    rows = np.random.default_rng(0).integers(0, min(len(view.feet) for view in views), (2, count))
    return MatchedFeet.of(views, Matches(0, 1, *rows, np.zeros(count), weight=2.0), noise=0.3)


def test_slopes_are_those_of_finite_differences() -> None:
    matched = some_matches()
    nudges = STEP * np.eye(PARAMETERS)
    projection = [projections(camera) for camera in CAMERAS]
    slopes = [(projections(camera + nudges) - projections(camera - nudges)) / (2 * STEP) for camera in CAMERAS]
    residuals, found = matched.linearized(*projection, *slopes)
    np.testing.assert_allclose(residuals, matched.residuals(*projection).T, rtol=1e-12)
    for side in range(2):
        for number in range(PARAMETERS):
            ahead, back = (
                matched.residuals(
                    *(
                        projections(camera + sign * nudges[number] * (other == side))
                        for other, camera in enumerate(CAMERAS)
                    )
                ).T
                for sign in (1, -1)
            )
            np.testing.assert_allclose(found[side, number], (ahead - back) / (2 * STEP), rtol=1e-4, atol=1e-4)


def test_a_match_without_an_image_costs_much_and_pulls_nowhere() -> None:
    matched = some_matches(3)
    turned = CAMERAS[1].copy()
    turned[4] += np.pi  # yaw: it looks away from everybody
    projection = projections(CAMERAS[0]), projections(turned)
    residuals, slopes = matched.linearized(*projection, *np.ones((2, 2, 3, 4)))
    expected = np.sqrt(np.log1p(4 * BEHIND**2)) * matched.weight
    np.testing.assert_allclose(np.linalg.norm(residuals, axis=0), expected)
    assert not slopes.any()
