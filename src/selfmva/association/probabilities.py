"""Probabilities of all pairs of boxes of one instant, kept as those that are not 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.view_pairs import ViewPair, view_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selfmva.core.types import FloatArray, IntArray


class EdgeProbabilities(Mapping[ViewPair, "FloatArray"]):
    """`(N_i, N_j)` for every pair of views i < j, made when it is first asked for.

    Args:
        first: `(E,)` rows of boxes, increasing, counted view after view.
        second: `(E,)` rows of boxes of later views.
        probabilities: `(E,)`; all other pairs have 0.
        counts: Number of boxes of each view.

    Example:
        >>> found = EdgeProbabilities(np.array([0, 1]), np.array([3, 2]), np.array([0.75, 0.5]), (2, 2))
        >>> found[0, 1].tolist(), len(found)
        ([[0.0, 0.75], [0.5, 0.0]], 1)
    """

    def __init__(self, first: IntArray, second: IntArray, probabilities: FloatArray, counts: Sequence[int]) -> None:
        self.first: IntArray = first
        self.second: IntArray = second
        self.probabilities: FloatArray = probabilities
        self.counts: tuple[int, ...] = tuple(counts)
        self._blocks: dict[ViewPair, FloatArray] = {}

    def __getitem__(self, pair: ViewPair) -> FloatArray:
        if pair not in self._blocks:
            if pair not in self:
                raise KeyError(pair)
            i, j = pair
            start = np.cumsum([0, *self.counts])
            begin, end = np.searchsorted(self.first, start[[i, i + 1]])
            first, second = self.first[begin:end] - start[i], self.second[begin:end] - start[j]
            inside = (second >= 0) & (second < self.counts[j])
            block = np.zeros((self.counts[i], self.counts[j]))
            block[first[inside], second[inside]] = self.probabilities[begin:end][inside]
            self._blocks[pair] = block
        return self._blocks[pair]

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and len(pair) == 2 and 0 <= pair[0] < pair[1] < len(self.counts)

    def __iter__(self) -> Iterator[ViewPair]:
        return iter(view_pairs(len(self.counts)))

    def __len__(self) -> int:
        return len(self.counts) * (len(self.counts) - 1) // 2
