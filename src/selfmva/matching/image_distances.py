"""How far apart two images are: the mean distance of their boxes under the best matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.assignment import solve
from selfmva.matching.distances import padded_rows

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.core.types import IntArray


def image_distances(
    distances: Tensor, start: IntArray, count: IntArray, pairs: list[tuple[int, int]]
) -> tuple[Tensor, Tensor]:
    """Distance of every image of one view and every image of another, for several view pairs.

    Args:
        distances: `(M, M)` distances of all boxes of B instants.
        start: `(B, V)` first row of the boxes of each instant and view.
        count: `(B, V)` number of boxes.
        pairs: P view pairs.

    Returns:
        `(P, B, B)` mean distance of matched boxes, differentiable in `distances` (0 where an image is empty), and
        `(P, B, B)` bool, False where an image is empty.

    Example:
        >>> import torch
        >>> one_box_each = np.array([[1, 1]])
        >>> image_distances(torch.tensor([[0.0, 7.0], [7.0, 0.0]]), np.array([[0, 1]]), one_box_each, [(0, 1)])[0]
        tensor([[[7.]]])
    """
    import torch

    instants, widest = len(count), int(count.max(initial=0))
    if widest == 0:
        nothing = distances.new_zeros((len(pairs), instants, instants))
        return nothing, torch.zeros_like(nothing, dtype=torch.bool)
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    padded = padded_rows(start, count, widest)  # (B, V, K)
    rows, columns = padded[:, one].swapaxes(0, 1), padded[:, other].swapaxes(0, 1)  # (P, B, K)
    shape = (len(pairs), instants, instants)
    row_count = np.broadcast_to(count[:, one].T[:, :, None], shape).reshape(-1)
    column_count = np.broadcast_to(count[:, other].T[:, None, :], shape).reshape(-1)
    plain = distances.detach().cpu().numpy()
    costs = plain[rows[:, :, None, :, None], columns[:, None, :, None, :]].reshape(-1, widest, widest)
    chosen = solve(costs, row_count, column_count).columns
    problem, row = np.nonzero(chosen >= 0)
    pair, s, t = np.unravel_index(problem, shape)
    device = distances.device
    matched = distances[
        torch.from_numpy(rows[pair, s, row]).to(device),
        torch.from_numpy(columns[pair, t, chosen[problem, row]]).to(device),
    ]
    matches = torch.from_numpy(np.minimum(row_count, column_count)).to(device)
    total = distances.new_zeros(len(matches)).index_add(0, torch.from_numpy(problem).to(device), matched)
    return (total / matches.clamp_min(1)).view(shape), (matches > 0).view(shape)
