"""Epipolar geometry of two views without a label, and whether to trust it.

Boxes that are mutually nearest by a learnt embedding are candidate matches; they give a fundamental matrix
(`selfmva.geometry.epipolar`), matrix and embedding together give better matches, and so on. The matrix is judged on
blocks of the recording that it has not seen: one-to-one consensus at synchronous against shifted instants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import stride
from selfmva.errors import InputError
from selfmva.geometry.epipolar import (
    EPIPOLAR,
    epipolar_distances,
    fit_fundamental_matrix,
    head_points,
    refine_fundamental_matrix,
    robust_error,
)
from selfmva.geometry.mutual_nearest import mutually_nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class EpipolarSearchSettings:
    """Search for a fundamental matrix without labels, and the verdict."""

    most_instants: int = 1000  # evenly spread over all
    agrees: float = 0.2  # heights of boxes; distances beyond it are no consensus
    farthest: float = 3.0  # medians of matches: where the epipolar distance stops to count against a match
    rounds: int = 2  # of matching anew
    blocks: int = 32  # of the recording; odd ones are judged
    standard_errors: float = 4.0  # of the margin: blocks are few, and still not quite independent
    shifts: tuple[float, ...] = tuple(part / 32 for part in range(1, 17))  # fractions of the recording, both ways


EPIPOLAR_SEARCH = EpipolarSearchSettings()


@dataclass(frozen=True, eq=False)
class EpipolarGeometry:
    """What was found for two views.

    Attributes:
        matrix: `(3, 3)` with x_j^T F x_i = 0 in pixels, of norm 1; None where too little was seen.
        trusted: True where instants that were not used agree with it, beyond chance.
        support: Number of one-to-one matches within `EPIPOLAR_SEARCH.agrees` heights, all instants.
        residual: Their median distance in heights; NaN where there are none.
        margin: Consensus at synchronous minus shifted instants, not used to estimate, in standard errors.
    """

    matrix: FloatArray | None
    trusted: bool
    support: int
    residual: float
    margin: float


def find_epipolar_geometry(
    boxes_i: Sequence[FloatArray],
    boxes_j: Sequence[FloatArray],
    distances: Sequence[FloatArray],
    time: IntArray,
    minimum_shift: int,
) -> EpipolarGeometry:
    """Find the fundamental matrix of two views without a label, and say whether to trust it.

    Args:
        boxes_i: For each of T instants, `(N_t, 4)` xyxy in pixels.
        boxes_j: The same of the other view, `(M_t, 4)`.
        distances: For each instant, `(N_t, M_t)` of a learnt embedding: small where two boxes may be one person.
        time: `(T,)` increasing numbers of the instants.
        minimum_shift: Instants nearer than this are neither synchronous nor shifted.

    Returns:
        The matrix and the verdict; the transposed matrix when the views change places.

    Raises:
        InputError: The lists are not equally long, or distances don't fit the boxes.
    """
    _check(boxes_i, boxes_j, distances, time)
    both = np.flatnonzero([len(one) > 0 and len(other) > 0 for one, other in zip(boxes_i, boxes_j, strict=True)])
    both = both[:: stride(len(both), EPIPOLAR_SEARCH.most_instants)]
    if len(both) < EPIPOLAR_SEARCH.blocks:
        return EpipolarGeometry(None, False, 0, np.nan, 0.0)
    first, second = (_padded([boxes[t] for t in both.tolist()]) for boxes in (boxes_i, boxes_j))
    learnt = np.full((len(both), first.shape[1], second.shape[1]), np.inf)
    for row, t in enumerate(both.tolist()):
        learnt[row, : len(boxes_i[t]), : len(boxes_j[t])] = distances[t]
    block = np.arange(len(both)) * EPIPOLAR_SEARCH.blocks // len(both)
    fitted = block % 2 == 0
    matrix = _search(first[fitted], second[fitted], learnt[fitted])
    if matrix is None:
        return EpipolarGeometry(None, False, 0, np.nan, 0.0)
    margin = _margin(
        matrix, first[~fitted], second[~fitted], np.asarray(time)[both][~fitted], block[~fitted], minimum_shift
    )
    trusted = margin >= EPIPOLAR_SEARCH.standard_errors
    if trusted:
        # Half of the instants are enough to judge by; all of them may know better.
        candidates = (_rematched(matrix, first, second, learnt), _search(first, second, learnt))
        heads = _matches(first, second, mutually_nearest(learnt, one_to_one=True))
        known = [found for found in candidates if found is not None]
        matrix = min(known, key=lambda found: robust_error(found, *heads))
    epipolar = _between(matrix, first, second)
    nearest = epipolar[mutually_nearest(epipolar, one_to_one=True) & (epipolar < EPIPOLAR_SEARCH.agrees)]
    residual = float(np.median(nearest)) if len(nearest) else np.nan
    return EpipolarGeometry(matrix, trusted, len(nearest), residual, margin)


def _check(
    boxes_i: Sequence[FloatArray], boxes_j: Sequence[FloatArray], distances: Sequence[FloatArray], time: IntArray
) -> None:
    lengths = [len(values) for values in (boxes_i, boxes_j, distances, time)]
    if len(set(lengths)) > 1:
        raise InputError(f"boxes, distances and time must have one entry per instant, got {lengths}")
    for t, (one, other, block) in enumerate(zip(boxes_i, boxes_j, distances, strict=True)):
        if block.shape != (len(one), len(other)):
            raise InputError(f"instant {t}: expected distances of {len(one)} x {len(other)} boxes, got {block.shape}")


def _padded(boxes: Sequence[FloatArray]) -> FloatArray:
    """Heads and heights `(T, N, 3)` of `(N_t, 4)` boxes, NaN in the padding."""
    result = np.full((len(boxes), max(map(len, boxes)), 3), np.nan)
    for row, found in enumerate(boxes):
        result[row, : len(found), :2] = head_points(found)
        result[row, : len(found), 2] = found[:, 3] - found[:, 1]
    return result


def _between(matrix: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    return epipolar_distances(matrix, first[..., :2], first[..., 2], second[..., :2], second[..., 2])


def _search(first: FloatArray, second: FloatArray, learnt: FloatArray) -> FloatArray | None:
    """From matches of the embedding alone to a matrix."""
    one, other = _matches(first, second, mutually_nearest(learnt, one_to_one=True))
    matrix = fit_fundamental_matrix(one[:, :2], other[:, :2], one[:, 2], other[:, 2])
    return None if matrix is None else _rematched(matrix, first, second, learnt)


def _matches(first: FloatArray, second: FloatArray, matched: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Heads and heights `(K, 3)` of both views where `(T, N, M)` is True, whatever the order of boxes and of views."""
    instant, row, column = np.nonzero(matched)
    one, other = first[instant, row], second[instant, column]
    order = np.lexsort((one + other).T)[:: stride(len(one), EPIPOLAR.most_matches)]
    return one[order], other[order]


def _rematched(matrix: FloatArray, first: FloatArray, second: FloatArray, learnt: FloatArray) -> FloatArray:
    """Match by embedding and matrix together, refine, and again."""
    matched = mutually_nearest(learnt, one_to_one=True)
    for _ in range(EPIPOLAR_SEARCH.rounds):
        epipolar = _between(matrix, first, second)
        # Each in units of what matches have, so that neither cue needs a scale.
        units = [max(float(np.nanmedian(cue[matched])), 1e-9) for cue in (learnt, epipolar)]
        matched = mutually_nearest(
            learnt / units[0] + np.minimum(epipolar / units[1], EPIPOLAR_SEARCH.farthest), one_to_one=True
        )
        heads = _matches(first, second, matched)
        if len(heads[0]) < EPIPOLAR.least_matches:
            return matrix
        matrix = refine_fundamental_matrix(matrix, *heads)
    return matrix


def _margin(
    matrix: FloatArray, first: FloatArray, second: FloatArray, time: IntArray, block: IntArray, minimum_shift: int
) -> float:
    """Consensus at synchronous minus shifted instants, in standard errors over blocks of the recording.

    The least over all shifts: cameras that sway agree with themselves a sway later, and so does chance.
    """
    synchronous = _consensus(matrix, first, second)
    margins = []
    for fraction in EPIPOLAR_SEARCH.shifts:
        roll = round(fraction * len(first))
        apart = np.abs(np.roll(time, roll) - time) >= minimum_shift
        if roll == 0 or not apart.any():
            continue
        shifted = (
            _consensus(matrix, first, np.roll(second, roll, axis=0))
            + _consensus(matrix, np.roll(first, roll, axis=0), second)
        ) / 2
        gain = (synchronous - shifted)[apart]
        # Neighbouring instants resemble each other: whole blocks are what is independent.
        number = np.unique(block[apart], return_inverse=True)[1]
        means = np.bincount(number, gain) / np.bincount(number)
        if len(means) >= EPIPOLAR_SEARCH.blocks // 4:
            margins.append(float(means.mean() / max(means.std(ddof=1) / np.sqrt(len(means)), 1e-9)))
    return min(margins, default=0.0)


def _consensus(matrix: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """Of every instant `(T,)`: its one-to-one matches, each between 0 and 1, per box that could be matched."""
    distances = _between(matrix, first, second)
    agreement = np.where(
        mutually_nearest(distances, one_to_one=True), np.clip(1.0 - distances / EPIPOLAR_SEARCH.agrees, 0.0, 1.0), 0.0
    )
    people = np.minimum(np.isfinite(first[..., 0]).sum(axis=1), np.isfinite(second[..., 0]).sum(axis=1))
    return np.asarray(agreement.sum(axis=(1, 2)) / np.maximum(people, 1))
