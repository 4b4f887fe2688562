"""Cameras have names: whatever carries one belongs to the view of that name, never to the one at its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_views(found: Sequence[str | None], names: Sequence[str]) -> list[int | None]:
    """The view that each of some names means.

    A name that is written like that of a view means that view; else one that differs in capitals or in leading
    zeros alone does, where only one view is called so.

    Args:
        found: Names, such as those of files; None for what has no name.
        names: Those of the views.

    Returns:
        Number of the view of each; None where no view is called so.

    Example:
        >>> find_views(["Hall", "3", "attic", None], ["door", "hall", "03"])
        [1, 2, None, None]
    """
    exact = {name: number for number, name in enumerate(names)}
    loose: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        loose.setdefault(_loosely(name), []).append(number)

    def find(name: str) -> int | None:
        if name in exact:
            return exact[name]
        alike = loose.get(_loosely(name), [])
        return alike[0] if len(alike) == 1 else None

    return [None if name is None else find(name) for name in found]


def order_by_name(found: Sequence[str | None], names: Sequence[str], what: str) -> list[int] | None:
    """Which of some things, one a view, belongs to which view.

    Args:
        found: Their names, as many as there are views; None for what has no name.
        names: Those of the views.
        what: What the things are, for the message, such as `"videos"`.

    Returns:
        For each view the number of its thing; None where no name is that of a view, so that names tell nothing.

    Raises:
        InputError: Some are names of views and others are not, or two mean one view.

    Example:
        >>> order_by_name(["hall", "door"], ["door", "hall"], "videos")
        [1, 0]
        >>> order_by_name(["hall", "dor"], ["door", "hall"], "videos")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: the videos are called hall, dor, the views door, hall: give each view its own, ...
    """
    places = find_views(found, names)
    if all(place is None for place in places):
        return None
    if sorted(place for place in places if place is not None) != list(range(len(names))) or len(found) != len(names):
        raise InputError(f"{both_sets(found, names, what)}: give each view its own, under its name")
    return [places.index(number) for number in range(len(names))]


def both_sets(found: Sequence[str | None], names: Sequence[str], what: str) -> str:
    """Both sets of names, for a message.

    Example:
        >>> both_sets(["hall", None], ["door", "hall"], "videos")
        'the videos are called hall, (no name), the views door, hall'
    """
    return f"the {what} are called {', '.join(name or '(no name)' for name in found)}, the views {', '.join(names)}"


def require_distinct(names: Sequence[str]) -> None:
    """Refuse two views of one name.

    Raises:
        InputError: Names the first that is there twice.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two views are called {twice!r}; give them names of their own: View(name, width, height)")


def _loosely(name: str) -> str:
    return str(int(name)) if name.isdecimal() and len(name) < 19 else name.casefold()
