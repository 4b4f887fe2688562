"""Learning what bodies can be: from invented people, whose joints are known, and from keypoints that were hidden.

Both are without labels. A recorded person is shown to the network twice, each time with other keypoints missing; what
it makes of one showing has to explain all keypoints of both, those that it did not see among them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.invented.bodies import invent_bodies
from selfmva.pose.networks.evidence import Observations, place_joints

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.core.skeletons import Skeleton
    from selfmva.pose.networks.refiner import BodyRefiner, Refined

GOOD = 0.01  # body heights: an error that a loss of 1 stands for
MOST_MISSING = 0.8  # of the keypoints of an invented or recorded person
MOST_WRONG = 0.1  # of the keypoints of an invented person, that are on another joint or nowhere
NOISE_SPREAD = (0.5, 2.0)  # of the noise of the rig, for invented people
LOST = 4.0  # deviations: a keypoint so far from its joint is wrong, and tells the joint nothing
REFINE_RATE = 2e-3  # Adam's step size of the stage, at its highest
LIKELIHOOD_WEIGHT = 0.05  # weight of the deviations that the network states


def refine_rate(done: float) -> float:
    """Adam's step size after a fraction of the stage: rising for a twentieth of it, then falling as a cosine."""
    return REFINE_RATE * min(1.0, 20 * done + 0.01) * 0.5 * (1 + float(np.cos(np.pi * done)))


@dataclass(frozen=True, eq=False)
class RefineObjective:
    """Losses of invented and recorded people.

    Attributes:
        matrices: `(V, 3, 4)` of the rig.
        places: `(M, 3)` on the floor where people may stand, in the unit of the world.
        size: `(V, 2)` of the images, for who is in view.
        skeleton: Of the keypoints.
        body_height: In the unit of the world.
        recorded: People of a recording; None to learn from invented ones alone.
        noise: Of keypoints, in pixels.
        seed: Of all draws, together with the step.
        samples: Invented people a step, and showings of recorded ones.
    """

    matrices: Tensor
    places: np.ndarray
    size: Tensor
    skeleton: Skeleton
    body_height: float
    recorded: Observations | None
    noise: float
    seed: int = 0
    samples: int = 128

    def loss(self, encoder: BodyRefiner, step: int) -> Tensor:
        """Of people that depend on the seed and the step alone."""
        random = np.random.default_rng((self.seed, step))
        observed, truth = self.invent(random)
        loss = supervised_loss(encoder, observed, truth, self.body_height)
        if self.recorded is not None and len(self.recorded):
            chosen = torch.from_numpy(random.integers(0, len(self.recorded), (self.samples + 1) // 2))
            people = self.recorded.select(chosen.to(self.matrices.device))
            loss = loss + cross_view_loss(encoder, people, random, self.body_height)
        return loss

    def invent(self, random: np.random.Generator) -> tuple[Observations, Tensor]:
        """Invented people, as the cameras see them, and their joints."""
        device = self.matrices.device
        bodies = invent_bodies(random, self.samples, self.skeleton) * self.body_height
        bodies += self.places[random.integers(0, len(self.places), self.samples)][:, None]
        truth = torch.from_numpy(bodies).to(self.matrices)
        views, (people, joints) = len(self.matrices), truth.shape[:2]
        noise = self.noise * float(np.exp(random.uniform(*np.log(NOISE_SPREAD))))
        empty = Observations(self.matrices, truth.new_zeros(people, views, joints, 2), truth.new_zeros(1), self.noise)
        pixels, depth = empty.project(truth)
        shape = (people, views, joints)
        missing = random.random(shape) < random.uniform(0, MOST_MISSING, (people, 1, 1))
        wrong = random.random(shape) < random.uniform(0, MOST_WRONG, (people, 1, 1))
        other = np.where(
            random.random(shape) < 0.5, np.array(self.skeleton.mirrored), random.integers(0, joints, shape)
        )
        elsewhere = torch.take_along_dim(pixels, torch.from_numpy(other).to(device)[..., None], dim=2)
        moved = torch.where(torch.from_numpy(wrong).to(device)[..., None], elsewhere, pixels)
        moved = moved + torch.from_numpy(random.normal(0, noise, (*shape, 2))).to(pixels)
        inside = ((pixels >= 0) & (pixels < self.size[None, :, None])).all(-1) & (depth > 0.1 * self.body_height)
        weight = (inside & ~torch.from_numpy(missing).to(device)).to(pixels)
        return replace(empty, pixels=moved, weight=weight), truth


def enough_seen(start: Tensor) -> Tensor:
    """`(P,)` whether a person has joints enough to begin with: two that are triangulated."""
    return (~torch.isnan(start[..., 0])).sum(dim=1) >= 2


def supervised_loss(refiner: BodyRefiner, observed: Observations, truth: Tensor, body_height: float) -> Tensor:
    """Mean error of joints, and how well it is the one that the network states, for people whose joints are known."""
    with torch.no_grad():
        start = place_joints(observed)
        some = enough_seen(start)
    refined = refiner(observed.select(some), start[some], body_height)
    error = (refined.joints - truth[some]) / body_height
    distance: Tensor = error.norm(dim=-1).mean() / GOOD
    return distance + LIKELIHOOD_WEIGHT * _surprise(error, refined, body_height)


def cross_view_loss(
    refiner: BodyRefiner, observed: Observations, random: np.random.Generator, body_height: float
) -> Tensor:
    """How badly what is made of some keypoints explains all of them, in deviations of the keypoints.

    Every person is shown twice, with other keypoints missing. Far keypoints have no pull (Welsch's loss, which is what
    the difference of two drawn Gaussians is), and of each person the view that fits worst is left out, so that
    keypoints that are wrong teach nothing; what remains is divided by the number of keypoints that count.
    """
    people, views, joints = observed.weight.shape
    total = observed.pixels.new_zeros(())
    for _ in range(2):
        share = random.uniform(0, MOST_MISSING, (people, 1, 1))
        dropped = torch.from_numpy(random.random((people, views, joints)) < share).to(observed.weight.device)
        shown = observed.without(dropped)
        with torch.no_grad():
            start = place_joints(shown)
            some = enough_seen(start)
        if not some.any():
            continue
        refined = refiner(shown.select(some), start[some], body_height)
        whole = observed.select(some)
        seen = (whole.weight > 0).to(whole.pixels)
        square = (whole.residuals(refined.joints) / (LOST * whole.noise)).square()
        cost = (1 - torch.exp(-square)) * seen
        by_view = cost.sum(-1) / seen.sum(-1).clamp(min=1)
        worst = by_view.argmax(dim=1, keepdim=True)
        kept = seen * torch.ones_like(by_view).scatter(1, worst, 0.0)[..., None]
        total = total + LOST**2 * ((cost * kept).sum((1, 2)) / kept.sum((1, 2)).clamp(min=1)).mean()
    return total


def _surprise(error: Tensor, refined: Refined, body_height: float) -> Tensor:
    """Mean negative log-likelihood of errors under the covariances that were stated, with tails."""
    covariance = refined.covariance / body_height**2
    square = (error[..., None, :] @ torch.linalg.solve(covariance, error[..., None]))[..., 0, 0]
    # A Student's t of 4 degrees of freedom: single wrong joints don't make all of them unsure.
    result: Tensor = (0.5 * torch.linalg.slogdet(covariance)[1] + 3.5 * torch.log1p(square / 4)).mean()
    return result
