"""Numbers for views that a file calls by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.errors import DataError

if TYPE_CHECKING:
    from selfmva.core.types import IntArray
    from selfmva.io.boxes.rows import Views, Where

_NUMBER = re.compile(r"-?\d{1,18}")


def number_views(labels: Sequence[Any], views: Views, where: Where) -> IntArray:
    """Turn the names of views into their numbers.

    Args:
        labels: One name per row.
        views: Where views with names are given, names are looked up among them; else views are numbered in the
            order in which their names first appear. Names that are all whole numbers stay these numbers.
        where: Names the place of a row, for messages.

    Returns:
        `(R,)` int64 numbers of views.

    Raises:
        DataError: A name is not that of any view.

    Example:
        >>> number_views(["door", "window", "door"], None, where=str)
        array([0, 1, 0])
        >>> number_views(["1", "0"], None, where=str)
        array([1, 0])
    """
    names = [str(label) for label in labels]
    if isinstance(views, Sequence):
        known = {view.name: number for number, view in enumerate(views)}
        if set(names) <= set(known):
            return np.array([known[name] for name in names], dtype=np.int64)
    if all(_NUMBER.fullmatch(name) for name in names):
        return np.array([int(name) for name in names], dtype=np.int64)
    if isinstance(views, Sequence):
        row = next(row for row, name in enumerate(names) if name not in known)
        raise DataError(f"{where(row)}: there is no view {names[row]!r}; the views are {', '.join(known)}")
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([order[name] for name in names], dtype=np.int64)
