"""The best groups of a small frame, by integer programming."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from selfmva.errors import InputError

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

MOST_BOXES = 40  # that are linked to each other: the constraints grow with the cube


def solve_exactly(log_odds: FloatArray, view: IntArray) -> IntArray:
    """Maximise the summed log-odds inside groups, one box of a view at most; the proven optimum.

    Clique partitioning: a variable for every pair of boxes of different views; and where two pairs of three boxes are
    joined, the third is too (Groetschel and Wakabayashi, Mathematical Programming 45, 1989). Boxes that no chain of
    positive links connects are solved apart, for joining them gains nothing.

    Args:
        log_odds: `(M, M)` symmetric and finite; above 0 speaks for one person.
        view: `(M,)` the view of each box.

    Returns:
        `(M,)` int64 group of each box.

    Raises:
        InputError: More than 40 boxes hang together by positive links.

    Example:
        >>> odds = np.array([[0, 3, 2.0], [3, 0, -1], [2, -1, 0]])
        >>> solve_exactly(odds, np.array([0, 1, 2]))
        array([0, 0, 0])
    """
    apart = view[:, None] != view
    _, part = connected_components(coo_array((log_odds > 0) & apart), directed=False)
    groups = np.arange(len(view))
    for number in range(part.max(initial=-1) + 1):
        boxes = np.flatnonzero(part == number)
        if len(boxes) > MOST_BOXES:
            raise InputError(
                f"the exact solver takes at most {MOST_BOXES} boxes that hang together, got {len(boxes)}: "
                "use solver='search'"
            )
        if len(boxes) > 1:
            groups[boxes] = boxes[_solve_part(log_odds[np.ix_(boxes, boxes)], view[boxes])]
    return groups


def _solve_part(log_odds: FloatArray, view: IntArray) -> IntArray:
    """For each box, the first box of its group."""
    size = len(view)
    one, other = np.nonzero(np.triu(view[:, None] != view, 1))
    variable = np.full((size, size), -1, dtype=np.int32)  # 32 bits: SciPy before 1.15 hands no other index to HiGHS
    variable[one, other] = variable[other, one] = np.arange(len(one))
    triples = np.array(list(combinations(range(size), 3)), dtype=np.int64).reshape(-1, 3)
    sides = variable[triples[:, [0, 1, 0]], triples[:, [1, 2, 2]]]
    rules = np.concatenate([np.roll(sides, turn, axis=1) for turn in range(3)])
    rules = rules[(rules[:, :2] >= 0).all(axis=1)]  # joined + joined - third <= 1; boxes of one view are never joined
    rule = np.repeat(np.arange(len(rules), dtype=np.int32), 3)
    values = np.tile([1.0, 1.0, -1.0], len(rules))
    there = rules.ravel() >= 0
    matrix = coo_array((values[there], (rule[there], rules.ravel()[there])), shape=(len(rules), len(one))).tocsr()
    found = milp(
        -log_odds[one, other],
        integrality=np.ones(len(one), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, -np.inf, 1.0) if len(rules) else (),
    )
    joined = np.asarray(found.x) > 0.5
    links = coo_array((np.ones(joined.sum()), (one[joined], other[joined])), shape=(size, size))
    _, label = connected_components(links, directed=False)
    return np.asarray(np.unique(label, return_index=True)[1][label], dtype=np.int64)
