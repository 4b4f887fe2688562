"""Solvers of assignment problems on the CPU: enumeration, SciPy, lap, and which of them is the fastest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from itertools import permutations
from math import perm
from typing import TYPE_CHECKING, TypeAlias

import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

from selfmva.matching.problems import Problems, no_solution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class SolverSettings:
    """Which solver takes which problems, and how many of them at once."""

    # Crossovers, measured by benchmarks/matching.py: one thread of an AMD EPYC, SciPy 1.17, lap 0.5.13, uniform costs.
    # Arrangements, 5 x 5: trying all takes a quarter of SciPy's time; 6 x 6 has 720, and takes as long.
    most_arrangements: int = 120
    # Least size at which lap outweighs its overhead; where rows have clear partners, SciPy keeps up longer.
    lap_square: int = 12
    # The same for problems that must be made square, at most half as wide again as high, where rows contest columns.
    lap_rectangle: int = 20
    # Rows contest columns where less than this fraction of their favourite columns are different; SciPy is faster where
    # they don't.
    contested: float = 0.83
    few: int = 8  # fewer problems of a shape are not worth a batch, and are solved one by one
    lap_alone: int = 48  # least size at which lap outweighs its overhead for few problems
    sample: int = 16  # problems of a batch that are asked for their favourites
    problems_at_once: int = 4096  # bounds the memory of the enumeration: 4 MB
    cells_at_once: int = 2**17  # of squares that lap solves: 1 MB, which a processor's cache can hold


SOLVING = SolverSettings()
ENUMERATING, LAP, SCIPY, LAP_IF_CONTESTED = range(4)
Solution: TypeAlias = "tuple[IntArray, FloatArray | None]"  # columns, and totals where the solver knows them
HAS_BATCHES = hasattr(lap, "lapjvh_batch")  # lapx, which installs itself as lap too


def solve_fastest(problems: Problems) -> Solution:
    """Solve each problem by what is the fastest for its size.

    Args:
        problems: B problems of at most N rows.

    Returns:
        `(B, N)` int64, the column of each row, -1 where there is none; pairs that cost as much as staying alone, or
        more, may be among them. And the `(B,)` total costs where the solver adds them up itself, else None.

    Raises:
        InputError: NaN or -inf in a problem, or it has no finite solution.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_fastest(Problems(costs, two, two))[0]
        array([[1, 0]])
    """
    shapes, shape_of = problems.shapes
    counts = np.bincount(shape_of, minlength=len(shapes)).tolist()
    fastest = [_fastest_of_shape(n, m, count < SOLVING.few) for (n, m), count in zip(shapes, counts, strict=True)]
    if fastest in ([ENUMERATING], [LAP], [SCIPY]):  # mostly
        return _solve_by(fastest[0], problems)
    solver = np.array(fastest, dtype=np.int64)[shape_of]
    doubtful = np.flatnonzero(solver == LAP_IF_CONTESTED)
    if len(doubtful):
        solver[doubtful] = LAP if _are_contested(problems, doubtful[: SOLVING.sample]) else SCIPY
    return _solve_by(solver, problems)


@cache
def _fastest_of_shape(n: int, m: int, few: bool) -> int:
    """The solver of problems of n rows and m columns, few or many."""
    low, high = min(n, m), max(n, m)
    if not few and high <= SOLVING.most_arrangements and perm(high, low) <= SOLVING.most_arrangements:
        return ENUMERATING
    if HAS_BATCHES:
        return LAP
    if few and low < SOLVING.lap_alone:
        return SCIPY
    if low == high:
        return LAP if low >= SOLVING.lap_square else SCIPY
    return LAP_IF_CONTESTED if low >= SOLVING.lap_rectangle and 2 * high <= 3 * low else SCIPY


def _are_contested(problems: Problems, positions: IntArray) -> bool:
    """Whether rows (columns, where there are fewer) want the same partners, in some of the problems."""
    different, favourites = 0, 0
    for _, blocks in problems.take(positions).of_each_shape(capped=False):
        n, m = blocks.shape[1:]
        favourite = blocks.argmin(axis=2 if n <= m else 1)
        different += sum(map(len, map(set, favourite.tolist())))
        favourites += favourite.size
    return different < SOLVING.contested * favourites


def solve_scipy(problems: Problems) -> Solution:
    """Solve by `scipy.optimize.linear_sum_assignment`, problem by problem; see `solve_fastest`.

    Example:
        >>> costs, two = np.array([[[4.0, 1.0], [2.0, 0.0]]]), np.array([2])
        >>> solve_scipy(Problems(costs, two, two))[0]
        array([[1, 0]])
    """
    return _solve_singly(linear_sum_assignment, problems)


def _solve_singly(solve_one: Callable[[FloatArray], tuple[IntArray, IntArray]], problems: Problems) -> Solution:
    """Problem by problem, by a function that returns rows, increasing, and their columns."""
    in_order = all(n <= m for n, m in problems.shapes[0])  # every row has a column
    rows: list[IntArray] = []
    columns: list[IntArray] = []
    try:
        for row, column in map(solve_one, problems.blocks()):
            columns.append(column)
            if not in_order:
                rows.append(row)
    except ValueError as error:
        problems.check()  # SciPy refuses what is not a number, too
        raise no_solution(int(problems.numbers()[len(columns)])) from error
    shape, everything = (len(problems), problems.costs.shape[1]), _joined(columns)
    if in_order and everything.size == shape[0] * shape[1]:
        return everything.reshape(shape), None
    chosen = problems.nothing()
    count = np.array(list(map(len, columns)), dtype=np.int64)
    if in_order:
        chosen[np.arange(chosen.shape[1]) < count[:, None]] = everything
    else:
        chosen[np.repeat(np.arange(len(count)), count), _joined(rows)] = everything
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
        >>> solve_lap(Problems(costs, two, two))[0]
        array([[1, 0]])
    """
    return _solve_by(LAP, problems)


def _solve_by(solver: int | IntArray, problems: Problems) -> Solution:
    """All problems by one solver, or each by its own; those that only SciPy can be trusted with by that."""
    by_scipy = solver == SCIPY if isinstance(solver, int) else (solver == SCIPY).all()
    if not by_scipy and (plain := problems.check()) is not None:
        solver = np.where(plain, solver, SCIPY)
    if isinstance(solver, int):
        return SOLVERS[solver](problems)
    needed = np.flatnonzero(np.bincount(solver)).tolist()
    if len(needed) == 1:
        return SOLVERS[needed[0]](problems)
    chosen = problems.nothing()
    for number in needed:
        part = solver == number
        chosen[part], _ = SOLVERS[number](problems.take(part))
    return chosen, None


def _solve_enumerating(problems: Problems) -> Solution:
    """Try every arrangement of small problems: one matrix product for all problems of one shape."""
    chosen = problems.nothing()
    for positions, blocks in problems.of_each_shape():
        n, m = blocks.shape[1:]
        ways, cells = _arrangements(min(n, m), max(n, m))
        for first in range(0, len(positions), SOLVING.problems_at_once):
            part, some = (
                positions[first : first + SOLVING.problems_at_once],
                blocks[first : first + SOLVING.problems_at_once],
            )
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
    chosen = problems.nothing()
    for positions, blocks in problems.of_each_shape():
        n, m = blocks.shape[1:]
        if not n * m:  # lap crashes on nothing
            continue
        together = max(SOLVING.cells_at_once // max(n, m) ** 2, 1)
        for first in range(0, len(positions), together):
            part, some = positions[first : first + together], blocks[first : first + together]
            # Rows of nobody are much cheaper to solve than columns of nobody.
            squares = _squares(some if n <= m else some.swapaxes(1, 2))
            partners = _joined([lap.lapjv(square, return_cost=False)[0] for square in squares]).reshape(len(part), -1)
            if n <= m:
                chosen[part, :n] = partners[:, :n]
            else:
                chosen[part[:, None], partners[:, :m]] = np.arange(m)
    return chosen, None


def _squares(blocks: FloatArray) -> FloatArray:
    """`(B, M, M)` problems from wide ones, `(B, N, M)`, by rows that cost the same everywhere."""
    count, n, m = blocks.shape
    if n == m:
        return blocks
    squares = np.empty((count, m, m))
    squares[:, :n] = blocks
    # As cheap as the cheapest pair is solved the fastest; of the same scale, so that nothing is rounded away.
    squares[:, n:] = blocks.min(axis=(1, 2), initial=0.0)[:, None, None]
    return squares


def _solve_lapx(problems: Problems) -> Solution:
    """By lapx: all problems of one shape in one call, where it leaves rows alone itself and adds up the totals."""
    shapes, _ = problems.shapes
    if len(shapes) > 1 and len(problems) < SOLVING.few * len(shapes):
        return _solve_singly(partial(lap.lapjvh, extend_cost=True, return_cost=False), problems)
    if problems.whole:
        chosen, totals = _solve_batch(problems.costs, problems)
    else:
        chosen, totals = problems.nothing(), np.zeros(len(problems))
        for positions, blocks in problems.of_each_shape(capped=False):
            chosen[positions, : blocks.shape[1]], totals[positions] = _solve_batch(blocks, problems)
    return chosen, totals if problems.unmatched_cost is None else None


def _solve_batch(blocks: FloatArray, problems: Problems) -> tuple[IntArray, FloatArray]:
    """Columns and totals of problems of one shape."""
    count, n = blocks.shape[:2]
    limit = np.inf
    if problems.unmatched_cost is not None and blocks.max(initial=-np.inf) > problems.unmatched_cost:
        limit = problems.unmatched_cost  # a high one would only take digits from low costs
    options = {"extend_cost": True, "cost_limit": limit, "n_threads": problems.threads}
    totals, pairs = lap.lapjvh_batch(blocks, output="pairs", **options)
    made = count * min(blocks.shape[1:]) if limit == np.inf else sum(map(len, pairs))
    whole = pairs[0].base if count else None  # lapx cuts its pairs out of one array: if they fill it, it is the result
    if whole is None or pairs[-1].base is not whole or whole.size != 2 * made:
        whole = _joined(pairs)
    row, column = whole.reshape(-1, 2).T
    if len(row) == count * n:  # every row has a pair, and they come in order
        return column.reshape(count, n), totals
    chosen = np.full((count, n), -1, dtype=np.int64)
    chosen[np.repeat(np.arange(count), list(map(len, pairs))), row] = column
    return chosen, totals


def _joined(parts: Sequence[IntArray]) -> IntArray:
    """All numbers of many small arrays, one after the other, in a third of the time of `np.concatenate`."""
    dtype = parts[0].dtype if len(parts) else np.int64
    return np.frombuffer(bytearray().join(parts), dtype)  # type: ignore[arg-type]  # arrays are buffers


SOLVERS = {ENUMERATING: _solve_enumerating, LAP: _solve_lapx if HAS_BATCHES else _solve_lapjv, SCIPY: solve_scipy}
