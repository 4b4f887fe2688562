"""All views: one floor under them, found view by view.

All pairs of views are looked at cheaply; the strongest of every view are solved; views are registered one by one on
the floor that is known (`selfmva.geometry.registration`). Pairs that were not solved, and can see the same people, are
only verified under that floor. Where votes of whole walks tell too little, in crowds, alignments are searched for
thoroughly, and what is left is registered then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.pair_alignment import search
from selfmva.geometry.pair_solution import solve_pair
from selfmva.geometry.registration import LAST_ROUNDS, refine_registered, register
from selfmva.geometry.screening import Screened, screen, strongest_pairs
from selfmva.geometry.support import held_views, judge, null_shifts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.pair_alignment import Alignment
    from selfmva.geometry.pair_solution import Candidate
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Meetings, Support

    Pair = tuple[int, int]


@dataclass(frozen=True)
class FloorSearchSettings:
    """Search for the common floor of all views."""

    voted: int = 2  # hypotheses of a pair from votes of walks
    searched: int = 3  # of a pair, from the thorough search
    search_shifts: int = 4  # shifted instants that tell chance in that search


FLOOR_SEARCH = FloorSearchSettings()


@dataclass(frozen=True, eq=False)
class Layout:
    """Cameras on one floor.

    Attributes:
        cameras: Parameters of the views on it.
        supports: Of the pairs of these views that can see the same people.
    """

    cameras: dict[int, FloatArray]
    supports: dict[tuple[int, int], Support]


def find_floor(
    views: Sequence[Sightings],
    progress: Callable[[int, int], None] | None = None,
    proposals: Mapping[tuple[int, int], Sequence[Alignment]] | None = None,
) -> Layout | None:
    """Search, register, refine and judge.

    Args:
        views: What every view saw, all over the same instants.
        progress: Called with the number of views that are registered, and of all that have a camera.
        proposals: Alignments that something else speaks for, by view pair; tried before those of the search.

    Returns:
        The largest floor that was found; None where no two views have a geometry beyond chance.
    """
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    screened = screen(views, shifts)
    for pair in proposals or {}:
        if all(views[view].calibrated for view in pair):
            screened.setdefault(pair, Screened(np.inf, ()))
    overlap = Overlap(views)
    cameras, meetings = join_views(views, screened, overlap, shifts, progress=progress, proposals=proposals)
    supports = judge(meetings)
    held = {view for pair in supports for view in pair}
    return Layout({view: cameras[view] for view in sorted(held)}, supports) if held else None


def join_views(
    views: Sequence[Sightings],
    screened: Mapping[tuple[int, int], Screened],
    overlap: Overlap,
    shifts: Sequence[int],
    known: Mapping[int, FloatArray] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    proposals: Mapping[tuple[int, int], Sequence[Alignment]] | None = None,
) -> tuple[dict[int, FloatArray], dict[Pair, Meetings]]:
    """Solve the strongest pairs, register views, and keep those that hold each other; thoroughly where some are left.

    They are judged when all cameras are refined: a lens that is unlike others is found by all its pairs together.

    Args:
        views: What every view saw.
        screened: The pairs of views that may be solved.
        overlap: Which views can see the same people.
        shifts: Shifted instants, the nearest first.
        known: Cameras that are on the floor already, if any.
        progress: See `find_floor`.
        proposals: See `find_floor`.

    Returns:
        Cameras of the strongest group of views that hold each other, none where nothing holds; and the meetings of
        their pairs.
    """
    everybody = [view for view in range(len(views)) if views[view].calibrated]

    def tell(registered: int) -> None:
        if progress is not None:
            progress(registered, len(everybody))

    solutions: dict[Pair, list[Candidate]] = {}
    cameras: dict[int, FloatArray] = dict(known or {})
    meetings: dict[Pair, Meetings] | None = None  # of exactly these cameras
    for thorough in (False, True):
        left = [view for view in everybody if view not in cameras]
        for pair in strongest_pairs(screened, left):
            alignments = _alignments(views, pair, shifts, screened[pair], (proposals or {}).get(pair, ()), thorough)
            found = [*solutions.get(pair, ()), *solve_pair(views, pair, shifts, alignments)]
            solutions[pair] = sorted(found, key=lambda candidate: -candidate.support.excess)
        solutions = {pair: found for pair, found in solutions.items() if found}
        placed = register(views, solutions, overlap, shifts, cameras or None, progress=tell)
        if len(placed) > len(cameras):
            held, measured = _held(views, placed, overlap, shifts)
            if len(held) >= len(cameras):
                cameras, meetings = held, measured
        if len(cameras) == len(everybody):
            break
    while meetings is None:
        cameras, meetings = _held(views, cameras, overlap, shifts)
    return cameras, meetings


def _held(
    views: Sequence[Sightings], placed: Mapping[int, FloatArray], overlap: Overlap, shifts: Sequence[int]
) -> tuple[dict[int, FloatArray], dict[Pair, Meetings] | None]:
    """Those cameras that hold each other when all are refined together; and the meetings, if these are all."""
    cameras = refine_registered(views, overlap, placed, LAST_ROUNDS)
    meetings = measure_pairs(views, cameras, overlap.pairs(cameras), shifts)
    held = held_views(meetings)
    if held == cameras.keys():
        return cameras, meetings
    return {view: camera for view, camera in cameras.items() if view in held}, None


def _alignments(
    views: Sequence[Sightings],
    pair: tuple[int, int],
    shifts: Sequence[int],
    screened: Screened,
    proposals: Sequence[Alignment],
    thorough: bool,
) -> Iterator[Alignment]:
    """Hypotheses of a pair of views: proposals and votes, or those of the thorough search."""
    if thorough:
        found = search(views[pair[0]], views[pair[1]], list(shifts[: FLOOR_SEARCH.search_shifts]))
        yield from found[: FLOOR_SEARCH.searched]
    else:
        yield from proposals
        yield from screened.alignments[: FLOOR_SEARCH.voted]
