"""How far a box is from where a person of the same view is expected, in heights of the box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray

HEIGHT_WEIGHT = 0.5  # of the log-ratio of two heights, against distances in heights; as the tracklets of `fit` weigh it
SMALLEST = 1e-6  # pixels


def image_distances(expected: FloatArray, boxes: FloatArray) -> FloatArray:
    """Distances of boxes `(..., 4)` and `(..., 4)`, which broadcast.

    A foot may be hidden at one instant and seen at the next; the head then tells who it is: the nearer of both counts.

    Returns:
        `(...)` in heights of the higher box.

    Example:
        >>> image_distances(np.array([0.0, 0, 10, 40]), np.array([[0.0, 0, 10, 40], [4.0, 0, 14, 40]])).tolist()
        [0.0, 0.1]
    """
    size = np.maximum(expected[..., 3] - expected[..., 1], SMALLEST)
    height = np.maximum(boxes[..., 3] - boxes[..., 1], SMALLEST)
    aside = (expected[..., 0] + expected[..., 2] - boxes[..., 0] - boxes[..., 2]) / 2
    down = np.minimum(np.abs(expected[..., 3] - boxes[..., 3]), np.abs(expected[..., 1] - boxes[..., 1]))
    return np.asarray(np.hypot(aside, down) / np.maximum(size, height) + HEIGHT_WEIGHT * np.abs(np.log(size / height)))


def moved(before: FloatArray, after: FloatArray) -> FloatArray:
    """`(..., 2)` way from boxes to boxes in pixels: sideways, and that of head or foot, whichever is shorter.

    Example:
        >>> moved(np.array([0.0, 0, 10, 40]), np.array([2.0, 1, 12, 30])).tolist()
        [2.0, 1.0]
    """
    way = after - before
    down = np.where(np.abs(way[..., 3]) < np.abs(way[..., 1]), way[..., 3], way[..., 1])
    return np.stack([(way[..., 0] + way[..., 2]) / 2, down], axis=-1)
