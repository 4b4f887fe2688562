"""What a frame holds of each view, read at its border: boxes, and what comes with them, one entry a view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.bad_boxes import as_mask, bad_rows, problem_of
from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.values import flag_array, integer_array, real_array
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.bad_boxes import BoolArray, OnBadBox
    from selfmva.core.images import Image

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]


def validate_boxes(
    boxes: ArrayLike | None, *, instant: int = 0, view: int = 0, on_bad_box: OnBadBox = "raise"
) -> FloatArray:
    """Check the boxes of one view at one instant and return them as an array.

    Args:
        boxes: `(N, 4)` xyxy in pixels; N may be 0; None stands for a view that is absent.
        instant: Number of the instant, for the error message.
        view: Number of the view, for the error message.
        on_bad_box: `"drop"` lets boxes pass that are not finite or have no area, for `Frame` to mark.

    Returns:
        `(N, 4)` float64, a read-only copy.

    Raises:
        InputError: No real numbers, wrong shape, NaN or infinity, or x2 <= x1 or y2 <= y1.

    Example:
        >>> validate_boxes([[10, 20, 30, 80]])
        array([[10., 20., 30., 80.]])
        >>> validate_boxes([]).shape
        (0, 4)
    """
    where = f"instant {instant}, view {view}"
    array = real_array([] if boxes is None else boxes, f"{where}: boxes")
    if array.size == 0:
        array = array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise InputError(
            f"{where}: boxes must have shape (N, 4), columns x1, y1, x2, y2 in pixels, got shape {array.shape}"
        )
    if on_bad_box == "raise":
        bad = bad_rows(array)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{where}, row {row}: {problem_of(array[row])}")
    array.flags.writeable = False
    return array


def _one_a_view(values: Any, views: int, name: str, index: int) -> Sequence[Any]:
    """Check that there is one entry per view; what these are is not looked at."""
    given = entries(values, f"instant {index}: {name}", "one entry per view")
    if len(given) != views:
        raise InputError(
            f"instant {index}: {name} has {len(given)} views, boxes have {views}; None where one is absent"
        )
    return given


def _per_box(
    values: Any, boxes: tuple[FloatArray, ...], name: str, index: int, read: Callable[[Any, str], NDArray[Any]]
) -> tuple[NDArray[Any], ...] | None:
    """Check one value per box (scores, track ids) in every view."""
    if values is None:
        return None
    columns = []
    for view, (given, box) in enumerate(zip(_one_a_view(values, len(boxes), name, index), boxes, strict=True)):
        where = f"instant {index}, view {view}: {name}"
        column = read([] if given is None else given, where)
        if not column.size:
            column = column.reshape(0)
        if column.ndim != 1:
            raise InputError(f"{where} must have shape (N,), one entry per box, got {column.shape}")
        if len(column) != len(box):
            raise InputError(f"{where} must have one entry per box, got {len(column)} for {len(box)} boxes")
        column.flags.writeable = False
        columns.append(column)
    return tuple(columns)


def read_marks(
    given: Any, boxes: tuple[FloatArray, ...], on_bad_box: OnBadBox, index: int
) -> tuple[BoolArray, ...] | None:
    """Which boxes are none: those that were said to be, and those that are found to be where they may."""
    marks = _per_box(given, boxes, "bad", index, flag_array) or tuple(np.zeros(len(box), bool) for box in boxes)
    found = tuple(map(bad_rows, boxes))
    for view, (box, own, mark) in enumerate(zip(boxes, found, marks, strict=True)):
        if on_bad_box == "raise" and (own & ~mark).any():
            validate_boxes(box[~mark], instant=index, view=view)
    return as_mask([own | mark for own, mark in zip(found, marks, strict=True)])


def read_scores(
    values: Any, boxes: tuple[FloatArray, ...], bad: tuple[BoolArray, ...] | None, index: int
) -> tuple[FloatArray, ...] | None:
    """Check one finite number per box in every view; of a box that is none, it may be any."""
    scores = _per_box(values, boxes, "scores", index, real_array)
    for view, column in enumerate(scores or ()):
        wrong = ~np.isfinite(column) if bad is None else ~np.isfinite(column) & ~bad[view]
        if wrong.any():
            raise InputError(f"instant {index}, view {view}: scores must be finite, got {column[wrong][0]}")
    return scores


def read_track_ids(values: Any, boxes: tuple[FloatArray, ...], index: int) -> tuple[IntArray, ...] | None:
    """Check one whole number per box in every view."""
    return _per_box(values, boxes, "track_ids", index, integer_array)


def read_features(values: Any, boxes: tuple[FloatArray, ...], index: int) -> tuple[NDArray[np.float32], ...] | None:
    """Check one vector per box in every view, all of one length."""
    if values is None:
        return None
    given = [
        real_array([] if array is None else array, f"instant {index}, view {view}: features", np.float32)
        for view, array in enumerate(_one_a_view(values, len(boxes), "features", index))
    ]
    width = next((array.shape[1] for array in given if array.ndim == 2 and array.shape[0]), 0)
    arrays = tuple(array if array.size else np.zeros((0, width), np.float32) for array in given)
    for view, (array, box) in enumerate(zip(arrays, boxes, strict=True)):
        where = f"instant {index}, view {view}: features"
        if array.shape != (len(box), width):
            raise InputError(
                f"{where} must be (N, D), one row per box and as long in all views, got shape {array.shape} for "
                f"{len(box)} boxes, expected {(len(box), width)}"
            )
        if np.isinf(array).any():
            raise InputError(f"{where} must be finite in float32, or NaN where they are not known")
        array.flags.writeable = False
    return arrays


def read_images(values: Any, views: int, index: int) -> tuple[Image | None, ...] | None:
    """Check one image, or None, per view."""
    if values is None:
        return None
    images = []
    for view, value in enumerate(_one_a_view(values, views, "images", index)):
        try:
            images.append(None if value is None else as_rgb(value))
        except InputError as error:
            raise InputError(f"instant {index}, view {view}: {error}") from None
    return tuple(images)


def read_names(values: Any, views: int, index: int) -> tuple[str, ...] | None:
    """Check one name per view."""
    if values is None:
        return None
    given = _one_a_view(values, views, "view_names", index)
    if not all(isinstance(name, str) for name in given):
        raise InputError(f"instant {index}: view_names must be names, got {shown(values)}")
    return tuple(given)


def read_offsets(values: Any, views: int, index: int) -> tuple[int, ...] | None:
    """Check one whole number per view."""
    if values is None:
        return None
    given = _one_a_view(values, views, "clock_offsets", index)
    return tuple(integer(value, f"instant {index}: clock_offsets") for value in given)
