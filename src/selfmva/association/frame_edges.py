"""The pairs of boxes of a chunk of frames that may be one person, and their log-odds by all cues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.cues import cues_of
from selfmva.association.cues.base import batch_of_frames
from selfmva.matching.posterior.edges import EDGES, Edges

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from selfmva.association.cues.base import BoxBatch, Cue
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame, IntArray
    from selfmva.matching.posterior.evidence import BoolArray, Search


def find_edges(model: FittedModel, frames: Sequence[Frame], batch: BoxBatch | None = None) -> tuple[Edges, FloatArray]:
    """Pairs of boxes whose own log-odds are above `EDGES.least_log_odds`.

    Args:
        model: What was learnt, its tables among it.
        frames: Clipped frames of its cameras.
        batch: Their boxes, where they are packed already.

    Returns:
        The edges, and `(E,)` their log-odds.
    """
    batch = batch_of_frames(frames)[0] if batch is None else batch
    evidence = model.evidence
    none = np.zeros(0, np.int64)
    boxes = Edges(none, none, np.array([frame.counts for frame in frames]))
    readings = {cue: cue.read(batch) for cue in cues_of(model)}
    local = next((cue for cue in readings if cue.local and cue.name in evidence.searches), None)
    search = evidence.searches[None if local is None else local.name]
    first, second = _all_pairs(search.anywhere, boxes)
    distances: dict[str, FloatArray] = {}
    if local is None or not search.near.any():
        pass
    elif not search.anywhere.any():
        first, second, distances[local.name] = _near_pairs(local, readings[local], search, boxes)
    else:
        near = _near_pairs(local, readings[local], search, boxes)
        both = np.concatenate([first, near[0]]), np.concatenate([second, near[1]])
        order = np.argsort(both[0] * len(boxes.view) + both[1])
        first, second = both[0][order], both[1][order]
    for cue, found in readings.items():
        if cue.name in evidence.cues and cue.name not in distances:
            distances[cue.name] = cue.distances_of_pairs(found, first, second)
    log_odds = evidence.log_odds(evidence.pair[boxes.view[first], boxes.view[second]], distances)
    kept = log_odds > EDGES.least_log_odds
    return Edges(first[kept], second[kept], boxes.count), log_odds[kept]


def _near_pairs(cue: Cue, readings: Any, search: Search, boxes: Edges) -> tuple[IntArray, IntArray, FloatArray]:
    """Pairs of boxes, and their distances, that a cue finds for the pairs of views that are asked."""
    first, second, distances = cue.pairs_within(readings, boxes.frame, boxes.view, search.farthest)
    if np.count_nonzero(search.near) * 2 == len(search.near) * (len(search.near) - 1):
        return first, second, distances
    asked = search.near[boxes.view[first], boxes.view[second]]
    return first[asked], second[asked], distances[asked]


def _all_pairs(wanted: BoolArray, boxes: Edges) -> tuple[IntArray, IntArray]:
    """All pairs of boxes of some pairs of views `(V, V)` of each frame, in order."""
    found = [np.zeros((2, 0), np.int64)]
    if wanted.any():
        for start, end in zip(boxes.ends[:-1].tolist(), boxes.ends[1:].tolist(), strict=True):
            view = boxes.view[start:end]
            found.append(start + np.stack(wanted[view[:, None], view].nonzero()))
    first, second = np.concatenate(found, axis=1)
    return first, second
