"""Where people are: a volume whose peaks are the middles of bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from selfmva.pose.networks.volume import VolumeNetwork
from selfmva.pose.voxels.unprojection import NO_VIEW, sample_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.pose.voxels.unprojection import SamplingGrid

FOREGROUND = 50.0  # weight of the middle of a body against an empty cell: of thousands of cells a few are of people
SPREAD = 0.118  # body heights: sigma of a person in the volume, 0.2 m as in VoxelPose
EVIDENCE = 4  # channels that a cell is judged by


class RootNetwork(nn.Module):
    """The volume of people from heatmaps of one joint, the root, in all views.

    What a cell is judged by does not depend on the number of views, their order or the rig: the mean of what the views
    show, its root mean square, which tells one bright view from many dim ones, the second brightest view, since one
    alone makes no person, and the fraction of views that see it.

    Args:
        widths: See `VolumeNetwork`.
    """

    def __init__(self, widths: Sequence[int] = (8, 16, 32)) -> None:
        super().__init__()
        self.volume = VolumeNetwork(EVIDENCE, 1, widths)

    def forward(self, heatmaps: Tensor, grid: SamplingGrid) -> Tensor:
        """`(B, V, height, width)` heatmaps to a volume `(B, X, Y, Z)`, about 1 in the middle of a person, else 0."""
        result: Tensor = self.volume(gather_evidence(heatmaps, grid))[:, 0]
        return result


def gather_evidence(heatmaps: Tensor, grid: SamplingGrid) -> Tensor:
    """`(B, 4, X, Y, Z)` what each cell looks like: mean, root mean square, second brightest, fraction that see it."""
    shown = sample_views(heatmaps[:, :, None], grid)[:, :, 0]  # (B, V, N)
    views = grid.seen.sum(dim=0) + NO_VIEW
    mean = shown.sum(dim=1) / views
    square = (shown.square().sum(dim=1) / views + NO_VIEW).sqrt()
    seen = (grid.seen.mean(dim=0)).expand_as(mean)
    second = shown.topk(2, dim=1).values[:, 1] if shown.shape[1] > 1 else torch.zeros_like(mean)
    return torch.stack([mean, square, second, seen], dim=1).reshape(len(heatmaps), EVIDENCE, *grid.shape)


def root_targets(points: Tensor, roots: Tensor, present: Tensor, sigma: float) -> Tensor:
    """What the volume should be.

    Args:
        points: `(N, 3)` middles of the cells.
        roots: `(B, P, 3)` people, in the same unit.
        present: `(B, P)` 1 where there is one, 0 elsewhere.
        sigma: Of a person, in the same unit.

    Returns:
        `(B, N)` in [0, 1]: the largest of their Gaussians.
    """
    if not roots.shape[1]:
        return points.new_zeros((len(roots), len(points)))
    square = torch.cdist(points.expand(len(roots), -1, -1), roots).square()
    return (torch.exp(-square / (2 * sigma**2)) * present[:, None]).amax(dim=2)


def root_loss(volume: Tensor, target: Tensor) -> Tensor:
    """Mean square difference, where each cell counts by what it should be: see `FOREGROUND`."""
    difference = (volume.flatten(1) - target.flatten(1)).square()
    return ((1 + FOREGROUND * target.flatten(1)) * difference).mean()
