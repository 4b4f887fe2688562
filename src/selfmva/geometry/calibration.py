"""From a recording to its geometry: sightings of every view, clocks, and the common floor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import pack
from selfmva.core.thinning import evenly_spaced_blocks
from selfmva.geometry.align_frames import align_frames, count_instants
from selfmva.geometry.appearance_alignment import align_matches
from selfmva.geometry.clock_offsets import Clock, find_clock
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import complex_places, moved, turned_over, upside_down
from selfmva.geometry.floor_search import find_floor
from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.mirrored import find_mirrored
from selfmva.geometry.orientation import settle_orientations
from selfmva.geometry.other_floors import find_other_floors
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.registration import RoundSettings, refine_registered
from selfmva.geometry.sightings import Sightings, build_sightings
from selfmva.geometry.statures import learn_statures
from selfmva.geometry.support import held_views, null_shifts
from selfmva.geometry.sway import with_sway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.config import GeometryConfig
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.cameras import Camera
    from selfmva.geometry.floor_search import Layout
    from selfmva.geometry.support import Support

    # Rows of boxes that look alike, by view pair: of the first view and of the second, among all boxes of their view.
    AppearanceMatcher = Callable[[PackedBoxes, Sequence[View]], Mapping[tuple[int, int], tuple[IntArray, IntArray]]]


@dataclass(frozen=True)
class CalibrationSettings:
    """What is looked at, and how a floor is refined and laid back on the one before."""

    most_instants: int = 4000  # of a recording; more would not sharpen a geometry
    neighbours: int = 100  # instants of a block that stay together, so that people can be followed
    aligning_rounds: int = 10  # of least absolute distances
    instants_a_height: int = 6  # in which a walker moves one body height; more are thinned out
    close: float = 0.01  # body heights that count as none


CALIBRATION = CalibrationSettings()
# Cameras may have been nudged by some tenths of a body height.
ADAPTING_ROUNDS = RoundSettings(8, first_gate=0.6, boxes=3000, matches=400, lens_below=0.5)


@dataclass(frozen=True)
class Movement:
    """How far a view's picture of the floor moved in `adapt`.

    Attributes:
        view: Name of the view.
        distance: Median distance between the old and the new places of its feet, in body heights.
    """

    view: str
    distance: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """Clocks and cameras of a recording.

    Attributes:
        clock_offsets: `(V,)` instants, see `selfmva.geometry.clock_offsets`.
        frames: In line with them where the config says so.
        floor: The common floor; None where none was found.
        mirrored: Numbers of the views that show mirror images, see `selfmva.geometry.mirrored.find_mirrored`.
        other_floors: Numbers of the views that hold each other on a floor of their own, group by group.
    """

    clock_offsets: IntArray
    frames: list[Frame]
    floor: Floor | None
    mirrored: tuple[int, ...] = ()
    other_floors: tuple[tuple[int, ...], ...] = ()


def calibrate(
    views: Sequence[View],
    frames: list[Frame],
    config: GeometryConfig,
    match_appearance: AppearanceMatcher | None = None,
    progress: Callable[[int, int], None] | None = None,
    lenses: Sequence[Camera | None] | None = None,
) -> Calibration:
    """Find clocks and floor of a recording, and mirror images, as far as the config asks for them.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        config: What to find.
        match_appearance: See `calibrate_floor`.
        progress: See `calibrate_floor`.
        lenses: Cameras by view, wherever they stand, whose focal lengths and distortion are known; these are held.

    Returns:
        What was found.
    """
    offsets = np.zeros(len(views), dtype=np.int64)
    if config.clock_bound:
        offsets = find_offsets(views, frames, config.clock_bound).offsets
        frames = align_frames(frames, offsets) if config.correct_clock else frames
    if not config.floor:
        return Calibration(offsets, frames, None)
    sightings, layout = _search(views, frames, progress, match_appearance, lenses)
    mirrored = find_mirrored(sightings, {} if layout is None else layout.cameras)
    floor = _floor_of(views, sightings, layout)
    if floor is not None and lenses is not None:
        floor = replace(floor, lenses=tuple(lenses))
    floor = _with_statures(floor, frames)
    left = set() if layout is None else set(range(len(views))).difference(layout.cameras, mirrored)
    others = find_other_floors(sightings, left)
    return Calibration(offsets, frames, floor, mirrored, others)


def calibrate_floor(
    views: Sequence[View],
    frames: Sequence[Frame],
    progress: Callable[[int, int], None] | None = None,
    match_appearance: AppearanceMatcher | None = None,
) -> Floor | None:
    """Find the common floor of a recording; mirror images are not looked for.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time; their track ids are used within each view, where all have them.
        progress: Called with the number of views that are registered, and of all that have a camera.
        match_appearance: Finds boxes that look alike in two views; these propose how the views lie to each other.

    Returns:
        The floor; None where none was found.
    """
    return _with_statures(_floor_of(views, *_search(views, frames, progress, match_appearance)), frames)


def _search(
    views: Sequence[View],
    frames: Sequence[Frame],
    progress: Callable[[int, int], None] | None,
    match_appearance: AppearanceMatcher | None,
    lenses: Sequence[Camera | None] | None = None,
) -> tuple[list[Sightings], Layout | None]:
    """What every view saw, and the floor that was found."""
    frames, sightings = thin_to_walking(views, frames, lenses=lenses)
    proposals = {}
    if match_appearance is not None:
        alike = match_appearance(pack([frames[t] for t in _excerpt(len(frames))], len(views)), views)
        proposals = {(i, j): align_matches(sightings[i], sightings[j], *rows) for (i, j), rows in alike.items()}
    layout = find_floor(sightings, progress, proposals)
    if layout is None:
        return sightings, None
    # Read as upright, a doubtful view has its say already, unless there was no telling at all.
    readings = {
        number: [
            sighting_of_view(view, number, frames, turned=turned, lens=None if lenses is None else lenses[number])
            for turned in (True, False)[: 1 + (not known)]
        ]
        for number, (view, seen) in enumerate(zip(views, sightings, strict=True))
        if seen.doubtful
        for known in [seen.calibrated]
    }
    return settle_orientations(sightings, readings, layout)


def _floor_of(views: Sequence[View], sightings: Sequence[Sightings], layout: Layout | None) -> Floor | None:
    if layout is None:
        return None
    supports = with_sway(sightings, layout.cameras, layout.supports)
    return _as_floor(views, _as_given(sightings, layout.cameras), supports)


def find_offsets(views: Sequence[View], frames: Sequence[Frame], bound: int) -> Clock:
    """Find how far the clocks of the views are apart.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        bound: Largest number of instants between the clocks of two views.

    Returns:
        The clock: view v shows at instant t what view 0 shows at instant t + offsets[v].
    """
    time = count_instants([frames[t] for t in _excerpt(len(frames))])
    return find_clock(sightings_of_recording(views, frames), time, bound)


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
    _, sightings = thin_to_walking(floor.views, frames, floor.cameras, floor.lenses)
    before = {
        view: turned_over(camera) if upside_down(camera) else camera
        for view, camera in enumerate(floor.cameras)
        if camera is not None
    }
    shifts = null_shifts(walking_time(sightings), len(sightings[0].starts) - 1)
    overlap = Overlap(sightings)
    after = refine_registered(sightings, overlap, before, ADAPTING_ROUNDS)
    measured = measure_pairs(sightings, after, overlap.pairs(after), shifts)
    held = sorted(held_views(measured, known=True))
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
    supports = dict(floor.supports)
    confirmed = {pair: replace(found.support(), known=True) for pair, found in measured.items()}

    def speaks(pair: tuple[int, int], support: Support) -> bool:
        return (support.trusted or support.moving) and set(pair) <= set(held)

    judged = with_sway(sightings, after, confirmed).items()
    supports |= {pair: support for pair, support in judged if speaks(pair, support)}
    moves = [Movement(floor.views[view].name, distance) for view, distance in zip(held, distances, strict=True)]
    refined = _as_floor(floor.views, _as_given(sightings, cameras), supports)
    return replace(refined, unit=floor.unit, statures=floor.statures, lenses=floor.lenses), moves


def thin_to_walking(
    views: Sequence[View],
    frames: Sequence[Frame],
    cameras: Sequence[FloatArray | None] | None = None,
    lenses: Sequence[Camera | None] | None = None,
) -> tuple[Sequence[Frame], list[Sightings]]:
    """Instants at which people are somewhere else than before, whatever the frame rate, and what views saw then.

    At 25 instants a second, neighbours say the same twice, and people are followed for too short a way.

    Args:
        views: The cameras.
        frames: In the order of time.
        cameras: See `sightings_of_recording`.
        lenses: See `sightings_of_recording`.

    Returns:
        Every so many of the frames that walkers take about `CALIBRATION.instants_a_height` of them for a body height;
        all frames where they take less than twice as many. And their sightings.
    """
    sightings = sightings_of_recording(views, frames, cameras, lenses)
    stride = walking_time(sightings) // CALIBRATION.instants_a_height
    if stride <= 1:
        return frames, sightings
    return frames[::stride], sightings_of_recording(views, frames[::stride], cameras, lenses)


def sightings_of_recording(
    views: Sequence[View],
    frames: Sequence[Frame],
    cameras: Sequence[FloatArray | None] | None = None,
    lenses: Sequence[Camera | None] | None = None,
) -> list[Sightings]:
    """Sightings of every view.

    Args:
        views: The cameras.
        frames: Clipped frames.
        cameras: `(10,)` parameters by view, where they are known.
        lenses: Cameras by view, where lenses are known that bend the images.

    Returns:
        One entry per view.
    """
    nothing = [None] * len(views)
    return [
        sighting_of_view(view, number, frames, (cameras or nothing)[number], lens=(lenses or nothing)[number])
        for number, view in enumerate(views)
    ]


def sighting_of_view(
    view: View,
    number: int,
    frames: Sequence[Frame],
    camera: FloatArray | None = None,
    *,
    turned: bool | None = None,
    lens: Camera | None = None,
) -> Sightings:
    """Sightings of one view.

    Args:
        view: The camera.
        number: Of the view.
        frames: Clipped frames of all views.
        camera: `(10,)` parameters where they are known.
        turned: See `build_sightings`.
        lens: See `build_sightings`.
    """
    frames = [frames[t] for t in _excerpt(len(frames))]
    time = _time(frames)
    counts = np.array([len(frame.boxes[number]) for frame in frames], dtype=np.int64)
    boxes = np.concatenate([np.zeros((0, 4)), *(frame.boxes[number] for frame in frames)])
    # An order of their own, so that listing boxes differently changes nothing.
    sort = np.lexsort((*boxes.T, np.repeat(np.arange(len(frames)), counts)))
    ids = None
    if bool(frames) and all(frame.track_ids is not None for frame in frames):
        ids = np.concatenate([frame.track_ids[number] for frame in frames if frame.track_ids])[sort]
        ids = ids if (ids >= 0).any() else None
    return build_sightings(view, boxes[sort], counts, time, ids, camera, turned, lens)


def _excerpt(instants: int) -> IntArray:
    """Numbers of the instants that are looked at: all, or blocks of neighbours spread over the recording."""
    return evenly_spaced_blocks(instants, CALIBRATION.most_instants, CALIBRATION.neighbours)


def _time(frames: Sequence[Frame]) -> FloatArray:
    """Times of the instants, neighbours about 1 apart: by index where indices increase."""
    index = np.array([frame.index for frame in frames], dtype=np.float64)
    steps = np.diff(index)
    if len(steps) == 0 or (steps <= 0).any():
        return np.arange(len(frames), dtype=np.float64)
    return index / np.median(steps)


def _as_given(sightings: Sequence[Sightings], cameras: Mapping[int, FloatArray]) -> dict[int, FloatArray]:
    """Cameras of the images as they are given, not as they were turned to be upright."""
    return {view: turned_over(camera) if sightings[view].upside_down else camera for view, camera in cameras.items()}


def _as_floor(
    views: Sequence[View],
    cameras: Mapping[int, FloatArray],
    supports: Mapping[tuple[int, int], Support],
) -> Floor:
    found = tuple(cameras.get(view) for view in range(len(views)))
    return Floor(tuple(views), found, dict(sorted(supports.items())))


def _with_statures(floor: Floor | None, frames: Sequence[Frame]) -> Floor | None:
    if floor is None:
        return None
    return replace(floor, statures=learn_statures(floor, pack(frames, len(floor.views), features=False)))


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
    for _ in range(CALIBRATION.aligning_rounds):
        weight = 1.0 / np.maximum(away, CALIBRATION.close)
        centre, goal = (complex(np.average(values, weights=weight)) for values in (source, target))
        turn = complex((weight * np.conj(source - centre) * (target - goal)).sum())
        turn /= max(float((weight * np.abs(source - centre) ** 2).sum()), 1e-12)
        away = np.abs(target - goal - turn * (source - centre))
    distances = [
        float(np.median(away[view_of == number])) if (view_of == number).any() else 0.0 for number in range(len(places))
    ]
    return turn, goal - turn / abs(turn) * centre, distances
