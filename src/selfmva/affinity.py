"""From distances to probabilities, without labels: synchronous instants against shifted ones.

Boxes of two views at shifted instants never show one person at one place, so their distances are a sample of the
null distribution; at synchronous instants, distances are a mixture of the null and of true pairs. That is the
two-groups model (Efron, "Microarrays, Empirical Bayes and the Two-Groups Model", Statistical Science 2008):
the share of true pairs comes from how much of the null is missing (Storey, JRSS B 2002), their log-likelihood ratio
from the ratio of the two densities, made monotone (centred isotonic regression, Oron and Flournoy 2017).

A box has at most one partner in another view. The posterior of a pair is its marginal under all one-to-one
matchings, found by belief propagation (the monomer-dimer model).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import isotonic_regression

from selfmva.errors import InputError

if TYPE_CHECKING:
    from selfmva.types import FloatArray

BINS = 40  # equal-count bins of the synchronous distances; fewer where there is little data
LEAST_COUNT = 8  # synchronous box pairs in a bin
# Evidence of a single distance is bounded: no table learnt from a few thousand pairs knows more than 1 in 1000.
LARGEST_LOG_ODDS = 7.0
ROUNDS = 12  # of belief propagation; the largest change after 12 is below 1e-3 at 45 x 45 boxes


@dataclass(frozen=True, eq=False)
class DistanceTable:
    """Log-odds of "same person" as a function of one distance, before the competition of other boxes.

    Attributes:
        distances: `(K,)` increasing knots.
        log_odds: `(K,)` non-increasing: log of share of true pairs x density of true pairs, over the same of others.
        true_share: Share of the synchronous box pairs that are the same person, in [0, 1).
    """

    distances: FloatArray
    log_odds: FloatArray
    true_share: float

    def __call__(self, distances: FloatArray) -> FloatArray:
        """Log-odds of distances of any shape."""
        return np.interp(distances, self.distances, self.log_odds)


def fit_distance_table(synchronous: FloatArray, shifted: FloatArray) -> DistanceTable:
    """Learn the log-odds of one view pair from distances of box pairs.

    Args:
        synchronous: `(S,)` distances of all box pairs of both views at synchronous instants.
        shifted: `(R,)` the same at shifted instants.

    Returns:
        The table; with too little data for one, a table that says "no" everywhere.

    Raises:
        InputError: A distance is NaN.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> null = rng.uniform(0, 10, 4000)
        >>> mixed = np.concatenate([rng.uniform(0, 1, 500), rng.uniform(0, 10, 500)])
        >>> table = fit_distance_table(mixed, null)
        >>> 0.4 < table.true_share < 0.6, bool(table(np.array(0.5)) > 1), bool(table(np.array(5.0)) < -1)
        (True, True, True)
    """
    if np.isnan(synchronous).any() or np.isnan(shifted).any():
        raise InputError("distances must not be NaN")
    bins = min(BINS, len(synchronous) // LEAST_COUNT)
    if bins < 2 or len(shifted) < LEAST_COUNT:
        return DistanceTable(np.zeros(1), np.full(1, -LARGEST_LOG_ODDS), 0.0)
    true_share = _true_share(synchronous, shifted)
    edges = np.unique(np.quantile(synchronous, np.linspace(0, 1, bins + 1)[1:-1]))
    here = np.bincount(np.searchsorted(edges, synchronous), minlength=len(edges) + 1)
    null = np.bincount(np.searchsorted(edges, shifted), minlength=len(edges) + 1)
    # One pseudo-count on both sides pulls a bin that holds nothing towards "no evidence".
    ratio = ((here + 1.0) / (len(synchronous) + len(here))) / ((null + 1.0) / (len(shifted) + len(here)))
    ratio = isotonic_regression(ratio, weights=here + 1.0, increasing=False).x
    others = 1.0 - true_share
    odds = np.maximum(ratio / others - 1.0, 0.0)  # f_s = share f_1 + others f_0, so share f_1 / (others f_0)
    log_odds = np.log(np.maximum(odds, np.exp(-LARGEST_LOG_ODDS)))
    knots = np.array([np.median(c) for c in np.split(np.sort(synchronous), np.cumsum(here)[:-1])])
    return DistanceTable(knots, np.minimum(_centre(log_odds, knots), LARGEST_LOG_ODDS), true_share)


def _true_share(synchronous: FloatArray, shifted: FloatArray) -> float:
    """Storey's estimate: far distances are all of the null, so what the null lacks there are true pairs."""
    far = np.median(shifted)
    share = 1.0 - np.mean(synchronous > far) / np.mean(shifted > far) if np.any(shifted > far) else 0.0
    return float(np.clip(share, 0.0, 0.95))


def _centre(values: FloatArray, knots: FloatArray) -> FloatArray:
    """Keep each level of a step function at its middle and slope between, so that fewer distances tie."""
    first = np.flatnonzero(np.diff(values, prepend=np.inf))
    last = np.append(first[1:], len(values)) - 1
    return np.interp(knots, (knots[first] + knots[last]) / 2, values[first])


def competition(log_odds: FloatArray, rounds: int = ROUNDS) -> FloatArray:
    """Posterior of every pair, given that a box has at most one partner.

    Every one-to-one matching of rows and columns has the weight of the product of the odds of its pairs; the result
    is the marginal probability of each pair, by belief propagation, exact where the graph of plausible pairs has no
    cycle.

    Args:
        log_odds: `(..., N, M)` log-odds of each pair on its own; -inf forbids a pair (and marks padding).
        rounds: Rounds of message passing.

    Returns:
        `(..., N, M)` probabilities; every row and every column sums to at most 1 (up to convergence).

    Example:
        >>> competition(np.array([[0.0]])).round(3)
        array([[0.5]])
        >>> competition(np.array([[0.0, 0.0]])).round(3)
        array([[0.333, 0.333]])
    """
    odds = np.exp(log_odds)
    from_column = np.ones_like(odds)
    for _ in range(rounds):
        # What a row tells a column: how likely it would be alone without it; and the other way round.
        offers = odds * from_column
        from_row = 1.0 / (1.0 + offers.sum(axis=-1, keepdims=True) - offers)
        offers = odds * from_row
        from_column = 1.0 / (1.0 + offers.sum(axis=-2, keepdims=True) - offers)
    joint = odds * from_row * from_column
    return np.asarray(joint / (1.0 + joint))
