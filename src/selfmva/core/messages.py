"""What came, as a message shows it."""

from __future__ import annotations

MOST_LETTERS = 120


def shown(value: object) -> str:
    """A value as a message shows it: cut where it is long, and whatever it is.

    Example:
        >>> shown("door"), shown(10**5000)
        ("'door'", 'a int that cannot be shown')
    """
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # somebody's class; or a number of thousands of digits
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
