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


def transfer_errors(
    first: Sightings, second: Sightings, camera_i: FloatArray, camera_j: FloatArray, box: IntArray, partner: IntArray
) -> tuple[ComplexArray, ComplexArray]:
    """How far a geometry puts pairs of boxes apart: every box is carried over once, however many pairs it is in.

    Args:
        first: View i.
        second: View j.
        camera_i: `(10,)` parameters on the floor that both share.
        camera_j: `(10,)`.
        box: `(P,)` boxes of view i.
        partner: `(P,)` boxes of view j.

    Returns:
        `(P,)` complex transfer errors in view j, and the same in view i, in heights of the box there.
    """
    ahead, back = projections(camera_i), projections(camera_j)
    return _errors(first, second, ahead, back, box, partner), _errors(second, first, back, ahead, partner, box)


def squared_errors(
    first: Sightings, second: Sightings, camera_i: FloatArray, camera_j: FloatArray, box: IntArray, partner: IntArray
) -> FloatArray:
    """`(P,)` the larger of the squared lengths of both `transfer_errors`."""
    in_j, in_i = transfer_errors(first, second, camera_i, camera_j, box, partner)
    return np.asarray(np.maximum(squared_length(in_j), squared_length(in_i)))


def near_pairs(
    first: Sightings,
    second: Sightings,
    camera_i: FloatArray,
    camera_j: FloatArray,
    pairs: BoxPairs,
    farthest: float,
) -> tuple[BoxPairs, ComplexArray, ComplexArray]:
    """Those pairs of boxes whose transfer errors are both shorter than so many heights, and these errors.

    Most pairs of a crowd are far apart in either view: they are carried over one way only.
    """
    ahead, back = projections(camera_i), projections(camera_j)
    in_j = _errors(first, second, ahead, back, pairs.box, pairs.partner)
    near = squared_length(in_j) < farthest**2
    pairs, in_j = BoxPairs(*(column[near] for column in pairs)), in_j[near]
    in_i = _errors(second, first, back, ahead, pairs.partner, pairs.box)
    near = squared_length(in_i) < farthest**2
    return BoxPairs(*(column[near] for column in pairs)), in_j[near], in_i[near]


def _errors(
    view: Sightings, other: Sightings, own: FloatArray, there: FloatArray, box: IntArray, partner: IntArray
) -> ComplexArray:
    """`(P,)` how far feet of a view are from those of their partners in another, in heights there."""
    carried = _carried(view, own, there, box)
    return np.asarray((carried[box] - _complex(other.feet)[partner]) / other.heights[partner])


def _carried(view: Sightings, own: FloatArray, other: FloatArray, rows: IntArray) -> ComplexArray:
    """`(N,)` feet of a view as another camera would see them; of these rows alone, 0 elsewhere."""
    asked = np.zeros(len(view.feet), dtype=bool)
    asked[rows] = True
    result = np.zeros(len(view.feet), dtype=complex)
    result[asked] = _complex(project(other, to_floor(own, view.feet[asked]))[0])
    return result


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
