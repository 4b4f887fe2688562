"""One row per box, the flat form that every file format shares, and its way to frames and back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.bad_box_frames import is_mostly_bad, without_bad_boxes
from selfmva.core.bad_boxes import bad_rows, check_on_bad_box, is_placeholder, problem_of
from selfmva.core.box_units import likely_mistake
from selfmva.core.types import Frame, View
from selfmva.errors import BadBoxWarning, DataError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.bad_boxes import BoolArray, OnBadBox
    from selfmva.core.types import FloatArray, IntArray

    Views = int | Sequence[View] | None
    Where = Callable[[int], str]

_MOST_VIEWS = 1000  # beyond this a number is a camera's serial number, not its place


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Boxes of a whole recording, R rows in the order of their file.

    Args:
        instants: `(R,)` number of the instant.
        views: `(R,)` number of the view, from 0.
        boxes: `(R, 4)` xyxy in pixels.
        scores: `(R,)` detector confidences, or None.
        track_ids: `(R,)` ids, -1 = none, or None.
    """

    instants: NDArray[Any]
    views: NDArray[Any]
    boxes: FloatArray
    scores: NDArray[Any] | None = None
    track_ids: NDArray[Any] | None = None


def corners(boxes: ArrayLike) -> FloatArray:
    """Turn `(R, 4)` left, top, width, height into xyxy.

    Example:
        >>> corners([[10, 20, 30, 40]])
        array([[10., 20., 40., 60.]])
    """
    array = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused as not finite, with its place
        array[:, 2:] += array[:, :2]
    return array


def left_top_width_height(boxes: ArrayLike) -> FloatArray:
    """Turn `(R, 4)` xyxy into left, top, width, height.

    Example:
        >>> left_top_width_height([[10, 20, 40, 60]])
        array([[10., 20., 30., 40.]])
    """
    array = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    array[:, 2:] -= array[:, :2]
    return array


def frames_from_rows(
    rows: Rows, views: Views, where: Where, instants: Iterable[int] = (), on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    """Group rows into frames.

    Args:
        rows: One row per box; the order inside a view is kept.
        views: The number of views, or the views; None: one more than the largest view seen.
        where: Names the place of a row in its file, for messages.
        instants: Further instants that exist, with nobody seen in them.
        on_bad_box: `"drop"` leaves out rows whose box is not finite or has no area, which `Frame.dropped` counts;
            `"raise"` makes the first of them an error.

    Returns:
        Frames in the order of their instants, which `Frame.index` holds; `track_ids` where any is not -1.

    Raises:
        DataError: A number of an instant, view or track is none; or a box is without area or not finite and
            `on_bad_box` is `"raise"`; or most boxes are.

    Warns:
        BadBoxWarning: Rows were left out; how many, and where the first is.

    Example:
        >>> rows = Rows(np.array([4, 2]), np.array([1, 0]), corners([[0, 0, 5, 5], [1, 1, 5, 5]]))
        >>> frames_from_rows(rows, None, where=lambda row: f"row {row}")
        [Frame(index=2, boxes per view: 1, 0), Frame(index=4, boxes per view: 0, 1)]
    """
    bad = _bad_boxes(rows.boxes, views, where, on_bad_box)
    instant = _whole_numbers(rows.instants, "instant", where)
    view = _whole_numbers(rows.views, "view", where)
    scores = None if rows.scores is None else _finite(rows.scores, "score", where)
    track_ids = None if rows.track_ids is None else _whole_numbers(rows.track_ids, "track id", where)
    if track_ids is not None and (track_ids == -1).all():
        track_ids = None
    V = view_count(views)
    if V is None:
        _refuse(view >= _MOST_VIEWS, where, lambda row: f"view {view[row]}; views are numbered from 0, or have names")
        V = int(view.max(initial=-1)) + 1
    _refuse((view < 0) | (view >= V), where, lambda row: f"view {view[row]} is not one of the {V} views 0 to {V - 1}")

    numbers = np.union1d(instant, np.fromiter(instants, dtype=np.int64))
    cell = np.searchsorted(numbers, instant) * V + view
    order = np.argsort(cell, kind="stable")
    cuts = np.searchsorted(cell[order], np.arange(1, len(numbers) * V))

    def per_view(column: NDArray[Any] | None) -> list[Sequence[Any] | None]:
        if column is None or V == 0:
            return [None if column is None else []] * len(numbers)
        cells = np.split(column[order], cuts)  # bad boxes are marked, so that frames count them
        return [cells[start : start + V] for start in range(0, len(numbers) * V, V)]

    columns = (rows.boxes, scores, track_ids, bad if bad.any() else None)
    return [
        without_bad_boxes(Frame(boxes or [], index=int(number), scores=score, track_ids=track, bad=none))
        for number, boxes, score, track, none in zip(numbers, *map(per_view, columns), strict=True)
    ]


def rows_from_frames(frames: Sequence[Frame]) -> Rows:
    """Flatten frames: by instant, then view, then box.

    Raises:
        InputError: Two frames carry the same instant, their numbers of views differ, or some have scores (or track
            ids) and others do not.

    Example:
        >>> rows_from_frames([Frame([[[0, 0, 5, 5]], [[1, 1, 5, 5]]], index=3)]).instants
        array([3, 3])
    """
    ordered = sorted(map(without_bad_boxes, frames), key=lambda frame: frame.index)
    for before, after in pairwise(ordered):
        if before.index == after.index:
            raise InputError(f"two frames carry the instant {after.index}; number them with Frame(boxes, index=t)")
        if len(before) != len(after):
            raise InputError(
                f"instant {before.index} has {len(before)} views, instant {after.index} has {len(after)}; "
                "give every frame one entry per view, empty where nobody is seen"
            )
    counts = [(frame.index, view, count) for frame in ordered for view, count in enumerate(frame.counts)]
    table = np.array(counts, dtype=np.int64).reshape(-1, 3)
    boxes = [array for frame in ordered for array in frame.boxes]
    return Rows(
        instants=np.repeat(table[:, 0], table[:, 2]),
        views=np.repeat(table[:, 1], table[:, 2]),
        boxes=np.concatenate(boxes) if boxes else np.empty((0, 4)),
        scores=_flatten([frame.scores for frame in ordered], "scores"),
        track_ids=_flatten([frame.track_ids for frame in ordered], "track ids"),
    )


def view_count(views: Views) -> int | None:
    """The number of views that `views` speaks of; None where it says nothing.

    Raises:
        InputError: That number is not positive.

    Example:
        >>> view_count([View("left", 640, 480), View("right", 640, 480)]), view_count(3), view_count(None)
        (2, 3, None)
    """
    if views is None:
        return None
    count = int(views) if isinstance(views, int | np.integer) else len(views)
    if count < 1:
        raise InputError(f"views must be a positive number or a sequence of View, got {views!r}")
    return count


def _flatten(columns: Sequence[tuple[NDArray[Any], ...] | None], name: str) -> NDArray[Any] | None:
    present = [column for column in columns if column is not None]
    if not present:
        return None
    if len(present) < len(columns):
        raise InputError(f"{len(present)} of {len(columns)} frames have {name}; give them to all frames or to none")
    return np.concatenate([array for column in present for array in column] or [np.empty(0)])


def _refuse(bad: ArrayLike, where: Where, problem: Callable[[int], str]) -> None:
    if np.any(bad):
        row = int(np.argmax(bad))
        raise DataError(f"{where(row)}: {problem(row)}")


def _finite(values: ArrayLike, name: str, where: Where) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    _refuse(~np.isfinite(array), where, lambda row: f"{name} {array[row]} is not a finite number")
    return array


def _whole_numbers(values: ArrayLike, name: str, where: Where) -> IntArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        array = _finite(array, name, where)
        exact = (array % 1 == 0) & (np.abs(array) < 2**53)
        _refuse(~exact, where, lambda row: f"{name} {array[row]} is not a whole number")
    return array.astype(np.int64)


def _bad_boxes(boxes: FloatArray, views: Views, where: Where, on_bad_box: OnBadBox) -> BoolArray:
    """Rows that are no boxes; an error where they are not to be dropped, or where most are."""
    bad = bad_rows(boxes)
    if not bad.any():
        return bad
    if check_on_bad_box(on_bad_box) == "raise":
        _require_boxes(boxes, where)
    first, count = int(np.argmax(bad)), int(np.count_nonzero(bad))
    said = f"{where(first)}: {problem_of(boxes[first])}"
    nobody = int(np.count_nonzero(is_placeholder(boxes)))
    if is_mostly_bad(count - nobody, len(boxes) - nobody):
        mistake = likely_mistake([boxes], [views[0]] if isinstance(views, Sequence) else None)
        reason = "check where they come from" if mistake is None else mistake.text
        raise DataError(f"{count} of {len(boxes)} boxes are none, {reason}; {said}")
    warnings.warn(
        f"{count} of {len(boxes)} boxes are none and left out, the first: {said}; on_bad_box='raise' makes them errors",
        BadBoxWarning,
        stacklevel=5,
    )
    return bad


def _require_boxes(boxes: FloatArray, where: Where) -> None:
    _refuse(~np.isfinite(boxes).all(axis=1), where, lambda row: f"box {boxes[row].tolist()} (xyxy) is not finite")
    _refuse(
        ~(boxes[:, 2:] > boxes[:, :2]).all(axis=1),
        where,
        lambda row: (
            f"the box has size {boxes[row, 2] - boxes[row, 0]:g} x {boxes[row, 3] - boxes[row, 1]:g} "
            f"at ({boxes[row, 0]:g}, {boxes[row, 1]:g}); width and height must be positive"
        ),
    )
