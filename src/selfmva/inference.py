"""From frames and a trained encoder to associations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.association import Association
from selfmva.matching.cost import frame_distances
from selfmva.pairing import pair_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

    from selfmva.affinity import DistanceTable
    from selfmva.encoders.box import BoxEncoder
    from selfmva.types import Frame, View

CHUNK_FRAMES = 64  # frames that are looked at together, at most
CHUNK_BOXES = 512  # and boxes: what bounds the memory


def embed_frames(encoder: BoxEncoder, frames: Sequence[Frame], first_view: int = 0) -> Tensor:
    """Embeddings of all boxes of some frames, frame after frame and view after view.

    Args:
        encoder: A trained encoder.
        frames: Frames of the same number of views.
        first_view: Number of the first of these views.

    Returns:
        `(M, 768)` float32 on the device of the encoder.
    """
    device = encoder.view_tokens.device
    counts = np.array([frame.counts for frame in frames])
    boxes = np.concatenate([boxes for frame in frames for boxes in frame.boxes]).astype(np.float32)
    numbers = np.tile(np.arange(counts.shape[1]) + first_view, len(frames))
    view = torch.from_numpy(np.repeat(numbers, counts.reshape(-1)))
    with torch.inference_mode():
        embeddings: Tensor = encoder(torch.from_numpy(boxes).to(device), view.to(device))
    return embeddings


def associate_frames(
    encoder: BoxEncoder,
    views: tuple[View, ...],
    frames: Sequence[Frame],
    tables: Mapping[tuple[int, int], DistanceTable] | None,
    threshold: float,
) -> list[Association]:
    """Associate a few frames together.

    Args:
        encoder: A trained encoder.
        views: The cameras.
        frames: Clipped frames of these cameras.
        tables: What distances mean; None: see `selfmva.pairing.similarities`.
        threshold: Probability above which boxes are joined.

    Returns:
        One association per frame.
    """
    counts = np.array([frame.counts for frame in frames])
    with torch.inference_mode():
        distances = frame_distances(embed_frames(encoder, frames), counts)
    paired = pair_up(distances, counts, tables, threshold)
    return [
        Association(frame, views, ids, probabilities, calibrated=tables is not None)
        for frame, (ids, probabilities) in zip(frames, paired, strict=True)
    ]


def chunks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Cut a stream into pieces of bounded size, in order."""
    chunk: list[Frame] = []
    boxes = 0
    for frame in frames:
        chunk.append(frame)
        boxes += sum(frame.counts)
        if len(chunk) >= CHUNK_FRAMES or boxes >= CHUNK_BOXES:
            yield chunk
            chunk, boxes = [], 0
    if chunk:
        yield chunk
