"""Joints in space from several cameras at once, as arrays: a linear solution without a choice of views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray


def triangulate_linearly(matrices: FloatArray, pixels: FloatArray) -> FloatArray:
    """Points from what several cameras see of them (Hartley and Zisserman, section 12.2).

    Args:
        matrices: `(V, 3, 4)` projections; NaN where a camera is not known.
        pixels: `(..., V, 2)`; NaN where not seen.

    Returns:
        `(..., 3)`; NaN where fewer than two cameras see it, or it lies at infinity.
    """
    seen = np.asarray(np.isfinite(pixels).all(axis=-1) & np.isfinite(matrices).all(axis=(1, 2)))
    safe = np.where(seen[..., None], pixels, 0.0)
    known = np.nan_to_num(matrices)
    # Rows are scaled to about one pixel each, so that no camera counts for more because its numbers are large.
    scale = 1.0 / np.maximum(np.linalg.norm(known[:, 2, :3], axis=-1) * np.abs(known[:, 0, 0:3]).max(axis=-1), 1e-12)
    rows = safe[..., None] * known[:, 2][:, None, :] - known[:, :2]
    rows = rows * (seen[..., None, None] * scale[:, None, None])
    flat = rows.reshape(*rows.shape[:-3], -1, 4)
    normal = np.swapaxes(flat, -1, -2) @ flat
    vectors = np.linalg.eigh(normal)[1][..., 0]
    enough = np.asarray((seen.sum(axis=-1) >= 2) & (np.abs(vectors[..., 3]) > 1e-9))
    return np.where(enough[..., None], vectors[..., :3] / np.where(enough, vectors[..., 3], 1.0)[..., None], np.nan)


def reproject(matrices: FloatArray, points: FloatArray) -> FloatArray:
    """`(..., V, 2)` pixels of points `(..., 3)` in cameras `(V, 3, 4)`; NaN behind them."""
    homogeneous = np.einsum("vij,...j->...vi", matrices[:, :, :3], points) + matrices[:, :, 3]
    depth = homogeneous[..., 2:]
    return np.where(depth > 0, homogeneous[..., :2] / np.where(depth > 0, depth, 1.0), np.nan)
