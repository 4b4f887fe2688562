"""The geometric encoder-decoder: from a box and its view to an embedding, and back to boxes.

Source: Chen, Srivastav, Mutter, Padoy, "Learning from Synchronization", CVPR 2025, section 3.2 (arXiv 2503.13739);
the Fourier features are those of the prompt encoder of SAM (Kirillov et al., ICCV 2023).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.types import View

FREQUENCIES = 128
TOKEN_DIM = 2 * FREQUENCIES
EMBEDDING_DIM = 3 * TOKEN_DIM  # two tokens of the prompt and one of the view
LONGEST_SIDE = 1024  # SAM's input size
EPSILON = 1e-6  # standardization, as published


def prompt_scale(views: Sequence[View]) -> Tensor:
    """Factors from pixels to the prompt encoder's unit square, `(V, 2)` float32 (x, y).

    The image is scaled so that its longest side is 1024, sides rounded half up, and divided by 1024.

    Example:
        >>> from selfmva.core.types import View
        >>> prompt_scale([View("a", 640, 480)]) * torch.tensor([640.0, 480.0])
        tensor([[1.0000, 0.7500]])
    """
    sizes = torch.tensor([[view.width, view.height] for view in views], dtype=torch.float64)
    longest = sizes.amax(dim=1, keepdim=True)
    resized = torch.floor(sizes * LONGEST_SIDE / longest + 0.5)
    return (resized / LONGEST_SIDE / sizes).to(torch.float32)


def fourier_features(points: Tensor, gaussian: Tensor) -> Tensor:
    """Random Fourier features of points.

    Args:
        points: `(..., 2)` in the unit square.
        gaussian: `(2, F)` fixed matrix.

    Returns:
        `(..., 2 F)`: sines, then cosines, of `2 pi (2 points - 1) @ gaussian`.

    Example:
        >>> fourier_features(torch.tensor([[0.5, 0.5]]), torch.ones(2, 1))
        tensor([[0., 1.]])
    """
    # In half precision, the phases of the high frequencies would be off by pixels.
    with torch.autocast(points.device.type, enabled=False):
        phases = (2.0 * math.pi) * ((2.0 * points - 1.0) @ gaussian)
    return torch.cat((phases.sin(), phases.cos()), dim=-1)


def standardize(x: Tensor) -> Tensor:
    """Subtract the mean over features and divide by their (unbiased) standard deviation + 1e-6.

    Example:
        >>> standardize(torch.tensor([[1.0, 2.0, 3.0]]))
        tensor([[-1.0000,  0.0000,  1.0000]])
    """
    if not len(x):  # no boxes: torch would warn about the deviation of nothing
        return x
    deviation, mean = torch.std_mean(x, dim=-1, keepdim=True)
    return (x - mean) / (deviation + EPSILON)


def foot_points(boxes: Tensor) -> Tensor:
    """Bottom centres `(..., 2)` of boxes `(..., 4)` xyxy.

    Example:
        >>> foot_points(torch.tensor([[0.0, 0.0, 2.0, 4.0]]))
        tensor([[1., 4.]])
    """
    return torch.stack(((boxes[..., 0] + boxes[..., 2]) / 2, boxes[..., 3]), dim=-1)


class BoxEncoder(nn.Module):
    """Encode boxes of several views into one space, and decode embeddings to boxes of every view.

    Args:
        views: The cameras; only their sizes are used.
        prompt: `"box"` encodes the two corners, `"point"` the foot (bottom centre) alone.
        generator: Source of all initial weights.

    Shapes: N boxes of any views; D = 768; the decoder gives a box (4 numbers) or a point (2) for each of V views.
    """

    gaussian: Tensor
    token_offsets: Tensor
    scale: Tensor
    sizes: Tensor

    def __init__(
        self, views: Sequence[View], *, prompt: Literal["box", "point"] = "box", generator: torch.Generator
    ) -> None:
        super().__init__()
        self.prompt = prompt
        self.coordinates = 4 if prompt == "box" else 2
        self.register_buffer("gaussian", torch.randn(2, FREQUENCIES, generator=generator))
        # Box: what is added to the features of the top-left and of the bottom-right corner.
        # Point: what is added to the point's features, and the token that stands for "no second point".
        self.register_buffer("token_offsets", torch.randn(2, TOKEN_DIM, generator=generator))
        self.register_buffer("scale", prompt_scale(views), persistent=False)
        sizes = torch.tensor([[view.width, view.height] for view in views], dtype=torch.float32)
        self.register_buffer("sizes", sizes, persistent=False)
        self.view_tokens: nn.Parameter = nn.Parameter(torch.empty(len(views), TOKEN_DIM))
        nn.init.trunc_normal_(self.view_tokens, std=1.0, generator=generator)
        self.layers: nn.ModuleList = nn.ModuleList(_linear(EMBEDDING_DIM, EMBEDDING_DIM, generator) for _ in range(3))
        self.decoder: nn.Linear = _linear(EMBEDDING_DIM, self.coordinates * len(views), generator)

    def tokens(self, boxes: Tensor, view: Tensor) -> Tensor:
        """The frozen part of the encoding.

        Args:
            boxes: `(N, 4)` float32 xyxy in pixels.
            view: `(N,)` int64, the view of each box.

        Returns:
            `(N, 512)` float32: two tokens of 256.
        """
        half_pixel = 0.5 / LONGEST_SIDE
        scale = self.scale[view]  # (N, 2)
        if self.prompt == "box":
            corners = boxes.view(-1, 2, 2) * scale[:, None] + half_pixel
            return (fourier_features(corners, self.gaussian) + self.token_offsets).flatten(1)
        point = fourier_features(foot_points(boxes) * scale + half_pixel, self.gaussian)
        return torch.cat((point + self.token_offsets[0], self.token_offsets[1].expand(len(boxes), -1)), dim=1)

    def forward(self, boxes: Tensor, view: Tensor) -> Tensor:
        """Embed boxes.

        Args:
            boxes: `(N, 4)` float32 xyxy in pixels.
            view: `(N,)` int64, the view of each box.

        Returns:
            `(N, 768)` float32.
        """
        x = torch.cat((self.tokens(boxes, view), self.view_tokens[view]), dim=1)
        for layer in self.layers:
            x = standardize(layer(x) + x).relu()
        return x

    def embed(self, boxes: ArrayLike | Tensor, view: int | ArrayLike) -> Tensor:
        """Embed boxes to be looked at, not to be learnt from: without a gradient, whatever they come as.

        Args:
            boxes: `(N, 4)` xyxy in pixels.
            view: The view of all boxes, or `(N,)` integers.

        Returns:
            `(N, 768)` float32 on the device of the encoder.

        Example:
            >>> from selfmva import View
            >>> encoder = BoxEncoder([View("c1", 640, 480)], generator=torch.Generator().manual_seed(0))
            >>> encoder.embed([[0.0, 0, 10, 20]], view=0).shape
            torch.Size([1, 768])
        """
        device = self.view_tokens.device
        # Copied: torch warns of arrays that cannot be written to.
        pixels = boxes if isinstance(boxes, Tensor) else torch.from_numpy(np.array(boxes, dtype=np.float32))
        numbers = torch.from_numpy(np.broadcast_to(view, len(pixels)).astype(np.int64))
        with torch.inference_mode():
            embeddings: Tensor = self(pixels.to(device), numbers.to(device))
        return embeddings

    def decode(self, embeddings: Tensor) -> Tensor:
        """Boxes (or points) of every view from embeddings.

        Args:
            embeddings: `(N, 768)`.

        Returns:
            `(N, V, 4)` xyxy, or `(N, V, 2)` xy for point prompts, as fractions of the image's width and height.
        """
        raw: Tensor = self.decoder(embeddings).view(len(embeddings), len(self.sizes), self.coordinates)
        if self.prompt == "point":
            return raw
        centre, half = raw[..., :2], raw[..., 2:].sigmoid() / 2
        return torch.cat((centre - half, centre + half), dim=-1)

    def targets(self, boxes: Tensor, view: Tensor) -> Tensor:
        """What `decode` should give for the own view of boxes: `(N, 4)` or `(N, 2)`, as fractions of the image."""
        if self.prompt == "point":
            return foot_points(boxes) / self.sizes[view]
        return boxes / self.sizes[view].repeat(1, 2)

    def reorder_views(self, order: Sequence[int]) -> None:
        """Renumber the views: the new view k is the old view `order[k]`."""
        index = torch.as_tensor(list(order), device=self.view_tokens.device)
        with torch.no_grad():
            self.view_tokens.copy_(self.view_tokens[index])
            for parameter in (self.decoder.weight, self.decoder.bias):
                parameter.copy_(parameter.view(len(index), -1)[index].view_as(parameter))
        self.scale, self.sizes = self.scale[index], self.sizes[index]


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A Linear layer with torch's default initialization, drawn from `generator`."""
    # Through the meta device: torch's own initialization would draw from the global generator.
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    bound = 1.0 / math.sqrt(inputs)
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer
