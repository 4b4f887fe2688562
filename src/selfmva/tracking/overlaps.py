"""How far boxes overlap: intersection over union."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray


def intersection_over_union(one: FloatArray, other: FloatArray) -> FloatArray:
    """`(N, M)` intersection over union of boxes `(N, 4)` and `(M, 4)`, xyxy; 0 where one has no area.

    Example:
        >>> intersection_over_union(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2], [5, 5, 6, 6]])).round(3)
        array([[0.333, 0.   ]])
    """
    low = np.maximum(one[:, None, :2], other[:, :2])
    high = np.minimum(one[:, None, 2:], other[:, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (one, other)]
    either = areas[0][:, None] + areas[1] - both
    return np.asarray(np.divide(both, either, out=np.zeros_like(both), where=either > 0))
