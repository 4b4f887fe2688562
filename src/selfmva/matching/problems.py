"""Batches of assignment problems of many sizes, and whether they can be solved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from selfmva.types import FloatArray, IntArray

# lap 0.5 takes a million for infinity and is silently wrong beyond; sums of a few costs must stay below.
LARGEST_PLAIN = 1e5


@dataclass(frozen=True, eq=False)
class Problems:
    """A padded batch of problems; what lies beyond the sizes is never read.

    Attributes:
        costs: `(B, N, M)`; `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem; None: N.
        columns: `(B,)` number of columns; None: M.
        number: `(B,)` what an error calls a problem.
        unmatched_cost: What a row pays for staying alone; None: as many pairs as the shorter side has.
        threads: What a solver may use that can use more than one.
    """

    costs: FloatArray
    rows: IntArray | None
    columns: IntArray | None
    number: IntArray
    unmatched_cost: float | None = None
    threads: int = 1

    def __len__(self) -> int:
        return len(self.costs)

    def take(self, part: IntArray | NDArray[np.bool_]) -> Problems:
        """Some of the problems, by number or by mask."""
        arrays = {name: getattr(self, name) for name in ("costs", "rows", "columns", "number")}
        return replace(self, **{name: array[part] for name, array in arrays.items() if array is not None})

    def capped(self) -> Problems:
        """For solvers that leave nobody alone: no pair costs more than that.

        With at most as many rows as columns there is always a free column for a row that stays alone, so dropping
        capped pairs afterwards is exact; with more rows, the rest is alone anyway.
        """
        if self.unmatched_cost is None:
            return self
        return replace(self, costs=np.minimum(self.costs, self.unmatched_cost))

    def nothing(self) -> IntArray:
        """`(B, N)` of -1: nobody has a column."""
        return np.full(self.costs.shape[:2], -1, dtype=np.int64)

    def blocks(self) -> Iterator[FloatArray]:
        """The problems without their padding."""
        shapes, shape_of = self.shapes
        if shapes == [self.costs.shape[1:]]:
            return iter(self.costs)
        sizes = map(shapes.__getitem__, shape_of.tolist())
        return (matrix[:n, :m] for matrix, (n, m) in zip(self.costs, sizes, strict=True))

    @cached_property
    def shapes(self) -> tuple[list[tuple[int, int]], IntArray]:
        """Every number of rows and columns that occurs, and `(B,)` which of them each problem has."""
        count, most_rows, most_columns = self.costs.shape
        if self.rows is None and self.columns is None:  # mostly, and much faster
            return [(most_rows, most_columns)], np.zeros(count, dtype=np.int64)
        rows = most_rows if self.rows is None else self.rows
        columns = most_columns if self.columns is None else self.columns
        shapes, shape_of = np.unique(rows * (most_columns + 1) + columns, return_inverse=True)
        return [divmod(shape, most_columns + 1) for shape in shapes.tolist()], shape_of

    def of_each_shape(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """For every shape that occurs, the numbers of its problems, and the problems without their padding."""
        shapes, shape_of = self.shapes
        if shapes == [self.costs.shape[1:]]:
            yield np.arange(len(self)), self.costs
            return
        ends = np.cumsum(np.bincount(shape_of, minlength=len(shapes)))
        parts = np.split(np.argsort(shape_of, kind="stable"), ends)[:-1]
        for (n, m), numbers in zip(shapes, parts, strict=True):
            yield numbers, self.costs[numbers, :n, :m]

    def check(self) -> NDArray[np.bool_] | None:
        """Whether all costs of a problem that can matter are below LARGEST_PLAIN, up or down.

        Returns:
            `(B,)`, or None if so of all problems.

        Raises:
            InputError: NaN or -inf inside a problem; lap would answer all the same.
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
            raise not_a_cost(int(self.number[problem]), row, column, float(self.costs[problem, row, column]))
        huge = (np.abs(self.capped().costs) >= LARGEST_PLAIN) & inside
        return np.asarray(~huge.any(axis=(1, 2)))


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
