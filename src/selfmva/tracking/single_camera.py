"""Tracks inside each view: those of the user, or boxes that are linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.values import integer_array
from selfmva.errors import InputError
from selfmva.geometry.tracklets import link
from selfmva.tracking.cascade import link_by_cascade
from selfmva.tracking.columns import Rows, read_boxes, read_rows, read_scores, require_unique
from selfmva.tracking.offline_links import link_offline

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray

Method = Literal["offline", "cascade", "nearest"]


def track_views(
    instants: ArrayLike,
    views: ArrayLike,
    boxes: ArrayLike,
    scores: ArrayLike | None = None,
    *,
    track_ids: ArrayLike | None = None,
    method: Method = "offline",
) -> IntArray:
    """Tracks of every view on its own: no number stands in two views.

    Args:
        instants: `(N,)` number of the instant of every box.
        views: `(N,)` number of its view.
        boxes: `(N, 4)` xyxy in pixels.
        scores: `(N,)` of the detector, in [0, 1]; None: all are certain.
        track_ids: `(N,)` of your own tracker, which says what it means inside one view; they are kept, and boxes where
            it is below 0 are linked.
        method: How boxes are linked. `"offline"`: past and future decide; sure tracklets, then ends to starts all at
            once, with odds of gaps that are learnt from the recording. `"cascade"`: instant by instant, high scores
            first, then low ones, as ByteTrack and BoT-SORT do. `"nearest"`: by where foot or head are expected,
            whatever the score, for boxes of a few instants a second that don't overlap.

    Returns:
        `(N,)` int64 numbers from 0; -1 for boxes of no track: those of low scores that no track explains.

    Raises:
        InputError: The columns do not fit together, a box is none, a score is not in [0, 1], the method is unknown, or
            one of your track ids stands twice in one view at one instant.

    Example:
        >>> boxes = [[0, 0, 10, 20], [50, 0, 60, 20], [51, 0, 61, 20], [1, 0, 11, 20]]
        >>> track_views([0, 0, 1, 1], [0, 0, 0, 0], boxes).tolist()
        [0, 1, 1, 0]
        >>> track_views([0, 0, 1, 1], [0, 0, 0, 0], boxes, track_ids=[9, 4, 4, 9]).tolist()
        [1, 0, 0, 1]
    """
    if not is_one_of(method, get_args(Method)):
        raise InputError(f"method must be one of {', '.join(get_args(Method))}; got {shown(method)}")
    count = len(integer_array(instants, "instants"))
    rows = read_rows(instants, views, np.full(count, -1) if track_ids is None else track_ids)
    corners, certain = read_boxes(boxes, count), read_scores(scores, count)
    if ((certain < 0) | (certain > 1)).any():
        raise InputError(f"scores must be from 0 to 1, got {certain.min():g} to {certain.max():g}: divide them")
    require_unique(rows, "track_ids")
    result = np.full(count, -1, dtype=np.int64)
    next_number = 0
    for view in np.unique(rows.views):
        mine = np.flatnonzero(rows.views == view)
        known = rows.ids[mine] >= 0
        for chosen, found in (
            (mine[known], np.unique(rows.ids[mine[known]], return_inverse=True)[1]),
            (mine[~known], _link(rows, mine[~known], corners, certain, method)),
        ):
            result[chosen] = np.where(found >= 0, found + next_number, -1)
            next_number += int(found.max(initial=-1)) + 1
    return result


def _link(rows: Rows, mine: IntArray, boxes: FloatArray, scores: FloatArray, method: Method) -> IntArray:
    """Tracks of some boxes of one view."""
    instants: Any = rows.instants[mine]
    if method == "nearest":
        return _link_nearest(instants, boxes[mine])
    linking = link_offline if method == "offline" else link_by_cascade
    return linking(instants, boxes[mine], scores[mine])


def _link_nearest(instants: IntArray, boxes: FloatArray) -> IntArray:
    """The tracklets of `selfmva.geometry.tracklets.link`."""
    ids = np.full(len(instants), -1, dtype=np.int64)
    if not len(ids):
        return ids
    order = np.argsort(instants, kind="stable")
    times, starts = np.unique(instants[order], return_index=True)
    step = np.diff(times).min() if len(times) > 1 else 1
    x = (boxes[order, 0] + boxes[order, 2]) / 2
    feet, heads = np.column_stack([x, boxes[order, 3]]), np.column_stack([x, boxes[order, 1]])
    ids[order] = link(times / step, np.append(starts, len(order)), feet, heads)
    return ids
