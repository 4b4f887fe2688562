"""Identity scores: for how many boxes the one id that suits a person best over the whole sequence is right.

Source: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV Workshops
2016 (https://arxiv.org/abs/1609.01775), equations 8 to 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.metrics.tracking.clear import ratio
from selfmva.metrics.tracking.matching import assign, meetings

if TYPE_CHECKING:
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
    right = 0
    if len(people):
        times = np.bincount(meeting)
        # Only those who meet at all are numbered: a tracker may have made up any number of ids.
        rows, columns = (np.unique(numbers, return_inverse=True)[1] for numbers in (people, ids))
        right = int(times[assign(rows, columns, times.astype(np.float64))].sum())
    boxes, found = len(sequence.truth.ids), len(sequence.found.ids)
    return IdentityScore(
        idf1=ratio(2 * right, boxes + found), idp=ratio(right, found), idr=ratio(right, boxes), id_true_positives=right
    )
