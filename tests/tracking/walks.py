"""People who walk straight through one view, as the tracker sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.tracking.instants import Instant

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray


def walkers(people: int, instants: int, gap: float = 150.0) -> FloatArray:
    """`(T, P, 4)` boxes of 40 x 100 pixels, side by side, 4 pixels an instant to the right."""
    left = 50.0 + gap * np.arange(people) + 4.0 * np.arange(instants)[:, None]
    top = 100.0 + 7.0 * np.arange(people) + np.zeros((instants, 1))
    return np.stack([left, top, left + 40.0, top + 100.0], axis=-1)


def instants_of(boxes: FloatArray, first: int = 0) -> list[Instant]:
    """Of one view, every box a group of its own."""
    none = np.zeros(0, np.int64)
    return [
        Instant(first + t, np.array([len(own)]), own, none, none, np.zeros(0), np.arange(len(own)), None)
        for t, own in enumerate(boxes)
    ]
