"""Agglomerative clustering in which some pairs may never come together, and how many clusters there are.

SciPy's and scikit-learn's know no such pairs. Without any, the result is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

Linkage = Literal["ward", "average", "complete"]

# Rousseeuw's silhouette below which there is "no substantial structure" (Kaufman and Rousseeuw, Finding Groups in Data,
# 1990, table 4 of chapter 2): all are one cluster, where nothing forbids that.
LEAST_SILHOUETTE = 0.25


@dataclass(frozen=True, eq=False)
class Merges:
    """A hierarchy from N single points upward.

    Attributes:
        pairs: `(K, 2)` int64 points that stand for the two clusters that come together, in this order.
        heights: `(K,)` distance of the two; those of SciPy's `linkage`.
        count: N.
    """

    pairs: IntArray
    heights: FloatArray
    count: int

    def labels(self, clusters: int) -> IntArray:
        """`(N,)` int64 cluster of every point where so many are left, numbered by their first points."""
        root = np.arange(self.count)
        for kept, gone in self.pairs[: max(self.count - clusters, 0)]:
            root[root == gone] = kept
        first = np.unique(root, return_index=True, return_inverse=True)
        return np.asarray(np.argsort(np.argsort(first[1]))[first[2]])


def merge_clusters(distances: FloatArray, apart: NDArray[np.bool_], linkage: Linkage) -> Merges:
    """Bring the two nearest clusters together that hold no forbidden pair, again and again, until none are left.

    Args:
        distances: `(N, N)` Euclidean, symmetric.
        apart: `(N, N)` which pairs may never be in one cluster, symmetric.
        linkage: What the distance of two clusters is, by the recurrence of Lance and Williams.

    Example:
        >>> x = np.array([0.0, 1.0, 5.0])
        >>> apart = np.array([[False, True, False], [True, False, False], [False, False, False]])
        >>> merge_clusters(np.abs(x[:, None] - x), apart, "average").pairs.tolist()
        [[1, 2]]
    """
    N = len(distances)
    power = 2 if linkage == "ward" else 1
    far = distances.astype(np.float64) ** power
    blocked = apart | np.eye(N, dtype=bool)
    far[blocked] = np.inf
    real = distances.astype(np.float64) ** power  # also of blocked pairs: what is merged stays exact
    size = np.ones(N)
    nearest = far.argmin(axis=1) if N else np.zeros(0, dtype=np.int64)
    least = far[np.arange(N), nearest] if N else np.zeros(0)
    pairs, heights = [], []
    for _ in range(N - 1):
        one = int(least.argmin())
        if not np.isfinite(least[one]):
            break
        other = int(nearest[one])
        one, other = min(one, other), max(one, other)
        height = real[one, other]
        pairs.append((one, other))
        heights.append(height ** (1 / power))
        if linkage == "ward":
            total = size[one] + size[other] + size
            new = ((size[one] + size) * real[one] + (size[other] + size) * real[other] - size * height) / total
        elif linkage == "average":
            new = (size[one] * real[one] + size[other] * real[other]) / (size[one] + size[other])
        else:
            new = np.maximum(real[one], real[other])
        blocked[one] |= blocked[other]
        blocked[:, one] = blocked[one]
        blocked[other], blocked[:, other] = True, True
        size[one] += size[other]
        real[one], real[:, one] = new, new
        far[one] = np.where(blocked[one], np.inf, new)
        far[:, one] = far[one]
        far[other], far[:, other] = np.inf, np.inf
        stale = np.flatnonzero((nearest == one) | (nearest == other))
        nearest[stale] = far[stale].argmin(axis=1)
        least[stale] = far[stale, nearest[stale]]
        nearest[one] = far[one].argmin()
        least[one] = far[one, nearest[one]]
        closer = far[:, one] < least
        nearest[closer], least[closer] = one, far[closer, one]
    return Merges(np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(heights), N)


def choose_count(merges: Merges, distances: FloatArray) -> int:
    """How many clusters there are: where the mean silhouette is the largest; one where it says that there are none.

    Args:
        merges: From `merge_clusters`.
        distances: `(N, N)` as there.
    """
    N = merges.count
    fewest = N - len(merges.pairs)
    best, chosen = -np.inf, max(fewest, 1)
    for clusters in range(max(fewest, 2), max(N // 2, fewest, 2) + 1):
        if clusters >= N:
            break
        value = silhouette(distances, merges.labels(clusters))
        if value > best:
            best, chosen = value, clusters
    return 1 if fewest <= 1 and best < LEAST_SILHOUETTE else chosen


def silhouette(distances: FloatArray, labels: IntArray) -> float:
    """The mean silhouette of points; that of a point alone in its cluster is 0.

    Example:
        >>> x = np.array([0.0, 1.0, 9.0, 10.0])
        >>> round(silhouette(np.abs(x[:, None] - x), np.array([0, 0, 1, 1])), 3)
        0.889
    """
    members = (labels[:, None] == np.unique(labels)).astype(np.float64)
    counts = members.sum(axis=0)
    sums = distances @ members
    own = members.astype(bool)
    size = counts[own.argmax(axis=1)]
    inside = sums[own] / np.maximum(size - 1, 1)
    outside = np.where(own, np.inf, sums / counts).min(axis=1)
    larger = np.maximum(inside, outside)
    values = np.where((size > 1) & (larger > 0), (outside - inside) / np.where(larger > 0, larger, 1.0), 0.0)
    return float(values.mean())
