"""Re-projection: an embedding must still know its own box.

Source: Self-MVA, section 3.4 (arXiv 2503.13739).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def reprojection_loss(decoded: Tensor, view: Tensor, targets: Tensor) -> Tensor:
    """L1 distance of boxes and their decoded selves: the sum of the coordinates, the mean over boxes.

    Args:
        decoded: `(N, V, C)` decoded coordinates in every view, as fractions of the image.
        view: `(N,)` int64, the own view of each box.
        targets: `(N, C)` the boxes themselves, in the same unit.

    Returns:
        A scalar.

    Example:
        >>> reprojection_loss(torch.zeros(1, 1, 4), torch.tensor([0]), torch.ones(1, 4))
        tensor(4.)
    """
    own = decoded[torch.arange(len(decoded), device=decoded.device), view]
    return (own - targets).abs().sum(dim=-1).mean()
