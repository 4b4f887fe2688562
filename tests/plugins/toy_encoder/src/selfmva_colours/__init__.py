"""People by the colours of their clothes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from selfmva.encoders import cut_crops


class Colours:
    """Mean colours of the stripes of a person, from head to foot.

    Args:
        stripes: How many, as text.
        device: Not used: there is no network.
    """

    def __init__(self, stripes: str = "2", *, device: str = "cpu") -> None:
        self._stripes = int(stripes)
        self.identity = f"colours 1 stripes={self._stripes}"  # changes whenever the vectors may

    def __call__(self, images: Sequence[np.ndarray], boxes: Sequence[ArrayLike]) -> list[np.ndarray]:
        return [self._colours(image, b) for image, b in zip(images, boxes, strict=True)]

    def _colours(self, image: np.ndarray, boxes: ArrayLike) -> np.ndarray:
        crops = cut_crops(image, boxes, size=(16 * self._stripes, 16))  # (N, height, width, 3)
        stripes = crops.reshape(len(crops), self._stripes, 16 * 16, 3)
        return stripes.mean(axis=2, dtype=np.float32).reshape(len(crops), 3 * self._stripes)
