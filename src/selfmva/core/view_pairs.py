"""Pairs of views."""

from __future__ import annotations

from itertools import combinations

ViewPair = tuple[int, int]


def view_pairs(views: int) -> list[tuple[int, int]]:
    """All pairs (i, j) of views, i < j.

    Example:
        >>> view_pairs(3)
        [(0, 1), (0, 2), (1, 2)]
    """
    return list(combinations(range(views), 2))
