"""Groups of boxes from the log-odds of edges alone, for many frames at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from selfmva.matching.grouping.climb import CLIMB
from selfmva.matching.grouping.groups import CELLS_AT_ONCE
from selfmva.matching.grouping.local_search import climb_from_all_starts

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.matching.posterior.edges import Edges


def group_edges(log_odds: FloatArray, edges: Edges, other: float, threshold: float = 0.0) -> IntArray:
    """Group the boxes of many instants at once; see `selfmva.matching.grouping.groups.group`.

    Boxes that no chain of edges above the threshold connects are grouped apart, for joining them gains nothing. Where
    all boxes that hang together are of different views and each pair is above the threshold, they are a group: most
    are. What is left is searched.

    Args:
        log_odds: `(E,)` of every edge, finite.
        edges: The edges, of F frames.
        other: Log-odds of pairs that are no edges, below the threshold.
        threshold: Log-odds that count as nothing.

    Returns:
        `(M,)` int64 group of each box, numbered from 0 within its frame by first appearance.

    Example:
        >>> from selfmva.matching.posterior.edges import Edges
        >>> edges = Edges(np.array([0, 0, 1]), np.array([2, 3, 3]), np.array([[2, 2]]))
        >>> group_edges(np.array([3.0, 4.0, 2.0]), edges, other=-7.0).tolist()
        [0, 1, 0, 1]
        >>> group_edges(np.array([3.0, 4.0, 2.0]), edges, other=-7.0, threshold=2.5).tolist()
        [0, 1, 2, 0]
    """
    links = log_odds - threshold
    boxes, joins = len(edges.view), links > CLIMB.gain
    one, two = edges.first[joins], edges.second[joins]
    part = _parts(one, two, boxes)
    size = np.bincount(part)
    own_view = np.zeros((len(size), edges.views), dtype=bool)
    own_view[part, edges.view] = True
    whole = (own_view.sum(axis=1) == size) & (2 * np.bincount(part[one], minlength=len(size)) == size * (size - 1))
    group = part.copy()
    rest = np.flatnonzero(~whole[part])
    if len(rest):
        group[rest] = len(size) + _search_rest(rest, part, links, edges, other - threshold)
    return _by_first_appearance(group, edges.ends)


def _parts(first: IntArray, second: IntArray, boxes: int) -> IntArray:
    """`(M,)` number of the part of each box: what hangs together by edges `(E,)`, the first boxes increasing."""
    begin = np.searchsorted(first, np.arange(boxes + 1))
    graph: Any = csr_array((np.ones(len(first)), second, begin), shape=(boxes, boxes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


class _Places(NamedTuple):
    """Where boxes `(R,)` lie in padded arrays: the frame among those with any, the row of boxes, the place in it."""

    frame: IntArray
    row: IntArray
    place: IntArray


def _search_rest(rest: IntArray, part: IntArray, links: FloatArray, edges: Edges, other: float) -> IntArray:
    """Groups `(R,)` of some boxes `(R,)`, all that hang together with any of them."""
    frames, places = _pack(rest, part, links, edges)
    number = np.full(len(edges.view), -1)
    number[rest] = np.arange(len(rest))
    first, second = number[edges.first], number[edges.second]
    inner = np.flatnonzero((first >= 0) & (second >= 0))
    first, second, links = first[inner], second[inner], links[inner]
    count = np.zeros((len(frames), int(places.row.max()) + 1), dtype=np.int64)
    np.add.at(count, (places.frame, places.row), 1)
    rows, width = count.shape[1], int(places.place.max()) + 1
    result = np.empty(len(rest), dtype=np.int64)
    together = max(CELLS_AT_ONCE // (rows * width) ** 2, 1)
    for start in range(0, len(frames), together):
        here = slice(start, start + together)
        real = np.arange(width) < count[here, :, None]
        padded = np.where(real[:, :, :, None, None] & real[:, None, None], other, 0.0)
        padded[:, np.arange(rows), :, np.arange(rows)] = 0.0
        chosen = (places.frame[first] >= start) & (places.frame[first] < start + together)
        for one, two in ((first[chosen], second[chosen]), (second[chosen], first[chosen])):
            cell = places.frame[one] - start, places.row[one], places.place[one], places.row[two], places.place[two]
            padded[cell] = links[chosen]
        strongest = np.tile(np.arange(rows), (len(padded), 1))
        found = climb_from_all_starts(padded, count[here], strongest, edges.count[frames[here]].sum(axis=1))
        own = (places.frame >= start) & (places.frame < start + together)
        result[own] = found[places.frame[own] - start, places.row[own], places.place[own]]
    # Numbers of different frames are different: what hangs together is of one frame.
    return np.unique(places.frame * (result.max() + 1) + result, return_inverse=True)[1]


def _pack(rest: IntArray, part: IntArray, links: FloatArray, edges: Edges) -> tuple[IntArray, _Places]:
    """Numbers of the frames that boxes are of, and places for the boxes.

    Boxes of one view that hang together lie in one row. The rows of each part are in the order of what its views have
    to say in the whole frame, the most first. Different parts never join: their rows are shared.
    """
    frames, frame = np.unique(edges.frame[rest], return_inverse=True)
    says, cells = np.maximum(links, 0.0), edges.count.size
    image = edges.frame * edges.views + edges.view
    total = np.bincount(image[edges.first], says, cells) + np.bincount(image[edges.second], says, cells)
    rank = np.argsort(np.argsort(-total.reshape(edges.count.shape).round(6), axis=1, kind="stable"), axis=1)
    row_of_part, row = np.unique(
        part[rest] * edges.views + rank[edges.frame[rest], edges.view[rest]], return_inverse=True
    )
    first_row = np.flatnonzero(np.diff(row_of_part // edges.views, prepend=-1))
    row = row - first_row[np.searchsorted(first_row, row, side="right") - 1]
    cell = frame * (row.max() + 1) + row
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], cell[order])
    place = np.empty(len(rest), dtype=np.int64)
    place[order] = np.arange(len(rest)) - start
    return frames, _Places(frame, row, place)


def _by_first_appearance(group: IntArray, ends: IntArray) -> IntArray:
    """The same groups, numbered from 0 within each frame in the order of their first boxes."""
    first = np.empty(group.max(initial=-1) + 1, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]  # where a number occurs twice, the last one stays
    number = np.cumsum(first[group] == np.arange(len(group)))
    before = np.concatenate([[0], number])[ends[:-1]]
    return np.asarray(number[first[group]] - 1 - np.repeat(before, np.diff(ends)))
