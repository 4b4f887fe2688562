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
from selfmva.geometry.box_pairs import squared_length
from selfmva.geometry.floor_cameras import NEAREST, projections
from selfmva.geometry.mutual_nearest import mutually_nearest
from selfmva.geometry.walks import Walks, common_walks

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings


@dataclass(frozen=True)
class AlignmentSettings:
    """Search for the alignment of two views."""

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

    Args:
        first: View i.
        second: View j.

    Returns:
        `(H,)` complex turns of length 1 and `(H,)` complex shifts in body heights.
    """
    found = common_walks(Walks.of(first), Walks.of(second), most=ALIGNMENT.most_hypotheses)
    return found.turn, found.shift


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
        squared_length(ahead) / (second.heights[other] ** 2).astype(np.float32)[:, None, :],
        squared_length(back) / (first.heights[rows] ** 2).astype(np.float32)[:, :, None],
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
