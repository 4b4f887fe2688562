"""Where geometry is sure who is who: matches that an embedding can be trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import gather
from selfmva.core.thinning import evenly_spaced
from selfmva.core.view_pairs import view_pairs
from selfmva.geometry.floor_likelihood import density_of_strangers, distances_on_floor, log_odds_of_distances
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, DistanceTable
from selfmva.matching.posterior.fusion import FusedTable
from selfmva.matching.posterior.posterior import posteriors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor import Floor
    from selfmva.geometry.floor_likelihood import FloorReadings

FLOOR_CUE = "floor"  # name of the one cue that is asked


@dataclass(frozen=True)
class ConsensusSettings:
    """Where geometry is asked, and when it is believed."""

    sure: float = 0.9  # posterior of a match, at least
    most_instants: int = 1000  # at which geometry is asked: half a minute for a crowd in seven views
    chunk: int = 16  # instants whose posteriors are computed at once: what bounds the memory
    crowd_instants: int = 1000  # on which the density of the people is measured


CONSENSUS = ConsensusSettings()


@dataclass(frozen=True, eq=False)
class Consensus:
    """Pairs of boxes of one instant that geometry takes for one person.

    Attributes:
        instant: `(K,)` number of the instant, increasing.
        image: `(K, 2)` numbers of the two views.
        place: `(K, 2)` numbers of the two boxes within their images.
        known: `(T',)` increasing numbers of the instants at which geometry was asked.
    """

    instant: IntArray
    image: IntArray
    place: IntArray
    known: IntArray

    def rows(self, instants: IntArray, batch: PackedBoxes) -> Tensor:
        """`(M, 2)` rows, in a batch of these increasing instants, of the boxes that are one person."""
        import torch

        first, last = (np.searchsorted(self.instant, instants, side=side) for side in ("left", "right"))
        size = last - first
        chosen = np.repeat(first - (np.cumsum(size) - size), size) + np.arange(size.sum())
        where = np.repeat(np.arange(len(instants)), size)
        return torch.from_numpy(batch.start[where[:, None], self.image[chosen]] + self.place[chosen])


def find_consensus(floor: Floor, recording: PackedBoxes) -> Consensus:
    """Ask the floor who is who.

    Args:
        floor: The common floor.
        recording: T instants of its views.

    Returns:
        The matches it is sure of.
    """
    known = evenly_spaced(len(recording), CONSENSUS.most_instants, to_nearest=True)
    pairs, found = np.array(view_pairs(recording.views)), []
    for instants, probabilities in floor_posteriors(floor, recording, known):
        frame, pair, one, other = np.nonzero(probabilities > CONSENSUS.sure)
        found.append(np.column_stack([instants[frame], pairs[pair], one, other]))
    matches = np.concatenate([np.zeros((0, 5), np.int64), *found])
    return Consensus(matches[:, 0], matches[:, 1:3], matches[:, 3:], known)


def floor_posteriors(floor: Floor, recording: PackedBoxes, instants: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
    """Who is who by the floor alone, a few instants at a time.

    Args:
        floor: The common floor.
        recording: T instants of its views.
        instants: Numbers of those to look at.

    Yields:
        `(F,)` some of these numbers, and the `(F, P, K, K)` posteriors of `selfmva.matching.posterior.posterior`.
    """
    on_floor = set(floor.views_on_floor)
    table = {FLOOR_CUE: floor_table(floor, recording)}
    tables = {
        pair: FusedTable(table, {FLOOR_CUE: 1.0}, 0.0 if set(pair) <= on_floor else -LARGEST_LOG_ODDS)
        for pair in view_pairs(recording.views)
    }
    for first in range(0, len(instants), CONSENSUS.chunk):
        chosen = instants[first : first + CONSENSUS.chunk]
        part = gather(recording, chosen)
        readings = _read(floor, part)
        bounds = np.cumsum(part.count.sum(axis=1))
        rows = [slice(end - size, end) for end, size in zip(bounds, part.count.sum(axis=1), strict=True)]
        distances = [{FLOOR_CUE: distances_on_floor(readings[row], readings[row])} for row in rows]
        yield chosen, posteriors(distances, part.count, tables)


def floor_table(floor: Floor, recording: PackedBoxes) -> DistanceTable:
    """What distances on the floor mean among the people of a recording; see `selfmva.geometry.floor_likelihood`.

    Args:
        floor: The common floor.
        recording: Of its views.

    Returns:
        A table of log-odds.
    """
    part = gather(recording, evenly_spaced(len(recording), CONSENSUS.crowd_instants, to_nearest=True))
    image = np.repeat(np.arange(part.count.size), part.count.reshape(-1))
    return DistanceTable(*log_odds_of_distances(density_of_strangers(_read(floor, part), image)), true_fraction=0.5)


def _read(floor: Floor, part: PackedBoxes) -> FloorReadings:
    return floor.read(part.boxes.astype(np.float64), part.view)
