"""One pass: each image is decoded once or not at all, and the cache changes nothing."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.core.types import Frame
from selfmva.detectors import Detections, detect
from selfmva.encoders import OnnxAppearance, TorchvisionAppearance
from selfmva.errors import DataError, InputError, PluginError
from selfmva.io import ArrayCache, ImageArray, ImageFiles, SynchronizedReader, VideoWriter, write_image
from selfmva.perception import observe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import ArrayLike

INSTANTS, WIDTH, HEIGHT = 7, 64, 48


class Quarters:
    """As many boxes, 0 to 3, as the brightest pixel says."""

    def __init__(self, identity: str = "quarters") -> None:
        self.identity, self.images = identity, 0

    def __call__(self, images: Iterable[np.ndarray]) -> list[Detections]:
        found = []
        for image in images:
            self.images += 1
            count = int(image.max()) % 4
            corner = np.arange(count)[:, None] * 8.0
            found.append(
                Detections(np.hstack([corner, corner, corner + 20.3, corner + 30.7]), np.linspace(0.4, 1, count))
            )
        return found


class Brightness:
    """Mean and spread of an image, for each of its boxes."""

    def __init__(self, identity: str = "brightness") -> None:
        self.identity, self.boxes = identity, 0

    def __call__(self, images: Iterable[np.ndarray], boxes: Iterable[ArrayLike]) -> list[np.ndarray]:
        found = []
        for image, rows in zip(images, boxes, strict=True):
            self.boxes += len(np.asarray(rows))
            values = np.concatenate(
                [np.reshape(rows, (-1, 4)), np.full((len(np.asarray(rows)), 1), image.mean())], axis=1
            )
            found.append(values.astype(np.float32))
        return found


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two cameras; the second has no image of instant 3."""
    rng = np.random.default_rng(0)
    for camera in (0, 1):
        for instant in range(INSTANTS - camera):
            image = rng.integers(0, 250 + instant % 4 + camera, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            image[0, 0] = 248 + (instant + camera) % 5
            (tmp_path / f"camera{camera}").mkdir(exist_ok=True)
            write_image(tmp_path / f"camera{camera}" / f"{instant}.png", np.minimum(image, image[0, 0]))
    return [tmp_path / "camera0", tmp_path / "camera1"]


def open_reader(folders: list[Path]) -> SynchronizedReader:
    times = [t / 10 for t in range(INSTANTS)]
    gap = times[:3] + times[4:]
    return SynchronizedReader([ImageFiles(folders[0], 10), ImageFiles(folders[1], 10, times=gap)], read_ahead=3)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each image file is decoded."""
    from selfmva.io.video import image_sources

    counts: Counter[str] = Counter()
    lock, read = threading.Lock(), image_sources.read_image

    def counted(path: Path) -> np.ndarray:
        with lock:
            counts[f"{path.parent.name}/{path.name}"] += 1
        return read(path)

    monkeypatch.setattr(image_sources, "read_image", counted)
    return counts


def same(one: list[Frame], other: list[Frame]) -> None:
    """Bit for bit."""
    assert [frame.index for frame in one] == [frame.index for frame in other]
    for name in ("boxes", "scores", "features", "images"):
        for a, b in zip(one, other, strict=True):
            first, second = getattr(a, name), getattr(b, name)
            assert (first is None) == (second is None)
            for x, y in zip(first or (), second or (), strict=True):
                np.testing.assert_array_equal(x, y)
                assert (x is None) == (y is None)
                assert x is None or (x.dtype, x.shape) == (y.dtype, y.shape)


def test_a_detector_visits_every_instant(folders: list[Path]) -> None:
    reader, told = open_reader(folders), []
    frames = list(
        observe(reader, detector=Quarters(), appearance=Brightness(), progress=lambda *done: told.append(done), batch=3)
    )
    assert told == [(n + 1, INSTANTS) for n in range(INSTANTS)]
    expected = list(detect(reader, Quarters()))
    assert sum(sum(frame.counts) for frame in expected) > 10
    for frame, other in zip(frames, expected, strict=True):
        assert frame.index == other.index
        assert frame.images is None
        for boxes, features, wanted, image in zip(frame.boxes, frame.features, other.boxes, other.images, strict=True):
            np.testing.assert_array_equal(boxes, wanted)
            assert len(features) == len(boxes)
            if len(boxes):
                np.testing.assert_allclose(features, np.c_[boxes, np.full(len(boxes), image.mean())], rtol=1e-6)
    assert frames[3].counts[1] == 0  # absent
    assert len(list(observe(reader, detector=Quarters()))) == INSTANTS
    assert frames[0].scores[0].tolist() == expected[0].scores[0].tolist()


def test_given_frames_are_visited_in_their_order(folders: list[Path], decoded: Counter[str]) -> None:
    boxes = [[1, 2, 30, 40], [5.5, 6, 20, 21]]
    given = [
        Frame([boxes, boxes[:1]], index=5, track_ids=[[4, 5], [6]], scores=[[0.5, 0.6], [0.7]]),
        Frame([[], boxes], index=3),  # of which the second view is absent
        Frame([boxes, []], index=0),
        Frame([boxes, []], index=5),
    ]
    reader = open_reader(folders)
    decoded.clear()
    frames = list(observe(reader, frames=iter(given), appearance=Brightness()))
    assert [frame.index for frame in frames] == [5, 3, 0, 5]
    assert frames[0].track_ids[0].tolist() == [4, 5]
    assert frames[0].scores[1].tolist() == [0.7]
    assert np.isnan(frames[1].features[1]).all()
    assert frames[1].features[1].shape == (2, 5)
    assert not np.isnan(frames[0].features[0]).any()
    np.testing.assert_array_equal(frames[0].features[0], frames[3].features[0])
    assert dict(decoded) == {"camera0/5.png": 2, "camera1/4.png": 1, "camera0/0.png": 1}  # none without a box


@pytest.mark.parametrize("batch", [1, 4, 100])
@pytest.mark.parametrize("images", [False, True])
def test_the_cache_changes_nothing(
    folders: list[Path], tmp_path: Path, decoded: Counter[str], batch: int, images: bool
) -> None:
    reader = open_reader(folders)
    decoded.clear()
    plain = list(observe(reader, detector=Quarters(), appearance=Brightness(), batch=batch, images=images))
    assert set(decoded.values()) == {1}
    assert len(decoded) == 2 * INSTANTS - 1
    computed = []
    for _ in range(2):
        decoded.clear()
        detector, appearance = Quarters(), Brightness()
        with ArrayCache(tmp_path / "cache.sqlite") as cache:
            frames = observe(reader, detector=detector, appearance=appearance, cache=cache, batch=batch, images=images)
            same(list(frames), plain)
        computed.append((detector.images, appearance.boxes, sum(decoded.values())))
    boxes = sum(sum(frame.counts) for frame in plain)
    every = 2 * INSTANTS - 1
    assert computed == [(every, boxes, every), (0, 0, every if images else 0)]


def test_only_what_is_missing_is_computed(folders: list[Path], tmp_path: Path, decoded: Counter[str]) -> None:
    reader = open_reader(folders)
    plain = list(observe(reader, detector=Quarters(), appearance=Brightness()))
    with ArrayCache(tmp_path / "cache.sqlite") as cache:
        detector, appearance = Quarters(), Brightness()
        some = observe(reader, detector=detector, appearance=appearance, cache=cache, batch=2)
        same([next(some) for _ in range(3)], plain[:3])
        some.close()  # type: ignore[attr-defined]
        assert detector.images == 6
        decoded.clear()
        same(list(observe(reader, detector=detector, appearance=appearance, cache=cache, batch=2)), plain)
        assert detector.images == sum(decoded.values()) + 6 == 2 * INSTANTS - 1
        other = Brightness("another")
        decoded.clear()
        same(list(observe(reader, detector=detector, appearance=other, cache=cache)), plain)
        assert detector.images == 2 * INSTANTS - 1
        assert sum(decoded.values()) == sum(count > 0 for frame in plain for count in frame.counts)
        shifted = [Frame([boxes + 0.25 for boxes in frame.boxes], index=frame.index) for frame in plain]
        count = appearance.boxes
        frames = list(observe(reader, frames=shifted, appearance=appearance, cache=cache))
        assert appearance.boxes == 2 * count  # other boxes are other features
        np.testing.assert_array_equal(frames[1].features[0][:, :4], shifted[1].boxes[0].astype(np.float32))


def test_other_sources(tmp_path: Path) -> None:
    """A video, and an array that only its pixels tell apart."""
    film = np.random.default_rng(1).integers(0, 256, (5, HEIGHT, WIDTH, 3), dtype=np.uint8)
    with VideoWriter(tmp_path / "film.mp4", 10, (WIDTH, HEIGHT)) as writer:
        for image in film:
            writer.write(image)
    results = []
    with SynchronizedReader([tmp_path / "film.mp4", ImageArray(film, 10)]) as reader:
        results.append(list(observe(reader, detector=Quarters(), appearance=Brightness())))
        for _ in range(2):
            detector = Quarters()
            with ArrayCache(tmp_path / "cache.sqlite") as cache:
                results.append(list(observe(reader, detector=detector, appearance=Brightness(), cache=cache)))
    assert detector.images == 0
    same(results[0], results[1])
    same(results[0], results[2])


def test_a_network_gives_the_same_with_a_cache(folders: list[Path], tmp_path: Path) -> None:
    reader = open_reader(folders)
    encoder = TorchvisionAppearance("resnet18", weights=None, size=(64, 32))
    plain = list(observe(reader, detector=Quarters(), appearance=encoder))
    for _ in range(2):
        with ArrayCache(tmp_path / "cache.sqlite") as cache:
            same(list(observe(reader, detector=Quarters(), appearance=encoder, cache=cache)), plain)


def test_errors_come_in_their_turn(folders: list[Path]) -> None:
    (folders[0] / "4.png").write_bytes(b"broken")
    seen = []
    with pytest.raises(DataError, match=r"4.png"):
        seen.extend(frame.index for frame in observe(open_reader(folders), detector=Quarters(), batch=1))
    assert seen == [0, 1, 2, 3]
    assert not [t for t in threading.enumerate() if t.name.startswith("selfmva-read-ahead")]


def test_wrong_arguments(folders: list[Path]) -> None:
    reader, frame = open_reader(folders), Frame([[], []])
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "needs frames or a detector, got neither"),
        ({"frames": [frame], "detector": Quarters()}, "needs frames or a detector, got both"),
        ({"frames": [frame], "batch": 0}, "batch must be a whole number of at least 1"),
        ({"frames": [Frame([[], []], index=7)]}, "boxes of instant 7, but the reader has 7 instants, numbered from 0;"),
        ({"frames": [Frame([[], []], index=-1)]}, "boxes of instant -1"),
        ({"frames": [Frame([[]], index=2)]}, "instant 2 has 1 views, but the reader has 2; give one entry"),
    ]
    for arguments, message in cases:
        with pytest.raises(InputError, match=message):
            observe(reader, **arguments)


def test_plug_ins_that_do_not_keep_the_contract(folders: list[Path]) -> None:
    reader = open_reader(folders)

    class Few(Quarters):
        def __call__(self, images: Iterable[np.ndarray]) -> list[Detections]:
            return super().__call__(images)[1:]

    class Flat(Brightness):
        def __call__(self, images: Iterable[np.ndarray], boxes: Iterable[ArrayLike]) -> list[np.ndarray]:
            return [rows[:, 0] for rows in super().__call__(images, boxes)]

    with pytest.raises(PluginError, match="Few must give one entry of Detections per image, got 12 for 13 images"):
        list(observe(reader, detector=Few()))
    with pytest.raises(PluginError, match=r"Flat must give features \(N, D\), one row per box, got shape \(\d,\)"):
        list(observe(reader, detector=Quarters(), appearance=Flat()))


@pytest.mark.realdata
def test_a_recording_is_decoded_once(data_root: Path, tmp_path: Path, decoded: Counter[str]) -> None:
    root = data_root / "multiviewx"
    frames = []
    for instant in (0, 1):
        people = json.loads((root / f"annotations_positions/{instant + 1:05d}.json").read_text())
        rows = [[p["views"][view] for p in people if p["views"][view]["xmin"] != -1] for view in range(3)]
        boxes = [[[box[side] for side in ("xmin", "ymin", "xmax", "ymax")] for box in view] for view in rows]
        frames.append(Frame(boxes, index=instant))
    reader = SynchronizedReader([root / f"Image_subsets/C{view + 1}" for view in range(3)], rate=2)
    encoder = OnnxAppearance(data_root / "weights" / "osnet_x0_25_msmt17.onnx")
    decoded.clear()
    results = []
    for _ in range(2):
        with ArrayCache(tmp_path) as cache:
            results.append(list(observe(reader, frames=frames, appearance=encoder, cache=cache)))
    assert sum(decoded.values()) == 6
    same(*results)
    assert results[0][0].features[0].shape == (len(frames[0].boxes[0]), 512)
