"""What came, as a message shows it."""

from __future__ import annotations

from reprlib import Repr

MOST_LETTERS = 120


class _Brief(Repr):
    """Looks at the first entries alone, however many there are."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = MOST_LETTERS


def shown(value: object) -> str:
    """A value as a message shows it: cut where it is long, and whatever it is.

    Example:
        >>> shown("door"), shown(list(range(10**6)))
        ("'door'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    try:
        text = _Brief().repr(value) if isinstance(value, list | tuple | dict | set | frozenset) else repr(value)
    except Exception:  # noqa: BLE001  # somebody's class; or a number of thousands of digits
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
