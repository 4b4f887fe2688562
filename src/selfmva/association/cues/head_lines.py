"""Head lines: the head of a person is on the epipolar line of their head in another view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.association.cues.base import Cue, LearningContext
from selfmva.geometry.epipolar import epipolar_distances, visible_heads

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from selfmva.association.cues.base import BoxBatch
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair


@dataclass(frozen=True, eq=False)
class Heads:
    """Heads of M boxes.

    Attributes:
        points: `(M, 2)` in pixels, NaN where the border of the image cuts the head.
        height: `(M,)` of the box in pixels.
        view: `(M,)` number of its view.
    """

    points: FloatArray
    height: FloatArray
    view: IntArray

    def __getitem__(self, rows: slice | IntArray) -> Heads:
        """The heads of some of the boxes."""
        return Heads(self.points[rows], self.height[rows], self.view[rows])


@dataclass(frozen=True, eq=False)
class HeadLinesCue(Cue):
    """How far heads are from each other's epipolar lines; see `selfmva.geometry.epipolar`.

    Attributes:
        lines: Trusted fundamental matrices `(3, 3)` of head points, by view pair (i, j), i < j.
    """

    name = "head_lines"
    lines: Mapping[ViewPair, FloatArray]

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        return cls(model.lines) if model.lines else None

    def pairs_to_compare(
        self,
        pairs: Sequence[ViewPair],  # noqa: ARG002
        context: LearningContext,  # noqa: ARG002
    ) -> Collection[ViewPair]:
        """Those with lines."""
        return self.lines.keys()

    def read(self, batch: BoxBatch) -> Heads:
        """Where the heads are."""
        return Heads(visible_heads(batch.boxes), batch.boxes[:, 3] - batch.boxes[:, 1], batch.view)

    def distances(self, first: Heads, second: Heads) -> FloatArray:
        """See `Cue`; NaN unless the first box is of view i, the second of view j > i, and their lines are trusted."""
        result = np.full((len(first.view), len(second.view)), np.nan)
        views, others = set(first.view.tolist()), set(second.view.tolist())
        for (i, j), matrix in self.lines.items():
            if i in views and j in others:
                rows, columns = np.flatnonzero(first.view == i), np.flatnonzero(second.view == j)
                one, other = first[rows], second[columns]
                result[np.ix_(rows, columns)] = epipolar_distances(
                    matrix, one.points, one.height, other.points, other.height
                )
        return result

    def distances_of_pairs(self, readings: Heads, first: IntArray, second: IntArray) -> FloatArray:
        """See `Cue`."""
        result = np.full(len(first), np.nan)
        views, others = readings.view[first], readings.view[second]
        for (i, j), matrix in self.lines.items():
            pairs = np.flatnonzero((views == i) & (others == j))
            if len(pairs):
                one, other = readings[first[pairs]], readings[second[pairs]]
                heads = one.points[:, None], one.height[:, None], other.points[:, None], other.height[:, None]
                result[pairs] = epipolar_distances(matrix, *heads)[:, 0, 0]
        return result
