"""Solvers of assignment problems on the CPU: enumeration, SciPy, lap, and which of them is the fastest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations
from math import perm
from typing import TYPE_CHECKING

import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
ENUMERATING, LAP, SCIPY = range(3)
HAS_BATCHES = hasattr(lap, "lapjvh_batch")  # lapx, which installs itself as lap too


@dataclass(frozen=True, eq=False)
class Problems:
    """A padded batch of problems without NaN or -inf.

    Attributes:
        costs: `(B, N, M)`; `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem.
        columns: `(B,)` number of columns.
        plain: `(B,)` whether all costs of a problem are below LARGEST_PLAIN, up or down.
        number: `(B,)` what an error calls a problem.
        threads: What a solver may use that can use more than one.
    """

    costs: FloatArray
    rows: IntArray
    columns: IntArray
    plain: NDArray[np.bool_]
    number: IntArray
    threads: int = 1

    def __len__(self) -> int:
        return len(self.costs)

    def take(self, part: NDArray[np.bool_]) -> Problems:
        """Some of the problems."""
        names = ("costs", "rows", "columns", "plain", "number")
        return replace(self, **{name: getattr(self, name)[part] for name in names})

    def nothing(self) -> IntArray:
        """`(B, N)` of -1: nobody has a column."""
        return np.full(self.costs.shape[:2], -1, dtype=np.int64)

    def blocks(self) -> Iterator[FloatArray]:
        """The problems without their padding."""
        rows, columns = self.rows.tolist(), self.columns.tolist()
        if set(rows) == {self.costs.shape[1]} and set(columns) == {self.costs.shape[2]}:
            return iter(self.costs)
        return (matrix[:n, :m] for matrix, n, m in zip(self.costs, rows, columns, strict=True))

    def shapes(self) -> Iterator[tuple[int, int, IntArray]]:
        """Every shape that occurs, and the numbers of the problems that have it."""
        if len(self) and np.ptp(self.rows) == np.ptp(self.columns) == 0:  # mostly, and much faster
            yield int(self.rows[0]), int(self.columns[0]), np.arange(len(self))
            return
        base = int(self.columns.max(initial=0)) + 1
        shapes, shape_of = np.unique(self.rows * base + self.columns, return_inverse=True)
        for number, shape in enumerate(shapes.tolist()):
            yield *divmod(shape, base), np.flatnonzero(shape_of == number)


def solve_fastest(problems: Problems) -> IntArray:
    """Solve each problem by what is the fastest for its size.

    Args:
        problems: B problems of at most N rows.

    Returns:
        `(B, N)` int64, the column of each row, -1 where there is none.

    Raises:
        InputError: A problem has no finite solution.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_fastest(Problems(costs, two, two, plain=np.array([True]), number=np.array([0])))
        array([[1, 0]])
    """
    low, high = np.minimum(problems.rows, problems.columns), np.maximum(problems.rows, problems.columns)
    table = _few_arrangements()
    solver = np.where(table[np.minimum(low, len(table) - 1), np.minimum(high, len(table) - 1)], ENUMERATING, LAP)
    solver[~problems.plain] = SCIPY
    if not HAS_BATCHES:
        square = low == high
        outweighed = np.where(square, low < LAP_SQUARE, (low < LAP_RECTANGLE) | (2 * high > 3 * low))
        solver[outweighed & (solver == LAP)] = SCIPY
        rectangles = np.flatnonzero((solver == LAP) & ~square)
        if len(rectangles) and not _are_contested(problems, rectangles[:SAMPLE].tolist()):
            solver[rectangles] = SCIPY
    return _solve_parts(problems, solver)


def _are_contested(problems: Problems, numbers: list[int]) -> bool:
    """Whether rows (columns, where there are fewer) want the same partners, in some of the problems."""
    shares = []
    for number in numbers:
        n, m = problems.rows[number], problems.columns[number]
        favourites = problems.costs[number, :n, :m].argmin(axis=1 if n <= m else 0)
        shares.append(len(set(favourites.tolist())) / len(favourites))
    return sum(shares) < CONTESTED * len(shares)


def solve_scipy(problems: Problems) -> IntArray:
    """Solve by `scipy.optimize.linear_sum_assignment`, problem by problem; see `solve_fastest`.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_scipy(Problems(costs, two, two, plain=np.array([True]), number=np.array([0])))
        array([[1, 0]])
    """
    chosen = problems.nothing()
    solved: list[tuple[IntArray, IntArray]] = []
    try:
        solved.extend(map(linear_sum_assignment, problems.blocks()))
    except ValueError as error:
        raise no_solution(int(problems.number[len(solved)])) from error
    if solved:
        rows, columns = zip(*solved, strict=True)
        problem = np.repeat(np.arange(len(solved)), [len(row) for row in rows])
        chosen[problem, np.concatenate(rows)] = np.concatenate(columns)
    return chosen


def solve_lap(problems: Problems) -> IntArray:
    """Solve by `lap.lapjv`, or where lapx is installed by `lap.lapjvh_batch` with threads; see `solve_fastest`.

    Problems that are not plain go to SciPy.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_lap(Problems(costs, two, two, plain=np.array([True]), number=np.array([0])))
        array([[1, 0]])
    """
    return _solve_parts(problems, np.where(problems.plain, LAP, SCIPY))


def _solve_parts(problems: Problems, solver: IntArray) -> IntArray:
    """Each problem by its solver."""
    solvers = {ENUMERATING: _solve_enumerating, LAP: _solve_lapx if HAS_BATCHES else _solve_lapjv, SCIPY: solve_scipy}
    needed = set(solver.tolist())
    if len(needed) == 1:
        return solvers[needed.pop()](problems)
    chosen = problems.nothing()
    for number in sorted(needed):
        part = solver == number
        chosen[part] = solvers[number](problems.take(part))
    return chosen


def _solve_enumerating(problems: Problems) -> IntArray:
    """Try every arrangement of small problems: one matrix product for all problems of one shape."""
    chosen = problems.nothing()
    for n, m, numbers in problems.shapes():
        ways, cells = _arrangements(min(n, m), max(n, m))
        for first in range(0, len(numbers), PROBLEMS_AT_ONCE):
            part = numbers[first : first + PROBLEMS_AT_ONCE]
            blocks = problems.costs[part, :n, :m]
            if n > m:
                blocks = blocks.swapaxes(1, 2)
            best = ways[(blocks.reshape(len(part), n * m) @ cells).argmin(axis=1)]
            if n > m:
                chosen[part[:, None], best] = np.arange(m)
            else:
                chosen[part, :n] = best
    return chosen


@cache
def _few_arrangements() -> NDArray[np.bool_]:
    """Whether so many rows (index 0) and at least as many columns (index 1) can be matched in few ways."""
    sizes = range(MOST_ARRANGEMENTS + 2)  # one row and that many columns are too many already
    return np.array([[perm(m, n) <= MOST_ARRANGEMENTS for m in sizes] for n in sizes])


@cache
def _arrangements(n: int, m: int) -> tuple[IntArray, NDArray[np.float64]]:
    """`(A, n)` ways to give n rows different columns of m, and the `(n * m, A)` cells that each of them takes."""
    ways = np.array(list(permutations(range(m), n)), dtype=np.int64).reshape(perm(m, n), n)
    cells = np.zeros((len(ways), n * m))
    cells[np.arange(len(ways))[:, None], np.arange(n) * m + ways] = 1.0
    return ways, np.ascontiguousarray(cells.T)


def _solve_lapjv(problems: Problems) -> IntArray:
    """By lap 0.5, problem by problem; rectangles are made square by rows that cost the same everywhere."""
    chosen = problems.nothing()
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
    return chosen


def _solve_lapx(problems: Problems) -> IntArray:
    """By lapx, all problems of one shape in one call."""
    chosen = problems.nothing()
    for n, m, numbers in problems.shapes():
        everything = problems.costs.shape == (len(numbers), n, m)
        blocks = problems.costs if everything else problems.costs[numbers, :n, :m]
        options = {"extend_cost": True, "return_cost": False, "n_threads": problems.threads}
        pairs = np.concatenate(lap.lapjvh_batch(blocks, output="pairs", **options))
        if n <= m:  # every row has a pair, and they come in order
            found = pairs[:, 1].reshape(len(numbers), n)
            if everything:
                return found
            chosen[numbers, :n] = found
        else:
            chosen[np.repeat(numbers, m), pairs[:, 0]] = pairs[:, 1]
    return chosen


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
