"""One person in several boxes of a view, and scores that are no probabilities: all scores stay in [0, 1]."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from selfmva.errors import InputError
from selfmva.metrics import PairResult, reliability_curve, score_pairs
from selfmva.metrics.association import expected_calibration_error


def result(scores: np.ndarray, matches: np.ndarray, first: list[int], second: list[int]) -> PairResult:
    return PairResult(scores, matches, np.array(first, dtype=np.int64), np.array(second, dtype=np.int64))


@given(
    st.lists(st.integers(-1, 3), min_size=1, max_size=6),
    st.lists(st.integers(-1, 3), min_size=1, max_size=6),
    st.integers(0, 10_000),
)
def test_scores_stay_in_the_unit_interval(first: list[int], second: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, min(len(first), len(second)) + 1))
    matches = np.stack([rng.permutation(len(side))[:count] for side in (first, second)], axis=1)
    scores = score_pairs([result(rng.random((len(first), len(second))), matches, first, second)])
    values = [value for name, value in scores.to_dict().items() if "pairs" not in name]
    assert all(math.isnan(value) or 0 <= value <= 1 for value in values), scores


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=6),
    st.lists(st.integers(0, 2), min_size=1, max_size=6),
)
def test_as_many_matches_as_can_be_right_reach_a_recall_of_one(first: list[int], second: list[int]) -> None:
    same = np.array(first)[:, None] == np.array(second)
    rows, columns = linear_sum_assignment(same, maximize=True)
    right = same[rows, columns]
    matches = np.stack([rows[right], columns[right]], axis=1)
    scores = score_pairs([result(same.astype(float), matches, first, second)])
    if len(matches):
        assert scores.recall == scores.precision == scores.f1 == scores.average_precision == 1
        assert scores.accuracy <= 1


@pytest.mark.parametrize(
    ("first", "second", "matches", "recall", "accuracy"),
    [
        ([5, 5], [5, 5], [[0, 0], [1, 1]], 1, 1),
        ([5, 5], [5, 5], [[0, 0]], 1 / 2, 1 / 2),
        ([5, 5], [5], [[1, 0]], 1, 1),  # the other box has nobody left to be matched with
        ([5, 5, 6], [7], [], math.nan, 1),
        ([5, 5], [5, 6], [[0, 1]], 0, 0),  # wrong, and nobody is rightly alone
    ],
)
def test_how_a_duplicate_counts(
    first: list[int], second: list[int], matches: list[list[int]], recall: float, accuracy: float
) -> None:
    pairs = np.array(matches, dtype=np.int64).reshape(-1, 2)
    scores = score_pairs([result(np.zeros((len(first), len(second))), pairs, first, second)])
    assert scores.recall == pytest.approx(recall, nan_ok=True)
    assert scores.accuracy == pytest.approx(accuracy)


def test_a_box_that_is_matched_twice() -> None:
    with pytest.raises(InputError, match="box 0 of the second view is matched 2 times"):
        score_pairs([result(np.zeros((2, 1)), np.array([[0, 0], [1, 0]]), [1, 2], [1])])


@pytest.mark.parametrize("value", [1.5, -0.1, np.inf])
def test_scores_that_are_no_probabilities(value: float) -> None:
    found = score_pairs([result(np.array([[value, 0.5]]), np.zeros((0, 2), np.int64), [1], [1, 2])])
    assert math.isnan(found.calibration_error)
    assert 0 <= found.average_precision <= 1
    for curve in (reliability_curve, expected_calibration_error):
        with pytest.raises(InputError, match=rf"1 of 2 probabilities are not in \[0, 1\], the first is {value}"):
            curve(np.array([True, False]), np.array([value, 0.5]))


def test_scores_that_are_nan() -> None:
    with pytest.raises(InputError, match="1 of 1 scores are NaN"):
        score_pairs([result(np.array([[np.nan]]), np.zeros((0, 2), np.int64), [1], [1])])
    with pytest.raises(InputError, match="must not be NaN"):
        reliability_curve(np.array([True]), np.array([np.nan]))
