"""Which detected bodies of each view are which people: poses against keypoints, joint by joint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

FARTHEST_JOINTS = 0.15  # body heights: mean distance of the joints of a body that is a person's
CLIPPED = 2.0  # times that: what a single joint can say against a body, since some are wrong


def match_bodies(
    projected: FloatArray,
    scale: FloatArray,
    keypoints: FloatArray,
    weight: FloatArray,
    farthest: float = FARTHEST_JOINTS,
) -> IntArray:
    """Give each person at most one body of a view.

    Args:
        projected: `(P, J, 2)` pixels of people, NaN where not known.
        scale: `(P,)` pixels of a body height at each of them.
        keypoints: `(N, J, 2)` pixels of bodies.
        weight: `(N, J)` their scores, 0 where missing.
        farthest: Mean distance of joints from which on a body is nobody's, in body heights.

    Returns:
        `(P,)` rows of bodies, -1 where there is none.

    Example:
        >>> people = np.array([[[0.0, 0]], [[50, 0]]])
        >>> match_bodies(people, np.array([100.0, 100]), np.array([[[52.0, 0]], [[300, 0]]]), np.ones((2, 1))).tolist()
        [-1, 0]
    """
    rows = np.full(len(projected), -1)
    if not len(projected) or not len(keypoints):
        return rows
    away = np.linalg.norm(projected[:, None] - keypoints[None], axis=-1) / scale[:, None, None]
    seen = (weight > 0)[None] & np.isfinite(away)
    clipped = np.where(seen, np.minimum(np.nan_to_num(away), CLIPPED * farthest), 0.0)
    count = seen.sum(axis=-1)
    # Of joints that are not seen nothing is known: the mean is over those that are, and nobody without any matches.
    cost = np.where(count > 0, clipped.sum(axis=-1) / np.maximum(count, 1), np.inf)
    # What a pair is better than none: all of its joints count, so that few joints near by don't beat a whole body.
    gain = np.maximum(farthest - cost, 0.0) * count
    person, body = linear_sum_assignment(-gain)
    good = gain[person, body] > 0
    rows[person[good]] = body[good]
    return rows
