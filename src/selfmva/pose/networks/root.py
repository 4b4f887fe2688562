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
RAYS = 32  # along each side of an image: bundles about as wide as a person
EVIDENCE = 6  # channels that a cell is judged by


class RootNetwork(nn.Module):
    """The volume of people from heatmaps of one joint, the root, in all views.

    What a cell is judged by does not depend on the number of views, their order or the rig: the mean of what the views
    show, its root mean square, which tells one bright view from many dim ones, the second and the third brightest view,
    since one alone makes no person, the mean again of what no other cell explains better, and the fraction of views
    that see it.

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
    """`(B, 6, X, Y, Z)` what each cell looks like; see `RootNetwork`."""
    shown = sample_views(heatmaps[:, :, None], grid)[:, :, 0]  # (B, V, N)
    views = grid.seen.sum(dim=0) + NO_VIEW
    mean = shown.sum(dim=1) / views
    square = (shown.square().sum(dim=1) / views + NO_VIEW).sqrt()
    padded = torch.cat([shown, shown.new_zeros(len(shown), 3, shown.shape[2])], dim=1)
    _, second, third = padded.topk(3, dim=1).values.unbind(1)
    own = (shown * share_of_rays(shown, grid)).sum(dim=1) / views
    seen = (grid.seen.mean(dim=0)).expand_as(mean)
    return torch.stack([mean, square, second, third, own, seen], dim=1).reshape(len(heatmaps), EVIDENCE, *grid.shape)


def share_of_rays(shown: Tensor, grid: SamplingGrid) -> Tensor:
    """How well cells explain what views show there, against the best cell along the same ray.

    Where rays of different people cross, views seem to agree on somebody who is nowhere; but each of these rays passes
    a place that more views agree on.

    Args:
        shown: `(B, V, N)` what every view shows at every cell.
        grid: Of these views.

    Returns:
        `(B, V, N)` in [0, 1].
    """
    votes = shown.sum(dim=1, keepdim=True).expand_as(shown)
    place = ((grid.places.clamp(-1, 1) + 1) / 2 * RAYS).long().clamp(max=RAYS - 1)
    ray = (place[..., 1] * RAYS + place[..., 0]).expand_as(shown)
    visible = votes * grid.seen
    best = shown.new_zeros((*shown.shape[:2], RAYS * RAYS)).scatter_reduce(2, ray, visible, "amax")
    return (votes / (best.gather(2, ray) + NO_VIEW)).clamp(max=1.0).square()


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
