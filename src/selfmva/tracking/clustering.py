"""Joining what belongs together by what speaks for and against each pair."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from selfmva.core.types import FloatArray, IntArray


def join_greedily(
    count: int, first: IntArray, second: IntArray, weight: FloatArray, apart: tuple[IntArray, IntArray]
) -> IntArray:
    """Join nodes, the pair of clusters of the largest summed weight first, as long as it is above 0.

    The greedy additive edge contraction of Keuper et al., "Efficient Decomposition of Image and Mesh Graphs by Lifted
    Multicuts", ICCV 2015 (https://arxiv.org/abs/1505.06973), with pairs that never come together.

    Args:
        count: Number of nodes N.
        first: `(E,)` nodes.
        second: `(E,)` others; each pair once.
        weight: `(E,)` what speaks for the pair, negative against it.
        apart: `(A,)` twice, pairs of nodes that are never joined.

    Returns:
        `(N,)` int64 cluster of each node, numbered from 0 by first appearance.

    Example:
        >>> none = np.zeros(0, np.int64)
        >>> first, second, weight = np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([3.0, 2, -9])
        >>> join_greedily(3, first, second, weight, (none, none)).tolist()
        [0, 0, 1]
        >>> join_greedily(3, first, second, weight, (np.array([0]), np.array([1]))).tolist()
        [0, 1, 1]
    """
    clusters = _Clusters(count, zip(first.tolist(), second.tolist(), weight.tolist(), strict=True))
    for one, other in zip(apart[0].tolist(), apart[1].tolist(), strict=True):
        clusters.forbid(one, other)
    while clusters.heap:
        value, one, other = heapq.heappop(clusters.heap)
        if clusters.weights[one].get(other) == -value and other not in clusters.forbidden[one]:
            clusters.join(one, other)
    parent = np.array(clusters.parent, dtype=np.int64)
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    cluster = np.unique(parent, return_inverse=True)[1].reshape(-1)
    return np.asarray(np.argsort(np.argsort(_first_of(cluster, int(cluster.max(initial=-1)) + 1)))[cluster])


class _Clusters:
    """Clusters by one of their nodes, and what speaks for pairs of them; entries of the heap may be out of date."""

    def __init__(self, count: int, edges: Iterable[tuple[int, int, float]]) -> None:
        self.weights: list[dict[int, float]] = [{} for _ in range(count)]
        self.forbidden: list[set[int]] = [set() for _ in range(count)]
        self.parent: list[int] = list(range(count))
        self.heap: list[tuple[float, int, int]] = []
        for one, other, value in edges:
            self._weigh(one, other, value)

    def forbid(self, one: int, other: int) -> None:
        """Two clusters are never joined."""
        self.forbidden[one].add(other)
        self.forbidden[other].add(one)

    def join(self, one: int, other: int) -> None:
        """Make one cluster of two."""
        if len(self.weights[one]) < len(self.weights[other]):
            one, other = other, one
        self.parent[other] = one
        for node, more in self.weights[other].items():
            del self.weights[node][other]
            if node != one:
                self._weigh(one, node, self.weights[one].get(node, 0.0) + more)
        for node in self.forbidden[other]:
            self.forbidden[node].discard(other)
            self.forbid(node, one)
        self.weights[other], self.forbidden[other] = {}, set()

    def _weigh(self, one: int, other: int, value: float) -> None:
        self.weights[one][other] = self.weights[other][one] = value
        if value > 0:
            heapq.heappush(self.heap, (-value, min(one, other), max(one, other)))


def _first_of(cluster: IntArray, clusters: int) -> IntArray:
    """`(C,)` first node of each cluster."""
    first = np.full(clusters, len(cluster))
    np.minimum.at(first, cluster, np.arange(len(cluster)))
    return first
