"""Pairs of boxes of two views: those of one instant, how far a geometry puts them apart, and who is best for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.geometry.floor_cameras import carried, projections

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
    boxes, starts = first.usable_at
    partners, other_starts = second.usable_at
    later = (instants + lag) % (len(first.starts) - 1)
    rows = ranges(starts[instants], np.diff(starts)[instants])
    columns = np.repeat(np.diff(other_starts)[later], np.diff(starts)[instants])
    position = np.repeat(np.arange(len(instants)), np.diff(starts)[instants])
    start = np.repeat(other_starts[later], np.diff(starts)[instants])
    return BoxPairs(np.repeat(position, columns), np.repeat(boxes[rows], columns), partners[ranges(start, columns)])


def ranges(start: IntArray, size: IntArray) -> IntArray:
    """Numbers from each start on, so many of each, one after the other.

    Example:
        >>> ranges(np.array([7, 0, 3]), np.array([2, 0, 1])).tolist()
        [7, 8, 3]
    """
    return np.asarray(np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum()))


class Carried(NamedTuple):
    """Feet of two views as the camera of the other one sees them.

    Attributes:
        ahead: `(N_i,)` complex image points in view j of the feet of view i; 0 where nobody asked.
        back: `(N_j,)` the same in view i of those of view j.
    """

    ahead: ComplexArray
    back: ComplexArray


def carry(
    first: Sightings,
    second: Sightings,
    camera_i: FloatArray,
    camera_j: FloatArray,
    box: IntArray | None = None,
    partner: IntArray | None = None,
) -> Carried:
    """Carry the feet of two views over: every foot once, in however many pairs it is.

    Args:
        first: View i.
        second: View j.
        camera_i: `(10,)` parameters on the floor that both share.
        camera_j: `(10,)`.
        box: Boxes of view i that are asked for, in any number; None: all that are usable.
        partner: The same of view j.

    Returns:
        The feet.
    """
    ahead, back = projections(camera_i), projections(camera_j)
    return Carried(_carried(first, ahead, back, box), _carried(second, back, ahead, partner))


def transfer_errors(
    first: Sightings, second: Sightings, feet: Carried, box: IntArray, partner: IntArray
) -> tuple[ComplexArray, ComplexArray]:
    """How far a geometry puts pairs of boxes apart.

    Args:
        first: View i.
        second: View j.
        feet: Of both, in the other one.
        box: `(P,)` boxes of view i.
        partner: `(P,)` boxes of view j.

    Returns:
        `(P,)` complex transfer errors in view j, and the same in view i, in heights of the box there.
    """
    ahead = (feet.ahead[box] - second.complex_feet[partner]) * second.per_height[partner]
    back = (feet.back[partner] - first.complex_feet[box]) * first.per_height[box]
    return np.asarray(ahead), np.asarray(back)


def squared_errors(
    first: Sightings, second: Sightings, camera_i: FloatArray, camera_j: FloatArray, box: IntArray, partner: IntArray
) -> FloatArray:
    """`(P,)` the larger of the squared lengths of both `transfer_errors`."""
    feet = carry(first, second, camera_i, camera_j, box, partner)
    in_j, in_i = transfer_errors(first, second, feet, box, partner)
    return np.asarray(np.maximum(squared_length(in_j), squared_length(in_i)))


def near_pairs(
    first: Sightings, second: Sightings, feet: Carried, pairs: BoxPairs, farthest: float
) -> tuple[BoxPairs, ComplexArray, ComplexArray]:
    """Those pairs of boxes whose transfer errors are both shorter than so many heights, and these errors.

    Most pairs of a crowd are far apart in either view: they are looked at in one of them only.
    """
    for ahead in (True, False):
        box, partner = pairs.box, pairs.partner
        if ahead:
            near = _within(feet.ahead[box] - second.complex_feet[partner], second.per_height[partner], farthest)
        else:
            near = _within(feet.back[partner] - first.complex_feet[box], first.per_height[box], farthest)
        kept = np.flatnonzero(near)
        pairs = BoxPairs(*(column[kept] for column in pairs))
    return pairs, *transfer_errors(first, second, feet, pairs.box, pairs.partner)


def _within(difference: ComplexArray, per_height: FloatArray, farthest: float) -> np.ndarray:
    return np.asarray(squared_length(difference) * per_height**2 < farthest**2)


def _carried(view: Sightings, own: FloatArray, other: FloatArray, rows: IntArray | None) -> ComplexArray:
    """`(N,)` feet of a view as another camera would see them; of these rows alone, 0 elsewhere."""
    asked = view.usable
    if rows is not None:
        asked = np.zeros(len(view.feet), dtype=bool)
        asked[rows] = True
    chosen = np.flatnonzero(asked)
    across, down = carried(own, other, view.feet[chosen].T)[0]
    result = np.zeros(len(view.feet), dtype=complex)
    result[chosen] = across + 1j * down
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
    counts = np.flatnonzero(worth > 0)
    order = counts[np.lexsort((-worth[counts], group[counts]))]
    best = np.zeros(len(group), dtype=bool)
    best[order[np.flatnonzero(np.diff(group[order], prepend=-1))]] = True
    return best
