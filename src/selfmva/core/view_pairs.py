"""Pairs of views, and what is known of them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from selfmva.core.types import IntArray

ViewPair = tuple[int, int]
T = TypeVar("T")


def view_pairs(views: int) -> list[ViewPair]:
    """All pairs (i, j) of views, i < j.

    Example:
        >>> view_pairs(3)
        [(0, 1), (0, 2), (1, 2)]
    """
    return list(combinations(range(views), 2))


def renumber_pairs(
    values: Mapping[ViewPair, T], numbers: Sequence[int] | IntArray, turn: Callable[[T], T] = lambda value: value
) -> dict[ViewPair, T]:
    """What is known of pairs of views, after the views have got other numbers.

    Args:
        values: By view pair (i, j), i < j.
        numbers: The new number of every view.
        turn: Exchanges the two views of a value; not needed where both sides are alike.

    Returns:
        The same by the new pairs, in their order.

    Example:
        >>> renumber_pairs({(0, 1): "ab", (0, 2): "ac"}, [2, 0, 3], turn=lambda pair: pair[::-1])
        {(0, 2): 'ba', (2, 3): 'ac'}
    """
    found = {}
    for (i, j), value in values.items():
        one, other = int(numbers[i]), int(numbers[j])
        found[min(one, other), max(one, other)] = value if one < other else turn(value)
    return dict(sorted(found.items()))
