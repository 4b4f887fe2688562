"""Identity scores: for how many boxes the one id that suits a person best over the whole sequence is right.

Source: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV Workshops
2016 (https://arxiv.org/abs/1609.01775), equations 8 to 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.metrics.tracking.clear import ratio
from selfmva.metrics.tracking.matching import meetings

if TYPE_CHECKING:
    from selfmva.core.types import IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence


@dataclass(frozen=True)
class IdentityScore:
    """Identity scores of one sequence; NaN where nothing defines them.

    Attributes:
        idf1: Harmonic mean of the two.
        idp: Found boxes whose id is right.
        idr: Boxes of the truth that are found with the right id.
        id_true_positives: How many these are.
    """

    idf1: float
    idp: float
    idr: float
    id_true_positives: int


def identity(sequence: TrackSequence, threshold: float = 0.5) -> IdentityScore:
    """Identity scores.

    Args:
        sequence: Truth and what was found, all of known identity.
        threshold: Least similarity of a match.

    Example:
        >>> from selfmva.metrics.tracking.sequence import TrackSequence, Side
        >>> truth, found = (Side(np.arange(3), np.array(ids), 2) for ids in ([0, 0, 0], [0, 1, 1]))
        >>> round(identity(TrackSequence(3, truth, found, np.arange(3), np.arange(3), np.ones(3))).idf1, 3)
        0.667
    """
    people, ids, meeting = meetings(sequence, np.flatnonzero(sequence.similarity >= threshold))
    right = _most_meetings(people, ids, np.bincount(meeting)) if len(people) else 0
    boxes, found = len(sequence.truth.ids), len(sequence.found.ids)
    return IdentityScore(
        idf1=ratio(2 * right, boxes + found), idp=ratio(right, found), idr=ratio(right, boxes), id_true_positives=right
    )


def _most_meetings(people: IntArray, ids: IntArray, times: IntArray) -> int:
    """How many boxes are right if every person has the one id, and every id the one person, that suit best.

    Args:
        people: `(M,)` who meets an id.
        ids: `(M,)` which.
        times: `(M,)` how often.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, columns = (np.unique(numbers, return_inverse=True)[1] for numbers in (people, ids))
    P, M = int(rows.max()) + 1, int(columns.max()) + 1
    # Sparse, because a tracker may make up any number of ids. Everybody may stay alone, in a column of their own.
    alone = float(times.max()) + 1
    weights = np.concatenate([alone - times, np.full(P, alone)])
    places = np.stack([np.concatenate([rows, np.arange(P)]), np.concatenate([columns, M + np.arange(P)])])
    costs = csr_array((weights, tuple(places.astype(np.int32))), shape=(P, M + P))  # SciPy 1.13 reads no other
    return round(P * alone - float(costs[min_weight_full_bipartite_matching(costs)].sum()))
