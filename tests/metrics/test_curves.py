"""Curves, against scikit-learn and against the scores that sum them up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.errors import InputError
from selfmva.metrics import PairResult, average_precision, precision_recall_curve, reliability_curve
from selfmva.metrics.association import expected_calibration_error, pooled_labels

SCORED = st.lists(st.tuples(st.booleans(), st.integers(0, 20).map(lambda k: k / 20)), max_size=60)


def split(pairs: list[tuple[bool, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in pairs], dtype=bool), np.array([score for _, score in pairs], dtype=float)


@given(SCORED)
def test_precision_and_recall_are_those_of_scikit_learn(pairs: list[tuple[bool, float]]) -> None:
    from sklearn.metrics import precision_recall_curve as reference

    labels, scores = split(pairs)
    curve = precision_recall_curve(labels, scores)
    if not labels.any():
        assert curve.shape == (0, 2)
        return
    precision, recall, _ = reference(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve[:, 0], recall[:-1][::-1])
    np.testing.assert_allclose(curve[:, 1], precision[:-1][::-1])
    area = np.sum(np.diff(curve[:, 0], prepend=0) * curve[:, 1])
    assert area == pytest.approx(average_precision(labels, scores))


@given(SCORED, st.integers(1, 12))
def test_reliability_adds_up_to_the_calibration_error(pairs: list[tuple[bool, float]], bins: int) -> None:
    labels, probabilities = split(pairs)
    curve = reliability_curve(labels, probabilities, bins)
    assert curve.counts.sum() == len(labels)
    assert len(curve.expected) == len(curve.observed) == bins
    filled = curve.counts > 0
    assert np.isnan(curve.expected[~filled]).all()
    assert np.isnan(curve.observed[~filled]).all()
    if len(labels):
        gaps = np.abs(curve.expected - curve.observed)[filled]
        error = np.sum(gaps * curve.counts[filled]) / len(labels)
        assert error == pytest.approx(expected_calibration_error(labels, probabilities, bins), abs=1e-12)
        assert np.sum(curve.observed[filled] * curve.counts[filled]) == pytest.approx(labels.sum())
    edges = np.arange(bins) / bins
    assert (curve.expected[filled] >= edges[filled] - 1e-12).all()
    assert (curve.expected[filled] <= edges[filled] + 1 / bins + 1e-12).all()


def test_lengths_must_agree() -> None:
    for curve in (precision_recall_curve, reliability_curve):
        with pytest.raises(InputError, match="same length, got 2 and 1"):
            curve(np.array([True, False]), np.array([0.5]))


def test_pooled_labels_leave_out_who_is_not_known() -> None:
    scores = np.array([[0.9, 0.2], [0.3, 0.8], [0.1, 0.4]])
    pair = PairResult(scores, np.zeros((0, 2), np.int64), np.array([4, -1, 6]), np.array([6, 4]))
    labels, pooled = pooled_labels([pair, pair])
    assert labels.tolist() == [False, True, True, False] * 2
    assert pooled.tolist() == [0.9, 0.2, 0.1, 0.4] * 2
    assert [len(part) for part in pooled_labels([])] == [0, 0]
