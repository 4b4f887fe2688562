"""The result of an association: its numbers agree with each other."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_scenes import scene
from true_floors import BODY, true_association, true_floor, without

from selfmva.association.association import Association
from selfmva.core.types import Frame, View
from selfmva.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

VIEWS = (View("door", 640, 480), View("<b>window</b>", 640, 480), View("hall", 640, 480))


def boxes(count: int, view: int = 0) -> list[list[float]]:
    return [[10.0 * k, 100.0 * view, 10.0 * k + 5, 100.0 * view + 50] for k in range(count)]


def make(ids: Sequence[Sequence[int]], **options: Any) -> Association:
    arrays = tuple(np.array(numbers, dtype=np.int64) for numbers in ids)
    counts = [len(numbers) for numbers in ids]
    rng = np.random.default_rng(0)
    probabilities = {
        (i, j): rng.random((counts[i], counts[j])) for i in range(len(ids)) for j in range(i + 1, len(ids))
    }
    frame = Frame([boxes(count, view) for view, count in enumerate(counts)], index=7, **options.pop("extra", {}))
    return Association(frame, VIEWS[: len(ids)], arrays, probabilities, **options)


@pytest.fixture
def association() -> Association:
    return make([[0, 1, 2], [2, 0], []])


def test_matches_are_equal_ids(association: Association) -> None:
    assert association.matches(0, 1).tolist() == [[0, 1], [2, 0]]
    assert association.matches(1, 0).tolist() == [[0, 2], [1, 0]]
    assert association.matches(0, 2).shape == (0, 2)
    assert association.matches(0, 0).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert association.matches(0, 1).dtype == np.int64


def test_a_probability_is_symmetric(association: Association) -> None:
    assert association.probability(0, 1).shape == (3, 2)
    np.testing.assert_array_equal(association.probability(1, 0), association.probability(0, 1).T)
    np.testing.assert_array_equal(association.probability(1, 1), np.eye(2))
    assert association.probability(2, 0).shape == (0, 3)


def test_groups(association: Association) -> None:
    assert association.groups() == [{0: 0, 1: 1}, {0: 1}, {0: 2, 1: 0}]
    assert make([[], []]).groups() == []


def test_the_table_has_one_row_per_box(association: Association) -> None:
    table = association.to_dataframe()
    assert list(table.columns) == ["frame", "view", "view_name", "box", "id", "x1", "y1", "x2", "y2"]
    assert table["frame"].tolist() == [7] * 5
    assert table["view"].tolist() == [0, 0, 0, 1, 1]
    assert table["view_name"].tolist() == ["door"] * 3 + ["<b>window</b>"] * 2
    assert table["box"].tolist() == [0, 1, 2, 0, 1]
    assert table["id"].tolist() == [0, 1, 2, 2, 0]
    assert table[["x1", "y1", "x2", "y2"]].to_numpy().tolist() == boxes(3) + boxes(2, view=1)


def test_the_table_keeps_scores_and_tracks() -> None:
    extra = {"scores": [[0.5, 0.25], [1.0]], "track_ids": [[4, -1], [9]]}
    table = make([[0, 1], [1]], extra=extra).to_dataframe()
    assert table["score"].tolist() == [0.5, 0.25, 1.0]
    assert table["track_id"].tolist() == [4, -1, 9]


def test_the_table_of_nobody() -> None:
    table = make([[], []]).to_dataframe()
    assert len(table) == 0
    assert {"frame", "view", "id", "x1"} <= set(table.columns)


def test_repr_says_what_it_is(association: Association) -> None:
    assert repr(association) == "Association(instant 7: 5 boxes in 3 views, 3 people, 2 of them in several views)"
    assert "similarities instead of probabilities" in repr(make([[0], [0]], calibrated=False))


def test_the_notebook_table(association: Association) -> None:
    html = association._repr_html_()
    assert html.count("<tr>") == 1 + 3
    assert "&lt;b&gt;window&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "<tr><th>2</th><td>2</td><td>0</td><td></td></tr>" in html


@pytest.mark.parametrize(("i", "j"), [(0, 3), (-1, 0), (3, 3)])
@pytest.mark.parametrize("call", ["matches", "probability"])
def test_a_view_that_there_is_not(association: Association, call: str, i: int, j: int) -> None:
    with pytest.raises(InputError, match=r"there is no view (3|-1); views are 0 to 2"):
        getattr(association, call)(i, j)


def test_supervision_is_optional(association: Association, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'selfmva\[supervision\]'"):
        association.to_supervision()


@pytest.mark.skipif(find_spec("supervision") is None, reason="supervision is not installed")
def test_supervision_gets_one_set_of_detections_per_view() -> None:
    detections = make([[0, 1], [1], []], extra={"scores": [[0.5, 0.25], [1.0], []]}).to_supervision()
    assert [len(of_view) for of_view in detections] == [2, 1, 0]
    assert detections[0].xyxy.tolist() == boxes(2)
    assert detections[0].tracker_id.tolist() == [0, 1]
    assert detections[0].confidence.tolist() == [0.5, 0.25]
    assert detections[1].data["view"].tolist() == ["<b>window</b>"]


def standing(noise: float = 0.0) -> tuple[Association, np.ndarray]:
    """People of known height at known places, whole in all three views; errors in heights of their boxes."""
    recording, rng = scene(), np.random.default_rng(0)
    places = rng.uniform((1, 1), (11, 8), (400, 2))
    columns = []
    for projection in recording.projections:
        feet, heads = (
            np.column_stack([places, np.full(len(places), height), np.ones(len(places))]) @ projection.T
            for height in (0.0, BODY)
        )
        foot, head = feet[:, :2] / feet[:, 2:], heads[:, :2] / heads[:, 2:]
        tall = foot[:, 1] - head[:, 1]
        bottom, top = (point[:, 1] + noise * tall * rng.normal(size=len(tall)) for point in (foot, head))
        columns.append(np.column_stack([foot[:, 0] - tall / 5, top, foot[:, 0] + tall / 5, bottom]))
    whole = np.all([(b > 5).all(1) & (b[:, 2] < 1275) & (b[:, 3] < 715) & (b[:, 3] > b[:, 1]) for b in columns], axis=0)
    frame = Frame([b[whole] for b in columns])
    ids = np.arange(whole.sum())
    return Association(frame, recording.views, (ids,) * 3, {}, floor=true_floor(recording)), places[whole]


def test_floor_positions_are_where_the_people_are() -> None:
    association, places = standing()
    assert len(places) > 30
    misses = np.linalg.norm(association.floor_positions() - places, axis=1)
    assert misses.max() < 0.05  # metres: a box is upright, a body leans in the image
    assert association.floor is not None
    bodies = replace(association, floor=replace(association.floor, unit=1.0))
    np.testing.assert_allclose(bodies.floor_positions() * BODY, association.floor_positions())


def test_all_boxes_of_a_person_tell_the_place_together() -> None:
    association, places = standing(noise=0.03)
    assert association.floor is not None
    together = np.linalg.norm(association.floor_positions() - places, axis=1)
    for view in range(3):
        alone = replace(association, floor=without(association.floor, *({0, 1, 2} - {view})))
        assert together.mean() < 0.8 * np.linalg.norm(alone.floor_positions() - places, axis=1).mean()


def test_positions_are_in_the_order_of_groups() -> None:
    association, places = standing()
    order = np.random.default_rng(1).permutation(len(places))
    boxes = [association.frame.boxes[0], association.frame.boxes[1][order], association.frame.boxes[2][:0]]
    mixed = replace(association, frame=Frame(boxes), ids=(association.ids[0], order, order[:0]))
    assert [person[0] for person in mixed.groups()] == list(range(len(places)))
    np.testing.assert_allclose(mixed.floor_positions(), places, atol=0.1)


def test_people_off_the_floor_have_no_place() -> None:
    recording = scene()
    floor = without(true_floor(recording), 1)
    association = true_association(recording, 30, floor)
    alone = [set(person) == {1} for person in association.groups()]
    np.testing.assert_array_equal(np.isnan(association.floor_positions()), np.repeat(alone, 2).reshape(-1, 2))
    nowhere = true_association(recording, 30, None).floor_positions()
    assert nowhere.shape == (len(association.groups()), 2)
    assert np.isnan(nowhere).all()


def test_nobody_has_no_place(association: Association) -> None:
    assert association.floor_positions().shape == (3, 2)
    nobody = replace(make([[], [], []]), floor=true_floor(scene()))
    assert nobody.floor_positions().shape == (0, 2)
