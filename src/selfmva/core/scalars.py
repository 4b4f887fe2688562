"""One number that a user gives: what is none is refused where it comes in, and nothing is guessed."""

from __future__ import annotations

import operator
import sys
from math import inf, isfinite
from numbers import Real
from typing import Any

from selfmva.core.messages import shown
from selfmva.errors import InputError

LARGEST_INTEGER = 2**63 - 1  # of int64


def integer(value: Any, what: str, *, least: int = -LARGEST_INTEGER, most: int = LARGEST_INTEGER) -> int:
    """Read one whole number.

    Args:
        value: An int, or a scalar of NumPy or torch.
        what: It is, for messages.
        least: Smallest that is allowed.
        most: Largest that is allowed.

    Raises:
        InputError: It is none, or not in that range. A float is none, not even a whole one; nor is a truth value.

    Example:
        >>> integer(4, "width", least=1)
        4
        >>> integer(2.5, "width", least=1, most=100)
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: width must be a whole number from 1 to 100, got 2.5
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # the last ones are torch's
        number = None
    if number is None or not least <= number <= most:
        raise InputError(f"{what} must be a whole number{_limits(least, most)}, got {shown(value)}")
    return number


def real(value: Any, what: str, *, least: float = -inf, above: float = -inf, most: float = inf) -> float:
    """Read one finite number.

    Args:
        value: An int or a float, of Python or NumPy.
        what: It is, for messages.
        least: Smallest that is allowed.
        above: What it must be larger than.
        most: Largest that is allowed.

    Raises:
        InputError: It is none, not finite, or not in that range.

    Example:
        >>> real(2, "length", above=0)
        2.0
        >>> real(float("nan"), "length", above=0)
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: length must be a finite number above 0, got nan
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else inf
    except OverflowError:
        number = inf
    if not (isfinite(number) and least <= number <= most and number > above):
        limits = f" above {above:g}" if isfinite(above) else _limits(least, most)
        raise InputError(f"{what} must be a finite number{limits}, got {shown(value)}")
    return number


def flag(value: Any, what: str) -> bool:
    """Read a truth value; other things are true in ways that nobody meant, such as "no".

    Raises:
        InputError: It is none.

    Example:
        >>> flag(True, "resume")
        True
    """
    numpy = sys.modules.get("numpy")  # whoever holds one of NumPy's has imported it
    if not isinstance(value, bool if numpy is None else bool | numpy.bool_):
        raise InputError(f"{what} must be True or False, got {shown(value)}")
    return bool(value)


def _limits(least: float, most: float) -> str:
    if min(-least, most) > LARGEST_INTEGER // 4:
        return " that fits into 64 bits"
    if abs(most) >= LARGEST_INTEGER:
        return f" of at least {least}"
    return f" of at most {most}" if abs(least) >= LARGEST_INTEGER else f" from {least} to {most}"
