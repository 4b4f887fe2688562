"""A rig that poses are found in: its cameras as tensors, its grid, and what it makes of the keypoints of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.errors import InputError
from selfmva.pose.invented.rigs import Rig, make_rig
from selfmva.pose.voxels.grid import LEAST_VIEWS, VoxelGrid
from selfmva.pose.voxels.rendering import render_keypoints
from selfmva.pose.voxels.unprojection import SamplingGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import Frame, View
    from selfmva.geometry.cameras import Camera
    from selfmva.pose.learned.recipe import PoseRecipe
    from selfmva.pose.voxels.projection import CameraBatch

ROOT_JOINTS = ("mid_hip", "left_hip", "right_hip")  # the root is the first of these, or the mean of the others


@dataclass(frozen=True, eq=False)
class Bodies:
    """The keypoints of one instant in V cameras, padded to the same number N of bodies in each.

    Attributes:
        pixels: `(V, N, J, 2)` in the images.
        straight: `(V, N, J, 2)` the same as lenses without distortion would show them.
        weight: `(V, N, J)` scores; 0 where missing.
    """

    pixels: Tensor
    straight: Tensor
    weight: Tensor


@dataclass(frozen=True, eq=False)
class PoseRig:
    """Cameras that poses are found with.

    Attributes:
        views: All views of the frames.
        cameras: Of each view; None where not known.
        known: Numbers of the views that have one.
        space: The known cameras onto heatmaps, and the grid they see.
        cells: The places of the grid's cells in the heatmaps.
        matrices: `(V, 3, 4)` projections of the known cameras.
        skeleton: Of the keypoints.
        sigma: Of a keypoint in the heatmaps.
    """

    views: tuple[View, ...]
    cameras: tuple[Camera | None, ...]
    known: tuple[int, ...]
    space: Rig
    cells: SamplingGrid
    matrices: Tensor
    skeleton: Skeleton
    sigma: float

    @property
    def body_height(self) -> float:
        """Of a grown-up, in the unit of the world."""
        return self.space.body_height

    @property
    def map_size(self) -> tuple[int, int]:
        """Width and height of the heatmaps."""
        width, height = self.space.cameras.map_size[0].tolist()
        return int(width), int(height)

    def bodies(self, frame: Frame) -> Bodies:
        """The keypoints of a frame in the cameras that are known.

        Raises:
            InputError: The frame has no keypoints, of other views or another skeleton.
        """
        given = frame.keypoints
        if given is None:
            raise InputError(f"instant {frame.index}: poses need keypoints, and the frame has none")
        if len(given) != len(self.views):
            raise InputError(f"instant {frame.index}: {len(given)} views of keypoints for {len(self.views)} cameras")
        joints, most = len(self.skeleton), max((len(given[view]) for view in self.known), default=0)
        padded = np.zeros((len(self.known), most, joints, 3))
        straight = np.zeros((len(self.known), most, joints, 2))
        for row, view in enumerate(self.known):
            keypoints, camera = given[view], self.cameras[view]
            if not len(keypoints) or camera is None:
                continue
            if keypoints.shape[1] != joints:
                raise InputError(
                    f"instant {frame.index}, view {view}: {keypoints.shape[1]} joints, but the skeleton "
                    f"{self.skeleton.name!r} has {joints}"
                )
            padded[row, : len(keypoints)] = np.nan_to_num(keypoints)
            straight[row, : len(keypoints)] = np.nan_to_num(camera.undistort(keypoints[..., :2]))
        device = self.matrices.device
        pixels, even = (torch.from_numpy(array).to(device, torch.float32) for array in (padded, straight))
        return Bodies(pixels[..., :2], even, pixels[..., 2])

    def heatmaps(self, bodies: Bodies, cameras: CameraBatch | None = None) -> Tensor:
        """`(V, J, height, width)` of all joints, for these cameras onto maps; None: those of the rig."""
        onto = self.space.cameras if cameras is None else cameras
        places = onto.to_maps(bodies.pixels).transpose(1, 2)
        return render_keypoints(places, (bodies.weight > 0).to(places).transpose(1, 2), self.map_size, self.sigma)

    def root_maps(self, bodies: Bodies) -> Tensor:
        """`(V, height, width)` of the roots."""
        places, found = root_keypoints(bodies.pixels, bodies.weight, self.skeleton)
        return render_keypoints(self.space.cameras.to_maps(places), found, self.map_size, self.sigma)


def root_keypoints(pixels: Tensor, weight: Tensor, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
    """`(..., 2)` roots of bodies `(..., J, 2)`, and 1 where there is one: the mid hip, or the hips that are seen."""
    middle, sides = skeleton.indices(ROOT_JOINTS[:1]), list(skeleton.indices(ROOT_JOINTS[1:]))
    seen = (weight[..., sides] > 0).to(pixels)
    place = (pixels[..., sides, :] * seen[..., None]).sum(-2) / seen.sum(-1, keepdim=True).clamp(min=1)
    found = (seen.sum(-1) > 0).to(pixels)
    if middle:
        own = weight[..., middle[0]] > 0
        place = torch.where(own[..., None], pixels[..., middle[0], :], place)
        found = torch.where(own, 1.0, found)
    return place, found


def make_pose_rig(
    views: Sequence[View],
    cameras: Sequence[Camera | None],
    skeleton: Skeleton,
    body_height: float,
    recipe: PoseRecipe,
    device: torch.device,
) -> PoseRig:
    """Everything about a rig that does not change from frame to frame.

    Raises:
        InputError: Fewer than two cameras are known, they see nothing together, or the skeleton has no hips.
    """
    if len(views) != len(cameras):
        raise InputError(
            f"poses need one camera per view, None where it is not known, got {len(cameras)} for {len(views)}"
        )
    if len(skeleton.indices(ROOT_JOINTS[1:])) < 2:
        raise InputError(f"poses are found by the hips of people, and skeleton {skeleton.name!r} has none")
    known = tuple(number for number, camera in enumerate(cameras) if camera is not None)
    if len(known) < LEAST_VIEWS:
        raise InputError(f"poses need two cameras that are known, got {len(known)} of {len(views)} views")
    grid = VoxelGrid.covering(cameras, views, body_height=body_height, most_cells=recipe.most_cells)
    usable = [camera for camera in cameras if camera is not None]
    wide = max(views[number].width / views[number].height for number in known)
    long, short = recipe.map_side, max(8, round(recipe.map_side / max(wide, 1 / wide)))
    size = (long, short) if wide >= 1 else (short, long)
    space = make_rig(usable, [views[number] for number in known], grid, body_height, size)
    moved = Rig(space.cameras.to(device), grid, body_height)
    matrices = torch.from_numpy(np.array([camera.matrix for camera in usable])).to(device, torch.float32)
    cells = SamplingGrid.of_grid(moved.cameras, grid)
    return PoseRig(tuple(views), tuple(cameras), known, moved, cells, matrices, skeleton, recipe.sigma)
