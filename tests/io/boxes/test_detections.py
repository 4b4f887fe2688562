"""Bridges between frames and what detectors give."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import supervision
import torch

from selfmva.core.types import Frame, View
from selfmva.errors import InputError, MissingDependencyError
from selfmva.io import frame_from_supervision, frame_from_torchvision, frame_from_ultralytics, frame_to_supervision

BOXES = np.array([[10.0, 20, 30, 80], [40, 10, 70, 90], [5, 5, 8, 9]], np.float32)
EMPTY = supervision.Detections.empty()


def of_supervision(**columns: Any) -> supervision.Detections:
    return supervision.Detections(BOXES, **{name: np.array(values) for name, values in columns.items()})


def test_supervision_values() -> None:
    door = of_supervision(confidence=[0.5, 0.25, 1.0], class_id=[0, 2, 0], tracker_id=[7, 8, 9])
    frame = frame_from_supervision([door, EMPTY, None], 4)
    assert (frame.index, frame.counts) == (4, (3, 0, 0))
    np.testing.assert_array_equal(frame.boxes[0], BOXES)
    assert [column[0].tolist() for column in (frame.scores, frame.track_ids)] == [[0.5, 0.25, 1.0], [7, 8, 9]]
    people = frame_from_supervision([door, EMPTY, None], class_id=0)
    np.testing.assert_array_equal(people.boxes[0], BOXES[[0, 2]])
    assert [column[0].tolist() for column in (people.scores, people.track_ids)] == [[0.5, 1.0], [7, 9]]


def test_supervision_columns_only_where_all_views_have_them() -> None:
    door, hall = of_supervision(confidence=[0.5, 0.25, 1.0], class_id=[0, 2, 0]), of_supervision(tracker_id=[1, 2, 3])
    both = frame_from_supervision([door, hall])
    assert (both.scores, both.track_ids) == (None, None)
    assert frame_from_supervision([door, EMPTY]).scores is not None
    assert frame_from_supervision([EMPTY, None]).scores is None
    with pytest.raises(InputError, match="view 1: boxes have no classes to choose 0 from; give class_id=None"):
        frame_from_supervision([door, hall], class_id=0)


def test_supervision_round_trip() -> None:
    frame = Frame([BOXES, [], BOXES[:1]], 3, scores=[[0.5, 0.25, 1], [], [0.75]], track_ids=[[4, 5, -1], [], [6]])
    views = [View(name, 100, 100) for name in ("door", "hall", "yard")]
    detections = frame_to_supervision(frame, views)
    assert [entry.data["view"].tolist() for entry in detections] == [["door"] * 3, [], ["yard"]]
    back = frame_from_supervision(detections, 3)
    for name in ("boxes", "scores", "track_ids"):
        for one, other in zip(getattr(frame, name), getattr(back, name), strict=True):
            np.testing.assert_array_equal(one, other)
    plain = frame_to_supervision(Frame([BOXES]))
    assert (plain[0].confidence, plain[0].tracker_id, plain[0].data["view"].tolist()) == (None, None, [0, 0, 0])
    assert frame_to_supervision(Frame([])) == []


def test_supervision_gets_the_ids_that_are_given() -> None:
    frame = Frame([BOXES, BOXES[:1]], track_ids=[[4, 5, 6], [7]])
    ids = [np.array([1, 0, 2]), np.array([2])]
    detections = frame_to_supervision(frame, ids=ids)
    assert [entry.tracker_id.tolist() for entry in detections] == [[1, 0, 2], [2]]
    detections[0].tracker_id[:] = 9  # supervision may write to what it got
    assert ids[0].tolist() == [1, 0, 2]
    with pytest.raises(InputError, match="must have one entry per box, got 2 for 3 boxes"):
        frame_to_supervision(frame, ids=[[1, 2], [3]])
    with pytest.raises(InputError, match="instant 0 has 2 views, but there are 1"):
        frame_to_supervision(frame, [View("door", 9, 9)])


def test_supervision_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'selfmva\[supervision\]'"):
        frame_to_supervision(Frame([BOXES]))


def of_torchvision(**changes: Any) -> dict[str, torch.Tensor]:
    scores = torch.tensor([0.9, 0.4, 0.5], requires_grad=True)
    return {"boxes": torch.tensor(BOXES), "labels": torch.tensor([1, 1, 3]), "scores": scores} | changes


def test_torchvision_values() -> None:
    none = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "scores": torch.zeros(0)}
    frame = frame_from_torchvision((of_torchvision(), none, None), 2)
    assert (frame.index, frame.counts, frame.track_ids) == (2, (1, 0, 0), None)
    np.testing.assert_array_equal(frame.boxes[0], BOXES[:1])
    np.testing.assert_allclose(frame.scores[0], [0.9])
    assert frame_from_torchvision([of_torchvision()], least_score=0.4 - 1e-6).counts == (2,)
    assert frame_from_torchvision([of_torchvision()], class_id=None).counts == (2,)
    assert frame_from_torchvision([of_torchvision()], class_id=3, least_score=0).counts == (1,)
    assert frame_from_torchvision([of_torchvision(boxes=torch.tensor(BOXES).half())]).counts == (1,)


def test_boxes_without_area_are_dropped_and_those_that_are_no_numbers_are_not() -> None:
    boxes = BOXES.copy()
    boxes[0, 2] = boxes[0, 0]
    assert frame_from_torchvision([of_torchvision(boxes=torch.tensor(boxes))], least_score=0).counts == (1,)
    boxes[0, 2] = np.nan
    with pytest.raises(InputError, match=r"instant 0, view 0, row 0: box .* is not finite"):
        frame_from_torchvision([of_torchvision(boxes=torch.tensor(boxes))])


class OfUltralytics:
    """The part of Ultralytics' results that is read; test_ultralytics.py has the real ones."""

    class boxes:  # noqa: N801  # as it is called there
        xyxy = BOXES.copy()
        conf = np.array([0.9, 0.4, 0.5])
        cls = np.array([0.0, 2.0, 0.0])
        id = np.array([3.0, 4.0, 5.0])


OfUltralytics.boxes.xyxy.flags.writeable = False


def test_ultralytics_values() -> None:
    frame = frame_from_ultralytics([OfUltralytics, None], 6)
    assert (frame.index, frame.counts) == (6, (2, 0))
    assert [column[0].tolist() for column in (frame.scores, frame.track_ids)] == [[0.9, 0.5], [3, 5]]
    assert frame_from_ultralytics([OfUltralytics], class_id=None).counts == (3,)


@pytest.mark.parametrize(
    ("bridge", "expected"),
    [
        (frame_from_supervision, r"supervision\.Detections"),
        (frame_from_torchvision, "a dict of boxes, labels and scores"),
        (frame_from_ultralytics, "Ultralytics Results with boxes"),
    ],
)
def test_wrong_types(bridge: Any, expected: str) -> None:
    for entry in (BOXES, {"boxes": BOXES}, "boxes", 3):
        with pytest.raises(InputError, match=f"view 1: expected {expected}, got {type(entry).__name__}"):
            bridge([None, entry])
    for entries in (EMPTY, of_torchvision(), OfUltralytics(), "boxes", None):
        with pytest.raises(InputError, match="expected a list with one entry per view, None where a view is absent"):
            bridge(entries)
    assert bridge([], 5).boxes == ()


@pytest.mark.parametrize(
    "column",
    [
        {"xyxy": "a"},
        {"xyxy": [[1, 2, 3]]},
        {"xyxy": [[1, 2, 10**400, 4]]},
        {"xyxy": [[1j, 2, 3, 4]]},
        {"conf": [0.5, 0.6]},
        {"conf": ["a"]},
        {"conf": 0.5},
        {"cls": [0, 1]},
        {"cls": None},
        {"id": [1, 2]},
        {"id": ["a"]},
        {"id": [1.5]},
        {"id": [float("nan")]},
        {"id": [1e30]},
    ],
)
def test_columns_that_do_not_fit_boxes(column: dict[str, Any]) -> None:
    whole = {"xyxy": [[1, 2, 3, 4]], "conf": [0.5], "cls": [0], "id": None}
    assert frame_from_ultralytics([SimpleNamespace(boxes=SimpleNamespace(**whole))]).counts == (1,)
    with pytest.raises(InputError, match="view 0: "):
        frame_from_ultralytics([SimpleNamespace(boxes=SimpleNamespace(**(whole | column)))])


@pytest.mark.parametrize("class_id", ["person", 1.5, [0], True])
def test_classes_that_are_none(class_id: Any) -> None:
    with pytest.raises(InputError, match="class_id, where it is not None, must be a whole number"):
        frame_from_supervision([EMPTY], class_id=class_id)


@pytest.mark.parametrize("least", ["0.5", None, float("nan"), [0.5], 1.5, -0.1, True])
def test_least_scores_that_are_none(least: Any) -> None:
    with pytest.raises(InputError, match=r"least_score must be a finite number from 0 to 1"):
        frame_from_torchvision([None], least_score=least)


@pytest.mark.parametrize("views", ["ab", [(5, 5)], [View("a", 5, 5)] * 2])
def test_views_that_are_none(views: Any) -> None:
    with pytest.raises(InputError, match="view"):
        frame_to_supervision(Frame([[], []]), views)
    with pytest.raises(InputError, match="expected a Frame"):
        frame_to_supervision(None)  # type: ignore[arg-type]  # on purpose
