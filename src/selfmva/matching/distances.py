"""Distances between the boxes of all images at once, and the padded rows that solvers and tables read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.core.types import IntArray

SMALLEST_SQUARE = 1e-6  # keeps the gradient of the square root finite where two embeddings coincide


def pairwise_distances(embeddings: Tensor) -> Tensor:
    """L2 distances of all embeddings through one matrix product.

    Args:
        embeddings: `(M, D)`.

    Returns:
        `(M, M)`; differentiable everywhere, at least 1e-3.

    Example:
        >>> import torch
        >>> pairwise_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))[0, 1]
        tensor(5.)
    """
    import torch

    squares = embeddings.square().sum(dim=1)
    # A product in half precision would drown small distances, which are differences of large squares.
    with torch.autocast(embeddings.device.type, enabled=False):
        gram = embeddings @ embeddings.T
    return gram.mul(-2.0).add(squares[:, None]).add(squares[None, :]).clamp_min(SMALLEST_SQUARE).sqrt()


def padded_rows(start: IntArray, count: IntArray, width: int) -> IntArray:
    """Row numbers of the boxes of each image, padded to one width.

    Args:
        start: `(...)` first row of each image.
        count: `(...)` number of boxes of each image, at most `width`.
        width: Slots of an image.

    Returns:
        `(..., width)` int64; padding points at row 0.

    Example:
        >>> padded_rows(np.array([0, 2]), np.array([2, 1]), 2)
        array([[0, 1],
               [2, 0]])
    """
    slots = np.arange(width)
    return np.where(slots < count[..., None], start[..., None] + slots, 0)
