"""Link the boxes of one view with past and future: short tracklets that are sure, then ends to starts, all at once.

Sure is what the same linking finds forward and backward in time. What is a plausible gap is learnt from the recording
itself: tracklets are cut where nothing is missing, and each half is continued over the cut; how far it is off there, at
each length of a gap, is what it may be off over a gap that is real. How far it is off the tracklets of others at the
same instant says what chance does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from selfmva.matching.assignment import solve
from selfmva.tracking.box_motion import to_centres
from selfmva.tracking.cascade import CASCADE, CascadeSettings, link_by_cascade
from selfmva.tracking.gap_law import GAPS, continuation_errors, find_ends, learn_gaps

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


def link_offline(
    instants: IntArray, boxes: FloatArray, scores: FloatArray, settings: CascadeSettings = CASCADE
) -> IntArray:
    """Link the boxes of one view over a whole recording.

    Args:
        instants: `(N,)` in any order.
        boxes: `(N, 4)` xyxy in pixels.
        scores: `(N,)` in [0, 1].
        settings: When a box joins a tracklet.

    Returns:
        `(N,)` int64 number of the track of every box, -1 where it belongs to none.

    Example:
        >>> left = np.concatenate([np.arange(10.0), np.arange(50.0, 60)])  # nobody was seen for 40 instants
        >>> boxes = np.column_stack([left, 0 * left, left + 20, 0 * left + 50])
        >>> len(set(link_offline(left.astype(int), boxes, np.ones(20)).tolist()))
        1
    """
    ids = agreed_tracklets(instants, boxes, scores, settings)
    kept = np.flatnonzero(ids >= 0)
    if not len(kept):
        return ids
    times = np.unique(instants)
    clock = instants / (np.diff(times).min() if len(times) > 1 else 1)
    for _ in range(GAPS.most_rounds):
        joined = join_tracklets(clock[kept], boxes[kept], ids[kept])
        if (joined == ids[kept]).all():
            break
        ids[kept] = joined
    return _between_high_scores(instants, ids, scores, settings.high_score)


def _between_high_scores(instants: IntArray, ids: IntArray, scores: FloatArray, high: float) -> IntArray:
    """The ids of boxes from the first high score of their track to the last one; -1 elsewhere.

    Online, a track begins with a high score; backward in time, what follows it is before it.
    """
    result = np.full(len(ids), -1, dtype=np.int64)
    sure = (ids >= 0) & (scores >= high)
    if not sure.any():
        return result
    numbers, own = np.unique(ids[sure], return_inverse=True)
    first, last = np.full(len(numbers), instants.max()), np.full(len(numbers), instants.min())
    np.minimum.at(first, own, instants[sure])
    np.maximum.at(last, own, instants[sure])
    place = np.minimum(np.searchsorted(numbers, ids), len(numbers) - 1)
    inside = (numbers[place] == ids) & (instants >= first[place]) & (instants <= last[place])
    result[inside] = np.unique(ids[inside], return_inverse=True)[1]
    return result


def agreed_tracklets(instants: IntArray, boxes: FloatArray, scores: FloatArray, settings: CascadeSettings) -> IntArray:
    """Tracklets of the links that a pass forward or one backward in time finds, and the other does not contradict.

    Returns:
        `(N,)` int64 number of the tracklet, in the order of their first boxes; -1 for boxes that neither pass has.
    """
    passes = [link_by_cascade(sign * instants, boxes, scores, settings) for sign in (1, -1)]
    after = [_successors(instants, ids) for ids in passes]
    before = [_successors(-instants, ids) for ids in passes]
    said_after, said_before = _not_contradicted(*after), _not_contradicted(*before)
    ids = np.full(len(instants), -1, dtype=np.int64)
    count = 0
    for row in np.lexsort((np.arange(len(instants)), instants)):
        if passes[0][row] < 0 and passes[1][row] < 0:
            continue
        if ids[row] < 0:
            ids[row], count = count, count + 1
        follower = said_after[row]
        if follower >= 0 and said_before[follower] == row:
            ids[follower] = ids[row]
    return ids


def _not_contradicted(one: IntArray, other: IntArray) -> IntArray:
    """What both passes say, or one where the other leaves a box out, or begins or ends with it; -1 elsewhere."""
    return np.asarray(np.where(one < 0, other, np.where((other < 0) | (one == other), one, -1)))


def _successors(instants: IntArray, ids: IntArray) -> IntArray:
    """`(N,)` the next box of the same track, -1 at its end."""
    order = np.lexsort((instants, ids))
    order = order[ids[order] >= 0]
    same = ids[order[:-1]] == ids[order[1:]]
    after = np.full(len(ids), -1, dtype=np.int64)
    after[order[:-1][same]] = order[1:][same]
    return after


def join_tracklets(time: FloatArray, boxes: FloatArray, ids: IntArray) -> IntArray:
    """Join ends of tracklets to starts of later ones, all at once, where one person is likelier than two.

    Args:
        time: `(N,)` in steps of the clock.
        boxes: `(N, 4)` xyxy.
        ids: `(N,)` tracklet of every box, at least 0.

    Returns:
        `(N,)` int64 number of the joined tracklet, that of its first one.
    """
    centres = to_centres(boxes)
    place = np.column_stack([centres[:, :2], np.log(centres[:, 3])])
    order = np.lexsort((time, ids))
    numbers, first = np.unique(ids[order], return_index=True)
    rows = np.split(order, first[1:])
    times, places = [time[own] for own in rows], [place[own] for own in rows]
    law = learn_gaps(times, places)
    ends, starts = find_ends(times, places, last=True), find_ends(times, places, last=False)
    end, start = _candidates(ends.time, starts.time)
    gaps = starts.time[start] - ends.time[end]
    odds = law.log_odds(continuation_errors(ends.rows(end), starts.rows(start)), gaps)
    # Prior: an end has as many starts to be continued by, by chance, as there are in the time that is looked at.
    odds -= np.log(np.maximum(np.bincount(end, minlength=len(numbers))[end], 1.0))
    row, column = _assign(end[odds > 0], start[odds > 0], odds[odds > 0], len(numbers))
    root = np.arange(len(numbers))
    for a, b in sorted(zip(row, column, strict=True), key=lambda pair: starts.time[pair[1]]):
        root[b] = root[a]
    return np.asarray(numbers[root][np.searchsorted(numbers, ids)])


def _candidates(ends: FloatArray, starts: FloatArray) -> tuple[IntArray, IntArray]:
    """Which end may be continued by which start: by the length of the gap alone."""
    order = np.argsort(starts, kind="stable")
    low = np.searchsorted(starts[order], ends, side="right")
    high = np.searchsorted(starts[order], ends + GAPS.largest_gap, side="right")
    count = high - low
    end = np.repeat(np.arange(len(ends)), count)
    place = np.arange(len(end)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    return end, order[place]


def _assign(ends: IntArray, starts: IntArray, odds: FloatArray, count: int) -> tuple[IntArray, IntArray]:
    """Pairs of the largest total log-odds, each end and each start at most once; exactly, part by part."""
    if not len(ends):
        return ends, starts
    graph = coo_array((np.ones(len(ends)), (ends, starts + count)), shape=(2 * count, 2 * count))
    part = connected_components(graph, directed=False)[1][ends]
    order = np.argsort(part, kind="stable")
    chosen = []
    for edges in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        rows, row = np.unique(ends[edges], return_inverse=True)
        columns, column = np.unique(starts[edges], return_inverse=True)
        costs = np.full((len(rows), len(columns)), np.inf)
        costs[row, column] = -odds[edges]
        pairs = solve(costs, unmatched_cost=0.0).matches(0)
        chosen.append(np.column_stack([rows[pairs[:, 0]], columns[pairs[:, 1]]]))
    both = np.concatenate(chosen)
    return both[:, 0], both[:, 1]
