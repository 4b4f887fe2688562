"""From distances to probabilities, without labels: synchronous instants against shifted ones.

Boxes of two views at shifted instants never show one person at one place, so their distances are a sample of the
null distribution; at synchronous instants, distances are a mixture of the null and of true pairs. That is the
two-groups model (Efron, "Microarrays, Empirical Bayes and the Two-Groups Model", Statistical Science 2008). Two people
are never at one place at one time, but at shifted times they may be, so pairs of different people at one instant lack
the small distances of the null. With the null density f, the chance k(d) that a distance d means "the same place",
its mean K under f, and the fraction s of true pairs,

    synchronous(d) = f(d) [s k(d) / K + (1 - s) (1 - k(d)) / (1 - K)],    k(d) = exp(-b d - c d^2),    b, c >= 0;

s, b and c are fitted by maximum likelihood, and the log-odds of "same person" are the log-ratio of the two terms.

A box has at most one partner in another view. The posterior of a pair is its marginal under all one-to-one
matchings, found by belief propagation (the monomer-dimer model).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from selfmva.errors import InputError

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class TableFitSettings:
    """Fit of a distance table."""

    least_count: int = 16  # distances on either side: three numbers are learnt from them
    most_count: int = 20_000  # more would not sharpen three numbers
    least_gain: float = 10.0  # in log-likelihood over "all of the null"; a chance gain of three numbers is about 2
    knots: int = 65  # of a table
    # Weight, in box pairs, of the prior that nothing was learnt; it decides only where data are few.
    prior_count: float = 4.0
    # Null pairs at distance 0, beside those that were seen: without any, a place so narrow that no null pair is in it
    # would be infinitely likely. Ten times as many bend the log-odds of simulated mixtures by 1.
    null_at_zero: float = 0.1
    # Of the optimizer: log-odds of the fraction; slope, in null medians.
    starts: tuple[tuple[float, float], ...] = ((-2.0, 4.0), (-2.0, 16.0), (-1.0, 2.0))
    smallest_slope: float = 0.05  # per null median


TABLE_FIT = TableFitSettings()

# Evidence of a single distance is bounded: nothing learnt from a few thousand pairs knows more than 1 in 1000.
LARGEST_LOG_ODDS = 7.0


@dataclass(frozen=True, eq=False)
class DistanceTable:
    """Log-odds of "same person" as a function of one distance, of a pair of boxes on its own.

    Attributes:
        distances: `(K,)` increasing knots.
        log_odds: `(K,)` non-increasing: log of fraction of true pairs x density of true pairs, over the same of others.
        true_fraction: Fraction of the synchronous box pairs that are the same person, in [0, 1).
    """

    distances: FloatArray
    log_odds: FloatArray
    true_fraction: float

    def __call__(self, distances: FloatArray) -> FloatArray:
        """Log-odds of distances of any shape."""
        return np.interp(distances, self.distances, self.log_odds)


def no_evidence() -> DistanceTable:
    """The table that says "not the same person" whatever the distance."""
    return DistanceTable(np.zeros(1), np.full(1, -LARGEST_LOG_ODDS), 0.0)


def fit_distance_table(synchronous: FloatArray, shifted: FloatArray, *, largest_fraction: float = 1.0) -> DistanceTable:
    """Learn the log-odds of one view pair from distances of box pairs.

    Args:
        synchronous: `(S,)` distances of all box pairs of both views at synchronous instants.
        shifted: `(R,)` the same at shifted instants.
        largest_fraction: Of true pairs among the synchronous ones. A box has at most one partner, so an instant with n
            and m boxes has at most min(n, m) true pairs of n m. People who walk together are near each other at
            synchronous instants alone, as true pairs are: this bound keeps them from being taken for one.

    Returns:
        The table; where the null alone explains the distances as well, one that says "no" everywhere.

    Raises:
        InputError: A distance is NaN.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> null = rng.uniform(0, 10, 4000)
        >>> mixed = np.concatenate([rng.uniform(0, 1, 500), rng.uniform(0, 10, 500)])
        >>> table = fit_distance_table(mixed, null)
        >>> 0.4 < table.true_fraction < 0.6, bool(table(np.array(0.5)) > 1), bool(table(np.array(5.0)) < -1)
        (True, True, True)
    """
    if np.isnan(synchronous).any() or np.isnan(shifted).any():
        raise InputError("distances must not be NaN")
    if min(len(synchronous), len(shifted)) < TABLE_FIT.least_count:
        return no_evidence()
    scale = max(float(np.median(shifted)), 1e-12)
    here, null = _powers(_thin(synchronous) / scale), _powers(_thin(shifted) / scale)
    most = np.log(largest_fraction) - np.log1p(-largest_fraction) if largest_fraction < 1.0 else LARGEST_LOG_ODDS
    bounds = [(-LARGEST_LOG_ODDS, min(most, LARGEST_LOG_ODDS)), (TABLE_FIT.smallest_slope, None), (0.0, None)]
    starts = [(min(fraction, most), slope, 0.0) for fraction, slope in TABLE_FIT.starts]
    fits = [minimize(_negative_log_likelihood, start, args=(here, null), jac=True, bounds=bounds) for start in starts]
    fit = min(fits, key=lambda fit: float(fit.fun))
    if -fit.fun * len(here) < TABLE_FIT.least_gain:
        return no_evidence()
    best = fit.x
    knots = np.linspace(0.0, float(max(synchronous.max(), shifted.max())), TABLE_FIT.knots)
    fraction, place, null_place = _terms(best, _powers(knots / scale), null)
    odds = fraction / (1.0 - fraction) * (1.0 - null_place) / null_place * place / (1.0 - place)
    log_odds = np.clip(np.log(odds), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    return DistanceTable(knots, log_odds, float(fraction))


def _thin(distances: FloatArray) -> FloatArray:
    """Fewer than `2 TABLE_FIT.most_count` of the distances, evenly spread by size: their order does not matter."""
    return np.sort(distances)[:: max(len(distances) // TABLE_FIT.most_count, 1)]


def _powers(distances: FloatArray) -> FloatArray:
    return np.stack((distances, distances**2), axis=1)


def _terms(parameters: FloatArray, distances: FloatArray, null: FloatArray) -> tuple[float, FloatArray, float]:
    """Fraction of true pairs, chance of "the same place" at distances, and its mean under the null."""
    fraction = 1.0 / (1.0 + np.exp(-parameters[0]))
    place = np.clip(np.exp(-distances @ parameters[1:]), 1e-12, 1.0 - 1e-6)
    mean = (np.exp(-null @ parameters[1:]).sum() + TABLE_FIT.null_at_zero) / (len(null) + TABLE_FIT.null_at_zero)
    return float(fraction), place, float(min(mean, 1.0 - 1e-6))


def _negative_log_likelihood(parameters: FloatArray, here: FloatArray, null: FloatArray) -> tuple[float, FloatArray]:
    """Negative mean log-likelihood of the synchronous distances, relative to the null, and its gradient."""
    fraction, place, mean = _terms(parameters, here, null)
    same, other = fraction / mean, (1.0 - fraction) / (1.0 - mean)
    ratio = same * place + other * (1.0 - place)
    # The prior: `prior_count` more box pairs that are known to be of different people.
    value = -np.log(ratio).mean() - TABLE_FIT.prior_count / len(here) * np.log1p(-fraction)
    by_fraction = (1.0 - fraction) * same * place - fraction * other * (1.0 - place)
    by_mean = other / (1.0 - mean) * (1.0 - place) - same / mean * place
    mean_by_slope = -(np.exp(-null @ parameters[1:]) @ null) / (len(null) + TABLE_FIT.null_at_zero)
    by_slope = (same - other) * (-place[:, None] * here) + by_mean[:, None] * mean_by_slope
    gradient = -np.concatenate(((by_fraction / ratio).mean(keepdims=True), (by_slope / ratio[:, None]).mean(axis=0)))
    gradient[0] += TABLE_FIT.prior_count / len(here) * fraction
    return float(value), gradient
