"""A box of space cut into cells, and the one that a rig of cameras sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from selfmva.core.values import real_array
from selfmva.errors import InputError
from selfmva.pose.voxels.projection import CameraBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, View
    from selfmva.geometry.cameras import Camera

CELL = 0.115  # body heights: 80 cells on 8 m of SelfPose3d and VoxelPose (0.1 m), and 0.2 m, are both in use; between
MOST_CELLS = 128_000  # of a grid that covers a rig, as in SelfPose3d: 80 x 80 x 20
LOWEST_CELL, HIGHEST_CELL = (
    -0.05,
    1.1,
)  # body heights over the floor: where the middle of a body may be, raised arms included
BEYOND_CAMERAS = 0.5  # of the distance between the outermost cameras: how far beyond them the floor is looked at
PROBES = 40  # places along each side of the floor that are asked which cameras see them
LEAST_VIEWS = 2  # that see a place: one alone knows no depth


@dataclass(frozen=True, eq=False)
class VoxelGrid:
    """A box of space, sides along x, y and z of the world, z up, cut into cells.

    Args:
        center: `(3,)` its middle, in the unit of the world.
        size: `(3,)` its sides, in the unit of the world.
        shape: Number of cells along x, y and z.

    Raises:
        InputError: No such numbers.

    Example:
        >>> grid = VoxelGrid((0, 0, 1), (4, 2, 2), (4, 2, 2))
        >>> grid.cell.tolist(), grid.points().shape
        ([1.0, 1.0, 1.0], (16, 3))
        >>> grid.points()[0].tolist()
        [-1.5, -0.5, 0.5]
    """

    center: FloatArray
    size: FloatArray
    shape: tuple[int, int, int]

    def __init__(self, center: ArrayLike, size: ArrayLike, shape: Sequence[int]) -> None:
        middle, sides = (np.array(real_array(value, "a voxel grid")) for value in (center, size))
        cells = tuple(int(count) for count in shape)
        known = middle.shape == sides.shape == (3,) and np.isfinite([middle, sides]).all() and (sides > 0).all()
        if not known or len(cells) != 3 or min(cells) < 1:
            raise InputError(
                "a voxel grid needs three numbers of its center, three sides above 0 and three numbers of cells, got "
                f"{middle.tolist()}, {sides.tolist()} and {cells}"
            )
        for array in (middle, sides):
            array.flags.writeable = False
        object.__setattr__(self, "center", middle)
        object.__setattr__(self, "size", sides)
        object.__setattr__(self, "shape", cells)

    @classmethod
    def covering(
        cls,
        cameras: Sequence[Camera | None],
        views: Sequence[View],
        *,
        body_height: float = 1.0,
        cell: float = CELL,
        most_cells: int = MOST_CELLS,
    ) -> Self:
        """The grid over all that two cameras or more see above the floor, which is z = 0.

        How far that is, is bounded by the cameras themselves: places further beyond them than half of their distance
        from each other are seen at too small an angle for a depth.

        Args:
            cameras: Of the views; None where one is not known.
            views: As many, for the sizes of the images.
            body_height: Of a grown-up, in the unit of the world: 1.7 where that is metres.
            cell: Side of a cell in body heights.
            most_cells: Larger cells are taken where there would be more than this.

        Raises:
            InputError: Fewer than two cameras are known, or no place is seen by two.
        """
        known = [(camera, view) for camera, view in zip(cameras, views, strict=True) if camera is not None]
        if len(known) < LEAST_VIEWS:
            raise InputError(f"a voxel grid covers what two cameras see, got {len(known)} that are known")
        probes, step = _probes([camera for camera, _ in known], body_height)
        rig = CameraBatch.of([camera for camera, _ in known], [view for _, view in known])
        seen = rig.project(torch.from_numpy(probes))[2].sum(dim=0).numpy()
        covered = probes[seen >= LEAST_VIEWS]
        if not len(covered):
            raise InputError(
                "no place above the floor (z = 0) is seen by two cameras: is z up, and are all cameras in one unit, "
                f"in which a body is {body_height:g} high?"
            )
        low, high = covered[:, :2].min(axis=0) - step / 2, covered[:, :2].max(axis=0) + step / 2
        lowest, highest = LOWEST_CELL * body_height, HIGHEST_CELL * body_height
        size = np.array([*(high - low), highest - lowest])
        side = max(cell * body_height, float((size.prod() / most_cells) ** (1 / 3)))
        shape = np.maximum(np.floor(size / side + 1e-9), 1).astype(int)
        return cls(np.array([*((low + high) / 2), (lowest + highest) / 2]), size, shape.tolist())

    @property
    def cell(self) -> FloatArray:
        """`(3,)` sides of a cell, in the unit of the world."""
        return np.asarray(self.size / np.array(self.shape))

    def points(self) -> FloatArray:
        """`(X * Y * Z, 3)` middles of the cells, z fastest."""
        axes = [
            middle + (np.arange(count) + 0.5) * side - count * side / 2
            for middle, count, side in zip(self.center, self.shape, self.cell, strict=True)
        ]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _probes(cameras: Sequence[Camera], body_height: float) -> tuple[FloatArray, FloatArray]:
    """Places on the way of bodies around the cameras, and how far they are from each other on the floor."""
    centres = np.array([camera.centre for camera in cameras])[:, :2]
    low, high = centres.min(axis=0), centres.max(axis=0)
    reach = max(BEYOND_CAMERAS * float(np.linalg.norm(high - low)), body_height)
    step = (high - low + 2 * reach) / PROBES
    axes = [start - reach + (np.arange(PROBES) + 0.5) * along for start, along in zip(low, step, strict=True)]
    heights = body_height * np.array([0.1, 0.5, 0.9])
    return np.stack(np.meshgrid(*axes, heights, indexing="ij"), axis=-1).reshape(-1, 3), step
