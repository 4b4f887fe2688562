"""An id that stands twice in one view at one instant: one of its boxes keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.tracking.columns import Rows, read_boxes, read_rows, read_scores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray


def resolve_duplicates(
    instants: ArrayLike, views: ArrayLike, ids: ArrayLike, boxes: ArrayLike, scores: ArrayLike | None = None
) -> IntArray:
    """Let one box of each view and instant keep an id; never none of them.

    The one keeps it that lies where the id is expected from its nearest instants before and after at which it stands
    once in that view; where it never does, the one with the highest score, then the larger one, then the first one.

    Args:
        instants: `(N,)` number of the instant of every box.
        views: `(N,)` number of its view.
        ids: `(N,)` who it is; below 0 = nobody, of whom there may be any number.
        boxes: `(N, 4)` xyxy in pixels.
        scores: `(N,)` of the detector; None where there are none.

    Returns:
        `(N,)` int64 the ids, -1 for boxes that lost theirs.

    Raises:
        InputError: The columns do not fit together, or a box is none.

    Example:
        >>> boxes = [[0, 0, 10, 20], [50, 0, 60, 20], [1, 0, 11, 20]]
        >>> resolve_duplicates([0, 1, 1], [0, 0, 0], [7, 7, 7], boxes).tolist()
        [7, -1, 7]
    """
    rows = read_rows(instants, views, ids)
    corners = read_boxes(boxes, len(rows.ids))
    certain = read_scores(scores, len(rows.ids))
    known = np.flatnonzero(rows.ids >= 0)
    keys = np.stack(rows, axis=1)[known]
    _, place, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    twice = counts[place] > 1
    if not twice.any():
        return rows.ids
    doubled = known[twice]
    away = _away(rows, corners, doubled, known[~twice])
    area = np.prod(corners[doubled, 2:] - corners[doubled, :2], axis=1)
    # Sorted by what decides, the last first; the first row of each group then keeps the id.
    order = np.lexsort((doubled, -area, -certain[doubled], away, place[twice]))
    first = np.diff(place[twice][order], prepend=-1) != 0
    result = rows.ids.copy()
    result[doubled[order[~first]]] = -1
    return result


def _away(rows: Rows, corners: FloatArray, doubled: IntArray, single: IntArray) -> FloatArray:
    """How far each doubled box lies from where its id is expected, in heights; 0 where nothing is known of it."""
    away = np.zeros(len(doubled))
    middles = np.column_stack([(corners[:, :2] + corners[:, 2:]) / 2, np.log(corners[:, 2:] - corners[:, :2])])
    for view, number in np.unique(np.stack([rows.views, rows.ids], axis=1)[doubled], axis=0):
        mine = np.flatnonzero((rows.views[doubled] == view) & (rows.ids[doubled] == number))
        sure = single[(rows.views[single] == view) & (rows.ids[single] == number)]
        if not len(sure):
            continue
        sure = sure[np.argsort(rows.instants[sure])]
        box = doubled[mine]
        expected = [np.interp(rows.instants[box], rows.instants[sure], middles[sure, k]) for k in range(4)]
        off = middles[box] - np.column_stack(expected)
        off[:, :2] /= np.exp(expected[3])[:, None]
        away[mine] = np.abs(off).sum(axis=1)
    return away
