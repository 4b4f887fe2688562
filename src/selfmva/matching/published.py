"""The published similarity, and its blend with re-ID.

Source: Self-MVA, sections 3.4 and 4.2 (arXiv 2503.13739).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray

SIMILARITY_EPSILON = 1e-6  # added to the largest distance, as published


def similarity(distances: FloatArray) -> FloatArray:
    """The published similarity: 1 - distance / (largest distance + 1e-6), in the precision of the distances.

    Args:
        distances: `(N, M)`, N and M at least 1.

    Returns:
        `(N, M)` in [0, 1].

    Example:
        >>> similarity(np.array([[1.0, 2.0]])).round(3)
        array([[0.5, 0. ]])
    """
    one, epsilon = distances.dtype.type(1.0), distances.dtype.type(SIMILARITY_EPSILON)
    return np.asarray(one - distances / (distances.max() + epsilon))


def blended(distances: FloatArray, appearance: FloatArray, weight: float) -> FloatArray:
    """The published blend of geometry and re-ID: each divided by its maximum, then weighed (paper, section 4.2).

    Args:
        distances: `(N, M)` distances of embeddings, N and M at least 1.
        appearance: `(N, M)` L2 distances of features.
        weight: Of appearance, in [0, 1]; published 0.1.

    Returns:
        `(N, M)`; the distances themselves where appearance is not known of every box.

    Example:
        >>> blended(np.array([[1.0, 2.0]]), np.array([[3.0, 1.5]]), 0.1).round(2)
        array([[0.55, 0.95]])
    """
    if np.isnan(appearance).any():
        return distances
    by_geometry, by_appearance = (
        values / (values.max() + values.dtype.type(SIMILARITY_EPSILON)) for values in (distances, appearance)
    )
    return np.asarray((1.0 - weight) * by_geometry + weight * by_appearance)
