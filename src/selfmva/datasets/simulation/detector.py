"""A simulated detector: what hides a body, and how a box misses the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray

    BoolArray = NDArray[np.bool_]

GRID = 8  # a body's visible fraction is counted on GRID x GRID points of its box
CUT_FRACTIONS = (0.15, 0.4)  # of the height, where feet are cut
FALSE_HEIGHTS = (0.12, 0.6)  # of the image
FALSE_ASPECTS = (0.3, 0.5)  # width over height
SMALLEST_BOX = 2.0  # pixels


def truncate(boxes: FloatArray, size: tuple[int, int], threshold: float) -> tuple[FloatArray, BoolArray]:
    """Clip boxes to the image.

    Args:
        boxes: `(..., 4)` xyxy.
        size: Width and height of the image in pixels.
        threshold: Fraction of a box that may lie outside, 0 to 1.

    Returns:
        The clipped boxes and, `(...)`, which of them keep enough inside.

    Example:
        >>> truncate(np.array([[-30.0, 0, 10, 20], [-10.0, 0, 30, 20]]), (100, 100), 0.5)[1].tolist()
        [False, True]
    """
    clipped = _inside(boxes, size)
    sides, inside = boxes[..., 2:] - boxes[..., :2], clipped[..., 2:] - clipped[..., :2]
    outside = 1 - inside.prod(axis=-1) / np.maximum(sides.prod(axis=-1), 1e-9)
    return clipped, (outside <= threshold) & (inside >= SMALLEST_BOX).all(axis=-1)


def occlude(boxes: FloatArray, depths: FloatArray, seen: BoolArray, threshold: float) -> tuple[FloatArray, BoolArray]:
    """Hide bodies behind nearer ones.

    Args:
        boxes: `(..., S, 4)` xyxy.
        depths: `(..., S)`, larger is farther.
        seen: `(..., S)` which of them are there to be seen, and to hide others.
        threshold: Fraction of a box that may be hidden, 0 to 1; 1 makes bodies of glass.

    Returns:
        The boxes, whose lower part is cut where it is wholly hidden, and which of them are still seen.

    Example:
        >>> boxes, depths = np.array([[0.0, 0, 8, 8], [0.0, 4, 8, 12]]), np.array([5.0, 3.0])
        >>> cut, seen = occlude(boxes, depths, np.array([True, True]), 0.7)
        >>> cut.tolist(), seen.tolist()
        ([[0.0, 0.0, 8.0, 4.0], [0.0, 4.0, 8.0, 12.0]], [True, True])
    """
    if threshold >= 1:
        return boxes, seen
    x1, y1, x2, y2 = np.moveaxis(boxes, -1, 0)
    behind = depths[..., :, None] > depths[..., None, :]
    behind &= (x1[..., :, None] < x2[..., None, :]) & (x2[..., :, None] > x1[..., None, :])
    behind &= (y1[..., :, None] < y2[..., None, :]) & (y2[..., :, None] > y1[..., None, :])
    behind &= seen[..., :, None] & seen[..., None, :]
    *where, hidden, hider = np.nonzero(behind)
    if not len(hidden):
        return boxes, seen
    back, front = boxes[*where, hidden], boxes[*where, hider]
    points = (np.arange(GRID) + 0.5) / GRID * (back[:, 2:] - back[:, :2])[..., None] + back[:, :2, None]
    inside = (points > front[:, :2, None]) & (points < front[:, 2:, None])  # (pairs, x and y, GRID)
    body = np.ravel_multi_index((*where, hidden), seen.shape)
    bodies, starts = np.unique(body, return_index=True)
    hidden_points: BoolArray = np.logical_or.reduceat(
        inside[:, 1, :, None] & inside[:, 0, None, :], starts
    )  # (bodies, y, x)

    still = seen.copy()
    still.reshape(-1)[bodies] = hidden_points.mean(axis=(1, 2)) <= threshold
    visible_rows = np.any(~hidden_points, axis=2)
    lowest = np.where(np.any(visible_rows, axis=1), GRID - np.argmax(visible_rows[:, ::-1], axis=1), GRID)
    cut = boxes.copy()
    flat = cut.reshape(-1, 4)
    flat[bodies, 3] = flat[bodies, 1] + lowest / GRID * (flat[bodies, 3] - flat[bodies, 1])
    return cut, still


def cut_feet(boxes: FloatArray, rate: float, rng: np.random.Generator) -> FloatArray:
    """Cut the lower part off some `(N, 4)` boxes, as furniture does.

    Example:
        >>> bool(cut_feet(np.array([[0.0, 0, 10, 100]]), 1.0, np.random.default_rng(0))[0, 3] < 90)
        True
    """
    fraction = rng.uniform(*CUT_FRACTIONS, len(boxes)) * (rng.random(len(boxes)) < rate)
    cut = boxes.copy()
    cut[:, 3] -= fraction * (boxes[:, 3] - boxes[:, 1])
    return cut


def jitter_boxes(boxes: FloatArray, scale: float, size: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Shift and stretch `(N, 4)` boxes by normal errors of `scale` times their size; they stay inside the image.

    Example:
        >>> boxes = np.array([[0.0, 0, 10, 20]])
        >>> jitter_boxes(boxes, 0.0, (100, 100), np.random.default_rng(0)).tolist()
        [[0.0, 0.0, 10.0, 20.0]]
    """
    noise = scale * rng.standard_normal((len(boxes), 4))
    if scale == 0:
        return boxes
    sides = boxes[:, 2:] - boxes[:, :2]
    centres = np.clip((boxes[:, :2] + boxes[:, 2:]) / 2 + noise[:, :2] * sides, 0.5, np.array(size) - 0.5)
    half = np.maximum(sides * np.exp(noise[:, 2:]), SMALLEST_BOX) / 2
    return _inside(np.concatenate([centres - half, centres + half], axis=1), size)


def false_boxes(count: int, size: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Draw `(count, 4)` boxes of a person's shape where nobody is, inside the image.

    Example:
        >>> false_boxes(3, (1280, 720), np.random.default_rng(0)).shape
        (3, 4)
    """
    centres = rng.random((count, 2)) * size
    low, high = FALSE_HEIGHTS
    height = size[1] * low * (high / low) ** rng.random(count)  # every scale alike
    half = np.stack([height * rng.uniform(*FALSE_ASPECTS, count), height], axis=1) / 2
    return _inside(np.concatenate([centres - half, centres + half], axis=1), size)


def _inside(boxes: FloatArray, size: tuple[int, int]) -> FloatArray:
    clipped: FloatArray = np.clip(boxes, 0.0, np.array([*size, *size], dtype=np.float64))
    return clipped
