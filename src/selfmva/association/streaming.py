"""From frames and what was learnt to associations, a chunk at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.association import Association
from selfmva.association.cues import frame_distances
from selfmva.association.cues.base import batch_of_frames
from selfmva.association.cues.embedding import EmbeddingCue
from selfmva.association.doubles.answers import with_doubles
from selfmva.association.doubles.finding import edges_without, find_first_boxes, strengths, without_doubles
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
    from selfmva.matching.posterior.edges import Edges


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


def associate_and_tally(
    model: FittedModel, frames: Sequence[Frame]
) -> tuple[list[Association], list[Frame], Tally | None]:
    """The same, and what the watch over a stream has to know of it.

    Returns:
        Associations; the frames with one box of a person in a view; what they show, None where nothing is known of what
        fit() saw.
    """
    if model.tables is None:
        return _associate_by_similarity(model, frames), list(frames), None
    batch, _ = batch_of_frames(frames)
    edges, log_odds = find_edges(model, frames, batch)
    first_boxes = None
    if model.doubles is not None:
        first_boxes = find_first_boxes(model.doubles, batch.boxes, edges.count, strengths(log_odds, edges))
    if first_boxes is None:
        return _associate_by_edges(model, frames, batch.boxes, edges, log_odds)
    single, boxes = without_doubles(frames, first_boxes), batch.boxes[first_boxes == np.arange(len(first_boxes))]
    found, singles, tally = _associate_by_edges(model, single, boxes, *edges_without(edges, log_odds, first_boxes))
    starts = zip(edges.ends[:-1], edges.ends[1:], strict=True)
    whole = [
        with_doubles(one, frame, first_boxes[start:end] - start)
        for one, frame, (start, end) in zip(found, frames, starts, strict=True)
    ]
    return whole, singles, tally


def _associate_by_edges(
    model: FittedModel, frames: Sequence[Frame], boxes: FloatArray, edges: Edges, log_odds: FloatArray
) -> tuple[list[Association], list[Frame], Tally | None]:
    """Frames whose pairs of boxes that may be one person are known."""
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
        return result, list(frames), None
    indices = [frame.index for frame in frames]
    return result, list(frames), tally_edges(model.views, indices, boxes, edges, log_odds, posterior)


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
