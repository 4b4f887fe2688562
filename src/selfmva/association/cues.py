"""What two boxes have in common, cue by cue: by the embedding, on the floor, by each other's lines, by their looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import unit_length
from selfmva.core.view_pairs import view_pairs
from selfmva.geometry.epipolar import epipolar_distances, visible_heads
from selfmva.geometry.floor_likelihood import distances_on_floor
from selfmva.matching.distances import frame_distances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.floor import Floor

CUES = ("embedding", "floor", "head lines", "appearance")
EMBEDDING, FLOOR, LINES, APPEARANCE = range(len(CUES))


@dataclass(frozen=True, eq=False)
class Rig:
    """Everything that was learnt of some cameras, save what distances mean.

    Attributes:
        views: The cameras.
        encoder: A trained encoder; None where there is none, and the embedding is no cue.
        floor: The common floor, None where none was found.
        lines: Fundamental matrices `(3, 3)` of head points by view pair (i, j), i < j, where they are trusted.
        appearance: Whether appearance is one of the cues.
    """

    views: tuple[View, ...]
    encoder: BoxEncoder | None
    floor: Floor | None = None
    lines: Mapping[tuple[int, int], FloatArray] = field(default_factory=dict)
    appearance: bool = False

    @property
    def cues(self) -> int:
        """Number of cues: the first ones of `CUES`."""
        return len(CUES) if self.appearance else APPEARANCE


def embed_frames(encoder: BoxEncoder, frames: Sequence[Frame], first_view: int = 0) -> Tensor:
    """Embeddings of all boxes of some frames, frame after frame and view after view.

    Args:
        encoder: A trained encoder.
        frames: Frames of the same number of views.
        first_view: Number of the first of these views.

    Returns:
        `(M, 768)` float32 on the device of the encoder.
    """
    counts = np.array([frame.counts for frame in frames])
    boxes = np.concatenate([boxes for frame in frames for boxes in frame.boxes])
    numbers = np.tile(np.arange(counts.shape[1]) + first_view, len(frames))
    return encoder.embed(boxes, np.repeat(numbers, counts.reshape(-1)))


def frame_cues(rig: Rig, frames: Sequence[Frame]) -> list[FloatArray]:
    """Distances of all boxes of each frame, by every cue.

    Args:
        rig: What was learnt.
        frames: Clipped frames of its cameras.

    Returns:
        For each frame `(C, M, M)`, its boxes view after view; NaN where a cue knows nothing of two boxes.
    """
    counts = np.array([frame.counts for frame in frames])
    result = []
    for frame, count, distances in zip(frames, counts, _embedding_distances(rig, frames, counts), strict=True):
        cues = np.full((rig.cues, count.sum(), count.sum()), np.nan)
        cues[EMBEDDING] = distances
        boxes = np.concatenate(frame.boxes)
        if len(boxes):
            cues[FLOOR] = floor_distances(rig, boxes, np.repeat(np.arange(len(count)), count))
            start = np.cumsum(count) - count
            for i, j in view_pairs(len(count)):
                rows, columns = (slice(start[v], start[v] + count[v]) for v in (i, j))
                cues[LINES, rows, columns] = line_distances(rig, i, j, frame.boxes[i], frame.boxes[j])
            if rig.appearance and frame.features:
                features = unit_length(np.concatenate([part for part in frame.features if len(part)]))
                cues[APPEARANCE] = appearance_distances(features, features)
        result.append(cues)
    return result


def _embedding_distances(rig: Rig, frames: Sequence[Frame], counts: IntArray) -> Sequence[FloatArray | float]:
    """Of all boxes of each frame; NaN without an encoder."""
    if rig.encoder is None:
        return [np.nan] * len(frames)
    import torch

    with torch.inference_mode():
        return frame_distances(embed_frames(rig.encoder, frames), counts)


def floor_distances(rig: Rig, boxes: FloatArray, view: IntArray) -> FloatArray:
    """`(M, M)` distances of boxes of all views on the floor; NaN without one."""
    if rig.floor is None:
        return np.full((len(boxes), len(boxes)), np.nan)
    standing = rig.floor.read(boxes, view)
    return distances_on_floor(standing, standing)


def line_distances(rig: Rig, i: int, j: int, boxes_i: FloatArray, boxes_j: FloatArray) -> FloatArray:
    """`(N, M)` distances of heads of view i and of view j > i from each other's lines; NaN where none are trusted."""
    matrix = rig.lines.get((i, j))
    if matrix is None:
        return np.full((len(boxes_i), len(boxes_j)), np.nan)
    heads_i, heads_j = (visible_heads(boxes) for boxes in (boxes_i, boxes_j))
    return epipolar_distances(matrix, heads_i, _height(boxes_i), heads_j, _height(boxes_j))


def appearance_distances(features_i: NDArray[np.float32], features_j: NDArray[np.float32]) -> FloatArray:
    """`(N, M)` cosine distances, 0 to 2, of features `(N, D)` and `(M, D)` of length 1; NaN where one is not known."""
    return np.asarray(1.0 - features_i @ features_j.T, dtype=np.float64)


def _height(boxes: FloatArray) -> FloatArray:
    return np.asarray(boxes[:, 3] - boxes[:, 1])
