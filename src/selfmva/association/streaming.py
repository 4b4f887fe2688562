"""From frames and what was learnt to associations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.association import Association
from selfmva.association.cues import frame_cues
from selfmva.matching.posterior.posterior import pair_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from selfmva.association.cues import Rig
    from selfmva.core.types import Frame
    from selfmva.matching.posterior.fusion import FusedTable

CHUNK_FRAMES = 64  # frames that are looked at together, at most
CHUNK_BOXES = 512  # and boxes: what bounds the memory
CHUNK_IMAGES = 32  # and images that frames bring along


def associate_frames(
    rig: Rig, frames: Sequence[Frame], tables: Mapping[tuple[int, int], FusedTable] | None, threshold: float
) -> list[Association]:
    """Associate a few frames together.

    Args:
        rig: What was learnt.
        frames: Clipped frames of its cameras.
        tables: What distances mean; None: see `selfmva.matching.posterior.posterior.similarities`.
        threshold: Probability above which boxes are joined.

    Returns:
        One association per frame.
    """
    counts = np.array([frame.counts for frame in frames])
    paired = pair_up(frame_cues(rig, frames), counts, tables, threshold)
    return [
        Association(frame, rig.views, ids, probabilities, calibrated=tables is not None, floor=rig.floor)
        for frame, (ids, probabilities) in zip(frames, paired, strict=True)
    ]


def chunks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Cut a stream into pieces of bounded size, in order."""
    chunk: list[Frame] = []
    boxes = images = 0
    for frame in frames:
        chunk.append(frame)
        boxes += sum(frame.counts)
        images += sum(image is not None for image in frame.images or ())
        if len(chunk) >= CHUNK_FRAMES or boxes >= CHUNK_BOXES or images >= CHUNK_IMAGES:
            yield chunk
            chunk, boxes, images = [], 0, 0
    if chunk:
        yield chunk
