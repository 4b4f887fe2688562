"""What stands in for probabilities before anything is calibrated: the published similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.assignment import solve
from selfmva.matching.published import SIMILARITY_EPSILON, similarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray

UNMATCHED = -0.5  # half the weight of the best match


def similarities(distances: Sequence[FloatArray], count: IntArray) -> FloatArray:
    """Similarity of every pair of boxes of two views: 1 - distance / largest distance of the two views.

    Args:
        distances: For each of F frames, `(M, M)` distances of its boxes, view after view.
        count: `(F, V)` number of boxes.

    Returns:
        `(F, P, K, K)` in [0, 1], P view pairs in the order of `view_pairs`, K the largest number of boxes; 0 in the
        padding.
    """
    pairs, width = view_pairs(count.shape[1]), int(count.max(initial=0))
    padded = np.zeros((len(distances), len(pairs), width, width))
    ends = np.cumsum(count, axis=1)
    for number, matrix in enumerate(distances):
        rows = [slice(end - size, end) for end, size in zip(ends[number], count[number], strict=True)]
        for place, (i, j) in enumerate(pairs):
            if count[number, i] and count[number, j]:
                block = similarity(matrix[rows[i], rows[j]].astype(np.float64))
                padded[number, place, : count[number, i], : count[number, j]] = block
    return padded


def links_of_matches(scores: FloatArray, count: IntArray) -> FloatArray:
    """For grouping without probabilities: similarity where the optimal assignment matches two boxes, else negative.

    Args:
        scores: `(F, P, K, K)` similarities.
        count: `(F, V)` number of boxes.

    Returns:
        `(F, P, K, K)`, for `group_frames` at threshold 0.
    """
    one, other = (np.array(side) for side in zip(*view_pairs(count.shape[1]), strict=True))
    width = scores.shape[-1]
    matched = solve(
        -scores.reshape(len(count) * len(one), width, width), count[:, one].ravel(), count[:, other].ravel()
    ).columns
    links = np.full((len(matched), width, width), UNMATCHED)
    problem, row = np.nonzero(matched >= 0)
    cell = (problem, row, matched[problem, row])
    links[cell] = scores.reshape(len(links), width, width)[cell] + SIMILARITY_EPSILON
    return links.reshape(scores.shape)
