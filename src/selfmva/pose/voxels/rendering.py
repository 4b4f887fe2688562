"""Keypoints drawn as soft spots: one renderer for targets, inputs and losses, so that none is shifted by a rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

if TYPE_CHECKING:
    from torch import Tensor


def render_keypoints(
    pixels: Tensor,
    weight: Tensor,
    size: tuple[int, int],
    sigma: float,
    *,
    reduce: Literal["max", "sum"] = "max",
) -> Tensor:
    """Draw a Gaussian with a peak of 1 at every keypoint, wherever it is: its centre is never rounded.

    Args:
        pixels: `(..., N, 2)` x and y of N keypoints of one map, in its pixels; anything where the weight is 0.
        weight: `(..., N)` height of the peaks: 0 where there is no keypoint, 1 or a score where there is.
        size: Width and height of the maps.
        sigma: Of the Gaussians, in pixels of the maps.
        reduce: How the N keypoints meet: their maximum, or their sum, at most 1.

    Returns:
        `(..., height, width)`, differentiable by pixels and weight; zero where N is 0.

    Example:
        >>> spot = render_keypoints(torch.tensor([[1.0, 0.0]]), torch.ones(1), (3, 1), sigma=1.0)
        >>> [round(value, 4) for value in spot[0].tolist()]
        [0.6065, 1.0, 0.6065]
    """
    width, height = size
    if not pixels.shape[-2]:
        return pixels.new_zeros((*pixels.shape[:-2], height, width))
    centres = torch.where((weight > 0)[..., None], pixels, 0.0)
    x = torch.arange(width, dtype=pixels.dtype, device=pixels.device)
    y = torch.arange(height, dtype=pixels.dtype, device=pixels.device)
    # A Gaussian is the product of one along x and one along y: two short ones instead of a whole map of exponentials.
    along_x = torch.exp(-(x - centres[..., 0, None]).square() / (2 * sigma**2))
    along_y = torch.exp(-(y - centres[..., 1, None]).square() / (2 * sigma**2)) * weight[..., None]
    if reduce == "sum":
        return torch.einsum("...nh,...nw->...hw", along_y, along_x).clamp(max=1.0)
    return (along_y[..., :, None] * along_x[..., None, :]).amax(dim=-3)
