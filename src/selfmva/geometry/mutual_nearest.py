"""Pairs that are nearest to each other both ways."""

from __future__ import annotations

import numpy as np


def mutually_nearest(distances: np.ndarray, *, one_to_one: bool = False) -> np.ndarray:
    """Entries that are the least of their row and of their column.

    Args:
        distances: `(..., N, M)`.
        one_to_one: Whether at most one entry of every row and column counts, the first of several that are equally
            near, and inf or NaN is no pair. Takes longer; padding, all of whose entries are equally far, then needs
            no care.

    Returns:
        `(..., N, M)` bool.

    Example:
        >>> mutually_nearest(np.array([[1.0, 2.0], [0.5, 3.0]])).astype(int).tolist()
        [[0, 0], [1, 0]]
        >>> tied = np.array([[1.0, 1.0], [np.nan, 3.0]])
        >>> mutually_nearest(tied, one_to_one=True).astype(int).tolist()
        [[1, 0], [0, 0]]
    """
    if not one_to_one:
        least_of_row = distances == distances.min(axis=-1, keepdims=True)
        return np.asarray(least_of_row & (distances == distances.min(axis=-2, keepdims=True)))
    known = np.where(np.isnan(distances), np.inf, distances)
    rows = np.arange(known.shape[-2])[:, None] == known.argmin(axis=-2)[..., None, :]
    columns = np.arange(known.shape[-1]) == known.argmin(axis=-1)[..., :, None]
    return np.asarray(rows & columns & np.isfinite(known))
