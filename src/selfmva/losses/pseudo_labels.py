"""Boxes that geometry takes for one person must be each other's nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def consensus_loss(distances: Tensor, image: Tensor, matches: Tensor, temperature: float) -> Tensor:
    """Cross-entropy over the boxes of the partner's image, the partner as the target; both ways.

    People of other instants are no negatives: they may stand at the same place.

    Args:
        distances: `(M, M)` distances of all boxes of a batch.
        image: `(M,)` number of the image of each box.
        matches: `(K, 2)` rows of boxes of two images that are one person.
        temperature: Distances are divided by it.

    Returns:
        A scalar; 0 where there is no match.

    Example:
        >>> distances = torch.tensor([[0.0, 1, 50], [1, 0, 50], [50, 50, 0]])
        >>> loss = consensus_loss(distances, torch.tensor([0, 1, 1]), torch.tensor([[0, 1]]), 1.0)
        >>> bool(loss < 1e-6)
        True
    """
    if len(matches) == 0:
        return distances.new_zeros(())
    box, partner = torch.cat([matches, matches.flip(1)]).T
    elsewhere = image[None, :] != image[partner][:, None]
    logits = (-distances[box] / temperature).masked_fill(elsewhere, -torch.inf)
    return functional.cross_entropy(logits, partner)
