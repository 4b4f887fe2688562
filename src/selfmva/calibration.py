"""From a recording to its geometry: sightings of every view, the common floor, and lines where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.cues import visible_heads
from selfmva.geometry.cameras import projections, to_floor
from selfmva.geometry.epipolar_search import find_epipolar_geometry
from selfmva.geometry.floor import find_floor, judge, null_shifts, refine_floor, walking_time
from selfmva.geometry.plan import Floor
from selfmva.geometry.sightings import Sightings, see
from selfmva.matching.cost import view_pairs
from selfmva.pretext.recording import canonical_view_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.epipolar_search import EpipolarGeometry
    from selfmva.geometry.floor import Layout
    from selfmva.types import FloatArray, Frame, IntArray, View

MOST_INSTANTS = 4000  # more would not sharpen a geometry
EXCERPT = 100  # neighbouring instants that stay together, so that people can be followed
ADAPT_GATES = (0.6, 0.5, 0.4, 0.4, 0.3, 0.3)  # body heights that a camera may have been nudged by, narrowing
LINE_INSTANTS = 1000


@dataclass(frozen=True)
class Movement:
    """How far a view's picture of the floor moved in `adapt`.

    Attributes:
        view: Name of the view.
        distance: Median distance between the old and the new places of its feet, in body heights.
    """

    view: str
    distance: float


def calibrate_floor(views: Sequence[View], frames: Sequence[Frame]) -> Floor | None:
    """Find the common floor of a recording.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time; their track ids are used within each view, where all have them.

    Returns:
        The floor; None where none was found.
    """
    order = canonical_view_order(frames, len(views))
    layout = find_floor(see_recording(views, frames, order))
    return None if layout is None else _as_floor(views, order, layout)


def recalibrate_floor(floor: Floor, frames: Sequence[Frame]) -> tuple[Floor | None, list[Movement]]:
    """Refine a floor on other boxes of the same cameras.

    Args:
        floor: Where the cameras were.
        frames: Clipped frames in the order of time.

    Returns:
        The refined floor, None where the frames don't support all pairs of views that they could; and what moved.
    """
    order = canonical_view_order(frames, len(floor.views))
    sightings = see_recording(floor.views, frames, order, floor.cameras)
    place = {view: number for number, view in enumerate(order)}
    before = {place[view]: camera for view, camera in enumerate(floor.cameras) if camera is not None}
    shifts = null_shifts(walking_time(sightings), len(frames))
    layout = judge(sightings, refine_floor(sightings, before, ADAPT_GATES), shifts)
    if layout is None or set(layout.cameras) != set(before):
        return None, []
    refined = _as_floor(floor.views, order, layout, floor.unit)
    moves = [
        Movement(floor.views[order[number]].name, _distance(sightings[number], camera, layout.cameras[number]))
        for number, camera in sorted(before.items(), key=lambda entry: order[entry[0]])
    ]
    return refined, moves


def see_recording(
    views: Sequence[View],
    frames: Sequence[Frame],
    order: Sequence[int],
    cameras: Sequence[FloatArray | None] | None = None,
) -> list[Sightings]:
    """Sightings of every view, in another order of the views.

    Args:
        views: The cameras.
        frames: Clipped frames.
        order: Numbers of the views.
        cameras: `(10,)` parameters by view, where they are known.

    Returns:
        One entry per view, in that order.
    """
    frames = [frames[t] for t in _excerpt(len(frames))]
    time = _time(frames)
    tracked = all(frame.track_ids is not None for frame in frames)
    sightings = []
    for view in order:
        counts = np.array([len(frame.boxes[view]) for frame in frames], dtype=np.int64)
        boxes = np.concatenate([np.zeros((0, 4)), *(frame.boxes[view] for frame in frames)])
        # An order of their own, so that listing boxes differently changes nothing.
        sort = np.lexsort((*boxes.T, np.repeat(np.arange(len(frames)), counts)))
        ids = np.concatenate([frame.track_ids[view] for frame in frames if frame.track_ids]) if tracked else None
        camera = None if cameras is None else cameras[view]
        sightings.append(see(views[view], boxes[sort], counts, time, None if ids is None else ids[sort], camera))
    return sightings


def find_lines(
    views: Sequence[View], frames: Sequence[Frame], encoder: BoxEncoder, floor: Floor | None, minimum_shift: int
) -> dict[tuple[int, int], EpipolarGeometry]:
    """Fundamental matrices of head points of the view pairs that no floor covers.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        encoder: A trained encoder, whose nearest boxes are candidate matches.
        floor: The common floor, None where none was found.
        minimum_shift: Instants nearer than this are not shifted.

    Returns:
        What was found, by view pair (i, j), i < j.
    """
    on_floor = () if floor is None else floor.views_on_floor
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), LINE_INSTANTS)).round().astype(np.int64))
    found = {}
    for i, j in view_pairs(len(views)):
        if i in on_floor and j in on_floor:
            continue
        boxes_i, boxes_j = ([_with_head(frames[t].boxes[view]) for t in chosen] for view in (i, j))
        distances = [_embedded(encoder, i, j, one, other) for one, other in zip(boxes_i, boxes_j, strict=True)]
        found[i, j] = find_epipolar_geometry(boxes_i, boxes_j, distances, chosen, minimum_shift)
    return found


def _with_head(boxes: FloatArray) -> FloatArray:
    return boxes[~np.isnan(visible_heads(boxes)).any(axis=1)]


def _embedded(encoder: BoxEncoder, i: int, j: int, boxes_i: FloatArray, boxes_j: FloatArray) -> FloatArray:
    """`(N, M)` distances of the embedding."""
    device = encoder.view_tokens.device
    with torch.inference_mode():
        first, second = (
            encoder(torch.from_numpy(boxes.astype(np.float32)).to(device), torch.full((len(boxes),), view).to(device))
            for view, boxes in ((i, boxes_i), (j, boxes_j))
        )
        return torch.cdist(first, second).cpu().numpy().astype(np.float64)


def _excerpt(instants: int) -> IntArray:
    """Numbers of the instants that are looked at: all, or blocks of neighbours spread over the recording."""
    if instants <= MOST_INSTANTS:
        return np.arange(instants)
    begin = np.linspace(0, instants - EXCERPT, MOST_INSTANTS // EXCERPT).astype(np.int64)
    return np.unique(begin[:, None] + np.arange(EXCERPT))


def _time(frames: Sequence[Frame]) -> FloatArray:
    """Times of the instants, neighbours about 1 apart: by index where indices increase."""
    index = np.array([frame.index for frame in frames], dtype=np.float64)
    steps = np.diff(index)
    if len(steps) == 0 or (steps <= 0).any():
        return np.arange(len(frames), dtype=np.float64)
    return index / np.median(steps)


def _as_floor(views: Sequence[View], order: Sequence[int], layout: Layout, unit: float = 1.0) -> Floor:
    cameras: list[FloatArray | None] = [None] * len(views)
    for number, camera in layout.cameras.items():
        cameras[order[number]] = camera
    supports = {
        (min(order[a], order[b]), max(order[a], order[b])): support for (a, b), support in layout.supports.items()
    }
    return Floor(tuple(views), tuple(cameras), dict(sorted(supports.items())), unit)


def _distance(sightings: Sightings, before: FloatArray, after: FloatArray) -> float:
    feet = sightings.feet[sightings.usable]
    if not len(feet):
        return float("nan")
    old, new = (to_floor(projections(camera), feet) for camera in (before, after))
    return float(np.median(np.hypot(*(new - old).T)))


def trusted_lines(found: Mapping[tuple[int, int], EpipolarGeometry]) -> dict[tuple[int, int], FloatArray]:
    """The matrices to rely on."""
    return {pair: line.matrix for pair, line in found.items() if line.trusted and line.matrix is not None}
