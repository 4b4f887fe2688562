"""Detectors by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from yolox_files import people, write_yolox

from selfmva.detectors import Detections, TorchvisionDetector, Yolox, open_detector
from selfmva.detectors.base import inside_image
from selfmva.errors import CheckpointError, InputError, PluginError

if TYPE_CHECKING:
    from pathlib import Path


def test_onnx(tmp_path: Path) -> None:
    path = write_yolox(tmp_path / "a: b.onnx", people())
    detector = open_detector(f"onnx:{path}", least_score=0.125)
    assert isinstance(detector, Yolox)
    assert detector.identity == Yolox(path, least_score=0.125).identity
    assert open_detector(f"onnx:{path}").identity == Yolox(path).identity
    with pytest.raises(CheckpointError, match="No such file"):
        open_detector("onnx:missing.onnx")


def test_torchvision() -> None:
    with pytest.raises(InputError, match="no detection model 'resnet18'; it has .*fasterrcnn_resnet50_fpn_v2"):
        open_detector("torchvision:resnet18")
    with pytest.raises(InputError, match=r"least_score must be a finite number from 0 to 1, got 2"):
        open_detector("torchvision:fasterrcnn_resnet50_fpn", least_score=2)


def test_a_detector_is_itself() -> None:
    detector = TorchvisionDetector("ssdlite320_mobilenet_v3_large", weights=None)
    assert open_detector(detector, least_score=0.9) is detector


@pytest.mark.parametrize("given", [None, lambda images: [], 3])
def test_what_is_no_detector(given: Any) -> None:
    with pytest.raises(
        InputError, match="expected a detector, 'onnx:path/to/yolox.onnx', 'torchvision:.*`selfmva detectors`.*identity"
    ):
        open_detector(given)


def test_names_that_say_too_little() -> None:
    with pytest.raises(InputError, match=r"detector 'onnx' takes \(path.*missing a required argument: 'path'"):
        open_detector("onnx")
    with pytest.raises(InputError, match="something after the colon, such as 'onnx:path/to/yolox.onnx', got 'onnx:'"):
        open_detector("onnx:")
    for wrong in ("yolox.onnx", "tensorrt:a.engine", ""):
        with pytest.raises(
            PluginError, match=f"no detector is called '{wrong.partition(':')[0]}'.* Known: onnx, torch"
        ):
            open_detector(wrong)


def test_inside_image() -> None:
    boxes = [[-5, -5, 5, 5], [0, 0, 30, 40], [20, 0, 25, 5], [3, 40, 9, 50], [1, 2, 3, 4]]
    found = inside_image(boxes, [0.1, 0.2, 0.3, 0.4, 0.5], width=20, height=40)
    assert isinstance(found, Detections)
    assert found.boxes.tolist() == [[0, 0, 5, 5], [0, 0, 20, 40], [1, 2, 3, 4]]
    assert found.scores.tolist() == [0.1, 0.2, 0.5]
    empty = inside_image(np.zeros((0, 4)), [], width=20, height=40)
    assert (empty.boxes.shape, empty.scores.shape) == ((0, 4), (0,))
