"""Invented rigs: rings of cameras that nobody has built, so that a network serves any rig."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.core.types import View
from selfmva.geometry.cameras import Camera
from selfmva.pose.voxels.grid import VoxelGrid
from selfmva.pose.voxels.projection import CameraBatch, fitting_affine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray

FEWEST, MOST = 3, 6  # cameras of an invented rig
NEAREST_CAMERA, FARTHEST_CAMERA = 2.0, 4.0  # body heights: from the middle of the floor to the cameras
LOW, HIGH = 0.9, 2.2  # body heights: of the cameras over the floor, a tripod's to a ceiling's
FIELD = (50.0, 90.0)  # degrees that an image is wide
IMAGE = (1280, 720)  # pixels; nothing depends on them but the shape of the map
SCENE = 3.5  # body heights: side of the floor that people are on
SCENE_HEIGHT = 1.15  # body heights: from just below the floor to over the heads


@dataclass(frozen=True, eq=False)
class Rig:
    """Cameras and the space that they see.

    Attributes:
        cameras: V cameras onto maps, all of one size.
        grid: The cells in which people are looked for.
        body_height: Of a grown-up, in the unit of the world.
    """

    cameras: CameraBatch
    grid: VoxelGrid
    body_height: float


def make_rig(
    cameras: Sequence[Camera], views: Sequence[View], grid: VoxelGrid, body_height: float, map_size: tuple[int, int]
) -> Rig:
    """Cameras as float32 tensors onto maps, and the grid that they see."""
    batch = CameraBatch.of(cameras, views)
    batch = batch.onto_maps(fitting_affine(batch.size, map_size), map_size)
    return Rig(batch.to(dtype=torch.float32), grid, body_height)


def invent_rig(random: np.random.Generator, map_size: tuple[int, int], shape: tuple[int, int, int]) -> Rig:
    """A ring of cameras around a floor, in body heights.

    Args:
        random: Where the draws come from.
        map_size: Width and height of the maps.
        shape: Of the grid.
    """
    count = int(random.integers(FEWEST, MOST + 1))
    angle = random.uniform(0, 2 * np.pi) + 2 * np.pi * (np.arange(count) + random.uniform(-0.3, 0.3, count)) / count
    radius, height = random.uniform(NEAREST_CAMERA, FARTHEST_CAMERA, count), random.uniform(LOW, HIGH, count)
    centres = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    aims = np.concatenate([random.uniform(-0.5, 0.5, (count, 2)), random.uniform(0.3, 0.7, (count, 1))], axis=1)
    focal = IMAGE[0] / 2 / np.tan(np.radians(random.uniform(*FIELD, count)) / 2)
    cameras = [_aimed(*values) for values in zip(centres, aims, focal, strict=True)]
    grid = VoxelGrid((0, 0, SCENE_HEIGHT / 2 - 0.05), (SCENE, SCENE, SCENE_HEIGHT), shape)
    return make_rig(cameras, [View(f"camera {k}", *IMAGE) for k in range(count)], grid, 1.0, map_size)


def _aimed(centre: FloatArray, aim: FloatArray, focal: float) -> Camera:
    """An upright camera whose middle shows `aim`."""
    ahead = (aim - centre) / np.linalg.norm(aim - centre)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.array([right, np.cross(ahead, right), ahead])
    intrinsic = np.array([[focal, 0, (IMAGE[0] - 1) / 2], [0, focal, (IMAGE[1] - 1) / 2], [0, 0, 1]])
    return Camera(intrinsic, rotation, -rotation @ centre)
