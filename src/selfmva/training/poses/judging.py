"""How well invented people are found again: what thresholds are chosen by, never labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from selfmva.pose.invented.scenes import draw_roots, invent_roots, within_reach
from selfmva.pose.networks.root import SPREAD
from selfmva.pose.voxels.peaks import find_peaks
from selfmva.pose.voxels.unprojection import SamplingGrid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from selfmva.pose.invented.rigs import Rig
    from selfmva.pose.invented.scenes import DetectorHabits

MATCHED = 0.176  # body heights: a peak so near is a person's, 0.3 m
UNKNOWN_SEED = 2**31  # beyond the seeds of trainings: scenes to judge by are none of those that were learnt from


@dataclass(frozen=True, eq=False)
class Findings:
    """Peaks of scenes whose people are known.

    Attributes:
        heights: `(M,)` of all peaks.
        distance: `(M,)` to the person whom the peak is, in body heights; NaN where it is nobody.
        people: How many people there are.
    """

    heights: np.ndarray
    distance: np.ndarray
    people: int


def find_invented(
    volume_of: Callable[[Tensor, SamplingGrid], Tensor],
    rigs: Sequence[Rig],
    habits: DetectorHabits,
    sigma: float,
    most_people: int = 5,
) -> Findings:
    """Look for invented people, one scene in each rig.

    Args:
        volume_of: From heatmaps `(1, V, height, width)` and the places of the cells to a volume `(1, X, Y, Z)`.
        rigs: One a scene.
        habits: What the detector does wrong.
        sigma: Of a keypoint, in pixels of the maps.
        most_people: In a scene.
    """
    heights, distances, people = [], [], 0
    for number, rig in enumerate(rigs):
        random = np.random.default_rng((UNKNOWN_SEED, number))
        roots, present = invent_roots(random, rig.grid, 1, most_people, rig.body_height)
        cameras = rig.cameras.to(torch.device("cpu"))
        present = within_reach(cameras, roots, present)
        heatmaps = draw_roots(random, cameras, roots, present, habits, sigma).to(rig.cameras.rotation.device)
        with torch.no_grad():
            volume = volume_of(heatmaps, SamplingGrid.of_grid(rig.cameras, rig.grid)).cpu()
        found, height = find_peaks(volume, rig.grid, 2 * most_people, SPREAD * rig.body_height)
        distance = torch.cdist(found[0], roots[0][present[0] > 0]).numpy() / rig.body_height
        peak, person = linear_sum_assignment(np.where(distance < MATCHED, distance - MATCHED, 0.0))
        nearest = np.full(len(distance), np.nan)
        nearest[peak] = np.where(distance[peak, person] < MATCHED, distance[peak, person], np.nan)
        heights.append(height[0].numpy())
        distances.append(nearest)
        people += int(present.sum())
    return Findings(np.concatenate(heights), np.concatenate(distances), people)
