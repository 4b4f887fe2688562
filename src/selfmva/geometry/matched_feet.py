"""Transfer errors of matched boxes of two views, and how they change with the cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.camera_from_heights import robust
from selfmva.geometry.cameras import NEAREST, project, to_floor
from selfmva.geometry.tracklet_matches import TRACKLET_MATCHES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.tracklet_matches import Matches

BEHIND = 1e2  # residual of a point that has no image, in standard deviations


@dataclass(frozen=True, eq=False)
class MatchedFeet:
    """Feet of K matched boxes of views i and j.

    Attributes:
        feet: Of either view, `(K, 2)` image points.
        unit: Of either view, `(K,)` what an error of one standard deviation is in its image.
        weight: `(K,)` of their residuals; people who stand say less.
    """

    feet: tuple[FloatArray, FloatArray]
    unit: tuple[FloatArray, FloatArray]
    weight: FloatArray

    @classmethod
    def of(cls, views: Sequence[Sightings], matches: Matches, noise: float) -> MatchedFeet:
        """Those of some matches, whose transfer errors are usually so many body heights."""
        sides = (views[matches.i], matches.rows_i), (views[matches.j], matches.rows_j)
        walking = np.sqrt(np.prod([view.moving[rows] for view, rows in sides], axis=0))
        feet, unit = zip(
            *((view.feet[rows], view.heights[rows] * noise * np.sqrt(2.0)) for view, rows in sides), strict=True
        )
        still = TRACKLET_MATCHES.still_weight
        return cls(feet, unit, np.sqrt(matches.weight) * (still + (1 - still) * walking))

    def residuals(self, projection_i: FloatArray, projection_j: FloatArray) -> FloatArray:
        """`(K, 4)` robust weighted transfer errors under projections `(3, 4)`: in view j, then in view i."""
        return np.asarray(robust(self._errors(projection_i, projection_j)[0]) * self.weight[:, None])

    def linearized(
        self, projection_i: FloatArray, projection_j: FloatArray, slopes_i: FloatArray, slopes_j: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Residuals, and their slopes along the parameters of both cameras.

        A foot x of view i is at X on the floor, P_i X ~ x; a change of P_i moves X by what keeps its image in place,
        dX = -(dx / dX)^-1 dx, and with it the image of X in view j.

        Args:
            projection_i: `(3, 4)` of view i.
            projection_j: The same of view j.
            slopes_i: `(M, 3, 4)` derivatives of `projection_i` along M parameters.
            slopes_j: The same of view j.

        Returns:
            `(4, K)` as `residuals` has them, transposed, and `(2, M, 4, K)` their slopes along the parameters of view i
            and of view j.
        """
        sides = (projection_i, slopes_i), (projection_j, slopes_j)
        errors, there = self._errors(projection_i, projection_j)
        errors = np.ascontiguousarray(errors.T)
        slopes = np.empty((2, len(slopes_i), *errors.shape))
        for source, target, rows in ((0, 1, slice(0, 2)), (1, 0, slice(2, 4))):
            floor = to_floor(sides[source][0], self.feet[source])
            moved, by_place = _image_slopes(*sides[source], floor)
            target_moved, target_by_place = _image_slopes(*sides[target], floor)
            carried = _product(target_by_place, _inverse(by_place))
            slopes[source, :, rows] = -(carried[:, 0] * moved[:, None, 0] + carried[:, 1] * moved[:, None, 1])
            slopes[target, :, rows] = target_moved
            slopes[:, :, rows] /= self.unit[target]
        # The derivative of e sqrt(log(1 + s) / s), s = |e|^2.
        square = np.maximum((errors**2).sum(axis=0), 1e-12)
        share = np.log1p(square) / square
        gain = np.sqrt(share)
        bend = (1.0 / (1.0 + square) - share) / (square * gain)
        bend, slope_gain = (there * self.weight * part for part in (bend, gain))
        along = bend * (errors * slopes).sum(axis=2)
        slopes *= slope_gain
        slopes += along[:, :, None] * errors
        return gain * self.weight * errors, slopes

    def _errors(self, projection_i: FloatArray, projection_j: FloatArray) -> tuple[FloatArray, np.ndarray]:
        """`(K, 4)` transfer errors in standard deviations, and `(K,)` of which both images are there."""
        ahead, depth = project(projection_j, to_floor(projection_i, self.feet[0]))
        back, other_depth = project(projection_i, to_floor(projection_j, self.feet[1]))
        there = (depth > 0) & (other_depth > 0)
        errors = np.concatenate(
            [(ahead - self.feet[1]) / self.unit[1][:, None], (back - self.feet[0]) / self.unit[0][:, None]], axis=-1
        )
        return np.where(there[:, None], errors, BEHIND), there


def _image_slopes(projection: FloatArray, slopes: FloatArray, floor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How images of places `(K, 2)` on the floor move: `(M, 2, K)` with the parameters, `(2, 2, K)` with the place."""
    places = floor.T
    homogeneous = projection[:, :2] @ places + projection[:, 3:]
    # Points that have no image are left out by who asks.
    depth = np.where(np.abs(homogeneous[2]) < NEAREST, NEAREST, homogeneous[2])
    image = homogeneous[:2] / depth
    change = slopes[..., :2] @ places + slopes[..., 3:]
    by_place = projection[:2, :2, None] - image[:, None] * projection[2, :2, None]
    return (change[:, :2] - image * change[:, 2:]) / depth, by_place / depth


def _inverse(matrices: FloatArray) -> FloatArray:
    """Of `(2, 2, K)`: many small ones take NumPy's solver ten times as long."""
    (a, b), (c, d) = matrices
    return np.asarray(np.array([[d, -b], [-c, a]]) / (a * d - b * c))


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Of `(2, 2, K)` matrices, one by one."""
    return np.asarray(left[:, :1] * right[:1] + left[:, 1:] * right[1:])
