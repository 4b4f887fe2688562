"""Numbers for views that a file calls by name or by number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.view_names import find_views
from selfmva.errors import DataError
from selfmva.io.boxes.views import view_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import IntArray
    from selfmva.io.boxes.rows import Where
    from selfmva.io.boxes.views import Views

_NUMBER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d+\.\d*")  # so a table writes even whole numbers where some are missing
_TOO_LARGE = 10**18


def number_views(labels: Sequence[Any], views: Views, where: Where) -> IntArray:
    """Turn what a file calls its views into their numbers.

    Args:
        labels: One per row: a name, or a number. Where views with names are given and any label is one of these, all
            have to be, and numbers count as names, too. Else numbers stay as they are, and names are numbered in the
            order in which they first appear, where no other names are known.
        views: As in `read_boxes`.
        where: Names the place of a row, for messages.

    Returns:
        `(R,)` int64 numbers of views.

    Raises:
        DataError: A label is neither a name nor a whole number, or not that of any view.

    Example:
        >>> number_views(["door", "window", "door"], None, where=str)
        array([0, 1, 0])
        >>> number_views(["1", 0], None, where=str)
        array([1, 0])
        >>> from selfmva.core.types import View
        >>> number_views([1, 2], [View("1", 640, 480), View("2", 640, 480)], where=str)
        array([0, 1])
    """
    known = view_names(views) or ()
    names = [_as_name(label, known, row, where) for row, label in enumerate(labels)]
    distinct = list(dict.fromkeys(names))
    numbers = number_by_name(distinct, views, lambda label: where(names.index(distinct[label])))
    if numbers is None:
        counted = all(_NUMBER.fullmatch(name) for name in distinct)
        numbers = [int(name) for name in distinct] if counted else list(range(len(distinct)))
    number_of = dict(zip(distinct, numbers, strict=True))
    return np.array([number_of[name] for name in names], dtype=np.int64)


def number_by_name(labels: Sequence[str], views: Views, where: Where) -> list[int] | None:
    """The numbers of views that are called by their names; None where the labels are no names of views but may do.

    Args:
        labels: Different ones, such as `["door", "window"]`.
        views: As in `read_boxes`.
        where: Names the place of a label, for messages.

    Raises:
        DataError: Some are names of views and others are not; or none is, and they are no numbers either.
    """
    known = view_names(views)
    if known is None:
        return None
    places = find_views(labels, known)
    numbers = [place for place in places if place is not None]
    if len(numbers) == len(labels):
        return numbers
    if not numbers and all(_NUMBER.fullmatch(label) for label in labels):
        return None
    strange = places.index(None)
    raise DataError(
        f"{where(strange)}: there is no view {labels[strange]!r}; the views are {', '.join(known)}, but here they are "
        f"{', '.join(labels[:20])}: give the views of this recording, or call them by their names"
    )


def _as_name(label: Any, known: Sequence[str], row: int, where: Where) -> str:
    """A label as text; whole numbers are written without a point."""
    if isinstance(label, str) and label.strip():
        text = label.strip()
        return text if text in known or not _DECIMAL.fullmatch(text) else _whole(float(text), row, where)
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        if abs(int(label)) >= _TOO_LARGE:
            raise DataError(f"{where(row)}: view {shown(label)} is too large to be the number of a view")
        return str(label)
    if isinstance(label, float | np.floating):
        return _whole(float(label), row, where)
    raise DataError(f"{where(row)}: a view is a name or a whole number from 0, got {shown(label)}")


def _whole(number: float, row: int, where: Where) -> str:
    if not number.is_integer() or abs(number) >= 2**53:
        raise DataError(f"{where(row)}: view {number} is not a {'whole' if np.isfinite(number) else 'finite'} number")
    return str(int(number))
