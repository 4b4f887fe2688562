"""Learning where people are, from invented people alone: in the rig at hand, and in rings that nobody has built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.invented.rigs import invent_rig
from selfmva.pose.invented.scenes import DetectorHabits, draw_roots, invent_roots, shake_maps, within_reach
from selfmva.pose.networks.root import SPREAD, root_loss, root_targets
from selfmva.pose.voxels.unprojection import SamplingGrid

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.pose.invented.rigs import Rig
    from selfmva.pose.networks.root import RootNetwork

RING_SHAPE = (32, 32, 10)  # cells of an invented rig: about `CELL` of a grid each
SHAKEN = 0.5  # of the steps: maps that are zoomed and turned; the others are as people will be looked for
MAP_SIZE = (120, 68)  # of an invented rig's heatmaps


@dataclass(frozen=True, eq=False)
class RootObjective:
    """Invented people, drawn as a detector of keypoints would see them, and the volume that they should give.

    Attributes:
        rig: The rig at hand; None to learn from invented rings alone, for any rig.
        seed: Of all draws, together with the step.
        steps: Of the training.
        samples: Scenes a step.
        most_people: In a scene.
        rate: Adam's step size, falling to 0 in the second half.
        sigma: Of a keypoint, in pixels of the maps.
        ring_fraction: Of the steps that use an invented ring, where there is a rig.
        habits: What the detector does wrong.
    """

    rig: Rig | None
    seed: int = 0
    steps: int = 700
    samples: int = 4
    most_people: int = 5
    rate: float = 8e-3
    sigma: float = 1.5
    ring_fraction: float = 0.0
    habits: DetectorHabits = field(default_factory=DetectorHabits)

    def learning_rate(self, step: int) -> float:
        """Falling from half of the steps on."""
        return self.rate * min(1.0, 2 * (1 - step / self.steps))

    def averages_after(self, step: int) -> bool:  # noqa: ARG002  # the step size has fallen to 0 instead
        """No weights enter a mean."""
        return False

    def loss(self, encoder: RootNetwork, step: int) -> Tensor:
        """Of scenes that depend on the seed and the step alone."""
        random = np.random.default_rng((self.seed, step))
        invented = self.rig is None or random.random() < self.ring_fraction
        rig = invent_rig(random, MAP_SIZE, RING_SHAPE) if invented or self.rig is None else self.rig
        device = next(encoder.parameters()).device
        still = rig.cameras.to(torch.device("cpu"))
        cameras = shake_maps(random, still) if random.random() < SHAKEN else still
        roots, present = invent_roots(random, rig.grid, self.samples, self.most_people, rig.body_height)
        present = within_reach(cameras, roots, present)
        heatmaps = draw_roots(random, cameras, roots, present, self.habits, self.sigma).to(device)
        points = torch.from_numpy(rig.grid.points()).to(device, torch.float32)
        target = root_targets(points, roots.to(device), present.to(device), SPREAD * rig.body_height)
        volume = encoder(heatmaps, SamplingGrid.of_grid(cameras.to(device), rig.grid))
        return root_loss(volume, target)


def best_threshold(heights: np.ndarray, right: np.ndarray, people: int) -> tuple[float, float]:
    """The height of a peak from which on it should count as a person.

    Args:
        heights: `(M,)` of all peaks of scenes whose people are known because they were invented.
        right: `(M,)` whether a peak is one of them.
        people: How many there are.

    Returns:
        The threshold, half way to the next lower peak, and the F1 that it gives; 0.5 and 0 where no peak is right.

    Example:
        >>> best_threshold(np.array([0.9, 0.8, 0.3]), np.array([True, True, False]), 2)
        (0.55, 1.0)
    """
    if not right.any():
        return 0.5, 0.0
    order = np.argsort(-heights)
    found = np.cumsum(right[order])
    f1 = 2 * found / (np.arange(1, len(order) + 1) + people)
    last = int(f1.argmax())
    lower = heights[order[last + 1]] if last + 1 < len(order) else 0.0
    return float((heights[order[last]] + lower) / 2), float(f1[last])
