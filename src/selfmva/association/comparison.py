"""Distances of the boxes of two views by every cue, at synchronous and at shifted instants: what tables learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.cues.base import BoxBatch
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.fusion import MOST_BOX_PAIRS, Comparison, choose_instants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.cues.base import Cue, Readings
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair


def compare_views(
    cues: Sequence[Cue], recording: PackedBoxes, jittered: PackedBoxes | None, minimum_shift: int
) -> dict[ViewPair, Comparison]:
    """Compare every pair of views.

    Args:
        cues: What distances to take.
        recording: T instants.
        jittered: See `BoxBatch.jittered`.
        minimum_shift: Least distance of shifted instants.

    Returns:
        By view pair; no instants where the two views never show somebody at once.
    """
    pairs = view_pairs(recording.views)
    found = {}
    for i, j in pairs:
        box_pairs = recording.count[:, i] * recording.count[:, j]
        chosen, shifted = choose_instants(
            np.arange(len(recording)), box_pairs, minimum_shift, MOST_BOX_PAIRS // len(pairs)
        )
        first, second = (_Side.of(cues, recording, jittered, view, chosen) for view in (i, j))
        found[i, j] = Comparison(
            [_distances(cues, first, second, t, t) for t in range(len(chosen))],
            [_distances(cues, first, second, s, t) for s, t in shifted.tolist()],
            shifted,
        )
    return found


@dataclass(frozen=True, eq=False)
class _Side:
    """What every cue read of the boxes of one view at some instants, and where those of each instant are."""

    readings: list[Readings]
    bounds: list[int]

    @classmethod
    def of(
        cls, cues: Sequence[Cue], recording: PackedBoxes, jittered: PackedBoxes | None, view: int, chosen: IntArray
    ) -> _Side:
        count, start = recording.count[chosen, view], recording.start[chosen, view]
        rows = np.repeat(start - (np.cumsum(count) - count), count) + np.arange(count.sum())
        batch = BoxBatch(
            recording.boxes.numpy()[rows].astype(np.float64),
            np.full(len(rows), view),
            None if recording.features is None else recording.features.numpy()[rows],
            None if jittered is None else jittered.boxes.numpy()[rows].astype(np.float64),
        )
        return cls([cue.read(batch) for cue in cues], np.concatenate([[0], np.cumsum(count)]).tolist())

    def rows(self, instant: int) -> slice:
        """Its boxes at one of the instants."""
        return slice(self.bounds[instant], self.bounds[instant + 1])


def _distances(cues: Sequence[Cue], first: _Side, second: _Side, s: int, t: int) -> dict[str, FloatArray]:
    """By cue, `(N, M)` distances of boxes of the first view at its instant s and of the second at its instant t."""
    rows, columns = first.rows(s), second.rows(t)
    return {
        cue.name: cue.distances(one[rows], other[columns])
        for cue, one, other in zip(cues, first.readings, second.readings, strict=True)
    }
