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
from selfmva.geometry.camera_from_heights import height_residuals, prior_residuals
from selfmva.geometry.cameras import ASPECT, CENTRE_X, PARAMETERS, POSE, projections
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
    fixed[[row[view] for view in still]] = True
    free = ~fixed.ravel()
    problem = _Problem(
        [
            MatchedFeet.of(views, m, usual)
            for m, usual in zip(matches, noise if isinstance(noise, Sequence) else [noise] * len(matches), strict=True)
        ],
        [(row[m.i], row[m.j]) for m in matches],
        {row[view]: _rods(views[view]) for view in order if view not in still},
        np.flatnonzero(~fixed.all(axis=0)),
    )
    least, damping = problem.cost(values), REFINEMENT.first_damping
    for _ in range(steps):
        square, gradient = problem.normal_equations(values)
        square, gradient = square[np.ix_(free, free)], gradient[free]
        for _ in range(REFINEMENT.most_tries):
            move = np.zeros(values.size)
            move[free] = -np.linalg.solve(square + damping * np.diag(np.diag(square) + 1e-9), gradient)
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
    """Least squares over cameras `(V, 10)`: matches between rows `ends`, and rods of the rows that move.

    Of the ten parameters, those of `loose` may move.
    """

    matches: Sequence[MatchedFeet]
    ends: list[tuple[int, int]]
    rods: dict[int, tuple[FloatArray, FloatArray]]
    loose: IntArray

    def cost(self, cameras: FloatArray) -> float:
        projection = projections(cameras)
        pairs = [
            matched.residuals(projection[i], projection[j])
            for matched, (i, j) in zip(self.matches, self.ends, strict=True)
        ]
        own = [_own_residuals(cameras[row], *rod) for row, rod in self.rods.items()]
        return float(sum((part**2).sum() for part in pairs + own))

    def normal_equations(self, cameras: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Products of the Jacobian with itself and with the residuals, part by part: most of it is empty."""
        square, gradient = np.zeros((cameras.size, cameras.size)), np.zeros(cameras.size)
        parameters = np.arange(cameras.size).reshape(cameras.shape)[:, self.loose]
        nudges = np.concatenate([np.zeros((1, PARAMETERS)), REFINEMENT.step * np.eye(PARAMETERS)[self.loose]])
        projection = projections(cameras[:, None] + nudges)
        slopes = (projection[:, 1:] - projection[:, :1]) / REFINEMENT.step

        def add(columns: IntArray, residuals: FloatArray, slope: FloatArray) -> None:
            square[np.ix_(columns, columns)] += slope @ slope.T
            gradient[columns] += slope @ residuals

        for matched, ends in zip(self.matches, self.ends, strict=True):
            residuals, slope = matched.linearized(*(projection[end, 0] for end in ends), *(slopes[end] for end in ends))
            moves = [number for number, end in enumerate(ends) if end in self.rods]
            rows = parameters[[ends[number] for number in moves]]
            add(rows.ravel(), residuals.ravel(), slope[moves].reshape(rows.size, -1))
        for row, rod in self.rods.items():
            nudged = _own_residuals(cameras[row] + nudges, *rod)
            add(parameters[row], nudged[0], (nudged[1:] - nudged[0]) / REFINEMENT.step)
        return square, gradient


def _own_residuals(cameras: FloatArray, feet: FloatArray, heights: FloatArray) -> FloatArray:
    """`(..., R)` what a view alone says of its camera `(..., 10)`, and what is usual."""
    return np.concatenate([height_residuals(cameras, feet, heights), prior_residuals(cameras)], axis=-1)


def _rods(view: Sightings) -> tuple[FloatArray, FloatArray]:
    """Feet and heights of boxes that hold a view's camera."""
    good = np.flatnonzero(view.whole & view.usable)
    if len(good) < REFINEMENT.rod_boxes / 10:
        good = np.flatnonzero(view.usable)
    chosen = good[evenly_spaced(len(good), REFINEMENT.rod_boxes)]
    return view.feet[chosen], view.heights[chosen]
