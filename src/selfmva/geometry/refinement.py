"""Several views: which tracklets belong together, and the cameras that make them meet on one floor.

Matches come from whole tracklets: two people who walk side by side are told apart by the shape of their walks long
before their places are known exactly. Cameras come from least squares over transfer errors in body heights, the
heights of people in every view, and what is usual for a camera, under the Cauchy loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced, evenly_spaced_blocks
from selfmva.geometry.box_pairs import best_of_each, pairs_of_boxes, squared_errors, squared_length, transfer_errors
from selfmva.geometry.camera_from_heights import height_residuals, prior_residuals, robust
from selfmva.geometry.cameras import ASPECT, CENTRE_X, PARAMETERS, POSE, project, projections, to_floor
from selfmva.geometry.walks import WALKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
    least_worth: float = 0.5  # walking boxes, weighted by how well two courses agree
    most_matches: int = 400  # of a pair of views that count: thousands of a few people say no more
    gate_over_error: float = 2.5  # median transfer errors that the next gate is wide
    settled: float = 0.003  # of any parameter: cameras that move by less are left alone
    narrowest_gate: float = 0.3  # body heights
    least_matches: int = 8  # of a pair, without which it is left out
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
        weight: Of each of them, where a few stand for many.
    """

    i: int
    j: int
    rows_i: IntArray
    rows_j: IntArray
    error: FloatArray
    weight: float = 1.0


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
    _, box, partner = pairs_of_boxes(first, second, instants)
    in_j, in_i = transfer_errors(first, second, cameras[i], cameras[j], box, partner)
    square = np.maximum(squared_length(in_j), squared_length(in_i))
    near = square < (1.5 * gate + 2 * REFINEMENT.shape_noise) ** 2
    box, partner, square, in_j, in_i = (values[near] for values in (box, partner, square, in_j, in_i))
    key = first.tracks[box] * (second.tracks.max(initial=0) + 1) + second.tracks[partner]
    both, member = np.unique(key, return_inverse=True)
    count = np.bincount(member, minlength=len(both))
    # Two courses that share n boxes agree by chance in n - 1 of them.
    unbiased = count / np.maximum(count - 1, 1)
    scatter, offset = np.zeros(len(both)), np.zeros(len(both))
    for error in (in_j, in_i):
        mean = _sums(member, error, len(both)) / count
        mean_square = np.bincount(member, squared_length(error), minlength=len(both)) / count
        scatter = np.maximum(scatter, (mean_square - squared_length(mean)) * unbiased)
        offset = np.maximum(offset, squared_length(mean))
    deviance = scatter / REFINEMENT.shape_noise**2 + offset / gate**2
    walking = np.bincount(member, np.sqrt(first.moving[box] * second.moving[partner]), minlength=len(both))
    score = np.where((count >= WALKS.least_common) & (deviance < 4.0), walking + REFINEMENT.still_weight * count, 0.0)
    worth = np.where(score > 0, score * np.exp(-0.5 * deviance), 0.0)[member]
    worth = np.where(worth > REFINEMENT.least_worth, worth, 0.0)
    chosen = best_of_each(box, worth) & best_of_each(partner, worth)
    return Matches(i, j, box[chosen], partner[chosen], np.sqrt(square[chosen]))


def _sums(member: IntArray, values: ComplexArray, size: int) -> ComplexArray:
    real, imaginary = (np.bincount(member, part, minlength=size) for part in (values.real, values.imag))
    return np.asarray(real + 1j * imaginary)


def matches_of_pairs(
    views: Sequence[Sightings], cameras: Cameras, gates: Mapping[tuple[int, int], float], boxes: int, most: int
) -> list[Matches]:
    """Matching tracklets of several pairs of views; pairs with few matches are left out.

    Args:
        views: All views.
        cameras: Parameters by view.
        gates: By pair of views that have a camera, body heights by which they may still be wrong.
        boxes: About how many boxes of a view are looked at.
        most: Largest number of matches of a pair.

    Returns:
        One entry for each pair that has enough.
    """
    found = []
    for (i, j), gate in gates.items():
        matches = matching_tracklets(views, cameras, (i, j), blocks(views[i], views[j], boxes), gate)
        if len(matches.rows_i) >= REFINEMENT.least_matches:
            found.append(thinned(matches, most))
    return found


def thinned(matches: Matches, most: int) -> Matches:
    """At most so many of the matches, evenly spread; they stand for up to `REFINEMENT.most_matches`."""
    if len(matches.rows_i) <= most:
        return matches
    chosen = evenly_spaced(len(matches.rows_i), most)
    weight = min(len(matches.rows_i), REFINEMENT.most_matches) / most
    return Matches(matches.i, matches.j, matches.rows_i[chosen], matches.rows_j[chosen], matches.error[chosen], weight)


def narrowed(views: Sequence[Sightings], cameras: Cameras, matches: Matches, gate: float) -> float:
    """The gate for the next matches of a pair of views: a few times the error that is left, and no wider than before.

    A gate that narrows by itself shuts out the right partners of a camera that has a long way to go.

    Args:
        views: All views.
        cameras: Parameters by view, refined by these matches.
        matches: Between two of them.
        gate: With which they were found, in body heights.

    Returns:
        Body heights.
    """
    i, j = matches.i, matches.j
    square = squared_errors(views[i], views[j], cameras[i], cameras[j], matches.rows_i, matches.rows_j)
    left = float(np.sqrt(np.median(square)))
    return float(np.clip(REFINEMENT.gate_over_error * left, REFINEMENT.narrowest_gate, gate))


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
        views,
        matches,
        [(row[m.i], row[m.j]) for m in matches],
        {row[view]: _rods(views[view]) for view in order if view not in still},
        list(noise) if isinstance(noise, Sequence) else [noise] * len(matches),
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

    views: Sequence[Sightings]
    matches: Sequence[Matches]
    ends: list[tuple[int, int]]
    rods: dict[int, tuple[FloatArray, FloatArray]]
    noise: Sequence[float]
    loose: IntArray

    def cost(self, cameras: FloatArray) -> float:
        pairs = [
            _pair_residuals(self.views, cameras[i], cameras[j], m, noise)
            for (i, j), m, noise in zip(self.ends, self.matches, self.noise, strict=True)
        ]
        own = [_own_residuals(cameras[row], *rod) for row, rod in self.rods.items()]
        return float(sum((part**2).sum() for part in pairs + own))

    def normal_equations(self, cameras: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Products of the Jacobian with itself and with the residuals, part by part: most of it is empty."""
        square, gradient = np.zeros((cameras.size, cameras.size)), np.zeros(cameras.size)
        parameters = np.arange(cameras.size).reshape(cameras.shape)[:, self.loose]

        def add(columns: IntArray, nudged: FloatArray) -> None:
            slope = (nudged[1:] - nudged[0]) / REFINEMENT.step
            square[np.ix_(columns, columns)] += slope @ slope.T
            gradient[columns] += slope @ nudged[0]

        same = np.zeros((1, PARAMETERS))
        each = REFINEMENT.step * np.eye(PARAMETERS)[self.loose]
        still = np.zeros_like(each)
        for (i, j), m, noise in zip(self.ends, self.matches, self.noise, strict=True):
            both, first, second = [i in self.rods, j in self.rods], [same], [same]
            if both[0]:
                first, second = [*first, each], [*second, still]
            if both[1]:
                first, second = [*first, still], [*second, each]
            nudged = _pair_residuals(
                self.views, cameras[i] + np.concatenate(first), cameras[j] + np.concatenate(second), m, noise
            )
            add(parameters[[row for row, moves in zip((i, j), both, strict=True) if moves]].ravel(), nudged)
        for row, rod in self.rods.items():
            add(parameters[row], _own_residuals(cameras[row] + np.concatenate([same, each]), *rod))
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
    return np.asarray(np.sqrt(matches.weight) * weighted.reshape(*weighted.shape[:-2], -1))
