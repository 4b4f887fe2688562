"""All views: one floor under them, found from the strongest pair outwards, and a verdict on every pair.

A view joins the floor at the place where most boxes meet those of all views that are on it already, not of one
partner alone: that is the check of every loop. Then all cameras are refined together while the gate of the matches
narrows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.alignment import search
from selfmva.geometry.cameras import YAW, X, Y, moved
from selfmva.geometry.refinement import Matches, blocks, matching_tracklets, nearest_boxes, refine, thinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from selfmva.geometry.sightings import Sightings
    from selfmva.types import FloatArray, IntArray

    # What a placed view has in common with the others, the view, all cameras.
    _Try = tuple[float, int, dict[int, FloatArray]]

PAIR_GATES = (1.0, 0.8, 0.6, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3, 0.3)  # body heights, narrowing
JOIN_GATES = (0.8, 0.5, 0.5)
FLOOR_GATES = (0.8, 0.7, 0.6, 0.6, 0.5, 0.5, 0.4, 0.4, 0.3, 0.3)
LENS_BELOW = 0.5  # gates below it free the lens as well
LEAST_MATCHES = 8
REFINED_HYPOTHESES = 3  # of a pair
ALIKE = (0.05, 0.05)  # radians and body heights between two hypotheses that ended at one place
JOINS_TRIED = 4
RIVAL = 0.25  # of what the best place of a view brings together: less is not tried
NEIGHBOURS = (0.1, 0.5)  # radians and body heights between two places that refinement brings to one
PAIR_BOXES, JOIN_BOXES, FLOOR_BOXES, VERDICT_BOXES = 3000, 2000, 3000, 6000
PAIR_MATCHES, JOIN_MATCHES, FLOOR_MATCHES = 400, 200, 400
SUPPORT_KERNEL = 0.2  # body heights
# Shifts of the null, in times a walker needs for one body height: far enough that walkers are elsewhere, near enough
# that those who stand still do.
NULL_SHIFTS = (1.5, 2.5, 4.0, 6.0, 9.0, 13.0, 20.0, 30.0)
# A geometry is the best of thousands that were tried, so it brings somebody together even where views have nothing in
# common. Three things tell it from a true one: chance does nearly as well at other instants (crowds: 0.5 to 0.9 of it;
# true geometries: seldom above 0.35), it holds for moments only, or there is little of it (recordings of seconds).
TRUST_RATIO = 2.0  # support over the largest support at any shifted instant
CLEAR_RATIO = 4.0  # the same, from where on no other hypothesis is tried
LEAST_WALKED = 6.0  # body heights walked together, times steadiness; where nothing can be learnt: up to 4
LEAST_CONFIRMED = 3.0  # body heights walked together, where the geometry was known before
MOMENTS = 12  # equal parts of the recording, on which steadiness is measured


@dataclass(frozen=True)
class Support:
    """What speaks for the geometry of one pair of views.

    Attributes:
        synchronous: Walking boxes that meet at synchronous instants, weighted by how near.
        shifted: The same at shifted instants, mean.
        largest: The largest over shifts.
        walked: Body heights that people walk while they meet, over chance: what `excess` is at any frame rate.
        steadiness: How evenly `excess` is spread over the recording, 1 over the number of its parts to 1; 0 without
            any. As if so large a share of the recording carried all of it.
        residual: Median transfer error of the boxes that meet, in body heights; NaN where none do.
        instants: Number of instants looked at.
    """

    synchronous: float
    shifted: float
    largest: float
    walked: float
    steadiness: float
    residual: float
    instants: int

    @property
    def excess(self) -> float:
        """Support over chance."""
        return self.synchronous - self.shifted

    @property
    def trusted(self) -> bool:
        """True where neither chance nor the choice of the best of many geometries explains it."""
        steady = self.walked * self.steadiness >= LEAST_WALKED
        return bool(steady and self.synchronous >= TRUST_RATIO * self.largest)


NO_SUPPORT = Support(0.0, 0.0, 0.0, 0.0, 0.0, float("nan"), 0)


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


def walking_time(views: Sequence[Sightings]) -> int:
    """Instants in which a walker moves one body height; at least 1."""
    fast = np.array([view.fast for view in views])
    fast = fast[np.isfinite(fast)]
    longest = max((len(views[0].starts) - 1) // 8, 1)
    return int(np.clip(round(1.0 / max(float(np.median(fast)), 1e-3)), 1, longest)) if len(fast) else 1


def null_shifts(time: int, instants: int) -> list[int]:
    """Shifts to both sides, in instants, the nearest first."""
    near = [round(step * time) for step in NULL_SHIFTS]
    return [sign * shift for shift in near if 0 < shift < instants / 2 for sign in (1, -1)]


def measure_support(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pair: tuple[int, int],
    instants: IntArray,
    shifts: Sequence[int],
) -> Support:
    """Count the boxes of two views that meet, at synchronous and at shifted instants."""
    if not len(instants) or not shifts:
        return NO_SUPPORT
    i, j = pair
    part = np.zeros(len(views[i].starts) - 1, dtype=np.int64)
    part[instants] = np.arange(len(instants)) * MOMENTS // len(instants)
    counts, residual = [], float("nan")
    for lag in (0, *shifts):
        found = nearest_boxes(views, cameras, pair, instants, lag, gate=5 * SUPPORT_KERNEL)
        walking = np.sqrt(views[i].moving[found.rows_i] * views[j].moving[found.rows_j])
        met = walking * np.exp(-0.5 * (found.error / SUPPORT_KERNEL) ** 2)
        counts.append(np.bincount(part[views[i].instant[found.rows_i]], met, MOMENTS))
        if lag == 0 and len(found.error):
            near = found.error[found.error < 2 * SUPPORT_KERNEL]
            residual = float(np.median(near)) if len(near) else float("nan")
    null = np.sum(counts[1:], axis=1)
    excess = counts[0] - np.mean(counts[1:], axis=0)
    return Support(
        synchronous=float(counts[0].sum()),
        shifted=float(null.mean()),
        largest=float(null.max()),
        walked=float(excess.sum()) / walking_time([views[i], views[j]]),
        steadiness=_steadiness(excess),
        residual=residual,
        instants=len(instants),
    )


def _steadiness(parts: FloatArray) -> float:
    """The square of the sum over the sum of the squares, by the number of parts: 1 where all are equal."""
    total = max(float(parts.sum()), 0.0)
    return total**2 / max(len(parts) * float((parts**2).sum()), 1e-12)


def find_floor(views: Sequence[Sightings]) -> Layout | None:
    """Search, join, refine and judge.

    Args:
        views: What every view saw, all over the same instants.

    Returns:
        The largest floor that was found; None where no two views have a geometry beyond chance.
    """
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    pairs = {
        pair: _solve_pair(views, pair, shifts)
        for pair in combinations(range(len(views)), 2)
        if views[pair[0]].calibrated and views[pair[1]].calibrated
    }
    pairs = {pair: found for pair, found in pairs.items() if found}
    if not pairs:
        return None
    cameras = _join(views, pairs, shifts)
    cameras = refine_floor(views, cameras, FLOOR_GATES)
    return judge(views, cameras, shifts)


def measure_supports(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], shifts: Sequence[int]
) -> dict[tuple[int, int], Support]:
    """The supports of all pairs of views that have a camera."""
    return {
        (i, j): measure_support(views, cameras, (i, j), blocks(views[i], views[j], VERDICT_BOXES), shifts)
        for i, j in combinations(sorted(cameras), 2)
    }


def confirmed(supports: Iterable[Support]) -> bool:
    """True where boxes of all pairs together speak for cameras that were known before, and not chosen by them."""
    every = list(supports)
    synchronous, largest = (sum(getattr(s, name) for s in every) for name in ("synchronous", "largest"))
    return bool(sum(s.walked for s in every) >= LEAST_CONFIRMED and synchronous >= TRUST_RATIO * largest)


def judge(views: Sequence[Sightings], cameras: Mapping[int, FloatArray], shifts: Sequence[int]) -> Layout | None:
    """The supports of all pairs of the largest group of views that trusted pairs connect; the others are left out."""
    supports = measure_supports(views, cameras, shifts)
    held = _largest_group([pair for pair, support in supports.items() if support.trusted])
    if not held:
        return None
    return Layout(
        {view: camera for view, camera in cameras.items() if view in held},
        {pair: support for pair, support in supports.items() if held.issuperset(pair)},
    )


def _largest_group(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The most views that pairs connect; of equally many, those of the first pair."""
    groups: list[set[int]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return max(groups, key=len, default=set())


def refine_floor(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], gates: Sequence[float]
) -> dict[int, FloatArray]:
    """Refine all cameras together while the gate of the matches narrows."""
    current = dict(cameras)
    for gate in gates:
        matches = _all_matches(views, current, gate, FLOOR_BOXES, FLOOR_MATCHES)
        if not matches:
            return current
        current = refine(
            views, current, matches, anchor=min(current), noise=max(gate / 3, 0.1), steps=6, lens=gate < LENS_BELOW
        )
    return current


def _solve_pair(views: Sequence[Sightings], pair: tuple[int, int], shifts: Sequence[int]) -> list[_Candidate]:
    """Refined hypotheses of one pair of views, best first."""
    i, j = pair
    first, second = views[i], views[j]
    instants = blocks(first, second, PAIR_BOXES)
    candidates: list[_Candidate] = []
    for alignment in search(first, second, list(shifts[:4]))[:REFINED_HYPOTHESES]:
        cameras = {i: moved(first.camera, alignment.turn, alignment.shift), j: second.camera}
        for gate in PAIR_GATES:
            matches = matching_tracklets(views, cameras, pair, instants, gate)
            if len(matches.rows_i) < LEAST_MATCHES:
                break
            few = [thinned(matches, PAIR_MATCHES)]
            cameras = refine(views, cameras, few, anchor=j, noise=max(gate / 3, 0.1), steps=5, lens=False)
        else:
            if not any(_alike(cameras[i], other.cameras[i], ALIKE) for other in candidates):  # view j has one pose
                support = measure_support(views, cameras, pair, instants, shifts[:8])
                candidates.append(_Candidate(cameras, support.excess))
                if support.trusted and support.synchronous >= CLEAR_RATIO * support.largest:
                    break
    return sorted(candidates, key=lambda candidate: -candidate.excess)


def _alike(camera: FloatArray, other: FloatArray, limits: tuple[float, float]) -> bool:
    """True where two poses of one view are no further apart than so many radians and body heights."""
    turn = abs(np.exp(1j * camera[YAW]) - np.exp(1j * other[YAW]))
    return bool(turn < limits[0] and np.hypot(*(camera - other)[[X, Y]]) < limits[1])


def _join(
    views: Sequence[Sightings], pairs: Mapping[tuple[int, int], list[_Candidate]], shifts: Sequence[int]
) -> dict[int, FloatArray]:
    """Lay view after view on the floor of the strongest pair."""
    strongest = max(pairs, key=lambda pair: pairs[pair][0].excess)
    cameras = dict(pairs[strongest][0].cameras)
    while True:
        tries: list[_Try] = []
        for pair, candidates in pairs.items():
            if len(cameras.keys() & set(pair)) != 1:
                continue
            new, old = pair if pair[1] in cameras else pair[::-1]
            for candidate in candidates:
                placed = {**cameras, new: _laid(candidate.cameras[new], candidate.cameras[old], cameras[old])}
                tries.append((_meeting(views, placed, new, shifts), new, placed))
        tries.sort(key=lambda entry: -entry[0])
        joined = []
        for _, new, placed in _rivals(tries)[:JOINS_TRIED]:
            settled = placed
            for gate in JOIN_GATES:
                matches = _all_matches(views, settled, gate, JOIN_BOXES, JOIN_MATCHES)
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
        near = not kept or (new == tries[0][1] and meeting >= RIVAL * tries[0][0])
        if near and not any(_alike(placed[new], other[new], NEIGHBOURS) for _, _, other in kept):
            kept.append((meeting, new, placed))
    return kept


def _laid(camera: FloatArray, partner: FloatArray, partner_on_floor: FloatArray) -> FloatArray:
    """A camera moved so that it stands to its partner, which is on the floor, as it stood before."""
    turn = np.exp(1j * (partner_on_floor[YAW] - partner[YAW]))
    shift = complex(*partner_on_floor[[X, Y]]) - turn * complex(*partner[[X, Y]])
    result = moved(camera, complex(turn), complex(shift))
    result[YAW] = np.angle(np.exp(1j * result[YAW]))
    return result


def _meeting(views: Sequence[Sightings], cameras: Mapping[int, FloatArray], new: int, shifts: Sequence[int]) -> float:
    """How much a new view has in common with all that are on the floor, over chance."""
    total = 0.0
    for old in cameras.keys() - {new}:
        pair = (min(old, new), max(old, new))
        instants = blocks(views[pair[0]], views[pair[1]], JOIN_BOXES)
        total += measure_support(views, cameras, pair, instants, shifts[:6]).excess
    return total


def _all_matches(
    views: Sequence[Sightings], cameras: Mapping[int, FloatArray], gate: float, boxes: int, most: int
) -> list[Matches]:
    found = []
    for i, j in combinations(sorted(cameras), 2):
        matches = matching_tracklets(views, cameras, (i, j), blocks(views[i], views[j], boxes), gate)
        if len(matches.rows_i) >= LEAST_MATCHES:
            found.append(thinned(matches, most))
    return found
