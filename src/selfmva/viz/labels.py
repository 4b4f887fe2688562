"""Find room for text in a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.viz.draw import LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selfmva.core.types import FloatArray

DIRECTIONS = 16  # around a point, in which its label may lie
DISTANCES = (1.0, 1.6, 2.4, 3.4)  # times the nearest
DOTS = "..."


def text_size(text: str, scale: float) -> tuple[int, int]:
    """Width and height in pixels of what `selfmva.viz.draw.write` writes."""
    import cv2

    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, LETTERS * scale, max(1, round(scale)))
    return width, height + below


def shortened(text: str, width: int, scale: float) -> str:
    """The text, or as much of its beginning as fits into a width, with dots.

    Example:
        >>> shortened("corridor", 1000, 1.0), shortened("corridor", 1, 1.0)
        ('corridor', '...')
    """
    if text_size(text, scale)[0] <= width:
        return text
    lengths = range(len(text), 0, -1)
    return next((text[:k] + DOTS for k in lengths if text_size(text[:k] + DOTS, scale)[0] <= width), DOTS)


def broken(words: Sequence[str], width: int, scale: float) -> list[str]:
    """Words in lines, each within a width.

    Example:
        >>> broken(["not on the floor:", "door,", "hall"], 1000, 1.0)
        ['not on the floor: door, hall']
    """
    lines: list[str] = []
    for word in (shortened(word, width, scale) for word in words):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, scale)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def free_place(
    point: FloatArray, away: FloatArray, size: tuple[int, int], taken: Iterable[FloatArray], room: tuple[int, int]
) -> FloatArray:
    """Where beside a point a label covers nothing.

    Args:
        point: `(2,)` pixels.
        away: `(2,)` pixels from the point to the middle of the nearest label that is liked best.
        size: Width and height of the label.
        taken: `(4,)` x1, y1, x2, y2 of what must not be covered.
        room: Width and height of the picture.

    Returns:
        `(4,)` x1, y1, x2, y2; the least bad place where none is free.
    """
    turns = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    turns = turns[np.argsort(np.abs(np.angle(np.exp(1j * turns))), kind="stable")]
    angle = np.arctan2(away[1], away[0]) + np.tile(turns, len(DISTANCES))
    distance = np.hypot(*away) * np.repeat(DISTANCES, DIRECTIONS)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    half, limit = np.array(size) / 2, np.array(room, dtype=np.float64)
    middle = point + direction * (distance[:, None] + np.abs(direction) @ half[:, None])
    middle = np.clip(middle, half, np.maximum(limit - half, half))
    places = np.concatenate([middle - half, middle + half], axis=1)
    others = np.array(list(taken)).reshape(-1, 4)
    overlap = np.minimum(places[:, None, 2:], others[:, 2:]) - np.maximum(places[:, None, :2], others[:, :2])
    covered = np.prod(np.maximum(overlap, 0.0), axis=-1).sum(axis=-1)
    return np.asarray(places[int(np.argmin(covered))])
