"""Which boxes an image cuts off so far that they say little of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.scalars import integer, real
from selfmva.errors import InputError
from selfmva.tracking.columns import read_boxes, read_table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def cut_by_border(
    boxes: ArrayLike,
    width: int,
    height: int,
    *,
    margin: float = 2.0,
    aspects: tuple[float, float] = (0.3, 1.6),
) -> NDArray[np.bool_]:
    """Find boxes that the border of the image cuts, by the rule of the winner of the AI City Challenge 2023.

    A box that touches the top is cut. One that touches another side is cut unless what is seen of it, clipped to the
    image, still has the shape of a person.

    Args:
        boxes: `(N, 4)` xyxy in pixels; they may stick out of the image.
        width: Of the image, in pixels.
        height: Of the image, in pixels.
        margin: Pixels from the border within which a box touches it.
        aspects: Smallest and largest width over height of a box that is kept although it touches.

    Returns:
        `(N,)` True where a box should be left out; one that lies wholly outside is cut, too.

    Raises:
        InputError: The boxes are none, or a number is out of its range.

    Example:
        >>> cut_by_border([[10, 0, 50, 90], [0, 10, 40, 90], [0, 10, 9, 90], [30, 10, 70, 90]], 640, 480).tolist()
        [True, False, True, False]
    """
    corners = read_boxes(boxes)
    width, height = integer(width, "width", least=1), integer(height, "height", least=1)
    margin = real(margin, "margin", least=0)
    limits = read_table([aspects], "aspects", 1, 2)[0]
    if not 0 < limits[0] <= limits[1]:
        raise InputError(f"aspects must be a smallest and a largest width over height, both above 0, got {aspects}")
    clipped = np.clip(corners, 0, [width, height, width, height])
    wide, high = (clipped[:, 2:] - clipped[:, :2]).T
    seen = (wide > 0) & (high > 0)
    aspect = np.where(seen, wide, 0.0) / np.where(seen, high, 1.0)
    top = corners[:, 1] <= margin
    other = (corners[:, 0] <= margin) | (corners[:, 2] >= width - margin) | (corners[:, 3] >= height - margin)
    return np.asarray(~seen | top | (other & ((aspect < limits[0]) | (aspect > limits[1]))))
