"""Pairs of boxes that may stand at one place on the floor: those in reach of each other, and how far apart they are.

`distances_on_floor` compares all boxes with all. Of a crowd in many views most pairs are far from being one person;
here they are not even looked at where that is cheap to know, and never kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.compiled import compiled
from selfmva.geometry.floor_kernels import SIGNATURE_OF_LIKELIHOODS, likely_pairs
from selfmva.geometry.floor_likelihood import LIKELIHOOD, distance_of_likelihood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.floor_likelihood import FloorReadings

    BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class FloorPairSettings:
    """Blocks of pairs that are looked at together."""

    rows: int = 48  # of a block: with a few hundred columns, its arrays stay in the cache of a core
    sorted_from: int = 400  # boxes of a frame, from where on it pays to put near ones into one block
    least_weight: float = 1e-9  # of a reading
    room: int = 64  # pairs a box that compiled code has room for; it begins anew where there are more


FLOOR_PAIRS = FloorPairSettings()


def pairs_on_floor(
    readings: FloorReadings, frame: IntArray, view: IntArray, farthest: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """All pairs of boxes of one frame and two views that are nearer than a distance, or of which nothing is known.

    Args:
        readings: Of M boxes.
        frame: `(M,)` number of the frame of each box, increasing.
        view: `(M,)` number of its view, increasing within each frame.
        farthest: Distance as `distances_on_floor` counts it.

    Returns:
        Rows `(E,)` of first boxes, increasing, and of second boxes, of later views; distances `(E,)`, NaN where a box
        is off the floor.

    Example:
        >>> from selfmva.core.types import View
        >>> from selfmva.geometry.floor_cameras import HEIGHT, TILT
        >>> from selfmva.geometry.floor import Floor
        >>> camera = np.zeros(10)
        >>> camera[[TILT, HEIGHT]] = 0.5, 0.7  # two cameras at one place
        >>> floor = Floor((View("a", 100, 100), View("b", 100, 100)), (camera, camera), {})
        >>> boxes = np.array([[45, 30, 55, 60], [46, 30, 56, 60], [5, 70, 15, 95.0]])
        >>> view = np.array([0, 1, 1])
        >>> first, second, distances = pairs_on_floor(floor.read(boxes, view), np.zeros(3, np.int64), view, 5.0)
        >>> first.tolist(), second.tolist(), bool(distances[0] < 5)
        ([0], [1], True)
    """
    least = np.exp(LIKELIHOOD.nearest - farthest**2 / 2.0)
    known, boxes = np.flatnonzero(readings.known), len(view)
    unknown = _pairs_of_unknown(np.flatnonzero(~readings.known), readings.known, frame, view)
    frame, view, readings = frame[known], view[known], readings[known]
    components = _components(readings)
    reach = _reach(components, least)
    end = np.searchsorted(frame, frame, side="right")
    kernel = compiled(likely_pairs, SIGNATURE_OF_LIKELIHOODS)
    if kernel is None:
        first, second, likelihood = _find_by_blocks(components, reach, end, view, least)
    else:
        first, second, likelihood = _find_compiled(kernel, components, reach, end, view, least)
    first, second, distances = known[first], known[second], distance_of_likelihood(likelihood)
    if not len(unknown[0]):
        return first, second, distances
    first, second = np.concatenate([first, unknown[0]]), np.concatenate([second, unknown[1]])
    order = np.argsort(first * boxes + second)
    return first[order], second[order], np.append(distances, np.full(len(unknown[0]), np.nan))[order]


def _pairs_of_unknown(rows: IntArray, known: BoolArray, frame: IntArray, view: IntArray) -> tuple[IntArray, IntArray]:
    """First and second boxes of all pairs of one frame and two views that some boxes, which are not known, are in."""
    start, end = (np.searchsorted(frame, frame[rows], side=side) for side in ("left", "right"))
    size = end - start
    one = np.repeat(rows, size)
    other = np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum())
    once = (view[one] != view[other]) & (known[other] | (one < other))
    one, other = one[once], other[once]
    return np.minimum(one, other), np.maximum(one, other)


def _components(readings: FloorReadings) -> FloatArray:
    """`(6, 2, M)`: place x, y, covariance xx, xy, yy and weight of both readings of every box.

    Covariances are times the degrees of freedom, and weights are what that and 2 pi leave of them, so that the density
    of a difference d is w w' |C|^(5/2) / (|C| + d^T adj(C) d)^3, C the sum of both.
    """
    result = np.empty((6, 2, len(readings.foot)))
    for number, (place, covariance, weight) in enumerate(
        (
            (readings.foot, readings.foot_covariance, readings.visible),
            (readings.hidden, readings.hidden_covariance, 1.0 - readings.visible),
        )
    ):
        result[:2, number] = place.T
        result[2:5, number] = LIKELIHOOD.freedom * covariance.reshape(-1, 4)[:, [0, 1, 3]].T
        result[5, number] = np.sqrt(LIKELIHOOD.freedom / (2.0 * np.pi)) * weight
    return result


def _smallest_determinant() -> float:
    """Of covariances as `_components` has them."""
    return LIKELIHOOD.freedom**2 * LIKELIHOOD.smallest_determinant


def _reach(components: FloatArray, least: float) -> FloatArray:
    """`(4, M)` rectangles, low x, low y, high x, high y: boxes whose rectangles don't meet are no pair.

    Likelihoods above `least` need one pair of readings with a quarter of it. With q = d^T C^-1 d, such a pair has
    sqrt(|C|) (1 + q)^3 < 4 w w' / least. The determinant of a sum of covariances is at least that of each, and weights
    are bounded: so q is bounded by either box alone. And in every direction the squared distance is at most q times the
    sum of both variances, that is at most the sum of what each box allows.
    """
    x, y, xx, xy, yy, weight = components
    determinant = np.maximum(xx * yy - xy * xy, _smallest_determinant())
    ratio = 4.0 * np.sqrt(LIKELIHOOD.freedom / (2.0 * np.pi)) * weight / (least * np.sqrt(determinant))
    most = np.maximum(np.cbrt(ratio) - 1.0, 0.0)
    way_x, way_y = np.sqrt(most * xx), np.sqrt(most * yy)
    counts = ratio > 1.0
    return np.stack(
        [
            np.where(counts, x - way_x, np.inf).min(axis=0),
            np.where(counts, y - way_y, np.inf).min(axis=0),
            np.where(counts, x + way_x, -np.inf).max(axis=0),
            np.where(counts, y + way_y, -np.inf).max(axis=0),
        ]
    )


def _find_compiled(
    kernel: Callable[..., Any], components: FloatArray, reach: FloatArray, end: IntArray, view: IntArray, least: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """As `_find_by_blocks`, by the loop."""
    room = FLOOR_PAIRS.room * len(view)
    while True:
        pairs, likelihood = np.empty((2, room), np.int64), np.empty(room)
        count = kernel(components, reach, end, view, least, _smallest_determinant(), pairs, likelihood)
        if count <= room:
            return pairs[0, :count], pairs[1, :count], likelihood[:count]
        room = count


def _find_by_blocks(
    components: FloatArray, reach: FloatArray, end: IntArray, view: IntArray, least: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """Rows of the first and second boxes, and likelihoods above `least`, of all pairs of boxes that meet."""
    order, mixed = _near_together(reach, end)
    components, reach, end, view = components[:, :, order], reach[:, order], end[order], view[order]
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    features, space = _features(components), np.empty((3, 0))
    for rows in _row_blocks(end):
        start = rows.start
        if not mixed and end[start] == end[rows.stop - 1]:  # one frame: the boxes of later views are what is left
            start += int(np.searchsorted(view[start : end[start]], view[start], side="right"))
        columns = _columns_in_reach(reach, rows, start, int(end[rows.stop - 1]))
        if not len(columns):
            continue
        if space.shape[1] < 4 * (rows.stop - rows.start) * len(columns):
            space = np.empty((3, 4 * FLOOR_PAIRS.rows * len(columns)))
        cells = _likelihoods(features, rows, columns, space)
        above = cells > least
        if start > rows.start:
            above &= view[columns] > view[rows, None]
        else:
            above &= (columns > np.arange(rows.start, rows.stop)[:, None]) & (columns < end[rows, None])
            above &= view[columns] != view[rows, None]
        place = np.flatnonzero(above)
        row, beside = np.divmod(place, len(columns))
        found.append((rows.start + row, columns[beside], cells[row, beside]))
    first, second, likelihood = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not mixed:
        return first, second, likelihood
    one, other = order[first], order[second]
    first, second = np.minimum(one, other), np.maximum(one, other)
    sort = np.argsort(first * len(view) + second)
    return first[sort], second[sort], likelihood[sort]


def _near_together(reach: FloatArray, end: IntArray) -> tuple[IntArray, bool]:
    """`(M,)` an order of the boxes in which those of a large frame are in the order of their places; whether any is."""
    order, mixed = np.arange(len(end)), False
    reaches = reach[0] <= reach[2]
    middle = np.add(reach[0], reach[2], out=np.zeros(len(end)), where=reaches)
    for last in np.unique(end).tolist():
        first = int(np.searchsorted(end, last))
        if last - first >= FLOOR_PAIRS.sorted_from:
            order[first:last] = first + np.argsort(middle[first:last], kind="stable")
            mixed = True
    return order, mixed


def _row_blocks(end: IntArray) -> Iterator[slice]:
    """Cut the boxes: pieces of large frames, and small frames together."""
    start = 0
    while start < len(end):
        stop = min(int(end[start]), start + FLOOR_PAIRS.rows)
        while stop < len(end) and end[stop - 1] == stop and end[stop] <= start + FLOOR_PAIRS.rows:
            stop = int(end[stop])
        yield slice(start, stop)
        start = stop


def _columns_in_reach(reach: FloatArray, rows: slice, start: int, end: int) -> IntArray:
    """Numbers of the boxes from start to end that any box of a block may meet."""
    block, others = reach[:, rows], reach[:, start:end]
    low, high = block[:2].min(axis=1), block[2:].max(axis=1)
    meets = (others[0] <= high[0]) & (others[1] <= high[1]) & (others[2] >= low[0]) & (others[3] >= low[1])
    return start + np.flatnonzero(meets)


def _features(components: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """What the determinants and tails of all pairs of readings are products of.

    The determinant of a sum of two covariances and the quadratic form of a difference of two places are bilinear in
    what either box brings: matrix products compute them for all pairs, in a fifth of the time of arithmetic by arrays.

    Returns:
        `(5, 2, M)` twice, of the determinants |C + C'|, for the first and for the second box; and `(12, 2, M)` twice,
        of the tails |C + C'| + d^T adj(C + C') d. All are scaled, so that weights come out right: a factor s of both
        makes |C|^(5/2) / tail^3 one of s^(-1/2).
    """
    x, y, xx, xy, yy, weight = components
    scale = np.maximum(weight, FLOOR_PAIRS.least_weight) ** -2
    one, determinant = np.ones_like(x), xx * yy - xy * xy
    across, beside = yy * x - xy * y, xx * y - xy * x
    own = x * across + y * beside + determinant
    return (
        scale * np.stack([determinant, xx, yy, xy, one]),
        scale * np.stack([one, yy, xx, -2.0 * xy, determinant]),
        scale * np.stack([own, one, across, beside, yy, xy, xx, x, y, x * x, x * y, y * y]),
        scale
        * np.stack(
            [
                *(one, own, -2.0 * x, -2.0 * y, x * x + xx, -2.0 * (x * y + xy), y * y + yy),
                *(-2.0 * across, -2.0 * beside, yy, -2.0 * xy, xx),
            ]
        ),
    )


def _likelihoods(features: Sequence[FloatArray], rows: slice, columns: IntArray, space: FloatArray) -> FloatArray:
    """`(N, M)` likelihoods of some boxes and others, `space` being `(3, 4 * N * M)` or more."""
    det_rows, tail_rows = (part[:, :, rows].reshape(len(part), -1).T for part in features[::2])
    near = slice(columns[0], columns[-1] + 1) if len(columns) == columns[-1] + 1 - columns[0] else columns
    det_columns, tail_columns = (part[:, :, near].reshape(len(part), -1) for part in features[1::2])
    shape = len(det_rows), det_columns.shape[1]
    determinant, tail, power = (part[: shape[0] * shape[1]].reshape(shape) for part in space)
    # In place: new arrays of this size would take as long as the arithmetic.
    np.matmul(det_rows, det_columns, out=determinant)
    np.matmul(tail_rows, tail_columns, out=tail)
    np.maximum(determinant, _smallest_determinant(), out=determinant)
    np.multiply(tail, tail, out=power)
    tail *= power
    np.sqrt(determinant, out=power)
    determinant *= determinant
    determinant *= power
    determinant /= tail
    half, middle = shape[0] // 2, shape[1] // 2
    both = np.add(determinant[:half], determinant[half:], out=tail[:half])
    return np.asarray(np.add(both[:, :middle], both[:, middle:], out=power[:half, :middle]))
