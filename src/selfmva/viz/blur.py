"""Make people in images unrecognizable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.frame_columns import validate_boxes
from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray, IntArray

Part = Literal["faces", "people"]

CELLS = 4  # along the shorter side of what is blurred: a face of 2 x 2 values is nobody's
HEAD = 0.2  # of the height of a body, from its top: a head and some room
MARGIN = 0.06  # of the height of a body: boxes of a detector cut hair off


def blur_people(image: Image, boxes: ArrayLike, part: Part = "faces") -> Image:
    """Blur what is inside boxes of people, on a copy of an image.

    What was there is replaced by a few averages with smooth transitions: it cannot be brought back. Nobody looks for
    faces; they are taken to be in the upper fifth of a box, or higher up to half its width where somebody sits, bends
    or is cut off below. People without a box stay as they are.

    Args:
        image: `(H, W, 3)` uint8 RGB, not changed.
        boxes: `(N, 4)` xyxy in pixels; they may stick out of the image.
        part: `"faces"`: the upper part of the boxes; `"people"`: all of it.

    Returns:
        `(H, W, 3)` uint8 RGB.

    Raises:
        InputError: The image or the boxes are wrong, or another part is named.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (100, 80, 3)).astype(np.uint8)
        >>> blurred = blur_people(noise, [[20, 10, 50, 90]])
        >>> bool(blurred[10:25, 20:50].std() < 30), np.array_equal(blurred[30:], noise[30:])
        (True, True)
    """
    import cv2

    check_part(part)
    canvas = as_rgb(image).copy()
    height, width = canvas.shape[:2]
    for x1, y1, x2, y2 in _regions(validate_boxes(boxes), part, (width, height)).tolist():
        across, down = x2 - x1, y2 - y1
        if across <= 0 or down <= 0:
            continue  # outside the image
        cell = max(min(across, down) / CELLS, 1.0)
        few = max(1, round(across / cell)), max(1, round(down / cell))
        averages = cv2.resize(canvas[y1:y2, x1:x2], few, interpolation=cv2.INTER_AREA)
        canvas[y1:y2, x1:x2] = cv2.resize(averages, (across, down), interpolation=cv2.INTER_LINEAR)
    return canvas


def check_part(part: str) -> None:
    """Check what is to be blurred.

    Raises:
        InputError: It is none of the parts.
    """
    if not is_one_of(part, get_args(Part)):
        raise InputError(f"what to blur must be one of {', '.join(map(repr, get_args(Part)))}, got {shown(part)}")


def _regions(boxes: FloatArray, part: Part, size: tuple[int, int]) -> IntArray:
    """`(N, 4)` whole pixels inside the image."""
    regions = boxes.copy()
    if part == "faces":
        across, down = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        regions[:, 1] = boxes[:, 1] - MARGIN * down
        regions[:, 3] = boxes[:, 1] + np.minimum(np.maximum(HEAD * down, across / 2), down)
    outward = np.concatenate([np.floor(regions[:, :2]), np.ceil(regions[:, 2:])], axis=1)
    return np.asarray(np.clip(outward, 0, np.array(size * 2)), dtype=np.int64)
