"""Solvers of assignment problems on the CPU: enumeration, SciPy, lap, and which of them is the fastest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import permutations
from math import perm
from typing import TYPE_CHECKING, TypeAlias

import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from selfmva.types import FloatArray, IntArray

# Crossovers of benchmarks/matching.py: one thread of an AMD EPYC, SciPy 1.17, lap 0.5.13, uniform random costs.
MOST_ARRANGEMENTS = 120  # 5 x 5: trying all takes a quarter of SciPy's time; 6 x 6 has 720, and takes as long
LAP_SQUARE = 12  # least size at which lap outweighs its overhead; where rows have clear partners, SciPy keeps up longer
LAP_RECTANGLE = 28  # the same for problems that must be made square, at most half as wide again as high, where
CONTESTED = 0.83  # less than this share of the rows' favourite columns are different; SciPy is faster where rows agree
SAMPLE = 16  # problems of a batch that are asked for their favourites
# lap 0.5 takes a million for infinity and is silently wrong beyond; sums of a few costs must stay below.
LARGEST_PLAIN = 1e5
PROBLEMS_AT_ONCE = 4096  # bounds the memory of the enumeration: 4 MB
ENUMERATING, LAP, SCIPY, LAP_IF_CONTESTED = range(4)
Solution: TypeAlias = "tuple[IntArray, FloatArray | None]"  # columns, and totals where the solver knows them
HAS_BATCHES = hasattr(lap, "lapjvh_batch")  # lapx, which installs itself as lap too


@dataclass(frozen=True, eq=False)
class Problems:
    """A padded batch of problems without NaN or -inf.

    Attributes:
        costs: `(B, N, M)`; `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem; None: N.
        columns: `(B,)` number of columns; None: M.
        plain: `(B,)` whether all costs of a problem that can matter are below LARGEST_PLAIN, up or down; None: of all.
        number: `(B,)` what an error calls a problem.
        unmatched_cost: What a row pays for staying alone; None: as many pairs as the shorter side has.
        threads: What a solver may use that can use more than one.
    """

    costs: FloatArray
    rows: IntArray | None
    columns: IntArray | None
    plain: NDArray[np.bool_] | None
    number: IntArray
    unmatched_cost: float | None = None
    threads: int = 1

    def __len__(self) -> int:
        return len(self.costs)

    def take(self, part: IntArray | NDArray[np.bool_]) -> Problems:
        """Some of the problems, by number or by mask."""
        arrays = {name: getattr(self, name) for name in ("costs", "rows", "columns", "plain", "number")}
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


def solve_fastest(problems: Problems) -> Solution:
    """Solve each problem by what is the fastest for its size.

    Args:
        problems: B problems of at most N rows.

    Returns:
        `(B, N)` int64, the column of each row, -1 where there is none; pairs that cost as much as staying alone, or
        more, may be among them. And the `(B,)` total costs where the solver adds them up itself, else None.

    Raises:
        InputError: A problem has no finite solution.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_fastest(Problems(costs, two, two, plain=np.array([True]), number=np.array([0])))[0]
        array([[1, 0]])
    """
    shapes, shape_of = problems.shapes
    fastest = [_fastest_of_shape(n, m) for n, m in shapes]
    if problems.plain is None and fastest in ([ENUMERATING], [LAP], [SCIPY]):  # mostly, and nothing is to be sorted
        return SOLVERS[fastest[0]](problems)
    solver = np.array(fastest, dtype=np.int64)[shape_of]
    if problems.plain is not None:
        solver[~problems.plain] = SCIPY
    doubtful = np.flatnonzero(solver == LAP_IF_CONTESTED)
    if len(doubtful):
        solver[doubtful] = LAP if _are_contested(problems, doubtful[:SAMPLE]) else SCIPY
    return _solve_parts(problems, solver)


@cache
def _fastest_of_shape(n: int, m: int) -> int:
    """The solver of problems of n rows and m columns."""
    low, high = min(n, m), max(n, m)
    if not low or (high <= MOST_ARRANGEMENTS and perm(high, low) <= MOST_ARRANGEMENTS):
        return ENUMERATING
    if HAS_BATCHES:
        return LAP
    if low == high:
        return LAP if low >= LAP_SQUARE else SCIPY
    return LAP_IF_CONTESTED if low >= LAP_RECTANGLE and 2 * high <= 3 * low else SCIPY


def _are_contested(problems: Problems, numbers: IntArray) -> bool:
    """Whether rows (columns, where there are fewer) want the same partners, in some of the problems."""
    different, favourites = 0, 0
    for _, blocks in problems.take(numbers).of_each_shape():
        n, m = blocks.shape[1:]
        favourite = np.sort(blocks.argmin(axis=2 if n <= m else 1), axis=1)
        different += len(blocks) + int(np.count_nonzero(np.diff(favourite)))
        favourites += favourite.size
    return different < CONTESTED * favourites


def solve_scipy(problems: Problems) -> Solution:
    """Solve by `scipy.optimize.linear_sum_assignment`, problem by problem; see `solve_fastest`.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_scipy(Problems(costs, two, two, plain=np.array([True]), number=np.array([0])))[0]
        array([[1, 0]])
    """
    chosen = problems.nothing()
    solved: list[tuple[IntArray, IntArray]] = []
    try:
        solved.extend(map(linear_sum_assignment, problems.capped().blocks()))
    except ValueError as error:
        raise no_solution(int(problems.number[len(solved)])) from error
    rows, columns = zip(*solved, strict=True) if solved else ((), ())
    (n, m), *other_shapes = problems.shapes[0] or [(0, 0)]
    if n <= m and not other_shapes:  # every row has a column, and they come in order
        chosen[:, :n] = _joined(columns).reshape(len(solved), n)
    else:
        chosen[np.repeat(np.arange(len(solved)), list(map(len, rows))), _joined(rows)] = _joined(columns)
    return chosen, None


def largest_sum(values: FloatArray) -> IntArray:
    """The assignment of one small problem, straight from SciPy: nothing is looked at, which would take longer.

    Args:
        values: `(N, M)`, finite, N at most M.

    Returns:
        `(N,)` int64, the column of each row, so that the sum of the values is as large as can be.

    Example:
        >>> largest_sum(np.array([[4.0, 1.0, 0.0], [5.0, 3.0, 0.0]]))
        array([0, 1])
    """
    return np.asarray(linear_sum_assignment(values, maximize=True)[1])


def solve_lap(problems: Problems) -> Solution:
    """Solve by `lap.lapjv`, or where lapx is installed by `lap.lapjvh_batch` with threads; see `solve_fastest`.

    Problems that are not plain go to SciPy.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_lap(Problems(costs, two, two, plain=np.array([True]), number=np.array([0])))[0]
        array([[1, 0]])
    """
    plain = np.ones(len(problems), dtype=bool) if problems.plain is None else problems.plain
    return _solve_parts(problems, np.where(plain, LAP, SCIPY))


def _solve_parts(problems: Problems, solver: IntArray) -> Solution:
    """Each problem by its solver."""
    needed = np.flatnonzero(np.bincount(solver)).tolist()
    if len(needed) == 1:  # taking a part copies it
        return SOLVERS[needed[0]](problems)
    chosen = problems.nothing()
    for number in needed:
        part = solver == number
        chosen[part], _ = SOLVERS[number](problems.take(part))
    return chosen, None


def _solve_enumerating(problems: Problems) -> Solution:
    """Try every arrangement of small problems: one matrix product for all problems of one shape."""
    chosen = problems.nothing()
    for numbers, blocks in problems.capped().of_each_shape():
        n, m = blocks.shape[1:]
        ways, cells = _arrangements(min(n, m), max(n, m))
        for first in range(0, len(numbers), PROBLEMS_AT_ONCE):
            part, some = numbers[first : first + PROBLEMS_AT_ONCE], blocks[first : first + PROBLEMS_AT_ONCE]
            if n > m:
                some = some.swapaxes(1, 2)
            best = ways[(some.reshape(len(part), n * m) @ cells).argmin(axis=1)]
            if n > m:
                chosen[part[:, None], best] = np.arange(m)
            else:
                chosen[part, :n] = best
    return chosen, None


@cache
def _arrangements(n: int, m: int) -> tuple[IntArray, NDArray[np.float64]]:
    """`(A, n)` ways to give n rows different columns of m, and the `(n * m, A)` cells that each of them takes."""
    ways = np.array(list(permutations(range(m), n)), dtype=np.int64).reshape(perm(m, n), n)
    cells = np.zeros((len(ways), n * m))
    cells[np.arange(len(ways))[:, None], np.arange(n) * m + ways] = 1.0
    return ways, np.ascontiguousarray(cells.T)


def _solve_lapjv(problems: Problems) -> Solution:
    """By lap 0.5, problem by problem; rectangles are made square by rows that cost the same everywhere."""
    problems, chosen = problems.capped(), problems.nothing()
    squares: dict[int, NDArray[np.float64]] = {}
    for number, block in enumerate(problems.blocks()):
        n, m = block.shape
        if n == m:
            if n:  # lap crashes on nothing
                chosen[number, :n] = lap.lapjv(block, return_cost=False)[0]
            continue
        # Rows of nobody are much cheaper to solve than columns of nobody.
        wide = block if n < m else block.T
        size = max(n, m)
        if size not in squares:
            squares[size] = np.empty((size, size))
        square = squares[size]
        # As cheap as the cheapest pair is solved the fastest; of the same scale, so that nothing is rounded away.
        square[: len(wide)], square[len(wide) :] = wide, wide.min(initial=0.0)
        partners = lap.lapjv(square, return_cost=False)[0][: len(wide)]
        if n < m:
            chosen[number, :n] = partners
        else:
            chosen[number, partners] = np.arange(m)
    return chosen, None


def _solve_lapx(problems: Problems) -> Solution:
    """By lapx, all problems of one shape in one call; it leaves rows alone itself, and adds up the totals."""
    knows_totals = problems.unmatched_cost is None
    if problems.rows is None and problems.columns is None:
        chosen, totals = _solve_batch(problems.costs, problems)
        return chosen, totals if knows_totals else None
    chosen, totals = problems.nothing(), np.zeros(len(problems))
    for numbers, blocks in problems.of_each_shape():
        chosen[numbers, : blocks.shape[1]], totals[numbers] = _solve_batch(blocks, problems)
    return chosen, totals if knows_totals else None


def _solve_batch(blocks: FloatArray, problems: Problems) -> tuple[IntArray, FloatArray]:
    """Columns and totals of problems of one shape."""
    count, n = blocks.shape[:2]
    limit = np.inf
    if problems.unmatched_cost is not None and blocks.max(initial=-np.inf) > problems.unmatched_cost:
        limit = problems.unmatched_cost  # a high one would only take digits from low costs
    options = {"extend_cost": True, "cost_limit": limit, "n_threads": problems.threads}
    totals, pairs = lap.lapjvh_batch(blocks, output="pairs", **options)
    sizes = list(map(len, pairs))
    whole = pairs[0].base if count else None  # lapx cuts its pairs out of one array: if they fill it, it is the result
    if whole is None or pairs[-1].base is not whole or whole.size != 2 * sum(sizes):
        whole = _joined(pairs)
    row, column = whole.reshape(-1, 2).T
    if len(row) == count * n:  # every row has a pair, and they come in order
        return column.reshape(count, n), totals
    chosen = np.full((count, n), -1, dtype=np.int64)
    chosen[np.repeat(np.arange(count), sizes), row] = column
    return chosen, totals


def _joined(parts: Sequence[IntArray]) -> IntArray:
    """All numbers of many small arrays, one after the other, in a third of the time of `np.concatenate`."""
    return np.frombuffer(bytearray().join(parts), dtype=np.int64)  # type: ignore[arg-type]  # arrays are buffers


SOLVERS = {ENUMERATING: _solve_enumerating, LAP: _solve_lapx if HAS_BATCHES else _solve_lapjv, SCIPY: solve_scipy}


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
