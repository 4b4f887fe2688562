"""Curves behind the scores: precision over recall, and how honest probabilities are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.core.scalars import integer
from selfmva.metrics.association import MOST_BINS, check_probabilities, cumulative, read_labels

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


class Reliability(NamedTuple):
    """What probabilities promise and what is true, in bins of equal width.

    Attributes:
        expected: `(bins,)` mean probability; NaN where a bin is empty.
        observed: `(bins,)` fraction of the same person; NaN where a bin is empty.
        counts: `(bins,)` int64.
    """

    expected: FloatArray
    observed: FloatArray
    counts: IntArray


def precision_recall_curve(labels: np.ndarray, scores: np.ndarray) -> FloatArray:
    """Precision and recall at every threshold; what `average_precision` sums up.

    Args:
        labels: `(N,)` bool, True for the same person.
        scores: `(N,)` float, higher = more likely.

    Returns:
        `(K, 2)` recall and precision from the highest threshold down, K the number of distinct scores; none where no
        label is True.

    Raises:
        InputError: Labels are no truth values, scores no numbers, or they are not of the same length.

    Example:
        >>> precision_recall_curve(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])).round(2).tolist()
        [[0.5, 1.0], [0.5, 0.5], [1.0, 0.67]]
    """
    true_positives, predicted = cumulative(labels, scores)
    positives = np.count_nonzero(np.asarray(labels))
    if not positives:
        return np.zeros((0, 2))
    return np.stack([true_positives / positives, true_positives / predicted], axis=1)


def reliability_curve(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> Reliability:
    """How often two boxes are the same person, by how probable that was said to be.

    Args:
        labels: `(N,)` bool.
        probabilities: `(N,)` in [0, 1].
        bins: Number of bins of equal width.

    Returns:
        Expected and observed fractions and counts of the bins, lowest first. Their gaps, weighted by counts, are the
        calibration error.

    Raises:
        InputError: Labels are no truth values, probabilities no numbers, they are not of the same length, or one is NaN
            or outside of [0, 1].

    Example:
        >>> curve = reliability_curve(np.array([True, False, False]), np.array([0.9, 0.2, 0.4]), bins=2)
        >>> curve.expected.round(2).tolist(), curve.observed.tolist(), curve.counts.tolist()
        ([0.3, 0.9], [0.0, 1.0], [2, 1])
    """
    labels, probabilities = read_labels(labels, probabilities, "probabilities")
    integer(bins, "bins", least=1, most=MOST_BINS)
    check_probabilities(probabilities)
    index = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    counts = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):  # 0 / 0 of an empty bin is the NaN that is promised
        expected = np.bincount(index, weights=probabilities, minlength=bins) / counts
        observed = np.bincount(index, weights=labels.astype(float), minlength=bins) / counts
    return Reliability(expected, observed, counts.astype(np.int64))
