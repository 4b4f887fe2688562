"""What bodies can be, as a prior that is learnt: where a joint should be, given all that is seen of the others.

A network reads how well each joint is known along each direction, and where, and answers with a Gaussian for each.
That and the keypoints meet by their precisions: a joint that three views agree on stays where they say, one that no
view sees goes where the body must have it, and one that a single view sees moves along that view's ray alone.
Keypoints that contradict the prior by more than it is unsure of itself count less: of two views that disagree it knows
which errs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn.functional import silu

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.pose.networks.evidence import Observations

KNOWN = 0.1  # body heights: a joint whose place is surer than this is half known at least
PER_JOINT = 12  # numbers: a matrix of how well it is known, where it is seen, where it was put so far
ANSWER = 6  # numbers for a joint: three of a place, three of its precision
LEAST_SURE, MOST_SURE = 0.5, 0.004  # body heights: standard deviations that a prior may have
RIDGE = 1e-3  # per square body height, of a precision: nothing against any keypoint, and never singular
UPPER = ((0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2))  # the upper half of a symmetric matrix


class Refined(NamedTuple):
    """Joints after the prior was heard.

    Attributes:
        joints: `(P, J, 3)` in the unit of the world.
        covariance: `(P, J, 3, 3)` of their errors, in its square.
    """

    joints: Tensor
    covariance: Tensor


class ResidualLayer(nn.Module):
    """Two linear maps and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, values: Tensor) -> Tensor:
        """`(P, width)` to the same."""
        result: Tensor = values + self.second(silu(self.first(self.norm(values))))
        return result


class BodyRefiner(nn.Module):
    """Joints from evidence and a prior that the network knows.

    Args:
        mirrored: For each joint the number of the one on the other side of the body.
        template: `(J, 3)` mean of bodies, in body heights, about their middle, looking along x.
        steadiness: `(J,)` how far a joint and the one on the other side tell which way a body looks.
        width: Of the layers.
        rounds: How often the prior is asked, each time about the joints of the time before.
    """

    template: Tensor
    steadiness: Tensor
    other_side: Tensor

    def __init__(
        self, mirrored: tuple[int, ...], template: Tensor, steadiness: Tensor, width: int = 256, rounds: int = 2
    ) -> None:
        super().__init__()
        joints = len(mirrored)
        self.rounds = rounds
        self.register_buffer("template", template.clone().float())
        self.register_buffer("steadiness", steadiness.clone().float())
        self.register_buffer("other_side", torch.tensor(mirrored))
        self.first = nn.Linear(PER_JOINT * joints, width)
        self.layers = nn.ModuleList(ResidualLayer(width) for _ in range(3))
        self.last = nn.Linear(width, ANSWER * joints)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, observed: Observations, start: Tensor, body_height: float, strength: float = 1.0) -> Refined:
        """Refine people.

        Args:
            observed: P people.
            start: `(P, J, 3)` of `place_joints`, NaN where not known; every person has one joint at least.
            body_height: In the unit of the world.
            strength: Of the prior: 0 leaves what is triangulated as it is.
        """
        known = ~torch.isnan(start[..., 0])
        joints, turn, middle = self._begin(start, known, body_height)
        # Joints that are not known yet are far from their keypoints, which says nothing against these.
        trust = torch.where(known[:, None], observed.trust(joints), observed.weight)
        covariance = torch.zeros_like(joints)[..., None].expand(*joints.shape, 3)
        eye = RIDGE * torch.eye(3, dtype=joints.dtype, device=joints.device)
        for _ in range(self.rounds):
            mean, sure, deviation = self._prior(*observed.information(joints, trust), joints, turn, middle, body_height)
            if strength:
                trust = trust * observed.agreement(mean, deviation * (body_height / strength))
            precision, pull = observed.information(joints, trust)
            # In body heights, so that solving is well conditioned in any unit.
            total = precision * body_height**2 + strength * sure
            wanted = pull * body_height + strength * (sure @ ((mean - joints) / body_height)[..., None])[..., 0]
            covariance = _inverse(total + eye)
            joints = joints + body_height * (covariance @ wanted[..., None])[..., 0]
            trust = observed.trust(joints)
        return Refined(joints, covariance * body_height**2)

    def _begin(self, start: Tensor, known: Tensor, body_height: float) -> tuple[Tensor, Tensor, Tensor]:
        """First places of all joints, which way a body looks, and its middle; without a gradient."""
        with torch.no_grad():
            place = torch.nan_to_num(start)
            count = known.sum(dim=1).clamp(min=1)[:, None]
            middle = (place * known[..., None]).sum(dim=1) / count
            both = known & known[:, self.other_side]
            across = torch.where(both[..., None], place - place[:, self.other_side], 0.0)
            left = (across * (self._side_sign() * self.steadiness)[:, None]).sum(dim=1)
            # Looking along x, the left of the body is along y.
            angle = torch.where(left[:, :2].norm(dim=1) > 0, torch.atan2(-left[:, 0], left[:, 1]), 0.0)
            cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
            turn = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1], dim=1).reshape(-1, 3, 3)
            # The middle of the joints that are known is not the body's: the template says how they differ.
            expected = (self.template * known[..., None]).sum(dim=1) / count
            middle = middle - (turn @ expected[..., None])[..., 0] * body_height
            guess = middle[:, None] + body_height * torch.einsum("pij,kj->pki", turn, self.template)
            return torch.where(known[..., None], place, guess), turn, middle

    def _side_sign(self) -> Tensor:
        """1 where a joint is on the left of the template, -1 on the right."""
        return torch.sign(self.template[:, 1] - self.template[self.other_side, 1])

    def _prior(
        self, precision: Tensor, pull: Tensor, joints: Tensor, turn: Tensor, middle: Tensor, body_height: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`(P, J, 3)` means in the world; precisions `(P, J, 3, 3)` and deviations `(P, J)` in body heights."""
        back = turn.transpose(1, 2)[:, None]
        local = (back @ (joints - middle[:, None])[..., None])[..., 0] / body_height - self.template
        within = back @ (precision * body_height**2) @ turn[:, None]
        pulled = (back @ (pull * body_height)[..., None])[..., 0] + (within @ local[..., None])[..., 0]
        eye = torch.eye(3, dtype=within.dtype, device=within.device) / KNOWN**2
        shrunk = _inverse(within + eye)
        share = (shrunk @ within)[..., UPPER[0], UPPER[1]]
        seen = (shrunk @ pulled[..., None])[..., 0]
        features = torch.cat([share, seen / KNOWN, local / KNOWN], dim=-1).flatten(1)
        hidden = self.first(features)
        for layer in self.layers:
            hidden = layer(hidden)
        answer = self.last(hidden).reshape(*joints.shape[:2], ANSWER)
        mean = self.template + KNOWN * answer[..., :3]
        deviation = LEAST_SURE * (MOST_SURE / LEAST_SURE) ** torch.sigmoid(answer[..., 3:] - 1.0)
        sure = torch.diag_embed(deviation**-2)
        world = middle[:, None] + body_height * (turn[:, None] @ mean[..., None])[..., 0]
        return world, turn[:, None] @ sure @ back, deviation.square().mean(-1).sqrt()


def _inverse(matrices: Tensor) -> Tensor:
    """Inverses `(..., 3, 3)`; a joint that one view sees is known a million times better across its ray than along."""
    result: Tensor = torch.linalg.inv(matrices.double()).to(matrices)
    return result
