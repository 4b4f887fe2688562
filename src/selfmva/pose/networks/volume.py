"""A small encoder and decoder of volumes, after V2V-PoseNet (Moon et al., CVPR 2018)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import interpolate, max_pool3d, silu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

GROUP = 4  # channels that are normalized together: no statistics of the batch, which may be one sample


class ResidualBlock(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(outputs // GROUP, outputs)
        self.second = nn.Conv3d(outputs, outputs, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(outputs // GROUP, outputs)
        self.around = nn.Identity() if inputs == outputs else nn.Conv3d(inputs, outputs, 1)

    def forward(self, volume: Tensor) -> Tensor:
        """`(B, inputs, X, Y, Z)` to `(B, outputs, X, Y, Z)`."""
        inner = silu(self.first_norm(self.first(volume)))
        result: Tensor = silu(self.around(volume) + self.second_norm(self.second(inner)))
        return result


class VolumeNetwork(nn.Module):
    """Volumes to volumes of the same cells, whatever their number: each level looks at half as many along each side.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out; all 0 before training.
        widths: Channels of the levels, from the finest on, multiples of 4.

    Example:
        >>> VolumeNetwork(2, 1, widths=(4, 8))(torch.zeros(1, 2, 5, 6, 3)).shape
        torch.Size([1, 1, 5, 6, 3])
    """

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int] = (8, 16, 32)) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            ResidualBlock(before, after) for before, after in zip((inputs, *widths), widths, strict=False)
        )
        self.up = nn.ModuleList(ResidualBlock(below + beside, beside) for beside, below in pairwise(widths))
        self.last = nn.Conv3d(widths[0], outputs, 1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, volume: Tensor) -> Tensor:
        """`(B, inputs, X, Y, Z)` to `(B, outputs, X, Y, Z)`."""
        levels = []
        for level, block in enumerate(self.down):
            if level:
                volume = max_pool3d(volume, 2, ceil_mode=True)
            volume = block(volume)
            levels.append(volume)
        for beside, block in zip(reversed(levels[:-1]), reversed(list(self.up)), strict=True):
            volume = interpolate(volume, size=beside.shape[2:], mode="nearest")
            volume = block(torch.cat([volume, beside], dim=1))
        result: Tensor = self.last(volume)
        return result
