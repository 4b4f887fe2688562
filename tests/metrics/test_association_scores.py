"""Scores against scikit-learn, closed forms and cases that were counted by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score, roc_curve

from selfmva.errors import InputError
from selfmva.metrics.association import (
    AssociationScores,
    PairResult,
    average_precision,
    expected_calibration_error,
    false_positive_rate_at_recall,
    score_pairs,
)


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores; scores of few levels tie often."""
    size = draw(st.integers(1, 60))
    labels = draw(hnp.arrays(bool, size))
    levels = draw(st.sampled_from([2, 5, 1000]))
    scores = draw(hnp.arrays(np.int64, size, elements=st.integers(0, levels))) / levels
    return labels, scores


@given(rankings())
def test_average_precision_against_sklearn(ranking: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = ranking
    found = average_precision(labels, scores)
    if labels.any():
        assert found == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    else:
        assert math.isnan(found)


@given(rankings(), st.sampled_from([0.5, 0.9, 0.95, 1.0]))
def test_fpr_against_sklearn(ranking: tuple[np.ndarray, np.ndarray], recall: float) -> None:
    labels, scores = ranking
    found = false_positive_rate_at_recall(labels, scores, recall)
    if labels.all() or not labels.any():
        assert math.isnan(found)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        false_positive, true_positive, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert found == pytest.approx(false_positive[np.argmax(true_positive >= recall)], abs=1e-12)


@given(rankings(), st.randoms(use_true_random=False))
def test_the_order_of_ties_changes_nothing(ranking: tuple[np.ndarray, np.ndarray], random: object) -> None:
    labels, scores = ranking
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(labels))  # type: ignore[attr-defined]
    np.testing.assert_allclose(average_precision(labels[order], scores[order]), average_precision(labels, scores))


@pytest.mark.parametrize("function", [average_precision, false_positive_rate_at_recall])
def test_rankings_that_do_not_fit(function: object) -> None:
    with pytest.raises(InputError, match="same length, got 2 and 3"):
        function(np.ones(2, bool), np.ones(3))  # type: ignore[operator]


def test_calibration_error_closed_forms() -> None:
    labels = np.array([True, False] * 50)
    assert expected_calibration_error(labels, np.full(100, 0.5)) == pytest.approx(0.0)
    assert expected_calibration_error(labels, np.full(100, 0.9)) == pytest.approx(0.4)
    assert expected_calibration_error(labels, labels.astype(float)) == 0.0
    assert expected_calibration_error(labels, 1.0 - labels) == 1.0
    # Half of the pairs in a bin that is right, half in one that is off by 0.3.
    mixed = np.concatenate((np.full(50, 0.5), np.full(50, 0.8)))
    assert expected_calibration_error(labels, mixed) == pytest.approx(0.15)
    assert math.isnan(expected_calibration_error(np.zeros(0, bool), np.zeros(0)))


@given(rankings(), st.sampled_from([1, 3, 10]))
def test_calibration_error_by_a_plain_loop(ranking: tuple[np.ndarray, np.ndarray], bins: int) -> None:
    labels, scores = ranking
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = (np.floor(scores * bins) == number) | ((scores == 1.0) & (number == bins - 1))
        assert ((scores[inside] >= low - 1e-12) & (scores[inside] <= high + 1e-12)).all()
        if inside.any():
            total += inside.sum() * abs(labels[inside].mean() - scores[inside].mean())
    assert expected_calibration_error(labels, scores, bins) == pytest.approx(total / len(labels), abs=1e-12)


def pair(ids_i: list[int], ids_j: list[int], matches: list[tuple[int, int]], scores: object = 0.5) -> PairResult:
    shape = (len(ids_i), len(ids_j))
    return PairResult(
        np.broadcast_to(np.asarray(scores, dtype=np.float64), shape),
        np.array(matches, dtype=np.int64).reshape(-1, 2),
        np.array(ids_i, dtype=np.int64),
        np.array(ids_j, dtype=np.int64),
    )


def counts(scores: AssociationScores) -> tuple[float, float, float]:
    return scores.precision, scores.recall, scores.accuracy


def test_everything_right() -> None:
    scores = score_pairs([pair([1, 2, 3], [3, 1], [(0, 1), (2, 0)], [[0, 1], [0, 0], [1, 0]])])
    assert counts(scores) == (1.0, 1.0, 1.0)  # person 2 was rightly left alone
    assert (scores.f1, scores.average_precision, scores.fpr_95) == (1.0, 1.0, 0.0)
    assert (scores.ipaa_100, scores.pairs, scores.box_pairs) == (1.0, 1, 6)


def test_one_wrong_match() -> None:
    """Union {1, 2, 3}: 1 is right, 2 and 3 are matched with each other and both wrong."""
    scores = score_pairs([pair([1, 2], [1, 3], [(0, 0), (1, 1)])])
    assert counts(scores) == (0.5, 1.0, pytest.approx(1 / 3))
    assert scores.f1 == pytest.approx(2 * 1 / (2 + 1))


def test_a_missed_person() -> None:
    """Union {1, 2}: nobody is matched; boxes whose person is in both views are not rightly alone."""
    assert counts(score_pairs([pair([1], [1, 2], [])]))[1:] == (0.0, 0.5)


def test_nothing_in_common() -> None:
    scores = score_pairs([pair([1, 2], [3], [])])
    assert scores.accuracy == 1.0
    assert math.isnan(scores.precision)
    assert math.isnan(scores.recall)
    assert math.isnan(scores.average_precision)
    assert score_pairs([pair([1, 2], [3], [(0, 0)])]).precision == 0.0


def test_unknown_people_count_as_matches_and_as_nothing_else() -> None:
    scores = score_pairs([pair([1, -1], [-1, 1], [(0, 1), (1, 0)])])
    assert counts(scores) == (0.5, 1.0, 1.0)  # the match of the unknown ones is in the denominator of the precision
    assert scores.box_pairs == 1
    alone = score_pairs([pair([1, -1], [1, -1], [(0, 0)])])
    assert counts(alone) == (1.0, 1.0, 1.0)


def test_only_unknown_people() -> None:
    scores = score_pairs([pair([-1], [-1], [])])
    assert (scores.pairs, scores.box_pairs) == (0, 0)
    assert all(math.isnan(value) for value in (scores.accuracy, scores.ipaa_100, scores.calibration_error))


def test_a_person_with_two_boxes_in_a_view_counts_once() -> None:
    """The second box has nobody left to be matched with, and is not rightly alone."""
    scores = score_pairs([pair([1, 1], [1], [(1, 0)])])
    assert counts(scores) == (1.0, 1.0, 1.0)


def test_no_pair_at_all() -> None:
    scores = score_pairs([])
    assert scores.pairs == scores.box_pairs == 0
    assert all(math.isnan(value) for name, value in scores.to_dict().items() if "pairs" not in name)


def test_pairs_are_pooled_and_ipaa_counts_each() -> None:
    """Accuracies of 1, 4/5 and 9/10: one pair is perfect, two reach 0.9, three 0.8."""

    def with_accuracy(right: int, wrong: int) -> PairResult:
        people = list(range(right + wrong))
        return pair(people, people, [(k, k) for k in range(right)])

    scores = score_pairs([with_accuracy(3, 0), with_accuracy(4, 1), with_accuracy(9, 1)])
    assert (scores.ipaa_100, scores.ipaa_90, scores.ipaa_80) == (pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0)
    assert scores.accuracy == pytest.approx(16 / 18)
    assert scores.recall == pytest.approx(16 / 18)
    assert scores.box_pairs == 9 + 25 + 100


def test_ranking_is_pooled_over_pairs() -> None:
    """Two pairs of one box each: the wrong one scores higher, so the ranking is half right."""
    scores = score_pairs([pair([1], [1], [(0, 0)], 0.2), pair([1], [2], [(0, 0)], 0.9)])
    assert scores.average_precision == 0.5
    assert scores.fpr_95 == 1.0


def test_pairs_may_come_from_a_generator() -> None:
    pairs = [pair([1, 2], [2, 1], [(0, 1)]), pair([5], [5], [(0, 0)])]
    assert score_pairs(iter(pairs)) == score_pairs(pairs)
