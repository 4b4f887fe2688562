"""What is gathered for a report: counts, mistakes, and which instants are kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.association.association import Association
from selfmva.core.types import Frame, View
from selfmva.errors import InputError
from selfmva.metrics import score_pairs
from selfmva.viz.report.findings import ON_FLOOR, gather_findings, wrong_boxes

VIEWS = (View("left", 640, 480), View("right", 640, 480))
BOXES = [[0.0, 0, 50, 90], [100.0, 0, 150, 90]]


def instant(index: int, ids: list[list[int]], probabilities: list[list[float]], images: object = None) -> Association:
    frame = Frame([BOXES, BOXES], index, images=images)  # type: ignore[arg-type]
    return Association(frame, VIEWS, tuple(map(np.array, ids)), {(0, 1): np.array(probabilities)})


SURE = [[0.99, 0.01], [0.01, 0.99]]
UNSURE = [[0.62, 0.4], [0.4, 0.62]]
WHO = [[7, 8], [7, 8]]


def test_counts() -> None:
    findings = gather_findings([instant(3, [[0, 1], [0, 1]], SURE), instant(5, [[0, 1], [0, 2]], UNSURE)])
    assert (findings.instants, findings.people, findings.shared) == ([3, 5], [2, 3], [2, 1])
    assert findings.partners.sum() == 8
    assert (findings.partners[19], findings.partners[12]) == (4, 4)  # 0.99 and 0.62
    assert findings.pairs == {}


def test_least_confident_first_without_labels() -> None:
    stream = [instant(k, WHO, SURE if k % 2 else UNSURE) for k in range(6)]
    findings = gather_findings(stream, keep=2)
    assert [entry.association.index for entry in findings.remarkable] == [0, 2]
    assert findings.remarkable[0].confidence == pytest.approx(float(np.mean(np.concatenate(stream[0].confidences()))))
    assert not any(part.any() for part in findings.remarkable[0].wrong)


def test_most_mistakes_first_with_labels() -> None:
    right, alone, swapped = [[0, 1], [0, 1]], [[0, 1], [0, 2]], [[0, 1], [1, 0]]
    stream = [instant(k, ids, SURE) for k, ids in enumerate([right, alone, swapped, right])]
    findings = gather_findings(stream, [WHO] * 4)
    assert [entry.association.index for entry in findings.remarkable] == [2, 1]  # no mistake, no picture
    worst = findings.remarkable[0]
    assert worst.scores is not None
    assert worst.scores.f1 == 0
    assert all(part.all() for part in worst.wrong)
    assert not any(part.any() for part in findings.remarkable[1].wrong)  # to miss somebody is no wrong match
    scores = score_pairs(findings.all_pairs())
    assert (scores.pairs, scores.precision, scores.recall) == (4, 5 / 7, 5 / 8)


def test_images_are_kept_of_remarkable_instants_alone() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    stream = (instant(k, WHO, UNSURE, images=[image, None]) for k in range(ON_FLOOR + 20))
    findings = gather_findings(stream, keep=1)
    assert len(findings.recent) == ON_FLOOR
    assert all(association.frame.images is None for association in findings.recent)
    assert findings.remarkable[0].association.frame.images is not None


def test_labels_that_do_not_fit() -> None:
    stream = [instant(0, WHO, SURE), instant(4, WHO, SURE)]
    for labels, said in [
        ([WHO], "instant 4: there are no identities"),
        ([WHO] * 3, "more instants than boxes"),
        ([WHO, [[1], [2, 3]]], r"instant 4: identities must have one entry per box, got \[1, 2\]"),
    ]:
        with pytest.raises(InputError, match=said):
            gather_findings(stream, labels)  # type: ignore[arg-type]


def test_nothing_at_all() -> None:
    findings = gather_findings([])
    assert (findings.instants, findings.remarkable, findings.all_pairs()) == ([], [], [])
    nobody = Association(Frame([[], []]), VIEWS, (np.zeros(0, int),) * 2, {(0, 1): np.zeros((0, 0))})
    assert gather_findings([nobody]).people == [0]
    assert gather_findings([nobody], [[[], []]]).remarkable == []


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), max_size=5), min_size=1, max_size=3))
def test_wrong_boxes_against_counting(views: list[list[tuple[int, int]]]) -> None:
    ids = [np.array([a for a, _ in view], dtype=np.int64) for view in views]
    identities = [np.array([b for _, b in view], dtype=np.int64) for view in views]
    everyone = [
        (a, b if b >= 0 else f"nobody {v} {k}") for v, view in enumerate(views) for k, (a, b) in enumerate(view)
    ]
    wanted = []
    for a, b in everyone:
        people = [other for group, other in everyone if group == a]
        counts = {person: people.count(person) for person in people}
        leads = counts[b] == max(counts.values()) and list(counts.values()).count(counts[b]) == 1
        wanted.append(len(people) > 1 and not leads)
    found = wrong_boxes(ids, identities)
    assert [len(part) for part in found] == [len(view) for view in views]
    assert np.concatenate(found).tolist() == wanted
