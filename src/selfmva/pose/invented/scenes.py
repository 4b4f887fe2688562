"""Invented people in a rig: roots in space, and the heatmaps that a detector of keypoints would make of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.voxels.grid import LEAST_VIEWS
from selfmva.pose.voxels.rendering import render_keypoints

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.pose.voxels.grid import VoxelGrid
    from selfmva.pose.voxels.projection import CameraBatch

LOWEST_ROOT, HIGHEST_ROOT = 0.1, 0.75  # body heights: mid hips of people who sit on the floor, and who jump
LARGEST_ZOOM, LARGEST_TURN = 0.3, 0.5  # of the images of one sample; radians


@dataclass(frozen=True)
class DetectorHabits:
    """What a detector of keypoints does wrong.

    Attributes:
        miss_rate: Fraction of keypoints that it does not find.
        jitter: Standard deviation of where it finds them, in pixels of the maps.
        ghosts: Expected number of keypoints in each view that are nobody's.
    """

    miss_rate: float = 0.1
    jitter: float = 0.4
    ghosts: float = 0.2


def invent_roots(
    random: np.random.Generator, grid: VoxelGrid, samples: int, most_people: int, body_height: float
) -> tuple[Tensor, Tensor]:
    """People anywhere in a grid, each at a height of its own: some sit, some stand.

    Args:
        random: Where the draws come from.
        grid: Where they may be.
        samples: Number of scenes B.
        most_people: In a scene: 1 to as many are drawn.
        body_height: In the unit of the grid.

    Returns:
        `(B, P, 3)` roots and `(B, P)` 1 where there is somebody, 0 elsewhere.
    """
    low, high = grid.center - grid.size / 2, grid.center + grid.size / 2
    low[2] = max(low[2], LOWEST_ROOT * body_height)
    high[2] = max(min(high[2], HIGHEST_ROOT * body_height), low[2])
    roots = random.uniform(low, high, (samples, most_people, 3))
    present = np.arange(most_people) < random.integers(1, most_people + 1, (samples, 1))
    return torch.from_numpy(roots).float(), torch.from_numpy(present).float()


def within_reach(cameras: CameraBatch, roots: Tensor, present: Tensor) -> Tensor:
    """`(B, P)` 1 for those people whom two views or more see: nobody could find the others.

    Args:
        cameras: V cameras onto maps.
        roots: `(B, P, 3)`.
        present: `(B, P)`.
    """
    return present * (cameras.project(roots)[2].sum(dim=0) >= LEAST_VIEWS)


def draw_roots(
    random: np.random.Generator,
    cameras: CameraBatch,
    roots: Tensor,
    present: Tensor,
    habits: DetectorHabits,
    sigma: float,
) -> Tensor:
    """Heatmaps of roots as a detector with these habits gives them.

    Args:
        random: Where the draws come from.
        cameras: V cameras onto maps, all of one size.
        roots: `(B, P, 3)`.
        present: `(B, P)`.
        habits: What the detector does wrong.
        sigma: Of a keypoint, in pixels of the maps.

    Returns:
        `(B, V, height, width)` in [0, 1].
    """
    width, height = (int(side) for side in cameras.map_size[0])
    pixels, _, seen = cameras.project(roots)  # (V, B, P, 2)
    shape = seen.shape
    found = torch.from_numpy(random.random(shape) >= habits.miss_rate) & seen & (present > 0)
    moved = pixels + torch.from_numpy(random.normal(0, habits.jitter, (*shape, 2))).to(pixels)
    ghosts = 1 + int(np.ceil(3 * habits.ghosts))
    nobody = random.uniform(0, [width, height], (*shape[:2], ghosts, 2))
    there = random.random((*shape[:2], ghosts)) < habits.ghosts / ghosts
    places = torch.cat([moved, torch.from_numpy(nobody).to(pixels)], dim=2)
    weight = torch.cat([found, torch.from_numpy(there)], dim=2).to(pixels)
    return render_keypoints(places, weight, (width, height), sigma).transpose(0, 1)


def shake_maps(random: np.random.Generator, cameras: CameraBatch) -> CameraBatch:
    """The same cameras onto maps that are zoomed and turned at random, each image in its own way."""
    count = len(cameras)
    zoom = 1 + random.uniform(-LARGEST_ZOOM, LARGEST_ZOOM, count)
    angle = random.uniform(-LARGEST_TURN, LARGEST_TURN, count) * (random.random(count) < 0.5)
    linear = zoom[:, None, None] * np.stack(
        [np.stack([np.cos(angle), -np.sin(angle)], -1), np.stack([np.sin(angle), np.cos(angle)], -1)], axis=1
    )
    turn = torch.from_numpy(linear).to(cameras.affine)
    middle = (cameras.map_size - 1) / 2
    shift = middle - (turn @ middle[..., None])[..., 0]
    affine = turn @ cameras.affine
    affine = torch.cat([affine[:, :, :2], (affine[:, :, 2] + shift)[..., None]], dim=2)
    width, height = (int(side) for side in cameras.map_size[0])
    return cameras.onto_maps(affine, (width, height))
