"""Numbers for people that stay the same from instant to instant, so that colours do in a video."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.association.associations_argument import each_association
from selfmva.core.scalars import integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selfmva.association.association import Association
    from selfmva.core.types import FloatArray, IntArray

LEAST_OVERLAP = 0.1  # intersection over union, summed over views: what touches by chance is less


class _Boxes(NamedTuple):
    """Boxes of all views: the view of each, its person, and how many instants ago it was seen."""

    corners: FloatArray
    views: IntArray
    people: IntArray
    ages: IntArray


def steady_ids(associations: Iterable[Association], *, memory: int = 30) -> Iterator[tuple[IntArray, ...]]:
    """Carry the numbers of people from instant to instant.

    The ids of an association hold for its instant alone. Here a person gets the number of that person of the instants
    before whose boxes theirs overlap most; a new person gets a new number. This is for viewing alone: it is no
    tracker, and who leaves for longer than the memory, or jumps further than a box, comes back as somebody else.

    Args:
        associations: Of successive instants.
        memory: Instants after which a box is forgotten; about as many as a second has.

    Yields:
        For each association, one `(N,)` int64 array per view: as its ids, with numbers that stay. Ids below 0 are
        left as they are.

    Raises:
        InputError: `memory` is no whole number of at least 1, or something else than associations comes.

    Example:
        >>> from selfmva.association.association import Association
        >>> from selfmva.core.types import Frame, View
        >>> view = View("door", 640, 480)
        >>> instants = [([[0, 0, 50, 90], [200, 0, 250, 90]], [4, 7]), ([[203, 0, 253, 90], [2, 0, 52, 90]], [0, 1])]
        >>> moving = [Association(Frame([boxes]), (view,), (np.array(ids),), {}) for boxes, ids in instants]
        >>> [numbers[0].tolist() for numbers in steady_ids(moving)]
        [[0, 1], [1, 0]]
    """
    numbering = Numbering(integer(memory, "memory", least=1))
    yield from map(numbering.number, each_association(associations))


class Numbering:
    """What is known of the people so far; see `steady_ids`.

    Args:
        memory: Instants after which a box is forgotten.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._known = _Boxes(np.zeros((0, 4)), *(np.zeros(0, np.int64) for _ in range(3)))
        self._following = 0

    def number(self, association: Association) -> tuple[IntArray, ...]:
        """The numbers of the people of the next instant: one `(N,)` int64 array per view."""
        now, order = _sorted_boxes(association)
        numbers = _carried(self._known, now)
        new = numbers < 0
        numbers[new] = self._following + np.arange(np.count_nonzero(new))
        self._following += int(np.count_nonzero(new))
        self._known = _remembered(self._known, now._replace(people=numbers[now.people]), self._memory)
        result = np.concatenate([np.zeros(0, np.int64), *association.ids])
        result[order] = numbers[now.people]
        return tuple(np.split(result, np.cumsum(association.frame.counts)[:-1]))


def _sorted_boxes(association: Association) -> tuple[_Boxes, IntArray]:
    """Boxes of somebody, people numbered from 0, free of the order of boxes and of ids; and the row of each box."""
    counts = association.frame.counts
    views = np.repeat(np.arange(len(counts)), counts)
    corners = np.concatenate([np.zeros((0, 4)), *association.frame.boxes])
    ids = np.concatenate([np.zeros(0, np.int64), *association.ids])
    order = np.lexsort((*corners.T[::-1], views))
    order = order[ids[order] >= 0]
    _, first, person = np.unique(ids[order], return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return _Boxes(corners[order], views[order], rank[person.reshape(-1)], np.zeros(len(order), np.int64)), order


def _carried(known: _Boxes, now: _Boxes) -> IntArray:
    """For every person, the number of the one they overlap most, each number once; -1 = nobody."""
    from scipy.optimize import linear_sum_assignment

    carried = np.full(len(np.unique(now.people)), -1, dtype=np.int64)
    numbers, column = np.unique(known.people, return_inverse=True)
    overlap = np.zeros((len(carried), len(numbers)))
    same_view = now.views[:, None] == known.views
    np.add.at(overlap, (now.people[:, None], column.reshape(1, -1)), same_view * _overlaps(now.corners, known.corners))
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    enough = overlap[rows, columns] >= LEAST_OVERLAP
    carried[rows[enough]] = numbers[columns[enough]]
    return carried


def _overlaps(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of `(N, 4)` and `(M, 4)` boxes: `(N, M)`."""
    low, high = np.maximum(one[:, None, :2], other[:, :2]), np.minimum(one[:, None, 2:], other[:, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=-1)
    sizes = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    return np.asarray(common / (sizes[0][:, None] + sizes[1] - common))


def _remembered(known: _Boxes, now: _Boxes, memory: int) -> _Boxes:
    """The last box of every person in every view, unless it is too old."""
    pairs = [np.stack([boxes.people, boxes.views], axis=1) for boxes in (known, now)]
    renewed = (pairs[0][:, None] == pairs[1]).all(axis=-1).any(axis=1)
    older = known._replace(ages=known.ages + 1)
    keep = ~renewed & (older.ages < memory)
    return _Boxes(*(np.concatenate([old[keep], new]) for old, new in zip(older, now, strict=True)))
