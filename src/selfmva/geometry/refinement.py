"""The cameras that make matched boxes of several views meet on one floor.

Least squares over transfer errors in body heights, the heights of people in every view, and what is usual for a
camera, under the Cauchy loss: bundle adjustment on a floor, whose points are the boxes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.camera_from_heights import height_residuals, prior_residuals, weight_of_heights
from selfmva.geometry.floor_cameras import ASPECT, CENTRE_X, PARAMETERS, POSE, projections
from selfmva.geometry.intrinsics import LENS_PARAMETERS
from selfmva.geometry.matched_feet import MatchedFeet

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.tracklet_matches import Matches

    Cameras = Mapping[int, FloatArray]


@dataclass(frozen=True)
class RefinementSettings:
    """Refinement of cameras."""

    settled: float = 0.003  # of any parameter: cameras that move by less are left alone
    rod_boxes: int = 300  # of a view, whose heights hold its camera
    step: float = 1e-6  # of the derivatives of projections and of heights
    first_damping: float = 1e-3  # of Levenberg-Marquardt, relative to the diagonal
    most_tries: int = 4  # with more damping, for one step
    enough: float = 1e-4  # fraction of the cost that a step must gain for another to follow
    pairs: int = 16  # of views, whose matches are looked at together: they fit into a processor's cache


REFINEMENT = RefinementSettings()


def largest_change(before: Cameras, after: Cameras) -> float:
    """How far any parameter of any camera moved."""
    return max(float(np.abs(after[view] - before[view]).max()) for view in after)


def refine(
    views: Sequence[Sightings],
    cameras: Cameras,
    matches: Sequence[Matches],
    *,
    anchor: int,
    noise: float | Sequence[float],
    steps: int,
    lens: bool,
    still: Collection[int] = (),
) -> dict[int, FloatArray]:
    """Move cameras so that matched boxes meet: Levenberg-Marquardt on the sum of squared robust residuals.

    Args:
        views: All views.
        cameras: Parameters of the cameras to refine.
        matches: Between these.
        anchor: The view whose pose stays: it says where the common floor is.
        noise: Body heights of transfer error that are usual; one for all matches, or one for each entry.
        steps: Largest number of steps of the optimizer.
        lens: Whether principal point and aspect ratio are free as well.
        still: Views whose cameras stay as they are.

    Returns:
        New parameters of the same cameras.
    """
    order = list(cameras)
    row = {view: number for number, view in enumerate(order)}
    values = np.stack([cameras[view] for view in order])
    fixed = np.zeros(values.shape, dtype=bool)
    fixed[row[anchor], POSE] = True
    fixed[:, CENTRE_X : ASPECT + 1] |= not lens
    fixed[np.ix_([row[view] for view in order if views[view].lens_known], LENS_PARAMETERS)] = True
    fixed[[row[view] for view in still]] = True
    usual = noise if isinstance(noise, Sequence) else [noise] * len(matches)
    told = [(found, error) for found, error in zip(matches, usual, strict=True) if len(found.rows_i)]
    parts = [told[first : first + REFINEMENT.pairs] for first in range(0, len(told), REFINEMENT.pairs)]
    moving = [view for view in order if view not in still]
    problem = _Problem(
        [MatchedFeet.of(views, *zip(*part, strict=True)) for part in parts],
        [np.array([[row[found.i], row[found.j]] for found, _ in part]).T for part in parts],
        _Rods.of([views[view] for view in moving], np.array([row[view] for view in moving], dtype=np.int64)),
        np.flatnonzero(~fixed.all(axis=0)),
    )
    free = np.flatnonzero(~fixed[:, problem.loose])
    parameters = np.arange(values.size).reshape(values.shape)[:, problem.loose].ravel()[free]
    least, damping = problem.cost(values), REFINEMENT.first_damping
    for _ in range(steps):
        square, gradient = problem.normal_equations(values)
        square, gradient = square[np.ix_(free, free)], gradient[free]
        for _ in range(REFINEMENT.most_tries):
            move = np.zeros(values.size)
            move[parameters] = -np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-9), gradient)
            tried = values + move.reshape(values.shape)
            reached = problem.cost(tried)
            if reached < least:
                break
            damping *= 10.0
        else:
            break
        gained, values, least, damping = least - reached, tried, reached, damping / 10.0
        if gained < REFINEMENT.enough * least:
            break
    return dict(zip(order, values, strict=True))


@dataclass(frozen=True, eq=False)
class _Problem:
    """Least squares over cameras `(V, 10)`: matches between rows `ends`, part by part, and rods of the rows that move.

    Of the ten parameters, the M of `loose` may move.
    """

    matches: Sequence[MatchedFeet]
    ends: Sequence[IntArray]
    rods: _Rods
    loose: IntArray

    def cost(self, cameras: FloatArray) -> float:
        projection = projections(cameras)
        pairs = sum(
            matched.cost(projection[i], projection[j]) for matched, (i, j) in zip(self.matches, self.ends, strict=True)
        )
        return pairs + float((self.rods.residuals(cameras[self.rods.row]) ** 2).sum())

    def normal_equations(self, cameras: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Products of the Jacobian with itself and with the residuals, `(V M, V M)` and `(V M,)`.

        They come block by block: most of the Jacobian is empty.
        """
        size = len(cameras), len(self.loose)
        square, gradient = np.zeros((size[0], size[0], size[1], size[1])), np.zeros(size)
        nudges = np.concatenate([np.zeros((1, PARAMETERS)), REFINEMENT.step * np.eye(PARAMETERS)[self.loose]])
        nudged = cameras[:, None] + nudges
        projection = projections(nudged)
        slopes = (projection[:, 1:] - projection[:, :1]) / REFINEMENT.step
        halves = slice(0, size[1]), slice(size[1], None)
        for matched, ends in zip(self.matches, self.ends, strict=True):
            residuals, slope = matched.linearized(*(projection[end, 0] for end in ends), *(slopes[end] for end in ends))
            slope = slope.reshape(len(slope), 2 * size[1], -1)
            block, pull = slope @ slope.swapaxes(1, 2), slope @ residuals.reshape(len(slope), -1, 1)
            for end, half in zip(ends, halves, strict=True):
                np.add.at(gradient, end, pull[:, half, 0])
                for other, other_half in zip(ends, halves, strict=True):
                    np.add.at(square, (end, other), block[:, half, other_half])
        own = self.rods.residuals(nudged[self.rods.row])
        slope = (own[:, 1:] - own[:, :1]) / REFINEMENT.step
        square[self.rods.row, self.rods.row] += slope @ slope.swapaxes(1, 2)
        gradient[self.rods.row] += (slope @ own[:, 0, :, None])[..., 0]
        return square.swapaxes(1, 2).reshape(gradient.size, gradient.size), gradient.ravel()


@dataclass(frozen=True, eq=False)
class _Rods:
    """Boxes that hold the cameras of some views, N of each, the last ones padding without weight.

    Attributes:
        row: `(W,)` rows of the views among all cameras.
        feet: `(W, N, 2)` image points.
        heights: `(W, N)` in widths.
        weight: `(W, N)` of their residuals.
    """

    row: IntArray
    feet: FloatArray
    heights: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, views: Sequence[Sightings], row: IntArray) -> _Rods:
        chosen = [_rods(view) for view in views]
        shape = len(views), max(map(len, chosen), default=0)
        feet, heights, weight = np.zeros((*shape, 2)), np.ones(shape), np.zeros(shape)
        for number, (view, boxes) in enumerate(zip(views, chosen, strict=True)):
            count = len(boxes)
            feet[number, :count], heights[number, :count] = view.feet[boxes], view.heights[boxes]
            weight[number, :count] = weight_of_heights(count)
        return cls(row, feet, heights, weight)

    def residuals(self, cameras: FloatArray) -> FloatArray:
        """`(W, ..., R)` what each view alone says of its camera `(W, ..., 10)`, and what is usual."""
        between = (slice(None), *[None] * (cameras.ndim - 2))
        own = height_residuals(cameras, self.feet[between], self.heights[between], self.weight[between])
        return np.concatenate([own, prior_residuals(cameras)], axis=-1)


def _rods(view: Sightings) -> IntArray:
    """Boxes that hold a view's camera."""
    good = np.flatnonzero(view.whole & view.usable)
    if len(good) < REFINEMENT.rod_boxes / 10:
        good = np.flatnonzero(view.usable)
    return good[evenly_spaced(len(good), REFINEMENT.rod_boxes)]
