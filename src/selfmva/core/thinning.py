"""Some of many, spread over all of them: where more would only cost time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import IntArray


def evenly_spaced(count: int, most: int, *, to_nearest: bool = False) -> IntArray:
    """Positions of at most so many of a sequence, evenly spaced, the first and the last among them.

    Args:
        count: Length of the sequence.
        most: Largest number of positions.
        to_nearest: Whether ideal positions between two whole numbers are rounded to the nearest one, else down.

    Returns:
        `(min(count, most),)` increasing int64, each once; of a single one, the first.

    Example:
        >>> evenly_spaced(9, 4).tolist(), evenly_spaced(9, 4, to_nearest=True).tolist(), evenly_spaced(3, 4).tolist()
        ([0, 2, 5, 8], [0, 3, 5, 8], [0, 1, 2])
    """
    ideal = np.linspace(0, count - 1, min(count, most))
    return (ideal.round() if to_nearest else ideal).astype(np.int64)


def evenly_spaced_blocks(count: int, most: int, length: int) -> IntArray:
    """Positions of evenly spaced blocks of neighbours, for what can be seen only where neighbours stay together.

    Args:
        count: Length of the sequence.
        most: Largest number of positions.
        length: Neighbours of a block, at most `most`.

    Returns:
        `(K,)` increasing int64, each once; all positions where `most` allows it.

    Example:
        >>> evenly_spaced_blocks(9, 4, 2).tolist(), evenly_spaced_blocks(3, 4, 2).tolist()
        ([0, 1, 7, 8], [0, 1, 2])
    """
    if count <= most:
        return np.arange(count)
    begin = np.linspace(0, count - length, most // length).astype(np.int64)
    return np.unique(begin[:, None] + np.arange(length))


def stride(count: int, most: int) -> int:
    """The least step with which at most so many of a sequence are taken; 1 for an empty one.

    Args:
        count: Length of the sequence.
        most: Largest number that is taken.

    Returns:
        At least 1.

    Example:
        >>> list(range(9))[:: stride(9, 4)]
        [0, 3, 6]
    """
    return max(-(-count // most), 1)
