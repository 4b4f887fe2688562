"""From frames and what was learnt to associations, a chunk at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.association import Association
from selfmva.association.cues import frame_distances
from selfmva.association.cues.base import batch_of_frames
from selfmva.association.cues.embedding import EmbeddingCue
from selfmva.association.frame_edges import find_edges
from selfmva.association.health.tally import tally_edges
from selfmva.association.probabilities import EdgeProbabilities
from selfmva.association.uncalibrated import links_of_matches, similarities
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.grouping.edge_groups import group_edges
from selfmva.matching.grouping.groups import group_frames
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.matching.posterior.edges import posteriors_of_edges
from selfmva.matching.posterior.posterior import bounded_log_odds, symmetric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from selfmva.association.health.tally import Tally
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame


@dataclass(frozen=True)
class StreamChunkSettings:
    """What is looked at together, at most: enough for speed, and bounded memory."""

    frames: int = 64  # of a stream
    boxes: int = 1024  # of all their views: what bounds the memory; in smaller pieces, threads wait for each other
    images: int = 32  # that the frames bring along


STREAM_CHUNK = StreamChunkSettings()


def associate_frames(model: FittedModel, frames: Sequence[Frame]) -> list[Association]:
    """Associate a few frames together.

    Args:
        model: What was learnt.
        frames: Clipped frames of its cameras.

    Returns:
        One association per frame.
    """
    return associate_and_tally(model, frames)[0]


def associate_and_tally(model: FittedModel, frames: Sequence[Frame]) -> tuple[list[Association], Tally | None]:
    """The same, and what the watch over a stream has to know of it; None where nothing is known of what fit() saw."""
    if model.tables is None:
        return _associate_by_similarity(model, frames), None
    batch, _ = batch_of_frames(frames)
    edges, log_odds = find_edges(model, frames, batch)
    posterior = posteriors_of_edges(log_odds, edges)
    threshold = float(bounded_log_odds(np.array(model.config.association.threshold)))
    ids = group_edges(bounded_log_odds(posterior), edges, -LARGEST_LOG_ODDS, threshold)
    bounds = np.searchsorted(edges.first, edges.ends).tolist()
    result = []
    for number, (frame, start) in enumerate(zip(frames, edges.ends.tolist(), strict=False)):
        part = slice(bounds[number], bounds[number + 1])
        own = edges.first[part] - start, edges.second[part] - start, posterior[part].copy()
        cuts = (start + np.cumsum(frame.counts)).tolist()
        found = tuple(ids[end - size : end].copy() for end, size in zip(cuts, frame.counts, strict=True))
        probabilities = EdgeProbabilities(*own, frame.counts)
        result.append(Association(frame, model.views, found, probabilities, floor=model.floor))
    if model.profile is None:
        return result, None
    indices = [frame.index for frame in frames]
    return result, tally_edges(model.views, indices, batch.boxes, edges, log_odds, posterior)


def _associate_by_similarity(model: FittedModel, frames: Sequence[Frame]) -> list[Association]:
    """Of a model that is not calibrated."""
    counts = np.array([frame.counts for frame in frames])
    distances = frame_distances(model, frames)
    scores = similarities([matrices[EmbeddingCue.name] for matrices in distances], counts)
    ids = group_frames(symmetric(links_of_matches(scores, counts), counts.shape[1]), counts)
    return [
        Association(
            frame,
            model.views,
            tuple(numbers[:size].copy() for numbers, size in zip(found, frame.counts, strict=True)),
            _by_pair(own, frame.counts),
            calibrated=False,
            floor=model.floor,
        )
        for frame, found, own in zip(frames, ids, scores, strict=True)
    ]


def _by_pair(padded: FloatArray, counts: Sequence[int]) -> dict[tuple[int, int], FloatArray]:
    """Blocks without their padding, by view pair."""
    pairs = view_pairs(len(counts))
    return {(i, j): padded[place, : counts[i], : counts[j]].copy() for place, (i, j) in enumerate(pairs)}


def chunks(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    """Cut a stream into pieces of bounded size, in order."""
    chunk: list[Frame] = []
    boxes = images = 0
    for frame in frames:
        chunk.append(frame)
        boxes += sum(frame.counts)
        images += sum(image is not None for image in frame.images or ())
        if len(chunk) >= STREAM_CHUNK.frames or boxes >= STREAM_CHUNK.boxes or images >= STREAM_CHUNK.images:
            yield chunk
            chunk, boxes, images = [], 0, 0
    if chunk:
        yield chunk
