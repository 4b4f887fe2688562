"""Pairs of boxes of two views: those of one instant, how far a geometry puts them apart, and who is best for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.geometry.cameras import project, projections, to_floor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings

    ComplexArray = NDArray[np.complex128]


class BoxPairs(NamedTuple):
    """Pairs of usable boxes of two views, `(P,)` each, instant after instant.

    Attributes:
        position: Which of the instants that were asked for.
        box: Of view i.
        partner: Of view j.
    """

    position: IntArray
    box: IntArray
    partner: IntArray


def pairs_of_boxes(first: Sightings, second: Sightings, instants: IntArray, lag: int = 0) -> BoxPairs:
    """All pairs of usable boxes of the same instant.

    Args:
        first: View i.
        second: View j.
        instants: `(S,)` numbers of instants of view i.
        lag: Instants by which view j is shifted, around the end of the recording.

    Returns:
        The pairs.
    """
    later = (instants + lag) % (len(first.starts) - 1)
    boxes, starts = first.usable_at
    partners, other_starts = second.usable_at
    rows, columns = np.diff(starts)[instants], np.diff(other_starts)[later]
    size = rows * columns
    position = np.repeat(np.arange(len(instants)), size)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    row, column = np.divmod(within, np.maximum(columns, 1)[position])
    return BoxPairs(position, boxes[starts[instants][position] + row], partners[other_starts[later][position] + column])


class Transfers(NamedTuple):
    """Where two cameras put each other's feet, complex image points in widths.

    Attributes:
        first: View i.
        second: View j.
        ahead: `(N_i,)` feet of view i as view j would see them.
        back: `(N_j,)` feet of view j as view i would see them.
    """

    first: Sightings
    second: Sightings
    ahead: ComplexArray
    back: ComplexArray

    @classmethod
    def of(cls, first: Sightings, second: Sightings, camera_i: FloatArray, camera_j: FloatArray) -> Transfers:
        """Through the floor that two cameras `(10,)` share."""
        projection_i, projection_j = projections(camera_i), projections(camera_j)
        ahead = project(projection_j, to_floor(projection_i, first.feet))[0]
        back = project(projection_i, to_floor(projection_j, second.feet))[0]
        return cls(first, second, _complex(ahead), _complex(back))

    def errors(self, box: IntArray, partner: IntArray) -> tuple[ComplexArray, ComplexArray]:
        """`(P,)` transfer errors in view j, and in view i, in heights of the box there."""
        in_j = (self.ahead[box] - _complex(self.second.feet)[partner]) / self.second.heights[partner]
        in_i = (self.back[partner] - _complex(self.first.feet)[box]) / self.first.heights[box]
        return in_j, in_i

    def squares(self, box: IntArray, partner: IntArray) -> FloatArray:
        """`(P,)` the larger of the squared lengths of both errors."""
        in_j, in_i = self.errors(box, partner)
        return np.asarray(np.maximum(squared_length(in_j), squared_length(in_i)))


def squared_length(values: np.ndarray) -> np.ndarray:
    """Squared lengths of complex vectors."""
    return np.asarray(values.real**2 + values.imag**2)


def best_of_each(group: IntArray, worth: FloatArray) -> np.ndarray:
    """Entries that are worth most in their group, and more than nothing.

    Args:
        group: `(P,)` group of every entry.
        worth: `(P,)`.

    Returns:
        `(P,)` bool, at most one of each group, the first of those that are worth the same.

    Example:
        >>> best_of_each(np.array([7, 7, 3, 3]), np.array([1.0, 2.0, 0.0, -1.0])).tolist()
        [False, True, False, False]
    """
    order = np.lexsort((-worth, group))
    best = np.zeros(len(group), dtype=bool)
    best[order[np.flatnonzero(np.diff(group[order], prepend=-1))]] = True
    return np.asarray(best & (worth > 0))


def _complex(points: FloatArray) -> ComplexArray:
    return np.asarray(points[..., 0] + 1j * points[..., 1])
