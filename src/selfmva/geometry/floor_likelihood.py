"""Where on the common floor the person in a box stands, and how near two boxes are to being one person.

A box is read twice. First, its bottom centre is the foot and meets the floor. Second, the foot is hidden behind a
person or a table: then its top centre, the head, meets the plane one body height above; and as seen from cameras at
eye level, for which heads are on the horizon and tell nothing, the foot is a bit below the box. The first is the better
reading where it holds: a box with a hidden foot is shorter than where its foot is would ask for (or taller, where it
holds the feet of another), which tells the probability v that the foot is seen. Two boxes a and b are one person
with log-likelihood

    L(a, b) = log sum over readings r of a, s of b of  w_r(a) w_s(b) t(x_r(a) - x_s(b); C_r(a) + C_s(b)),
    w_seen = v, w_hidden = 1 - v,

t the Student density of 4 degrees of freedom: detectors err more often by much than a normal law allows. C carries the
errors of foot and head, which arise in the image in proportion to the box, over to the floor.

L is a density on the floor, per square body height. Against it stands the density s of strangers, who are near but have
no box in the other view: e (L - log s) are the log-odds of one person, e = `LIKELIHOOD.evidence` a bit less than 1,
because the errors of a camera are common to many boxes. One view alone tells s, from the people around a person
(`density_of_strangers`). That is no table learnt from shifted instants, for a reason: people who stand still are at one
place at shifted instants too, and in a crowd they are most of what is near.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from selfmva.geometry.floor_cameras import HEIGHT, PARAMETERS, X, Y, projections, turned_over, upside_down
from selfmva.geometry.sightings import SIGHTINGS, turn_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray, View


@dataclass(frozen=True)
class FloorLikelihoodSettings:
    """Errors of boxes, and what distances on the floor mean."""

    # Standard deviations in heights of the box. Twice or half of any moves the accuracy on real recordings by a
    # hundredth.
    foot_noise: float = 0.06
    head_noise: float = 0.05
    sideways: float = 0.7  # times the noise: boxes are better centred than they are long
    cut: float = 4.0  # times the noise, where the border of the image cuts
    # Heights of the box that a hidden foot is below it, and their standard deviation: a tenth to a half of the body.
    hidden: float = 0.4
    hidden_noise: float = 0.25
    people_differ: float = 0.05  # body heights, standard deviation
    height_spread: float = 0.1  # standard deviation of the log of seen over expected height, where the foot is visible
    visible_log_odds: float = 3.0  # of a foot, in a box as high as expected
    # Log of seen over expected height, at which a recording tells how often the foot is seen.
    statures: FloatArray = field(default_factory=lambda: np.linspace(-1.2, 0.4, 17))
    freedom: float = 4.0  # degrees of freedom of the Student density
    smallest_covariance: float = 1e-8  # square body heights, keeps inverses finite
    smallest_determinant: float = 1e-12  # of a covariance, the same
    smallest_information: float = 1e-4  # one over square body heights, the same
    evidence: float = 0.7  # of what independent errors would be worth
    deepest: float = 1000.0  # body heights from a camera, the farthest place
    neighbourhood: float = 1.5  # body heights, radius in which the density of people is measured
    least_density: float = 0.01  # people a square body height: one in 300 square metres
    # Fraction of the density of people who are strangers: (1 - q)^2 / q where a fraction q of the boxes of both views
    # have a partner, here two thirds.
    strangers: float = 0.16
    nearest: float = 10.0  # log-likelihood of distance 0: both readings within 3 thousandths of a body
    farthest_log_likelihood: float = -30.0  # beyond it, all distances are equally far
    knots: int = 200  # of the table of distances


LIKELIHOOD = FloorLikelihoodSettings()
FARTHEST_DISTANCE = float(np.sqrt(2.0 * (LIKELIHOOD.nearest - LIKELIHOOD.farthest_log_likelihood)))


@dataclass(frozen=True, eq=False)
class FloorReadings:
    """Readings of boxes on the common floor, in body heights.

    Attributes:
        foot: `(M, 2)` where the foot meets the floor.
        foot_covariance: `(M, 2, 2)`.
        hidden: `(M, 2)` where the foot is if it is not the bottom of the box.
        hidden_covariance: `(M, 2, 2)`.
        visible: `(M,)` probability that the foot is seen.
        known: `(M,)` whether the box is of a view that is on the floor, and below the horizon.
        log_stature: `(M,)` log of the height of the box over that of a grown-up who stands where its bottom is.
        foot_on_floor: `(M,)` whether the bottom of the box is below the horizon, and cut by no border.
    """

    foot: FloatArray
    foot_covariance: FloatArray
    hidden: FloatArray
    hidden_covariance: FloatArray
    visible: FloatArray
    known: np.ndarray
    log_stature: FloatArray
    foot_on_floor: np.ndarray

    def estimates(self) -> tuple[FloatArray, FloatArray]:
        """One place `(M, 2)` for every box, and the inverse `(M, 2, 2)` of its covariance; 0 where nothing is known."""
        visible = self.visible[:, None, None]
        apart = self.foot - self.hidden
        place = self.hidden + self.visible[:, None] * apart
        covariance = visible * self.foot_covariance + (1 - visible) * self.hidden_covariance
        covariance += visible * (1 - visible) * apart[:, :, None] * apart[:, None, :]
        weight = np.linalg.inv(covariance + LIKELIHOOD.smallest_covariance * np.eye(2))
        return place, np.where(self.known[:, None, None], weight, 0.0)

    def __getitem__(self, rows: slice | IntArray | tuple[slice, None]) -> FloorReadings:
        """The readings of some of the boxes; with `[:, None]`, of each by itself, to be compared with all others."""
        return FloorReadings(*(getattr(self, column.name)[rows] for column in fields(self)))


def read_boxes_on_floor(
    cameras: Sequence[FloatArray | None],
    views: Sequence[View],
    boxes: FloatArray,
    view: IntArray,
    statures: FloatArray | None = None,
    straight: FloatArray | None = None,
    foot_shifts: FloatArray | None = None,
) -> FloorReadings:
    """Read boxes of several views.

    Args:
        cameras: `(10,)` parameters of every view, None where it is not on the floor.
        views: The cameras' images.
        boxes: `(M, 4)` xyxy in pixels, inside the images.
        view: `(M,)` view of every box.
        statures: What a recording tells of feet, see `selfmva.geometry.statures.learn_statures`; None: nothing.
        straight: `(M, 4)` the boxes as lenses without distortion would show them; None: as they are.
        foot_shifts: `(V, 2)` how far bottoms of boxes lie from the feet, see `selfmva.geometry.foot_shifts`; None:
            nowhere.

    Returns:
        The readings.
    """
    there = np.array([camera is not None for camera in cameras])
    parameters = np.stack([np.zeros(PARAMETERS) if camera is None else camera for camera in cameras])
    width, height = np.array([[v.width, v.height] for v in views], dtype=np.float64)[view].T
    turned = upside_down(parameters)
    straight = boxes if straight is None else straight
    if turned.any():
        boxes, straight = (
            np.where(turned[view][:, None], turn_boxes(some, width, height), some) for some in (boxes, straight)
        )
        parameters = np.where(turned[:, None], turned_over(parameters), parameters)
    projection = projections(parameters)
    inverse = np.asarray(np.linalg.inv(projection[:, :, [0, 1, 3]])[view], dtype=np.float64)
    parameters, projection = parameters[view], projection[view]
    middle = (straight[:, 0] + straight[:, 2]) / 2 / width - 0.5
    top, bottom = ((straight[:, k] - height / 2) / width for k in (1, 3))
    size = bottom - top
    if foot_shifts is not None:
        middle, bottom = middle - foot_shifts[view, 0] * size, bottom - foot_shifts[view, 1] * size
        size = bottom - top
    margin = SIGHTINGS.border * height
    aside = np.where((boxes[:, 0] > margin) & (boxes[:, 2] < width - margin), LIKELIHOOD.sideways, LIKELIHOOD.cut)
    below, above = boxes[:, 3] >= height - margin, boxes[:, 1] <= margin

    foot, foot_slope, depth = _on_floor(inverse, np.column_stack([middle, bottom]))
    foot_noise = size[:, None] * LIKELIHOOD.foot_noise * np.column_stack([aside, np.where(below, LIKELIHOOD.cut, 1.0)])
    foot_front = depth > 0
    head_noise = size[:, None] * LIKELIHOOD.head_noise * np.column_stack([aside, np.where(above, LIKELIHOOD.cut, 1.0)])
    head = _below_head(parameters, *_on_floor(inverse, np.column_stack([middle, top])), head_noise)
    low, low_slope, low_depth = _on_floor(inverse, np.column_stack([middle, bottom + LIKELIHOOD.hidden * size]))
    low_noise = size[:, None] * np.column_stack(
        [LIKELIHOOD.foot_noise * aside, np.where(below, LIKELIHOOD.cut, 1.0) * LIKELIHOOD.hidden_noise]
    )
    hidden, hidden_covariance = _combined([head, (low, _carried(low_slope, low_noise), low_depth > 0)])
    hidden_front = head[2] | (low_depth > 0)

    ones = np.ones((len(foot), 1))
    expected = _row(projection, np.concatenate([foot, 0 * ones, ones], axis=1)) - _row(
        projection, np.concatenate([foot, ones, ones], axis=1)
    )
    stature = np.log(size / np.maximum(expected, 1e-3))
    visible = 1.0 / (1.0 + np.exp(-log_odds_of_visible_feet(stature, statures)))
    visible = np.where(foot_front, np.where(below, 1e-3, np.where(hidden_front, visible, 1.0)), 0.0)
    known = there[view] & (foot_front | hidden_front)
    covariance = _carried(foot_slope, foot_noise)
    return FloorReadings(foot, covariance, hidden, hidden_covariance, visible, known, stature, foot_front & ~below)


def log_odds_of_visible_feet(log_stature: FloatArray, statures: FloatArray | None = None) -> FloatArray:
    """How likely the bottom of a box is a foot.

    Args:
        log_stature: `(M,)`, see `FloorReadings`.
        statures: `(K,)` log-odds at `LIKELIHOOD.statures` that were learnt; None: people are all of one height.

    Returns:
        `(M,)` log-odds.

    Example:
        >>> log_odds_of_visible_feet(np.array([0.0, -0.5])).tolist()
        [3.0, -9.5]
    """
    log_odds = LIKELIHOOD.visible_log_odds - 0.5 * np.minimum((log_stature / LIKELIHOOD.height_spread) ** 2, 60.0)
    if statures is None:
        return np.asarray(log_odds)
    return np.maximum(log_odds, np.interp(log_stature, LIKELIHOOD.statures, statures))


def distances_on_floor(first: FloorReadings, second: FloorReadings) -> FloatArray:
    """How far two boxes are from being one person: d with L = `LIKELIHOOD.nearest` - d^2 / 2 (see the module).

    Args:
        first: Of N boxes.
        second: Of M boxes.

    Returns:
        `(N, M)` in [0, FARTHEST_DISTANCE]; NaN where a box is of a view that is not on the floor.
    """
    return distances_of_pairs_on_floor(first[:, None], second)


def distances_of_pairs_on_floor(first: FloorReadings, second: FloorReadings) -> FloatArray:
    """Distances `(...)` of boxes and others one by one, whose readings broadcast; see `distances_on_floor`."""
    sides = [
        [(side.foot, side.foot_covariance, side.visible), (side.hidden, side.hidden_covariance, 1.0 - side.visible)]
        for side in (first, second)
    ]
    likelihood = np.zeros(np.broadcast_shapes(first.visible.shape, second.visible.shape))
    for place, covariance, weight in sides[0]:
        for other, other_covariance, other_weight in sides[1]:
            density = _density(place, covariance, other, other_covariance)
            density *= weight
            density *= other_weight
            likelihood += density
    return np.where(first.known & second.known, distance_of_likelihood(likelihood), np.nan)


def distance_of_likelihood(likelihood: FloatArray) -> FloatArray:
    """The distance d in [0, FARTHEST_DISTANCE] of likelihoods exp(L) `(...)`: L = `LIKELIHOOD.nearest` - d^2 / 2.

    Example:
        >>> distance_of_likelihood(np.exp([LIKELIHOOD.nearest, LIKELIHOOD.nearest - 2.0, -np.inf])).tolist() == [
        ...     0.0, 2.0, FARTHEST_DISTANCE]
        True
    """
    log_likelihood = np.log(np.maximum(likelihood, np.exp(LIKELIHOOD.farthest_log_likelihood)))
    return np.asarray(np.sqrt(2.0 * np.maximum(LIKELIHOOD.nearest - log_likelihood, 0.0)))


def density_of_strangers(readings: FloorReadings, image: IntArray) -> float:
    """Strangers around a person: a fraction of the other people that each image shows there.

    Args:
        readings: Of M boxes.
        image: `(M,)` number of the image, that is of instant and view, that shows a box.

    Returns:
        `LIKELIHOOD.strangers` times the mean number of other boxes of the same image per square body height within
        `LIKELIHOOD.neighbourhood`, that at least `LIKELIHOOD.least_density`.
    """
    place, image = readings.estimates()[0][readings.known], np.asarray(image)[readings.known]
    if not len(place):
        return LIKELIHOOD.strangers * LIKELIHOOD.least_density
    # Images lie above each other, too far apart to be neighbours.
    tree = cKDTree(np.column_stack([place, image * (2 * LIKELIHOOD.neighbourhood)]))
    others = 2 * len(tree.query_pairs(LIKELIHOOD.neighbourhood, output_type="ndarray"))
    return LIKELIHOOD.strangers * max(
        others / len(place) / (np.pi * LIKELIHOOD.neighbourhood**2), LIKELIHOOD.least_density
    )


def log_odds_of_distances(strangers: float) -> tuple[FloatArray, FloatArray]:
    """What distances of `distances_on_floor` mean.

    Args:
        strangers: See `density_of_strangers`.

    Returns:
        Knots `(K,)` and log-odds `(K,)` of "same person".

    Example:
        >>> distances, log_odds = log_odds_of_distances(strangers=0.5)
        >>> bool(log_odds[0] > 7), bool(log_odds[-1] < -20)
        (True, True)
    """
    distances = np.linspace(0.0, FARTHEST_DISTANCE, LIKELIHOOD.knots)
    return distances, LIKELIHOOD.evidence * (LIKELIHOOD.nearest - distances**2 / 2.0 - np.log(strangers))


def _on_floor(inverse: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`(M, 2)` where rays meet the floor, `(M, 2, 2)` its derivative, `(M,)` the depth there, negative behind.

    The inverses `(M, 3, 3)` are those of what takes the floor to the image.
    """
    ray = (inverse[:, :, :2] @ points[:, :, None])[..., 0] + inverse[:, :, 2]
    # The third coordinate is one over the depth; it goes through 0 at the horizon.
    scale = np.where(
        np.abs(ray[:, 2]) < 1 / LIKELIHOOD.deepest, np.where(ray[:, 2] < 0, -1, 1) / LIKELIHOOD.deepest, ray[:, 2]
    )
    place = ray[:, :2] / scale[:, None]
    slope = (inverse[:, :2, :2] - place[:, :, None] * inverse[:, 2:, :2]) / scale[:, None, None]
    return place, slope, 1 / scale


def _below_head(
    parameters: FloatArray, place: FloatArray, slope: FloatArray, depth: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Where people stand whose heads are seen, from where the rays of the heads meet the floor.

    With the camera above C at height H, a ray that meets the floor at p is at height z over C + (1 - z / H) (p - C).

    Returns:
        Places `(M, 2)`, covariances `(M, 2, 2)` with people's heights differing, and `(M,)` whether in front.
    """
    camera_height = np.exp(parameters[:, HEIGHT])[:, None]
    way = place - parameters[:, [X, Y]]
    fraction = 1.0 - 1.0 / camera_height
    differ = LIKELIHOOD.people_differ * way / camera_height
    # A camera at eye level: all rays of heads start at people's height, and which height that is decides.
    spread = np.hypot(fraction, LIKELIHOOD.people_differ / camera_height)
    covariance = _carried(spread[..., None] * slope, noise) + differ[:, :, None] * differ[:, None, :]
    return parameters[:, [X, Y]] + fraction * way, covariance, fraction[:, 0] * depth > 0


def _carried(slope: FloatArray, noise: FloatArray) -> FloatArray:
    """`(M, 2, 2)` covariance on the floor of independent errors `(M, 2)` in the image."""
    scaled = slope * noise[:, None, :]
    return np.asarray(scaled @ np.swapaxes(scaled, 1, 2))


def _combined(readings: Sequence[tuple[FloatArray, FloatArray, np.ndarray]]) -> tuple[FloatArray, FloatArray]:
    """Place and covariance of the product of normal laws `(M, 2)`, `(M, 2, 2)`, of those that hold `(M,)`."""
    information = [
        _inverse(covariance + LIKELIHOOD.smallest_covariance * np.eye(2)) * holds[:, None, None]
        for _, covariance, holds in readings
    ]
    covariance = _inverse(np.sum(information, axis=0) + LIKELIHOOD.smallest_information * np.eye(2))
    weighted = [weight @ place[:, :, None] for weight, (place, _, _) in zip(information, readings, strict=True)]
    return (covariance @ np.sum(weighted, axis=0))[..., 0], covariance


def _inverse(matrices: FloatArray) -> FloatArray:
    """Of symmetric positive matrices `(M, 2, 2)`: many small ones take NumPy's solver ten times as long."""
    xx, xy, yy = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 1]
    adjugate = np.array([yy, -xy, -xy, xx])
    return np.asarray((adjugate / (xx * yy - xy * xy)).T.reshape(-1, 2, 2))


def _row(projection: FloatArray, points: FloatArray) -> FloatArray:
    """`(M,)` image rows of points `(M, 4)`."""
    homogeneous = (projection @ points[:, :, None])[..., 0]
    return np.asarray(homogeneous[:, 1] / np.where(np.abs(homogeneous[:, 2]) > 1e-6, homogeneous[:, 2], 1e-6))


def _density(place: FloatArray, covariance: FloatArray, other: FloatArray, other_covariance: FloatArray) -> FloatArray:
    """`(...)` Student density of the differences of places `(..., 2)` and others, their covariances added."""
    # Component by component: arrays of small matrices take several times as long.
    x, y = (place[..., axis] - other[..., axis] for axis in range(2))
    xx, xy, yy = (covariance[..., a, b] + other_covariance[..., a, b] for a, b in ((0, 0), (0, 1), (1, 1)))
    determinant = np.maximum(xx * yy - xy * xy, LIKELIHOOD.smallest_determinant)
    tail = 1.0 + (yy * x * x - 2 * xy * x * y + xx * y * y) / (LIKELIHOOD.freedom * determinant)
    return np.asarray(1.0 / (tail * tail * tail * (2.0 * np.pi) * np.sqrt(determinant)))  # the power (freedom + 2) / 2
