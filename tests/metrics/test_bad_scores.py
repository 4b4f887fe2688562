"""Labels, scores and pairs that are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from selfmva.errors import InputError
from selfmva.metrics import PairResult, average_precision, precision_recall_curve, reliability_curve, score_pairs
from selfmva.metrics.association import expected_calibration_error, false_positive_rate_at_recall

LABELS, SCORES = np.array([True, False, True]), np.array([0.9, 0.8, 0.7])
SCORED = (
    average_precision,
    precision_recall_curve,
    reliability_curve,
    expected_calibration_error,
    false_positive_rate_at_recall,
)
NO_LABELS = [None, 3, "abc", [1, 0, 2], [0.5, 0, 1], [None, True, False], [[True]] * 3, {}, [True, False]]
NO_SCORES = [None, 3, "abc", [0.5, np.nan, 0.7], [1j, 0, 0], [None, 1, 0], [[0.5]] * 3, {}, [0.5, 0.5]]


@pytest.mark.parametrize("function", SCORED)
@pytest.mark.parametrize(
    ("labels", "scores"), [*((bad, SCORES) for bad in NO_LABELS), *((LABELS, bad) for bad in NO_SCORES)]
)
def test_what_cannot_be_scored(function: Any, labels: Any, scores: Any) -> None:
    with pytest.raises(InputError):
        function(labels, scores)


@pytest.mark.parametrize("function", SCORED)
def test_lists_are_arrays_and_numbers_are_truth(function: Any) -> None:
    expected = function(LABELS, SCORES)
    for labels in (LABELS.tolist(), [1, 0, 1], np.array([1, 0, 1], np.uint8)):
        for found, same in zip(np.atleast_1d(function(labels, SCORES.tolist())), np.atleast_1d(expected), strict=True):
            assert np.array_equal(found, same, equal_nan=True)


@pytest.mark.parametrize("bins", [None, 0, -1, 2.5, "10", True, 10**9])
def test_bins(bins: Any) -> None:
    for function in (reliability_curve, expected_calibration_error):
        with pytest.raises(InputError, match="^bins must be a whole number from 1 to"):
            function(LABELS, SCORES, bins)


GOOD = {
    "scores": np.array([[0.9, 0.1]]),
    "matches": np.array([[0, 0]]),
    "identities_i": np.array([5]),
    "identities_j": np.array([5, 6]),
}


@pytest.mark.parametrize(
    "changed",
    [
        {"scores": None},
        {"scores": "x"},
        {"scores": [[0.9]]},
        {"scores": [[1j, 0]]},
        {"matches": None},
        {"matches": [[0, 2]]},
        {"matches": [[-1, 0]]},
        {"matches": [[0.5, 0]]},
        {"matches": [[0, 0, 0]]},
        {"matches": [0, 0]},
        {"identities_i": ["a"]},
        {"identities_i": [5, 6]},
        {"identities_j": [[5, 6]]},
        {"identities_j": [5, np.nan]},
    ],
)
def test_pairs(changed: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        PairResult(**GOOD | changed)


@pytest.mark.parametrize("pairs", [None, 3, "ab", {}, [None], [GOOD], PairResult(**GOOD)])
def test_what_are_no_pairs(pairs: Any) -> None:
    with pytest.raises(InputError, match="^pairs must be"):
        score_pairs(pairs)


def test_a_pair_of_lists() -> None:
    assert score_pairs([PairResult([[0.9, 0.1]], [[0, 0]], [5], [5, 6])]) == score_pairs([PairResult(**GOOD)])
    assert score_pairs([PairResult([[0.9, 0.1]], [], [5], [5, 6])]).recall == 0.0
