"""torchvision's models, with weights made up: what they find is what torchvision itself gives."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision import models

from selfmva.detectors import Detector, TorchvisionDetector, check_detector
from selfmva.errors import ConfigError, DataError, InputError
from selfmva.io import frame_from_torchvision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "ssdlite320_mobilenet_v3_large"  # keeps boxes of low scores: random weights find something
FILE = "fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth"
RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, (*size, 3), dtype=np.uint8) for size in ((120, 80), (60, 200), (120, 80))]


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    """Random weights that take most things for people, and whose layers pass on what is in the image."""
    torch.manual_seed(0)
    model = models.get_model(NAME, weights=None, weights_backbone=None)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # the statistics of what comes next, whole
    with torch.no_grad():
        model.train().backbone(torch.randn(4, 3, 320, 320))
    for level in model.head.classification_head.module_list:
        level[1].bias.data.view(-1, 91)[:, 1] += 2  # by anchor and class
    return model.eval()


@pytest.fixture(scope="module")
def detector(model: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchvisionDetector]:
    """Finds its weights where a download would have put them."""
    home = tmp_path_factory.mktemp("torch")
    path = home / "hub" / "checkpoints" / models.get_model_weights(NAME).DEFAULT.url.rsplit("/", 1)[-1]
    path.parent.mkdir(parents=True)
    torch.save(model.state_dict(), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(home))
        yield TorchvisionDetector(NAME, least_score=0.0)


def share_alike(boxes: np.ndarray, others: np.ndarray) -> float:
    """How many have a like among the others; near ties may have changed places."""
    return float((np.abs(boxes[:, None] - others).max(axis=2).min(axis=1) < 0.1).mean())


def test_people_are_those_of_torchvision(detector: TorchvisionDetector, model: torch.nn.Module) -> None:
    with torch.inference_mode():
        outputs = [model([torch.tensor(i).permute(2, 0, 1) / 255])[0] for i in IMAGES]
    frame = frame_from_torchvision(outputs, least_score=0)
    assert min(frame.counts) > 0
    for found, boxes, scores in zip(detector(IMAGES), frame.boxes, frame.scores, strict=True):
        np.testing.assert_allclose(found.scores[:50], scores[:50], atol=1e-5)
        assert share_alike(found.boxes, boxes) > 0.98
    (swapped,) = detector([IMAGES[0][:, :, ::-1]])
    assert share_alike(swapped.boxes, frame.boxes[0]) < 0.5  # so the colours are in the order of torchvision


def test_the_contract_is_kept(detector: TorchvisionDetector) -> None:
    check_detector(detector, IMAGES)
    check_detector(detector)


def test_boxes_lie_in_their_image(detector: TorchvisionDetector) -> None:
    assert isinstance(detector, Detector)
    for image, found in zip(IMAGES, detector(IMAGES), strict=True):
        assert found.boxes.dtype == found.scores.dtype == np.float64
        assert found.boxes.shape == (len(found.scores), 4)
        assert (found.boxes >= 0).all()
        assert (found.boxes <= np.tile(image.shape[1::-1], 2)).all()
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
        assert (np.diff(found.scores) <= 0).all()


def test_odd_images(detector: TorchvisionDetector) -> None:
    assert detector([]) == []
    image = IMAGES[0]
    full, alpha, grey, flat, dot = detector(
        [image, np.dstack([image, image[:, :, :1]]), image[:, :, 0], image[:1, :1].repeat(900, axis=1), image[:1, :1]]
    )
    assert share_alike(alpha.boxes, full.boxes) > 0.98
    assert len(grey.boxes)
    assert flat.boxes.shape == (0, 4)
    assert (dot.boxes <= 1).all()
    with pytest.raises(InputError, match="must be uint8"):
        detector([image / 255])


def test_the_default_model_takes_any_size() -> None:
    flat, tall, dot = (np.zeros((*size, 3), np.uint8) for size in ((2, 700), (700, 2), (1, 1)))
    found = TorchvisionDetector(weights=None)([flat, tall, dot])
    assert [each.boxes.shape[1] for each in found] == [4, 4, 4]


def test_least_score(detector: TorchvisionDetector) -> None:
    scores = detector(IMAGES[:1])[0].scores
    least = float(np.median(scores))
    strict = TorchvisionDetector(NAME, least_score=least)
    np.testing.assert_allclose(strict(IMAGES[:1])[0].scores, scores[scores >= least])


def test_identity_is_that_of_content_and_settings(detector: TorchvisionDetector) -> None:
    same, stricter = TorchvisionDetector(NAME, least_score=0.0), TorchvisionDetector(NAME, least_score=0.1)
    other = TorchvisionDetector(NAME, weights=None, least_score=0.0)
    assert detector.identity == same.identity
    assert len({each.identity for each in (detector, other, stricter)}) == 3


def test_wrong_arguments() -> None:
    with pytest.raises(InputError, match="no detection model 'yolo'"):
        TorchvisionDetector("yolo")
    with pytest.raises(InputError, match="no weights 'IMAGENET'; it has DEFAULT, COCO_V1"):
        TorchvisionDetector(NAME, weights="IMAGENET")
    with pytest.raises(InputError, match=r"least_score must be a finite number from 0 to 1, got nan"):
        TorchvisionDetector(NAME, least_score=float("nan"))
    with pytest.raises(ConfigError, match="got 'tpu'"):
        TorchvisionDetector(NAME, weights=None, device="tpu")


def test_no_network_says_what_to_place_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)  # a machine with a network would download for a minute
    with pytest.raises(DataError, match=rf"no network.*fetch https://.*{FILE} .*as {tmp_path}/hub/checkpoints/{FILE}"):
        TorchvisionDetector()


def test_damaged_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"cut short")
    with pytest.raises(
        DataError, match=rf"{FILE}, the weights of .* (is refused|cannot be read).*; delete it and try again"
    ):
        TorchvisionDetector()
