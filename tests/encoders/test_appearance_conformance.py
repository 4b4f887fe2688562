"""The conformance kit of encoders: right ones pass, and each rule finds who breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from films import write_colour_network

from selfmva.encoders import OnnxAppearance, TorchvisionAppearance, check_encoder, cut_crops
from selfmva.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Right:
    """Mean colours; others break one rule of it each."""

    identity: Any = "mean colours 1"

    def __call__(self, images: Any, boxes: Any) -> Any:
        return [self.rows(image, b) for image, b in zip(images, boxes, strict=True)]

    def rows(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        return cut_crops(image, boxes).mean(axis=(1, 2), dtype=np.float32)


def rows_changed(change: Callable[[np.ndarray], Any]) -> type[Right]:
    """An encoder that does something to the rows of each image."""

    class Wrong(Right):
        def rows(self, image: np.ndarray, boxes: np.ndarray) -> Any:
            return change(super().rows(image, boxes))

    return Wrong


def lists_changed(change: Callable[[list[np.ndarray]], Any]) -> type[Right]:
    """An encoder that does something to what it gives."""

    class Wrong(Right):
        def __call__(self, images: Any, boxes: Any) -> Any:
            return change(super().__call__(images, boxes))

    return Wrong


class Nameless:
    def __call__(self, images: Any, boxes: Any) -> Any:
        return []


class Numbered(Right):
    identity = 3


class Restless(Right):
    calls = 0

    @property
    def identity(self) -> str:  # type: ignore[override]
        return f"call {self.calls}"

    def rows(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        self.calls += 1
        return super().rows(image, boxes)


class Random(Right):
    rng = np.random.default_rng(0)

    def rows(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        rows = super().rows(image, boxes)
        return rows + self.rng.normal(0, 1, rows.shape).astype(np.float32)


class Painter(Right):
    def rows(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        rows = super().rows(image, boxes)
        image[0, 0] = 0
        return rows


class Clipper(Right):
    def rows(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        np.clip(boxes, 0, None, out=boxes)
        return super().rows(image, boxes)


class Whitened(Right):
    """As a network in training mode does: what a vector is depends on the others of its batch."""

    def __call__(self, images: Any, boxes: Any) -> Any:
        rows = super().__call__(images, boxes)
        everything = np.concatenate([*rows, np.zeros((1, 3), np.float32)])
        return [part - everything.mean(axis=0) for part in rows]


class Sorted(Right):
    def rows(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        return super().rows(image, boxes[np.argsort(boxes[:, 0])])


class Flatterer(Right):
    """No features at all where nobody is anywhere."""

    def __call__(self, images: Any, boxes: Any) -> Any:
        rows = super().__call__(images, boxes)
        return rows if any(map(len, boxes)) else [np.zeros((0, 7), np.float32)] * len(rows)


class Widening(Right):
    """Vectors as long as there are images."""

    def __call__(self, images: Any, boxes: Any) -> Any:
        return [np.tile(part, len(images)) for part in super().__call__(images, boxes)]


class Helpless(Right):
    def __call__(self, images: Any, boxes: Any) -> Any:
        if not images:
            raise ValueError("need at least one array")
        return super().__call__(images, boxes)


WRONG: dict[str, tuple[type, str]] = {
    "no identity": (Nameless, "'has an identity and is called': got no identity"),
    "no call": (type("Dumb", (), {"identity": "x"}), "got no __call__"),
    "identity is a number": (Numbered, "'the identity is a text': got 3"),
    "identity changes": (Restless, "'the identity stays': got 'call .*expected 'call 0'"),
    "a tuple": (lists_changed(tuple), "'a list with one array per image': got tuple of 3 for all images"),
    "nothing": (lists_changed(lambda rows: None), "got NoneType for all images, expected a list of 3"),
    "an array is lost": (lists_changed(lambda rows: rows[:-1]), "got list of 2 for all images"),
    "lists": (rows_changed(np.ndarray.tolist), "'features are float32 arrays': got {'list'}"),
    "doubles": (rows_changed(np.float64), "'features are float32 arrays': got {dtype.'float64'.} for all images"),
    "a row too many": (rows_changed(lambda rows: np.vstack([rows, rows[:1]])), "'one row per box': got .*6, 3"),
    "flat": (rows_changed(np.ravel), "'one row per box': got .*15,"),
    "no columns": (rows_changed(lambda rows: rows[:, :0]), "'all vectors are as long'"),
    "short for nobody": (rows_changed(lambda rows: rows if len(rows) else rows[:, :1]), "'all vectors are as long'"),
    "infinite": (rows_changed(lambda rows: rows / np.float32(0)), "'features are finite': got NaN or infinity"),
    "one for all": (rows_changed(np.ones_like), "'vectors tell boxes apart': got one vector for all"),
    "images are painted": (Painter, "'images are left as they are'"),
    "boxes are clipped": (Clipper, "'boxes are left as they are'"),
    "random": (Random, "'one more call changes nothing': got numbers that are .* apart"),
    "batch": (Whitened, "'images do not depend on each other'"),
    "sorted": (Sorted, "'the order of boxes only permutes rows'"),
    "only alone": (
        rows_changed(lambda rows: rows if len(rows) > 1 else 2 * rows),
        "'boxes do not depend on each other'",
    ),
    "width of images": (Widening, r"'all vectors are as long': got \(0, 3\), expected \(0, 9\)"),
    "no image": (Helpless, "encoding no images raised ValueError: need at least one array"),
    "nobody anywhere": (Flatterer, r"'all vectors are as long': got \(0, 7\), expected \(0, 3\)"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_each_rule_is_found_broken(what: str) -> None:
    encoder, message = WRONG[what]
    with pytest.raises(PluginError, match=message) as error:
        check_encoder(encoder())
    assert f".{encoder.__name__}" in str(error.value)


def test_right_encoders_pass(tmp_path: Path) -> None:
    check_encoder(Right())
    check_encoder(OnnxAppearance(write_colour_network(tmp_path / "colours.onnx")))
    check_encoder(TorchvisionAppearance("shufflenet_v2_x0_5", weights=None, size=(64, 32)))


def test_rounding_is_forgiven() -> None:
    rng = np.random.default_rng(0)
    check_encoder(rows_changed(lambda rows: rows + rng.normal(0, 1e-3, rows.shape).astype(np.float32))())
