"""One person in two boxes of a view: known as such, named, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from changed_rigs import rig
from doubled_boxes import KINDS, doubled
from small_scenes import scene

from selfmva import Associator, Frame, evaluate, load_dataset
from selfmva.association.doubles.finding import find_first_boxes, without_learnt_doubles
from selfmva.association.doubles.learning import Doubles, learn_doubles
from selfmva.association.doubles.overlap import BOUNDS, OVERLAP_CELLS, overlap_cells, pairs_within_images
from selfmva.core.types import select_boxes
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated
from selfmva.errors import BadBoxWarning, CheckpointError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doubled_boxes import Labelled

    from selfmva.association.association import Association

LEARNT = 200


@cache
def recorded(seed: int = 3) -> list[Labelled]:
    recording = scene(views=4, people=6, instants=LEARNT + 60, seed=seed)
    return [(recording.frame(t), recording.identities(t)) for t in range(len(recording))]


@cache
def fitted(kind: str) -> tuple[Associator, list[Labelled], list[tuple[Any, ...]]]:
    """A model that learnt from doubled boxes, and what comes after; not to be changed."""
    labelled, added = doubled(recorded(), kind)
    views = scene(views=4, people=6, instants=LEARNT + 60, seed=3).views
    associator = Associator(recipe="geometry").fit(views, [frame for frame, _ in labelled[:LEARNT]])
    return associator, labelled[LEARNT:], added[LEARNT:]


def people_by_hand(answers: Sequence[Association], labelled: Sequence[Labelled]) -> float:
    """F1 of people: of each pair of views, those who are in both and are matched, by any of their boxes."""
    right = said = there = 0
    for found, (_, who) in zip(answers, labelled, strict=True):
        for i, j in view_pairs(len(who)):
            matches = found.matches(i, j)
            good = (who[i][matches[:, 0]] == who[j][matches[:, 1]]) & (who[i][matches[:, 0]] >= 0)
            right += len(set(who[i][matches[good, 0]].tolist()))
            said += len(matches)
            there += len((set(who[i].tolist()) & set(who[j].tolist())) - {-1})
    return 2 * right / (said + there)


@pytest.mark.parametrize("seed", range(3))
def test_cells_and_pairs_by_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 5, 6)
    low = rng.uniform(0, 4, (count.sum(), 2))
    boxes = np.concatenate([low, low + rng.uniform(3, 8, low.shape)], axis=1)
    ends = np.cumsum([0, *count])
    pairs = [(i, j) for begin, end in pairwise(ends.tolist()) for i in range(begin, end) for j in range(i + 1, end)]
    first, second = pairs_within_images(count)
    assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == sorted(pairs)
    cells = overlap_cells(boxes[first], boxes[second])
    for i, j, cell in zip(first.tolist(), second.tolist(), cells.tolist(), strict=True):
        parts = []
        for low_side, high_side in ((0, 2), (1, 3)):
            common = min(boxes[i, high_side], boxes[j, high_side]) - max(boxes[i, low_side], boxes[j, low_side])
            both = max(boxes[i, high_side], boxes[j, high_side]) - min(boxes[i, low_side], boxes[j, low_side])
            parts.append(sum(common / both >= bound for bound in BOUNDS) - 1)
        assert cell == (parts[0] * len(BOUNDS) + parts[1] if min(parts) >= 0 else -1)


@pytest.mark.parametrize("seed", range(4))
def test_people_who_pass_each_other_are_nobody_twice(seed: int) -> None:
    recording = scene(views=3, people=12, instants=150, seed=20 + seed)
    assert learn_doubles([recording.frame(t) for t in range(150)], 3) is None


def test_people_who_stand_are_nobody_twice() -> None:
    recording = Simulated(views=3, people=8, instants=150, seed=0, standing=True)
    assert learn_doubles([recording.frame(t) for t in range(150)], 3) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_out_before_anything_is_known(kind: str) -> None:
    labelled, added = doubled(recorded(), kind, seed=1)
    single, doubles, many = without_learnt_doubles([frame for frame, _ in labelled], 4)
    assert doubles is not None
    assert many == sum(sum(frame.counts) for frame, _ in labelled) - sum(sum(frame.counts) for frame in single)
    assert many == pytest.approx(sum(int(np.sum(part)) for parts in added for part in parts), rel=0.12)


def test_a_single_view_that_shows_people_twice() -> None:
    labelled, _ = doubled(recorded(), "jittered", views=(2,))
    doubles = learn_doubles([frame for frame, _ in labelled], 4)
    assert doubles is not None
    assert doubles.probabilities.any(axis=1).tolist() == [False, False, True, False]
    turned = [Frame([frame.boxes[v] for v in (2, 0, 3, 1)], frame.index) for frame, _ in labelled]
    again = learn_doubles(turned, 4)
    assert again is not None
    np.testing.assert_allclose(again.probabilities, doubles.reordered((2, 0, 3, 1)).probabilities)


def test_of_three_boxes_the_one_that_meets_partners_stands_for_the_person() -> None:
    box = np.array([0.0, 0.0, 20.0, 60.0])
    boxes = box + np.array([[0, 0, 0, 0], [0, 0, 0, 1], [0, -1, 0, 0], [100, 100, 100, 100]])
    doubles = Doubles(np.full((1, OVERLAP_CELLS), 0.9))
    count = np.array([[4]])
    assert find_first_boxes(doubles, boxes + 1, count, np.array([1.0, 0.0, 5.0, 0.0])).tolist() == [2, 2, 2, 3]
    assert find_first_boxes(doubles, boxes[:2] + 1, np.array([[2]])).tolist() == [1, 1]  # the largest
    assert find_first_boxes(doubles, boxes[2:] + 1, np.array([[2]])) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_rig_whose_detector_draws_people_twice(kind: str) -> None:
    associator, labelled, added = fitted(kind)
    answers = list(associator.associate_many(frame for frame, _ in labelled))
    assert people_by_hand(answers, labelled) > 0.95
    assert evaluate(associator, labelled).f1 > 0.95
    assert associator.health_.ok
    assert associator.check([frame for frame, _ in labelled]).ok
    pairs = wrong = 0
    for found, (_, who) in zip(answers, labelled, strict=True):
        for view, named in enumerate(found.doubles):
            double = np.flatnonzero(named >= 0)
            pairs += len(double)
            wrong += np.count_nonzero(who[view][double] != who[view][named[double]])
    assert wrong <= 0.02 * pairs
    assert pairs == pytest.approx(sum(int(np.sum(part)) for parts in added for part in parts), rel=0.15)
    report = associator.fit_report_
    assert f"{report.doubled_boxes} boxes show a person of whom their view has another box" in report.summary()


def test_what_an_answer_says_of_doubles() -> None:
    associator, labelled, _ = fitted("jittered")
    for (frame, _), found in zip(labelled, associator.associate_many(frame for frame, _ in labelled), strict=True):
        alone = associator.associate(frame)
        for one, other in zip((*alone.ids, *alone.doubles), (*found.ids, *found.doubles), strict=True):
            np.testing.assert_array_equal(one, other)
        if not found.doubles:
            continue
        groups, sure = found.groups(), found.confidences()
        grouped = {(view, box) for person in groups for view, box in person.items()}
        assert len(found.floor_positions()) == len(groups)
        for view, (ids, named) in enumerate(zip(found.ids, found.doubles, strict=True)):
            assert len(set(ids.tolist())) == len(ids) == len(named)
            double = np.flatnonzero(named >= 0)
            assert (named[named[double]] == -1).all()
            assert {box for v, box in grouped if v == view} == set(np.flatnonzero(named < 0).tolist())
            np.testing.assert_array_equal(sure[view][double], sure[view][named[double]])
            for other in set(range(4)) - {view}:
                block = found.probability(view, other)
                np.testing.assert_array_equal(block[double], block[named[double]])
                assert not np.isin(found.matches(view, other)[:, 0], double).any()
        table = found.to_dataframe()
        assert table["doubles"].tolist() == np.concatenate(found.doubles).tolist()
        assert f"{(table['doubles'] >= 0).sum()} double" in repr(found)


def test_the_answer_is_that_of_the_frame_without_them() -> None:
    associator, labelled, _ = fitted("exact")
    found = associator.associate(labelled[0][0])
    without = associator.associate(select_boxes(labelled[0][0], [named < 0 for named in found.doubles]))
    assert without.doubles == ()
    for one, other, named in zip(found.ids, without.ids, found.doubles, strict=True):
        np.testing.assert_array_equal(one[named < 0], other)
    for pair in view_pairs(4):
        kept = np.ix_(*(found.doubles[view] < 0 for view in pair))
        np.testing.assert_array_equal(found.probability(*pair)[kept], without.probability(*pair))


def test_beside_a_bad_box() -> None:
    associator, labelled, _ = fitted("jittered")
    frame = next(frame for frame, _ in labelled if associator.associate(frame).doubles)
    clean = associator.associate(frame)
    boxes = [np.insert(own, 0, np.nan, axis=0) for own in frame.boxes]
    with pytest.warns(BadBoxWarning):
        found = associator.associate(boxes)
    for one, other in zip(found.doubles, clean.doubles, strict=True):
        np.testing.assert_array_equal(one, [-1, *np.where(other >= 0, other + 1, -1)])


def test_a_model_keeps_what_it_knows_of_doubles(tmp_path: Path) -> None:
    associator, labelled, _ = fitted("part")
    associator.save_pretrained(tmp_path)
    again = Associator.from_pretrained(tmp_path)
    np.testing.assert_array_equal(again.model_.doubles.probabilities, associator.model_.doubles.probabilities)
    assert again.fit_report_.doubled_boxes == associator.fit_report_.doubled_boxes > 0
    for frame, _ in labelled[:5]:
        one, other = again.associate(frame), associator.associate(frame)
        for found, kept in zip((*one.ids, *one.doubles), (*other.ids, *other.doubles), strict=True):
            np.testing.assert_array_equal(found, kept)


@pytest.mark.parametrize(
    "probabilities",
    [np.zeros((4, OVERLAP_CELLS + 1)), np.full((4, OVERLAP_CELLS), 1.5), np.full((4, OVERLAP_CELLS), -1)],
)
def test_a_file_with_what_is_no_probability(probabilities: Any, tmp_path: Path) -> None:
    model = fitted("part")[0].model_
    Associator.from_model(replace(model, doubles=Doubles(probabilities))).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="doubles of shape"):
        Associator.from_pretrained(tmp_path)


def test_adapt_learns_and_forgets_them() -> None:
    learnt, recording = rig()
    later = [(recording.frame(t), recording.identities(t)) for t in range(LEARNT, len(recording))]
    labelled, _ = doubled(later, "jittered")
    associator = Associator.from_model(learnt.model_)
    before = evaluate(associator, labelled).f1
    associator.adapt([frame for frame, _ in labelled])
    assert associator.fit_report_.doubled_boxes > 0
    assert evaluate(associator, labelled).f1 > max(0.95, before)
    associator.adapt([frame for frame, _ in later])
    assert associator.model_.doubles is None


def test_labels_decide_how_a_double_counts() -> None:
    associator, labelled, _ = fitted("exact")
    whole = evaluate(associator, labelled)
    answers = [associator.associate(frame) for frame, _ in labelled]
    # Labels of one box alone, whichever it is, are worth the same.
    once = [
        (frame, [np.where(named >= 0, -1, own) for own, named in zip(who, found.doubles or who, strict=True)])
        if found.doubles
        else (frame, who)
        for (frame, who), found in zip(labelled, answers, strict=True)
    ]
    assert evaluate(associator, once).f1 == pytest.approx(whole.f1, abs=1e-9)
    # Where labels say that the other box is somebody else whom another view shows, it counts as missed.
    strangers = [
        (frame, [np.where(named >= 0, 100, own) for own, named in zip(who, found.doubles, strict=True)])
        if found.doubles
        else (frame, who)
        for (frame, who), found in zip(labelled, answers, strict=True)
    ]
    assert evaluate(associator, strangers).recall < 0.95


@pytest.mark.realdata
@pytest.mark.parametrize("kind", ["jittered", "part"])
def test_people_of_a_real_laboratory_seen_twice(kind: str, data_root: Path) -> None:
    dataset = load_dataset("mvmhat", root=data_root / "epfl", scene="12", stride=10)
    labelled = [(Frame(dataset.frame(t).boxes, t), dataset.identities(t)) for t in range(len(dataset))]
    assert learn_doubles([frame for frame, _ in labelled], len(dataset.views)) is None
    twice, _ = doubled(labelled, kind)
    cut = int(0.7 * len(twice))
    associator = Associator(recipe="geometry").fit(dataset.views, [frame for frame, _ in twice[:cut]])
    answers = [associator.associate(frame) for frame, _ in twice[cut:]]
    assert people_by_hand(answers, twice[cut:]) > 0.95
