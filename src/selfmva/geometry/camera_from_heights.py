"""One view alone: people are measuring rods.

A body of height 1 that stands on the floor has a box whose height in the image depends on where its foot is. From
many boxes, focal length, tilt, roll and height of the camera follow, in body heights (Lv, Zhao, Nevatia, "Camera
Calibration from Video of a Walking Human", PAMI 2006, in a form that needs no tracks). The focal length is weakly
seen by one view and held by a prior; `selfmva.geometry.refinement` finds it when views agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares

from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.floor_cameras import (
    ASPECT,
    CENTRE_X,
    CENTRE_Y,
    FOCAL,
    HEIGHT,
    PARAMETERS,
    TILT,
    predicted_heights,
    projections,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray

OWN = 4  # focal length, tilt, roll, height: what one view can tell
# Mean and standard deviation of what is known before anything is seen: lenses of 30 to 80 degrees, cameras from eye
# level to the roof of a house, hung nearly level. Pose has no prior.
PRIOR_MEAN = np.array([np.log(0.9), 0.35, 0.0, np.log(1.8), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
PRIOR_DEVIATION = np.array([0.3, 0.35, 0.06, 0.6, np.inf, np.inf, np.inf, 0.04, 0.04, 0.05])


@dataclass(frozen=True)
class CameraFitSettings:
    """Calibration of one view by the heights of people."""

    height_noise: float = 0.05  # of the logarithm of heights: people differ, boxes are loose
    independent: int = 100  # boxes: thousands of boxes of a few people say no more than so many
    most_boxes: int = 1000  # evenly spread over all
    focal_starts: tuple[float, ...] = (0.6, 1.0, 1.5)  # focal lengths in image widths
    tried: int = 3  # of the starts, the best
    step: float = 1e-7  # of the numerical derivative
    least_boxes: int = 20  # without which no camera is found


CAMERA_FIT = CameraFitSettings()


def robust_share(square: FloatArray) -> FloatArray:
    """By which part of it a squared residual counts, so that it grows like the Cauchy loss."""
    square = np.maximum(square, 1e-12)
    return np.asarray(np.log1p(square) / square)


def weight_of_heights(count: int) -> float:
    """Of each of so many boxes, so that all are worth at most `CAMERA_FIT.independent`."""
    return float(np.sqrt(min(1.0, CAMERA_FIT.independent / max(count, 1))))


def height_residuals(
    parameters: FloatArray, feet: FloatArray, heights: FloatArray, weight: FloatArray | None = None
) -> FloatArray:
    """`(..., N)` robust weighted residuals of log heights of boxes `(..., N)`; without a weight, N of one view."""
    error = np.log(predicted_heights(projections(parameters), feet) / heights) / CAMERA_FIT.height_noise
    error *= np.sqrt(robust_share(error**2))
    return np.asarray(error * (weight_of_heights(len(heights)) if weight is None else weight))


def fit_camera_from_heights(feet: FloatArray, heights: FloatArray, lens: FloatArray | None = None) -> FloatArray | None:
    """Calibrate one view by the heights of the people in it.

    Args:
        feet: `(N, 2)` image points of the feet, in widths from the centre.
        heights: `(N,)` heights of the boxes, in widths; uncut boxes alone.
        lens: `(4,)` log of the focal length, principal point and log of the aspect ratio, where these are known.

    Returns:
        `(10,)` parameters with the camera above the origin, looking along y; None with fewer than 20 boxes.

    Example:
        >>> true = np.array([-0.1, 0.4, 0.0, 0.7, 0, 0, 0, 0, 0, 0])
        >>> feet = np.stack(np.meshgrid(np.linspace(-0.4, 0.4, 8), np.linspace(-0.1, 0.28, 8)), axis=-1).reshape(-1, 2)
        >>> found = fit_camera_from_heights(feet, predicted_heights(projections(true), feet))
        >>> bool(np.abs(found - true).max() < 0.1)
        True
    """
    if len(heights) < CAMERA_FIT.least_boxes:
        return None
    chosen = evenly_spaced(len(heights), CAMERA_FIT.most_boxes)
    feet, heights = feet[chosen], heights[chosen]

    base, free = np.zeros(PARAMETERS), np.arange(OWN)
    if lens is not None:
        base[[FOCAL, CENTRE_X, CENTRE_Y, ASPECT]], free = lens, free[free != FOCAL]

    def complete(own: FloatArray) -> FloatArray:
        parameters = base.copy()
        parameters[free] = own
        return parameters

    def residuals(own: FloatArray) -> FloatArray:
        return _own_residuals(complete(own), feet, heights)

    def slopes(own: FloatArray) -> FloatArray:
        nudges = np.concatenate([np.zeros((1, PARAMETERS)), np.eye(PARAMETERS)[free] * CAMERA_FIT.step])
        nudged = _own_residuals(complete(own) + nudges, feet, heights)
        return np.asarray((nudged[1:] - nudged[0]).T / CAMERA_FIT.step)

    focals = CAMERA_FIT.focal_starts if lens is None else (float(np.exp(lens[0])),)
    begun = [start[free] for start in _starts(feet, heights, focals)]
    starts = sorted(begun, key=lambda start: float((residuals(start) ** 2).sum()))
    fits = [least_squares(residuals, start, slopes, method="lm", max_nfev=80) for start in starts[: CAMERA_FIT.tried]]
    return complete(min(fits, key=lambda fit: float(fit.cost)).x)


def own_cost(camera: FloatArray, feet: FloatArray, heights: FloatArray) -> float:
    """Negative log-likelihood of a camera `(10,)`, up to a constant, from the heights of some boxes and the prior."""
    return 0.5 * float((_own_residuals(camera, feet, heights) ** 2).sum())


def _own_residuals(camera: FloatArray, feet: FloatArray, heights: FloatArray) -> FloatArray:
    """`(..., N + 4)` residuals of cameras `(..., 10)`."""
    prior = (camera[..., :OWN] - PRIOR_MEAN[:OWN]) / PRIOR_DEVIATION[:OWN]
    return np.concatenate([height_residuals(camera, feet, heights), prior], axis=-1)


def prior_residuals(parameters: FloatArray) -> FloatArray:
    """`(..., 7)` how far a camera is from what is usual, in standard deviations."""
    usual = [*range(FOCAL, HEIGHT + 1), *range(CENTRE_X, ASPECT + 1)]
    return np.asarray((parameters[..., usual] - PRIOR_MEAN[usual]) / PRIOR_DEVIATION[usual])


def _starts(feet: FloatArray, heights: FloatArray, focals: Sequence[float]) -> list[FloatArray]:
    """From the straight line through heights over foot rows: it vanishes at the horizon, its slope is 1 / height."""
    design = np.column_stack([feet[:, 1], np.ones(len(feet))])
    weight = 1.0 / heights
    slope, offset = np.linalg.lstsq(design * weight[:, None], np.ones(len(feet)), rcond=None)[0]
    slope = max(float(slope), 0.05)
    horizon = -float(offset) / slope
    starts = []
    for focal in focals:
        level = np.clip(np.arctan(-horizon / focal), -0.3, 1.2)
        starts += [
            np.array([np.log(focal), tilt, 0.0, np.log(np.clip(1.0 / slope, 0.6, 6.0))])
            for tilt in (level, PRIOR_MEAN[TILT], 2 * PRIOR_MEAN[TILT])
        ]
    return starts
