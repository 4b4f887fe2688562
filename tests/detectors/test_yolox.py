"""YOLOX: its decoding against a plain loop, its boxes where the image has them, and files that are none of it."""

from __future__ import annotations

import hashlib
import json
from math import exp
from pathlib import Path

import numpy as np
import onnx
import pytest
from yolox_files import CELLS, people, write_yolox

from selfmva.detectors import Detector, Yolox
from selfmva.detectors.yolox import decode, letterbox
from selfmva.errors import CheckpointError, ConfigError, InputError, MissingDependencyError
from selfmva.io import read_image

BLUE = np.zeros((64, 64, 3), np.uint8) + np.array([0, 0, 255], np.uint8)
# Cell 9 is the second of the second row, at (8, 8): centre (12, 12), 8 x 16 pixels.
ONE = (9, (0.5, 0.5, 0.0, np.log(2), 0.9, 0.8, 0.1))


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of all pairs."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    return shared / ((a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1) - shared)


def test_decoding_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(2, (8 * 4 + 4 * 2 + 2 * 1), 7)).astype(np.float32)
    boxes, scores = decode(raw, (64, 32))
    for image in range(2):
        cell = 0
        for stride in (8, 16, 32):
            for row in range(32 // stride):
                for column in range(64 // stride):
                    x, y, w, h, objectness, person, _ = (float(value) for value in raw[image, cell])
                    x, y, w, h = (x + column) * stride, (y + row) * stride, exp(w) * stride, exp(h) * stride
                    expected = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
                    np.testing.assert_allclose(boxes[image, cell], expected, rtol=1e-6, atol=1e-6)
                    assert scores[image, cell] == pytest.approx(objectness * person)
                    cell += 1
        assert cell == boxes.shape[1]


@pytest.mark.parametrize(("height", "width"), [(50, 200), (200, 50), (30, 30), (1, 900), (1, 1)])
def test_letterbox_is_upper_left_with_grey_beside(height: int, width: int) -> None:
    canvas, factors = letterbox(np.full((height, width, 3), 7, np.uint8), (64, 96))
    inside = (canvas == 7).all(axis=2)
    rows, columns = round(height * factors[1]), round(width * factors[0])
    assert rows == 96 or columns == 64
    assert inside[:rows, :columns].all()
    assert (canvas[~inside] == 114).all()
    assert inside.sum() == rows * columns
    if min(rows, columns) > 1:
        assert factors[0] == pytest.approx(factors[1], rel=0.05)


def test_boxes_are_in_pixels_of_the_image(tmp_path: Path) -> None:
    detector = Yolox(write_yolox(tmp_path / "a.onnx", people(ONE)))
    (found,) = detector([BLUE])
    np.testing.assert_allclose(found.boxes, [[8, 4, 16, 20]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.9 * 0.8], rtol=1e-6)
    assert found.boxes.dtype == found.scores.dtype == np.float64
    (twice,) = detector([np.repeat(np.repeat(BLUE, 2, axis=0), 2, axis=1)])
    np.testing.assert_allclose(twice.boxes, 2 * found.boxes)


def test_boxes_are_clipped_and_those_outside_dropped(tmp_path: Path) -> None:
    edge = (0, (0, 0, 0, 0, 1, 1, 0))  # centre (0, 0): a quarter is inside
    beside = (7, (0.5, 0.5, -1, -1, 1, 1, 0))  # at x = 60 of an image that ends at 32
    (found,) = Yolox(write_yolox(tmp_path / "a.onnx", people(edge, beside)), least_score=0.2)([BLUE[:, :32]])
    np.testing.assert_allclose(found.boxes, [[0, 0, 4, 4]], rtol=1e-6)


def test_only_people_who_are_likely_and_not_found_already(tmp_path: Path) -> None:
    other = (20, (0.5, 0.5, 0, 0, 0.9, 0.1, 0.9))
    double = (9 + 1, (-0.4, 0.5, 0.0, np.log(2), 0.9, 0.7, 0))  # 0.8 pixels beside ONE: IoU 7.2 / 8.8
    near = (9 + 8, (0.5, 0.5, 0.0, np.log(2), 0.9, 0.6, 0))  # half of it lower: IoU 1 / 3
    path = write_yolox(tmp_path / "a.onnx", people(ONE, other, double, near))
    np.testing.assert_allclose(Yolox(path)([BLUE])[0].scores, [0.72, 0.54], rtol=1e-6)
    assert len(Yolox(path, iou=0.3)([BLUE])[0].boxes) == 1
    assert len(Yolox(path, iou=0.82)([BLUE])[0].boxes) == 3
    assert len(Yolox(path, least_score=0.6)([BLUE])[0].boxes) == 1
    assert len(Yolox(path, least_score=0.05)([BLUE])[0].boxes) == 3


def test_colours_go_in_as_blue_green_red(tmp_path: Path) -> None:
    detector = Yolox(write_yolox(tmp_path / "a.onnx", people(ONE)))
    assert [len(found.boxes) for found in detector([BLUE, BLUE[:, :, ::-1], BLUE])] == [1, 0, 1]


@pytest.mark.parametrize("batch", ["batch", 1, 3])
def test_every_batch_of_the_file_gives_the_same(tmp_path: Path, batch: int | str) -> None:
    detector = Yolox(write_yolox(tmp_path / "a.onnx", people(ONE), batch), least_score=0)
    images = [np.full((40 + k, 50, 3), 255 - 9 * k, np.uint8) for k in range(20)]
    together, alone = detector(images), [detector([image])[0] for image in images]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes)
        np.testing.assert_allclose(one.scores, other.scores)
    assert (np.diff([found.scores[0] for found in together]) < 0).all()  # each answer is of its own image
    assert detector([]) == []


def test_grey_and_transparent_images(tmp_path: Path) -> None:
    detector = Yolox(write_yolox(tmp_path / "a.onnx", people(ONE)))
    alpha = np.dstack([BLUE, np.zeros((64, 64), np.uint8)])
    grey = np.full((64, 64), 255, np.uint8)
    assert [len(found.boxes) for found in detector([alpha, grey, np.zeros((9, 1), np.uint8)])] == [1, 1, 0]
    with pytest.raises(InputError, match="must be uint8"):
        detector([BLUE / 255])


def test_identity_is_that_of_content_and_settings(tmp_path: Path) -> None:
    path = write_yolox(tmp_path / "a.onnx", people(ONE))
    copy = write_yolox(tmp_path / "b.onnx", people(ONE))
    other = write_yolox(tmp_path / "c.onnx", people((8, ONE[1])))
    detector = Yolox(path)
    assert isinstance(detector, Detector)
    assert detector.identity == Yolox(copy, threads=2).identity
    assert hashlib.sha256(path.read_bytes()).hexdigest() in detector.identity
    others = [Yolox(other), Yolox(path, least_score=0.31), Yolox(path, iou=0.5)]
    assert len({each.identity for each in (detector, *others)}) == 4


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"least_score": 1.1}, InputError, r"least_score must be a finite number from 0 to 1, got 1.1"),
        ({"iou": float("nan")}, InputError, r"iou must be a finite number from 0 to 1, got nan"),
        ({"threads": 0}, InputError, "threads must be a whole number from 1 to 1024, got 0"),
        ({"device": "tpu"}, ConfigError, "expected 'cpu', 'cuda' or 'auto', got 'tpu'"),
        ({"sha256": "ab" * 32}, CheckpointError, f"its SHA-256 is [0-9a-f]{{64}}, expected {'ab' * 32}"),
    ],
)
def test_wrong_settings(tmp_path: Path, settings: dict, error: type[Exception], message: str) -> None:
    path = write_yolox(tmp_path / "a.onnx", people(ONE))
    with pytest.raises(error, match=message):
        Yolox(path, **settings)


def test_the_right_hash_passes(tmp_path: Path) -> None:
    path = write_yolox(tmp_path / "a.onnx", people(ONE))
    assert len(Yolox(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest().upper(), device="auto")([BLUE])) == 1


def test_files_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.onnx cannot be read: No such file"):
        Yolox(tmp_path / "none.onnx")
    for content in (b"", b"no model", write_yolox(tmp_path / "a.onnx", people(ONE)).read_bytes()[:-300]):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"bad\.onnx cannot be opened as an ONNX model"):
            Yolox(tmp_path / "bad.onnx")
    model = onnx.load(tmp_path / "a.onnx")
    onnx.save(model, tmp_path / "b.onnx", save_as_external_data=True, location="b.data", size_threshold=0)
    with pytest.raises(CheckpointError, match="with its weights in the same file"):
        Yolox(tmp_path / "b.onnx")


def test_models_that_are_not_yolox(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=rf"expected an output \[1, {CELLS}, 5 \+ classes\], got \[1, 80, 7\]"):
        Yolox(write_yolox(tmp_path / "cells.onnx", people()[:80]))
    with pytest.raises(CheckpointError, match=r"5 \+ classes\], got \[1, 84, 5\]"):
        Yolox(write_yolox(tmp_path / "classes.onnx", people()[:, :5]))
    raw = people()
    raw[:, 5] = 3
    with pytest.raises(CheckpointError, match=r"not its values: .* scores in \[0, 1\]"):
        Yolox(write_yolox(tmp_path / "scores.onnx", raw))
    raw = people()
    raw[:, :2] = np.linspace(0, 640, CELLS)[:, None]
    with pytest.raises(CheckpointError, match="export it without --decode_in_inference"):
        Yolox(write_yolox(tmp_path / "decoded.onnx", raw))
    model = onnx.load(tmp_path / "cells.onnx")
    side = model.graph.input[0].type.tensor_type.shape.dim[2]
    for field, value, got in (("dim_value", 70, 70), ("dim_param", "height", "'any'")):
        setattr(side, field, value)
        onnx.save(model, tmp_path / "side.onnx")
        with pytest.raises(CheckpointError, match=rf"fixed multiples of 32, got \['any', 3, {got}, 64\]"):
            Yolox(tmp_path / "side.onnx")


def test_onnxruntime_is_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'selfmva\[onnx\]'"):
        Yolox(tmp_path / "a.onnx")


@pytest.fixture(scope="module")
def nano(data_root: Path) -> Yolox:
    return Yolox(data_root / "weights" / "yolox_nano.onnx")


def labelled(data_root: Path, instant: int, view: int) -> tuple[np.ndarray, np.ndarray]:
    """An image of MultiviewX and its `(N, 4)` labels, clipped to it."""
    folder = data_root / "multiviewx"
    image = read_image(folder / "Image_subsets" / f"C{view + 1}" / f"{instant:04d}.jpg")
    entries = json.loads((folder / "annotations_positions" / f"{instant + 1:05d}.json").read_text())
    boxes = np.array([[e["views"][view][k] for k in ("xmin", "ymin", "xmax", "ymax")] for e in entries], float)
    return image, np.clip(boxes[(boxes != -1).any(axis=1)], 0, [1920, 1080, 1920, 1080])


@pytest.mark.realdata
def test_real_weights_find_people(nano: Yolox, data_root: Path) -> None:
    """Of people at least 150 pixels tall, hidden ones too, 78 % are found; 70 % of the boxes are on a label."""
    tall = hit = right = boxes = 0
    for instant in range(0, 10, 2):
        for view in range(6):
            image, labels = labelled(data_root, instant, view)
            (found,) = nano([image])
            assert (np.diff(found.scores) <= 0).all()
            overlap = iou(labels, found.boxes)
            large = labels[:, 3] - labels[:, 1] >= 150
            tall, hit = tall + large.sum(), hit + (overlap[large].max(axis=1, initial=0) >= 0.5).sum()
            boxes, right = boxes + len(found.boxes), right + (overlap.max(axis=0, initial=0) >= 0.5).sum()
    assert hit / tall >= 0.7
    assert right / boxes >= 0.6


@pytest.mark.realdata
def test_real_weights_on_odd_images(nano: Yolox, data_root: Path) -> None:
    image, _ = labelled(data_root, 0, 4)
    grey = image.mean(axis=2).astype(np.uint8)
    alpha = np.dstack([image, grey])
    nobody, tiny = np.full((300, 500, 3), 90, np.uint8), image[:1, :1]
    full, of_grey, of_alpha, of_nobody, of_tiny = nano([image, grey, alpha, nobody, tiny])
    np.testing.assert_array_equal(full.boxes, of_alpha.boxes)
    assert (iou(full.boxes, of_grey.boxes).max(axis=1) >= 0.7).mean() >= 0.7
    assert [len(found.boxes) for found in (of_nobody, of_tiny)] == [0, 0]


@pytest.mark.realdata
def test_another_network_is_refused(data_root: Path) -> None:
    with pytest.raises(CheckpointError, match="is not YOLOX"):
        Yolox(data_root / "weights" / "osnet_x0_25_msmt17.onnx")
    with pytest.raises(CheckpointError, match="cannot be opened as an ONNX model"):
        Yolox(data_root / "weights" / "sam_vit_h_prompt_encoder.safetensors")
