"""Groups of boxes over all views of an instant: at most one box of a view in a group."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from selfmva.types import FloatArray, IntArray


def group(log_odds: FloatArray, view: IntArray, threshold: float = 0.0) -> IntArray:
    """Group the boxes of one instant by constrained agglomeration.

    Starting from single boxes, the two groups with the highest mean log-odds between their boxes are joined as long
    as that mean exceeds the threshold, and never two groups that share a view. Unlike the transitive closure of
    pairwise matches, one wrong pair cannot merge two people.

    Args:
        log_odds: `(M, M)` symmetric log-odds that two boxes are the same person; values inside one view are not read.
        view: `(M,)` the view of each box.
        threshold: Log-odds that a join must exceed.

    Returns:
        `(M,)` int64 group of each box, numbered from 0 by first appearance.

    Raises:
        InputError: Shapes do not agree or a value is NaN.

    Example:
        >>> odds = np.array([[0, 3, 2.0], [3, 0, -1], [2, -1, 0]])
        >>> group(odds, np.array([0, 1, 1]))
        array([0, 0, 1])
    """
    size = len(view)
    if log_odds.shape != (size, size):
        raise InputError(f"log_odds must have shape ({size}, {size}) for {size} boxes, got {log_odds.shape}")
    if np.isnan(log_odds).any():
        raise InputError("log_odds must not be NaN")
    in_view = np.zeros((size, int(view.max(initial=0)) + 1), dtype=bool)
    in_view[np.arange(size), view] = True
    total = np.where(in_view[:, view].T, 0.0, log_odds)  # summed log-odds between groups, kept in the slots of boxes
    boxes = np.ones(size)
    owner = np.arange(size)
    alive = np.ones(size, dtype=bool)
    version = [0] * size  # joins of a slot so far: a link found before the last join no longer holds
    one, other = np.nonzero(np.triu((total > threshold) & ~in_view[:, view].T, 1))
    heap = [
        (-link, a, b, 0, 0) for link, a, b in zip(total[one, other].tolist(), one.tolist(), other.tolist(), strict=True)
    ]
    heapify(heap)
    while heap:
        _, a, b, version_a, version_b = heappop(heap)
        if version[a] != version_a or version[b] != version_b or not (alive[a] and alive[b]):
            continue
        owner[owner == b] = a
        alive[b] = False
        version[a] += 1
        boxes[a] += boxes[b]
        in_view[a] |= in_view[b]
        total[a] += total[b]
        total[:, a] = total[a]
        link = total[a] / (boxes[a] * boxes)
        for c in np.flatnonzero((link > threshold) & alive & ~(in_view & in_view[a]).any(axis=1)).tolist():
            heappush(heap, (-float(link[c]), min(a, c), max(a, c), version[min(a, c)], version[max(a, c)]))
    _, first, inverse = np.unique(owner, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)
