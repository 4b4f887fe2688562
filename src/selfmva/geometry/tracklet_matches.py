"""Which tracklets of two views belong together, under cameras that may still be wrong.

Matches come from whole tracklets: two people who walk side by side are told apart by the shape of their walks long
before their places are known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced, evenly_spaced_blocks
from selfmva.geometry.box_pairs import (
    best_of_each,
    carry,
    near_pairs,
    pairs_of_boxes,
    squared_errors,
    squared_length,
)
from selfmva.geometry.walks import WALKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.box_pairs import BoxPairs
    from selfmva.geometry.sightings import Sightings

    ComplexArray = NDArray[np.complex128]
    Cameras = Mapping[int, FloatArray]


@dataclass(frozen=True)
class MatchSettings:
    """Matching of tracklets."""

    shape_noise: float = 0.15  # body heights: how much two sightings of one walk differ beside a common offset
    block: int = 20  # neighbouring instants that are looked at together, so that tracklets have a length
    still_weight: float = 0.1  # fraction, of people who stand: they meet at shifted instants as well
    least_worth: float = 0.5  # walking boxes, weighted by how well two courses agree
    most_matches: int = 400  # of a pair of views that count: thousands of a few people say no more
    gate_over_error: float = 2.5  # median transfer errors that the next gate is wide
    narrowest_gate: float = 0.3  # body heights
    least_matches: int = 8  # of a pair, without which it is left out


TRACKLET_MATCHES = MatchSettings()


@dataclass(frozen=True, eq=False)
class Matches:
    """Boxes of two views that may be the same person.

    Attributes:
        i: Number of the first view.
        j: Number of the second view.
        rows_i: `(K,)` boxes of view i.
        rows_j: `(K,)` boxes of view j.
        error: `(K,)` the larger transfer error, in body heights.
        weight: Of each of them, where a few stand for many.
    """

    i: int
    j: int
    rows_i: IntArray
    rows_j: IntArray
    error: FloatArray
    weight: float = 1.0


def blocks(first: Sightings, second: Sightings, boxes: int) -> IntArray:
    """Blocks of neighbouring instants at which both views show somebody, spread over the recording.

    Args:
        first: View i.
        second: View j.
        boxes: About how many boxes of the fuller view they should hold.

    Returns:
        `(S,)` increasing numbers of instants.
    """
    both = np.flatnonzero((np.diff(first.starts) > 0) & (np.diff(second.starts) > 0))
    wanted = max(int(boxes / max(first.crowd, second.crowd, 0.3)), 2 * TRACKLET_MATCHES.block)
    return both[evenly_spaced_blocks(len(both), wanted, TRACKLET_MATCHES.block)]


def matching_tracklets(
    views: Sequence[Sightings],
    cameras: Cameras,
    pair: tuple[int, int],
    instants: IntArray,
    gate: float,
    together: BoxPairs | None = None,
) -> Matches:
    """Boxes of tracklets that take the same course, up to a common offset below the gate.

    Of two tracklets with n common instants, mean transfer error m and root mean square r around it, the score is
    n exp(-(r^2 / shape_noise^2 + m^2 / gate^2) / 2), n counting walking boxes; at every instant, boxes whose tracklets
    are each other's best match.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.
        instants: `(S,)`, in blocks of neighbours.
        gate: Body heights by which the cameras may still be wrong.
        together: All pairs of boxes at these instants, where the caller has them.

    Returns:
        The matches.
    """
    i, j = pair
    first, second = views[i], views[j]
    farthest = 1.5 * gate + 2 * TRACKLET_MATCHES.shape_noise
    together = pairs_of_boxes(first, second, instants) if together is None else together
    feet = carry(first, second, cameras[i], cameras[j], together.box, together.partner)
    (_, box, partner), in_j, in_i = near_pairs(first, second, feet, together, farthest)
    square = np.maximum(squared_length(in_j), squared_length(in_i))
    key = first.tracks[box] * (second.tracks.max(initial=0) + 1) + second.tracks[partner]
    both, member = np.unique(key, return_inverse=True)
    count = np.bincount(member, minlength=len(both))
    # Two courses that share n boxes agree by chance in n - 1 of them.
    unbiased = count / np.maximum(count - 1, 1)
    scatter, offset = np.zeros(len(both)), np.zeros(len(both))
    for error in (in_j, in_i):
        mean = _sums(member, error, len(both)) / count
        mean_square = np.bincount(member, squared_length(error), minlength=len(both)) / count
        scatter = np.maximum(scatter, (mean_square - squared_length(mean)) * unbiased)
        offset = np.maximum(offset, squared_length(mean))
    deviance = scatter / TRACKLET_MATCHES.shape_noise**2 + offset / gate**2
    walking = np.bincount(member, np.sqrt(first.moving[box] * second.moving[partner]), minlength=len(both))
    score = np.where(
        (count >= WALKS.least_common) & (deviance < 4.0), walking + TRACKLET_MATCHES.still_weight * count, 0.0
    )
    worth = np.where(score > 0, score * np.exp(-0.5 * deviance), 0.0)[member]
    worth = np.where(worth > TRACKLET_MATCHES.least_worth, worth, 0.0)
    chosen = best_of_each(box, worth) & best_of_each(partner, worth)
    return Matches(i, j, box[chosen], partner[chosen], np.sqrt(square[chosen]))


def _sums(member: IntArray, values: ComplexArray, size: int) -> ComplexArray:
    real, imaginary = (np.bincount(member, part, minlength=size) for part in (values.real, values.imag))
    return np.asarray(real + 1j * imaginary)


def matches_of_pairs(
    views: Sequence[Sightings], cameras: Cameras, gates: Mapping[tuple[int, int], float], boxes: int, most: int
) -> list[Matches]:
    """Matching tracklets of several pairs of views; pairs with few matches are left out.

    Args:
        views: All views.
        cameras: Parameters by view.
        gates: By pair of views that have a camera, body heights by which they may still be wrong.
        boxes: About how many boxes of a view are looked at.
        most: Largest number of matches of a pair.

    Returns:
        One entry for each pair that has enough.
    """
    found = []
    for (i, j), gate in gates.items():
        matches = matching_tracklets(views, cameras, (i, j), blocks(views[i], views[j], boxes), gate)
        if len(matches.rows_i) >= TRACKLET_MATCHES.least_matches:
            found.append(thinned(matches, most))
    return found


def thinned(matches: Matches, most: int) -> Matches:
    """At most so many of the matches, evenly spread; they stand for up to `TRACKLET_MATCHES.most_matches`."""
    if len(matches.rows_i) <= most:
        return matches
    chosen = evenly_spaced(len(matches.rows_i), most)
    weight = min(len(matches.rows_i), TRACKLET_MATCHES.most_matches) / most
    return Matches(matches.i, matches.j, matches.rows_i[chosen], matches.rows_j[chosen], matches.error[chosen], weight)


def narrowed(views: Sequence[Sightings], cameras: Cameras, matches: Matches, gate: float) -> float:
    """The gate for the next matches of a pair of views: a few times the error that is left, and no wider than before.

    A gate that narrows by itself shuts out the right partners of a camera that has a long way to go.

    Args:
        views: All views.
        cameras: Parameters by view, refined by these matches.
        matches: Between two of them.
        gate: With which they were found, in body heights.

    Returns:
        Body heights.
    """
    i, j = matches.i, matches.j
    square = squared_errors(views[i], views[j], cameras[i], cameras[j], matches.rows_i, matches.rows_j)
    left = float(np.sqrt(np.median(square)))
    return float(np.clip(TRACKLET_MATCHES.gate_over_error * left, TRACKLET_MATCHES.narrowest_gate, gate))
