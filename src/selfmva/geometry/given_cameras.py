"""A floor from a calibration that exists: no search, but the boxes are asked whether they agree."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.geometry.calibration import thin_to_walking
from selfmva.geometry.camera_conversion import parameters_of_camera
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import predicted_heights, projections
from selfmva.geometry.floor_search import find_floor
from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.sightings import image_points
from selfmva.geometry.support import NO_SUPPORT, held_views, null_shifts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import Frame, View
    from selfmva.geometry.cameras import Camera
    from selfmva.geometry.sightings import Sightings

HEIGHT_ROUNDS = 8  # of the mean height of people: how tall they look is nearly, not quite, in proportion to it
FIRST_HEIGHT_FRACTION = 0.35  # of the height of the lowest camera, from where it is begun
BORDER_FRACTION = 0.01  # of the image, nearer to whose border boxes are cut


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
        The floor in the unit of the cameras, all its pairs taken for granted; and the numbers of the views whose boxes
        contradict it: by themselves they find another place for these cameras, and none where they are said to be.

    Raises:
        InputError: Fewer than two cameras, or one that is not above the floor.
    """
    known = [view for view, camera in enumerate(cameras) if camera is not None]
    if len(known) < 2:  # a pair
        raise InputError(f"cameras of two views are needed, got {len(known)}; leave cameras out to have them found")
    height = body_height or mean_height(views, cameras, frames)
    parameters = tuple(
        None if camera is None else parameters_of_camera(camera, view, height)
        for camera, view in zip(cameras, views, strict=True)
    )
    lenses = tuple(cameras) if any(camera is not None and camera.distortion.any() for camera in cameras) else None
    _, sightings = thin_to_walking(views, frames, parameters)
    placed = {view: parameters[view] for view in known}
    shifts = null_shifts(walking_time(sightings), len(sightings[0].starts) - 1) if frames else []
    pairs = list(combinations(known, 2))
    measured = measure_pairs(sightings, placed, pairs, shifts) if shifts else {}  # type: ignore[arg-type]
    against = _contradicted(views, frames, sightings, known, held_views(measured, known=True))
    supports = {
        pair: replace(
            measured[pair].support() if pair in measured else NO_SUPPORT,
            known=True,
            given=not set(pair) & set(against),
        )
        for pair in pairs
    }
    return Floor(tuple(views), parameters, supports, height, lenses=lenses), against


def mean_height(views: Sequence[View], cameras: Sequence[Camera | None], frames: Sequence[Frame]) -> float:
    """How tall people are in the unit of the cameras, in the median of boxes that no border of an image cuts.

    Raises:
        InputError: No box stands on the floor of any camera.
    """
    lowest = min(float(camera.centre[2]) for camera in cameras if camera is not None)
    height = max(FIRST_HEIGHT_FRACTION * lowest, 1e-6)
    parts = []
    for number, (view, camera) in enumerate(zip(views, cameras, strict=True)):
        boxes = np.concatenate([np.zeros((0, 4)), *(frame.boxes[number] for frame in frames)])
        margin = BORDER_FRACTION * np.array([view.width, view.height])
        whole = (boxes[:, :2] > margin).all(axis=1) & (boxes[:, 2:] < [view.width, view.height] - margin).all(axis=1)
        if camera is not None and whole.any():
            parts.append((view, camera, boxes[whole]))
    for _ in range(HEIGHT_ROUNDS):
        ratios = [np.zeros(0)]
        for view, camera, boxes in parts:
            feet, heads = image_points(boxes, view)
            expected = predicted_heights(projections(parameters_of_camera(camera, view, height)), feet)
            standing = expected > 2e-3  # image widths; less is what is said where nobody can stand
            ratios.append(((feet - heads)[:, 1] / expected)[standing])
        together = np.concatenate(ratios)
        if not len(together):
            raise InputError(
                "no box stands on the floor of the given cameras: check that z points up and is 0 on the floor, the "
                "order of the cameras and the size of their images, or give geometry={'body_height': 1.7}"
            )
        height *= float(np.median(together))
    return height


def _contradicted(
    views: Sequence[View], frames: Sequence[Frame], sightings: Sequence[Sightings], known: list[int], held: set[int]
) -> tuple[int, ...]:
    """Views that the given cameras do not hold, but a search of their own does, together with others of them."""
    doubtful = set(known) - held
    if not doubtful or not any(len(view.feet) for view in sightings):
        return ()
    _, own = thin_to_walking(views, frames)
    layout = find_floor(own)
    if layout is None:
        return ()
    clear = {view for pair, support in layout.supports.items() if support.trusted for view in pair}
    return tuple(sorted(doubtful & clear))
