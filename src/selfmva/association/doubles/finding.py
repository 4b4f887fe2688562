"""Which boxes of frames show a person of whom the same view has another box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from selfmva.association.cues.base import batch_of_frames
from selfmva.association.doubles.learning import DOUBLES, learn_doubles
from selfmva.association.doubles.overlap import overlap_cells, pairs_within_images
from selfmva.association.frame_edges import find_edges
from selfmva.core.types import select_boxes
from selfmva.matching.posterior.edges import Edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.doubles.learning import Doubles
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame, IntArray

FRAMES_AT_ONCE = 256  # what bounds the memory


def find_first_boxes(
    doubles: Doubles, boxes: FloatArray, count: IntArray, strength: FloatArray | None = None
) -> IntArray | None:
    """The box that stands for the person of each box; None where every box stands for itself.

    Args:
        doubles: How likely two boxes are one person.
        boxes: `(M, 4)` of F frames, frame after frame and view after view.
        count: `(F, V)` number of boxes.
        strength: `(M,)` of several boxes of one person, that with most is taken; None, and where it is the same: the
            largest.

    Returns:
        `(M,)` int64 rows.
    """
    first, second = pairs_within_images(count.ravel())
    cell = overlap_cells(boxes[first], boxes[second])
    near = np.flatnonzero(cell >= 0)
    view = np.repeat(np.tile(np.arange(count.shape[1]), len(count)), count.ravel())
    likely = doubles.probabilities[view[first[near]], cell[near]] > DOUBLES.likely
    if not likely.any():
        return None
    ends = first[near[likely]], second[near[likely]]
    links = coo_array((np.ones(len(ends[0])), ends), shape=(len(boxes), len(boxes)))
    person = connected_components(links, directed=False)[1]
    size = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    order = np.lexsort((-size, np.zeros(len(boxes)) if strength is None else -strength, person))
    leader = order[np.searchsorted(person[order], np.arange(person.max() + 1))]
    return np.asarray(leader[person], dtype=np.int64)


def strengths(log_odds: FloatArray, edges: Edges) -> FloatArray:
    """`(M,)` what speaks for a partner of each box, the best of each other view summed up."""
    boxes, views = len(edges.view), edges.views
    best = np.zeros(boxes * views)
    for side in edges.sides:
        np.maximum.at(best, side, log_odds)
    return np.asarray(best.reshape(boxes, views).sum(axis=1))


def without_doubles(frames: Sequence[Frame], first_boxes: IntArray | None) -> list[Frame]:
    """Frames with one box of a person in a view.

    Args:
        frames: Frames.
        first_boxes: Of all their boxes, see `find_first_boxes`.
    """
    if first_boxes is None:
        return list(frames)
    stands = first_boxes == np.arange(len(first_boxes))
    result, end = [], 0
    for frame in frames:
        begin, end = end, end + sum(frame.counts)
        kept = stands[begin:end]
        one = kept.all()
        result.append(frame if one else select_boxes(frame, np.split(kept, np.cumsum(frame.counts)[:-1])))
    return result


def edges_without(edges: Edges, log_odds: FloatArray, first_boxes: IntArray) -> tuple[Edges, FloatArray]:
    """Edges, and their log-odds, between the boxes that stand for people, as if there were no others."""
    stands = first_boxes == np.arange(len(first_boxes))
    place = np.cumsum(stands) - 1
    kept = stands[edges.first] & stands[edges.second]
    image = edges.frame * edges.views + edges.view
    count = np.bincount(image[stands], minlength=edges.count.size).reshape(edges.count.shape)
    return Edges(place[edges.first[kept]], place[edges.second[kept]], count), log_odds[kept]


def single_frames(model: FittedModel, frames: Sequence[Frame]) -> list[Frame]:
    """Frames with one box of a person in a view: that which meets partners best.

    Args:
        model: What was learnt.
        frames: Clipped frames of its cameras.
    """
    if model.doubles is None or model.tables is None:
        return list(frames)
    batch, _ = batch_of_frames(frames)
    edges, log_odds = find_edges(model, frames, batch)
    return without_doubles(
        frames, find_first_boxes(model.doubles, batch.boxes, edges.count, strengths(log_odds, edges))
    )


def without_learnt_doubles(frames: list[Frame], views: int) -> tuple[list[Frame], Doubles | None, int]:
    """A recording with one box of a person in a view, the largest, for nothing is known of partners yet.

    Args:
        frames: Clipped frames in the order of time.
        views: Number of views.

    Returns:
        The frames; what was learnt of doubles, None where there are none; and how many boxes were left out.
    """
    doubles = learn_doubles(frames, views)
    if doubles is None:
        return frames, None, 0
    single: list[Frame] = []
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        part = frames[start : start + FRAMES_AT_ONCE]
        boxes = np.concatenate([boxes for frame in part for boxes in frame.boxes])
        single += without_doubles(part, find_first_boxes(doubles, boxes, np.array([frame.counts for frame in part])))
    return single, doubles, _count(frames) - _count(single)


def _count(frames: Sequence[Frame]) -> int:
    return sum(sum(frame.counts) for frame in frames)
