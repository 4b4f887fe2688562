"""Associations as the tracker takes them, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.probabilities import EdgeProbabilities
from selfmva.association.standing import read_standing
from selfmva.errors import NotFittedError
from selfmva.matching.posterior.posterior import bounded_log_odds
from selfmva.tracking.instants import Instant

if TYPE_CHECKING:
    from selfmva.association.association import Association
    from selfmva.core.types import FloatArray, IntArray


def tracked_boxes(association: Association) -> IntArray:
    """`(M,)` rows, counted view after view, of the boxes that are of somebody: neither left out nor doubles."""
    ids = np.concatenate([np.zeros(0, np.int64), *association.ids_of_people()])
    return np.flatnonzero(ids >= 0)


def as_instant(association: Association) -> Instant:
    """The boxes of an association that are of somebody.

    Raises:
        NotFittedError: It has similarities instead of probabilities.
    """
    if not association.calibrated:
        raise NotFittedError(
            "tracking needs probabilities, and this associator was converted and knows similarities alone: call "
            "adapt(boxes) first"
        )
    frame, rows = association.frame, tracked_boxes(association)
    view = np.repeat(np.arange(len(frame)), frame.counts)[rows]
    boxes = np.concatenate([np.zeros((0, 4)), *frame.boxes])[rows]
    first, second, posterior = _edges(association)
    place = np.full(sum(frame.counts), -1)
    place[rows] = np.arange(len(rows))
    kept = (place[first] >= 0) & (place[second] >= 0)
    floor = association.floor
    return Instant(
        association.index,
        np.bincount(view, minlength=len(frame)),
        boxes,
        place[first[kept]],
        place[second[kept]],
        bounded_log_odds(posterior[kept]),
        np.unique(np.concatenate([np.zeros(0, np.int64), *association.ids])[rows], return_inverse=True)[1].reshape(-1),
        None if floor is None or not len(rows) else read_standing(floor, [frame], rows),
    )


def with_lasting_ids(association: Association, ids: IntArray) -> Association:
    """The association with ids `(M,)` of the boxes that are of somebody; -1 for all others."""
    every = np.full(sum(association.frame.counts), -1)
    every[tracked_boxes(association)] = ids
    return replace(association, ids=tuple(np.split(every, np.cumsum(association.frame.counts)[:-1])))


def _edges(association: Association) -> tuple[IntArray, IntArray, FloatArray]:
    """Rows of pairs of boxes that may be one person, the first increasing, and their probabilities."""
    found = association.probabilities
    if isinstance(found, EdgeProbabilities):
        return found.first, found.second, found.probabilities
    start = np.cumsum([0, *association.frame.counts])
    parts = [np.zeros((3, 0))]
    for (i, j), block in found.items():
        one, other = block.nonzero()
        parts.append(np.stack([one + start[i], other + start[j], block[one, other]]))
    first, second, probability = np.concatenate(parts, axis=1)
    order = np.lexsort((second, first))
    return first[order].astype(np.int64), second[order].astype(np.int64), probability[order]
