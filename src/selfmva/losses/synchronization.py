"""How far apart two images are, and the losses that make synchronous images the nearest.

Source: Self-MVA, section 3.3 (arXiv 2503.13739).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def matched_distance(rows: Tensor, columns: Tensor) -> Tensor:
    """Mean L2 distance of matched embeddings: the distance of two images.

    Args:
        rows: `(K, D)` embeddings of one image.
        columns: `(K, D)` embeddings of the boxes matched with them in the other image, K >= 1.

    Returns:
        A scalar.

    Example:
        >>> matched_distance(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]))
        tensor(5.)
    """
    distances: Tensor = torch.linalg.vector_norm(rows - columns, dim=-1)
    return distances.mean()


def triplet_loss(positive: Tensor, negative: Tensor, margin: float = 1.0) -> Tensor:
    """`relu(positive - negative + margin)`: the synchronous image must be nearer by the margin.

    Example:
        >>> triplet_loss(torch.tensor(2.0), torch.tensor(2.5))
        tensor(0.5000)
    """
    return functional.relu(positive - negative + margin)


def contrastive_loss(distances: Tensor, valid: Tensor, temperature: float) -> Tensor:
    """Cross-entropy over the rows and the columns of image distances, the synchronous pair as the target.

    Args:
        distances: `(P, B, B)` distances of image s of one view and image t of the other, for P view pairs; the
            diagonal is synchronous.
        valid: `(P, B, B)` bool: pairs that are compared. Rows and columns whose diagonal is not valid, or that
            have nothing else to compare with, are left out.
        temperature: Distances are divided by it.

    Returns:
        A scalar; 0 where nothing can be compared.

    Example:
        >>> near = torch.tensor([[[0.0, 50.0], [50.0, 0.0]]])
        >>> contrastive_loss(near, torch.ones_like(near, dtype=torch.bool), 1.0)
        tensor(0.)
    """
    logits = (-distances / temperature).masked_fill(~valid, -torch.inf)
    diagonal = valid.diagonal(dim1=1, dim2=2)
    total, count = distances.new_zeros(()), 0
    for dim in (2, 1):
        usable = diagonal & (valid.sum(dim=dim) > 1)
        # Rows with no finite entry would give NaN; they are left out before the sum and its gradient.
        safe = logits.masked_fill(~usable.unsqueeze(dim), 0.0)
        negative_log_likelihood = torch.logsumexp(safe, dim=dim) - safe.diagonal(dim1=1, dim2=2)
        total = total + negative_log_likelihood[usable].sum()
        count += int(usable.sum())
    return total / max(count, 1)
