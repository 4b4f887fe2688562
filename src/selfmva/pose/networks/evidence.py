"""What keypoints of several views say about joints: their places, and how sure they are along each direction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Self

import torch

if TYPE_CHECKING:
    from torch import Tensor

REWEIGHTINGS = 4  # of reweighting after the best pair of views is known: places stand still to a tenth of a pixel
DISAGREEING = 3.0  # deviations: a keypoint further from where it should be counts less than half
CLOSE_UP = 0.01  # of the distance between cameras: nobody stands nearer to one and is whole in its image
TINY = 1e-9  # of a matrix without evidence along a direction


@dataclass(frozen=True, eq=False)
class Observations:
    """Keypoints of P people in V views, without the distortion of lenses.

    Attributes:
        matrices: `(V, 3, 4)` projections to pixels.
        pixels: `(P, V, J, 2)`; anything where the weight is 0.
        weight: `(P, V, J)` score of a keypoint, 0 where it is missing.
        noise: Standard deviation of keypoints in pixels.
    """

    matrices: Tensor
    pixels: Tensor
    weight: Tensor
    noise: float

    def __len__(self) -> int:
        return len(self.pixels)

    def without(self, dropped: Tensor) -> Self:
        """The same people with some keypoints missing: `dropped` is a `(P, V, J)` mask."""
        return replace(self, weight=torch.where(dropped, 0.0, self.weight))

    def select(self, people: Tensor) -> Self:
        """Some of the people."""
        return replace(self, pixels=self.pixels[people], weight=self.weight[people])

    def project(self, joints: Tensor) -> tuple[Tensor, Tensor]:
        """`(P, V, J, 2)` pixels of joints `(P, J, 3)`, and `(P, V, J)` depths, at least a little ahead."""
        image = torch.einsum("vij,pkj->pvki", self.matrices[:, :, :3], joints) + self.matrices[None, :, None, :, 3]
        depth = image[..., 2].clamp(min=self.closest)
        return image[..., :2] / depth[..., None], depth

    @cached_property
    def closest(self) -> float:
        """Depth from which on cameras see anything: a hundredth of the way between those that are furthest apart."""
        matrices = self.matrices.double()
        centres = -torch.linalg.solve(matrices[:, :, :3], matrices[:, :, 3])
        return max(CLOSE_UP * float(torch.cdist(centres, centres).max()), TINY)

    def residuals(self, joints: Tensor) -> Tensor:
        """`(P, V, J)` distances of the keypoints to joints, in pixels; 0 where missing."""
        away = (self.project(joints)[0] - self.pixels).square().sum(-1)
        return torch.where(self.weight > 0, away.clamp(min=1e-12).sqrt(), 0.0)

    def trust(self, joints: Tensor) -> Tensor:
        """`(P, V, J)` weights of keypoints, by how well they agree with joints: Cauchy's, two deviations wide."""
        return self.weight / (1 + (self.residuals(joints) / (2 * self.noise)).square())

    def agreement(self, joints: Tensor, deviation: Tensor) -> Tensor:
        """`(P, V, J)` in (0, 1]: how well keypoints agree with places that are not sure themselves.

        Args:
            joints: `(P, J, 3)` where joints should be.
            deviation: `(P, J)` standard deviation of that, in the unit of the world.
        """
        axis, side = self.matrices[:, 2, :3], self.matrices[:, 0, :3]
        focal = (side.square().sum(-1) - (side * axis).sum(-1).square()).clamp(min=0).sqrt()
        pixels, depth = self.project(joints)
        away = torch.where((self.weight > 0)[..., None], self.pixels - pixels, 0.0).square().sum(-1)
        expected = self.noise**2 + (focal[None, :, None] / depth * deviation[:, None]).square()
        return 1 / (1 + away / (DISAGREEING**2 * expected))

    def information(self, joints: Tensor, trust: Tensor) -> tuple[Tensor, Tensor]:
        """What the keypoints say about joints near a place: a Gaussian's precision, and its pull.

        Args:
            joints: `(P, J, 3)` where the cameras are linear.
            trust: `(P, V, J)` weights of the keypoints.

        Returns:
            `(P, J, 3, 3)` precisions A and `(P, J, 3)` pulls g: the keypoints want joints + A^-1 g.
        """
        pixels, depth = self.project(joints)
        rows = self.matrices[None, :, None, :2, :3]
        slope = (rows - pixels[..., None] * self.matrices[None, :, None, 2:, :3]) / depth[..., None, None]
        # What is at a camera, or behind it, has no image there.
        weight = (trust * (self.weight > 0) * (depth > self.closest)) / self.noise**2
        away = torch.where((self.weight > 0)[..., None], self.pixels - pixels, 0.0)
        precision = torch.einsum("pvkai,pvkaj,pvk->pkij", slope, slope, weight)
        return precision, torch.einsum("pvkai,pvka,pvk->pki", slope, away, weight)


def place_joints(observed: Observations) -> Tensor:
    """The places of joints that two views or more see, robustly; of thousands of people at once, on any device.

    `selfmva.pose.triangulation` does the same without torch, one instant at a time. Of all pairs of views the one whose
    joint most keypoints agree with comes first, then all that agree, reweighted.

    Args:
        observed: P people.

    Returns:
        `(P, J, 3)`, NaN where fewer than two views see a joint.
    """
    people, views, joints = observed.weight.shape
    best = observed.pixels.new_full((people, joints, 3), torch.nan)
    cost = observed.pixels.new_full((people, joints), torch.inf)
    for pair in combinations(range(views), 2):
        two = list(pair)
        both = (observed.weight[:, two] > 0).all(dim=1)
        found = _linear(observed.matrices[two], observed.pixels[:, two], both[:, None].expand(-1, 2, -1).double())
        # A keypoint that disagrees costs what one three deviations away does, however far it is.
        square = (observed.residuals(found.to(observed.pixels)) / (3 * observed.noise)).square().clamp(max=1.0)
        ahead = (observed.project(found.to(observed.pixels))[1][:, two] > observed.closest).all(dim=1)
        total = torch.where(both & ahead, (square * observed.weight).sum(dim=1), torch.inf)
        better = total < cost
        best = torch.where(better[..., None], found.to(best), best)
        cost = torch.where(better, total, cost)
    known = cost.isfinite()
    place = torch.where(known[..., None], best, 0.0)
    eye = torch.eye(3, dtype=place.dtype, device=place.device)
    for _ in range(REWEIGHTINGS):
        precision, pull = observed.information(place, observed.trust(place))
        scale = precision.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]
        step = torch.linalg.solve((precision + (TINY + 1e-6 * scale) * eye).double(), pull.double())
        place = torch.where(known[..., None], place + step.to(place), place)
    return torch.where(known[..., None], place, torch.nan)


def _linear(matrices: Tensor, pixels: Tensor, weight: Tensor) -> Tensor:
    """`(P, J, 3)` least squares of the linear equations of triangulation, for `(P, V, J, 2)` pixels."""
    matrices, pixels = matrices.double(), torch.where((weight > 0)[..., None], pixels, 0.0).double()
    rows = pixels[..., None] * matrices[None, :, None, 2:] - matrices[None, :, None, :2]  # (P, V, J, 2, 4)
    rows = rows / torch.linalg.vector_norm(rows[..., :3], dim=-1, keepdim=True) * weight[..., None, None]
    left, right = rows[..., :3], -rows[..., 3]
    normal = torch.einsum("pvkai,pvkaj->pkij", left, left)
    target = torch.einsum("pvkai,pvka->pki", left, right)
    eye = torch.eye(3, dtype=normal.dtype, device=normal.device)
    result: Tensor = torch.linalg.solve(normal + TINY * eye, target)
    return result


def noise_of(observed: Observations, places: Tensor) -> float:
    """Standard deviation of keypoints in pixels, from joints that three views or more see.

    Args:
        observed: P people.
        places: `(P, J, 3)` of `place_joints`; NaN where not known.

    Returns:
        Robust, by the median; the one that was assumed where no joint is seen by three.
    """
    seen = (observed.weight > 0) & ~torch.isnan(places[..., 0])[:, None]
    enough = seen & (seen.sum(dim=1, keepdim=True) >= 3)
    away = observed.residuals(torch.nan_to_num(places))[enough]
    if not len(away):
        return observed.noise
    # Of 2 n coordinates 3 go into the joint, and the median of a Rayleigh variable is 1.1774 of its deviation.
    count = seen.sum(dim=1, keepdim=True).expand_as(seen)[enough].to(away)
    return float((away / (1 - 1.5 / count).sqrt()).median() / 1.1774)
