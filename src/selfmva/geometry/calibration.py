"""From a recording to its geometry: sightings of every view, the common floor, and lines where there is none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import canonical_view_order, pack
from selfmva.geometry.align_frames import align_frames, count_instants
from selfmva.geometry.appearance_alignment import align_matches
from selfmva.geometry.cameras import complex_places, moved
from selfmva.geometry.clock_offsets import Clock, find_clock
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_search import Layout, find_floor, refine_floor
from selfmva.geometry.sightings import Sightings, build_sightings
from selfmva.geometry.support import held_views, measure_all, null_shifts, walking_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.config import GeometryConfig
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, Frame, IntArray, View

    # Rows of boxes that look alike, by view pair: of the first view and of the second, among all boxes of their view.
    AppearanceMatcher = Callable[[PackedBoxes, Sequence[View]], Mapping[tuple[int, int], tuple[IntArray, IntArray]]]

MOST_INSTANTS = 4000  # more would not sharpen a geometry
EXCERPT = 100  # neighbouring instants that stay together, so that people can be followed
ADAPT_GATES = (0.6, 0.5, 0.4, 0.4, 0.3, 0.3)  # body heights that a camera may have been nudged by, narrowing
ALIGNING_ROUNDS, CLOSE = 10, 0.01  # of least absolute distances; body heights that count as none


@dataclass(frozen=True)
class Movement:
    """How far a view's picture of the floor moved in `adapt`.

    Attributes:
        view: Name of the view.
        distance: Median distance between the old and the new places of its feet, in body heights.
    """

    view: str
    distance: float


def calibrate(
    views: Sequence[View],
    frames: list[Frame],
    config: GeometryConfig,
    match_appearance: AppearanceMatcher | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[IntArray, list[Frame], Floor | None]:
    """Find clocks and floor of a recording, as far as the config asks for them.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        config: What to find.
        match_appearance: See `calibrate_floor`.
        progress: See `calibrate_floor`.

    Returns:
        `(V,)` clock offsets in instants, frames in line with them where the config says so, and the floor, if any.
    """
    offsets = np.zeros(len(views), dtype=np.int64)
    if config.clock_bound:
        offsets = find_offsets(views, frames, config.clock_bound).offsets
        frames = align_frames(frames, offsets) if config.correct_clock else frames
    return offsets, frames, calibrate_floor(views, frames, progress, match_appearance) if config.floor else None


def calibrate_floor(
    views: Sequence[View],
    frames: Sequence[Frame],
    progress: Callable[[int, int], None] | None = None,
    match_appearance: AppearanceMatcher | None = None,
) -> Floor | None:
    """Find the common floor of a recording.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time; their track ids are used within each view, where all have them.
        progress: Called with the number of view pairs that are solved, and of all.
        match_appearance: Finds boxes that look alike in two views; these propose how the views lie to each other.

    Returns:
        The floor; None where none was found.
    """
    order = canonical_view_order(frames, len(views))
    sightings = see_recording(views, frames, order)
    packed = pack([frames[t] for t in _excerpt(len(frames))], len(views), order)  # boxes in the order of the sightings
    alike = {} if match_appearance is None else match_appearance(packed, [views[view] for view in order])
    proposals = {(i, j): align_matches(sightings[i], sightings[j], *rows) for (i, j), rows in alike.items()}
    layout = find_floor(sightings, progress, proposals)
    return None if layout is None else _as_floor(views, order, layout)


def find_offsets(views: Sequence[View], frames: Sequence[Frame], bound: int) -> Clock:
    """Find how far the clocks of the views are apart.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        bound: Largest number of instants between the clocks of two views.

    Returns:
        The clock, views in their own order: view v shows at instant t what view 0 shows at instant t + offsets[v].
    """
    order = canonical_view_order(frames, len(views))
    time = count_instants([frames[t] for t in _excerpt(len(frames))])
    clock = find_clock(see_recording(views, frames, order), time, bound)
    place = np.argsort(order)
    offsets = clock.offsets[place]
    return Clock(offsets - offsets[0], clock.confidence[place])


def recalibrate_floor(floor: Floor, frames: Sequence[Frame]) -> tuple[Floor | None, list[Movement]]:
    """Refine a floor on other boxes of the same cameras.

    Args:
        floor: Where the cameras were.
        frames: Clipped frames in the order of time.

    Returns:
        The refined floor, None where the frames don't speak for it; and what moved, of the views that they speak of.
    """
    if not frames:
        return None, []
    order = canonical_view_order(frames, len(floor.views))
    sightings = see_recording(floor.views, frames, order, floor.cameras)
    place = {view: number for number, view in enumerate(order)}
    before = {place[view]: camera for view, camera in enumerate(floor.cameras) if camera is not None}
    shifts = null_shifts(walking_time(sightings), len(sightings[0].starts) - 1)
    after = refine_floor(sightings, before, ADAPT_GATES)
    measured = measure_all(sightings, after, shifts)
    held = sorted(held_views(measured, known=True), key=order.__getitem__)
    if not held:
        return None, []
    feet = [sightings[view].feet[sightings[view].usable] for view in held]
    places = [
        tuple(complex_places(cameras[view], points) for cameras in (before, after))
        for view, points in zip(held, feet, strict=True)
    ]
    turn, shift, distances = _laid_back(places)
    # A view that too few walk through stays where it was, and so does what spoke for it.
    cameras = before | {view: moved(after[view], turn / abs(turn), shift) for view in held}
    refined = _as_floor(floor.views, order, Layout(cameras, {}), floor.unit)
    supports = dict(floor.supports)
    for pair, found in measured.items():
        support = replace(found.support(), known=True)
        if support.trusted and set(pair) <= set(held):
            i, j = sorted(order[view] for view in pair)
            supports[i, j] = support
    moves = [Movement(floor.views[order[n]].name, distance) for n, distance in zip(held, distances, strict=True)]
    return replace(refined, supports=supports), moves


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
        sightings.append(
            build_sightings(views[view], boxes[sort], counts, time, None if ids is None else ids[sort], camera)
        )
    return sightings


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


def _laid_back(places: Sequence[tuple[NDArray[np.complex128], ...]]) -> tuple[complex, complex, list[float]]:
    """Turn and shift that lay a new floor on the old one, and the median distance of each view's feet after it.

    A floor may drift as a whole, which no one sees. It is laid back by the turn, scale and shift of least sum of
    distances, so that a single camera that moved stands out.

    Args:
        places: Of every view, old and new complex places of the same feet.

    Returns:
        z_old = turn z_new + shift up to the scale, which is that of people; and the distances, 0 where nobody is seen.
    """
    view_of = np.repeat(np.arange(len(places)), [len(old) for old, _ in places])
    target, source = (np.concatenate([pair[side] for pair in places]) for side in (0, 1))
    away = np.abs(target - source)
    turn, centre, goal = 1.0 + 0j, 0j, 0j
    for _ in range(ALIGNING_ROUNDS):
        weight = 1.0 / np.maximum(away, CLOSE)
        centre, goal = (complex(np.average(values, weights=weight)) for values in (source, target))
        turn = complex((weight * np.conj(source - centre) * (target - goal)).sum())
        turn /= max(float((weight * np.abs(source - centre) ** 2).sum()), 1e-12)
        away = np.abs(target - goal - turn * (source - centre))
    distances = [
        float(np.median(away[view_of == number])) if (view_of == number).any() else 0.0 for number in range(len(places))
    ]
    return turn, goal - turn / abs(turn) * centre, distances
