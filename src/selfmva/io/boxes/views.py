"""What readers and writers are told of the views: themselves, or how many there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.types import View
from selfmva.core.view_names import require_distinct
from selfmva.errors import InputError

Views = int | Sequence[View] | None

MOST_VIEWS = 1000  # beyond this a number is a camera's serial number, not its place


def view_count(views: Views) -> int | None:
    """The number of views that `views` speaks of; None where it says nothing.

    Raises:
        InputError: It is no number of views and no sequence of View, two of these are called the same, or a name cannot
            be written.

    Example:
        >>> view_count([View("left", 640, 480), View("right", 640, 480)]), view_count(3), view_count(None)
        (2, 3, None)
    """
    names = view_names(views)
    if names is not None:
        return len(names)
    return None if views is None else int(views)  # type: ignore[arg-type]  # no sequence: view_names has looked


def view_names(views: Views) -> list[str] | None:
    """The names of the views, where `views` has any.

    Raises:
        InputError: See `view_count`.

    Example:
        >>> view_names([View("left", 640, 480)]), view_names(3)
        (['left'], None)
    """
    given: object = views
    if given is None:
        return None
    if isinstance(given, int | np.integer) and not isinstance(given, bool):
        if 1 <= given <= MOST_VIEWS:
            return None
        raise InputError(f"views must be a positive number of at most {MOST_VIEWS}, or a sequence of View, got {given}")
    if not isinstance(given, Sequence) or not given or not all(isinstance(view, View) for view in given):
        raise InputError(f"views must be a positive number or a sequence of View, got {shown(given)}")
    names = [view.name for view in given]
    require_distinct(names)
    return names
