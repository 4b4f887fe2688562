"""Peaks of a volume, finer than its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import max_pool3d, pad

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.pose.voxels.grid import VoxelGrid

FAINTEST = 1e-6  # of a volume in [0, 1]: what is below has no logarithm


def find_peaks(volume: Tensor, grid: VoxelGrid, most: int, radius: float) -> tuple[Tensor, Tensor]:
    """The highest cells of their neighbourhoods, and where between the cells their peak is.

    The peak of a Gaussian is found exactly: its logarithm is a parabola along every axis.

    Args:
        volume: `(B, X, Y, Z)` in [0, 1].
        grid: Of these cells.
        most: How many to find in each volume.
        radius: Two peaks are at least so far apart along an axis, in the unit of the world; at least a cell.

    Returns:
        `(B, most, 3)` places in the unit of the world, and `(B, most)` heights, highest first, 0 where there is none.

    Example:
        >>> from selfmva.pose.voxels.grid import VoxelGrid
        >>> grid = VoxelGrid((0, 0, 0), (3, 3, 3), (3, 3, 3))
        >>> points = torch.from_numpy(grid.points())
        >>> volume = torch.exp(-(points - torch.tensor([0.2, -0.3, 0.0])).square().sum(-1)).reshape(1, 3, 3, 3)
        >>> places, heights = find_peaks(volume, grid, 1, radius=1.0)
        >>> (places[0] + 0.0).round(decimals=6).tolist()
        [[0.2, -0.3, 0.0]]
    """
    cell = torch.from_numpy(grid.cell).to(volume)
    windows = [2 * max(1, round(radius / float(side))) + 1 for side in cell]
    highest = max_pool3d(volume[:, None], windows, stride=1, padding=[window // 2 for window in windows])[:, 0]
    candidates = torch.where(volume >= highest, volume, 0.0).flatten(1)
    count = min(most, candidates.shape[1])
    heights, cells = candidates.topk(count, dim=1)
    index = torch.stack(torch.unravel_index(cells, grid.shape), dim=-1)
    places = torch.from_numpy(grid.points()).to(volume)[cells] + _beside(volume, index) * cell
    if count < most:
        places, heights = pad(places, (0, 0, 0, most - count)), pad(heights, (0, most - count))
    return places, heights.clamp(min=0.0)


def _beside(volume: Tensor, index: Tensor) -> Tensor:
    """How far in cells, at most half a one, the peaks are from the middles of their cells `(B, M, 3)`."""
    logarithm = pad(volume.clamp(min=FAINTEST).log()[:, None], (1,) * 6, mode="replicate")[:, 0]
    batch = torch.arange(len(volume), device=volume.device)[:, None]
    offsets = []
    for axis in range(3):
        step = torch.zeros(3, dtype=torch.long, device=volume.device)
        step[axis] = 1
        before, middle, after = (logarithm[(batch, *(index + 1 + k * step).unbind(-1))] for k in (-1, 0, 1))
        bend = 2 * middle - before - after
        offsets.append(torch.where(bend > 0, (after - before) / (2 * bend.clamp(min=1e-12)), 0.0))
    return torch.stack(offsets, dim=-1).clamp(-0.5, 0.5)
