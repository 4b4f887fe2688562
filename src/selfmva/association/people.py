"""The people of one instant: in which boxes they are, and where on the floor they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.standing import read_standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, Frame, IntArray
    from selfmva.geometry.floor import Floor


def group_boxes(ids: Sequence[IntArray]) -> list[dict[int, int]]:
    """The people, in the order of their ids, as `{view: box}`; ids below 0 are nobody.

    Example:
        >>> group_boxes([np.array([7, 3]), np.array([3, -1])])
        [{0: 1, 1: 0}, {0: 0}]
    """
    people: dict[int, dict[int, int]] = {}
    for view, numbers in enumerate(ids):
        for box, identity in enumerate(numbers.tolist()):
            if identity >= 0:
                people.setdefault(identity, {})[view] = box
    return [people[identity] for identity in sorted(people)]


def places_of_groups(floor: Floor | None, frame: Frame, ids: Sequence[IntArray]) -> FloatArray:
    """Where on a floor the people of one instant stand, in the order of `group_boxes`.

    Returns:
        `(G, 2)` float64 in the unit of the floor; NaN where nothing tells.
    """
    who = np.concatenate([np.zeros(0, np.int64), *ids])
    known = who >= 0
    people, person = np.unique(who[known], return_inverse=True)
    return places_of_people(floor, [frame], np.flatnonzero(known), person.reshape(-1), len(people))


def places_of_people(
    floor: Floor | None, frames: Sequence[Frame], rows: IntArray, person: IntArray, people: int
) -> FloatArray:
    """Where on a floor people stand: all boxes of one, weighed by how well each tells the place.

    Args:
        floor: The common floor; None where there is none.
        frames: Boxes, with keypoints or without.
        rows: `(M,)` some of the boxes, counted frame after frame and view after view.
        person: `(M,)` number from 0 of who is in it; at another instant, somebody else.
        people: G, how many there are.

    Returns:
        `(G, 2)` float64 in the unit of the floor; NaN for whom only views off the floor see, or where there is none.
    """
    result = np.full((people, 2), np.nan)
    if floor is None or not len(rows):
        return result
    places, weights = read_standing(floor, frames, rows).estimates()
    total, weighted = np.zeros((people, 2, 2)), np.zeros((people, 2))
    np.add.at(total, person, weights)
    np.add.at(weighted, person, (weights @ places[:, :, None])[..., 0])
    told = np.linalg.det(total) > 0
    result[told] = np.linalg.solve(total[told], weighted[told][..., None])[..., 0]
    return floor.unit * result
