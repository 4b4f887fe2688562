"""One instant as the tracker sees it: boxes, where they stand, and which of them may be one person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor_likelihood import FloorReadings


@dataclass(frozen=True, eq=False)
class Instant:
    """The boxes of all views at one instant, view after view.

    Attributes:
        index: Number of the instant; differences of two are times.
        count: `(V,)` number of boxes of each view.
        boxes: `(M, 4)` xyxy in pixels.
        first: `(E,)` rows of boxes that may be the same person as
        second: `(E,)` these, of later views; increasing where the first is the same.
        posterior: `(E,)` log-odds of each such pair, in the company of all others.
        group: `(M,)` number of the person at this instant alone.
        readings: Where the boxes stand on the common floor; None where there is none.
    """

    index: int
    count: IntArray
    boxes: FloatArray
    first: IntArray
    second: IntArray
    posterior: FloatArray
    group: IntArray
    readings: FloorReadings | None

    @cached_property
    def view(self) -> IntArray:
        """`(M,)` view of every box."""
        return np.repeat(np.arange(len(self.count)), self.count)

    @cached_property
    def places(self) -> tuple[FloatArray, FloatArray]:
        """`(M, 2)` places on the floor and `(M, 2, 2)` the inverses of their covariances, 0 where nothing is known."""
        if self.readings is None:
            return np.zeros((len(self.boxes), 2)), np.zeros((len(self.boxes), 2, 2))
        return self.readings.estimates()

    @cached_property
    def group_size(self) -> IntArray:
        """`(M,)` how many boxes the group of each has."""
        return np.bincount(self.group)[self.group] if len(self.group) else np.zeros(0, np.int64)
