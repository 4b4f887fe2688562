"""HOTA: detection and association in balance, over all thresholds of similarity.

Source: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021
(https://doi.org/10.1007/s11263-020-01375-2), sections 5 and 6. What the paper leaves open is as in TrackEval: one
matching for all thresholds, of the largest sum of similarity times how well two tracks agree over the whole sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.metrics.tracking.matching import best_pairs, meetings
from selfmva.metrics.tracking.sequence import SIMILARITY_ROUNDING

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.metrics.tracking.sequence import TrackSequence

ALPHAS: tuple[float, ...] = tuple(np.arange(0.05, 0.99, 0.05).tolist())  # 0.05, 0.10, ..., 0.95


@dataclass(frozen=True, eq=False)
class HotaCurves:
    """HOTA and its parts at each threshold alpha of similarity, `(19,)` float64 each.

    Attributes:
        alpha: The thresholds: 0.05, 0.10, ..., 0.95.
        hota: Geometric mean of `deta` and `assa`.
        deta: Detection accuracy: matches / (matches + boxes without one, of both sides).
        assa: Association accuracy: over all matches, how much the two whole tracks have in common; 0 without a match.
        detre: Detection recall.
        detpr: Detection precision.
        assre: Association recall.
        asspr: Association precision.
        loca: Mean similarity of the matches; 1 without a match.
    """

    alpha: FloatArray
    hota: FloatArray
    deta: FloatArray
    assa: FloatArray
    detre: FloatArray
    detpr: FloatArray
    assre: FloatArray
    asspr: FloatArray
    loca: FloatArray


def hota(sequence: TrackSequence) -> HotaCurves:
    """HOTA and its parts; their means over the 19 thresholds are what is usually reported.

    Args:
        sequence: Truth and what was found, all of known identity.

    Returns:
        The curves; NaN where neither side has a box.

    Example:
        >>> from selfmva.metrics.tracking.sequence import TrackSequence, Side
        >>> truth, found = (Side(np.arange(4), np.array(ids), 2) for ids in ([0, 0, 0, 0], [0, 0, 1, 1]))
        >>> curves = hota(TrackSequence(4, truth, found, np.arange(4), np.arange(4), np.ones(4)))
        >>> float(curves.deta.mean()), float(curves.assa.mean())
        (1.0, 0.5)
    """
    people, ids, track = meetings(sequence, np.arange(len(sequence.rows)))
    boxes_of = np.bincount(sequence.truth.ids, minlength=1)[people]
    boxes_found = np.bincount(sequence.found.ids, minlength=1)[ids]
    together = boxes_of + boxes_found
    chosen = best_pairs(sequence, _alignment(sequence, track, together)[track] * sequence.similarity)
    track, similarity = track[chosen], sequence.similarity[chosen]

    alphas = np.array(ALPHAS)
    level = np.searchsorted(alphas - SIMILARITY_ROUNDING, similarity, side="right")  # matched at so many thresholds
    true, located, *association = np.zeros((5, len(alphas)))
    for k in range(len(alphas)):
        matched = level > k
        times = np.bincount(track[matched], minlength=len(people))
        true[k], located[k] = times.sum(), similarity[matched].sum()
        for part, whole in zip(association, (together - times, boxes_of, boxes_found), strict=True):
            part[k] = (times * times / np.maximum(1, whole)).sum() / max(1, true[k])
    boxes, found = len(sequence.truth.ids), len(sequence.found.ids)
    detection = {
        "deta": _of(true, boxes + found - true),
        "detre": _of(true, np.full(len(alphas), boxes)),
        "detpr": _of(true, np.full(len(alphas), found)),
    }
    return HotaCurves(
        alpha=alphas,
        hota=np.sqrt(detection["deta"] * association[0]),
        loca=np.where(true > 0, located / np.maximum(1, true), 1.0),
        **detection,
        **dict(zip(("assa", "assre", "asspr"), association, strict=True)),
    )


def _alignment(sequence: TrackSequence, track: IntArray, together: IntArray) -> FloatArray:
    """How much two tracks have in common, before anything is matched: a Jaccard index of similarities."""
    of_row = np.bincount(sequence.rows, sequence.similarity, minlength=1)[sequence.rows]
    of_column = np.bincount(sequence.columns, sequence.similarity, minlength=1)[sequence.columns]
    common = np.bincount(
        track, sequence.similarity / (of_row + of_column - sequence.similarity), minlength=len(together)
    )
    return np.asarray(common / (together - common))


def _of(part: FloatArray, whole: FloatArray | IntArray) -> FloatArray:
    """Fractions; NaN of nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
