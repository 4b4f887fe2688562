"""Boxes that are none, without area, not finite or wholly outside of their image: which ones are, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.view_checks import HasSize

OnBadBox = Literal["drop", "raise"]
ON_BAD_BOX: tuple[OnBadBox, ...] = get_args(OnBadBox)
BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def check_on_bad_box(value: OnBadBox) -> OnBadBox:
    """What to do with bad boxes.

    Raises:
        InputError: It is neither `"drop"` nor `"raise"`.
    """
    if not is_one_of(value, ON_BAD_BOX):
        raise InputError(f"on_bad_box must be one of {', '.join(map(repr, ON_BAD_BOX))}, got {shown(value)}")
    return value


def bad_rows(boxes: NDArray[np.float64]) -> BoolArray:
    """`(N,)` where boxes `(N, 4)` xyxy are not finite or have no area.

    Example:
        >>> bad_rows(np.array([[0, 0, 5, 5], [5, 0, 5, 5], [0, 0, np.nan, 5]])).tolist()
        [False, True, True]
    """
    good = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]) & np.isfinite(boxes).all(axis=1)
    return np.asarray(~good)


def is_placeholder(boxes: NDArray[np.float64]) -> BoolArray:
    """`(N,)` rows that stand for nobody, as some files have them: all four numbers NaN, or all the same.

    Example:
        >>> is_placeholder(np.array([[-1.0, -1, -1, -1], [np.nan, np.nan, np.nan, np.nan], [0, 0, 5, 5]])).tolist()
        [True, True, False]
    """
    return np.asarray((boxes == boxes[:, :1]).all(axis=1) | np.isnan(boxes).all(axis=1))


def problem_of(box: NDArray[np.float64], view: HasSize | None = None) -> str:
    """Why a box is none, and what to do; it lies outside where it has an area.

    Example:
        >>> problem_of(np.array([5.0, 0, 5, 5]))[:46]
        'box [5.0, 0.0, 5.0, 5.0] needs x2 > x1 and y2 '
    """
    said = f"box {box.tolist()}"
    if not np.isfinite(box).all():
        return f"{said} is not finite; drop it or repair it"
    if bad_rows(box[None])[0] or view is None:
        return f"{said} needs x2 > x1 and y2 > y1; boxes are corners (x1, y1, x2, y2), not (x, y, width, height)"
    return (
        f"{said} lies outside the image of {view.width} x {view.height} pixels; check the view's size and the box units"
    )


def as_mask(parts: Sequence[NDArray[np.bool_]]) -> tuple[BoolArray, ...] | None:
    """Masks of bad boxes by view; None where none is bad."""
    if not any(part.any() for part in parts):
        return None
    for part in parts:
        part.flags.writeable = False
    return tuple(parts)
