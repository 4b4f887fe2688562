"""All views: one floor under them, found from the strongest pair outwards.

A view joins the floor at the place where most boxes meet those of all views that are on it already, not of one
partner alone: that is the check of every loop. Then all cameras are refined together while the gate of the matches
narrows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.cameras import YAW, X, Y, complex_places, moved
from selfmva.geometry.pair_alignment import search
from selfmva.geometry.refinement import Matches, blocks, matching_tracklets, refine, thinned
from selfmva.geometry.support import judge, measure_all, measure_support, null_shifts, walking_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.pair_alignment import Alignment
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Support

    # What a placed view has in common with the others, the view, all cameras.
    _Try = tuple[float, int, dict[int, FloatArray]]


@dataclass(frozen=True)
class FloorSearchSettings:
    """Search for the common floor of all views."""

    pair_gates: tuple[float, ...] = (1.0, 0.8, 0.6, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3, 0.3)  # body heights, narrowing
    join_gates: tuple[float, ...] = (0.8, 0.5, 0.5)  # the same, of a view that joins
    # The same, of all views together.
    floor_gates: tuple[float, ...] = (0.8, 0.7, 0.6, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3, 0.3)
    lens_below: float = 0.5  # body heights: gates below it free the lens as well
    least_matches: int = 8  # of a pair, without which it is left out
    refined_hypotheses: int = 3  # of a pair
    # Radians and body heights between two hypotheses that ended at one place.
    same_place: tuple[float, float] = (0.05, 0.05)
    joins_tried: int = 4  # of a view, at different places
    # Body heights that matches of a pair may be off when it joins the floor, narrowing.
    match_noises: tuple[float, ...] = (1.0, 0.5, 0.2)
    rival: float = 0.25  # of what the best place of a view brings together: less is not tried
    # Radians and body heights between two places that refinement brings to one.
    neighbours: tuple[float, float] = (0.1, 0.5)
    pair_boxes: int = 3000  # of a view, among which matches of a pair are looked for
    join_boxes: int = 2000  # the same, when a view joins
    floor_boxes: int = 3000  # the same, of all views together
    pair_matches: int = 400  # by which cameras of a pair are refined
    join_matches: int = 200  # of a pair, the same, when a view joins
    floor_matches: int = 400  # of a pair, the same, of all views together
    # Support over the largest at shifted instants, from where on no other hypothesis is tried.
    clear_ratio: float = 4.0


FLOOR_SEARCH = FloorSearchSettings()


@dataclass(frozen=True, eq=False)
class Layout:
    """Cameras on one floor.

    Attributes:
        cameras: Parameters of the views on it.
        supports: Of every pair of these views.
    """

    cameras: dict[int, FloatArray]
    supports: dict[tuple[int, int], Support]


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A refined hypothesis of one pair: own cameras, and how much they bring together."""

    cameras: dict[int, FloatArray]
    excess: float


def find_floor(
    views: Sequence[Sightings],
    progress: Callable[[int, int], None] | None = None,
    proposals: Mapping[tuple[int, int], Sequence[Alignment]] | None = None,
) -> Layout | None:
    """Search, join, refine and judge.

    Args:
        views: What every view saw, all over the same instants.
        progress: Called with the number of view pairs that are solved, and of all.
        proposals: Alignments that something else speaks for, by view pair; tried before those of the search.

    Returns:
        The largest floor that was found; None where no two views have a geometry beyond chance.
    """
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    pairs: dict[tuple[int, int], list[_Candidate]] = {}
    both = [pair for pair in combinations(range(len(views)), 2) if all(views[view].calibrated for view in pair)]
    for number, pair in enumerate(both):
        candidates = _solve_pair(views, pair, shifts, (proposals or {}).get(pair, ()))
        if candidates:
            pairs[pair] = candidates
        if progress is not None:
            progress(number + 1, len(both))
    if not pairs:
        return None
    cameras = _join(views, pairs, shifts, by_matches=bool(proposals))
    cameras = refine_floor(views, cameras, FLOOR_SEARCH.floor_gates)
    supports = judge(measure_all(views, cameras, shifts))
    held = {view for pair in supports for view in pair}
    return Layout({view: cameras[view] for view in sorted(held)}, supports) if held else None


def refine_floor(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], gates: Sequence[float]
) -> dict[int, FloatArray]:
    """Refine all cameras together while the gate of the matches narrows."""
    current = dict(cameras)
    for gate in gates:
        matches = _all_matches(views, current, gate, FLOOR_SEARCH.floor_boxes, FLOOR_SEARCH.floor_matches)
        if not matches:
            return current
        current = refine(
            views,
            current,
            matches,
            anchor=min(current),
            noise=max(gate / 3, 0.1),
            steps=6,
            lens=gate < FLOOR_SEARCH.lens_below,
        )
    return current


def _solve_pair(
    views: Sequence[Sightings], pair: tuple[int, int], shifts: Sequence[int], proposals: Sequence[Alignment]
) -> list[_Candidate]:
    """Refined hypotheses of one pair of views, best first."""
    i, j = pair
    first, second = views[i], views[j]
    instants = blocks(first, second, FLOOR_SEARCH.pair_boxes)
    candidates: list[_Candidate] = []
    for alignment in (*proposals, *search(first, second, list(shifts[:4]))[: FLOOR_SEARCH.refined_hypotheses]):
        cameras = {i: moved(first.camera, alignment.turn, alignment.shift), j: second.camera}
        for gate in FLOOR_SEARCH.pair_gates:
            matches = matching_tracklets(views, cameras, pair, instants, gate)
            if len(matches.rows_i) < FLOOR_SEARCH.least_matches:
                break
            few = [thinned(matches, FLOOR_SEARCH.pair_matches)]
            cameras = refine(views, cameras, few, anchor=j, noise=max(gate / 3, 0.1), steps=5, lens=False)
        else:
            # View j has one pose.
            if not any(_is_near(cameras[i], other.cameras[i], FLOOR_SEARCH.same_place) for other in candidates):
                support = measure_support(views, cameras, pair, instants, shifts[:8])
                candidates.append(_Candidate(cameras, support.excess))
                if support.trusted and support.synchronous >= FLOOR_SEARCH.clear_ratio * support.largest:
                    break
    return sorted(candidates, key=lambda candidate: -candidate.excess)


def _is_near(camera: FloatArray, other: FloatArray, limits: tuple[float, float]) -> bool:
    """True where two poses of one view are no further apart than so many radians and body heights."""
    turn = abs(np.exp(1j * camera[YAW]) - np.exp(1j * other[YAW]))
    return bool(turn < limits[0] and np.hypot(*(camera - other)[[X, Y]]) < limits[1])


def _join(
    views: Sequence[Sightings],
    pairs: Mapping[tuple[int, int], list[_Candidate]],
    shifts: Sequence[int],
    *,
    by_matches: bool,
) -> dict[int, FloatArray]:
    """Lay view after view on the floor of the strongest pair; by poses alone, or also by those whom a pair matches."""
    strongest = max(pairs, key=lambda pair: pairs[pair][0].excess)
    cameras = dict(pairs[strongest][0].cameras)
    while True:
        tries: list[_Try] = []
        known: list[Matches] = []
        if by_matches:
            gate = FLOOR_SEARCH.join_gates[-1]
            known = _all_matches(views, cameras, gate, FLOOR_SEARCH.join_boxes, FLOOR_SEARCH.join_matches)
        for pair, candidates in pairs.items():
            if len(cameras.keys() & set(pair)) != 1:
                continue
            new, old = pair if pair[1] in cameras else pair[::-1]
            for candidate in candidates:
                placed = {**cameras, new: _laid(candidate.cameras[new], candidate.cameras[old], cameras[old])}
                tries.append((_meeting(views, placed, new, shifts), new, placed))
                if by_matches:
                    placed = _laid_by_matches(views, pair, candidate, cameras, known)
                    tries.append((_meeting(views, placed, new, shifts), new, placed))
        tries.sort(key=lambda entry: -entry[0])
        joined = []
        for _, new, placed in _rivals(tries)[: FLOOR_SEARCH.joins_tried]:
            settled = placed
            for gate in FLOOR_SEARCH.join_gates:
                matches = _all_matches(views, settled, gate, FLOOR_SEARCH.join_boxes, FLOOR_SEARCH.join_matches)
                settled = refine(
                    views, settled, matches, anchor=min(settled), noise=max(gate / 3, 0.1), steps=5, lens=False
                )
            joined.append((_meeting(views, settled, new, shifts), settled))
        if not joined:
            return cameras
        cameras = max(joined, key=lambda entry: entry[0])[1]


def _rivals(tries: Sequence[_Try]) -> list[_Try]:
    """The best of sorted tries, and other places of the same view that are nearly as good."""
    kept: list[_Try] = []
    for meeting, new, placed in tries:
        near = not kept or (new == tries[0][1] and meeting >= FLOOR_SEARCH.rival * tries[0][0])
        if near and not any(_is_near(placed[new], other[new], FLOOR_SEARCH.neighbours) for _, _, other in kept):
            kept.append((meeting, new, placed))
    return kept


def _laid(camera: FloatArray, partner: FloatArray, partner_on_floor: FloatArray) -> FloatArray:
    """A camera moved so that it stands to its partner, which is on the floor, as it stood before."""
    turn = np.exp(1j * (partner_on_floor[YAW] - partner[YAW]))
    shift = complex(*partner_on_floor[[X, Y]]) - turn * complex(*partner[[X, Y]])
    result = moved(camera, complex(turn), complex(shift))
    result[YAW] = np.angle(np.exp(1j * result[YAW]))
    return result


def _laid_by_matches(
    views: Sequence[Sightings],
    pair: tuple[int, int],
    candidate: _Candidate,
    cameras: Mapping[int, FloatArray],
    known: Sequence[Matches],
) -> dict[int, FloatArray]:
    """All cameras, after those of a new view and its partner met whom they match as a pair; others keep their matches.

    In a short recording, a pair's own cameras may differ much from those of the floor, although both match the same
    people: then poses alone lead astray.
    """
    new, old = pair if pair[1] in cameras else pair[::-1]
    first, second = (views[view] for view in pair)
    matches = matching_tracklets(
        views, candidate.cameras, pair, blocks(first, second, FLOOR_SEARCH.pair_boxes), FLOOR_SEARCH.pair_gates[-1]
    )
    feet = views[old].feet[views[old].usable]
    here, there = (complex_places(camera, feet) for camera in (candidate.cameras[old], cameras[old]))
    turn, shift = _fit_turn(here, there, 1.0 / (1.0 + np.abs(here - complex(*candidate.cameras[old][[X, Y]])) ** 2))
    placed = {**cameras, new: moved(candidate.cameras[new], turn, shift)}
    all_matches = [*known, thinned(matches, FLOOR_SEARCH.join_matches)]
    for noise in FLOOR_SEARCH.match_noises:
        placed = refine(views, placed, all_matches, anchor=min(cameras), noise=noise, steps=5, lens=False)
    return placed


def _fit_turn(source: np.ndarray, target: np.ndarray, weight: FloatArray) -> tuple[complex, complex]:
    """Turn and shift of least weighted squares that lay places on others."""
    middle, goal = (complex(np.average(places, weights=weight)) for places in (source, target))
    turn = complex((weight * np.conj(source - middle) * (target - goal)).sum())
    turn /= max(abs(turn), 1e-12)
    return turn, goal - turn * middle


def _meeting(views: Sequence[Sightings], cameras: Mapping[int, FloatArray], new: int, shifts: Sequence[int]) -> float:
    """How much a new view has in common with all that are on the floor, over chance."""
    total = 0.0
    for old in cameras.keys() - {new}:
        pair = (min(old, new), max(old, new))
        instants = blocks(views[pair[0]], views[pair[1]], FLOOR_SEARCH.join_boxes)
        total += measure_support(views, cameras, pair, instants, shifts[:6]).excess
    return total


def _all_matches(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], gate: float, boxes: int, most: int
) -> list[Matches]:
    found = []
    for i, j in combinations(sorted(cameras), 2):
        matches = matching_tracklets(views, cameras, (i, j), blocks(views[i], views[j], boxes), gate)
        if len(matches.rows_i) >= FLOOR_SEARCH.least_matches:
            found.append(thinned(matches, most))
    return found
