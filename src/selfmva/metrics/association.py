"""Scores of pairwise association: how well boxes of two views are matched, and how honest the probabilities are.

Source of the definitions: Self-MVA, section 4.1 (arXiv 2503.13739).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.core.scalars import integer, real
from selfmva.core.values import integer_array, real_array
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

MOST_BINS = 10_000
IPAA_LEVELS = (1.0, 0.9, 0.8)


@dataclass(frozen=True)
class PairResult:
    """What was predicted for two views of one instant, and who was there.

    Args:
        scores: `(N_i, N_j)`, higher = more likely the same person.
        matches: `(K, 2)` int64 indices of boxes called the same person.
        identities_i: `(N_i,)` int64, -1 = not known.
        identities_j: `(N_j,)` int64, -1 = not known.

    Raises:
        InputError: One of them is no such array, or they do not fit together.
    """

    scores: FloatArray
    matches: IntArray
    identities_i: IntArray
    identities_j: IntArray

    def __post_init__(self) -> None:
        people = [integer_array(ids, "identities") for ids in (self.identities_i, self.identities_j)]
        scores, matches = real_array(self.scores, "scores"), integer_array(self.matches, "matches")
        shape = tuple(map(len, people)) if all(ids.ndim == 1 for ids in people) else None
        if scores.shape != shape:
            raise InputError(f"scores must have shape (N_i, N_j) of the identities, {shape}, got {scores.shape}")
        matches = matches.reshape(-1, 2) if matches.size == 0 else matches
        if matches.ndim != 2 or matches.shape[1] != 2 or ((matches < 0) | (matches >= shape)).any():
            raise InputError(f"matches must be (K, 2) numbers of boxes of the two views, got {shown(self.matches)}")
        for name, value in zip(
            ("scores", "matches", "identities_i", "identities_j"), (scores, matches, *people), strict=True
        ):
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class AssociationScores:
    """Scores of a set of view pairs; all in [0, 1], NaN where nothing defines them.

    Attributes:
        average_precision: Area under precision and recall of all box pairs, pooled.
        fpr_95: False positive rate at 95 % recall; lower is better.
        precision: Correct matches / matches.
        recall: Correct matches / people seen in both views. Where labels have a person in several boxes of a view, as
            many matches can be right as the view with fewer of them has, and so many people are counted.
        f1: Harmonic mean of the two.
        accuracy: (correct matches + boxes rightly left alone) / people seen in either view; one in several boxes of a
            single view is counted as often.
        ipaa_100: Fraction of view pairs with accuracy 1; `ipaa_90` and `ipaa_80` with at least 0.9 and 0.8.
        calibration_error: Expected calibration error of the scores taken as probabilities (10 bins); NaN where they are
            none.
        pairs: Number of view pairs.
        box_pairs: Number of box pairs that were scored.
    """

    average_precision: float
    fpr_95: float
    precision: float
    recall: float
    f1: float
    accuracy: float
    ipaa_100: float
    ipaa_90: float
    ipaa_80: float
    calibration_error: float
    pairs: int
    box_pairs: int

    def to_dict(self) -> dict[str, float | int]:
        """The scores by name."""
        return asdict(self)


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Average precision: the sum over thresholds of (recall gained) x precision; ties share one threshold.

    Args:
        labels: `(N,)` bool, True for the same person.
        scores: `(N,)` float, higher = more likely.

    Returns:
        A value in [0, 1]; NaN where no label is True. Equal to `sklearn.metrics.average_precision_score`.

    Example:
        >>> float(average_precision(np.array([True, False, True]), np.array([0.9, 0.8, 0.7])))
        0.8333333333333333
    """
    true_positives, predicted = cumulative(labels, scores)
    positives = np.count_nonzero(np.asarray(labels))
    if positives == 0:
        return float("nan")
    recall = true_positives / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * true_positives / predicted))


def false_positive_rate_at_recall(labels: np.ndarray, scores: np.ndarray, recall: float = 0.95) -> float:
    """Fraction of the negatives that score at least as high as the threshold that first reaches `recall`.

    Args:
        labels: `(N,)` bool.
        scores: `(N,)` float.
        recall: In (0, 1].

    Returns:
        A value in [0, 1]; NaN without a positive or without a negative.

    Example:
        >>> float(false_positive_rate_at_recall(np.array([True, False, False]), np.array([0.5, 0.9, 0.1])))
        0.5
    """
    true_positives, predicted = cumulative(labels, scores)
    real(recall, "recall", above=0, most=1)
    positives = int(np.count_nonzero(np.asarray(labels)))
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    first = int(np.argmax(true_positives / positives >= recall))
    return float((predicted[first] - true_positives[first]) / negatives)


def cumulative(labels: np.ndarray, scores: np.ndarray) -> tuple[IntArray, IntArray]:
    """True positives and predictions at every distinct threshold, from the highest score down.

    Raises:
        InputError: See `read_labels`.
    """
    labels, scores = read_labels(labels, scores)
    if len(labels) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return np.cumsum(labels[order].astype(np.int64))[last_of_tie], last_of_tie.astype(np.int64) + 1


def read_labels(labels: Any, scores: Any, name: str = "scores") -> tuple[NDArray[np.bool_], FloatArray]:
    """Read what is scored: `(N,)` bool, and `(N,)` real numbers.

    Raises:
        InputError: Labels are no truth values (0 and 1 are some), scores no numbers, one is NaN, or they are not of
            the same length.

    Example:
        >>> read_labels([1, 0], [0.5, 0.25])
        (array([ True, False]), array([0.5 , 0.25]))
    """
    truthful = isinstance(labels, np.ndarray) and labels.dtype == np.bool_
    if isinstance(labels, list | tuple):
        truthful = all(isinstance(label, bool | np.bool_) for label in labels)
    truth = np.asarray(labels) if truthful else integer_array(labels, "labels")
    numbers: FloatArray = real_array(scores, name)
    if truth.ndim != 1 or numbers.ndim != 1 or len(truth) != len(numbers):
        got = " and ".join(str(len(a) if a.ndim == 1 else a.shape) for a in (truth, numbers))
        raise InputError(f"labels and {name} must have the same length, got {got}")
    if ((truth != 0) & (truth != 1)).any() or np.isnan(numbers).any():
        raise InputError(f"labels must be True or False and {name} must not be NaN")
    return truth.astype(bool), numbers


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 10) -> float:
    """Mean distance of probability and frequency over equal-width bins, weighted by their counts.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.

    Args:
        labels: `(N,)` bool.
        probabilities: `(N,)` in [0, 1].
        bins: Number of bins.

    Returns:
        A value in [0, 1]; NaN without any pair.

    Raises:
        InputError: A probability is NaN or outside of [0, 1].

    Example:
        >>> float(expected_calibration_error(np.array([True, False]), np.array([0.5, 0.5])))
        0.0
    """
    labels, probabilities = read_labels(labels, probabilities, "probabilities")
    integer(bins, "bins", least=1, most=MOST_BINS)
    if len(labels) == 0:
        return float("nan")
    check_probabilities(probabilities)
    index = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    gap = np.bincount(index, weights=labels.astype(float) - probabilities, minlength=bins)
    return float(np.abs(gap).sum() / len(labels))


def check_probabilities(probabilities: np.ndarray) -> None:
    """Refuse what are no probabilities.

    Raises:
        InputError: One is NaN or outside of [0, 1].
    """
    wrong = ~((probabilities >= 0) & (probabilities <= 1))
    if wrong.any():
        raise InputError(
            f"{np.count_nonzero(wrong)} of {len(probabilities)} probabilities are not in [0, 1], the first is "
            f"{probabilities[np.argmax(wrong)]}; scores of another kind have no calibration"
        )


def score_pairs(pairs: Iterable[PairResult]) -> AssociationScores:
    """Score view pairs against who was there.

    Args:
        pairs: One `PairResult` per instant and view pair, both views with at least one box.

    Returns:
        The pooled scores.

    Raises:
        InputError: Something else than `PairResult` comes, a score is NaN, or a box is matched twice.

    Example:
        >>> one = np.array([5])
        >>> pair = PairResult(np.array([[0.9]]), np.array([[0, 0]]), one, one)
        >>> score_pairs([pair]).accuracy
        1.0
    """
    labels, scores, accuracies = [np.zeros(0, bool)], [np.zeros(0)], []
    correct = matched = common = right = union = 0
    for pair in _each_pair(pairs):
        _check_matches(pair.matches)
        label, score = _labels_and_scores(pair)
        labels.append(label)
        scores.append(score)
        hits, alone, shared, everyone = _count(pair)
        correct, matched, common = correct + hits, matched + len(pair.matches), common + shared
        right, union = right + hits + alone, union + everyone
        if everyone:
            accuracies.append((hits + alone) / everyone)
    label, score, accuracy = np.concatenate(labels), np.concatenate(scores), np.asarray(accuracies)
    if np.isnan(score).any():
        raise InputError(
            f"{np.count_nonzero(np.isnan(score))} of {len(score)} scores are NaN; give a number to each pair"
        )
    probable = ((score >= 0) & (score <= 1)).all()
    precision, recall = _ratio(correct, matched), _ratio(correct, common)
    ipaa = [float(np.mean(accuracy >= level)) if len(accuracy) else float("nan") for level in IPAA_LEVELS]
    return AssociationScores(
        average_precision=average_precision(label, score),
        fpr_95=false_positive_rate_at_recall(label, score),
        precision=precision,
        recall=recall,
        f1=_ratio(2 * correct, matched + common),
        accuracy=_ratio(right, union),
        ipaa_100=ipaa[0],
        ipaa_90=ipaa[1],
        ipaa_80=ipaa[2],
        calibration_error=expected_calibration_error(label, score) if probable else float("nan"),
        pairs=len(accuracies),
        box_pairs=len(label),
    )


def pooled_labels(pairs: Iterable[PairResult]) -> tuple[np.ndarray, FloatArray]:
    """What curves are drawn from: all pairs of boxes of known people.

    Args:
        pairs: As in `score_pairs`.

    Returns:
        `(N,)` bool, True for the same person, and `(N,)` float64 scores.

    Example:
        >>> one = np.array([5])
        >>> labels, scores = pooled_labels([PairResult(np.array([[0.9]]), np.array([[0, 0]]), one, one)])
        >>> labels.tolist(), scores.tolist()
        ([True], [0.9])
    """
    parts = [(np.zeros(0, bool), np.zeros(0)), *map(_labels_and_scores, _each_pair(pairs))]
    return np.concatenate([labels for labels, _ in parts]), np.concatenate([scores for _, scores in parts])


def _each_pair(pairs: Any) -> Iterator[PairResult]:
    for pair in stream(pairs, "pairs", "PairResult"):
        if not isinstance(pair, PairResult):
            raise InputError(f"pairs must be PairResult, got {shown(pair)}")
        yield pair


def _labels_and_scores(pair: PairResult) -> tuple[np.ndarray, FloatArray]:
    same = pair.identities_i[:, None] == pair.identities_j[None, :]
    known = (pair.identities_i >= 0)[:, None] & (pair.identities_j >= 0)[None, :]
    return same[known], pair.scores[known]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _count(pair: PairResult) -> tuple[int, int, int, int]:
    """Correct matches, boxes rightly left alone, people seen in both views, people seen in either.

    Labels may have a person in several boxes of a view. Since a box is matched at most once, of a person in n boxes of
    one view and m of the other min(n, m) matches can be right; the person counts as so many. One whom a single view
    shows counts as many times as there.
    """
    ids_i, ids_j = pair.identities_i, pair.identities_j
    of_i, of_j = pair.matches[:, 0], pair.matches[:, 1]
    # Two boxes of unknown people are no correct match; the match still counts as one that was made.
    hits = int(np.count_nonzero((ids_i[of_i] == ids_j[of_j]) & (ids_i[of_i] >= 0)))
    alone = _rightly_alone(ids_i, of_i, ids_j) + _rightly_alone(ids_j, of_j, ids_i)
    known_i, known_j = ids_i[ids_i >= 0], ids_j[ids_j >= 0]
    people = np.unique(np.concatenate([known_i, known_j]))
    times = [np.bincount(np.searchsorted(people, known), minlength=len(people)) for known in (known_i, known_j)]
    fewer, more = np.minimum(*times), np.maximum(*times)
    return hits, alone, int(fewer.sum()), int(np.where(fewer > 0, fewer, more).sum())


def _check_matches(matches: IntArray) -> None:
    for side in (0, 1):
        boxes, times = np.unique(matches[:, side], return_counts=True)
        if (times > 1).any():
            raise InputError(
                f"box {boxes[times > 1][0]} of the {('first', 'second')[side]} view is matched {times.max()} times; a "
                "box has at most one partner in a view"
            )


def _rightly_alone(identities: IntArray, matched: IntArray, others: IntArray) -> int:
    """Boxes without a match whose person is known and not in the other view."""
    free = np.ones(len(identities), bool)
    free[matched] = False
    return int(np.count_nonzero(free & (identities >= 0) & ~np.isin(identities, others)))
