"""A box has at most one partner in another view: marginals over all one-to-one matchings, by belief propagation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray

ROUNDS = 12  # of belief propagation; the largest change after 12 is below 1e-3 at 45 x 45 boxes


def matching_marginals(log_odds: FloatArray, rounds: int = ROUNDS) -> FloatArray:
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
        >>> matching_marginals(np.array([[0.0]])).round(3)
        array([[0.5]])
        >>> matching_marginals(np.array([[0.0, 0.0]])).round(3)
        array([[0.333, 0.333]])
    """
    odds = np.exp(log_odds)
    from_row, from_column = cavity_messages(odds, rounds)
    joint = odds * from_row * from_column
    return np.asarray(joint / (1.0 + joint))


def cavity_messages(odds: FloatArray, rounds: int = ROUNDS) -> tuple[FloatArray, FloatArray]:
    """How likely each box would be without a partner if one box of the other view were not there.

    Args:
        odds: `(..., N, M)` odds of each pair on its own, at most 1e12 or so.
        rounds: Rounds of message passing.

    Returns:
        Two `(..., N, M)` arrays of probabilities: entry (i, j) of the first for row i without column j, of the second
        for column j without row i.

    Example:
        >>> from_row, from_column = cavity_messages(np.array([[1.0, 1.0]]))
        >>> from_row.tolist(), from_column.tolist()  # the row is taken by the other column or free
        ([[0.5, 0.5]], [[1.0, 1.0]])
    """
    from_row, from_column = np.ones_like(odds), np.ones_like(odds)
    for _ in range(rounds):
        # What a row tells a column: how likely it would be alone without it; and the other way round.
        for sent, received, axis in ((from_row, from_column, -1), (from_column, from_row, -2)):
            np.multiply(odds, received, out=sent)
            np.subtract(1.0 + sent.sum(axis=axis, keepdims=True), sent, out=sent)
            np.reciprocal(sent, out=sent)
    return from_row, from_column
