"""Heatmaps of several views, carried into space: what each cell looks like in all cameras that see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import grid_sample

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.pose.voxels.grid import VoxelGrid
    from selfmva.pose.voxels.projection import CameraBatch

NO_VIEW = 1e-6  # added to the number of views that see a cell, so that cells in none are 0


@dataclass(frozen=True, eq=False)
class SamplingGrid:
    """Where cells are in the maps of all cameras: made once for a rig and a grid, used for every instant.

    Attributes:
        places: `(V, N, 2)` in [-1, 1] of the maps, outer borders of the border pixels.
        seen: `(V, N)` 1 where a cell is ahead of the camera, inside its image and inside the map, 0 elsewhere.
        shape: Of the cells: their number N is its product.
    """

    places: Tensor
    seen: Tensor
    shape: tuple[int, ...]

    @classmethod
    def of(cls, cameras: CameraBatch, points: Tensor, shape: tuple[int, ...]) -> SamplingGrid:
        """The places of points in the maps of cameras.

        Args:
            cameras: V cameras onto maps.
            points: `(N, 3)` middles of the cells, in the unit of the world.
            shape: Of the cells.
        """
        pixels, _, seen = cameras.project(points)
        return cls((pixels + 0.5) / cameras.map_size[:, None] * 2 - 1, seen.to(pixels.dtype), shape)

    @classmethod
    def of_grid(cls, cameras: CameraBatch, grid: VoxelGrid) -> SamplingGrid:
        """The places of the cells of a grid."""
        points = torch.from_numpy(grid.points()).to(cameras.rotation)
        return cls.of(cameras, points, grid.shape)


def sample_views(heatmaps: Tensor, grid: SamplingGrid) -> Tensor:
    """What every view shows at every cell.

    Args:
        heatmaps: `(B, V, J, height, width)`.
        grid: Of these V cameras.

    Returns:
        `(B, V, J, N)`, 0 where a view does not see a cell.
    """
    batch, views, joints, height, width = heatmaps.shape
    stacked = heatmaps.transpose(0, 1).reshape(views, batch * joints, height, width)
    values = grid_sample(stacked, grid.places[:, None], align_corners=False, padding_mode="border")[:, :, 0]
    return (values * grid.seen[:, None]).reshape(views, batch, joints, -1).transpose(0, 1)


def unproject_heatmaps(heatmaps: Tensor, grid: SamplingGrid) -> Tensor:
    """The mean over the views that see a cell, of what they show there.

    Args:
        heatmaps: `(B, V, J, height, width)` in [0, 1].
        grid: Of these V cameras; see `SamplingGrid`.

    Returns:
        `(B, J, *shape)` in [0, 1]; 0 where no view sees a cell.
    """
    total = sample_views(heatmaps, grid).sum(dim=1)
    mean = total / (grid.seen.sum(dim=0) + NO_VIEW)
    return mean.reshape(*mean.shape[:2], *grid.shape)


def unproject_into_cubes(
    heatmaps: Tensor, cameras: CameraBatch, centres: Tensor, sample: Tensor, offsets: Tensor
) -> tuple[Tensor, Tensor]:
    """The same for cubes around people, all in one call.

    Args:
        heatmaps: `(B, V, J, height, width)`.
        cameras: V cameras onto these maps.
        centres: `(P, 3)` middles of the cubes, in the unit of the world.
        sample: `(P,)` which of the B a cube is in.
        offsets: `(X, Y, Z, 3)` middles of the cells about the middle of a cube.

    Returns:
        `(P, J, X, Y, Z)` means over the views that see a cell, and `(P, X, Y, Z)` the fraction of views that do.
    """
    shape = offsets.shape[:-1]
    points = centres[:, None] + offsets.reshape(1, -1, 3)
    pixels, _, seen = cameras.project(points)  # (V, P, N, 2)
    places = (pixels + 0.5) / cameras.map_size[:, None, None] * 2 - 1
    joints = heatmaps.shape[2]
    total = heatmaps.new_zeros((len(centres), joints, points.shape[1]))
    for view in range(len(cameras)):  # one after the other: the maps of all people and views at once are large
        values = grid_sample(heatmaps[sample, view], places[view][:, None], align_corners=False, padding_mode="border")[
            :, :, 0
        ]
        total = total + values * seen[view][:, None]
    count = seen.sum(dim=0)
    mean = total / (count[:, None] + NO_VIEW)
    return mean.reshape(-1, joints, *shape), (count / len(cameras)).reshape(-1, *shape)
