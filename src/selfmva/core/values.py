"""Arrays of numbers that a user gives: what is none is refused where it comes in, and nothing is guessed.

NumPy turns much into numbers that its owner did not mean: the imaginary part, the mask, the unit and the digits after
the point of a whole number are dropped without a word.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.scalars import LARGEST_INTEGER
from selfmva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_WHOLE_FLOAT = 2.0**53  # above it, not every whole number is a float
KINDS = {
    "b": "truth values",
    "c": "complex numbers",
    "m": "durations",
    "M": "dates",
    "S": "bytes",
    "U": "text",
    "V": "records",
}


def real_array(values: Any, what: str, dtype: type[np.floating[Any]] = np.float64) -> NDArray[Any]:
    """Read real numbers.

    Args:
        values: An array, a tensor on any device, a table, or nested lists of numbers.
        what: They are, for messages.
        dtype: Of the result.

    Returns:
        A copy of the same shape; a number that is too large for `dtype` is infinite.

    Raises:
        InputError: They are no real numbers: text, truth values, complex numbers, dates, masked, missing or ragged.

    Example:
        >>> real_array([[1, 2.5]], "boxes")
        array([[1. , 2.5]])
        >>> real_array([[1, 2j]], "boxes")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: boxes must be real numbers, got complex numbers
    """
    given = _numbers(values, what, "real numbers")
    if given.dtype == dtype:
        return np.array(given)
    with np.errstate(over="ignore"):
        return np.array(given, dtype=dtype)


def integer_array(values: Any, what: str) -> NDArray[np.int64]:
    """Read whole numbers.

    Args:
        values: As for `real_array`; floats are taken where all of them are whole.
        what: They are, for messages.

    Returns:
        A copy of the same shape, int64.

    Raises:
        InputError: They are no whole numbers, or one does not fit into int64.

    Example:
        >>> integer_array([3.0, -1], "track ids")
        array([ 3, -1])
        >>> integer_array([3.5], "track ids")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: track ids must be whole numbers, got 3.5
    """
    given = _numbers(values, what, "whole numbers")
    if given.dtype.kind == "f":
        wrong = ~((given == np.rint(given)) & (np.abs(given) <= LARGEST_WHOLE_FLOAT))  # NaN is equal to nothing
    else:
        wrong = given > LARGEST_INTEGER if given.dtype.kind == "u" else np.zeros(given.shape, bool)
    if wrong.any():
        raise InputError(f"{what} must be whole numbers, got {given[wrong].flat[0]}")
    return np.array(given, dtype=np.int64)


def flag_array(values: Any, what: str) -> NDArray[np.bool_]:
    """Read truth values.

    Args:
        values: An array, a tensor on any device, or nested lists of truth values.
        what: They are, for messages.

    Returns:
        A copy of the same shape, bool.

    Raises:
        InputError: They are no truth values, not even numbers.

    Example:
        >>> flag_array([True, False], "bad")
        array([ True, False])
    """
    try:
        array = np.array(_as_numpy(values, what))
    except InputError:
        raise
    except Exception as error:  # of whatever kind: arrays of many libraries come here
        raise InputError(f"{what} must be truth values, got {type(values).__name__} that numpy cannot read") from error
    if array.size and array.dtype != np.bool_:
        raise InputError(f"{what} must be truth values, got {shown(values)}")
    return array.astype(bool)


def _numbers(values: Any, what: str, expected: str) -> NDArray[Any]:
    """Values as an array of floats or of whole numbers, not a copy where they are one already."""
    if type(values) is np.ndarray and values.dtype.kind in "fiu":
        return values
    if isinstance(values, str | bytes | Mapping | AbstractSet):
        raise InputError(f"{what} must be {expected}, got {shown(values)}")
    try:
        array = np.array(_as_numpy(values, what))
    except InputError:
        raise
    except Exception as error:  # of whatever kind: arrays of many libraries come here
        raise InputError(
            f"{what} must be {expected}, all rows as long, got {type(values).__name__} that numpy cannot read ({error})"
        ) from error
    if not array.size:
        return np.zeros(array.shape)
    if array.dtype.kind == "O":
        return _of_objects(array, what, expected)
    if array.dtype.kind not in "fiu":
        raise InputError(f"{what} must be {expected}, got {KINDS.get(array.dtype.kind, array.dtype)}")
    return array


def _as_numpy(values: Any, what: str) -> Any:
    """What NumPy would read wrongly or not at all, inside lists, too; anything else as it is."""
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise InputError(f"{what} must not be masked: leave these rows out, or fill them in")
        return np.asarray(values)
    if isinstance(values, list | tuple):
        return [_as_numpy(part, what) if hasattr(part, "__array__") else part for part in values]
    torch = sys.modules.get("torch")  # whoever holds a tensor has imported it
    if torch is not None and isinstance(values, torch.Tensor):
        plain = values.detach().cpu()
        return (plain.double() if plain.is_floating_point() else plain).numpy()
    return values


def _of_objects(array: NDArray[Any], what: str, expected: str) -> NDArray[Any]:
    """Python's own numbers, where NumPy has no kind for all of them."""
    for value in array.flat:
        if isinstance(value, bool) or not isinstance(value, Real | Decimal):
            raise InputError(f"{what} must be {expected}, got {shown(value)}")
    try:
        if all(isinstance(value, Integral) for value in array.flat):
            return array.astype(np.int64)
        return array.astype(np.float64)
    except (OverflowError, ValueError) as error:  # the second one is of a Decimal that is none
        raise InputError(f"{what} must be {expected} that fit into 64 bits, got larger ones") from error
