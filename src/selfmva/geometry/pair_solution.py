"""Two views alone: refined hypotheses of how their floors lie to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.box_pairs import pairs_of_boxes
from selfmva.geometry.floor_cameras import YAW, X, Y, moved
from selfmva.geometry.meetings import measure_support
from selfmva.geometry.refinement import REFINEMENT, largest_change, refine
from selfmva.geometry.tracklet_matches import TRACKLET_MATCHES, blocks, matching_tracklets, narrowed, thinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.pair_alignment import Alignment
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Support


@dataclass(frozen=True)
class PairSolutionSettings:
    """Refinement of the hypotheses of two views."""

    first_gate: float = 1.0  # body heights
    rounds: int = 8  # of matching and refinement, at most
    boxes: int = 3000  # of a view, among which matches are looked for
    matches: int = 400  # by which cameras are refined
    least_matches: int = 8  # without which a hypothesis is given up
    shifts: int = 8  # shifted instants that tell chance
    # Radians and body heights between two hypotheses that ended at one place.
    same_place: tuple[float, float] = (0.05, 0.05)
    # Support over the largest at shifted instants, from where on no other hypothesis is tried.
    clear_ratio: float = 4.0


PAIR_SOLUTION = PairSolutionSettings()


@dataclass(frozen=True, eq=False)
class Candidate:
    """One refined hypothesis of a pair of views.

    Attributes:
        cameras: Of the two views, on a floor of their own.
        support: What speaks for it.
    """

    cameras: dict[int, FloatArray]
    support: Support

    @property
    def clear(self) -> bool:
        """Whether it is so much better than chance that no other needs to be tried."""
        support = self.support
        return support.trusted and support.synchronous >= PAIR_SOLUTION.clear_ratio * support.largest


def solve_pair(
    views: Sequence[Sightings], pair: tuple[int, int], shifts: Sequence[int], alignments: Iterable[Alignment]
) -> list[Candidate]:
    """Refine hypotheses until one is clear.

    Args:
        views: All views.
        pair: View i and view j.
        shifts: Shifted instants, the nearest first.
        alignments: Hypotheses, the most likely first; no more are drawn than are tried.

    Returns:
        Candidates at distinct places, the best first.
    """
    i, j = pair
    instants = blocks(views[i], views[j], PAIR_SOLUTION.boxes)
    together = pairs_of_boxes(views[i], views[j], instants)
    candidates: list[Candidate] = []
    for alignment in alignments:
        cameras = {i: moved(views[i].camera, alignment.turn, alignment.shift), j: views[j].camera}
        gate = PAIR_SOLUTION.first_gate
        for _ in range(PAIR_SOLUTION.rounds):
            matches = matching_tracklets(views, cameras, pair, instants, gate, together)
            if len(matches.rows_i) < PAIR_SOLUTION.least_matches:
                break
            few = thinned(matches, PAIR_SOLUTION.matches)
            before = cameras
            cameras = refine(views, cameras, [few], anchor=j, noise=max(gate / 3, 0.1), steps=5, lens=False)
            if gate == TRACKLET_MATCHES.narrowest_gate and largest_change(before, cameras) < REFINEMENT.settled:
                break
            gate = narrowed(views, cameras, few, gate)
        if len(matches.rows_i) >= PAIR_SOLUTION.least_matches:
            # View j has one pose.
            if any(is_near(cameras[i], other.cameras[i], PAIR_SOLUTION.same_place) for other in candidates):
                continue
            support = measure_support(views, cameras, pair, instants, shifts[: PAIR_SOLUTION.shifts])
            candidates.append(Candidate(cameras, support))
            if candidates[-1].clear:
                break
    return sorted(candidates, key=lambda candidate: -candidate.support.excess)


def is_near(camera: FloatArray, other: FloatArray, limits: tuple[float, float]) -> bool:
    """True where two poses of one view are no further apart than so many radians and body heights."""
    turn = abs(np.exp(1j * camera[YAW]) - np.exp(1j * other[YAW]))
    return bool(turn < limits[0] and np.hypot(*(camera - other)[[X, Y]]) < limits[1])
