"""Spatio-temporal consistency: a box that stands away from the other boxes of its id takes the id of where it stands.

The re-assignment of the winner of the AI City Challenge 2023, without what was made for its scene: places are in body
heights, the median takes the place of weights of cameras, and all boxes move at once, so that swapped ids swap back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.scalars import integer, real
from selfmva.core.values import real_array
from selfmva.errors import InputError
from selfmva.matching.assignment import solve
from selfmva.tracking.columns import Rows, read_rows, read_table
from selfmva.tracking.voting import majority_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray

# Distances in body heights from which on a box is away from its id, and least confidence of a move: the published
# rounds (250, .65), (200, .70), (150, .75), read as centimetres, of people of 1.70 m.
SCHEDULE = ((1.47, 0.65), (1.18, 0.70), (0.88, 0.75))


def places_on_floor(boxes: ArrayLike, views: ArrayLike, homographies: Sequence[ArrayLike | None]) -> FloatArray:
    """Where the feet of boxes are on a floor that homographies are given of.

    Args:
        boxes: `(N, 4)` xyxy in pixels.
        views: `(N,)` number of the view of each.
        homographies: For each view `(3, 3)` from pixels to the floor, None where it is not known; their unit is that of
            the places. `Floor.homographies` has them in the unit of the floor.

    Returns:
        `(N, 2)`, NaN where it is not known, or above the horizon of the view.

    Raises:
        InputError: The boxes are none, there is no such view, or a homography is none.

    Example:
        >>> places_on_floor([[0, 0, 10, 20]], [0], [[[0.1, 0, 0], [0, 0.1, 0], [0, 0, 1]]]).tolist()
        [[0.5, 2.0]]
    """
    corners = read_table(boxes, "boxes", None, 4)
    numbers = read_rows(np.zeros(len(corners)), views, np.zeros(len(corners))).views
    if ((numbers < 0) | (numbers >= len(homographies))).any():
        raise InputError(f"views must be numbers from 0 to {len(homographies) - 1}, one for each homography")
    places = np.full((len(corners), 2), np.nan)
    feet = np.column_stack([(corners[:, 0] + corners[:, 2]) / 2, corners[:, 3], np.ones(len(corners))])
    for view, given in enumerate(homographies):
        if given is None:
            continue
        matrix = real_array(given, f"homography {view}")
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
            raise InputError(f"homography {view} must be (3, 3) finite numbers, got shape {matrix.shape}")
        mine = np.flatnonzero(numbers == view)
        seen = feet[mine] @ matrix.T
        # The sign of a homography is free: the floor is on the side on which most feet are.
        sign = 1.0 if 2 * (seen[:, 2] > 0).sum() >= len(mine) else -1.0
        ahead = sign * seen[:, 2] > 0
        places[mine[ahead]] = seen[ahead, :2] / seen[ahead, 2:]
    return places


def reassign(
    instants: ArrayLike,
    views: ArrayLike,
    ids: ArrayLike,
    places: ArrayLike,
    *,
    schedule: Sequence[tuple[float, float]] = SCHEDULE,
    least_views: int = 3,
    tracks: ArrayLike | None = None,
    window: int = 1,
) -> IntArray:
    """Move boxes to the id of where they stand.

    A box is away where, of at least `least_views` boxes of its id at that instant, it is farther than the distance of a
    round from every other one; and it stays out of where its id is. Boxes that share an id in an image are away, too,
    until one of them is left. Each takes the nearest id, where that is so much nearer than its own that the confidence
    1 - (distance to it) / (distance to its own) is at least that of the round, and where in its image nobody is who
    stays. Boxes that are away in one image choose together, so that two of them may change places.

    Args:
        instants: `(N,)` number of the instant of every box.
        views: `(N,)` number of its view.
        ids: `(N,)` who it is; below 0 = nobody, who stays nobody.
        places: `(N, 2)` where it stands, in body heights; NaN where that is not known. See `places_on_floor`; divide by
            the length of a body height where the unit is another one.
        schedule: (distance, confidence) of each round.
        least_views: Boxes of an id with known places at an instant from which on one of them can be away: of two,
            nobody knows which one is.
        tracks: `(N,)` what belongs together inside a view, for the window, such as what
            `selfmva.tracking.single_camera.track_views` finds; None: the ids as they came.
        window: Instants around each box over which the boxes of its track decide by majority, after each round. A
            larger one switches less, and moves less; 1: none, so that each instant stands for itself.

    Returns:
        `(N,)` int64 the ids; -1 for a box that shared its id in its image and stands at no other that is free.

    Raises:
        InputError: The columns do not fit together, or a number is out of its range.

    Example:
        >>> places = [[0, 0], [0, 0.1], [9, 0], [9, 0], [9, 0.1], [0, 0]]  # the third view swapped two people
        >>> reassign([0] * 6, [0, 1, 2, 0, 1, 2], [7, 7, 7, 8, 8, 8], places).tolist()
        [7, 7, 8, 8, 8, 7]
    """
    rows = read_rows(instants, views, ids)
    where = read_table(places, "places", len(rows.ids), 2)
    rounds = read_table(schedule, "schedule", None, 2)
    for distance, confidence in rounds.tolist():
        real(distance, "a distance of the schedule", above=0)
        real(confidence, "a confidence of the schedule", least=0, most=1)
    least_views = integer(least_views, "least_views", least=2)
    window = integer(window, "window", least=1, most=1_000_000)
    own: Any = rows.ids if tracks is None else read_rows(rows.instants, rows.views, tracks).ids

    result = np.where(rows.ids < 0, -1, rows.ids)
    order = np.lexsort((rows.ids, rows.views, rows.instants))
    bounds = np.flatnonzero(np.diff(rows.instants[order])) + 1
    for distance, confidence in rounds:
        for mine in np.split(order, bounds):
            result[mine] = _one_instant(rows.views[mine], result[mine], where[mine], distance, confidence, least_views)
        if window > 1:
            result = majority_ids(rows.instants, rows.views, result, own, window)
    return _once(Rows(rows.instants, rows.views, result), where)


def _one_instant(
    views: IntArray, ids: IntArray, places: FloatArray, distance: float, confidence: float, least_views: int
) -> IntArray:
    """The ids of one instant after one round."""
    known = np.unique(ids[ids >= 0])
    placed = np.isfinite(places).all(axis=1) & (ids >= 0)
    if len(known) < 2 or placed.sum() < least_views:
        return ids
    image = np.unique(np.stack([views, ids], axis=1), axis=0, return_inverse=True, return_counts=True)
    doubled = (image[2][image[1].ravel()] > 1) & (ids >= 0)
    away = _away(ids, places, placed & ~doubled, distance, least_views)
    moving = (away | doubled) & placed
    if not moving.any():
        return ids
    staying = placed & ~moving
    means = np.array(
        [np.median(places[own], axis=0) if (own := staying & (ids == i)).any() else [np.nan] * 2 for i in known]
    )
    result = ids.copy()
    for view in np.unique(views[moving]):
        mine = np.flatnonzero(moving & (views == view))
        off = np.hypot(*(places[mine][:, None] - means).transpose(2, 0, 1))
        own = np.hypot(*(places[mine] - means[np.searchsorted(known, ids[mine])]).T)
        # Where nobody says where one's own id is, the distance of the round is the measure.
        own = np.where(np.isnan(own), distance, own)
        stays_best = doubled[mine, None] & (known == ids[mine, None]) & (off <= distance)
        costs = np.where((off <= (1 - confidence) * own[:, None]) | stays_best, off, np.inf)
        taken = ids[(views == view) & ~moving]
        for _ in range(len(mine) + 1):
            costs[:, np.isin(known, taken)] = np.inf
            columns = solve(costs, unmatched_cost=1e6).columns[0]  # as many moves as there can be
            kept = ids[mine[(columns < 0) & ~doubled[mine]]]
            if np.isin(kept, taken).all():
                break
            taken = np.concatenate([taken, kept])  # whoever finds no other id keeps its own, and nobody else gets it
        result[mine] = np.where(columns < 0, ids[mine], known[columns])
    return result


def _away(ids: IntArray, places: FloatArray, placed: Any, distance: float, least_views: int) -> Any:
    """`(N,)` which boxes are farther than a distance from every other one of their id, unless all of them are."""
    same = (ids[:, None] == ids) & placed[:, None] & placed
    apart = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
    others = same & ~np.eye(len(ids), dtype=bool)
    alone = placed & ~(others & (apart <= distance)).any(axis=1)
    enough = same.sum(axis=1) >= least_views
    all_alone = (same & ~alone).sum(axis=1) == 0
    return alone & enough & ~all_alone


def _once(rows: Rows, places: FloatArray) -> IntArray:
    """The ids, each kept by one of the boxes that share it in an image: which one does not depend on their order."""
    order = np.lexsort((*places.T, rows.ids, rows.views, rows.instants))
    keys = np.stack(rows, axis=1)[order]
    again = (np.diff(keys, axis=0) == 0).all(axis=1)
    result = rows.ids.copy()
    result[order[1:][again]] = -1
    return result
