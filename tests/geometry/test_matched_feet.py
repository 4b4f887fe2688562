"""Slopes of transfer errors, against finite differences; and what one match costs."""

from __future__ import annotations

import numpy as np
import pytest
from acted_scenes import cameras_around, read, strollers

from selfmva.geometry.floor_cameras import PARAMETERS, projections
from selfmva.geometry.matched_feet import BEHIND, MatchedFeet
from selfmva.geometry.tracklet_matches import Matches

CAMERAS = cameras_around(2)
STEP = 1e-6


def some_matches(*counts: int) -> MatchedFeet:
    """Of boxes that may be anybody's: errors of all sizes; of so many pairs of views."""
    crowd = strollers(5, 60)
    views = [read(camera, crowd, 60, noise=0.03, seed=number) for number, camera in enumerate(CAMERAS)]
    rng = np.random.default_rng(0)
    rows = [rng.integers(0, min(len(view.feet) for view in views), (2, count)) for count in counts]
    matches = [Matches(0, 1, *pair, np.zeros(pair.shape[1]), weight=2.0) for pair in rows]
    return MatchedFeet.of(views, matches, [0.3] * len(counts))


def of_pairs(values: list[np.ndarray], count: int) -> list[np.ndarray]:
    """The same of every pair of views."""
    return [np.repeat(value[None], count, axis=0) for value in values]


def test_slopes_are_those_of_finite_differences() -> None:
    matched = some_matches(40, 25)
    nudges = STEP * np.eye(PARAMETERS)
    projection = [projections(camera) for camera in CAMERAS]
    slopes = [(projections(camera + nudges) - projections(camera - nudges)) / (2 * STEP) for camera in CAMERAS]
    residuals, found = matched.linearized(*of_pairs(projection, 2), *of_pairs(slopes, 2))
    assert (residuals**2).sum() == pytest.approx(matched.cost(*of_pairs(projection, 2)))
    assert not residuals[1, :, 25:].any()
    assert not found[1, ..., 25:].any()
    for side in range(2):
        for number in range(PARAMETERS):
            ahead, back = (
                matched.linearized(
                    *of_pairs(
                        [
                            projections(camera + sign * nudges[number] * (other == side))
                            for other, camera in enumerate(CAMERAS)
                        ],
                        2,
                    ),
                    *of_pairs(slopes, 2),
                )[0]
                for sign in (1, -1)
            )
            np.testing.assert_allclose(found[:, side, number], (ahead - back) / (2 * STEP), rtol=1e-4, atol=1e-4)


def test_pairs_together_are_as_each_alone() -> None:
    projection = [projections(camera) for camera in CAMERAS]
    slopes = [np.ones((2, 3, 4)) for _ in CAMERAS]
    together, alone = some_matches(30, 9), some_matches(30)
    residuals, found = together.linearized(*of_pairs(projection, 2), *of_pairs(slopes, 2))
    own, own_found = alone.linearized(*of_pairs(projection, 1), *of_pairs(slopes, 1))
    np.testing.assert_allclose(residuals[:1], own)
    np.testing.assert_allclose(found[:1], own_found)


def test_a_match_without_an_image_costs_much_and_pulls_nowhere() -> None:
    matched = some_matches(3)
    turned = CAMERAS[1].copy()
    turned[4] += np.pi  # yaw: it looks away from everybody
    projection = of_pairs([projections(CAMERAS[0]), projections(turned)], 1)
    residuals, slopes = matched.linearized(*projection, *np.ones((2, 1, 2, 3, 4)))
    expected = np.sqrt(np.log1p(4 * BEHIND**2)) * matched.weight
    np.testing.assert_allclose(np.linalg.norm(residuals, axis=1), expected)
    assert matched.cost(*projection) == pytest.approx((expected**2).sum())
    assert not slopes.any()
