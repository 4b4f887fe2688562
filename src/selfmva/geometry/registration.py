"""View after view is registered on the floor that is known, as in structure from motion.

The seed is the pair of views that brings most together. What is tried next is the view that the registered ones say
most of; it is laid where its candidates put it, its camera alone is moved until it meets those of all views that can
see the same people, and the place where it meets most of them holds. Candidates that could be trusted by themselves
come first, and have to keep what they promise: one view at a wrong place misleads all that are laid beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.floor_cameras import YAW, X, Y, complex_places, moved
from selfmva.geometry.meetings import count_meetings
from selfmva.geometry.pair_solution import PAIR_SOLUTION, is_near
from selfmva.geometry.refinement import REFINEMENT, largest_change, refine
from selfmva.geometry.tracklet_matches import (
    TRACKLET_MATCHES,
    blocks,
    matches_of_pairs,
    matching_tracklets,
    narrowed,
    thinned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.overlap import Overlap
    from selfmva.geometry.pair_solution import Candidate
    from selfmva.geometry.sightings import Sightings

    Solutions = Mapping[tuple[int, int], Sequence[Candidate]]
    Cameras = dict[int, FloatArray]


@dataclass(frozen=True)
class RoundSettings:
    """Rounds of matching and refinement of all cameras that are registered."""

    rounds: int  # at most
    first_gate: float  # body heights by which cameras may be wrong in the beginning
    boxes: int  # of a view, among which matches of a pair are looked for
    matches: int  # of a pair, by which cameras are refined
    lens_below: float  # body heights: principal point and aspect ratio are free where the usual gate is narrower


# While views join, and when all have.
GROWTH_ROUNDS = RoundSettings(2, first_gate=0.5, boxes=2000, matches=100, lens_below=0.0)
LAST_ROUNDS = RoundSettings(12, first_gate=0.8, boxes=3000, matches=200, lens_below=0.5)


@dataclass(frozen=True)
class RegistrationSettings:
    """One view after another."""

    gates: tuple[float, ...] = (0.8, 0.5, 0.5)  # body heights, of a view that joins
    boxes: int = 2000  # of a view, among which matches are looked for
    matches: int = 200  # of a pair, by which its camera is moved
    shifts: int = 2  # shifted instants that tell chance, of each of its pairs
    candidates_tried: int = 4  # of a view
    places_tried: int = 2  # of those candidates, the best after a first look
    rival: float = 0.25  # of what the best place of a view brings together: less is not tried
    # Radians and body heights between two places that refinement brings to one.
    neighbours: tuple[float, float] = (0.1, 0.5)
    # All cameras are refined whenever there are so many times as many as the last time.
    growth: float = 1.5
    # Of what a candidate brings together by itself, that it must keep where its pose lays it on the floor; else it is
    # laid by its matches, which may be off by these body heights, narrowing.
    kept: float = 0.5
    match_noises: tuple[float, ...] = (1.0, 0.5, 0.2)


REGISTRATION = RegistrationSettings()


def register(
    views: Sequence[Sightings],
    solutions: Solutions,
    overlap: Overlap,
    shifts: Sequence[int],
    known: Mapping[int, FloatArray] | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Cameras:
    """Register all views that can be.

    Args:
        views: What every view saw.
        solutions: Of pairs of views.
        overlap: Which views can see the same people.
        shifts: Shifted instants, the nearest first.
        known: Cameras that are on the floor already; None: those of the best pair are the seed.
        progress: Called with the number of views that are registered, whenever one is.

    Returns:
        Cameras on one floor.
    """
    if known is None:
        if not solutions:
            return {}
        seed = max(sorted(solutions), key=lambda pair: solutions[pair][0].support.excess)
        known = solutions[seed][0].cameras
    cameras, refined = dict(known), len(known)
    sure = {pair: [found for found in candidates if found.support.trusted] for pair, candidates in solutions.items()}
    sure_in_vain: dict[int, int] = {}
    in_vain: dict[int, int] = {}
    while True:
        joined = _join_one(views, sure, overlap, shifts, cameras, sure_in_vain, least_kept=REGISTRATION.kept)
        if joined is None:
            joined = _join_one(views, solutions, overlap, shifts, cameras, in_vain)
        if joined is None:
            return cameras
        cameras = joined
        if progress is not None:
            progress(len(cameras))
        if len(cameras) >= REGISTRATION.growth * refined:
            refined = len(cameras)
            cameras = refine_registered(views, overlap, cameras, GROWTH_ROUNDS)


def refine_registered(
    views: Sequence[Sightings], overlap: Overlap, cameras: Mapping[int, FloatArray], settings: RoundSettings
) -> Cameras:
    """Refine all cameras together, by the matches of all pairs of views that can see the same people.

    The gate of every pair of views narrows with the error that it has left. Rounds of matching and refinement end where
    no camera moves any more.

    Args:
        views: What every view saw.
        overlap: Which views can see the same people.
        cameras: `(10,)` parameters by view.
        settings: What a round looks at.

    Returns:
        New parameters of the same cameras.
    """
    current = dict(cameras)
    gates: dict[tuple[int, int], float] = {}
    for _ in range(settings.rounds):
        gates = {pair: gates.get(pair, settings.first_gate) for pair in overlap.pairs(current)}
        matches = matches_of_pairs(views, current, gates, settings.boxes, settings.matches)
        if not matches:
            return current
        before = current
        current = refine(
            views,
            current,
            matches,
            anchor=min(current),
            noise=[max(gates[m.i, m.j] / 3, 0.1) for m in matches],
            steps=6,
            lens=settings.lens_below > float(np.median([gates[m.i, m.j] for m in matches])),
        )
        narrower = {(m.i, m.j): narrowed(views, current, m, gates[m.i, m.j]) for m in matches}
        if largest_change(before, current) < REFINEMENT.settled and all(
            gates[pair] - gate < REFINEMENT.settled for pair, gate in narrower.items()
        ):
            break
        gates |= narrower
    return current


def _join_one(
    views: Sequence[Sightings],
    solutions: Solutions,
    overlap: Overlap,
    shifts: Sequence[int],
    cameras: Cameras,
    in_vain: dict[int, int],
    least_kept: float = 0.0,
) -> Cameras | None:
    """All cameras and one more; None where no view joins.

    `in_vain` keeps by how many candidates a view was tried without success: it is tried again where there are more. It
    needs to meet more than `least_kept` times as much as one of them promises.
    """
    front = sorted(
        (
            (candidate.support.excess, pair, number)
            for pair, candidates in solutions.items()
            if len(cameras.keys() & set(pair)) == 1
            for number, candidate in enumerate(candidates)
        ),
        key=lambda entry: (-entry[0], *entry[1:]),
    )
    known: dict[int, float] = {}
    for excess, pair, _ in front:
        new = _new_of(pair, cameras)
        known[new] = known.get(new, 0.0) + max(excess, 0.0)
    for new in sorted(known, key=lambda view: (-known[view], view)):
        own = [(pair, solutions[pair][number]) for _, pair, number in front if _new_of(pair, cameras) == new]
        if in_vain.get(new) == len(own):
            continue
        own = own[: REGISTRATION.candidates_tried]
        places = [_laid_by_pose(pair, candidate, cameras) for pair, candidate in own]
        meeting, joined = _settle(views, new, _distinct(places, new), cameras, overlap, shifts)
        promised = [_meeting(views, candidate.cameras, new, [_other(pair, new)], shifts) for pair, candidate in own]
        if meeting < REGISTRATION.kept * max(promised):
            places = [
                _laid_by_matches(views, pair, candidate, cameras, overlap)
                for (pair, candidate), promise in zip(own, promised, strict=True)
                if meeting < REGISTRATION.kept * promise
            ]
            second = _settle(views, new, _distinct(places, new), cameras, overlap, shifts)
            meeting, joined = max((meeting, joined), second, key=lambda settled: settled[0])
        if meeting > max(least_kept * max(promised), 0.0):
            return joined
        in_vain[new] = len(own)
    return None


def _settle(
    views: Sequence[Sightings],
    new: int,
    places: Sequence[tuple[int, Cameras]],
    cameras: Cameras,
    overlap: Overlap,
    shifts: Sequence[int],
) -> tuple[float, Cameras]:
    """The cameras with a new one at the place where it meets most, and how much that is over chance; at least 0."""
    looks = []
    for partner, placed in places:
        neighbours = sorted({partner, *overlap.neighbours(new, placed)})
        looks.append((_meeting(views, placed, new, neighbours, shifts), neighbours, placed))
    looks.sort(key=lambda look: -look[0])
    settled: list[tuple[float, Cameras]] = []
    for meeting, neighbours, placed in looks[: REGISTRATION.places_tried]:
        if settled and meeting < REGISTRATION.rival * looks[0][0]:
            break
        moving = placed
        pairs = [(min(new, other), max(new, other)) for other in neighbours]
        for gate in REGISTRATION.gates:
            gates = dict.fromkeys(pairs, gate)
            matches = matches_of_pairs(views, moving, gates, REGISTRATION.boxes, REGISTRATION.matches)
            if matches:
                moving = moving | refine(
                    views,
                    {view: moving[view] for view in (new, *neighbours)},
                    matches,
                    anchor=neighbours[0],
                    noise=max(gate / 3, 0.1),
                    steps=5,
                    lens=False,
                    still=neighbours,
                )
        settled.append((_meeting(views, moving, new, neighbours, shifts), moving))
    return max(settled, key=lambda entry: entry[0], default=(0.0, cameras))


def _laid_by_pose(pair: tuple[int, int], candidate: Candidate, cameras: Cameras) -> tuple[int, Cameras]:
    """The registered partner of a new view, and all cameras with the new one as a candidate lays it."""
    new = _new_of(pair, cameras)
    old = _other(pair, new)
    return old, {**cameras, new: _beside(candidate.cameras[new], candidate.cameras[old], cameras[old])}


def _distinct(places: Iterable[tuple[int, Cameras]], new: int) -> list[tuple[int, Cameras]]:
    kept: list[tuple[int, Cameras]] = []
    for partner, placed in places:
        if not any(is_near(placed[new], other[new], REGISTRATION.neighbours) for _, other in kept):
            kept.append((partner, placed))
    return kept


def _new_of(pair: tuple[int, int], cameras: Mapping[int, FloatArray]) -> int:
    return pair[0] if pair[1] in cameras else pair[1]


def _other(pair: tuple[int, int], view: int) -> int:
    return pair[0] if view == pair[1] else pair[1]


def _beside(camera: FloatArray, partner: FloatArray, partner_on_floor: FloatArray) -> FloatArray:
    """A camera moved so that it stands to its partner, which is on the floor, as it stood before."""
    turn = np.exp(1j * (partner_on_floor[YAW] - partner[YAW]))
    shift = complex(*partner_on_floor[[X, Y]]) - turn * complex(*partner[[X, Y]])
    result = moved(camera, complex(turn), complex(shift))
    result[YAW] = np.angle(np.exp(1j * result[YAW]))
    return result


def _laid_by_matches(
    views: Sequence[Sightings], pair: tuple[int, int], candidate: Candidate, cameras: Cameras, overlap: Overlap
) -> tuple[int, Cameras]:
    """The registered partner of a new view, and all cameras after the two met whom they match as a pair.

    In a short recording, or where a camera is known less well than its candidate tells, a pair's own cameras may differ
    much from those of the floor, although both match the same people: then poses alone lead astray. The views that can
    see the same people as the partner move along, and keep their matches.
    """
    new = _new_of(pair, cameras)
    old = _other(pair, new)
    first, second = (views[view] for view in pair)
    instants = blocks(first, second, PAIR_SOLUTION.boxes)
    own = matching_tracklets(views, candidate.cameras, pair, instants, TRACKLET_MATCHES.narrowest_gate)
    feet = views[old].feet[views[old].usable]
    here, there = (complex_places(camera, feet) for camera in (candidate.cameras[old], cameras[old]))
    turn, shift = _fit_turn(here, there, 1.0 / (1.0 + np.abs(here - complex(*candidate.cameras[old][[X, Y]])) ** 2))
    around = {view: cameras[view] for view in sorted({old, *overlap.neighbours(old, cameras)})}
    gates = dict.fromkeys(overlap.pairs(around), REGISTRATION.gates[-1])
    matches = matches_of_pairs(views, cameras, gates, REGISTRATION.boxes, REGISTRATION.matches)
    matches.append(thinned(own, REGISTRATION.matches))
    around[new] = moved(candidate.cameras[new], turn, shift)
    for noise in REGISTRATION.match_noises:
        around = refine(views, around, matches, anchor=min(around), noise=noise, steps=5, lens=False)
    return old, {**cameras, **around}


def _fit_turn(source: np.ndarray, target: np.ndarray, weight: FloatArray) -> tuple[complex, complex]:
    """Turn and shift of least weighted squares that lay places on others."""
    middle, goal = (complex(np.average(places, weights=weight)) for places in (source, target))
    turn = complex((weight * np.conj(source - middle) * (target - goal)).sum())
    turn /= max(abs(turn), 1e-12)
    return turn, goal - turn * middle


def _meeting(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    new: int,
    neighbours: Sequence[int],
    shifts: Sequence[int],
) -> float:
    """How much a new view has in common with its neighbours, over chance."""
    total = 0.0
    for other in neighbours:
        pair = (min(other, new), max(other, new))
        instants = blocks(views[pair[0]], views[pair[1]], REGISTRATION.boxes)
        total += count_meetings(views, cameras, pair, instants, shifts[: REGISTRATION.shifts]).support().excess
    return total
