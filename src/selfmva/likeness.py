"""What likeness means: how far apart the appearance of one person is in two views, and of two people; without labels.

Instants that are shifted tell nothing here, for the same people are still there. Geometry does: whom it brings together
is one person, whom it keeps apart are two. The distance d of two boxes of the view pair p is drawn from a normal
density around m_p where they are two people, and around m_p - g where they are one; m_p is each view pair's own, for
each has its own shift in colour, the gap g and both spreads are shared. They are found by expectation-maximization:

    P = marginals of one-to-one matchings with the log-odds S_geometry + r_p(d),    r_p = log-ratio of the densities,

then means and spreads of all distances, weighed by P and by 1 - P, and so on. Independent cues check each other: where
the matches of a view pair's geometry are no more alike than strangers, it is that geometry which is wrong, and it is
dropped. Where nobody's geometry is known, the search begins with what single views tell: two boxes at one instant are
two people, and two boxes of a tracklet are one. Clothes that look alike have no gap, and then no weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.affinity import KNOTS, LARGEST_LOG_ODDS, DistanceTable, competition, free_without

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from selfmva.types import FloatArray, IntArray

ViewPair = tuple[int, int]
STRETCHES = 8  # of a recording, between which chance is measured
FEWEST_STRETCHES = 4
STANDARD_ERRORS = 3.0  # by which a gap must exceed 0
STANDARD_ERRORS_TO_REFUTE = 2.0  # by which a geometry's gap must be below half of the others'
FIRST_GAPS = (0.4, 0.8, 1.2)  # shares of the gap inside views where the search for that between views begins
# Standard deviations that must lie between one person and two where no geometry vouches for it: nearer together, a
# mixture of two looks like one, whatever is in it.
SMALLEST_SEPARATION = 1.0
LARGEST_RATIO = 25.0  # in likelihoods: as much as products of odds can hold
UNBOUNDED_RATIO = 500.0  # as much as a single number can hold
LEAST_GAIN = 10.0  # in log-likelihood over "all are strangers", where no geometry vouches for it
HIDDEN = 0.02  # share of boxes that show somebody else, who stands in front: bounds what unlikeness says
MOST_ROUNDS, SETTLED = 50, 1e-3
PRIOR_PAIRS = 20.0  # weight, in box pairs, of the view pairs' common mean in the mean of each
FIRST_BIAS = -1.0
LARGEST_BIAS = 3.0  # of those whom one view sees, at most 95 % are taken for seen by the other, whatever was learnt
SMALLEST_SPREAD = 0.02


class Likeness(NamedTuple):
    """Distances of appearance: of strangers around `strangers`, of one person around `strangers - gap`.

    Attributes:
        strangers: Mean distance of two people, by view pair.
        gap: How much nearer one person is.
        spread_same: Standard deviation of distances of one person.
        spread_other: Standard deviation of distances of two people.
    """

    strangers: Mapping[ViewPair, float]
    gap: float
    spread_same: float
    spread_other: float

    @property
    def separation(self) -> float:
        """The gap in standard deviations: d', the sensitivity index of signal detection."""
        return float(self.gap / np.sqrt((self.spread_same**2 + self.spread_other**2) / 2))

    def log_ratio(self, pair: ViewPair, distances: FloatArray, largest: float = LARGEST_LOG_ODDS) -> FloatArray:
        """Log-ratio of the densities of one person and of two, bounded; it never rises with the distance.

        Normal densities of unequal spread cross twice. Beyond the point where likeness would count against a person,
        or unlikeness for one, the ratio stays what it is there.
        """
        same, other = 1 / self.spread_same**2, 1 / self.spread_other**2
        away = np.asarray(distances) - self.strangers[pair]
        if abs(same - other) > 1e-9:
            turn = -self.gap * same / (same - other)
            away = np.maximum(away, turn) if same > other else np.minimum(away, turn)
        ratio = 0.5 * (other * away**2 - same * (away + self.gap) ** 2) + np.log(self.spread_other / self.spread_same)
        ratio = np.clip(ratio, -largest, largest)
        return np.asarray(np.log((1.0 - HIDDEN) * np.exp(ratio) + HIDDEN))


class Limits(NamedTuple):
    """What single views say of likeness between views, where nothing else does.

    Attributes:
        spread: The least. Whoever stands still looks the same for minutes, and a likeness that fits them alone would be
            the most likely one of all.
        strangers: The least mean distance of two people: they look no more alike in two views than in one.
    """

    spread: float
    strangers: float


NO_LIMITS = Limits(SMALLEST_SPREAD, 0.0)


class OwnViews(NamedTuple):
    """Distances of boxes of one view.

    Attributes:
        same: `(K,)` of two boxes of a tracklet, some time apart.
        other: `(L,)` of two boxes at one instant.
    """

    same: FloatArray
    other: FloatArray

    def limits(self) -> Limits:
        """What they say of likeness between views."""
        return Limits(max(float(min(self.same.std(), self.other.std())), SMALLEST_SPREAD), float(self.other.mean()))


@dataclass(frozen=True, eq=False)
class PairEvidence:
    """Boxes of two views at F synchronous instants.

    Attributes:
        distances: `(F, N, M)` distances of appearance; NaN where it is not known, and in the padding.
        scores: `(F, N, M)` log-odds by geometry, before competition, -inf in the padding.
        told: Whether geometry tells anything of this view pair; else scores are 0.
    """

    distances: FloatArray
    scores: FloatArray
    told: bool

    def untold(self) -> PairEvidence:
        """The same without geometry."""
        return PairEvidence(self.distances, np.where(np.isneginf(self.scores), -np.inf, 0.0), told=False)

    def stretches(self) -> IntArray:
        """`(F,)` the stretch of the recording that each instant is in."""
        return np.arange(len(self.distances)) * STRETCHES // max(len(self.distances), 1)


class Verdict(NamedTuple):
    """What appearance is worth.

    Attributes:
        likeness: What distances mean; None where appearance tells nothing.
        refuted: View pairs whose geometry brings strangers together.
        bias: Log-odds of two boxes that nothing is known about, for view pairs without geometry.
    """

    likeness: Likeness | None
    refuted: frozenset[ViewPair]
    bias: Mapping[ViewPair, float]


NOTHING_SEEN = Verdict(None, frozenset(), {})


def stack_blocks(distances: Sequence[FloatArray], scores: Sequence[FloatArray] | None) -> PairEvidence:
    """Pad the blocks of one view pair to one size.

    Args:
        distances: F arrays `(N_f, M_f)`.
        scores: As many of the same shapes, log-odds by geometry; None where there is none.

    Returns:
        The evidence of the view pair.

    Example:
        >>> stack_blocks([np.zeros((1, 2)), np.zeros((2, 1))], None).distances.shape
        (2, 2, 2)
    """
    size = np.max([(0, 0), *(block.shape for block in distances)], axis=0)
    padded = np.full((len(distances), *size), np.nan)
    odds = np.full(padded.shape, -np.inf)
    for number, block in enumerate(distances):
        where = (number, slice(block.shape[0]), slice(block.shape[1]))
        padded[where] = block
        odds[where] = 0.0 if scores is None else scores[number]
    return PairEvidence(padded, odds, told=scores is not None)


def learn_likeness(evidence: Mapping[ViewPair, PairEvidence], own: OwnViews) -> Verdict:
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
    told = {pair: entry for pair, entry in known.items() if entry.told}
    likeness, refuted = _by_geometry(told)
    # Those whom geometry brings together tell what one person looks like; those whom likeness itself chose look alike.
    vouched = likeness is not None
    teachers = set(told) - refuted if vouched else set(known)
    starts = [likeness] if likeness is not None else _by_single_views(known, own)
    free = {pair: entry.untold() if pair in refuted else entry for pair, entry in known.items()}
    limits = NO_LIMITS if vouched or not starts else own.limits()
    ends = [_settle(free, start, teachers, limits) for start in starts]
    if not ends:
        return NOTHING_SEEN
    found, bias = max(ends, key=lambda end: _log_likelihood(free, *end).sum()) if len(ends) > 1 else ends[0]
    if not vouched and (found.separation < SMALLEST_SEPARATION or not _explains(free, found, bias, limits)):
        return NOTHING_SEEN
    return Verdict(found, refuted, bias)


def _by_geometry(told: Mapping[ViewPair, PairEvidence]) -> tuple[Likeness | None, frozenset[ViewPair]]:
    """Likeness of those whom geometry brings together, and which geometries it doesn't fit."""
    matched = {pair: competition(entry.scores) for pair, entry in told.items()}
    trusted = dict(told)
    while trusted:
        likeness = _weigh(trusted, matched, trusted)
        sums = {pair: _gaps(entry, matched[pair], likeness.strangers[pair]) for pair, entry in trusted.items()}
        if _margin(np.sum(list(sums.values()), axis=0), 0.0) < STANDARD_ERRORS:
            return None, frozenset()
        wrong = {pair for pair in trusted if _margin(sums[pair], likeness.gap / 2) < -STANDARD_ERRORS_TO_REFUTE}
        if not wrong:
            return likeness, frozenset(told) - frozenset(trusted)
        worst = min(wrong, key=lambda pair: sums[pair][:, 0].sum() / sums[pair][:, 1].sum())
        del trusted[worst]
    return None, frozenset()


def _by_single_views(known: Mapping[ViewPair, PairEvidence], own: OwnViews) -> list[Likeness]:
    """First guesses, from what single views tell; none where that is nothing."""
    gap = _own_gap(own)
    if gap <= 0:
        return []
    spread = max(float(own.other.std()), SMALLEST_SPREAD)
    strangers = {pair: float(np.nanmean(entry.distances)) for pair, entry in known.items()}
    return [Likeness(strangers, share * gap, spread, spread) for share in FIRST_GAPS]


def _own_gap(own: OwnViews) -> float:
    """How much nearer two boxes of a tracklet are than two of one instant; 0 where that may be chance."""
    if min(len(own.same), len(own.other)) < 2:
        return 0.0
    error = np.hypot(own.same.std() / np.sqrt(len(own.same)), own.other.std() / np.sqrt(len(own.other)))
    gap = float(own.other.mean() - own.same.mean())
    return gap if gap > STANDARD_ERRORS * error else 0.0


def _settle(
    evidence: Mapping[ViewPair, PairEvidence],
    likeness: Likeness,
    teachers: Collection[ViewPair],
    limits: Limits,
) -> tuple[Likeness, dict[ViewPair, float]]:
    """Expectation-maximization; gap and spreads are those of the teachers."""
    missing = {pair: float(np.nanmean(e.distances)) for pair, e in evidence.items() if pair not in likeness.strangers}
    likeness = likeness._replace(strangers={**likeness.strangers, **missing})
    bias = {pair: FIRST_BIAS for pair, entry in evidence.items() if not entry.told}
    for _ in range(MOST_ROUNDS):
        matched = {pair: competition(_scores(pair, entry, likeness, bias)) for pair, entry in evidence.items()}
        before = np.array([*likeness[1:], *bias.values()])
        # A match that shows somebody else tells nothing of what its person looks like.
        shown = {
            pair: weight * -np.expm1(np.log(HIDDEN) - likeness.log_ratio(pair, evidence[pair].distances))
            for pair, weight in matched.items()
        }
        likeness = _weigh(evidence, shown, teachers, limits)
        bias = {pair: _bias(evidence[pair], matched[pair]) for pair in bias}
        if np.abs(np.array([*likeness[1:], *bias.values()]) - before).max() < SETTLED:
            break
    return likeness, bias


def _scores(
    pair: ViewPair,
    entry: PairEvidence,
    likeness: Likeness,
    bias: Mapping[ViewPair, float],
    largest: float = LARGEST_LOG_ODDS,
) -> FloatArray:
    """`(F, N, M)` log-odds by everything that is known, before competition."""
    ratio = np.where(np.isnan(entry.distances), 0.0, likeness.log_ratio(pair, entry.distances, largest))
    return np.asarray(entry.scores + ratio + bias.get(pair, 0.0))


def _log_likelihood(
    evidence: Mapping[ViewPair, PairEvidence], likeness: Likeness, bias: Mapping[ViewPair, float]
) -> FloatArray:
    """`(8,)` of all distances, by stretch: as if all were strangers', and what matching adds."""
    total = np.zeros(STRETCHES)
    for pair, entry in evidence.items():
        away = np.where(np.isfinite(entry.distances), entry.distances - likeness.strangers[pair], 0.0)
        known = np.isfinite(entry.distances).sum(axis=(1, 2))
        of_strangers = -0.5 * (away**2).sum(axis=(1, 2)) / likeness.spread_other**2
        of_strangers -= known * np.log(likeness.spread_other)
        of_strangers += _beyond_bound(pair, entry, likeness)
        before = entry.scores + bias.get(pair, 0.0)
        added = _log_matchings(_scores(pair, entry, likeness, bias, LARGEST_RATIO)) - _log_matchings(before)
        total += np.bincount(entry.stretches(), of_strangers + added, STRETCHES)
    return total


def _beyond_bound(pair: ViewPair, entry: PairEvidence, likeness: Likeness) -> FloatArray:
    """`(F,)` what the bound takes from the ratios of a likeness that is beyond doubt: strangers' tails are as heavy."""
    full, bounded = (likeness.log_ratio(pair, entry.distances, most) for most in (UNBOUNDED_RATIO, LARGEST_RATIO))
    return np.asarray(np.where(np.isfinite(entry.distances), full - bounded, 0.0).sum(axis=(1, 2)))


def _log_matchings(log_odds: FloatArray) -> FloatArray:
    """`(F,)` logarithm of the weight of all one-to-one matchings together (Bethe's free energy)."""
    odds = np.exp(log_odds)
    from_row, from_column = free_without(odds)
    of_rows, of_columns = (odds * from_column).sum(axis=2), (odds * from_row).sum(axis=1)
    counted_twice = np.log1p(odds * from_row * from_column).sum(axis=(1, 2))
    return np.asarray(np.log1p(of_rows).sum(axis=1) + np.log1p(of_columns).sum(axis=1) - counted_twice)


def _explains(
    evidence: Mapping[ViewPair, PairEvidence], likeness: Likeness, bias: Mapping[ViewPair, float], limits: Limits
) -> bool:
    """Whether distances are better explained than by strangers alone, throughout the recording."""
    nobody = {pair: np.zeros_like(entry.distances) for pair, entry in evidence.items()}
    alone = _weigh(evidence, nobody, evidence, limits)._replace(gap=0.0)
    gain = _log_likelihood(evidence, likeness, bias) - _log_likelihood(
        evidence, alone._replace(spread_same=alone.spread_other), bias
    )
    error = gain.std(ddof=1) / np.sqrt(STRETCHES)
    return bool(gain.sum() > LEAST_GAIN and gain.mean() > STANDARD_ERRORS * error)


def _weigh(
    evidence: Mapping[ViewPair, PairEvidence],
    matched: Mapping[ViewPair, FloatArray],
    teachers: Collection[ViewPair],
    limits: Limits = NO_LIMITS,
) -> Likeness:
    """Means and spreads of distances, given how likely each pair of boxes is one person."""
    known = {pair: np.isfinite(entry.distances) for pair, entry in evidence.items()}
    parts = {pair: (entry.distances[known[pair]], matched[pair][known[pair]]) for pair, entry in evidence.items()}
    totals = {pair: (float((1.0 - same) @ away), float((1.0 - same).sum())) for pair, (away, same) in parts.items()}
    summed, weight = np.sum(list(totals.values()), axis=0)
    common = PRIOR_PAIRS * summed / max(weight, 1e-9)
    strangers = {
        pair: max(float((total + common) / (size + PRIOR_PAIRS)), limits.strangers)
        for pair, (total, size) in totals.items()
    }
    away = np.concatenate([parts[pair][0] - strangers[pair] for pair in sorted(teachers)])
    same = np.concatenate([parts[pair][1] for pair in sorted(teachers)])
    other = 1.0 - same
    total = max(float(same.sum()), 1e-9)
    gap = float(-(same @ away) / total)
    spread_other = float(np.sqrt((other @ away**2) / max(other.sum(), 1e-9)))
    spread_same = float(np.sqrt((same @ (away + gap) ** 2) / total))
    return Likeness(strangers, gap, max(spread_same, limits.spread), max(spread_other, limits.spread))


def _gaps(entry: PairEvidence, matched: FloatArray, strangers: float) -> FloatArray:
    """`(8, 2)` by stretch: sum over matches of how much nearer they are than strangers, and number of matches."""
    known = np.isfinite(entry.distances)
    weight = np.where(known, matched, 0.0)
    nearer = np.where(known, strangers - entry.distances, 0.0)
    columns = (weight * nearer).sum(axis=(1, 2)), weight.sum(axis=(1, 2))
    return np.stack([np.bincount(entry.stretches(), column, STRETCHES) for column in columns], axis=1)


def _margin(sums: FloatArray, expected: float) -> float:
    """Standard errors by which a gap exceeds what is expected, chance measured between stretches."""
    seen = sums[:, 1] > 0
    if seen.sum() < FEWEST_STRETCHES:
        return 0.0
    weight = sums[seen, 1]
    mean = sums[seen, 0].sum() / weight.sum()
    residual = sums[seen, 0] - mean * weight  # a ratio's standard error (Cochran, Sampling Techniques, section 6.3)
    error = np.sqrt((residual**2).sum() * len(weight) / (len(weight) - 1)) / weight.sum()
    return float((mean - expected) / max(error, 1e-9))


def _bias(entry: PairEvidence, matched: FloatArray) -> float:
    """Log-odds of boxes that nothing is known about, such that as many are expected to match as do."""
    there = ~np.isneginf(entry.scores)
    goal = float(matched.sum())
    low, high = -LARGEST_LOG_ODDS, LARGEST_BIAS
    for _ in range(12):
        middle = (low + high) / 2
        expected = float(competition(np.where(there, middle, -np.inf)).sum())
        low, high = (middle, high) if expected < goal else (low, middle)
    return (low + high) / 2


def as_table(likeness: Likeness, pair: ViewPair, largest: float = 2.0) -> DistanceTable:
    """The log-ratio as a table.

    Args:
        likeness: What was learnt.
        pair: The view pair.
        largest: Distance where the table ends; cosine distances end at 2.

    Returns:
        A table whose odds are the ratio of the densities alone: its share of true pairs is a half.
    """
    knots = np.linspace(0.0, largest, 4 * KNOTS)
    return DistanceTable(knots, likeness.log_ratio(pair, knots), 0.5)
