"""What came, as a message shows it."""

from __future__ import annotations

from reprlib import Repr

MOST_LETTERS = 120

_BRIEF = Repr()  # looks at the first entries alone, however many there are
_BRIEF.maxstring = _BRIEF.maxother = MOST_LETTERS


def shown(value: object) -> str:
    """A value as a message shows it: cut where it is long, and whatever it is.

    Example:
        >>> shown("door"), shown(list(range(10**6)))
        ("'door'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    try:
        text = _BRIEF.repr(value) if isinstance(value, list | tuple | dict | set | frozenset) else repr(value)
    except Exception:  # noqa: BLE001  # somebody's class; or a number of thousands of digits
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
