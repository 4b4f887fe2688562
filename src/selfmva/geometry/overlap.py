"""Which views on one floor can see the same people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.floor_cameras import NEAREST, project, projections, to_floor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings


@dataclass(frozen=True)
class OverlapSettings:
    """Feet of one view in the image of another."""

    feet: int = 150  # of a view, evenly spread over the recording
    least_fraction: float = 0.04  # of the feet of one of two views, which the other one sees
    smallest: float = 3.0  # percentile of heights that stands for the smallest box a view's detector finds
    smaller: float = 0.7  # of that, which it may find as well


OVERLAP = OverlapSettings()


class Overlap:
    """Feet of every view, to be looked for in the images of the others.

    Args:
        views: What every view saw.
    """

    def __init__(self, views: Sequence[Sightings]) -> None:
        self._sizes = np.array([view.image_height for view in views])
        self._feet: list[FloatArray] = []
        self._smallest = np.zeros(len(views))
        for number, view in enumerate(views):
            usable = np.flatnonzero(view.usable)
            usable = usable[evenly_spaced(len(usable), OVERLAP.feet)]
            self._feet.append(view.feet[usable])
            if len(usable):
                self._smallest[number] = OVERLAP.smaller * np.percentile(view.heights[usable], OVERLAP.smallest)

    def neighbours(self, view: int, cameras: Mapping[int, FloatArray]) -> list[int]:
        """The other views that can see the same people as a view, in their order.

        Args:
            view: One of those that have a camera.
            cameras: `(10,)` parameters by view.
        """
        others = sorted(cameras.keys() - {view})
        if not others:
            return []
        return [other for other, sees in zip(others, self._seen(view, others, cameras), strict=True) if sees]

    def pairs(self, cameras: Mapping[int, FloatArray]) -> list[tuple[int, int]]:
        """The pairs of views (i, j), i < j, that can see the same people, in their order."""
        views = sorted(cameras)
        return [
            (view, other)
            for number, view in enumerate(views[:-1])
            for other in self.neighbours(view, {later: cameras[later] for later in views[number:]})
        ]

    def _seen(self, view: int, others: Sequence[int], cameras: Mapping[int, FloatArray]) -> np.ndarray:
        """`(K,)` whether a view and each of some others can see the same people."""
        own, theirs = projections(cameras[view]), projections(np.stack([cameras[other] for other in others]))
        here = np.zeros(len(others))
        if len(self._feet[view]):
            here = self._visible(theirs, to_floor(own, self._feet[view]), np.asarray(others))
        there = np.array(
            [
                self._visible(own, to_floor(projection, self._feet[other]), np.asarray(view))
                if len(self._feet[other])
                else 0
                for other, projection in zip(others, theirs, strict=True)
            ]
        )
        return np.asarray(np.maximum(here, there) >= OVERLAP.least_fraction)

    def _visible(self, projection: FloatArray, places: FloatArray, view: np.ndarray) -> FloatArray:
        """`(...)` of people `(N, 2)` on the floor, the fraction that cameras `(..., 3, 4)` of views `(...)` see."""
        feet, depth = project(projection, places)
        heads, _ = project(projection, np.column_stack([places, np.ones(len(places))]))
        tall = feet[..., 1] - heads[..., 1] >= self._smallest[view][..., None]
        low = 0.5 * self._sizes[view][..., None]
        inside = (np.abs(feet[..., 0]) < 0.5) & (np.abs(feet[..., 1]) < low)
        return np.asarray((inside & tall & (depth > NEAREST)).mean(axis=-1))
