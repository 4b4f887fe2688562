"""How far the prior of bodies is heard: chosen by keypoints that were hidden from it, never by truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.networks.evidence import place_joints

if TYPE_CHECKING:
    from selfmva.pose.learned.model import PoseModel
    from selfmva.pose.networks.evidence import Observations

STRENGTHS = (0.0, 0.1, 0.3, 1.0)  # that are tried; 0: joints stay as they are triangulated
HIDDEN = 0.4  # of the keypoints of people whose poses are judged
SHOWINGS = 4  # of each of them, with other keypoints hidden
FEWEST_HIDDEN = 50  # keypoints that were hidden and can be judged: fewer choose nothing
HIDDEN_CLIP = 6.0  # deviations: a hidden keypoint so far away is wrong itself


def choose_strength(model: PoseModel, people: Observations, body_height: float, seed: int) -> None:
    """Set `model.strength` to what explains hidden keypoints best.

    Only joints that the shown keypoints triangulate are judged: there a prior can do harm.
    """
    errors = {strength: hidden_error(model, people, body_height, seed, strength) for strength in STRENGTHS}
    if np.isfinite(list(errors.values())).all():
        model.strength.fill_(min(errors, key=lambda strength: errors[strength]))


def hidden_error(model: PoseModel, people: Observations, body_height: float, seed: int, strength: float) -> float:
    """Mean distance of hidden keypoints to the joints that the others give, in deviations; NaN where there are few."""
    random = np.random.default_rng((seed, len(people)))
    found: list[np.ndarray] = []
    for _ in range(SHOWINGS):
        drawn = torch.from_numpy(random.random(tuple(people.weight.shape)) < HIDDEN).to(people.weight.device)
        shown = people.without(drawn)
        start = place_joints(shown)
        some = (~torch.isnan(start[..., 0])).sum(dim=1) >= 2
        if not some.any():
            continue
        joints = start[some]
        if strength > 0:
            with torch.no_grad():
                joints = model.refiner(shown.select(some), joints, body_height, strength).joints
        hidden = drawn[some] & (people.weight[some] > 0) & ~torch.isnan(start[some][..., 0])[:, None]
        away = people.select(some).residuals(torch.nan_to_num(joints)) / people.noise
        found.append(away[hidden].clamp(max=HIDDEN_CLIP).cpu().numpy())
    every = np.concatenate(found) if found else np.zeros(0)
    return float(every.mean()) if len(every) >= FEWEST_HIDDEN else float("nan")
