"""What synchronization says about learnt distances: whether anything was learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import gather
from selfmva.core.thinning import evenly_spaced
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.distances import pairwise_distances
from selfmva.matching.image_distances import image_distances

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.encoders.box import BoxEncoder

CHANCE = 0.5  # accuracy of guessing: one synchronous image against one shifted image


@dataclass(frozen=True)
class SynchronySettings:
    """What is compared, and how far beyond chance counts."""

    standard_errors: float = 3.0  # by which chance must be exceeded over all view pairs
    standard_errors_of_a_pair: float = 2.0  # by a view pair alone, where all together do
    blocks: int = 8  # of a recording: what is taken for independent, for neighbouring instants resemble each other
    shifts: int = 4  # distances of shifted instants, from near to half a recording
    fewest_blocks: int = 4  # that show anything; fewer have no standard error worth the name
    least_error: float = 1e-9  # accuracy: a standard error where all blocks agree
    most_instants: int = 1000  # enough for 2-digit accuracy; more would only cost time


SYNCHRONY = SynchronySettings()


@dataclass(frozen=True, eq=False)
class PairSynchrony:
    """How well the images of two views are told apart.

    Attributes:
        nearer: `(8, 4)`, by block of the recording and distance of the shift: how many shifted images of the other
            view are further away than the synchronous one (ties count half).
        compared: `(8, 4)` how many there are.
    """

    nearer: FloatArray
    compared: FloatArray

    @property
    def accuracy(self) -> float:
        """Fraction of shifted images that are further away than the synchronous one; 0.5 is chance; NaN without any."""
        return float(self.nearer.sum() / self.compared.sum()) if self.compared.any() else math.nan

    @property
    def margin(self) -> float:
        """Standard errors by which the accuracy exceeds chance, at the distance of shifts where it does so least.

        Cameras that sway alike, or a crowd that comes and goes, tell instants apart too, but not at every distance:
        a sway later, or a moment later, everything looks the same. 0 where there is too little to compare.
        """
        margins = []
        for nearer, compared in zip(self.nearer.T, self.compared.T, strict=True):
            seen = compared > 0
            if seen.sum() >= SYNCHRONY.fewest_blocks:
                accuracy = nearer[seen] / compared[seen]
                error = max(float(accuracy.std(ddof=1)) / math.sqrt(len(accuracy)), SYNCHRONY.least_error)
                margins.append((float(accuracy.mean()) - CHANCE) / error)
        return min(margins, default=0.0)


def pooled(measured: Iterable[PairSynchrony]) -> PairSynchrony:
    """All view pairs together.

    Args:
        measured: Of every view pair.

    Returns:
        Sums of everything.

    Example:
        >>> one = PairSynchrony(np.ones((8, 4)), np.full((8, 4), 2.0))
        >>> pooled([one, one]).accuracy
        0.5
    """
    parts = list(measured)
    nothing = np.zeros((SYNCHRONY.blocks, SYNCHRONY.shifts))
    return PairSynchrony(
        sum((part.nearer for part in parts), start=nothing),
        sum((part.compared for part in parts), start=nothing),
    )


def measure_synchrony(
    encoder: BoxEncoder | None, recording: PackedBoxes, time: IntArray, minimum_shift: int
) -> dict[tuple[int, int], PairSynchrony]:
    """Compare synchronous and shifted instants of every view pair.

    Args:
        encoder: A trained encoder; None where there is none, and nothing is compared.
        recording: T instants.
        time: `(T,)` increasing numbers of the instants; differences tell which are shifted.
        minimum_shift: Instants nearer than this are neither synchronous nor shifted.

    Returns:
        For every view pair (i, j), i < j, what was measured.
    """
    pairs = view_pairs(recording.views)
    nearer, compared = np.zeros((2, len(pairs), SYNCHRONY.blocks, SYNCHRONY.shifts))
    if encoder is None:
        return {pair: PairSynchrony(*both) for pair, *both in zip(pairs, nearer, compared, strict=True)}
    for instants in _far_apart(len(recording)):
        part = gather(recording, instants)
        distances = pairwise_distances(encoder.embed(part.boxes, part.view))
        images, seen = (tensor.cpu().numpy() for tensor in image_distances(distances, part.start, part.count, pairs))
        apart = np.abs(time[instants][:, None] - time[instants][None, :]) >= minimum_shift
        cell = _cells(len(instants))
        for number in range(len(pairs)):
            synchronous = images[number].diagonal()[:, None]
            use = seen[number] & seen[number].diagonal()[:, None] & apart
            further = np.where(synchronous < images[number], 1.0, np.where(synchronous == images[number], 0.5, 0.0))
            compared[number] += _sum_by_cell(cell[use], np.ones(use.sum()))
            nearer[number] += _sum_by_cell(cell[use], further[use])
    return {pair: PairSynchrony(*both) for pair, *both in zip(pairs, nearer, compared, strict=True)}


def _far_apart(instants: int) -> list[IntArray]:
    """Sets of about 8 instants spread over the whole recording; each instant in at most one set."""
    chosen = evenly_spaced(instants, SYNCHRONY.most_instants, to_nearest=True)
    sets = max(len(chosen) // SYNCHRONY.blocks, 1)
    return [chosen[first::sets] for first in range(sets)] if instants else []


def _cells(count: int) -> IntArray:
    """`(count, count)` the cell of block and shift that a synchronous and a shifted instant of one set belong to."""
    number = np.arange(count)
    distance = np.abs(number[:, None] - number)
    distance = np.minimum(distance, count - distance)  # both ways round, so that every block has every distance
    shift = np.maximum(distance - 1, 0) * SYNCHRONY.shifts // max(count // 2, 1)
    return np.asarray(number[:, None] * SYNCHRONY.blocks // count * SYNCHRONY.shifts + shift)


def _sum_by_cell(cells: IntArray, values: FloatArray) -> FloatArray:
    shape = SYNCHRONY.blocks, SYNCHRONY.shifts
    return np.asarray(np.bincount(cells, values, minlength=math.prod(shape)).reshape(shape), np.float64)
