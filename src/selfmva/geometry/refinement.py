"""Several views: which tracklets belong together, and the cameras that make them meet on one floor.

Matches come from whole tracklets: two people who walk side by side are told apart by the shape of their walks long
before their places are known exactly. Cameras come from least squares over transfer errors in body heights, the
heights of people in every view, and what is usual for a camera, under the Cauchy loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares

from selfmva.geometry.alignment import FAR
from selfmva.geometry.cameras import ASPECT, CENTRE_X, PARAMETERS, POSE, project, projections, to_floor
from selfmva.geometry.upright import height_residuals, prior_residuals, robust

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.geometry.sightings import Sightings
    from selfmva.types import FloatArray, IntArray

    Cameras = Mapping[int, FloatArray]

SHAPE_NOISE = 0.15  # body heights: how much two sightings of one walk differ beside a common offset
LEAST_COMMON = 4  # instants, for a tracklet to count as one
BLOCK = 20  # neighbouring instants that are looked at together, so that tracklets have a length
STILL_WEIGHT = 0.1  # of people who stand: they meet at shifted instants as well
ROD_BOXES = 300  # of a view, whose heights hold its camera
STEP = 1e-6  # of the numerical derivative
BEHIND = 1e2  # residual of a point that has no image


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
    wanted = max(int(boxes / max(first.crowd, second.crowd, 0.3)), 2 * BLOCK)
    if wanted >= len(both):
        return both
    begin = np.linspace(0, len(both) - BLOCK, wanted // BLOCK).astype(np.int64)
    return both[np.unique(begin[:, None] + np.arange(BLOCK))]


def transfer_errors(
    first: Sightings, second: Sightings, camera_i: FloatArray, camera_j: FloatArray, rows: IntArray, other: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Transfer errors of all pairs of boxes of the same instant.

    Args:
        first: View i.
        second: View j.
        camera_i: `(10,)`.
        camera_j: `(10,)`.
        rows: `(S, K)` boxes of view i, -1 in the padding.
        other: `(S, L)` boxes of view j.

    Returns:
        `(S, K, L, 2)` error vectors in view j, the same in view i, in heights of the box there; and `(S, K, L)` the
        larger of their squared lengths, huge in the padding.
    """
    projection_i, projection_j = projections(camera_i), projections(camera_j)
    ahead = project(projection_j, to_floor(projection_i, first.feet))[0]
    back = project(projection_i, to_floor(projection_j, second.feet))[0]
    in_j = (ahead[rows][:, :, None] - second.feet[other][:, None]) / second.heights[other][:, None, :, None]
    in_i = (back[other][:, None] - first.feet[rows][:, :, None]) / first.heights[rows][:, :, None, None]
    square = np.maximum((in_j**2).sum(axis=-1), (in_i**2).sum(axis=-1))
    square[~((rows >= 0)[:, :, None] & (other >= 0)[:, None, :])] = FAR
    return in_j, in_i, square


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
    n exp(-(r^2 / SHAPE_NOISE^2 + m^2 / gate^2) / 2), n counting walking boxes; at every instant, boxes whose
    tracklets are each other's best match.

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
    s, k, m = np.nonzero(square < (1.5 * gate + 2 * SHAPE_NOISE) ** 2)
    box, partner = rows[s, k], other[s, m]
    key = first.tracks[box] * (second.tracks.max(initial=0) + 1) + second.tracks[partner]
    both, member = np.unique(key, return_inverse=True)
    count = np.bincount(member, minlength=len(both))
    error = np.concatenate([in_j[s, k, m], in_i[s, k, m]], axis=1)
    mean, mean_square = (_mean(member, count, values) for values in (error, error**2))
    # Two courses that share n boxes agree by chance in n - 1 of them.
    scatter = np.maximum(mean_square - mean**2, 0.0) * (count / np.maximum(count - 1, 1))[:, None]
    unlike = _larger(scatter) / SHAPE_NOISE**2 + _larger(mean**2) / gate**2
    walking = np.bincount(member, np.sqrt(first.moving[box] * second.moving[partner]), minlength=len(both))
    score = np.where((count >= LEAST_COMMON) & (unlike < 4.0), walking + STILL_WEIGHT * count, 0.0)
    cost = np.zeros(square.shape)
    cost[s, k, m] = -(score * np.exp(-0.5 * unlike))[member]
    return _pick(i, j, rows, other, cost, square, -0.5)


def _mean(member: IntArray, count: IntArray, values: FloatArray) -> FloatArray:
    return np.stack([np.bincount(member, column, minlength=len(count)) / count for column in values.T], axis=1)


def _larger(values: FloatArray) -> FloatArray:
    """The larger of what view j and view i say, `(K, 4)` to `(K,)`."""
    return np.maximum(values[:, :2].sum(axis=1), values[:, 2:].sum(axis=1))


def _pick(
    i: int, j: int, rows: IntArray, other: IntArray, cost: FloatArray, square: FloatArray, limit: float
) -> Matches:
    """Pairs of boxes whose cost is the least of their row and of their column, and below a limit."""
    best = (cost == cost.min(axis=-1, keepdims=True)) & (cost == cost.min(axis=-2, keepdims=True)) & (cost < limit)
    s, k, m = np.nonzero(best)
    return Matches(i, j, rows[s, k], other[s, m], np.sqrt(square[s, k, m]))


def thinned(matches: Matches, most: int) -> Matches:
    """At most so many of the matches, evenly spread."""
    if len(matches.rows_i) <= most:
        return matches
    chosen = np.linspace(0, len(matches.rows_i) - 1, most).astype(np.int64)
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
    """Move cameras so that matched boxes meet.

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
    start = np.stack([cameras[view] for view in order])
    free = np.ones((len(order), PARAMETERS), dtype=bool)
    free[row[anchor], POSE] = False
    if not lens:
        free[:, CENTRE_X : ASPECT + 1] = False
    rods = {view: _rods(views[view]) for view in order}
    columns = np.argwhere(free)

    def parts(values: FloatArray, only: int | None = None) -> list[FloatArray | None]:
        """Residuals of every pair of views and every view; None where `only` another view matters."""
        pairs = [
            _pair_residuals(views, values[row[m.i]], values[row[m.j]], m, noise)
            if only is None or only in (row[m.i], row[m.j])
            else None
            for m in matches
        ]
        own = [
            np.concatenate([height_residuals(values[k], *rods[view]), prior_residuals(values[k])])
            if only is None or only == k
            else None
            for k, view in enumerate(order)
        ]
        return pairs + own

    def filled(moving: FloatArray) -> FloatArray:
        values = start.copy()
        values[free] = moving
        return values

    def residuals(moving: FloatArray) -> FloatArray:
        return np.concatenate([part for part in parts(filled(moving)) if part is not None])

    def jacobian(moving: FloatArray) -> FloatArray:
        values = filled(moving)
        base = [part for part in parts(values) if part is not None]
        bounds = np.cumsum([0, *(len(part) for part in base)])
        result = np.zeros((bounds[-1], len(columns)))
        for column, (camera, parameter) in enumerate(columns):
            nudged = values.copy()
            nudged[camera, parameter] += STEP
            for number, part in enumerate(parts(nudged, only=int(camera))):
                if part is not None:
                    result[bounds[number] : bounds[number + 1], column] = (part - base[number]) / STEP
        return result

    fit = least_squares(residuals, start[free], jac=jacobian, method="trf", x_scale="jac", max_nfev=steps)
    return dict(zip(order, filled(fit.x), strict=True))


def _rods(view: Sightings) -> tuple[FloatArray, FloatArray]:
    """Feet and heights of boxes that hold a view's camera."""
    good = np.flatnonzero(view.whole & view.usable)
    if len(good) < ROD_BOXES / 10:
        good = np.flatnonzero(view.usable)
    chosen = good[np.linspace(0, len(good) - 1, min(len(good), ROD_BOXES)).astype(np.int64)]
    return view.feet[chosen], view.heights[chosen]


def _pair_residuals(
    views: Sequence[Sightings], camera_i: FloatArray, camera_j: FloatArray, matches: Matches, noise: float
) -> FloatArray:
    """`(4 K,)` robust transfer errors of matched boxes, weighted by their motion."""
    first, second, box, partner = views[matches.i], views[matches.j], matches.rows_i, matches.rows_j
    projection_i, projection_j = projections(camera_i), projections(camera_j)
    ahead, depth = project(projection_j, to_floor(projection_i, first.feet[box]))
    back, other_depth = project(projection_i, to_floor(projection_j, second.feet[partner]))
    error = np.concatenate(
        [
            (ahead - second.feet[partner]) / second.heights[partner][:, None],
            (back - first.feet[box]) / first.heights[box][:, None],
        ],
        axis=1,
    ) / (noise * np.sqrt(2.0))
    error = np.where(((depth > 0) & (other_depth > 0))[:, None], error, BEHIND)
    walking = np.sqrt(first.moving[box] * second.moving[partner])
    return np.asarray(robust(error) * (STILL_WEIGHT + (1 - STILL_WEIGHT) * walking)[:, None]).ravel()
