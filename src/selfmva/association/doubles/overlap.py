"""How two boxes of one view overlap, across and down, in a few cells; and which pairs of boxes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

# What two boxes have in common of what both cover: of their columns, and of their rows. A box drawn twice lies high in
# both; half a body high in columns alone; people side by side or behind each other in rows alone, or in neither.
BOUNDS = np.array([0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
OVERLAP_CELLS = len(BOUNDS) ** 2


def overlap_cells(first: FloatArray, second: FloatArray) -> IntArray:
    """`(K,)` int64 cell of the overlap of boxes `(K, 4)` and `(K, 4)`, -1 for pairs that overlap less.

    Example:
        >>> box = np.array([[0.0, 0.0, 10.0, 20.0]])
        >>> overlap_cells(box, box).tolist() == [OVERLAP_CELLS - 1], overlap_cells(box, box + 9.0).tolist()
        (True, [-1])
    """
    common = np.minimum(first[:, 2:], second[:, 2:]) - np.maximum(first[:, :2], second[:, :2])
    covered = np.maximum(first[:, 2:], second[:, 2:]) - np.minimum(first[:, :2], second[:, :2])
    cell = np.searchsorted(BOUNDS, common / covered, side="right") - 1
    return np.where((cell >= 0).all(axis=1), cell[:, 0] * len(BOUNDS) + cell[:, 1], -1)


def pairs_of_images(start: tuple[IntArray, IntArray], count: tuple[IntArray, IntArray]) -> tuple[IntArray, ...]:
    """All pairs of a box of one image and a box of another.

    Args:
        start: Twice `(N,)` rows of the first box of each image.
        count: Twice `(N,)` number of boxes of each image.

    Returns:
        `(K,)` three times: number of the pair of images, row of the one box, row of the other.

    Example:
        >>> one, two = np.array([0]), np.array([2])
        >>> [found.tolist() for found in pairs_of_images((one, one), (two, two))]
        [[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]]
    """
    size = count[0] * count[1]
    image = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(image)) - np.repeat(np.cumsum(size) - size, size)
    rows = count[1][image]
    return image, start[0][image] + place // rows, start[1][image] + place % rows


def pairs_within_images(count: IntArray) -> tuple[IntArray, IntArray]:
    """`(K,)` rows of the first and of the second box of all pairs of one image, first < second.

    Args:
        count: `(N,)` number of boxes of each image; rows are counted image after image.
    """
    start = np.cumsum(count) - count
    _, first, second = pairs_of_images((start, start), (count, count))
    return first[first < second], second[first < second]
