"""What a user gives that is no number: one of several names, a sequence, a stream, an object that offers something."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def is_one_of(value: Any, names: Collection[str]) -> bool:
    """Whether something is one of some names; nothing else than a text is.

    Example:
        >>> is_one_of("lap", ("scipy", "lap")), is_one_of(np.zeros(3), ("scipy", "lap"))
        (True, False)
    """
    return isinstance(value, str) and value in names


def offers(value: Any, protocol: type) -> bool:
    """Whether something is of a class, or has what a protocol asks for; an object that cannot be looked at has not.

    Example:
        >>> offers(3, int)
        True
    """
    try:
        return isinstance(value, protocol)
    except Exception:  # noqa: BLE001  # somebody's attributes
        return False


def entries(values: Any, what: str, one: str) -> Sequence[Any]:
    """Read a sequence; what its entries are is not looked at.

    Args:
        values: A list, a tuple, an array, or another sequence.
        what: It is, for messages.
        one: What an entry is, for messages.

    Raises:
        InputError: It is none, or a text.

    Example:
        >>> entries("door", "views", "one entry per camera")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: views must be a sequence with one entry per camera, got 'door'
    """
    if isinstance(values, np.ndarray) and values.ndim:
        return values  # type: ignore[return-value]  # its rows are as good
    if isinstance(values, str | bytes | bytearray | memoryview) or not isinstance(values, Sequence):
        raise InputError(f"{what} must be a sequence with {one}, got {shown(values)}")
    return values


def stream(values: Any, what: str, one: str) -> Iterator[Any]:
    """Begin to go through something; what its entries are is not looked at.

    Args:
        values: An iterable.
        what: It is, for messages.
        one: What an entry is, for messages.

    Raises:
        InputError: It is none, or a text, a path, a dictionary, a set or a table, which are not gone through by entry.

    Example:
        >>> stream(3, "associations", "Association")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: associations must be an iterable of Association, got 3
    """
    whole = isinstance(values, str | bytes | bytearray | memoryview | os.PathLike | Mapping | AbstractSet)
    try:
        if not whole and not isinstance(values, type) and not hasattr(values, "columns"):
            return iter(values)
    except Exception as error:  # of whatever kind: somebody's class
        raise InputError(f"{what} must be an iterable of {one}, got {shown(values)}") from error
    raise InputError(f"{what} must be an iterable of {one}, got {shown(values)}")
