"""A floor from a calibration that exists: no search, but the boxes are asked whether they agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import pack
from selfmva.errors import InputError
from selfmva.geometry.calibration import thin_to_walking
from selfmva.geometry.camera_conversion import parameters_of_camera
from selfmva.geometry.cameras import straight_boxes
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import FLOOR_COLUMNS, HORIZON, projections, to_floor, turned_over, upside_down
from selfmva.geometry.floor_search import find_floor
from selfmva.geometry.foot_shifts import learn_foot_shifts, shifted
from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.sightings import SIGHTINGS, image_points, turn_boxes
from selfmva.geometry.statures import learn_statures
from selfmva.geometry.support import NO_SUPPORT, held_views, null_shifts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, Frame, View
    from selfmva.geometry.cameras import Camera
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Meetings


@dataclass(frozen=True)
class GivenCameraSettings:
    """Reading of recordings whose cameras are known."""

    # Times by which people of one view may be taller than those of all: crouching, cut, from above; units differ by 10.
    largest_ratio: float = 2.0
    least_boxes: int = 20  # of a view, that tell how tall people are in it


GIVEN_CAMERAS = GivenCameraSettings()


@dataclass(frozen=True, eq=False)
class Rods:
    """Whole boxes of a view, as straight lenses would show them, upright: `(N, 2)` image points."""

    view: int
    feet: FloatArray
    heads: FloatArray

    def moved(self, shift: FloatArray) -> Rods:
        """The same without `(2,)` fractions of their heights at the feet, see `selfmva.geometry.foot_shifts`."""
        size = (self.feet - self.heads)[:, 1:]
        return Rods(self.view, self.feet - shift * size, self.heads - [shift[0], 0.0] * size)


def floor_of_cameras(
    views: Sequence[View], cameras: Sequence[Camera | None], frames: Sequence[Frame], body_height: float | None = None
) -> tuple[Floor, tuple[int, ...]]:
    """The floor under cameras that are known.

    Args:
        views: The cameras' names and images.
        cameras: One a view, of a world whose z points up and is 0 on the floor; None where it is not known.
        frames: Clipped frames in the order of time.
        body_height: Mean height of the people in the unit of the cameras; None: as their boxes say.

    Returns:
        The floor in the unit of the cameras, all its pairs taken for granted, with what the recording tells of feet;
        and the numbers of the views whose boxes contradict it: people would be giants or dwarfs in them, or by
        themselves they find another place for these cameras, and none where they are said to be.

    Raises:
        InputError: Fewer than two cameras, or one that is not above the floor.
    """
    known = [view for view, camera in enumerate(cameras) if camera is not None]
    if len(known) < 2:  # a pair
        raise InputError(f"cameras of two views are needed, got {len(known)}; leave cameras out to have them found")
    rods = whole_boxes(views, cameras, frames)
    height, ratios = mean_height(views, cameras, rods)
    floor = Floor.from_cameras(views, cameras, body_height or height)
    sightings, placed = _sightings(floor, frames)
    shifts = learn_foot_shifts(sightings, placed)
    if shifts.any():
        height, _ = mean_height(views, cameras, [rod.moved(shifts[rod.view]) for rod in rods])
        floor = replace(Floor.from_cameras(views, cameras, body_height or height), foot_shifts=shifts)
        sightings, placed = _sightings(floor, frames)
        sightings = [shifted(view, shift) for view, shift in zip(sightings, shifts, strict=True)]
    measured = _measured(sightings, placed)
    odd = {view for view, ratio in ratios.items() if abs(np.log(ratio)) > np.log(GIVEN_CAMERAS.largest_ratio)}
    against = odd | _elsewhere(views, frames, known, held_views(measured, known=True))
    supports = {
        pair: replace(
            measured[pair].support() if pair in measured else NO_SUPPORT,
            known=True,
            given=not against.intersection(pair),
        )
        for pair in floor.supports
    }
    floor = replace(floor, supports=supports)
    statures = learn_statures(floor, pack(frames, len(views), features=False))
    return replace(floor, statures=statures), tuple(sorted(against))


def whole_boxes(views: Sequence[View], cameras: Sequence[Camera | None], frames: Sequence[Frame]) -> list[Rods]:
    """The boxes of the views with a camera that no border of an image cuts."""
    rods = []
    for number, (view, camera) in enumerate(zip(views, cameras, strict=True)):
        if camera is None:
            continue
        boxes = np.concatenate([np.zeros((0, 4)), *(frame.boxes[number] for frame in frames)])
        margin = SIGHTINGS.border * view.height
        size = np.array([view.width, view.height])
        boxes = boxes[(boxes[:, :2] > margin).all(axis=1) & (boxes[:, 2:] < size - margin).all(axis=1)]
        boxes = straight_boxes(boxes, np.zeros(len(boxes), np.int64), [camera])
        if camera.R[1, 2] > 0:  # what points up in the world points down in its images
            boxes = turn_boxes(boxes, view.width, view.height)
        rods.append(Rods(number, *image_points(boxes, view)))
    return rods


def mean_height(
    views: Sequence[View], cameras: Sequence[Camera | None], rods: Sequence[Rods]
) -> tuple[float, dict[int, float]]:
    """How tall people are in the unit of the cameras, in the median of boxes.

    Returns:
        The height; and by view, how many times as tall they are in it, where enough boxes tell.

    Raises:
        InputError: No box stands on the floor of any camera.
    """
    heights = {rod.view: _heights(cameras[rod.view], views[rod.view], rod) for rod in rods}
    together = np.concatenate([np.zeros(0), *heights.values()])
    if not len(together):
        raise InputError(
            "no box stands on the floor of the given cameras: check that z points up and is 0 on the floor, the order "
            "of the cameras and the size of their images, or give geometry={'body_height': 1.7}"
        )
    told = {view: float(np.median(own)) for view, own in heights.items() if len(own) >= GIVEN_CAMERAS.least_boxes}
    usual = float(np.median(list(told.values()) or [1.0]))
    return float(np.median(together)), {view: own / usual for view, own in told.items()}


def _heights(camera: Camera | None, view: View, rod: Rods) -> FloatArray:
    """How high above the floor the tops of boxes are, over where their bottoms are, in the unit of the camera."""
    if camera is None:
        return np.zeros(0)
    parameters = parameters_of_camera(camera, view)
    projection = projections(turned_over(parameters) if upside_down(parameters) else parameters)
    ground = to_floor(projection, rod.feet)
    _, down, depth = projection[:, FLOOR_COLUMNS] @ np.column_stack([ground, np.ones(len(ground))]).T
    # The row of a head is that of (x, y, z): one equation for z.
    row, (_, down_up, depth_up) = rod.heads[:, 1], projection[:, 2]
    slope = row * depth_up - down_up
    height = (down - row * depth) / np.where(np.abs(slope) < HORIZON, HORIZON, slope)
    return np.asarray(height[(depth > 0) & (height > 0)])


def _sightings(floor: Floor, frames: Sequence[Frame]) -> tuple[list[Sightings], dict[int, FloatArray]]:
    """What the views saw, and their cameras as they saw it: upright."""
    _, sightings = thin_to_walking(floor.views, frames, floor.cameras, floor.lenses)
    placed = {
        view: turned_over(camera) if upside_down(camera) else camera
        for view, camera in enumerate(floor.cameras)
        if camera is not None
    }
    return sightings, placed


def _measured(sightings: Sequence[Sightings], cameras: Mapping[int, FloatArray]) -> dict[tuple[int, int], Meetings]:
    """The meetings of the views that can see the same people."""
    shifts = null_shifts(walking_time(sightings), len(sightings[0].starts) - 1)
    return measure_pairs(sightings, cameras, Overlap(sightings).pairs(cameras), shifts)


def _elsewhere(views: Sequence[View], frames: Sequence[Frame], known: Sequence[int], held: set[int]) -> set[int]:
    """Views that the given cameras do not hold, but a search of their own does, together with others of them."""
    doubtful = set(known) - held
    if not doubtful:
        return set()
    layout = find_floor(thin_to_walking(views, frames)[1])
    if layout is None:
        return set()
    return doubtful & {view for pair, support in layout.supports.items() if support.trusted for view in pair}
