"""Boxes that show a person once more, back at their places in an answer, and named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.probabilities import EdgeProbabilities

if TYPE_CHECKING:
    from selfmva.association.association import Association
    from selfmva.core.types import Frame, IntArray


def with_doubles(association: Association, frame: Frame, first_boxes: IntArray) -> Association:
    """The answer to a frame, from the answer to its boxes without doubles.

    A double is alone, under a number of its own behind all others; that it is the same person as a box of another view
    is as probable as of the box that it doubles.

    Args:
        association: Of the frame without its doubles.
        frame: With them.
        first_boxes: `(N,)` of its boxes, view after view, the row of the box that stands for the person.
    """
    rows = np.arange(len(first_boxes))
    stands = first_boxes == rows
    if stands.all():
        return association
    cuts = np.cumsum(frame.counts)[:-1]
    ids = np.empty(len(rows), dtype=np.int64)
    ids[stands] = np.concatenate(association.ids)
    ids[~stands] = ids[stands].max(initial=-1) + 1 + np.arange(np.count_nonzero(~stands))
    found = association.probabilities
    assert isinstance(found, EdgeProbabilities)  # noqa: S101  # of models with tables, which know doubles alone
    begin = np.repeat(np.cumsum(frame.counts) - frame.counts, frame.counts)
    doubled = np.where(stands, -1, first_boxes - begin)
    return replace(
        association,
        frame=frame,
        ids=tuple(np.split(ids, cuts)),
        doubles=tuple(np.split(doubled, cuts)),
        probabilities=_spread(found, first_boxes, frame.counts),
    )


def _spread(found: EdgeProbabilities, first_boxes: IntArray, counts: tuple[int, ...]) -> EdgeProbabilities:
    """Probabilities of all boxes, from those of the boxes that stand for people."""
    stand = np.flatnonzero(first_boxes == np.arange(len(first_boxes)))
    members = np.argsort(first_boxes, kind="stable")
    begin = np.searchsorted(first_boxes[members], stand)
    many = np.bincount(first_boxes, minlength=len(first_boxes))[stand]
    size = many[found.first] * many[found.second]
    edge = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(size) - size, size)
    across = many[found.second[edge]]
    first = members[begin[found.first[edge]] + place // across]
    second = members[begin[found.second[edge]] + place % across]
    order = np.argsort(first, kind="stable")
    return EdgeProbabilities(first[order], second[order], found.probabilities[edge][order], counts)
