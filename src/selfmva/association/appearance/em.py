"""Expectation-maximization: who is who by the appearance model, the model by who is who, and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.appearance.densities import HIDDEN_FRACTION, NO_LIMITS, AppearanceModel
from selfmva.association.appearance.pair_distances import APPEARANCE_BLOCKS
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.matching.posterior.marginals import cavity_messages, matching_marginals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from selfmva.association.appearance.densities import Limits, ViewPair
    from selfmva.association.appearance.pair_distances import PairEvidence
    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class ExpectationMaximizationSettings:
    """Expectation-maximization of appearance."""

    most_rounds: int = 50  # of expectation and maximization
    settled: float = 1e-3  # change of any shared number between two rounds, in distances and log-odds
    prior_pairs: float = 20.0  # weight, in box pairs, of the view pairs' common mean in the mean of each
    first_bias: float = -1.0  # log-odds, where the search begins
    # Log-odds: of those whom one view sees, at most 95 % are taken for seen by the other, whatever was learnt.
    largest_bias: float = 3.0
    largest_ratio: float = 25.0  # log-ratio, in likelihoods: as much as products of odds can hold
    unbounded_ratio: float = 500.0  # log-ratio: as much as a single number can hold


EM = ExpectationMaximizationSettings()


def settle(
    evidence: Mapping[ViewPair, PairEvidence],
    model: AppearanceModel,
    teachers: Collection[ViewPair],
    limits: Limits,
) -> tuple[AppearanceModel, dict[ViewPair, float]]:
    """Expectation-maximization; gap and spreads are those of the teachers."""
    missing = {pair: float(np.nanmean(e.distances)) for pair, e in evidence.items() if pair not in model.strangers}
    model = model._replace(strangers={**model.strangers, **missing})
    bias = {pair: EM.first_bias for pair, entry in evidence.items() if not entry.has_geometry}
    for _ in range(EM.most_rounds):
        matched = {pair: matching_marginals(scores(pair, entry, model, bias)) for pair, entry in evidence.items()}
        before = np.array([*model[1:], *bias.values()])
        # A match that shows somebody else tells nothing of what its person looks like.
        shown = {
            pair: weight * -np.expm1(np.log(HIDDEN_FRACTION) - model.log_ratio(pair, evidence[pair].distances))
            for pair, weight in matched.items()
        }
        model = weigh(evidence, shown, teachers, limits)
        bias = {pair: _bias(evidence[pair], matched[pair]) for pair in bias}
        if np.abs(np.array([*model[1:], *bias.values()]) - before).max() < EM.settled:
            break
    return model, bias


def weigh(
    evidence: Mapping[ViewPair, PairEvidence],
    matched: Mapping[ViewPair, FloatArray],
    teachers: Collection[ViewPair],
    limits: Limits = NO_LIMITS,
) -> AppearanceModel:
    """Means and spreads of distances, given how likely each pair of boxes is one person."""
    known = {pair: np.isfinite(entry.distances) for pair, entry in evidence.items()}
    parts = {pair: (entry.distances[known[pair]], matched[pair][known[pair]]) for pair, entry in evidence.items()}
    totals = {pair: (float((1.0 - same) @ away), float((1.0 - same).sum())) for pair, (away, same) in parts.items()}
    summed, weight = np.sum(list(totals.values()), axis=0)
    common = EM.prior_pairs * summed / max(weight, 1e-9)
    strangers = {
        pair: max(float((total + common) / (size + EM.prior_pairs)), limits.strangers)
        for pair, (total, size) in totals.items()
    }
    away = np.concatenate([parts[pair][0] - strangers[pair] for pair in sorted(teachers)])
    same = np.concatenate([parts[pair][1] for pair in sorted(teachers)])
    other = 1.0 - same
    total = max(float(same.sum()), 1e-9)
    gap = float(-(same @ away) / total)
    spread_other = float(np.sqrt((other @ away**2) / max(other.sum(), 1e-9)))
    spread_same = float(np.sqrt((same @ (away + gap) ** 2) / total))
    return AppearanceModel(strangers, gap, max(spread_same, limits.spread), max(spread_other, limits.spread))


def scores(
    pair: ViewPair,
    entry: PairEvidence,
    model: AppearanceModel,
    bias: Mapping[ViewPair, float],
    largest: float = LARGEST_LOG_ODDS,
) -> FloatArray:
    """`(F, N, M)` log-odds by everything that is known, each pair on its own."""
    ratio = np.where(np.isnan(entry.distances), 0.0, model.log_ratio(pair, entry.distances, largest))
    return np.asarray(entry.scores + ratio + bias.get(pair, 0.0))


def _bias(entry: PairEvidence, matched: FloatArray) -> float:
    """Log-odds of boxes that nothing is known about, such that as many are expected to match as do."""
    there = ~np.isneginf(entry.scores)
    # Nothing but their numbers tells boxes apart: instants with as many expect as many matches.
    shapes = np.stack([there.any(axis=2).sum(axis=1), there.any(axis=1).sum(axis=1)])
    _, first, instants = np.unique(shapes, axis=1, return_index=True, return_counts=True)
    there = there[first]
    goal = float(matched.sum())
    low, high = -LARGEST_LOG_ODDS, EM.largest_bias
    for _ in range(12):
        middle = (low + high) / 2
        expected = float(matching_marginals(np.where(there, middle, -np.inf)).sum(axis=(1, 2)) @ instants)
        low, high = (middle, high) if expected < goal else (low, middle)
    return (low + high) / 2


def log_likelihood(
    evidence: Mapping[ViewPair, PairEvidence], model: AppearanceModel, bias: Mapping[ViewPair, float]
) -> FloatArray:
    """`(8,)` of all distances, by block of the recording: as if all were strangers', and what matching adds."""
    total = np.zeros(APPEARANCE_BLOCKS)
    for pair, entry in evidence.items():
        away = np.where(np.isfinite(entry.distances), entry.distances - model.strangers[pair], 0.0)
        known = np.isfinite(entry.distances).sum(axis=(1, 2))
        of_strangers = -0.5 * (away**2).sum(axis=(1, 2)) / model.spread_other**2
        of_strangers -= known * np.log(model.spread_other)
        of_strangers += _beyond_bound(pair, entry, model)
        before = entry.scores + bias.get(pair, 0.0)
        added = _log_matchings(scores(pair, entry, model, bias, EM.largest_ratio)) - _log_matchings(before)
        total += np.bincount(entry.blocks(), of_strangers + added, APPEARANCE_BLOCKS)
    return total


def _beyond_bound(pair: ViewPair, entry: PairEvidence, model: AppearanceModel) -> FloatArray:
    """`(F,)` what the bound takes from the ratios of a model that is beyond doubt: strangers' tails are as heavy."""
    full, bounded = (model.log_ratio(pair, entry.distances, most) for most in (EM.unbounded_ratio, EM.largest_ratio))
    return np.asarray(np.where(np.isfinite(entry.distances), full - bounded, 0.0).sum(axis=(1, 2)))


def _log_matchings(log_odds: FloatArray) -> FloatArray:
    """`(F,)` logarithm of the weight of all one-to-one matchings together (Bethe's free energy)."""
    odds = np.exp(log_odds)
    from_row, from_column = cavity_messages(odds)
    of_rows, of_columns = (odds * from_column).sum(axis=2), (odds * from_row).sum(axis=1)
    counted_twice = np.log1p(odds * from_row * from_column).sum(axis=(1, 2))
    return np.asarray(np.log1p(of_rows).sum(axis=1) + np.log1p(of_columns).sum(axis=1) - counted_twice)
