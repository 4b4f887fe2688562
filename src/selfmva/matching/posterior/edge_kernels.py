"""What `selfmva.matching.posterior.edges` computes by arrays, as loops for numba: see `selfmva.core.compiled`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

SIGNATURE_OF_MARGINALS = "f8[::1](f8[::1], b1[::1], i8[::1], i8[::1], i8, i8)"
SIGNATURE_OF_AGREEMENT = "f8[::1](f8[::1], i8[::1], i8[::1], i8[::1], i8, f8)"


def marginals_by_loops(  # noqa: C901  # one loop after the other
    odds: FloatArray, active: Any, first: IntArray, second: IntArray, asked: int, rounds: int
) -> FloatArray:
    """Matching marginals of edges.

    Args:
        odds: `(E,)`.
        active: `(E,)` which edges take part in every round.
        first: `(E,)` which edges compete for the first box.
        second: `(E,)` which edges compete for the second box.
        asked: How often the other edges take part.
        rounds: Rounds each time.

    Returns:
        `(E,)` in [0, 1].
    """
    edges = len(odds)
    loud, quiet = np.flatnonzero(active), np.flatnonzero(~active)
    free_first, free_second = np.ones(edges), np.ones(edges)
    rest_first, rest_second = np.ones(first.max() + 1), np.ones(second.max() + 1)
    for e in quiet:
        rest_first[first[e]] += odds[e]
        rest_second[second[e]] += odds[e]
    taken_first, taken_second = rest_first.copy(), rest_second.copy()
    for _ in range(asked):
        for _ in range(rounds):
            taken_first[:] = rest_first
            for e in loud:
                taken_first[first[e]] += odds[e] * free_second[e]
            for e in loud:
                free_first[e] = 1.0 / (taken_first[first[e]] - odds[e] * free_second[e])
            taken_second[:] = rest_second
            for e in loud:
                taken_second[second[e]] += odds[e] * free_first[e]
            for e in loud:
                free_second[e] = 1.0 / (taken_second[second[e]] - odds[e] * free_first[e])
        taken_first[:] = rest_first
        for e in loud:
            taken_first[first[e]] += odds[e] * free_second[e]
        for e in quiet:
            before = free_first[e]
            free_first[e] = 1.0 / (taken_first[first[e]] - odds[e] * free_second[e])
            free_second[e] = 1.0 / (taken_second[second[e]] - odds[e] * before)
        rest_first[:] = 1.0
        rest_second[:] = 1.0
        for e in quiet:
            rest_first[first[e]] += odds[e] * free_second[e]
            rest_second[second[e]] += odds[e] * free_first[e]
    result = np.empty(edges)
    for k in range(edges):
        joint = odds[k] * free_first[k] * free_second[k]
        result[k] = joint / (1.0 + joint)
    return result


def agreement_by_loops(  # noqa: C901, PLR0912  # one loop after the other
    posterior: FloatArray, first: IntArray, second: IntArray, view: IntArray, views: int, least: float
) -> FloatArray:
    """What third views add to the log-odds of edges.

    Args:
        posterior: `(E,)`.
        first: `(E,)` rows of boxes, increasing.
        second: `(E,)` rows of boxes.
        view: `(M,)` the view of each box.
        views: Number of views.
        least: Posterior of a third box's partner that is heard.

    Returns:
        `(E,)`.
    """
    boxes = len(view)
    partner = np.zeros((boxes, views))
    begin = np.zeros(boxes + 1, dtype=np.int64)  # where the partners of each box begin that are heard
    for e in range(len(posterior)):
        a, b = first[e], second[e]
        partner[a, view[b]] += posterior[e]
        partner[b, view[a]] += posterior[e]
        if posterior[e] > least:
            begin[a + 1] += 1
            begin[b + 1] += 1
    for a in range(boxes):
        begin[a + 1] += begin[a]
    place = begin.copy()
    other, weight = np.empty(begin[boxes], dtype=np.int64), np.empty(begin[boxes])
    for e in range(len(posterior)):
        if posterior[e] > least:
            for a, b in ((first[e], second[e]), (second[e], first[e])):
                other[place[a]], weight[place[a]] = b, posterior[e]
                place[a] += 1
    result = np.empty(len(posterior))
    own = np.zeros(boxes)  # posteriors of the partners of the box that the last edge began with
    last = -1
    for e in range(len(posterior)):
        a, b = first[e], second[e]
        if a != last:
            if last >= 0:
                for k in range(begin[last], begin[last + 1]):
                    own[other[k]] = 0.0
            for k in range(begin[a], begin[a + 1]):
                own[other[k]] = weight[k]
            last = a
        total = 0.0
        for k in range(begin[b], begin[b + 1]):
            total += 2.0 * own[other[k]] * weight[k]
        for v in range(views):
            total -= partner[a, v] * partner[b, v]
        result[e] = total
    return result
