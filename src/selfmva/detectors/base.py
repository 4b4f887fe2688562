"""What every detector of people does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray


class Detections(NamedTuple):
    """The people in one image.

    Attributes:
        boxes: `(N, 4)` float64 xyxy in pixels of the image, inside it.
        scores: `(N,)` float64, how sure the detector is, in [0, 1].
    """

    boxes: FloatArray
    scores: FloatArray


@runtime_checkable
class Detector(Protocol):
    """Finds people in images; write your own, or see `open_detector`.

    Attributes:
        identity: Differs between detectors that may give different boxes: kind, weights, every setting. What is
            cached for one detector is used only under the same identity.

    Example:
        >>> class Nobody:
        ...     identity = "nobody"
        ...
        ...     def __call__(self, images):
        ...         return [Detections(np.zeros((0, 4)), np.zeros(0)) for _ in images]
        >>> isinstance(Nobody(), Detector)
        True
    """

    identity: str

    def __call__(self, images: Sequence[Image]) -> list[Detections]:
        """Find the people.

        Args:
            images: `(H, W, 3)` uint8 RGB each, of any sizes; may be empty.

        Returns:
            One entry per image, in their order.
        """
        ...


def inside_image(boxes: ArrayLike, scores: ArrayLike, width: int, height: int) -> Detections:
    """Clip boxes to their image; those of which nothing is left are dropped.

    Args:
        boxes: `(N, 4)` xyxy in pixels.
        scores: `(N,)`.
        width: Of the image, in pixels.
        height: Of the image, in pixels.

    Example:
        >>> inside_image([[-5, 2, 8, 30], [40, 2, 50, 9]], [0.9, 0.8], width=20, height=20)
        Detections(boxes=array([[ 0.,  2.,  8., 20.]]), scores=array([0.9]))
    """
    clipped = np.clip(np.asarray(boxes, np.float64).reshape(-1, 4), 0, [width, height, width, height])
    left = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    return Detections(clipped[left], np.asarray(scores, np.float64)[left])
