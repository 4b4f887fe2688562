"""The conformance kit of detectors: right ones pass, and each rule finds who breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from yolox_files import people, write_yolox

from selfmva.core.conformance import tiled_images
from selfmva.detectors import Detections, Yolox, check_detector
from selfmva.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Right:
    """The left half of an image, as likely as it is bright; others break one rule of it each."""

    identity: Any = "left half 1"

    def __call__(self, images: Any) -> Any:
        return [self.find(image) for image in images]

    def find(self, image: np.ndarray) -> Any:
        return Detections(np.array([[0.0, 0, image.shape[1] / 2, image.shape[0]]]), np.array([image.mean() / 255]))


def entries_changed(change: Callable[[Detections], Any]) -> type[Right]:
    """A detector that does something to what it found in each image."""

    class Wrong(Right):
        def find(self, image: np.ndarray) -> Any:
            return change(super().find(image))

    return Wrong


def lists_changed(change: Callable[[list[Detections]], Any]) -> type[Right]:
    """A detector that does something to what it gives."""

    class Wrong(Right):
        def __call__(self, images: Any) -> Any:
            return change(super().__call__(images))

    return Wrong


class Nameless:
    def __call__(self, images: Any) -> Any:
        return []


class Numbered(Right):
    identity = 3


class Restless(Right):
    calls = 0

    @property
    def identity(self) -> str:  # type: ignore[override]
        return f"call {self.calls}"

    def __call__(self, images: Any) -> Any:
        self.calls += 1
        return super().__call__(images)


class Random(Right):
    rng = np.random.default_rng(0)

    def find(self, image: np.ndarray) -> Any:
        return super().find(image)._replace(scores=self.rng.uniform(0, 1, 1))


class Painter(Right):
    def find(self, image: np.ndarray) -> Any:
        found = super().find(image)
        image[0, 0] = 0
        return found


class Batched(Right):
    """As a network in training mode does: what is found depends on the other images."""

    def __call__(self, images: Any) -> Any:
        return [found._replace(scores=found.scores / len(images)) for found in super().__call__(images)]


class Shuffled(Right):
    """Gives the entries of the largest images first."""

    def __call__(self, images: Any) -> Any:
        return super().__call__(sorted(images, key=lambda image: -image.size))


class Helpless(Right):
    def __call__(self, images: Any) -> Any:
        if not images:
            raise ValueError("need at least one array")
        return super().__call__(images)


WRONG: dict[str, tuple[type, str]] = {
    "no identity": (Nameless, "'has an identity and is called': got no identity"),
    "no call": (type("Dumb", (), {"identity": "x"}), "got no __call__"),
    "identity is a number": (Numbered, "'the identity is a text': got 3"),
    "identity changes": (Restless, "'the identity stays': got 'call .*expected 'call 0'"),
    "a tuple": (lists_changed(tuple), "'a list with one entry per image': got tuple of 5 for all images"),
    "nothing": (lists_changed(lambda found: None), "got NoneType for all images, expected a list of 5"),
    "an entry is lost": (lists_changed(lambda found: found[:-1]), "got list of 4 for all images"),
    "a pair": (entries_changed(tuple), "'entries are Detections': got tuple"),
    "lists": (entries_changed(lambda d: Detections(d.boxes.tolist(), d.scores)), "are float64 arrays': got .*'list'"),
    "floats": (entries_changed(lambda d: d._replace(boxes=d.boxes.astype(np.float32))), "got .*float32"),
    "scores too many": (entries_changed(lambda d: d._replace(scores=np.ones(2))), "'one score per box': got .*(2,)"),
    "flat": (entries_changed(lambda d: d._replace(boxes=d.boxes.ravel())), "'one score per box'"),
    "a number": (entries_changed(lambda d: d._replace(boxes=np.float64(3))), "'one score per box'"),
    "infinite": (entries_changed(lambda d: d._replace(scores=np.full(1, np.nan))), "are finite': got NaN"),
    "width and height": (entries_changed(lambda d: d._replace(boxes=d.boxes[:, [2, 1, 0, 3]])), "x1, y1, x2, y2'"),
    "outside": (entries_changed(lambda d: d._replace(boxes=d.boxes - 1)), "'boxes are inside the image'"),
    "other image": (entries_changed(lambda d: d._replace(boxes=d.boxes * 3)), "inside the image': .*x up to 128"),
    "percent": (entries_changed(lambda d: d._replace(scores=100 * d.scores)), r"'scores are in \[0, 1\]'"),
    "images are painted": (Painter, "'images are left as they are': got changed pixels in image 0"),
    "random": (Random, "'one more call changes nothing': got boxes or scores that are .* apart"),
    "batch": (Batched, "'images do not depend on each other'"),
    "other order": (Shuffled, "breaks the rule"),
    "no image": (Helpless, "detecting in no images raised ValueError: need at least one array"),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_rule_is_found_broken(what: str) -> None:
    detector, message = WRONG[what]
    with pytest.raises(PluginError, match=message) as error:
        check_detector(detector())
    assert f".{detector.__name__}" in str(error.value)


def test_images_of_ones_own_show_somebody() -> None:
    image = np.full((40, 60, 3), 90, np.uint8)
    image.flags.writeable = False  # as frames keep theirs
    check_detector(Right(), [image, image])
    nobody = entries_changed(lambda found: Detections(found.boxes[:0], found.scores[:0]))()
    check_detector(nobody)
    with pytest.raises(PluginError, match="'people are found where they are': got nobody, expected somebody"):
        check_detector(nobody, [image, image])


def test_yolox_keeps_the_contract(tmp_path: Path) -> None:
    seen = people((9, (0.5, 0.5, 1.0, 1.5, 0.9, 1.0, 0.0)))
    blue = [np.full((40, 60, 3), (0, 0, level), np.uint8) for level in (255, 200)]
    check_detector(Yolox(write_yolox(tmp_path / "yolox.onnx", seen), least_score=0.1), blue)


@pytest.mark.realdata
def test_the_real_yolox_keeps_the_contract(data_root: Path) -> None:
    check_detector(Yolox(data_root / "weights" / "yolox_nano.onnx", least_score=0.001), tiled_images())
