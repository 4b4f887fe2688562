"""The conformance kit: does an encoder keep the contract of `AppearanceEncoder`?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.conformance import ROUNDING, Examination, tiled_images
from selfmva.encoders.appearance.base import AppearanceEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray
    from selfmva.encoders.appearance.base import Features

# Whole and broken pixels, a person's shape and a flat one, and two that stick out of the image, as detectors give them.
_BOXES = np.array([[10, 5, 30, 45], [20.5, 10.25, 40.75, 44.5], [5, 30, 45, 40], [-6, 8, 14, 46], [30, -4, 48, 60]])


def check_encoder(encoder: Any) -> None:
    """Call an encoder with small images and hold what it gives against the contract.

    For the tests of whoever writes an encoder. The images are three of different sizes, the boxes five,
    none and two. Numbers may differ by rounding, a thousandth of the largest.

    Args:
        encoder: The encoder, as `open_appearance` gives it.

    Raises:
        PluginError: The encoder breaks a rule: which, what came and what was expected.

    Example:
        >>> from selfmva.encoders import cut_crops
        >>> class MeanColour:
        ...     identity = "mean colour of a box"
        ...
        ...     def __call__(self, images, boxes):
        ...         return [cut_crops(i, b).mean(axis=(1, 2), dtype=np.float32) for i, b in zip(images, boxes)]
        >>> check_encoder(MeanColour())
    """
    _Check(encoder).run()


class _Check(Examination):
    """One run of the kit."""

    def __init__(self, encoder: Any) -> None:
        super().__init__(encoder)
        self.images, self.boxes = _scene()

    def run(self) -> None:
        self.named_and_callable(AppearanceEncoder)
        identity = self.identity()
        features = self.encode("all images", self.images, self.boxes)
        self.untouched()
        rows = np.concatenate(features)
        self.require("vectors tell boxes apart", bool(np.ptp(rows, axis=0).any()), "one vector for all", "several")
        self.same("one more call changes nothing", self.encode("all images", self.images, self.boxes), features)
        self.nobody(features[0].shape[1])
        self.same("images do not depend on each other", self.one_by_one(), features)
        self.order(features)
        self.alone(features[0])
        now = self.identity()
        self.require("the identity stays", now == identity, repr(now), repr(identity))

    def encode(self, what: str, images: Sequence[Image], boxes: Sequence[FloatArray]) -> list[Features]:
        given: Any = self.call(f"encoding {what}", lambda: self.subject(images, boxes))
        kind = f"{type(given).__name__} of {len(given)}" if isinstance(given, list | tuple) else type(given).__name__
        right = isinstance(given, list) and len(given) == len(images)
        self.require("a list with one array per image", right, f"{kind} for {what}", f"a list of {len(images)}")
        kinds = {getattr(part, "dtype", type(part).__name__) for part in given}
        self.require("features are float32 arrays", kinds <= {np.dtype(np.float32)}, f"{kinds} for {what}", "float32")
        shapes = [part.shape for part in given]
        rows = [shape[0] if len(shape) == 2 else None for shape in shapes]
        self.require("one row per box", rows == [len(b) for b in boxes], f"{shapes}", [(len(b), "D") for b in boxes])
        widths = {shape[1] for shape in shapes}
        same = len(widths) <= 1 and 0 not in widths
        self.require("all vectors are as long", same, f"{shapes} for {what}", "one D above 0, also where nobody is")
        finite = all(np.isfinite(part).all() for part in given)
        self.require("features are finite", finite, f"NaN or infinity for {what}", "numbers")
        features: list[Features] = given
        return [part.copy() for part in features]  # an encoder may use its memory again

    def untouched(self) -> None:
        images, boxes = _scene()
        for what, given, fresh in (("images", self.images, images), ("boxes", self.boxes, boxes)):
            same = all(map(np.array_equal, given, fresh))
            self.require(f"{what} are left as they are", same, f"changed {what}", "the same")

    def same(self, rule: str, got: Sequence[Features], expected: Sequence[Features]) -> None:
        shapes, others = ([part.shape for part in features] for features in (got, expected))
        self.require("all vectors are as long", shapes == others, shapes, others)
        one, other = np.concatenate(got), np.concatenate(expected)
        apart, largest = float(np.abs(one - other).max(initial=0)), float(np.abs(other).max(initial=0))
        self.require(rule, apart <= ROUNDING * largest, f"numbers that are {apart:.3g} apart", "the same but rounding")

    def one_by_one(self) -> list[Features]:
        return [self.encode("one image", [i], [b])[0] for i, b in zip(self.images, self.boxes, strict=True)]

    def order(self, features: Sequence[Features]) -> None:
        turned = self.encode("boxes in another order", self.images, [b[::-1].copy() for b in self.boxes])
        self.same("the order of boxes only permutes rows", [part[::-1] for part in turned], features)
        turned = self.encode("images in another order", self.images[::-1], self.boxes[::-1])
        self.same("the order of images only permutes arrays", turned[::-1], features)

    def alone(self, features: Features) -> None:
        (alone,) = self.encode("one box", self.images[:1], [self.boxes[0][2:3]])
        self.same("boxes do not depend on each other", [alone], [features[2:3]])

    def nobody(self, width: int) -> None:
        self.encode("no images", [], [])
        (nothing,) = self.encode("an image without boxes", self.images[:1], [np.zeros((0, 4))])
        self.require("all vectors are as long", nothing.shape == (0, width), nothing.shape, (0, width))


def _scene() -> tuple[list[Image], list[FloatArray]]:
    return tiled_images(), [_BOXES.copy(), np.zeros((0, 4)), _BOXES[:2] + np.array([100, 0, 100, 0])]
