"""What is computed from an image: its boxes, then their features. What the cache knows is not computed anew."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.frame_columns import validate_boxes
from selfmva.errors import PluginError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray
    from selfmva.detectors.base import Detector
    from selfmva.encoders.appearance.base import AppearanceEncoder
    from selfmva.io.storage.array_cache import ArrayCache


@dataclass(slots=True)
class Seen:
    """One view at one instant, and what is known of it."""

    fingerprint: bytes  # empty without a cache
    boxes: FloatArray
    scores: FloatArray
    has_boxes: bool
    image: Image | None = None
    features: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Detection:
    """The step to boxes and scores: five columns an image."""

    detector: Detector

    def key(self, seen: Seen) -> bytes:
        """What the cache knows it by."""
        return _key("boxes", seen.fingerprint, self.detector.identity.encode())

    def known(self, seen: Seen, cache: ArrayCache | None) -> bool:
        """Whether nothing is left to do; the cache is asked."""
        if not seen.has_boxes and cache is not None:
            rows = cache.get(self.key(seen))
            if rows is not None:
                self.accept(seen, rows)
        return seen.has_boxes

    def accept(self, seen: Seen, rows: NDArray[Any]) -> None:
        """Take what was computed."""
        seen.boxes, seen.scores, seen.has_boxes = np.ascontiguousarray(rows[:, :4]), rows[:, 4], True

    def compute(self, group: list[Seen]) -> list[NDArray[Any]]:
        """Compute for some views at once, whose images are there."""
        found = self.detector(_images(group))
        _check_count(len(found), len(group), "Detections", self.detector)
        return [np.column_stack([validate_boxes(boxes), np.asarray(scores, np.float64)]) for boxes, scores in found]


@dataclass(frozen=True)
class Encoding:
    """The step from boxes to their features."""

    appearance: AppearanceEncoder

    def key(self, seen: Seen) -> bytes:
        """What the cache knows it by."""
        return _key("features", seen.fingerprint, self.appearance.identity.encode(), seen.boxes.tobytes())

    def known(self, seen: Seen, cache: ArrayCache | None) -> bool:
        """Whether nothing is left to do; the cache is asked."""
        if seen.features is None and not len(seen.boxes):
            seen.features = np.zeros((0, 0), np.float32)
        elif seen.features is None and cache is not None:
            seen.features = cache.get(self.key(seen))
        return seen.features is not None

    def accept(self, seen: Seen, rows: NDArray[Any]) -> None:
        """Take what was computed."""
        seen.features = rows

    def compute(self, group: list[Seen]) -> list[NDArray[Any]]:
        """Compute for some views at once, whose images are there."""
        found = self.appearance(_images(group), [seen.boxes for seen in group])
        _check_count(len(found), len(group), "features", self.appearance)
        for rows, seen in zip(found, group, strict=True):
            if np.ndim(rows) != 2 or len(rows) != len(seen.boxes):
                raise PluginError(
                    f"{type(self.appearance).__name__} must give features (N, D), one row per box, got shape "
                    f"{np.shape(rows)} for {len(seen.boxes)} boxes"
                )
        return [np.asarray(rows, np.float32) for rows in found]

    def absent(self, count: int) -> NDArray[np.float32]:
        """Features of boxes without an image."""
        return np.full((count, self._width if count else 0), np.nan, np.float32)

    @cached_property
    def _width(self) -> int:
        """D, which an image without boxes tells at no cost."""
        (rows,) = self.appearance([np.zeros((1, 1, 3), np.uint8)], [np.zeros((0, 4))])
        return int(np.shape(rows)[1])


def _images(group: list[Seen]) -> list[Image]:
    return [seen.image for seen in group if seen.image is not None]


def _check_count(given: int, expected: int, what: str, plugin: object) -> None:
    if given != expected:
        raise PluginError(
            f"{type(plugin).__name__} must give one entry of {what} per image, got {given} for {expected} images"
        )


def _key(kind: str, *parts: bytes) -> bytes:
    digest = hashlib.blake2b(kind.encode(), digest_size=20)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()
