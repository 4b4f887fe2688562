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
from selfmva.core.types import LARGEST_INDEX, Frame
from selfmva.errors import BadBoxWarning, DataError, InputError
from selfmva.io.boxes.views import MOST_VIEWS, view_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.bad_boxes import BoolArray, OnBadBox
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.io.boxes.views import Views

    Where = Callable[[int], str]


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Boxes of a whole recording, R rows in the order of their file.

    Args:
        instants: `(R,)` number of the instant.
        views: `(R,)` number of the view, from 0.
        boxes: `(R, 4)` xyxy in pixels.
        scores: `(R,)` detector confidences, NaN at all boxes of an instant = not known there, or None.
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
        DataError: A number of an instant, view or track is none; some boxes of an instant have scores and others don't;
            or a box is without area or not finite and `on_bad_box` is `"raise"`; or most boxes are.

    Warns:
        BadBoxWarning: Rows were left out; how many, and where the first is.

    Example:
        >>> rows = Rows(np.array([4, 2]), np.array([1, 0]), corners([[0, 0, 5, 5], [1, 1, 5, 5]]))
        >>> frames_from_rows(rows, None, where=lambda row: f"row {row}")
        [Frame(index=2, boxes per view: 1, 0), Frame(index=4, boxes per view: 0, 1)]
    """
    bad = _bad_boxes(rows.boxes, views, where, on_bad_box)
    instant = _whole_numbers(rows.instants, "instant", where)
    too_large = (instant > LARGEST_INDEX) | (instant < -LARGEST_INDEX)
    refuse(too_large, where, lambda row: f"instant {instant[row]} is too large")
    view = _whole_numbers(rows.views, "view", where)
    track_ids = None if rows.track_ids is None else _whole_numbers(rows.track_ids, "track id", where)
    if track_ids is not None and (track_ids == -1).all():
        track_ids = None
    V = view_count(views) or views_seen(view, where)
    refuse((view < 0) | (view >= V), where, lambda row: f"view {view[row]} is not one of the {V} views 0 to {V - 1}")

    numbers = np.union1d(instant, np.fromiter(instants, dtype=np.int64))
    place = np.searchsorted(numbers, instant)
    scores, scored = _scores(rows.scores, bad, place, len(numbers), where)
    cell = place * V + view
    order = np.argsort(cell, kind="stable")
    cuts = np.searchsorted(cell[order], np.arange(1, len(numbers) * V))

    def per_view(column: NDArray[Any] | None) -> list[Sequence[Any] | None]:
        if column is None or V == 0:
            return [None if column is None else []] * len(numbers)
        cells = np.split(column[order], cuts)  # bad boxes are marked, so that frames count them
        return [cells[start : start + V] for start in range(0, len(numbers) * V, V)]

    columns = (rows.boxes, scores, track_ids, bad if bad.any() else None)
    return [
        without_bad_boxes(
            Frame(boxes or [], index=int(number), scores=score if known else None, track_ids=track, bad=none)
        )
        for number, known, boxes, score, track, none in zip(numbers, scored, *map(per_view, columns), strict=True)
    ]


def rows_from_frames(frames: Sequence[Frame]) -> Rows:
    """Flatten frames: by instant, then view, then box. What a frame does not know is NaN in scores, -1 in track ids.

    Raises:
        InputError: These are no frames, two carry the same instant, or their numbers of views differ.

    Example:
        >>> rows_from_frames([Frame([[[0, 0, 5, 5]], [[1, 1, 5, 5]]], index=3)]).instants
        array([3, 3])
    """
    _require_frames(frames)
    ordered = sorted(map(without_bad_boxes, frames), key=lambda frame: frame.index)
    _require_one_recording(ordered)
    counts = [(frame.index, view, count) for frame in ordered for view, count in enumerate(frame.counts)]
    table = np.array(counts, dtype=np.int64).reshape(-1, 3)
    boxes = [array for frame in ordered for array in frame.boxes]
    return Rows(
        instants=np.repeat(table[:, 0], table[:, 2]),
        views=np.repeat(table[:, 1], table[:, 2]),
        boxes=np.concatenate(boxes) if boxes else np.empty((0, 4)),
        scores=_flatten([(frame.scores, frame.counts) for frame in ordered], np.nan),
        track_ids=_flatten([(frame.track_ids, frame.counts) for frame in ordered], -1),
    )


def require_view_count(frames: Sequence[Frame], views: Views) -> None:
    """Find out whether all frames have as many views as there are said to be.

    Raises:
        InputError: They have not.
    """
    expected = view_count(views)
    for frame in frames if expected is not None else ():
        if len(frame) != expected:
            raise InputError(
                f"frames of {len(frame)} views cannot be written as {expected} views; give the views they have"
            )


def _require_frames(frames: object) -> None:
    strange = frames
    if isinstance(frames, Sequence):
        if all(isinstance(entry, Frame) for entry in frames):
            return
        strange = next(entry for entry in frames if not isinstance(entry, Frame))
    raise InputError(f"frames must be a sequence of Frame, got {type(strange).__name__}: give Frame(boxes, index=t)")


def _require_one_recording(ordered: Sequence[Frame]) -> None:
    for before, after in pairwise(ordered):
        if before.index == after.index:
            raise InputError(f"two frames carry the instant {after.index}; number them with Frame(boxes, index=t)")
        if len(before) != len(after):
            raise InputError(
                f"instant {before.index} has {len(before)} views, instant {after.index} has {len(after)}; "
                "give every frame one entry per view, empty where nobody is seen"
            )


def views_seen(numbers: IntArray, where: Where) -> int:
    """How many views numbers of views speak of: one more than the largest.

    Raises:
        DataError: A number is too large to be that of a view.
    """
    refuse(numbers >= MOST_VIEWS, where, lambda row: f"view {numbers[row]}; views are numbered from 0, or have names")
    return int(numbers.max(initial=-1)) + 1


def refuse(bad: ArrayLike, where: Where, problem: Callable[[int], str]) -> None:
    """Raise where any row is bad, and name the first.

    Args:
        bad: `(R,)` bool.
        where: Names the place of a row.
        problem: Says what is wrong with a row.

    Raises:
        DataError: A row is bad.

    Example:
        >>> refuse([False, True], "row {}".format, "box {} is none".format)
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: row 1: box 1 is none
    """
    if np.any(bad):
        row = int(np.argmax(bad))
        raise DataError(f"{where(row)}: {problem(row)}")


def _flatten(
    columns: Sequence[tuple[tuple[NDArray[Any], ...] | None, Sequence[int]]], unknown: float
) -> NDArray[Any] | None:
    """The columns of all frames as one; None where no frame with a box has one."""
    if all(column is None or not sum(counts) for column, counts in columns):
        return None
    parts = [[np.full(sum(counts), unknown)] if column is None else column for column, counts in columns]
    return np.concatenate([array for part in parts for array in part])


def _scores(
    values: NDArray[Any] | None, bad: BoolArray, place: IntArray, count: int, where: Where
) -> tuple[FloatArray | None, NDArray[np.bool_]]:
    """The scores, and for each instant whether it has any; those of boxes that are none don't matter."""
    scores = np.full(len(bad), np.nan) if values is None else np.asarray(values, dtype=np.float64)
    unknown = np.isnan(scores)
    if (unknown | bad).all():
        return None, np.zeros(count, dtype=bool)
    scored = np.ones(count, dtype=bool)
    scored[place[unknown & ~bad]] = False
    half = np.zeros(count, dtype=bool)
    half[place[~unknown & ~bad]] = True
    wrong = ((unknown & half[place]) | np.isinf(scores)) & ~bad
    refuse(wrong, where, lambda row: f"score {scores[row]} is not a finite number")
    return scores, scored


def _finite(values: ArrayLike, name: str, where: Where) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    refuse(~np.isfinite(array), where, lambda row: f"{name} {array[row]} is not a finite number")
    return array


def _whole_numbers(values: ArrayLike, name: str, where: Where) -> IntArray:
    array = np.asarray(values)
    if array.dtype.kind == "u":
        refuse(array > np.uint64(2**63 - 1), where, lambda row: f"{name} {array[row]} is too large")
    elif array.dtype.kind != "i":
        array = _finite(array, name, where)
        exact = (array % 1 == 0) & (np.abs(array) < 2**53)
        refuse(~exact, where, lambda row: f"{name} {array[row]} is not a whole number that can be read exactly")
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
    refuse(~np.isfinite(boxes).all(axis=1), where, lambda row: f"box {boxes[row].tolist()} (xyxy) is not finite")
    refuse(
        ~(boxes[:, 2:] > boxes[:, :2]).all(axis=1),
        where,
        lambda row: (
            f"the box has size {boxes[row, 2] - boxes[row, 0]:g} x {boxes[row, 3] - boxes[row, 1]:g} "
            f"at ({boxes[row, 0]:g}, {boxes[row, 1]:g}); width and height must be positive"
        ),
    )
