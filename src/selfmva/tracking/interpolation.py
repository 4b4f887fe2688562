"""Fill gaps of tracks: boxes on the straight line between the last one before a gap and the first one after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.scalars import integer, real
from selfmva.tracking.columns import Rows, read_boxes, read_rows, require_unique

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.types import FloatArray, IntArray

MOST_GAP = 18  # instants: the winner of the AI City Challenge 2023 fills between boxes that are fewer than 20 apart


@dataclass(frozen=True, eq=False)
class FilledTracks:
    """Rows of boxes, those that were given first and in their order, then those that were filled in.

    Attributes:
        instants: `(M,)` int64.
        views: `(M,)` int64.
        ids: `(M,)` int64.
        boxes: `(M, 4)` xyxy in pixels.
        filled: `(M,)` bool, which rows were not given.
    """

    instants: IntArray
    views: IntArray
    ids: IntArray
    boxes: FloatArray
    filled: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.instants)


def fill_gaps(
    instants: ArrayLike,
    views: ArrayLike,
    ids: ArrayLike,
    boxes: ArrayLike,
    *,
    most_gap: int = MOST_GAP,
    largest_jump: float = 200.0,
    least_boxes: int = 6,
) -> FilledTracks:
    """Fill short gaps of every id in every view, linearly, as the winner of the AI City Challenge 2023 does.

    Args:
        instants: `(N,)` number of the instant of every box.
        views: `(N,)` number of its view.
        ids: `(N,)` who it is; boxes below 0 are nobody's, and are given back as they are.
        boxes: `(N, 4)` xyxy in pixels.
        most_gap: Number of successive instants that are filled at most; longer gaps stay. Larger fills more, and more
            wrongly.
        largest_jump: Pixels between the centres of the two boxes, up to which a gap is filled. The default is of images
            of 1920 x 1080; take as much less as yours are smaller.
        least_boxes: Boxes that an id needs in a view, for its gaps there to be filled.

    Returns:
        All rows, the new ones after the given ones, by view, id and instant.

    Raises:
        InputError: The columns do not fit together, an id stands twice in one view at one instant, or a number is none.

    Example:
        >>> filled = fill_gaps([0, 2], [0, 0], [7, 7], [[0, 0, 10, 20], [4, 0, 14, 20]], least_boxes=2)
        >>> filled.instants.tolist(), filled.boxes[2].tolist()
        ([0, 2, 1], [2.0, 0.0, 12.0, 20.0])
    """
    rows = read_rows(instants, views, ids)
    corners = read_boxes(boxes, len(rows.ids))
    most_gap = integer(most_gap, "most_gap", least=0, most=1_000_000)
    largest_jump = real(largest_jump, "largest_jump", least=0)
    least_boxes = integer(least_boxes, "least_boxes", least=2)
    require_unique(rows)

    gaps = find_gaps(rows, corners, rows.instants, most_gap, largest_jump=largest_jump, least_boxes=least_boxes)
    new = Rows(rows.instants[gaps.before] + gaps.step, rows.views[gaps.before], rows.ids[gaps.before])
    return FilledTracks(
        instants=np.concatenate([rows.instants, new.instants]),
        views=np.concatenate([rows.views, new.views]),
        ids=np.concatenate([rows.ids, new.ids]),
        boxes=np.concatenate([corners, between(rows.instants, corners, gaps, new.instants)]),
        filled=np.arange(len(rows.ids) + len(gaps.step)) >= len(rows.ids),
    )


@dataclass(frozen=True, eq=False)
class Gaps:
    """K boxes that are missing.

    Attributes:
        before: `(K,)` row of the box before its gap.
        after: `(K,)` row of the box after it.
        step: `(K,)` which instant after `before` it is, from 1.
    """

    before: IntArray
    after: IntArray
    step: IntArray


def find_gaps(
    rows: Rows,
    boxes: FloatArray,
    number: IntArray,
    most_gap: int,
    *,
    largest_jump: float = np.inf,
    least_boxes: int = 2,
) -> Gaps:
    """Find the gaps that are to be filled, of every id in every view, by view, id and instant.

    Args:
        rows: N boxes; nobody stands twice in one view at one instant.
        boxes: `(N, 4)` xyxy in pixels.
        number: `(N,)` number of the instant of each, of those that may be filled: successive ones differ by 1.
        most_gap: Instants that are filled at most.
        largest_jump: Pixels between the centres of the two boxes, up to which a gap is filled.
        least_boxes: Boxes that an id needs in a view.
    """
    order = np.lexsort((rows.instants, rows.ids, rows.views))
    order = order[rows.ids[order] >= 0]
    before, after = order[:-1], order[1:]
    same = (rows.ids[before] == rows.ids[after]) & (rows.views[before] == rows.views[after])
    track = np.concatenate([[0], np.cumsum(~same)]) if len(order) else np.zeros(0, dtype=np.int64)
    long_enough = np.bincount(track)[track[1:]] >= least_boxes if len(order) else np.zeros(0, dtype=bool)
    missing = number[after] - number[before] - 1
    way = (boxes[after] - boxes[before]) @ np.array([[0.5, 0], [0, 0.5], [0.5, 0], [0, 0.5]])
    chosen = same & long_enough & (missing >= 1) & (missing <= most_gap) & (np.hypot(*way.T) <= largest_jump)
    missing = missing[chosen]
    step = np.arange(missing.sum()) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    return Gaps(np.repeat(before[chosen], missing), np.repeat(after[chosen], missing), step)


def between(instants: IntArray, boxes: FloatArray, gaps: Gaps, when: IntArray) -> FloatArray:
    """Boxes `(K, 4)` in gaps at the instants `when` `(K,)`, on the straight line from box to box."""
    start, end = instants[gaps.before], instants[gaps.after]
    part = ((when - start) / (end - start))[:, None]
    return np.asarray(boxes[gaps.before] + part * (boxes[gaps.after] - boxes[gaps.before]))
