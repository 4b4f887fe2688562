"""Transfer errors of matched boxes of pairs of views, and how they change with the cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.camera_from_heights import robust_share
from selfmva.geometry.floor_cameras import FLOOR_COLUMNS, HORIZON, NEAREST, carried
from selfmva.geometry.tracklet_matches import TRACKLET_MATCHES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.tracklet_matches import Matches

BEHIND = 1e2  # residual of a point that has no image, in standard deviations


@dataclass(frozen=True, eq=False)
class MatchedFeet:
    """Feet of matched boxes of P pairs of views i and j, K of each pair, the last ones padding without weight.

    Attributes:
        feet: Of either view, `(P, 2, K)` image points.
        unit: Of either view, `(P, K)` what an error of one standard deviation is in its image.
        weight: `(P, K)` of their residuals; people who stand say less.
    """

    feet: tuple[FloatArray, FloatArray]
    unit: tuple[FloatArray, FloatArray]
    weight: FloatArray

    @classmethod
    def of(cls, views: Sequence[Sightings], matches: Sequence[Matches], noise: Sequence[float]) -> MatchedFeet:
        """Those of pairs of views, none without a match, whose transfer errors are usually so many body heights."""
        most = max((len(found.rows_i) for found in matches), default=0)
        feet, unit = np.zeros((2, len(matches), 2, most)), np.zeros((2, len(matches), most))
        weight = np.zeros((len(matches), most))
        still = TRACKLET_MATCHES.still_weight
        for number, (found, usual) in enumerate(zip(matches, noise, strict=True)):
            walking = np.ones(len(found.rows_i))
            for side, (view, rows) in enumerate(((found.i, found.rows_i), (found.j, found.rows_j))):
                padded = np.append(rows, np.repeat(rows[:1], most - len(rows)))
                feet[side, number] = views[view].feet[padded].T
                unit[side, number] = views[view].heights[padded] * usual * np.sqrt(2.0)
                walking *= views[view].moving[rows]
            weight[number, : len(walking)] = np.sqrt(found.weight) * (still + (1 - still) * np.sqrt(walking))
        return cls((feet[0], feet[1]), (unit[0], unit[1]), weight)

    def cost(self, projection_i: FloatArray, projection_j: FloatArray) -> float:
        """Sum of the squared robust residuals under projections `(P, 3, 4)`."""
        square = (self._errors(projection_i, projection_j)[0] ** 2).sum(axis=1)
        return float((self.weight**2 * np.log1p(square)).sum())

    def linearized(
        self, projection_i: FloatArray, projection_j: FloatArray, slopes_i: FloatArray, slopes_j: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Robust weighted transfer errors, and their slopes along the parameters of both cameras.

        A foot x of view i is at X on the floor, P_i X ~ x; a change of P_i moves X by what keeps its image in place,
        dX = -(dx / dX)^-1 dx, and with it the image of X in view j.

        Args:
            projection_i: `(P, 3, 4)` of view i.
            projection_j: The same of view j.
            slopes_i: `(P, M, 3, 4)` derivatives of `projection_i` along M parameters.
            slopes_j: The same of view j.

        Returns:
            `(P, 4, K)` residuals, in view j, then in view i, and `(P, 2, M, 4, K)` their slopes along the parameters of
            view i and of view j.
        """
        sides = (projection_i, slopes_i), (projection_j, slopes_j)
        errors, there = self._errors(projection_i, projection_j)
        slopes = np.empty((len(errors), 2, slopes_i.shape[1], *errors.shape[1:]))
        for source, target, rows in ((0, 1, slice(0, 2)), (1, 0, slice(2, 4))):
            floor = _places(sides[source][0], self.feet[source])
            moved, by_place = _image_slopes(*sides[source], floor)
            target_moved, target_by_place = _image_slopes(*sides[target], floor)
            along = _product(target_by_place, _inverse(by_place))[:, None]
            slopes[:, source, :, rows] = -(along[..., 0, :] * moved[..., :1, :] + along[..., 1, :] * moved[..., 1:, :])
            slopes[:, target, :, rows] = target_moved
            slopes[:, :, :, rows] /= self.unit[target][:, None, None, None]
        # The derivative of e sqrt(log(1 + s) / s), s = |e|^2.
        square = np.maximum((errors**2).sum(axis=1), 1e-12)
        share = robust_share(square)
        gain = np.sqrt(share)
        bend = (1.0 / (1.0 + square) - share) / (square * gain)
        bend, slope_gain = (np.where(there, self.weight * part, 0.0) for part in (bend, gain))
        errors = errors[:, None, None]
        lean = bend[:, None, None] * (errors * slopes).sum(axis=3)
        slopes *= slope_gain[:, None, None, None]
        slopes += lean[:, :, :, None] * errors
        return (gain * self.weight)[:, None] * errors[:, 0, 0], slopes

    def _errors(self, projection_i: FloatArray, projection_j: FloatArray) -> tuple[FloatArray, np.ndarray]:
        """`(P, 4, K)` transfer errors in standard deviations, and `(P, K)` of which both images are there."""
        ahead, depth = carried(projection_i, projection_j, self.feet[0])
        back, other_depth = carried(projection_j, projection_i, self.feet[1])
        there = (depth > 0) & (other_depth > 0)
        errors = np.concatenate(
            [(ahead - self.feet[1]) / self.unit[1][:, None], (back - self.feet[0]) / self.unit[0][:, None]], axis=1
        )
        return np.where(there[:, None], errors, BEHIND), there


def _places(projection: FloatArray, feet: FloatArray) -> FloatArray:
    """`(P, 2, K)` places on the floor of image points `(P, 2, K)`."""
    inverse = np.linalg.inv(projection[..., FLOOR_COLUMNS])
    homogeneous = inverse[..., :2] @ feet + inverse[..., 2:]
    near = homogeneous[:, 2:]
    return np.asarray(homogeneous[:, :2] / np.where(np.abs(near) < HORIZON, HORIZON, near))


def _image_slopes(projection: FloatArray, slopes: FloatArray, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How images of places `(P, 2, K)` on the floor move.

    Returns:
        `(P, M, 2, K)` with the parameters, and `(P, 2, 2, K)` with the place.
    """
    homogeneous = projection[..., :2] @ places + projection[..., 3:]
    # Points that have no image are left out by who asks.
    depth = np.where(np.abs(homogeneous[:, 2]) < NEAREST, NEAREST, homogeneous[:, 2])[:, None, None]
    image = homogeneous[:, :2] / depth[:, 0]
    change = slopes[..., :2] @ places[:, None] + slopes[..., 3:]
    by_place = projection[:, :2, :2, None] - image[:, :, None] * projection[:, 2, None, :2, None]
    return (change[:, :, :2] - image[:, None] * change[:, :, 2:]) / depth, by_place / depth


def _inverse(matrices: FloatArray) -> FloatArray:
    """Of `(P, 2, 2, K)`: many small ones take NumPy's solver ten times as long."""
    (a, b), (c, d) = np.moveaxis(matrices, 0, 2)
    return np.asarray(np.array([[d, -b], [-c, a]]) / (a * d - b * c)).transpose(2, 0, 1, 3)


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    """Of `(P, 2, 2, K)` matrices, one by one."""
    return np.asarray(left[:, :, :1] * right[:, :1] + left[:, :, 1:] * right[:, 1:])
