"""Learning how people stand, by rendering: what one showing of the keypoints gives has to explain the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.invented.bodies import invent_bodies
from selfmva.pose.invented.scenes import DetectorHabits, invent_roots, shake_maps
from selfmva.pose.learned.people import match_views, observe
from selfmva.pose.learned.rig import Bodies
from selfmva.pose.networks.pose import cross_view_render_loss
from selfmva.pose.voxels.rendering import render_keypoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.pose.learned.model import PoseModel
    from selfmva.pose.learned.rig import PoseRig
    from selfmva.pose.voxels.projection import CameraBatch

DROPPED = 0.3  # of the keypoints of a showing, at most
OFF_CENTRE = 0.06  # body heights: standard deviation of the middles that the pose network is given
CLOSE = 0.05  # body heights: an error of invented joints that a loss of 1 stands for
INVENTED_PEOPLE = 3  # in a scene, at most
RENDER_RATE = 2e-3  # Adam's step size of the stage, at its highest
L1_WEIGHT = 0.5  # of matched keypoints against drawn ones


def render_rate(done: float) -> float:
    """Adam's step size after a fraction of the stage, falling to 0 in its second half."""
    return RENDER_RATE * min(1.0, 2 * (1 - done))


@dataclass(frozen=True, eq=False)
class RenderObjective:
    """Losses of the pose network and of attention.

    Attributes:
        rig: Cameras, grid and skeleton.
        instants: Keypoints of a recording.
        centres: `(P, 3)` of the people at each of these instants, by the root network.
        seed: Of all draws, together with the step.
        habits: Of the detector, for invented people.
    """

    rig: PoseRig
    instants: Sequence[Bodies]
    centres: Sequence[Tensor]
    seed: int = 0
    habits: DetectorHabits = field(default_factory=DetectorHabits)

    def loss(self, model: PoseModel, step: int) -> Tensor:
        """Of an invented scene, and of an instant of the recording where somebody was found."""
        random = np.random.default_rng((self.seed, step))
        loss = self.invented_loss(model, random)
        some = [number for number, found in enumerate(self.centres) if len(found)]
        if some:
            chosen = some[int(random.integers(len(some)))]
            loss = loss + self.recorded_loss(model, self.instants[chosen], self.centres[chosen], random)
        return loss

    def invented_loss(self, model: PoseModel, random: np.random.Generator) -> Tensor:
        """Mean distance of joints of invented people, whose places are known."""
        rig, device = self.rig, self.rig.matrices.device
        roots, present = invent_roots(random, rig.space.grid, 1, INVENTED_PEOPLE, rig.body_height)
        bodies = torch.from_numpy(invent_bodies(random, int(present.sum()), rig.skeleton)).float() * rig.body_height
        bodies[..., :2] += roots[0, : len(bodies), None, :2]
        bodies = bodies.to(device)
        cameras = shake_maps(random, rig.space.cameras.to(torch.device("cpu"))).to(device)
        pixels, _, seen = cameras.project(bodies)  # (V, P, J, 2)
        found = seen & torch.from_numpy(random.random(seen.shape) >= self.habits.miss_rate).to(device)
        moved = pixels + torch.from_numpy(random.normal(0, self.habits.jitter, pixels.shape)).to(pixels)
        heatmaps = render_keypoints(moved.transpose(1, 2), found.to(pixels).transpose(1, 2), rig.map_size, rig.sigma)
        centres = self._near(random, bodies.mean(dim=1))
        sample = torch.zeros(len(bodies), dtype=torch.long, device=device)
        joints = model.pose(heatmaps[None], cameras, centres, sample, rig.body_height)
        # A joint that two views show can be found; others are what the network makes of the rest of the body.
        known = (found.sum(dim=0) >= 2).to(joints)
        error = (joints - bodies).norm(dim=-1) / (CLOSE * rig.body_height)
        result: Tensor = (error * known).sum() / known.sum().clamp(min=1)
        return result

    def recorded_loss(self, model: PoseModel, bodies: Bodies, centres: Tensor, random: np.random.Generator) -> Tensor:
        """Two showings of one instant, each with its own maps and missing keypoints, that must explain each other."""
        rig = self.rig
        showings = [self._show(bodies, random) for _ in range(2)]
        sample = torch.zeros(len(centres), dtype=torch.long, device=centres.device)
        near = self._near(random, centres)
        poses = [
            model.pose(rig.heatmaps(shown, cameras)[None], cameras, near, sample, rig.body_height)
            for shown, cameras in showings
        ]
        total = centres.new_zeros(())
        for joints, (_, cameras) in zip(poses, reversed(showings), strict=True):
            target = rig.heatmaps(bodies, cameras)
            pixels, _, seen = cameras.project(joints)  # (V, P, J, 2)
            drawn = render_keypoints(
                pixels.transpose(1, 2), seen.to(pixels).transpose(1, 2), rig.map_size, rig.sigma, reduce="sum"
            )
            total = total + cross_view_render_loss(drawn, target, model.attention(target))
            total = total + L1_WEIGHT * matched_keypoint_loss(rig, bodies, joints)
        return total

    def _show(self, bodies: Bodies, random: np.random.Generator) -> tuple[Bodies, CameraBatch]:
        device = bodies.weight.device
        kept = random.random(bodies.weight.shape) >= random.uniform(0, DROPPED)
        weight = bodies.weight * torch.from_numpy(kept).to(bodies.weight)
        cameras = shake_maps(random, self.rig.space.cameras.to(torch.device("cpu"))).to(device)
        return Bodies(bodies.pixels, bodies.straight, weight), cameras

    def _near(self, random: np.random.Generator, centres: Tensor) -> Tensor:
        """Middles as a root network finds them: a little beside."""
        shift = random.normal(0, OFF_CENTRE * self.rig.body_height, tuple(centres.shape))
        return centres + torch.from_numpy(shift).to(centres)


def matched_keypoint_loss(rig: PoseRig, bodies: Bodies, joints: Tensor) -> Tensor:
    """Mean distance of joints to the keypoints of the bodies that they are, in pixels of the heatmaps.

    Of each instant the view that fits worst is left out (a hard attention, per sample), people whom a view does not
    show cost nothing there, and joints that are not seen don't count, in what matches nor in the mean.
    """
    rows = match_views(rig, bodies, joints.detach(), 1.0)
    observed = observe(rig, bodies, rows, 1.0)
    shrink = torch.linalg.vector_norm(rig.space.cameras.affine[:, 0, :2], dim=-1)[None, :, None]
    away = observed.residuals(joints) * shrink / rig.sigma
    seen = (observed.weight > 0).to(away)
    cost = torch.sqrt(1 + away.square()) - 1  # smooth near 0, a distance beyond
    by_view = (cost * seen).sum((0, 2)) / seen.sum((0, 2)).clamp(min=1)
    kept = seen * torch.ones_like(by_view).scatter(0, by_view.argmax(), 0.0)[None, :, None]
    result: Tensor = (cost * kept).sum() / kept.sum().clamp(min=1)
    return result
