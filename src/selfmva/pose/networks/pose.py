"""How people stand: the joints of a body from what all views show in a cube around it (VoxelPose, SelfPose3d)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import silu

from selfmva.pose.networks.volume import VolumeNetwork
from selfmva.pose.voxels.grid import VoxelGrid
from selfmva.pose.voxels.unprojection import unproject_into_cubes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.pose.voxels.projection import CameraBatch

CUBE = 1.18  # body heights: side of the cube around a person, 2 m in VoxelPose
SHARPNESS = 20.0  # of the softmax before training: a cell that one of two views does not show has no say


class PoseNetwork(nn.Module):
    """Joints from heatmaps of all joints in all views, and the middles of people.

    Each joint is where its cells expect it: the softmax of what the views show there, corrected by a network that sees
    all joints at once. Before training the correction is 0.

    Args:
        joints: Number of joints.
        cells: Of the cube along each side.
        widths: See `VolumeNetwork`.
    """

    offsets: Tensor

    def __init__(self, joints: int, cells: int = 32, widths: Sequence[int] = (16, 32)) -> None:
        super().__init__()
        self.volume = VolumeNetwork(joints + 1, joints, widths)
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS).log())
        cube = VoxelGrid((0, 0, 0), (CUBE,) * 3, (cells,) * 3)
        places = torch.from_numpy(cube.points()).float().reshape(cells, cells, cells, 3)
        self.register_buffer("offsets", places, persistent=False)

    def forward(
        self, heatmaps: Tensor, cameras: CameraBatch, centres: Tensor, sample: Tensor, body_height: float
    ) -> Tensor:
        """`(P, J, 3)` joints in the unit of the world.

        Args:
            heatmaps: `(B, V, J, height, width)` in [0, 1].
            cameras: V cameras onto these maps.
            centres: `(P, 3)` middles of people, in the unit of the world.
            sample: `(P,)` which of the B a person is in.
            body_height: Of a grown-up, in the unit of the world.
        """
        offsets = self.offsets * body_height
        cubes, seen = unproject_into_cubes(heatmaps, cameras, centres, sample, offsets)
        corrected = cubes + self.volume(torch.cat([cubes, seen[:, None]], dim=1))
        share = (self.sharpness.exp() * corrected.flatten(2)).softmax(dim=-1)
        joints_of: Tensor = centres[:, None] + share @ offsets.reshape(-1, 3)
        return joints_of


class AttentionNetwork(nn.Module):
    """How far a heatmap is to be believed, at each of its pixels: wrong keypoints cannot, and need not, be explained.

    Args:
        joints: Number of joints.
        width: Channels inside.
    """

    def __init__(self, joints: int, width: int = 16) -> None:
        super().__init__()
        self.first = nn.Conv2d(joints, width, 5, stride=2, padding=2)
        self.second = nn.Conv2d(width, width, 5, stride=2, padding=2)
        self.last = nn.Conv2d(width, joints, 1)
        for parameter, value in zip(self.last.parameters(), (0.0, 1.0), strict=True):
            nn.init.constant_(parameter, value)  # all of it is believed for the most part, to begin with

    def forward(self, heatmaps: Tensor) -> Tensor:
        """`(..., J, height, width)` heatmaps to as many numbers in (0, 1)."""
        flat = heatmaps.reshape(-1, *heatmaps.shape[-3:])
        inner = silu(self.second(silu(self.first(flat))))
        coarse = torch.sigmoid(self.last(inner))
        fine: Tensor = nn.functional.interpolate(coarse, heatmaps.shape[-2:], mode="bilinear", align_corners=False)
        return fine.reshape(heatmaps.shape)


ATTENTION_COST = 0.1  # of an attention of 0 against a whole keypoint that is not explained (SelfPose3d, L_att)


def cross_view_render_loss(drawn: Tensor, target: Tensor, attention: Tensor | None) -> Tensor:
    """How badly drawn poses explain heatmaps, where these are to be believed; per keypoint's worth of a spot.

    Args:
        drawn: `(..., J, height, width)` of poses that other heatmaps gave.
        target: As many: what is to be explained.
        attention: As many numbers in (0, 1); None: all of it is believed.
    """
    difference = (drawn - target).square()
    if attention is None:
        return difference.sum() / target.square().sum().clamp(min=1.0)
    spots = (target.square() + drawn.square()).detach()
    unbelieved = ATTENTION_COST * ((1 - attention).square() * spots).sum()
    return ((attention * difference).sum() + unbelieved) / target.square().sum().clamp(min=1.0)
