"""Small simulated scenes for tests of geometry: sightings, and how far cameras are from the true ones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.calibration import sightings_of_recording
from selfmva.geometry.floor_cameras import pixel_matrix, projections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings


@cache
def walkers(**options: Any) -> Simulated:
    """A recording with enough walking in it to find a floor, short enough for a test."""
    return Simulated(**{"views": 3, "people": 6, "instants": 240, "seed": 1} | options)


def frames_of(scene: Simulated) -> list[Frame]:
    return [scene.frame(index) for index in range(len(scene))]


def sight(scene: Simulated, frames: Sequence[Frame]) -> list[Sightings]:
    """Sightings of all views in the order of the views."""
    return sightings_of_recording(scene.views, frames)


@cache
def sight_walkers(**options: Any) -> list[Sightings]:
    """Sightings of `walkers`."""
    scene = walkers(**options)
    return sight(scene, frames_of(scene))


def flip(
    scene: Simulated, frames: Sequence[Frame], view: int, *, across: bool = True, over: bool = False
) -> list[Frame]:
    """The same frames with the images of one view flipped from left to right, from top to bottom, or both."""
    width, height = scene.views[view].width, scene.views[view].height
    flipped = []
    for frame in frames:
        boxes = list(frame.boxes)
        left, top, right, bottom = boxes[view].T
        if across:
            left, right = width - right, width - left
        if over:
            top, bottom = height - bottom, height - top
        boxes[view] = np.column_stack([left, top, right, bottom])
        flipped.append(Frame(boxes, frame.index))
    return flipped


def floor_error(scene: Simulated, cameras: Mapping[int, FloatArray], i: int, j: int) -> float:
    """Median distance, in body heights of 1.7 m, by which the homography from view i to view j misses true feet."""
    floor_i, floor_j = (pixel_matrix(scene.views[v]) @ projections(cameras[v])[:, [0, 1, 3]] for v in (i, j))
    places = np.concatenate([scene.ground_positions(index)[1] for index in range(0, len(scene), 10)])
    in_i, in_j = (_apply(scene.homographies[v], places) for v in (i, j))
    heads_j = _apply(scene.projections[j], np.column_stack([places, np.full(len(places), 1.7)]))
    size = (scene.views[i].width, scene.views[i].height)
    seen = ((in_i > 0) & (in_i < size) & (in_j > 0) & (in_j < size)).all(axis=1)
    missed = np.linalg.norm(_apply(floor_j @ np.linalg.inv(floor_i), in_i[seen]) - in_j[seen], axis=1)
    return float(np.median(missed / np.linalg.norm(heads_j - in_j, axis=1)[seen]))


def _apply(matrix: FloatArray, points: FloatArray) -> FloatArray:
    image = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(image[:, :2] / image[:, 2:])
