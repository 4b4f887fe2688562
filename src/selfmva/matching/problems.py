"""Batches of assignment problems of many sizes, and whether they can be solved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

# lap 0.5 takes a million for infinity and is silently wrong beyond; sums of a few costs must stay below.
LARGEST_PLAIN = 1e5


@dataclass(frozen=True, eq=False)
class Problems:
    """A padded batch of problems, or some of it; what lies beyond the sizes is never read.

    Attributes:
        costs: `(B, N, M)` of the whole batch; `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem; None: N.
        columns: `(B,)` number of columns; None: M.
        unmatched_cost: What a row pays for staying alone; None: as many pairs as the shorter side has.
        threads: What a solver may use that can use more than one.
        number: `(P,)` of the batch, the problems that are meant; None: all.
    """

    costs: FloatArray
    rows: IntArray | None = None
    columns: IntArray | None = None
    unmatched_cost: float | None = None
    threads: int = 1
    number: IntArray | None = None

    def __len__(self) -> int:
        return len(self.costs if self.number is None else self.number)

    def numbers(self, part: IntArray | NDArray[np.bool_] | slice = slice(None)) -> IntArray:
        """Numbers in the batch of some of the problems, by position or by mask."""
        return (np.arange(len(self.costs)) if self.number is None else self.number)[part]

    def take(self, part: IntArray | NDArray[np.bool_]) -> Problems:
        """Some of the problems, by position or by mask."""
        return replace(self, number=self.numbers(part))

    def nothing(self) -> IntArray:
        """`(P, N)` of -1: nobody has a column."""
        return np.full((len(self), self.costs.shape[1]), -1, dtype=np.int64)

    @cached_property
    def shapes(self) -> tuple[list[tuple[int, int]], IntArray]:
        """Every number of rows and columns that occurs, and `(P,)` which of them each problem has."""
        _, most_rows, most_columns = self.costs.shape
        if self.rows is None and self.columns is None:  # mostly, and much faster
            return [(most_rows, most_columns)], np.zeros(len(self), dtype=np.int64)
        rows = most_rows if self.rows is None else self.rows
        columns = most_columns if self.columns is None else self.columns
        key = (rows * (most_columns + 1) + columns)[self.numbers()]
        shapes, shape_of = np.unique(key, return_inverse=True)
        return [divmod(shape, most_columns + 1) for shape in shapes.tolist()], shape_of

    @property
    def whole(self) -> bool:
        """Whether these are all problems of the batch, and without padding: then `costs` is they."""
        return self.number is None and self.shapes[0] == [self.costs.shape[1:]]

    def blocks(self) -> Iterator[FloatArray]:
        """The problems one by one, without their padding, and capped as by `of_each_shape`."""
        shapes, shape_of = self.shapes
        blocks = iter(self.costs) if self.number is None else map(self.costs.__getitem__, self.number.tolist())
        if not self.whole:
            sizes = map(shapes.__getitem__, shape_of.tolist())
            blocks = (block[:n, :m] for block, (n, m) in zip(blocks, sizes, strict=True))
        if self.unmatched_cost is not None:
            blocks = map(partial(np.minimum, self.unmatched_cost), blocks)
        return blocks

    def of_each_shape(self, capped: bool = True) -> Iterator[tuple[IntArray, FloatArray]]:
        """For every shape that occurs, the positions of its problems, and the problems without their padding.

        Where capped, no pair costs more than staying alone, for solvers that leave nobody alone. With at most as many
        rows as columns there is always a free column for a row that stays alone, so dropping capped pairs afterwards
        is exact; with more rows, the rest is alone anyway.
        """
        shapes, shape_of = self.shapes
        parts = [np.arange(len(self))]
        if len(shapes) != 1:
            ends = np.cumsum(np.bincount(shape_of, minlength=len(shapes)))
            parts = np.split(np.argsort(shape_of, kind="stable"), ends)[:-1]
        for (n, m), positions in zip(shapes, parts, strict=True):
            blocks = self.costs if self.whole else self.costs[self.numbers(positions), :n, :m]
            if capped and self.unmatched_cost is not None:
                blocks = np.minimum(blocks, self.unmatched_cost)
            yield positions, blocks

    def check(self) -> NDArray[np.bool_] | None:
        """Whether all costs of a problem that can matter are below LARGEST_PLAIN, up or down.

        Returns:
            `(P,)`, or None if so of all problems.

        Raises:
            InputError: NaN or -inf inside a problem of the batch; lap would answer all the same.
        """
        # The sum of squares bounds all costs in one pass; NaN fails every comparison.
        flat = self.costs.ravel()
        if flat.dot(flat) < LARGEST_PLAIN**2 or (flat.min() > -LARGEST_PLAIN and flat.max() < LARGEST_PLAIN):
            return None
        inside = np.ones(self.costs.shape, dtype=bool)
        for axis, size in ((1, self.rows), (2, self.columns)):
            if size is not None:
                inside &= np.expand_dims(np.arange(self.costs.shape[axis]) < size[:, None], 3 - axis)
        bad = (np.isnan(self.costs) | (self.costs == -np.inf)) & inside
        if bad.any():
            problem, row, column = np.argwhere(bad)[0].tolist()
            raise not_a_cost(problem, row, column, float(self.costs[problem, row, column]))
        that_matter = self.costs if self.unmatched_cost is None else np.minimum(self.costs, self.unmatched_cost)
        huge = (np.abs(that_matter) >= LARGEST_PLAIN) & inside
        return np.asarray(~huge.any(axis=(1, 2)))[self.numbers()]


def not_a_cost(problem: int, row: int, column: int, value: float) -> InputError:
    """The error for a value that no solver can take."""
    return InputError(
        f"problem {problem}, row {row}, column {column}: cost {value} is not a number that can be compared; "
        "use +inf to forbid a pair"
    )


def no_solution(problem: int) -> InputError:
    """The error for a problem that has no finite solution."""
    return InputError(
        f"problem {problem}: no assignment avoids the forbidden (+inf) pairs; give an unmatched_cost so that a row may "
        "stay alone"
    )
