"""Rows of boxes over a recording, as columns: what every step on given ids reads, checked once where it comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from selfmva.core.bad_boxes import bad_rows
from selfmva.core.values import integer_array, real_array
from selfmva.errors import InputError

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


class Rows(NamedTuple):
    """One row a box: its instant, its view, and who it is; below 0 = nobody known."""

    instants: IntArray
    views: IntArray
    ids: IntArray


def read_rows(instants: Any, views: Any, ids: Any) -> Rows:
    """Read three columns of whole numbers.

    Raises:
        InputError: They are no whole numbers, or of different lengths.

    Example:
        >>> read_rows([1, 2], [0, 0], [7]).ids
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: instants, views and ids need one number a box each, got shapes (2,), (2,), (1,)
    """
    columns = Rows(
        *(integer_array(column, name) for column, name in zip((instants, views, ids), Rows._fields, strict=True))
    )
    shapes = [column.shape for column in columns]
    if len(set(shapes)) > 1 or columns.instants.ndim != 1:
        raise InputError(
            f"instants, views and ids need one number a box each, got shapes {', '.join(map(str, shapes))}"
        )
    return columns


def read_boxes(boxes: Any, count: int | None = None) -> FloatArray:
    """Read `(N, 4)` boxes, xyxy in pixels, as many as there are rows; any number where that is None.

    Raises:
        InputError: They are no such array, or one of them has no area or is not finite.
    """
    array = read_table(boxes, "boxes", count, 4)
    bad = bad_rows(array)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"boxes need finite x1 < x2 and y1 < y2, got {array[row].tolist()} in row {row}: "
            "leave out boxes that are none"
        )
    return array


def read_table(values: Any, what: str, count: int | None, width: int | None) -> FloatArray:
    """Read `(N, width)` numbers, NaN among them; where one of both is None, any number.

    Raises:
        InputError: They are no real numbers, or of another shape.
    """
    array = real_array(values, what)
    if not array.size and not count and array.ndim < 2:
        array = array.reshape(0, width or 0)
    if array.ndim != 2 or count not in (None, len(array)) or width not in (None, array.shape[1]):
        expected = f"({'N' if count is None else count}, {'D' if width is None else width})"
        raise InputError(f"{what} must have shape {expected}, got {array.shape}")
    return array


def read_scores(scores: Any, count: int) -> FloatArray:
    """Read `(N,)` finite scores; None: all 1.

    Raises:
        InputError: They are no such numbers.
    """
    if scores is None:
        return np.ones(count)
    array = real_array(scores, "scores")
    if array.shape != (count,) or not np.isfinite(array).all():
        raise InputError(f"scores must be {count} finite numbers, one a box, got shape {array.shape}")
    return array


def require_unique(rows: Rows, what: str = "ids") -> None:
    """Refuse an id that stands twice in one view at one instant; those below 0 may.

    Raises:
        InputError: One does.
    """
    keys = np.stack(rows, axis=1)[rows.ids >= 0]
    different, counts = np.unique(keys, axis=0, return_counts=True)
    if (counts > 1).any():
        instant, view, number = different[counts > 1][0]
        raise InputError(
            f"{what} must be different in one view at one instant, but {number} stands {counts.max()} times in view "
            f"{view} at instant {instant}: see selfmva.tracking.duplicates.resolve_duplicates"
        )
