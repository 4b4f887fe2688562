"""Loops that numba compiles, where it is installed (the extra `[fast]`); elsewhere NumPy does the same.

Nothing is compiled, and numba is not imported, before a loop is first asked for. What was compiled is kept on the disk
where numba finds a folder that it may write to, and in memory where there is none.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from selfmva.errors import MissingDependencyError, require

if TYPE_CHECKING:
    from collections.abc import Callable

logger: logging.Logger = logging.getLogger(__name__)


@cache
def compiled(function: Callable[..., Any], signature: str) -> Callable[..., Any] | None:
    """The machine code of a function that is written in loops over arrays; it holds no lock of the interpreter.

    Args:
        function: Of a module; it reads nothing but its arguments.
        signature: Its types, in the words of numba.

    Returns:
        The compiled function; None where numba is not installed, is switched off (`NUMBA_DISABLE_JIT`), or fails.

    Example:
        >>> from selfmva.core.compiled import is_available
        >>> (compiled(abs_difference, "f8(f8, f8)") is not None) == is_available()
        True
    """
    if not is_available():
        return None
    numba = import_module("numba")
    try:
        try:
            return _compile(numba, function, signature, on_disk=True)
        except (RuntimeError, OSError):  # no folder to write to
            return _compile(numba, function, signature, on_disk=False)
    except Exception:  # of whatever kind: a compiler that fails costs speed, nothing else
        logger.warning("numba does not compile %s, NumPy does its work", function.__name__, exc_info=True)
        return None


@cache
def is_available() -> bool:
    """Whether numba is installed and not switched off."""
    try:
        require("numba", "fast")
    except MissingDependencyError:
        return False
    return not import_module("numba").config.DISABLE_JIT


def abs_difference(first: float, second: float) -> float:
    """|first - second|, the smallest loop there is: what `compiled` is tried on."""
    return abs(first - second)


def _compile(numba: Any, function: Callable[..., Any], signature: str, *, on_disk: bool) -> Callable[..., Any]:
    # Divisions by zero give infinity, as NumPy's do.
    decorate = numba.njit(signature, nogil=True, cache=on_disk, error_model="numpy")
    result: Callable[..., Any] = decorate(function)
    return result
