"""Several views: which tracklets belong together, and the cameras that make them meet on one floor.

Matches come from whole tracklets: two people who walk side by side are told apart by the shape of their walks long
before their places are known exactly. Cameras come from least squares over transfer errors in body heights, the
heights of people in every view, and what is usual for a camera, under the Cauchy loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced, evenly_spaced_blocks
from selfmva.geometry.camera_from_heights import height_residuals, prior_residuals, robust
from selfmva.geometry.cameras import ASPECT, CENTRE_X, PARAMETERS, POSE, project, projections, to_floor
from selfmva.geometry.mutual_nearest import mutually_nearest
from selfmva.geometry.pair_alignment import ALIGNMENT, FAR, squared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings

    ComplexArray = NDArray[np.complex128]
    Cameras = Mapping[int, FloatArray]


@dataclass(frozen=True)
class RefinementSettings:
    """Matching of tracklets, and refinement of cameras."""

    shape_noise: float = 0.15  # body heights: how much two sightings of one walk differ beside a common offset
    block: int = 20  # neighbouring instants that are looked at together, so that tracklets have a length
    still_weight: float = 0.1  # fraction, of people who stand: they meet at shifted instants as well
    rod_boxes: int = 300  # of a view, whose heights hold its camera
    step: float = 1e-6  # of the numerical derivative
    first_damping: float = 1e-3  # of Levenberg-Marquardt, relative to the diagonal
    most_tries: int = 4  # with more damping, for one step
    enough: float = 1e-4  # fraction of the cost that a step must gain for another to follow
    behind: float = 1e2  # residual of a point that has no image, in standard deviations


REFINEMENT = RefinementSettings()


@dataclass(frozen=True, eq=False)
class Matches:
    """Boxes of two views that may be the same person.

    Attributes:
        i: Number of the first view.
        j: Number of the second view.
        rows_i: `(K,)` boxes of view i.
        rows_j: `(K,)` boxes of view j.
        error: `(K,)` the larger transfer error, in body heights.
    """

    i: int
    j: int
    rows_i: IntArray
    rows_j: IntArray
    error: FloatArray


def blocks(first: Sightings, second: Sightings, boxes: int) -> IntArray:
    """Blocks of neighbouring instants at which both views show somebody, spread over the recording.

    Args:
        first: View i.
        second: View j.
        boxes: About how many boxes of the fuller view they should hold.

    Returns:
        `(S,)` increasing numbers of instants.
    """
    both = np.flatnonzero((np.diff(first.starts) > 0) & (np.diff(second.starts) > 0))
    wanted = max(int(boxes / max(first.crowd, second.crowd, 0.3)), 2 * REFINEMENT.block)
    return both[evenly_spaced_blocks(len(both), wanted, REFINEMENT.block)]


def transfer_errors(
    first: Sightings, second: Sightings, camera_i: FloatArray, camera_j: FloatArray, rows: IntArray, other: IntArray
) -> tuple[ComplexArray, ComplexArray, FloatArray]:
    """Transfer errors of all pairs of boxes of the same instant.

    Args:
        first: View i.
        second: View j.
        camera_i: `(10,)`.
        camera_j: `(10,)`.
        rows: `(S, K)` boxes of view i, -1 in the padding.
        other: `(S, L)` boxes of view j.

    Returns:
        `(S, K, L)` complex error vectors in view j, the same in view i, in heights of the box there; and the larger of
        their squared lengths, huge in the padding.
    """
    projection_i, projection_j = projections(camera_i), projections(camera_j)
    ahead = _complex(project(projection_j, to_floor(projection_i, first.feet))[0])
    back = _complex(project(projection_i, to_floor(projection_j, second.feet))[0])
    feet_i, feet_j = _complex(first.feet), _complex(second.feet)
    in_j = (ahead[rows][:, :, None] - feet_j[other][:, None]) / second.heights[other][:, None]
    in_i = (back[other][:, None] - feet_i[rows][:, :, None]) / first.heights[rows][:, :, None]
    square = np.maximum(squared(in_j), squared(in_i))
    square[~((rows >= 0)[:, :, None] & (other >= 0)[:, None, :])] = FAR
    return in_j, in_i, square


def _complex(points: FloatArray) -> ComplexArray:
    return np.asarray(points[..., 0] + 1j * points[..., 1])


def nearest_boxes(
    views: Sequence[Sightings], cameras: Cameras, pair: tuple[int, int], instants: IntArray, lag: int, gate: float
) -> Matches:
    """Boxes that are nearest to each other both ways.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.
        instants: `(S,)` of view i.
        lag: Instants by which view j is shifted.
        gate: Largest transfer error in body heights.

    Returns:
        The matches.
    """
    i, j = pair
    total = len(views[i].starts) - 1
    rows, other = views[i].padded(instants), views[j].padded((instants + lag) % total)
    square = transfer_errors(views[i], views[j], cameras[i], cameras[j], rows, other)[2]
    return _pick(i, j, rows, other, square, square, gate**2)


def matching_tracklets(
    views: Sequence[Sightings], cameras: Cameras, pair: tuple[int, int], instants: IntArray, gate: float
) -> Matches:
    """Boxes of tracklets that take the same course, up to a common offset below the gate.

    Of two tracklets with n common instants, mean transfer error m and root mean square r around it, the score is
    n exp(-(r^2 / shape_noise^2 + m^2 / gate^2) / 2), n counting walking boxes; at every instant, boxes whose tracklets
    are each other's best match.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.
        instants: `(S,)`, in blocks of neighbours.
        gate: Body heights by which the cameras may still be wrong.

    Returns:
        The matches.
    """
    i, j = pair
    first, second = views[i], views[j]
    rows, other = first.padded(instants), second.padded(instants)
    in_j, in_i, square = transfer_errors(first, second, cameras[i], cameras[j], rows, other)
    s, k, m = np.nonzero(square < (1.5 * gate + 2 * REFINEMENT.shape_noise) ** 2)
    box, partner = rows[s, k], other[s, m]
    key = first.tracks[box] * (second.tracks.max(initial=0) + 1) + second.tracks[partner]
    both, member = np.unique(key, return_inverse=True)
    count = np.bincount(member, minlength=len(both))
    # Two courses that share n boxes agree by chance in n - 1 of them.
    unbiased = count / np.maximum(count - 1, 1)
    scatter, offset = np.zeros(len(both)), np.zeros(len(both))
    for error in (in_j[s, k, m], in_i[s, k, m]):
        mean = _sums(member, error, len(both)) / count
        mean_square = np.bincount(member, squared(error), minlength=len(both)) / count
        scatter = np.maximum(scatter, (mean_square - squared(mean)) * unbiased)
        offset = np.maximum(offset, squared(mean))
    deviance = scatter / REFINEMENT.shape_noise**2 + offset / gate**2
    walking = np.bincount(member, np.sqrt(first.moving[box] * second.moving[partner]), minlength=len(both))
    score = np.where(
        (count >= ALIGNMENT.least_common) & (deviance < 4.0), walking + REFINEMENT.still_weight * count, 0.0
    )
    cost = np.zeros(square.shape)
    cost[s, k, m] = -(score * np.exp(-0.5 * deviance))[member]
    return _pick(i, j, rows, other, cost, square, -0.5)


def _sums(member: IntArray, values: ComplexArray, size: int) -> ComplexArray:
    real, imaginary = (np.bincount(member, part, minlength=size) for part in (values.real, values.imag))
    return np.asarray(real + 1j * imaginary)


def _pick(
    i: int, j: int, rows: IntArray, other: IntArray, cost: FloatArray, square: FloatArray, limit: float
) -> Matches:
    """Pairs of boxes whose cost is the least of their row and of their column, and below a limit."""
    best = mutually_nearest(cost) & (cost < limit)
    s, k, m = np.nonzero(best)
    return Matches(i, j, rows[s, k], other[s, m], np.sqrt(square[s, k, m]))


def thinned(matches: Matches, most: int) -> Matches:
    """At most so many of the matches, evenly spread."""
    if len(matches.rows_i) <= most:
        return matches
    chosen = evenly_spaced(len(matches.rows_i), most)
    return Matches(matches.i, matches.j, matches.rows_i[chosen], matches.rows_j[chosen], matches.error[chosen])


def refine(
    views: Sequence[Sightings],
    cameras: Cameras,
    matches: Sequence[Matches],
    *,
    anchor: int,
    noise: float,
    steps: int,
    lens: bool,
) -> dict[int, FloatArray]:
    """Move cameras so that matched boxes meet: Levenberg-Marquardt on the sum of squared robust residuals.

    Args:
        views: All views.
        cameras: Parameters of the cameras to refine.
        matches: Between these.
        anchor: The view whose pose stays: it says where the common floor is.
        noise: Body heights of transfer error that are usual.
        steps: Largest number of steps of the optimizer.
        lens: Whether principal point and aspect ratio are free as well.

    Returns:
        New parameters of the same cameras.
    """
    order = list(cameras)
    row = {view: number for number, view in enumerate(order)}
    values = np.stack([cameras[view] for view in order])
    fixed = np.zeros(values.shape, dtype=bool)
    fixed[row[anchor], POSE] = True
    fixed[:, CENTRE_X : ASPECT + 1] |= not lens
    free = ~fixed.ravel()
    problem = _Problem(
        views, matches, [(row[m.i], row[m.j]) for m in matches], [_rods(views[view]) for view in order], noise
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
    """Least squares over cameras `(V, 10)`: matches between rows `ends`, and rods of every row."""

    views: Sequence[Sightings]
    matches: Sequence[Matches]
    ends: list[tuple[int, int]]
    rods: list[tuple[FloatArray, FloatArray]]
    noise: float

    def cost(self, cameras: FloatArray) -> float:
        pairs = [
            _pair_residuals(self.views, cameras[i], cameras[j], m, self.noise)
            for (i, j), m in zip(self.ends, self.matches, strict=True)
        ]
        own = [_own_residuals(camera, *rod) for camera, rod in zip(cameras, self.rods, strict=True)]
        return float(sum((part**2).sum() for part in pairs + own))

    def normal_equations(self, cameras: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Products of the Jacobian with itself and with the residuals, part by part: most of it is empty."""
        square, gradient = np.zeros((cameras.size, cameras.size)), np.zeros(cameras.size)
        parameters = np.arange(cameras.size).reshape(cameras.shape)

        def add(columns: IntArray, nudged: FloatArray) -> None:
            slope = (nudged[1:] - nudged[0]) / REFINEMENT.step
            square[np.ix_(columns, columns)] += slope @ slope.T
            gradient[columns] += slope @ nudged[0]

        still = np.zeros((PARAMETERS, PARAMETERS))
        nudge = np.concatenate([still[:1], REFINEMENT.step * np.eye(PARAMETERS)])
        first, second = np.concatenate([nudge, still]), np.concatenate([still[:1], still, nudge[1:]])
        for (i, j), m in zip(self.ends, self.matches, strict=True):
            nudged = _pair_residuals(self.views, cameras[i] + first, cameras[j] + second, m, self.noise)
            add(np.concatenate([parameters[i], parameters[j]]), nudged)
        for k, rod in enumerate(self.rods):
            add(parameters[k], _own_residuals(cameras[k] + nudge, *rod))
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


def _pair_residuals(
    views: Sequence[Sightings], camera_i: FloatArray, camera_j: FloatArray, matches: Matches, noise: float
) -> FloatArray:
    """`(..., 4 K)` robust transfer errors of matched boxes, weighted by their motion; cameras `(..., 10)`."""
    first, second, box, partner = views[matches.i], views[matches.j], matches.rows_i, matches.rows_j
    projection_i, projection_j = projections(camera_i), projections(camera_j)
    ahead, depth = project(projection_j, to_floor(projection_i, first.feet[box]))
    back, other_depth = project(projection_i, to_floor(projection_j, second.feet[partner]))
    error = np.concatenate(
        [
            (ahead - second.feet[partner]) / second.heights[partner][:, None],
            (back - first.feet[box]) / first.heights[box][:, None],
        ],
        axis=-1,
    ) / (noise * np.sqrt(2.0))
    error = np.where(((depth > 0) & (other_depth > 0))[..., None], error, REFINEMENT.behind)
    walking = np.sqrt(first.moving[box] * second.moving[partner])
    weighted = robust(error) * (REFINEMENT.still_weight + (1 - REFINEMENT.still_weight) * walking)[:, None]
    return weighted.reshape(*weighted.shape[:-2], -1)
