"""Results of the real Ultralytics package, which `nox -s ultralytics` installs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from selfmva.errors import InputError
from selfmva.io import frame_from_ultralytics

pytest.importorskip("ultralytics")
pytestmark = pytest.mark.filterwarnings("default")  # its warnings are its own

IMAGE = np.random.default_rng(0).integers(0, 256, (120, 200, 3), dtype=np.uint8)


def results(rows: list[list[float]] | None, **others: torch.Tensor):
    from ultralytics.engine.results import Results

    boxes = None if rows is None else torch.tensor(rows).reshape(len(rows), -1)
    return Results(IMAGE, path="", names={0: "person", 2: "car"}, boxes=boxes, **others)


def test_values() -> None:
    door = results([[10, 20, 30, 80, 0.9, 0], [40, 10, 70, 90, 0.5, 2]])
    frame = frame_from_ultralytics([door, None], 3)
    assert (frame.index, frame.counts, frame.track_ids) == (3, (1, 0), None)
    assert frame.boxes[0].tolist() == [[10, 20, 30, 80]]
    np.testing.assert_allclose(frame.scores[0], [0.9])
    assert frame_from_ultralytics([door.numpy()], class_id=None).counts == (2,)


def test_track_ids() -> None:
    door = results([[10, 20, 30, 80, 7, 0.9, 0], [40, 10, 70, 90, 8, 0.5, 0]])
    assert frame_from_ultralytics([door]).track_ids[0].tolist() == [7, 8]


def test_results_of_a_classifier_have_no_boxes() -> None:
    with pytest.raises(InputError, match="view 0: expected Ultralytics Results with boxes, got Results"):
        frame_from_ultralytics([results(None, probs=torch.tensor([0.5, 0.5]))])


def test_a_model_with_random_weights() -> None:
    from ultralytics import YOLO

    torch.manual_seed(0)
    predicted = YOLO("yolov8n.yaml").predict([IMAGE, IMAGE[:60]], conf=0.0001, imgsz=64, verbose=False)
    frame = frame_from_ultralytics(predicted, class_id=None)
    assert max(frame.counts) > 0
    for boxes, result in zip(frame.boxes, predicted, strict=True):
        corners = result.boxes.xyxy.numpy()
        np.testing.assert_array_equal(boxes, corners[(corners[:, 2:] > corners[:, :2]).all(axis=1)])
