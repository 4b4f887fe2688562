"""What every encoder of appearance does: boxes that look alike get vectors that are near each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from selfmva.core.frame_columns import validate_boxes
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray

    Features = NDArray[np.float32]

CROP_BATCH = 64  # crops in memory at once
# Mean and standard deviation of the pixels of ImageNet, as fractions of 255: RGB, as torchvision gives them.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@runtime_checkable
class AppearanceEncoder(Protocol):
    """Turns the boxes of images into vectors; write your own, or see `open_appearance`.

    Attributes:
        identity: Differs between encoders that may give different vectors: kind, weights, every setting. What is
            cached for one encoder is used only under the same identity.

    Example:
        >>> class MeanColour:
        ...     identity = "mean colour of the image"
        ...
        ...     def __call__(self, images, boxes):
        ...         colours = [image.mean(axis=(0, 1), dtype=np.float32) for image in images]
        ...         return [np.tile(c, (len(b), 1)) for c, b in zip(colours, boxes)]
        >>> isinstance(MeanColour(), AppearanceEncoder)
        True
    """

    identity: str

    def __call__(self, images: Sequence[Image], boxes: Sequence[ArrayLike]) -> list[Features]:
        """Encode.

        Args:
            images: `(H, W, 3)` uint8 RGB each, of any sizes; may be empty.
            boxes: `(N, 4)` xyxy in pixels for each image; N may be 0.

        Returns:
            `(N, D)` float32 for each image, in the order of its boxes; `(0, D)` where it has none.
        """
        ...


def encode(
    images: Sequence[Image],
    boxes: Sequence[ArrayLike],
    encode_boxes: Callable[[list[tuple[Image, FloatArray]]], Features],
    width: int,
) -> list[Features]:
    """Encode the boxes of all images together, in batches.

    Args:
        images: One per entry of `boxes`.
        boxes: `(N, 4)` xyxy in pixels for each image.
        encode_boxes: Gives `(B, width)` for images with some of their boxes each, B boxes in all, at most `CROP_BATCH`.
        width: D, the length of a vector.

    Returns:
        `(N, width)` float32 for each image.

    Raises:
        InputError: Not as many images as entries of boxes, or boxes that are wrong.

    Example:
        >>> def area(batch):
        ...     return np.concatenate([np.prod(b[:, 2:] - b[:, :2], axis=1, keepdims=True) for _, b in batch])
        >>> encode([np.zeros((9, 9, 3), np.uint8)] * 2, [[[0, 0, 2, 4]], []], area, width=1)
        [array([[8.]], dtype=float32), array([], shape=(0, 1), dtype=float32)]
    """
    if len(images) != len(boxes):
        raise InputError(f"expected one (N, 4) array of boxes per image, got {len(boxes)} for {len(images)} images")
    checked = [validate_boxes(b, view=number) for number, b in enumerate(boxes)]
    ends = np.cumsum([len(b) for b in checked], dtype=np.int64)
    features = np.zeros((int(ends[-1]) if len(ends) else 0, width), np.float32)
    done = 0
    for batch in _batches(images, checked):
        count = sum(len(b) for _, b in batch)
        features[done : done + count] = encode_boxes(batch)
        done += count
    return np.split(features, ends[:-1]) if len(ends) else []


def _batches(images: Sequence[Image], boxes: list[FloatArray]) -> Iterator[list[tuple[Image, FloatArray]]]:
    """All boxes in turn, `CROP_BATCH` at a time; an image may be in several batches."""
    batch: list[tuple[Image, FloatArray]] = []
    room = CROP_BATCH
    for image, rest in zip(images, boxes, strict=True):
        left = rest
        while len(left):
            batch.append((image, left[:room]))
            room -= len(left[:room])
            left = left[len(batch[-1][1]) :]
            if not room:
                yield batch
                batch, room = [], CROP_BATCH
    if batch:
        yield batch
