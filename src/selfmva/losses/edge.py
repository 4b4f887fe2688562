"""Edges: the place between two people is seen by both views, too.

Source: Self-MVA, section 3.5 (arXiv 2503.13739).
"""

from __future__ import annotations

import torch
from torch import Tensor


def unordered_pairs(count: int, device: torch.device | None = None) -> tuple[Tensor, Tensor]:
    """Which virtual boxes have to be encoded, and where each ordered pair finds its own.

    A virtual box is the same for (a, b) and (b, a), and for (a, a) it is the box itself: of the N x N ordered pairs
    that the method compares, only N (N - 1) / 2 are new.

    Args:
        count: Number of boxes N.
        device: Where the indices are needed.

    Returns:
        `(E, 2)` int64, the pairs a < b to encode; and `(N, N)` int64, the row of each ordered pair in a list of the N
        boxes followed by the E virtual ones.

    Example:
        >>> pairs, row_of = unordered_pairs(2)
        >>> pairs.tolist(), row_of.tolist()
        ([[0, 1]], [[0, 2], [2, 1]])
    """
    a, b = torch.triu_indices(count, count, offset=1, device=device)
    row_of = torch.diag(torch.arange(count, device=device))
    row_of[a, b] = row_of[b, a] = torch.arange(count, count + len(a), device=device)
    return torch.stack((a, b), dim=1), row_of


def virtual_boxes(boxes: Tensor, pairs: Tensor) -> Tensor:
    """A box between two boxes of one image.

    Its foot is the mean of the two feet (bottom centres), its width and height are the means of theirs.

    Args:
        boxes: `(N, 4)` xyxy.
        pairs: `(E, 2)` int64 indices of boxes.

    Returns:
        `(E, 4)` xyxy.

    Example:
        >>> virtual_boxes(torch.tensor([[0.0, 0.0, 2.0, 4.0], [4.0, 2.0, 8.0, 8.0]]), torch.tensor([[0, 1]]))
        tensor([[2., 1., 5., 6.]])
    """
    # Foot, width and height are linear in the corners, so the mean of the corners is the mean of the three.
    return (boxes[pairs[:, 0]] + boxes[pairs[:, 1]]) / 2


def edge_distance(rows: Tensor, columns: Tensor, row_of: Tensor, column_of: Tensor, match: Tensor) -> Tensor:
    """Mean L2 distance of the virtual boxes of two views under a matching of their people.

    Args:
        rows: `(N + E, D)` embeddings of the boxes of one view and of their virtual boxes (see `unordered_pairs`).
        columns: The same of the other view.
        row_of: `(N, N)` int64, the row of each ordered pair in `rows`.
        column_of: `(M, M)` int64, the row of each ordered pair in `columns`.
        match: `(K, 2)` int64, which person of the one is which of the other, K >= 1.

    Returns:
        A scalar: the mean over all K x K ordered pairs, the diagonal included.

    Example:
        >>> itself, match = torch.tensor([[0]]), torch.tensor([[0, 0]])
        >>> edge_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]), itself, itself, match)
        tensor(5.)
    """
    one, other = match[:, 0], match[:, 1]
    difference = rows[row_of[one[:, None], one]] - columns[column_of[other[:, None], other]]
    distances: Tensor = torch.linalg.vector_norm(difference, dim=-1)
    return distances.mean()
