"""Distances between the boxes of all images at once, and the padded rows that solvers and tables read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from selfmva.core.types import IntArray

    Vectors = TypeVar("Vectors", NDArray[np.float32], Tensor)

SMALLEST_SQUARE = 1e-6  # keeps the gradient of the square root finite where two embeddings coincide


@dataclass(frozen=True)
class PairProductSettings:
    """Products of some pairs of many vectors."""

    rows: int = 64  # of a block
    dense: int = 8  # a matrix product of all pairs of a block takes as long as the products of one in so many


PAIR_PRODUCTS = PairProductSettings()


def products_of_pairs(vectors: Vectors, first: IntArray, second: IntArray, products: Vectors) -> Vectors:
    """Inner products of pairs of vectors: by matrix products where most pairs of a block are asked for.

    Args:
        vectors: `(M, D)`, an array or a tensor.
        first: `(E,)` increasing rows.
        second: `(E,)` rows.
        products: `(E,)`, of the same kind, is written.

    Returns:
        `products`.

    Example:
        >>> vectors = np.array([[1, 0], [2, 1], [0, 3]], np.float32)
        >>> products_of_pairs(vectors, np.array([0, 1]), np.array([1, 2]), np.empty(2, np.float32)).tolist()
        [2.0, 3.0]
    """
    for pairs in _blocks(first):
        one, other = first[pairs], second[pairs]
        rows, columns = slice(one[0], one[-1] + 1), slice(other.min(), other.max() + 1)
        if (rows.stop - rows.start) * (columns.stop - columns.start) <= PAIR_PRODUCTS.dense * len(one):
            products[pairs] = (vectors[rows] @ vectors[columns].T)[one - rows.start, other - columns.start]
        else:
            products[pairs] = (vectors[one] * vectors[other]).sum(-1)
    return products


def _blocks(rows: IntArray) -> Iterator[slice]:
    """Cut increasing rows where a multiple of `PAIR_PRODUCTS.rows` begins."""
    cuts = np.flatnonzero(np.diff(rows // PAIR_PRODUCTS.rows)) + 1
    for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(rows)], strict=True):
        if start < end:
            yield slice(start, end)


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
