"""Evaluation end to end: both protocols, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_scenes import fit_quietly, flat, scene

from selfmva import Associator, Frame, NotFittedError, evaluate
from selfmva.errors import InputError
from selfmva.metrics.association import PairResult, score_pairs
from selfmva.metrics.published import published_boxes, published_matches, published_similarity

if TYPE_CHECKING:
    from selfmva.datasets.simulated import Simulated


@pytest.fixture(scope="module")
def recording() -> Simulated:
    return scene()


@pytest.fixture(scope="module")
def associator(recording: Simulated) -> Associator:
    return fit_quietly(flat(), recording)


def labelled(recording: Simulated, split: str = "test") -> list[tuple[Frame, tuple[np.ndarray, ...]]]:
    return [(recording.frame(index), recording.identities(index)) for index in recording.splits[split]]


def test_calibrated_scores_are_those_of_the_associations(recording: Simulated, associator: Associator) -> None:
    pairs = []
    for frame, identities in labelled(recording):
        association = associator.associate(frame)
        for i in range(3):
            for j in range(i + 1, 3):
                if len(identities[i]) and len(identities[j]):
                    scores, matches = association.probability(i, j), association.matches(i, j)
                    pairs.append(PairResult(scores, matches, identities[i], identities[j]))
    wanted, found = score_pairs(pairs), evaluate(associator, recording)
    assert found.pairs == wanted.pairs > 10
    for name, value in wanted.to_dict().items():
        assert found.to_dict()[name] == pytest.approx(value, abs=1e-4, nan_ok=True), name


def test_published_scores_are_those_of_truncated_boxes(recording: Simulated, associator: Associator) -> None:
    pairs = []
    for frame, identities in labelled(recording):
        embeddings = [associator.embed(v, np.trunc(b)) if len(b) else None for v, b in enumerate(frame.boxes)]
        for i in range(3):
            for j in range(i + 1, 3):
                one, other = embeddings[i], embeddings[j]
                if one is None or other is None:
                    continue
                distances = np.linalg.norm(one[:, None] - other[None], axis=2)
                scores, matches = published_similarity(distances), published_matches(distances)
                pairs.append(PairResult(scores, matches, identities[i], identities[j]))
    wanted, found = score_pairs(pairs), evaluate(associator, recording, protocol="self-mva")
    for name, value in wanted.to_dict().items():
        assert found.to_dict()[name] == pytest.approx(value, abs=1e-3, nan_ok=True), name


@pytest.mark.parametrize("protocol", ["calibrated", "self-mva"])
def test_a_dataset_or_its_frames_are_the_same(recording: Simulated, associator: Associator, protocol: Any) -> None:
    one = evaluate(associator, recording, split="validation", protocol=protocol)
    other = evaluate(associator, labelled(recording, "validation"), protocol=protocol)
    assert one.to_dict() == pytest.approx(other.to_dict(), nan_ok=True)


def test_a_threshold_drops_matches_but_not_the_ranking(recording: Simulated, associator: Associator) -> None:
    free = evaluate(associator, recording, protocol="self-mva", similarity_threshold=0.0)
    strict = evaluate(associator, recording, protocol="self-mva", similarity_threshold=0.9)
    assert strict.average_precision == free.average_precision
    assert strict.recall < free.recall


def test_the_dataset_knows_its_published_threshold(associator: Associator) -> None:
    class Strict:
        similarity_threshold = 0.9

        def __init__(self) -> None:
            inner = scene()
            self.views, self.splits = inner.views, inner.splits
            self.frame, self.identities, self._length = inner.frame, inner.identities, len(inner)

        def __len__(self) -> int:
            return self._length

    by_name = evaluate(associator, Strict(), protocol="self-mva")
    assert by_name == evaluate(associator, scene(), protocol="self-mva", similarity_threshold=0.9)


def test_published_boxes() -> None:
    frame = Frame([[[-3.7, 4.9, 10.9, 2000.2]], []])
    one, other = published_boxes(frame)
    assert one.tolist() == [[0.0, 4.0, 10.0, 2000.0]]
    assert other.shape == (0, 4)


def test_a_thin_box_is_evaluated_too(associator: Associator) -> None:
    """Truncated, it has no width left."""
    frame = Frame([[[0.2, 0, 0.9, 50]], [[0, 0, 20, 50]], []])
    scores = evaluate(associator, [(frame, ([1], [1], []))], protocol="self-mva")  # type: ignore[list-item]
    assert (scores.pairs, scores.precision) == (1, 1.0)


def test_nothing_to_evaluate(associator: Associator) -> None:
    assert evaluate(associator, []).pairs == 0
    nobody = (Frame([[], [], []]), ([], [], []))
    assert evaluate(associator, [nobody], protocol="self-mva").pairs == 0  # type: ignore[list-item]


class Unlabelled:
    views, splits = scene().views, {"test": [0]}

    def __len__(self) -> int:
        return 1

    def frame(self, index: int) -> Frame:
        return scene().frame(index)


@pytest.mark.parametrize(
    ("dataset", "options", "message"),
    [
        (scene(), {"protocol": "magic"}, "protocol must be 'self-mva' or 'calibrated', got 'magic'"),
        (scene(), {"split": "tset"}, "no split 'tset'; known are test, train, validation"),
        (scene(instants=1), {}, "the split 'test' is empty"),
        (Unlabelled(), {}, "Unlabelled has no identities"),
        ([(Frame([[[0, 0, 9, 9]], [], []]), ([1, 2], [], []))], {}, "identities must have one entry per box"),
        ([(Frame([[[0, 0, 9, 9]], [], []]), ([1], []))], {}, "identities must have one entry per box"),
        ([(Frame([[], []]), ([], []))], {}, "2 views"),
        ([(Frame([[], []]), ([], []))], {"protocol": "self-mva"}, "2 views"),
    ],
)
def test_errors(associator: Associator, dataset: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(associator, dataset, **options)


@pytest.mark.parametrize("protocol", ["calibrated", "self-mva"])
def test_an_associator_that_has_learnt_nothing_yet(recording: Simulated, protocol: Any) -> None:
    with pytest.raises(NotFittedError, match=r"fit\(\)"):
        evaluate(Associator(), recording, protocol=protocol)
