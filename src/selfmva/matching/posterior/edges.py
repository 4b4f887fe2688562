"""Posteriors of the pairs of boxes that may be one person, the edges, of all frames of a chunk at once.

The same marginals and the same agreement of third views as in `selfmva.matching.posterior.posterior`, for which all
pairs of boxes count; here a pair that is no edge says nothing. Edges whose own odds are small still compete, but hardly
hear what they cause: they are asked a few times, and count as a constant in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from selfmva.core.compiled import compiled
from selfmva.matching.posterior.edge_kernels import (
    SIGNATURE_OF_AGREEMENT,
    SIGNATURE_OF_MARGINALS,
    agreement_by_loops,
    marginals_by_loops,
)
from selfmva.matching.posterior.posterior import LARGEST_FUSED

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class EdgeSettings:
    """How exactly posteriors of edges are computed."""

    # Log-odds of a pair on its own that is an edge, at least. On WILDTRACK, what is left out changes posteriors by at
    # most .0013; at -7 by .005, at -6 by .01.
    least_log_odds: float = -8.0
    active: float = -3.0  # log-odds from where on an edge takes part in every round
    asked: int = 3  # times that the other edges are asked
    rounds: int = 4  # of belief propagation, each time
    least_posterior: float = 0.003  # of a third box's partner that is heard
    dense_boxes: int = 640  # of a frame, up to where a dense product is faster than a sparse one
    cells_at_once: int = 2**17  # of arrays by edge and view: 1 MB


EDGES = EdgeSettings()


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs of boxes of two views of one frame, of all frames of a chunk.

    Attributes:
        first: `(E,)` int64 rows of boxes, increasing.
        second: `(E,)` int64 rows of boxes of later views of the same frames, increasing where the first is the same.
        count: `(F, V)` number of boxes: rows are counted frame after frame and view after view.
    """

    first: IntArray
    second: IntArray
    count: IntArray

    @property
    def views(self) -> int:
        """Number of views."""
        return int(self.count.shape[1])

    @cached_property
    def ends(self) -> IntArray:
        """`(F + 1,)` where the boxes of each frame begin, and where the last end."""
        return np.concatenate([[0], np.cumsum(self.count.sum(axis=1))])

    @cached_property
    def frame(self) -> IntArray:
        """`(M,)` number of the frame of each box."""
        return np.repeat(np.arange(len(self.count)), self.count.sum(axis=1))

    @cached_property
    def view(self) -> IntArray:
        """`(M,)` number of the view of each box."""
        return np.repeat(np.tile(np.arange(self.views), len(self.count)), self.count.ravel())

    @cached_property
    def sides(self) -> tuple[IntArray, IntArray]:
        """`(E,)` twice: number of the first box and the second's view; of the second box and the first's view."""
        return (
            self.first * self.views + self.view[self.second],
            self.second * self.views + self.view[self.first],
        )

    @cached_property
    def rivals(self) -> tuple[IntArray, IntArray]:
        """`(E,)` twice: which edges compete for the first box, and which for the second; numbers have no gaps."""
        return _without_gaps(self.sides[0], len(self.view) * self.views), _without_gaps(
            self.sides[1], len(self.view) * self.views
        )


def _without_gaps(numbers: IntArray, end: int) -> IntArray:
    used = np.zeros(end, dtype=np.int64)
    used[numbers] = 1
    return np.asarray((np.cumsum(used) - 1)[numbers])


def posteriors_of_edges(log_odds: FloatArray, edges: Edges) -> FloatArray:
    """Posterior of every edge.

    Args:
        log_odds: `(E,)` of each edge on its own.
        edges: The edges.

    Returns:
        `(E,)` in [0, 1]; see `selfmva.matching.posterior.posterior.agree`.

    Example:
        >>> one = Edges(np.array([0]), np.array([1]), np.array([[1, 1]]))
        >>> posteriors_of_edges(np.array([0.0]), one).tolist()
        [0.5]
        >>> three = Edges(np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([[1, 1, 1]]))
        >>> bool(posteriors_of_edges(np.array([4.0, 4.0, 0.0]), three)[2] > 0.5)
        True
    """
    if not len(log_odds):
        return np.zeros(0)
    posterior = marginals_of_edges(log_odds, edges)
    if edges.views < 3:
        return posterior
    changed = np.minimum(log_odds + agreement_of_edges(posterior, edges), LARGEST_FUSED)
    return marginals_of_edges(changed, edges)


def marginals_of_edges(log_odds: FloatArray, edges: Edges) -> FloatArray:
    """`(E,)` matching marginals: each box has at most one partner in each other view.

    See `selfmva.matching.posterior.marginals`, of which this is the belief propagation, for edges alone.
    """
    kernel = compiled(marginals_by_loops, SIGNATURE_OF_MARGINALS)
    first, second = edges.rivals
    if kernel is None:
        return _marginals_by_arrays(np.exp(log_odds), log_odds > EDGES.active, first, second)
    result: FloatArray = kernel(np.exp(log_odds), log_odds > EDGES.active, first, second, EDGES.asked, EDGES.rounds)
    return result


def _marginals_by_arrays(odds: FloatArray, active: Any, first: IntArray, second: IntArray) -> FloatArray:
    sizes = int(first.max()) + 1, int(second.max()) + 1
    loud, quiet = odds[active], odds[~active]
    loud_first, loud_second, quiet_first, quiet_second = first[active], second[active], first[~active], second[~active]
    # What a box's other edges say that it is taken by; the quiet ones for a while the same.
    rest_first = 1.0 + np.bincount(quiet_first, quiet, sizes[0])
    rest_second = 1.0 + np.bincount(quiet_second, quiet, sizes[1])
    free_first, free_second = np.ones(len(loud)), np.ones(len(loud))
    quiet_free_first, quiet_free_second = np.ones(len(quiet)), np.ones(len(quiet))
    for _ in range(EDGES.asked):
        for _ in range(EDGES.rounds):
            sent = loud * free_second
            free_first = 1.0 / ((rest_first + np.bincount(loud_first, sent, sizes[0]))[loud_first] - sent)
            sent = loud * free_first
            free_second = 1.0 / ((rest_second + np.bincount(loud_second, sent, sizes[1]))[loud_second] - sent)
        if not len(quiet):
            continue
        taken_first = rest_first + np.bincount(loud_first, loud * free_second, sizes[0])
        taken_second = rest_second + np.bincount(loud_second, loud * free_first, sizes[1])
        quiet_free_first, quiet_free_second = (
            1.0 / (taken_first[quiet_first] - quiet * quiet_free_second),
            1.0 / (taken_second[quiet_second] - quiet * quiet_free_first),
        )
        rest_first = 1.0 + np.bincount(quiet_first, quiet * quiet_free_second, sizes[0])
        rest_second = 1.0 + np.bincount(quiet_second, quiet * quiet_free_first, sizes[1])
    joint = odds.copy()
    joint[active] *= free_first * free_second
    joint[~active] *= quiet_free_first * quiet_free_second
    return np.asarray(joint / (1.0 + joint))


def agreement_of_edges(posterior: FloatArray, edges: Edges) -> FloatArray:
    """`(E,)` what third views add to the log-odds: 2 sum_c P_ac P_cb - sum_k p_ak p_bk, see `agree`.

    p_ak is the probability that box a has a partner in view k. Partners of less than `EDGES.least_posterior` are not
    heard where they speak for an edge.
    """
    kernel = compiled(agreement_by_loops, SIGNATURE_OF_AGREEMENT)
    if kernel is None:
        return _agreement_by_arrays(posterior, edges)
    first, second = map(np.ascontiguousarray, (edges.first, edges.second))
    result: FloatArray = kernel(posterior, first, second, edges.view, edges.views, EDGES.least_posterior)
    return result


def _agreement_by_arrays(posterior: FloatArray, edges: Edges) -> FloatArray:
    result = -_common_partners(posterior, edges)
    heard = posterior > EDGES.least_posterior
    bounds = np.searchsorted(edges.first, edges.ends).tolist()
    for frame, start in enumerate(edges.ends[:-1].tolist()):
        size = int(edges.ends[frame + 1]) - start
        part = slice(bounds[frame], bounds[frame + 1])
        first, second, strong = edges.first[part] - start, edges.second[part] - start, heard[part]
        one, other, weight = first[strong], second[strong], posterior[part][strong]
        if size <= EDGES.dense_boxes:
            matrix = np.zeros((size, size), dtype=np.float32)
            matrix[one, other] = matrix[other, one] = weight
            result[part] += 2.0 * (matrix @ matrix)[first, second]
        else:
            both = np.concatenate([one, other]), np.concatenate([other, one])
            sparse = csr_array((np.concatenate([weight, weight]), both), shape=(size, size))
            result[part] += 2.0 * np.asarray((sparse[first] * sparse[second]).sum(axis=1)).ravel()
    return result


def _common_partners(posterior: FloatArray, edges: Edges) -> FloatArray:
    """`(E,)` probable number of views in which both boxes of an edge have partners."""
    size = len(edges.view) * edges.views
    partner = np.bincount(edges.sides[0], posterior, size) + np.bincount(edges.sides[1], posterior, size)
    partner = partner.reshape(-1, edges.views)
    result = np.empty(len(posterior))
    step = max(EDGES.cells_at_once // edges.views, 1)
    for start in range(0, len(result), step):
        part = slice(start, start + step)
        result[part] = np.einsum("ev,ev->e", partner[edges.first[part]], partner[edges.second[part]])
    return result
