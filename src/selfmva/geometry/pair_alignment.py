"""Two views: how the floor of one lies on the floor of the other.

`selfmva.geometry.camera_from_heights` gives every view a floor in body heights, so what is missing between two views is
a turn and a shift: z_j = turn z_i + shift, places on the floor as complex numbers. One walk, seen by both, tells both.
Every two tracklets that live at the same time and have the same shape are a hypothesis; hypotheses are ranked by how
many boxes they bring together at synchronous instants, less how many at shifted ones.

Errors are measured where they arise, in the image: a pair of boxes counts by the larger of its two transfer errors,
each in heights of the box where it is measured, and a box counts with its nearest partner alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.cameras import NEAREST, projections
from selfmva.geometry.mutual_nearest import mutually_nearest

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings


@dataclass(frozen=True)
class AlignmentSettings:
    """Search for the alignment of two views."""

    least_common: int = 4  # instants that two tracklets must share
    long_walk: int = 25  # common instants; more make two walks no better
    least_spread: float = 0.4  # body heights that they must stray, both
    largest_scale: float = 1.8  # between two views that both measure in body heights
    largest_residual: float = 0.45  # body heights between two tracklets laid on each other
    most_tracklets: int = 400  # of a view, the longest first
    most_hypotheses: int = 3000  # the best fits of long walks
    kernel: float = 0.3  # body heights of transfer error
    counted_boxes: int = 600  # of one view, on which hypotheses are ranked
    most_compared: int = 400  # hypotheses that are compared with chance
    hypotheses_together: int = 32  # so many fit into a processor's cache
    distinct_turn: float = 0.15  # radians between two hypotheses that are kept, or
    distinct_shift: float = 0.6  # body heights
    kept: int = 8  # hypotheses


ALIGNMENT = AlignmentSettings()

FAR = np.float32(1e6)  # squared error that stands for no pair


@dataclass(frozen=True)
class Alignment:
    """One hypothesis: z_j = turn z_i + shift, and the consensus it has over chance."""

    turn: complex
    shift: complex
    consensus: float


def search(first: Sightings, second: Sightings, shifts: list[int]) -> list[Alignment]:
    """The most likely alignments of two views, best first.

    Args:
        first: View i.
        second: View j.
        shifts: Numbers of instants by which the second view is shifted to see what chance does.

    Returns:
        Up to 8 distinct alignments; none where no two tracklets fit each other.
    """
    turn, shift = propose(first, second)
    if not len(turn):
        return []
    instants = _spread_instants(first, second)
    rows = first.padded(instants)
    total = len(first.starts) - 1

    def count(lag: int, turn: np.ndarray, shift: np.ndarray) -> FloatArray:
        other = second.padded((instants + lag) % total)
        parts = [
            _consensus(
                first,
                second,
                rows,
                other,
                turn[k : k + ALIGNMENT.hypotheses_together],
                shift[k : k + ALIGNMENT.hypotheses_together],
            )
            for k in range(0, len(turn), ALIGNMENT.hypotheses_together)
        ]
        return np.concatenate(parts)

    # Chance is counted for those alone that do well at synchronous instants: it could only lower the others.
    synchronous = count(0, turn, shift)
    best = np.argsort(-synchronous, kind="stable")[: ALIGNMENT.most_compared]
    turn, shift = turn[best], shift[best]
    score = synchronous[best] - np.mean([count(lag, turn, shift) for lag in shifts], axis=0)
    return keep_distinct(turn, shift, score, (ALIGNMENT.distinct_turn, ALIGNMENT.distinct_shift), ALIGNMENT.kept)


def keep_distinct(
    turn: np.ndarray, shift: np.ndarray, score: FloatArray, apart: tuple[float, float], most: int
) -> list[Alignment]:
    """The best alignments, each so many radians or body heights away from all better ones.

    Args:
        turn: `(H,)` complex turns of length 1.
        shift: `(H,)` complex shifts.
        score: `(H,)` the consensus of each.
        apart: Least distance of turns, and of shifts.
        most: Largest number to keep.

    Returns:
        The kept ones, best first.
    """
    kept: list[Alignment] = []
    for k in np.argsort(-score, kind="stable"):
        if len(kept) == most:
            break
        if all(abs(turn[k] - other.turn) > apart[0] or abs(shift[k] - other.shift) > apart[1] for other in kept):
            kept.append(Alignment(complex(turn[k]), complex(shift[k]), float(score[k])))
    return kept


def propose(first: Sightings, second: Sightings) -> tuple[np.ndarray, np.ndarray]:
    """Turns and shifts that lay a tracklet of one view on one of the other, the best fits of long walks first.

    All pairs of tracklets at once: sums over common instants are products of matrices, and the best turn of two sets
    of complex numbers is the argument of their covariance (Umeyama, PAMI 1991, in the plane).

    Args:
        first: View i.
        second: View j.

    Returns:
        `(H,)` complex turns of length 1 and `(H,)` complex shifts in body heights.
    """
    found = common_walks(*walks_of(first), *walks_of(second), most=ALIGNMENT.most_hypotheses)
    return found.turn, found.mean_j - found.turn * found.mean_i


@dataclass(frozen=True, eq=False)
class CommonWalks:
    """Pairs of walks of two views that have one shape, `(P,)` each, the best fits of long walks first.

    Attributes:
        i: Number of the walk of view i.
        j: Number of the walk of view j.
        common: Number of common instants.
        mean_i: Complex mean place on the floor of view i, over these instants.
        mean_j: The same of view j.
        spread_i: Mean square distance from it.
        spread_j: The same of view j.
        covariance: Complex covariance of the places; its argument is the turn from view i to view j.
    """

    i: IntArray
    j: IntArray
    common: FloatArray
    mean_i: np.ndarray
    mean_j: np.ndarray
    spread_i: FloatArray
    spread_j: FloatArray
    covariance: np.ndarray

    @property
    def turn(self) -> np.ndarray:
        """Complex turns of length 1."""
        return np.asarray(self.covariance / np.abs(self.covariance))


def common_walks(
    place_i: np.ndarray, there_i: FloatArray, place_j: np.ndarray, there_j: FloatArray, *, most: int
) -> CommonWalks:
    """Find the pairs of walks of two views that have one shape.

    Args:
        place_i: `(K, T)` complex places of walks, 0 where there is no box.
        there_i: `(K, T)` 1 where there is one.
        place_j: `(L, T)` of the other view.
        there_j: `(L, T)`.
        most: Largest number of pairs.

    Returns:
        The pairs.
    """
    common = there_i @ there_j.T
    i, j = np.nonzero(common >= ALIGNMENT.least_common)
    n = common[i, j]
    mean_i, mean_j = (place_i @ there_j.T)[i, j] / n, (there_i @ place_j.T)[i, j] / n
    spread_i = np.maximum((np.abs(place_i) ** 2 @ there_j.T)[i, j] / n - np.abs(mean_i) ** 2, 1e-12)
    spread_j = np.maximum((there_i @ np.abs(place_j.T) ** 2)[i, j] / n - np.abs(mean_j) ** 2, 1e-12)
    covariance = (np.conj(place_i) @ place_j.T)[i, j] / n - np.conj(mean_i) * mean_j
    residual = np.sqrt(np.maximum(spread_j - np.abs(covariance) ** 2 / spread_i, 0.0))
    way = np.sqrt(2.0 * np.minimum(spread_i, spread_j))
    good = (way > ALIGNMENT.least_spread) & (
        np.abs(np.log(spread_j / spread_i)) < 2.0 * np.log(ALIGNMENT.largest_scale)
    )
    good &= (residual < np.minimum(ALIGNMENT.largest_residual, 0.5 * np.sqrt(spread_j))) & (np.abs(covariance) > 0)
    worth = np.minimum(n, ALIGNMENT.long_walk) * np.minimum(way, 4.0) / (0.15 + residual)
    best = np.flatnonzero(good)
    best = best[np.argsort(-worth[best], kind="stable")[:most]]
    return CommonWalks(
        i=i[best],
        j=j[best],
        common=n[best],
        mean_i=mean_i[best],
        mean_j=mean_j[best],
        spread_i=spread_i[best],
        spread_j=spread_j[best],
        covariance=covariance[best],
    )


def walks_of(view: Sightings) -> tuple[np.ndarray, FloatArray]:
    """`(K, T)` complex places of the longest walks, 0 where there is no box, and `(K, T)` 1 where there is one."""
    tracks = view.tracks[view.usable]
    places, instants = view.places[view.usable], view.instant[view.usable]
    size = np.bincount(tracks, minlength=1)
    count = np.maximum(size, 1)
    middle = (np.bincount(tracks, places.real, len(size)) + 1j * np.bincount(tracks, places.imag, len(size))) / count
    way = np.sqrt(2.0 * np.bincount(tracks, np.abs(places - middle[tracks]) ** 2, len(size)) / count)
    walks = np.flatnonzero((size >= ALIGNMENT.least_common) & (way > ALIGNMENT.least_spread))
    worth = np.minimum(size, 20)[walks] * np.minimum(way, 4.0)[walks]
    walks = walks[np.argsort(-worth, kind="stable")[: ALIGNMENT.most_tracklets]]
    row = np.full(len(size), -1)
    row[walks] = np.arange(len(walks))
    taken = row[tracks] >= 0
    total = len(view.starts) - 1
    place, there = np.zeros((len(walks), total), complex), np.zeros((len(walks), total))
    place[row[tracks[taken]], instants[taken]] = places[taken]
    there[row[tracks[taken]], instants[taken]] = 1.0
    return place, there


def _spread_instants(first: Sightings, second: Sightings) -> IntArray:
    """Instants at which both views show somebody, spread over the recording, for about `counted_boxes` boxes."""
    both = np.flatnonzero((np.diff(first.starts) > 0) & (np.diff(second.starts) > 0))
    number = int(np.clip(ALIGNMENT.counted_boxes / max(first.crowd, 1.0), 16, 200))
    return both[evenly_spaced(len(both), number)]


def _consensus(
    first: Sightings, second: Sightings, rows: IntArray, other: IntArray, turn: np.ndarray, shift: np.ndarray
) -> FloatArray:
    """`(H,)` how many moving boxes every hypothesis brings together; rows `(S, K)`, other `(S, L)`."""
    ahead = _transfer(first.places[rows], turn, shift, second)[..., :, None] - _complex(second.feet[other])[:, None, :]
    back = _transfer(second.places[other], 1.0 / turn, -shift / turn, first)[..., None, :]
    back = back - _complex(first.feet[rows])[:, :, None]
    error = np.maximum(
        squared(ahead) / (second.heights[other] ** 2).astype(np.float32)[:, None, :],
        squared(back) / (first.heights[rows] ** 2).astype(np.float32)[:, :, None],
    )
    error = np.where((rows >= 0)[:, :, None] & (other >= 0)[:, None, :], error, FAR)
    nearest = mutually_nearest(error)
    weight = np.sqrt(first.moving[rows])[:, :, None] * np.sqrt(second.moving[other])[:, None, :]
    return np.asarray(
        np.einsum("hskl,skl->h", nearest * np.exp(error * np.float32(-0.5 / ALIGNMENT.kernel**2)), weight)
    )


def _transfer(places: np.ndarray, turn: np.ndarray, shift: np.ndarray, view: Sightings) -> np.ndarray:
    """`(H, S, K)` complex image points in a view of places `(S, K)` on another view's floor."""
    floor = projections(view.camera)[:, [0, 1, 3]]
    moved = turn[:, None, None] * places + shift[:, None, None]
    across, down, depth = (floor[k, 0] * moved.real + floor[k, 1] * moved.imag + floor[k, 2] for k in range(3))
    front = depth > NEAREST
    depth = np.where(front, depth, 1.0)
    return np.where(front, across / depth + 1j * (down / depth), 1e3).astype(np.complex64)


def _complex(points: FloatArray) -> np.ndarray:
    return (points[..., 0] + 1j * points[..., 1]).astype(np.complex64)


def squared(values: np.ndarray) -> np.ndarray:
    """Squared lengths of complex vectors."""
    return np.asarray(values.real**2 + values.imag**2)
