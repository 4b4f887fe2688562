"""Batches of assignment problems: who goes with whom at the least total cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, overload

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.scalars import integer, real
from selfmva.core.threads import MOST_THREADS
from selfmva.core.values import integer_array, real_array
from selfmva.errors import InputError
from selfmva.matching.problems import Problems
from selfmva.matching.solvers import solve_fastest, solve_lap, solve_scipy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from selfmva.core.types import FloatArray, IntArray

CPU_SOLVERS = {"auto": solve_fastest, "scipy": solve_scipy, "lap": solve_lap}
Backend = Literal["auto", "scipy", "lap", "torch-linear-assignment"]
Numbers = TypeVar("Numbers")  # arrays or tensors


@dataclass(frozen=True, eq=False)
class Assignment(Generic[Numbers]):
    """Solutions of a batch of assignment problems: arrays for arrays, tensors for tensors, on their device.

    Attributes:
        columns: `(B, N)` int64, the column of each row, -1 where a row stays alone (or is padding).
        costs: `(B,)` float64, the total cost of each problem: matched entries, plus the unmatched cost of every
            row that stays alone where one was given.
    """

    columns: Numbers
    costs: Numbers

    def __len__(self) -> int:
        return len(self.columns)  # type: ignore[arg-type]

    def matches(self, problem: int) -> IntArray:
        """Matches of one problem, `(K, 2)` int64 (row, column), rows increasing."""
        columns = _on_cpu(self.columns)[problem]
        rows = np.flatnonzero(columns >= 0)
        return np.stack((rows, columns[rows]), axis=1)


@overload
def solve(
    costs: Tensor,
    rows: Sequence[int] | IntArray | Tensor | None = None,
    columns: Sequence[int] | IntArray | Tensor | None = None,
    unmatched_cost: float | None = None,
    backend: Backend = "auto",
    threads: int = 1,
) -> Assignment[Tensor]: ...


@overload
def solve(
    costs: NDArray[np.floating],
    rows: Sequence[int] | IntArray | Tensor | None = None,
    columns: Sequence[int] | IntArray | Tensor | None = None,
    unmatched_cost: float | None = None,
    backend: Backend = "auto",
    threads: int = 1,
) -> Assignment[NDArray[Any]]: ...


def solve(
    costs: NDArray[np.floating] | Tensor,
    rows: Sequence[int] | IntArray | Tensor | None = None,
    columns: Sequence[int] | IntArray | Tensor | None = None,
    unmatched_cost: float | None = None,
    backend: Backend = "auto",
    threads: int = 1,
) -> Assignment[Any]:
    """Solve a batch of linear sum assignment problems exactly.

    Args:
        costs: `(B, N, M)` floating array or tensor, or `(N, M)` for a single problem. `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem, N where None; what lies beyond is padding and never read.
        columns: `(B,)` number of columns of each problem, M where None.
        unmatched_cost: What a row pays for staying alone. A pair is made only where it is cheaper. None: as many
            pairs as the shorter side has.
        backend: `"auto"` takes what is the fastest for each size: many small ones are enumerated, others go to SciPy
            or lap; for tensors on a GPU, torch-linear-assignment where it is installed. `"scipy"` is the reference.
            `"lap"` is `lap.lapjv`, or `lapjvh_batch` where lapx provides the module; what lap gets wrong (infinite or
            huge costs) goes to SciPy. `"torch-linear-assignment"` needs `selfmva[gpu]`. All return the same total;
            where several solutions cost the same, they may differ in which they return. Each is deterministic.
        threads: CPU threads that a backend may use; only `lapjvh_batch` can use more than one.

    Returns:
        The columns of the rows and the total costs. Problems without rows or columns have no pair.

    Raises:
        InputError: Wrong shapes, sizes out of range, NaN or -inf inside a problem, or no finite solution without
            an unmatched cost; names the problem.
        MissingDependencyError: The backend is not installed.

    Example:
        >>> solve(np.array([[[4.0, 1.0], [2.0, 0.0]]])).columns
        array([[1, 0]])
        >>> solve(np.array([[[4.0, 1.0], [2.0, 0.0]]]), unmatched_cost=1.5).columns
        array([[-1,  1]])
    """
    if not is_one_of(backend, get_args(Backend)):
        raise InputError(f"backend must be one of {', '.join(get_args(Backend))}; got {shown(backend)}")
    unmatched_cost = None if unmatched_cost is None else real(unmatched_cost, "unmatched_cost")
    integer(threads, "threads", least=1, most=MOST_THREADS)
    batch = _as_numbers(costs)
    if batch.ndim == 2:
        batch = batch[None]
    if batch.ndim != 3:
        raise InputError(f"costs must have shape (B, N, M) or (N, M), got {tuple(batch.shape)}")
    n = _sizes(rows, len(batch), batch.shape[1], "rows")
    m = _sizes(columns, len(batch), batch.shape[2], "columns")
    if isinstance(batch, np.ndarray) and backend in CPU_SOLVERS:
        return Assignment(*_solve_arrays(batch, n, m, unmatched_cost, backend, threads))
    # Arrays that name a backend for tensors, or tensors.
    import torch

    from selfmva.matching.gpu import is_available, solve_tensors

    if backend == "torch-linear-assignment" or (backend == "auto" and batch.is_cuda and is_available()):
        tensors = torch.as_tensor(batch)
        sizes = (
            torch.full((len(batch),), limit) if size is None else torch.from_numpy(size)
            for size, limit in zip((n, m), batch.shape[1:], strict=True)
        )
        row_count, column_count = (size.to(tensors.device) for size in sizes)
        found: Assignment[Any] = Assignment(*solve_tensors(tensors, row_count, column_count, unmatched_cost))
        return found if tensors is batch else Assignment(_on_cpu(found.columns), _on_cpu(found.costs))
    arrays = _solve_arrays(_on_cpu(batch.double()), n, m, unmatched_cost, backend, threads)
    return Assignment(*(torch.from_numpy(np.ascontiguousarray(array)).to(batch.device) for array in arrays))


def _as_numbers(costs: Any) -> Any:
    """A tensor as it is, anything else as a float64 array."""
    if hasattr(costs, "detach"):
        if costs.is_complex() or costs.dtype == costs.bool().dtype:
            raise InputError(f"costs must be real numbers, got a tensor of {costs.dtype}")
        return costs
    if type(costs) is np.ndarray and costs.dtype == np.float64:
        return costs  # no copy of what is large
    return real_array(costs, "costs")


def _on_cpu(numbers: Any) -> NDArray[Any]:
    """A tensor or an array as an array."""
    return numbers.detach().cpu().numpy() if hasattr(numbers, "detach") else np.asarray(numbers)


def _solve_arrays(
    costs: NDArray[np.float64],
    n: IntArray | None,
    m: IntArray | None,
    unmatched_cost: float | None,
    backend: str,
    threads: int,
) -> tuple[IntArray, FloatArray]:
    """Columns and totals, on the CPU."""
    problems = Problems(costs, n, m, unmatched_cost, threads)
    chosen, totals = CPU_SOLVERS[backend](problems)
    if totals is not None:
        return chosen, totals
    rows = np.full(len(costs), costs.shape[1]) if n is None else n
    if not costs.size:
        return chosen, rows * np.float64(unmatched_cost or 0.0)
    begin = np.arange(0, costs.size, costs.shape[2]).reshape(chosen.shape)
    values = costs.ravel().take(begin + chosen, mode="clip")  # of -1: anything
    made = chosen >= 0
    if unmatched_cost is None:
        return chosen, values.sum(axis=1) if made.all() else values.sum(axis=1, where=made)
    made &= values < unmatched_cost
    alone = rows - made.sum(axis=1)
    return np.where(made, chosen, -1), np.where(made, values, 0.0).sum(axis=1) + unmatched_cost * alone


def _sizes(sizes: Sequence[int] | IntArray | Tensor | None, count: int, limit: int, name: str) -> IntArray | None:
    if sizes is None:
        return None
    array = integer_array(sizes, name)
    if array.shape != (count,):
        raise InputError(f"{name} must hold one size per problem, shape ({count},), got shape {array.shape}")
    if count and (array.min() < 0 or array.max() > limit):
        worst = int(np.argmax((array < 0) | (array > limit)))
        raise InputError(f"problem {worst}: {name} must be in 0..{limit}, got {array[worst]}")
    return array
