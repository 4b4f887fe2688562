"""An encoder from its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from selfmva.encoders.box import BoxEncoder
from selfmva.training.checkpoint import check_architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.core.types import View


def encoder_from_weights(
    views: Sequence[View], prompt: Literal["box", "point"], weights: dict[str, Tensor], source: str
) -> BoxEncoder:
    """Build an encoder, on the CPU.

    Args:
        views: The cameras.
        prompt: What of a box it encodes.
        weights: Its state.
        source: Where they come from, for error messages.

    Returns:
        The encoder.

    Raises:
        CheckpointError: The weights are of another architecture.
    """
    encoder = BoxEncoder(views, prompt=prompt, generator=torch.Generator())
    check_architecture(source, encoder.state_dict(), weights)
    encoder.load_state_dict(weights)
    return encoder
