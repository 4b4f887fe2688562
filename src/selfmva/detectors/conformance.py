"""The conformance kit: does a detector keep the contract of `Detector`?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import stream
from selfmva.core.conformance import ROUNDING, SIZES, Examination, tiled_images
from selfmva.core.images import as_rgb
from selfmva.detectors.base import Detections, Detector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.images import Image

SMALL = ((3, 5), (1, 1))  # height and width: nobody is in it, and it may come all the same


def check_detector(detector: Any, images: Sequence[Image] | None = None) -> None:
    """Call a detector with images and hold what it gives against the contract.

    For the tests of whoever writes a detector. Boxes and scores may differ by rounding: a thousandth of the image, and
    of 1. The boxes of an image may come in any order.

    Args:
        detector: The detector, as `open_detector` gives it.
        images: Two or more, `(H, W, 3)` uint8 RGB, in which it finds somebody; None: five small ones of coloured tiles,
            in which most detectors find nobody, so that less is seen of what they do.

    Raises:
        PluginError: The detector breaks a rule: which, what came and what was expected.

    Example:
        >>> class Brightest:
        ...     identity = "the brightest pixel"
        ...
        ...     def __call__(self, images):
        ...         return [self.find(image.sum(axis=2)) for image in images]
        ...
        ...     def find(self, grey):
        ...         y, x = np.unravel_index(grey.argmax(), grey.shape)
        ...         return Detections(np.array([[x, y, x + 1.0, y + 1.0]]), np.ones(1))
        >>> check_detector(Brightest())
    """
    _Check(detector, images).run()


class _Check(Examination):
    """One run of the kit."""

    def __init__(self, detector: Any, images: Sequence[Image] | None) -> None:
        super().__init__(detector)
        self.people_expected = images is not None
        self.images = (
            tiled_images((*SIZES, *SMALL))
            if images is None
            else [as_rgb(image).copy() for image in stream(images, "images", "image")]
        )
        self.originals = [image.copy() for image in self.images]

    def run(self) -> None:
        self.named_and_callable(Detector)
        identity = self.identity()
        found = self.detect("all images", self.images)
        for number, (image, original) in enumerate(zip(self.images, self.originals, strict=True)):
            same = np.array_equal(image, original)
            self.require("images are left as they are", same, f"changed pixels in image {number}", "the same")
        if self.people_expected:
            self.require("people are found where they are", any(len(b) for b, _ in found), "nobody", "somebody")
        self.same("one more call changes nothing", self.detect("all images", self.images), found)
        self.detect("no images", [])
        alone = [self.detect("one image", [image])[0] for image in self.images]
        self.same("images do not depend on each other", alone, found)
        turned = self.detect("images in another order", self.images[::-1])
        self.same("the order of images only permutes entries", turned[::-1], found)
        now = self.identity()
        self.require("the identity stays", now == identity, repr(now), repr(identity))

    def detect(self, what: str, images: Sequence[Image]) -> list[Detections]:
        given: Any = self.call(f"detecting in {what}", lambda: self.subject(images))
        kind = f"{type(given).__name__} of {len(given)}" if isinstance(given, list | tuple) else type(given).__name__
        right = isinstance(given, list) and len(given) == len(images)
        self.require("a list with one entry per image", right, f"{kind} for {what}", f"a list of {len(images)}")
        return [self.entry(entry, image, what) for entry, image in zip(given, images, strict=True)]

    def entry(self, entry: Any, image: Image, what: str) -> Detections:
        """What was found in one image, copied: a detector may use its memory again."""
        self.require("entries are Detections", isinstance(entry, Detections), type(entry).__name__, "Detections")
        kinds = {str(getattr(part, "dtype", type(part).__name__)) for part in entry}
        self.require("boxes and scores are float64 arrays", kinds == {"float64"}, f"{kinds} for {what}", "float64")
        boxes, scores = entry
        shapes, rows = (boxes.shape, scores.shape), len(boxes) if boxes.ndim else 0
        self.require("one score per box", shapes == ((rows, 4), (rows,)), shapes, "(N, 4) and (N,)")
        finite = bool(np.isfinite(boxes).all() and np.isfinite(scores).all())
        self.require("boxes and scores are finite", finite, f"NaN or infinity for {what}", "numbers")
        ordered = bool((boxes[:, 2:] > boxes[:, :2]).all())
        self.require("boxes are x1, y1, x2, y2", ordered, f"{boxes.tolist()}", "x2 > x1 and y2 > y1")
        height, width = image.shape[:2]
        inside = bool((boxes >= 0).all() and (boxes[:, 2:] <= (width, height)).all())
        self.require("boxes are inside the image", inside, f"{boxes.tolist()}", f"x up to {width}, y up to {height}")
        likely = bool(((scores >= 0) & (scores <= 1)).all())
        self.require("scores are in [0, 1]", likely, f"{scores.tolist()}", "0 to 1")
        return Detections(boxes.copy(), scores.copy())

    def same(self, rule: str, got: Sequence[Detections], expected: Sequence[Detections]) -> None:
        counts, others = ([len(boxes) for boxes, _ in found] for found in (got, expected))
        self.require(rule, counts == others, f"{counts} boxes", f"{others}")
        apart = max(map(_apart, got, expected, self.images))
        self.require(rule, apart <= ROUNDING, f"boxes or scores that are {apart:.3g} apart", "the same but rounding")


def _apart(one: Detections, other: Detections, image: Image) -> float:
    """How far a box is from its like, as a fraction of the image or of a score; near ties may have changed places."""
    rows, others = (np.column_stack([boxes / max(image.shape), scores]) for boxes, scores in (one, other))
    if not len(rows):
        return 0.0
    distance = np.abs(rows[:, None] - others).max(axis=2)
    return float(max(distance.min(axis=0).max(), distance.min(axis=1).max()))
