"""What distances of appearance mean: those of one person in two views, and those of two people; without labels.

Instants that are shifted tell nothing here, for the same people are still there. Geometry does: whom it brings together
is one person, whom it keeps apart are two. The distance d of two boxes of the view pair p is drawn from a normal
density around m_p where they are two people, and around m_p - g where they are one; m_p is each view pair's own, for
each has its own shift in colour, the gap g and both spreads are shared. They are found by expectation-maximization:

    P = marginals of one-to-one matchings with the log-odds S_geometry + r_p(d),    r_p = log-ratio of the densities,

then means and spreads of all distances, weighed by P and by 1 - P, and so on. Independent cues check each other: where
the matches of a view pair's geometry are no nearer than strangers, it is that geometry which is wrong, and it is
dropped. Where nobody's geometry is known, the search begins with what single views tell: two boxes at one instant are
two people, and two boxes of a tracklet are one. Uniforms have no gap, and then no weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.association.appearance.densities import NO_LIMITS, SMALLEST_SPREAD, AppearanceModel, Limits
from selfmva.association.appearance.em import log_likelihood, settle, weigh
from selfmva.association.appearance.pair_distances import APPEARANCE_BLOCKS
from selfmva.matching.posterior.marginals import matching_marginals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.association.appearance.densities import ViewPair
    from selfmva.association.appearance.pair_distances import PairEvidence
    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class AppearanceLearningSettings:
    """Search for what distances of appearance mean, and the verdict."""

    fewest_blocks: int = 4  # of the recording with matches, without which chance cannot be measured
    standard_errors: float = 3.0  # by which a gap must exceed 0
    standard_errors_to_refute: float = 2.0  # by which a geometry's gap must be below half of the others'
    # Fractions of the gap inside views where the search for that between views begins.
    first_gaps: tuple[float, ...] = (0.4, 0.8, 1.2)
    # Standard deviations that must lie between one person and two where no geometry vouches for it: nearer together,
    # a mixture of two has one peak, whatever is in it.
    smallest_separation: float = 1.0
    least_gain: float = 10.0  # log-likelihood over "all are strangers", where no geometry vouches for it


LEARNING = AppearanceLearningSettings()


class OwnViews(NamedTuple):
    """Distances of boxes of one view.

    Attributes:
        same: `(K,)` of two boxes of a tracklet, some time apart.
        other: `(L,)` of two boxes at one instant.
    """

    same: FloatArray
    other: FloatArray

    def limits(self) -> Limits:
        """What they say of appearance between views."""
        return Limits(max(float(min(self.same.std(), self.other.std())), SMALLEST_SPREAD), float(self.other.mean()))


class Verdict(NamedTuple):
    """What appearance is worth.

    Attributes:
        model: What distances mean; None where appearance tells nothing.
        refuted: View pairs whose geometry brings strangers together.
        bias: Log-odds of two boxes that nothing is known about, for view pairs without geometry.
    """

    model: AppearanceModel | None
    refuted: frozenset[ViewPair]
    bias: Mapping[ViewPair, float]


NOTHING_SEEN = Verdict(None, frozenset(), {})


def learn_appearance(evidence: Mapping[ViewPair, PairEvidence], own: OwnViews) -> Verdict:
    """Learn what distances of appearance mean.

    Args:
        evidence: Of every view pair.
        own: Distances inside the views.

    Returns:
        What appearance is worth, and which geometries it refutes.
    """
    known = {pair: entry for pair, entry in evidence.items() if np.isfinite(entry.distances).any()}
    if not known:
        return NOTHING_SEEN
    with_geometry = {pair: entry for pair, entry in known.items() if entry.has_geometry}
    model, refuted = _by_geometry(with_geometry)
    # Those whom geometry brings together tell what one person looks like; those whom the model chose are near anyway.
    vouched = model is not None
    teachers = set(with_geometry) - refuted if vouched else set(known)
    starts = [model] if model is not None else _by_single_views(known, own)
    free = {pair: entry.without_geometry() if pair in refuted else entry for pair, entry in known.items()}
    limits = NO_LIMITS if vouched or not starts else own.limits()
    ends = [settle(free, start, teachers, limits) for start in starts]
    if not ends:
        return NOTHING_SEEN
    found, bias = max(ends, key=lambda end: log_likelihood(free, *end).sum()) if len(ends) > 1 else ends[0]
    if not vouched and (found.separation < LEARNING.smallest_separation or not _explains(free, found, bias, limits)):
        return NOTHING_SEEN
    return Verdict(found, refuted, bias)


def _by_geometry(evidence: Mapping[ViewPair, PairEvidence]) -> tuple[AppearanceModel | None, frozenset[ViewPair]]:
    """Appearance model of those whom geometry brings together, and which geometries it doesn't fit."""
    matched = {pair: matching_marginals(entry.scores) for pair, entry in evidence.items()}
    trusted = dict(evidence)
    while trusted:
        model = weigh(trusted, matched, trusted)
        sums = {pair: _gaps(entry, matched[pair], model.strangers[pair]) for pair, entry in trusted.items()}
        if _margin(np.sum(list(sums.values()), axis=0), 0.0) < LEARNING.standard_errors:
            return None, frozenset()
        wrong = {pair for pair in trusted if _margin(sums[pair], model.gap / 2) < -LEARNING.standard_errors_to_refute}
        if not wrong:
            return model, frozenset(evidence) - frozenset(trusted)
        worst = min(wrong, key=lambda pair: sums[pair][:, 0].sum() / sums[pair][:, 1].sum())
        del trusted[worst]
    return None, frozenset()


def _by_single_views(known: Mapping[ViewPair, PairEvidence], own: OwnViews) -> list[AppearanceModel]:
    """First guesses, from what single views tell; none where that is nothing."""
    gap = _own_gap(own)
    if gap <= 0:
        return []
    spread = max(float(own.other.std()), SMALLEST_SPREAD)
    strangers = {pair: float(np.nanmean(entry.distances)) for pair, entry in known.items()}
    return [AppearanceModel(strangers, fraction * gap, spread, spread) for fraction in LEARNING.first_gaps]


def _own_gap(own: OwnViews) -> float:
    """How much nearer two boxes of a tracklet are than two of one instant; 0 where that may be chance."""
    if min(len(own.same), len(own.other)) < 2:
        return 0.0
    error = np.hypot(own.same.std() / np.sqrt(len(own.same)), own.other.std() / np.sqrt(len(own.other)))
    gap = float(own.other.mean() - own.same.mean())
    return gap if gap > LEARNING.standard_errors * error else 0.0


def _explains(
    evidence: Mapping[ViewPair, PairEvidence], model: AppearanceModel, bias: Mapping[ViewPair, float], limits: Limits
) -> bool:
    """Whether distances are better explained than by strangers alone, throughout the recording."""
    nobody = {pair: np.zeros_like(entry.distances) for pair, entry in evidence.items()}
    alone = weigh(evidence, nobody, evidence, limits)._replace(gap=0.0)
    gain = log_likelihood(evidence, model, bias) - log_likelihood(
        evidence, alone._replace(spread_same=alone.spread_other), bias
    )
    error = gain.std(ddof=1) / np.sqrt(APPEARANCE_BLOCKS)
    return bool(gain.sum() > LEARNING.least_gain and gain.mean() > LEARNING.standard_errors * error)


def _gaps(entry: PairEvidence, matched: FloatArray, strangers: float) -> FloatArray:
    """`(8, 2)` by block: sum over matches of how much nearer they are than strangers, and number of matches."""
    known = np.isfinite(entry.distances)
    weight = np.where(known, matched, 0.0)
    nearer = np.where(known, strangers - entry.distances, 0.0)
    columns = (weight * nearer).sum(axis=(1, 2)), weight.sum(axis=(1, 2))
    return np.stack([np.bincount(entry.blocks(), column, APPEARANCE_BLOCKS) for column in columns], axis=1)


def _margin(sums: FloatArray, expected: float) -> float:
    """Standard errors by which a gap exceeds what is expected, chance measured between blocks."""
    filled = sums[:, 1] > 0
    if filled.sum() < LEARNING.fewest_blocks:
        return 0.0
    weight = sums[filled, 1]
    mean = sums[filled, 0].sum() / weight.sum()
    residual = sums[filled, 0] - mean * weight  # a ratio's standard error (Cochran, Sampling Techniques, section 6.3)
    error = np.sqrt((residual**2).sum() * len(weight) / (len(weight) - 1)) / weight.sum()
    return float((mean - expected) / max(error, 1e-9))
