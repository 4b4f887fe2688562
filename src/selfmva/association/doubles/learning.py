"""From a recording alone: how likely two boxes of one view that overlap so are one person.

Two people overlap at one instant no more often than at two instants far apart, for they do not walk through each other
and detectors leave out most of whom others hide. What overlaps more often than that is one person twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.doubles.overlap import OVERLAP_CELLS, overlap_cells, pairs_of_images
from selfmva.core.thinning import evenly_spaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, Frame, IntArray


@dataclass(frozen=True)
class DoublesSettings:
    """How it is learnt."""

    instants: int = 600  # of a recording, fewer where these have more pairs of boxes of a view
    pairs: int = 100_000
    shifts: tuple[float, ...] = (0.13, 0.29, 0.47)  # of its length, by which other instants are apart
    blocks: int = 10  # of neighbouring instants, which what is found has to hold for: who overlaps, stays so a while
    standard_errors: float = 3.0  # by which there have to be more at one instant than at two
    least: int = 8  # pairs of boxes of one instant
    prior_pairs: float = 4.0  # that a view starts with, two people as often as in all views together
    least_fraction: float = 0.02  # of a view's boxes: fewer doubles cost less than what may be wrong about them
    likely: float = 0.5  # probability from where on two boxes count as one person


DOUBLES = DoublesSettings()


@dataclass(frozen=True, eq=False)
class Doubles:
    """How likely two boxes of one view are one person.

    Attributes:
        probabilities: `(V, OVERLAP_CELLS)` in [0, 1] by view and cell of the overlap, see `overlap_cells`; 0 where
            nothing speaks for it.
    """

    probabilities: FloatArray

    def reordered(self, order: Sequence[int]) -> Doubles:
        """The same with its views in another order: view k is the old view `order[k]`."""
        return Doubles(self.probabilities[list(order)])


def learn_doubles(frames: Sequence[Frame], views: int) -> Doubles | None:
    """Learn how likely two boxes of one view are one person; None where no view shows anybody twice.

    Args:
        frames: Clipped frames in the order of time.
        views: Number of views.
    """
    if not frames:
        return None
    pairs = float(np.mean([max(frame.counts, default=0) ** 2 for frame in frames]))
    most = max(min(DOUBLES.instants, int(DOUBLES.pairs / max(pairs, 1.0))), DOUBLES.blocks)
    chosen = [frames[t] for t in evenly_spaced(len(frames), most)]
    counted = np.stack([_of_view([frame.boxes[view] for frame in chosen]) for view in range(views)])
    everywhere = counted.sum(axis=0)
    alone = np.where(_surely_more(*everywhere), _fraction_of_two(*everywhere, prior=1.0), 1.0)
    found = [
        np.where(_surely_more(*own) | _surely_more(*everywhere), 1.0 - _fraction_of_two(*own, prior=alone), 0.0)
        for own in counted
    ]
    likely = np.where(np.array(found) > DOUBLES.likely, found, 0.0)
    boxes = np.array([frame.counts for frame in chosen]).sum(axis=0)
    doubled = (likely * counted[:, 0].sum(axis=1)).sum(axis=1)
    likely[doubled < DOUBLES.least_fraction * boxes] = 0.0
    return Doubles(likely) if likely.any() else None


def _surely_more(together: FloatArray, apart: FloatArray) -> NDArray[np.bool_]:
    """`(OVERLAP_CELLS,)` where an instant has more pairs than two have, from `(blocks, OVERLAP_CELLS)` of both."""
    excess = together - apart
    error = np.sqrt(len(excess)) * excess.std(axis=0, ddof=1)
    enough = together.sum(axis=0) >= DOUBLES.least
    return np.asarray(enough & (excess.sum(axis=0) > DOUBLES.standard_errors * error))


def _fraction_of_two(together: FloatArray, apart: FloatArray, *, prior: FloatArray | float) -> FloatArray:
    """`(OVERLAP_CELLS,)` which fraction of the pairs is two people, from `(blocks, OVERLAP_CELLS)` of both."""
    weight = DOUBLES.prior_pairs
    fraction = (apart.sum(axis=0) + weight * prior) / (together.sum(axis=0) + weight)
    return np.asarray(np.minimum(fraction, 1.0))


def _of_view(boxes: Sequence[FloatArray]) -> FloatArray:
    """`(2, blocks, OVERLAP_CELLS)` pairs of boxes of one view, from T instants: of one instant, and of two.

    Those of two are as many as there would be at one if people came and went by themselves.
    """
    count = np.array([len(part) for part in boxes], dtype=np.int64)
    flat, instants = np.concatenate(boxes), np.arange(len(boxes))
    together = _counts(flat, count, instants, within=True)
    apart = np.zeros_like(together)
    for shift in sorted({max(1, round(len(boxes) * part)) for part in DOUBLES.shifts}):
        others = (instants + shift) % len(boxes)
        pairs = float(count @ count[others])
        if pairs:
            apart += _counts(flat, count, others) * (count @ (count - 1) / 2 / pairs / len(DOUBLES.shifts))
    return np.stack([together, apart])


def _counts(flat: FloatArray, count: IntArray, others: IntArray, *, within: bool = False) -> FloatArray:
    """`(blocks, OVERLAP_CELLS)` pairs of a box of each instant and one of another `(T,)`; within one, each once."""
    start = np.cumsum(count) - count
    image, first, second = pairs_of_images((start, start[others]), (count, count[others]))
    cell = overlap_cells(flat[first], flat[second])
    counted = (cell >= 0) & ((first < second) | (not within))
    block = image[counted] * DOUBLES.blocks // len(count)
    cells = np.bincount(block * OVERLAP_CELLS + cell[counted], minlength=DOUBLES.blocks * OVERLAP_CELLS)
    return cells.reshape(DOUBLES.blocks, OVERLAP_CELLS).astype(np.float64)
