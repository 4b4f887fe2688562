"""All networks of learnt poses, and the few numbers that are learnt beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from selfmva.pose.invented.bodies import invent_bodies
from selfmva.pose.networks.pose import AttentionNetwork, PoseNetwork
from selfmva.pose.networks.refiner import BodyRefiner
from selfmva.pose.networks.root import RootNetwork

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray
    from selfmva.pose.learned.recipe import PoseRecipe

TEMPLATE_BODIES = 5000  # invented ones whose mean is the template
SWINGING = 0.05  # weight of arms, legs and feet in which way a body looks: heard where nothing else is seen
USUAL_NOISE = 3.0  # pixels, of keypoints, until the recording has told


class PoseModel(nn.Module):
    """Where people are, how they stand, what to believe of heatmaps, and what bodies can be.

    Args:
        recipe: Sizes of the networks.
        skeleton: Of the keypoints.

    Attributes:
        threshold: Height of a peak from which on it is a person.
        noise: Standard deviation of keypoints in pixels.
        strength: Of the prior of bodies against the keypoints; 0 leaves joints as they are triangulated.
    """

    threshold: Tensor
    noise: Tensor
    strength: Tensor

    def __init__(self, recipe: PoseRecipe, skeleton: Skeleton) -> None:
        super().__init__()
        self.root = RootNetwork()
        self.pose = PoseNetwork(len(skeleton), recipe.cells)
        self.attention = AttentionNetwork(len(skeleton))
        self.refiner = BodyRefiner(skeleton.mirrored, body_template(skeleton), torch.from_numpy(steadiness(skeleton)))
        self.register_buffer("threshold", torch.tensor(0.5))
        self.register_buffer("noise", torch.tensor(USUAL_NOISE))
        self.register_buffer("strength", torch.tensor(1.0))


def body_template(skeleton: Skeleton) -> Tensor:
    """`(J, 3)` the mean of invented bodies that look along x, about the middle of their joints, in body heights."""
    bodies = invent_bodies(np.random.default_rng(0), TEMPLATE_BODIES, skeleton)
    angle = facing(bodies, skeleton)
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    back = np.stack([cos, sin, zero, -sin, cos, zero, zero, zero, zero + 1], axis=1).reshape(-1, 3, 3)
    centred = bodies - bodies.mean(axis=1, keepdims=True)
    return torch.from_numpy(np.einsum("nij,nkj->nki", back, centred).mean(axis=0)).float()


def steadiness(skeleton: Skeleton) -> FloatArray:
    """`(K,)` how far a joint and the one on the other side tell which way a body looks: limbs swing, trunks do not."""
    trunk = np.array([name.endswith(("_shoulder", "_hip")) for name in skeleton.joints])
    return np.where(trunk, 1.0, SWINGING)


def facing(bodies: FloatArray, skeleton: Skeleton) -> FloatArray:
    """`(N,)` radians from x, to which bodies `(N, K, 3)` look: their left is a quarter turn further."""
    left = [number for number, name in enumerate(skeleton.joints) if name.startswith("left_")]
    right = [skeleton.mirrored[number] for number in left]
    across = ((bodies[:, left] - bodies[:, right]) * steadiness(skeleton)[left][:, None]).sum(axis=1)
    return np.asarray(np.arctan2(-across[:, 0], across[:, 1]))
