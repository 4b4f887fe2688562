"""What single views tell of appearance: two boxes at one instant are two people, two boxes of a tracklet are one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.appearance import OwnViews
from selfmva.geometry.sightings import image_points
from selfmva.geometry.tracklets import link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, IntArray, View

NEIGHBOURS = 3  # boxes of its instant that each box is compared with


def own_distances(packed: PackedBoxes, views: Sequence[View], minimum_shift: int) -> OwnViews:
    """Distances of appearance inside the views.

    Args:
        packed: A recording; nothing is known of one without features.
        views: The cameras, in the order in which the recording is packed.
        minimum_shift: Least number of instants between two boxes of a tracklet; nearer ones are alike whoever it is.

    Returns:
        Distances of one person and of two.
    """
    if packed.features is None:
        return OwnViews(np.zeros(0), np.zeros(0))
    same, other = [], []
    boxes, features = packed.boxes.astype(np.float64), packed.features
    for place, view in enumerate(views):
        count = packed.count[:, place]
        rows = np.repeat(packed.start[:, place] - (np.cumsum(count) - count), count) + np.arange(count.sum())
        instant = np.repeat(np.arange(len(count)), count)
        if len(rows):
            feet, heads = image_points(boxes[rows], view)
            starts = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
            tracks = link(np.arange(len(count), dtype=np.float64), starts, feet, heads)
            one, two = _later(tracks, instant, minimum_shift)
            same.append(_apart(features, rows[one], rows[two]))
            for step in range(1, NEIGHBOURS + 1):
                pairs = np.flatnonzero(instant[:-step] == instant[step:])
                other.append(_apart(features, rows[pairs], rows[pairs + step]))
    return OwnViews(*(np.concatenate([np.zeros(0), *parts]) for parts in (same, other)))


def _later(tracks: IntArray, instant: IntArray, shift: int) -> tuple[IntArray, IntArray]:
    """Pairs of boxes of one tracklet: each box, and the first at least `shift` instants later."""
    order = np.lexsort((instant, tracks))
    length = int(instant.max()) + shift + 1
    key = tracks[order] * length + instant[order]
    later = np.minimum(np.searchsorted(key, key + shift), len(key) - 1)
    found = (tracks[order][later] == tracks[order]) & (key[later] >= key + shift)
    return order[found], order[later[found]]


def _apart(features: np.ndarray, one: IntArray, two: IntArray) -> FloatArray:
    """Cosine distances of rows of features, where both are known."""
    distances = 1.0 - (features[one] * features[two]).sum(axis=1, dtype=np.float64)
    return np.asarray(distances[np.isfinite(distances)])
