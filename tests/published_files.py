"""Checkpoints in the published format, from encoders of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.encoders.box import BoxEncoder

PROMPT = "prompt_encoder."


def published_weights(encoder: BoxEncoder) -> dict[str, torch.Tensor]:
    """The weights of an encoder of boxes under the published names."""
    state = encoder.state_dict()
    model = {
        f"{PROMPT}pe_layer.positional_encoding_gaussian_matrix": state["gaussian"],
        f"{PROMPT}point_embeddings.2.weight": state["token_offsets"][:1],
        f"{PROMPT}point_embeddings.3.weight": state["token_offsets"][1:],
        "z_cam_token": state["view_tokens"][:, None],
    }
    for kind in ("weight", "bias"):
        model[f"observers.{kind}"] = state[f"decoder.{kind}"]
        model |= {f"pos_encoder.layer{k + 1}.{kind}": state[f"layers.{k}.{kind}"] for k in range(3)}
    return model


def write_published(path: Path, model: object) -> Path:
    """Save as the published code does."""
    torch.save({"epoch": 3, "loss": 0.5, "optimizer": {"state": {}}, "model": model}, path)
    return path
