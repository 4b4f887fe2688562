"""Whole walks of one view, and those of two views that have one shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings

    ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class WalkSettings:
    """Which tracklets are walks, and which two have one shape."""

    least_common: int = 4  # instants that two walks must share
    long: int = 25  # common instants; more make two walks no better
    least_spread: float = 0.4  # body heights that they must stray, both
    largest_scale: float = 1.8  # between two views that both measure in body heights
    largest_residual: float = 0.45  # body heights between two walks laid on each other
    most: int = 400  # of a view, the longest first


WALKS = WalkSettings()


@dataclass(frozen=True, eq=False)
class Walks:
    """The longest walks of one view, box by box `(B,)`.

    Attributes:
        walk: Number of the walk.
        instant: Number of the instant.
        place: Complex place on the floor of the view.
        shape: Number of walks, and of instants.
    """

    walk: IntArray
    instant: IntArray
    place: ComplexArray
    shape: tuple[int, int]

    @classmethod
    def of(cls, view: Sightings) -> Self:
        """The walks of a view that has a camera."""
        tracks = view.tracks[view.usable]
        places, instants = view.places[view.usable], view.instant[view.usable]
        size = np.bincount(tracks, minlength=1)
        count = np.maximum(size, 1)
        middle = (
            np.bincount(tracks, places.real, len(size)) + 1j * np.bincount(tracks, places.imag, len(size))
        ) / count
        way = np.sqrt(2.0 * np.bincount(tracks, np.abs(places - middle[tracks]) ** 2, len(size)) / count)
        walks = np.flatnonzero((size >= WALKS.least_common) & (way > WALKS.least_spread))
        worth = np.minimum(size, 20)[walks] * np.minimum(way, 4.0)[walks]
        walks = walks[np.argsort(-worth, kind="stable")[: WALKS.most]]
        row = np.full(len(size), -1)
        row[walks] = np.arange(len(walks))
        taken = row[tracks] >= 0
        return cls(row[tracks[taken]], instants[taken], places[taken], (len(walks), len(view.starts) - 1))

    def on_a_line(self, time: IntArray, longest: int) -> Self:
        """The same over time without gaps, so that a lag is a shift; gaps longer than any lag are shortened.

        Args:
            time: `(T,)` increasing times of the instants.
            longest: Lag.
        """
        column = np.concatenate([[0], np.cumsum(np.minimum(np.diff(time), longest))])
        return replace(self, instant=column[self.instant], shape=(self.shape[0], int(column[-1]) + 1))

    def shifted(self, lag: int) -> Self:
        """The same, so many instants later, around the end."""
        return replace(self, instant=(self.instant + lag) % max(self.shape[1], 1))

    def every(self, stride: int) -> Self:
        """Every so many instants of it."""
        kept = self.instant % stride == 0
        shape = (self.shape[0], -(-self.shape[1] // stride))
        return replace(
            self, walk=self.walk[kept], instant=self.instant[kept] // stride, place=self.place[kept], shape=shape
        )

    @cached_property
    def matrices(self) -> tuple[csr_array, csr_array, csr_array]:
        """`(K, T)` where there is a box, its place, and the square of its distance from the origin."""
        ones = np.ones(len(self.walk))
        there, place, square = (
            csr_array((values, (self.walk, self.instant)), shape=self.shape)
            for values in (ones, self.place, np.abs(self.place) ** 2)
        )
        return there, place, square


@dataclass(frozen=True, eq=False)
class CommonWalks:
    """Pairs of walks of two views that have one shape, `(P,)` each, the best fits of long walks first.

    Attributes:
        i: Number of the walk of view i.
        j: Number of the walk of view j.
        common: Number of common instants.
        mean_i: Complex mean place on the floor of view i, over these instants.
        mean_j: The same of view j.
        spread_i: Mean square distance from it.
        spread_j: The same of view j.
        covariance: Complex covariance of the places; its argument is the turn from view i to view j.
    """

    i: IntArray
    j: IntArray
    common: FloatArray
    mean_i: ComplexArray
    mean_j: ComplexArray
    spread_i: FloatArray
    spread_j: FloatArray
    covariance: ComplexArray

    @property
    def turn(self) -> ComplexArray:
        """Complex turns of length 1."""
        return np.asarray(self.covariance / np.abs(self.covariance))

    @property
    def shift(self) -> ComplexArray:
        """Complex shifts in body heights: z_j = turn z_i + shift."""
        return np.asarray(self.mean_j - self.turn * self.mean_i)


def common_walks(first: Walks, second: Walks, *, most: int) -> CommonWalks:
    """Find the pairs of walks of two views that have one shape.

    All pairs at once: sums over common instants are products of sparse matrices, and the best turn of two sets of
    complex numbers is the argument of their covariance (Umeyama, PAMI 1991, in the plane).

    Args:
        first: Of view i.
        second: Of view j.
        most: Largest number of pairs.

    Returns:
        The pairs.
    """
    (there_i, place_i, square_i), (there_j, place_j, square_j) = first.matrices, second.matrices
    together = (there_i @ there_j.T).tocoo()
    enough = together.data >= WALKS.least_common
    i, j, n = together.row[enough], together.col[enough], together.data[enough]

    def mean(one: csr_array, other: csr_array) -> np.ndarray:
        # Products of matrices of the same pattern have the same pattern, in the same order, but for sums that are
        # exactly 0: SciPy leaves these out.
        sums = one @ other.T
        return np.asarray((sums.data[enough] if sums.nnz == together.nnz else sums.toarray()[i, j]) / n)

    mean_i, mean_j = mean(place_i, there_j), mean(there_i, place_j)
    spread_i = np.maximum(mean(square_i, there_j) - np.abs(mean_i) ** 2, 1e-12)
    spread_j = np.maximum(mean(there_i, square_j) - np.abs(mean_j) ** 2, 1e-12)
    covariance = mean(place_i.conj(), place_j) - np.conj(mean_i) * mean_j
    residual = np.sqrt(np.maximum(spread_j - np.abs(covariance) ** 2 / spread_i, 0.0))
    way = np.sqrt(2.0 * np.minimum(spread_i, spread_j))
    good = (way > WALKS.least_spread) & (np.abs(np.log(spread_j / spread_i)) < 2.0 * np.log(WALKS.largest_scale))
    good &= (residual < np.minimum(WALKS.largest_residual, 0.5 * np.sqrt(spread_j))) & (np.abs(covariance) > 0)
    worth = np.minimum(n, WALKS.long) * np.minimum(way, 4.0) / (0.15 + residual)
    best = np.flatnonzero(good)
    best = best[np.lexsort((j[best], i[best], -worth[best]))[:most]]
    return CommonWalks(
        i=i[best],
        j=j[best],
        common=n[best],
        mean_i=mean_i[best],
        mean_j=mean_j[best],
        spread_i=spread_i[best],
        spread_j=spread_j[best],
        covariance=covariance[best],
    )
