"""Edges: the place between two people is seen by both views, too.

Source: Self-MVA, section 3.5 (arXiv 2503.13739).
"""

from __future__ import annotations

import torch
from torch import Tensor


def virtual_boxes(boxes: Tensor) -> Tensor:
    """A box between every ordered pair of boxes of one image.

    Its foot is the mean of the two feet (bottom centres), its width and height are the means of theirs.

    Args:
        boxes: `(N, 4)` xyxy.

    Returns:
        `(N, N, 4)` xyxy; the diagonal holds the boxes themselves.

    Example:
        >>> virtual_boxes(torch.tensor([[0.0, 0.0, 2.0, 4.0], [4.0, 2.0, 8.0, 8.0]]))[0, 1]
        tensor([2.0000, 1.0000, 5.0000, 6.0000])
    """
    # Foot, width and height are linear in the corners, so the mean of the corners is the mean of the three.
    return (boxes[:, None] + boxes[None, :]) / 2


def edge_distance(rows: Tensor, columns: Tensor, match: Tensor) -> Tensor:
    """Mean L2 distance of the virtual boxes of two views under a matching of their people.

    Args:
        rows: `(N, N, D)` embeddings of the virtual boxes of one view.
        columns: `(M, M, D)` those of the other view.
        match: `(K, 2)` int64, which person of the one is which of the other, K >= 1.

    Returns:
        A scalar: the mean over all K x K ordered pairs, the diagonal included.

    Example:
        >>> edge_distance(torch.zeros(1, 1, 2), torch.tensor([[[3.0, 4.0]]]), torch.tensor([[0, 0]]))
        tensor(5.)
    """
    one, other = match[:, 0], match[:, 1]
    difference = rows[one[:, None], one[None, :]] - columns[other[:, None], other[None, :]]
    distances: Tensor = torch.linalg.vector_norm(difference, dim=-1)
    return distances.mean()
