"""What one view saw over a recording, as geometry needs it: feet, heads, tracklets, and a first camera."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.camera_from_heights import CAMERA_FIT, fit_camera_from_heights, own_cost
from selfmva.geometry.cameras import straight_boxes
from selfmva.geometry.floor_cameras import (
    NEAREST,
    PARAMETERS,
    predicted_heights,
    project,
    projections,
    to_floor,
    turned_over,
    upside_down,
)
from selfmva.geometry.intrinsics import lens_parameters
from selfmva.geometry.tracklets import link, smoothed, speeds, spreads

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.types import FloatArray, IntArray, View
    from selfmva.geometry.cameras import Camera


@dataclass(frozen=True)
class SightingsSettings:
    """Reading of the boxes of one view."""

    border: float = 0.005  # fraction of the image's height: boxes that come nearer to its border are cut by it
    # Log of seen over expected height, beyond which feet or head are hidden, or nobody stands there.
    off_height: float = 0.5
    farthest: float = 60.0  # body heights from the camera
    fast: float = 85.0  # percentile of speeds that stands for walking
    still: float = 0.25  # of that speed, below which a person stands
    walking: float = 0.5  # of that speed, above which a person walks
    # Body heights that a tracklet strays: less is a loose box, more a person who goes somewhere.
    roaming: tuple[float, float] = (0.2, 0.5)
    # Log-likelihood by which heights must speak for a camera that hangs upside down: one in a thousand does, and near
    # cameras see people from above, whom no rod on the floor stands for well.
    turned: float = 20.0
    upright_boxes: int = 300  # by which that is decided
    undecided: float = 4.0  # log-likelihood, from where on neither is believed
    unknown_motion: float = 0.1  # weight of a box without neighbours in time


SIGHTINGS = SightingsSettings()


@dataclass(frozen=True, eq=False)
class Sightings:
    """The boxes of one view.

    Attributes:
        instant: `(N,)` number of the instant of every box, increasing.
        starts: `(T + 1,)` first box of every instant.
        feet: `(N, 2)` bottom centres, in widths from the centre of the image.
        heads: `(N, 2)` top centres.
        heights: `(N,)` in widths.
        foot_inside: `(N,)` where the image's border cuts neither feet nor sides.
        whole: `(N,)` where the border cuts nothing.
        tracks: `(N,)` number of the tracklet.
        speed: `(N,)` body heights an instant; NaN where it is not known.
        moving: `(N,)` weight in [0, 1]: 0 stands still, 1 walks.
        camera: `(10,)` first guess of the camera, see `selfmva.geometry.floor_cameras`; NaN where too few boxes
            are whole.
        usable: `(N,)` boxes that stand where and as tall as `camera` expects.
        places: `(N,)` complex places of the feet on the floor of `camera`.
        image_height: In widths.
        upside_down: Whether the camera hangs upside down; all of this is then of its image turned by 180 degrees.
        doubtful: Whether the heights of people speak clearly for neither.
        lens_known: Whether focal lengths and principal point of `camera` are known, so that nothing moves them.
    """

    instant: IntArray
    starts: IntArray
    feet: FloatArray
    heads: FloatArray
    heights: FloatArray
    foot_inside: np.ndarray
    whole: np.ndarray
    tracks: IntArray
    speed: FloatArray
    moving: FloatArray
    camera: FloatArray
    usable: np.ndarray
    places: np.ndarray
    image_height: float
    upside_down: bool
    doubtful: bool = False
    lens_known: bool = False

    @property
    def calibrated(self) -> bool:
        """True where there is a first guess of the camera."""
        return not np.isnan(self.camera).any()

    @property
    def crowd(self) -> float:
        """Boxes an instant."""
        return len(self.instant) / max(len(self.starts) - 1, 1)

    @cached_property
    def usable_at(self) -> tuple[IntArray, IntArray]:
        """`(U,)` numbers of the usable boxes, and `(T + 1,)` the first of them of every instant."""
        counted = np.concatenate([[0], np.cumsum(self.usable)])
        return np.flatnonzero(self.usable), counted[self.starts]

    @cached_property
    def complex_feet(self) -> NDArray[np.complex128]:
        """`(N,)` feet as complex numbers."""
        return np.asarray(self.feet[:, 0] + 1j * self.feet[:, 1])

    @cached_property
    def per_height(self) -> FloatArray:
        """`(N,)` one over the heights."""
        return np.asarray(1.0 / self.heights)

    @cached_property
    def fast(self) -> float:
        """How far walkers come in an instant, in body heights; NaN where nobody has a speed."""
        known = self.speed[np.isfinite(self.speed)]
        return float(np.percentile(known, SIGHTINGS.fast)) if len(known) >= CAMERA_FIT.least_boxes else np.nan

    @cached_property
    def presence(self) -> float:
        """How often somebody who is followed has a box, in (0, 1]: detectors miss people."""
        if not len(self.tracks):
            return 1.0
        last, first = np.zeros((2, int(self.tracks.max()) + 1))
        first += len(self.starts)
        np.maximum.at(last, self.tracks, self.instant)
        np.minimum.at(first, self.tracks, self.instant)
        lived = np.maximum(last - first + 1, 0)
        return float(len(self.tracks) / max(lived.sum(), 1.0))

    def padded(self, instants: IntArray) -> IntArray:
        """`(S, K)` numbers of the usable boxes of some instants, -1 in the padding."""
        instants = np.asarray(instants)
        size = np.diff(self.starts)[instants]
        width = int(size.max(initial=1))
        rows = self.starts[instants][:, None] + np.arange(max(width, 1))
        there = np.arange(max(width, 1)) < size[:, None]
        there &= self.usable[np.where(there, rows, 0)] if len(self.usable) else False
        # Usable boxes first, so that no column is wasted on others.
        order = np.argsort(~there, axis=1, kind="stable")
        rows = np.take_along_axis(np.where(there, rows, -1), order, axis=1)
        return rows[:, : max(int(there.sum(axis=1).max(initial=1)), 1)]


def image_points(boxes: FloatArray, view: View) -> tuple[FloatArray, FloatArray]:
    """Feet and heads `(N, 2)` of boxes `(N, 4)` in pixels, in widths from the centre of the image."""
    middle = (boxes[:, 0] + boxes[:, 2]) / 2 / view.width - 0.5
    top, bottom = ((boxes[:, k] - view.height / 2) / view.width for k in (1, 3))
    return np.column_stack([middle, bottom]), np.column_stack([middle, top])


def build_sightings(
    view: View,
    boxes: FloatArray,
    counts: IntArray,
    time: FloatArray,
    track_ids: IntArray | None = None,
    camera: FloatArray | None = None,
    turned: bool | None = None,
    lens: Camera | None = None,
) -> Sightings:
    """Read the boxes of one view.

    Args:
        view: The camera.
        boxes: `(N, 4)` xyxy in pixels, inside the image, instant after instant.
        counts: `(T,)` number of boxes at each instant.
        time: `(T,)` increasing times, neighbours about 1 apart.
        track_ids: `(N,)` of the user's own tracker, -1 = no track; one that several boxes of an instant have is none
            for them. None: tracklets are linked here.
        camera: `(10,)` parameters where they are known; None: they are found from the heights of the boxes.
        turned: Whether to read it as a camera that hangs upside down; None: as the camera or the heights say.
        lens: A camera with the lens of this one, where that is known; without `camera`, its place is then found, and
            its focal lengths are held.

    Returns:
        The sightings.
    """
    doubt = 0.0 if camera is not None or turned is not None else _doubt_of_upright(view, boxes)
    undecided = SIGHTINGS.undecided < doubt <= SIGHTINGS.turned
    doubtful = camera is None and turned is None and abs(doubt) <= SIGHTINGS.turned
    if turned is None:
        turned = doubt > SIGHTINGS.turned if camera is None else bool(upside_down(camera))
    straight = boxes if lens is None else straight_boxes(boxes, np.zeros(len(boxes), np.int64), [lens])
    if turned:
        boxes, straight = (turn_boxes(some, view.width, view.height) for some in (boxes, straight))
        camera = None if camera is None else turned_over(camera)
    feet, heads = image_points(straight, view)
    heights = feet[:, 1] - heads[:, 1]
    foot_inside, whole = _uncut(boxes, view)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    instant = np.repeat(np.arange(len(counts)), counts)
    tracks = link(time, starts, feet, heads) if track_ids is None else _number(track_ids, instant)
    feet, heads = _steadied(time[instant], tracks, feet, heads)
    heights = feet[:, 1] - heads[:, 1]
    speed = speeds(time[instant], tracks, feet, heights)
    low, high = SIGHTINGS.roaming
    moving = _moving(speed) * np.clip((spreads(tracks, feet, heights) - low) / (high - low), 0.0, 1.0)
    rods = _rods(foot_inside, whole)
    held = None
    if lens is not None and camera is None:
        held = lens_parameters(lens, view) * ([1.0, -1.0, -1.0, 1.0] if turned else 1.0)
    found = camera
    if camera is None and not undecided:
        found = fit_camera_from_heights(feet[rods], heights[rods], held)
    usable, places = np.zeros(len(feet), bool), np.zeros(len(feet), complex)
    if found is None:
        found = np.full(PARAMETERS, np.nan)
    else:
        projection = projections(found)
        floor = to_floor(projection, feet)
        expected = predicted_heights(projection, feet)
        usable = foot_inside & (np.abs(np.log(heights / expected)) < SIGHTINGS.off_height)
        usable &= (project(projection, floor)[1] > NEAREST) & (
            np.abs(floor).max(axis=1, initial=0.0) < SIGHTINGS.farthest
        )
        places = floor[:, 0] + 1j * floor[:, 1]
    return Sightings(
        instant,
        starts,
        feet,
        heads,
        heights,
        foot_inside,
        whole,
        tracks,
        speed,
        moving,
        found,
        usable,
        places,
        view.height / view.width,
        turned,
        doubtful,
        lens is not None,
    )


def turn_boxes(boxes: FloatArray, width: ArrayLike, height: ArrayLike) -> FloatArray:
    """Boxes `(N, 4)` xyxy in an image of some size, all numbers or `(N,)`, that was turned by 180 degrees."""
    left, top, right, bottom = boxes.T
    return np.column_stack([width - right, height - bottom, width - left, height - top])


def _doubt_of_upright(view: View, boxes: FloatArray) -> float:
    """By which log-likelihood the heights of people speak for a camera that hangs upside down."""
    costs = []
    for seen in (boxes, turn_boxes(boxes, view.width, view.height)):
        feet, heads = image_points(seen, view)
        rods = _rods(*_uncut(seen, view))
        if rods.sum() < CAMERA_FIT.least_boxes:
            return 0.0
        chosen = np.flatnonzero(rods)
        chosen = chosen[evenly_spaced(len(chosen), SIGHTINGS.upright_boxes)]
        heights = (feet - heads)[chosen, 1]
        camera = fit_camera_from_heights(feet[chosen], heights)
        costs.append(np.inf if camera is None else own_cost(camera, feet[chosen], heights))
    return costs[0] - costs[1]


def _uncut(boxes: FloatArray, view: View) -> tuple[np.ndarray, np.ndarray]:
    """`(N,)` boxes of which the border of the image cuts neither feet nor sides, and of which it cuts nothing."""
    margin = SIGHTINGS.border * view.height
    sides = (boxes[:, 0] > margin) & (boxes[:, 2] < view.width - margin)
    foot_inside = sides & (boxes[:, 3] < view.height - margin)
    return foot_inside, foot_inside & (boxes[:, 1] > margin)


def _rods(foot_inside: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Boxes whose heights tell the camera.

    Cameras at eye level cut heads off; the rest of such a box still tells the distance.
    """
    return whole if whole.sum() >= max(0.3 * len(whole), 50) else foot_inside


def _steadied(time: FloatArray, tracks: IntArray, feet: FloatArray, heads: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Feet and heads without the shaking of the detector."""
    coordinates = np.column_stack([feet, heads[:, 1]])
    across, low, high = smoothed(time, tracks, coordinates, feet[:, 1] - heads[:, 1]).T
    return np.column_stack([across, low]), np.column_stack([across, np.minimum(high, low - 1e-6)])


def _number(track_ids: IntArray, instant: IntArray) -> IntArray:
    """Tracks counted from 0; boxes without a track, or with one that others have at the same instant, get their own."""
    ids, number = np.unique(track_ids, return_inverse=True)
    _, shown, times = np.unique(instant * len(ids) + number, return_inverse=True, return_counts=True)
    nobody = (track_ids < 0) | (times[shown] > 1)
    own = np.where(nobody, track_ids.max(initial=0) + 1 + np.arange(len(track_ids)), track_ids)
    return np.unique(own, return_inverse=True)[1].astype(np.int64)


def _moving(speed: FloatArray) -> FloatArray:
    known = np.isfinite(speed)
    if known.sum() < CAMERA_FIT.least_boxes:
        return np.full(len(speed), SIGHTINGS.unknown_motion)
    fast = max(float(np.percentile(speed[known], SIGHTINGS.fast)), 1e-6)
    fraction = np.clip(
        (np.where(known, speed, 0.0) / fast - SIGHTINGS.still) / (SIGHTINGS.walking - SIGHTINGS.still), 0.0, 1.0
    )
    return np.where(known, fraction, SIGHTINGS.unknown_motion)
