"""Distances of the boxes of two views by every cue, at synchronous and at shifted instants: what tables learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.cues.base import BoxBatch
from selfmva.matching.posterior.fusion import MOST_BOX_PAIRS, Comparison, choose_instants

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from selfmva.association.cues.base import Cue, Readings
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair


def compare_views(
    cues: Sequence[Cue],
    recording: PackedBoxes,
    jittered: PackedBoxes | None,
    minimum_shift: int,
    pairs: Collection[ViewPair],
) -> dict[ViewPair, Comparison]:
    """Compare pairs of views.

    Args:
        cues: What distances to take.
        recording: T instants.
        jittered: See `BoxBatch.jittered`.
        minimum_shift: Least distance of shifted instants.
        pairs: Which pairs of views to compare.

    Returns:
        By these pairs; no instants where the two views never show somebody at once.
    """
    chosen = {
        (i, j): choose_instants(
            np.arange(len(recording)),
            recording.count[:, i] * recording.count[:, j],
            minimum_shift,
            MOST_BOX_PAIRS // len(pairs),
        )
        for i, j in pairs
    }
    # Boxes are read once, however many pairs their view is in: reading costs more than comparing.
    looked_at: dict[int, IntArray] = {}
    for pair, (instants, _) in chosen.items():
        for view in pair:
            looked_at[view] = np.union1d(looked_at.get(view, instants), instants)
    sides = {view: _Side.of(cues, recording, jittered, view, instants) for view, instants in looked_at.items()}
    return {
        (i, j): Comparison(
            [_distances(cues, sides[i], sides[j], t, t) for t in instants.tolist()],
            [_distances(cues, sides[i], sides[j], s, t) for s, t in instants[shifted].tolist()],
            shifted,
        )
        for (i, j), (instants, shifted) in chosen.items()
    }


@dataclass(frozen=True, eq=False)
class _Side:
    """What every cue read of the boxes of one view at some instants, and which those of each instant are."""

    readings: list[Readings]
    rows: dict[int, slice]

    @classmethod
    def of(
        cls, cues: Sequence[Cue], recording: PackedBoxes, jittered: PackedBoxes | None, view: int, chosen: IntArray
    ) -> _Side:
        count, start = recording.count[chosen, view], recording.start[chosen, view]
        boxes = np.repeat(start - (np.cumsum(count) - count), count) + np.arange(count.sum())
        batch = BoxBatch(
            recording.boxes[boxes].astype(np.float64),
            np.full(len(boxes), view),
            None if recording.features is None else recording.features[boxes],
            None if jittered is None else jittered.boxes[boxes].astype(np.float64),
            None if recording.keypoints is None else recording.keypoints[boxes],
        )
        ends = np.cumsum(count).tolist()
        rows = {t: slice(end - size, end) for t, end, size in zip(chosen.tolist(), ends, count.tolist(), strict=True)}
        return cls([cue.read(batch) for cue in cues], rows)


def _distances(cues: Sequence[Cue], first: _Side, second: _Side, s: int, t: int) -> dict[str, FloatArray]:
    """By cue, `(N, M)` distances of boxes of the first view at instant s and of the second at instant t."""
    rows, columns = first.rows[s], second.rows[t]
    return {
        cue.name: cue.distances(one[rows], other[columns])
        for cue, one, other in zip(cues, first.readings, second.readings, strict=True)
    }
