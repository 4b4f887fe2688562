"""Batches of assignment problems: who goes with whom at the least total cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from selfmva.types import IntArray

Backend = Literal["auto", "scipy"]


@dataclass(frozen=True, eq=False)
class Assignment:
    """Solutions of a batch of assignment problems.

    Attributes:
        columns: `(B, N)` int64, the column of each row, -1 where a row stays alone (or is padding).
        costs: `(B,)` float64, the total cost of each problem: matched entries, plus the unmatched cost of every
            row that stays alone where one was given.
    """

    columns: IntArray
    costs: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.columns)

    def matches(self, problem: int) -> IntArray:
        """Matches of one problem, `(K, 2)` int64 (row, column), rows increasing."""
        rows = np.flatnonzero(self.columns[problem] >= 0)
        return np.stack((rows, self.columns[problem][rows]), axis=1)


def solve(
    costs: NDArray[np.floating] | Tensor,
    rows: Sequence[int] | IntArray | None = None,
    columns: Sequence[int] | IntArray | None = None,
    unmatched_cost: float | None = None,
    backend: Backend = "auto",
) -> Assignment:
    """Solve a batch of linear sum assignment problems.

    Args:
        costs: `(B, N, M)` floating array or tensor, or `(N, M)` for a single problem. `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem, N where None; what lies beyond is padding and never read.
        columns: `(B,)` number of columns of each problem, M where None.
        unmatched_cost: What a row pays for staying alone. A pair is made only where it is cheaper. None: as many
            pairs as the shorter side has.
        backend: `"scipy"`, or `"auto"` for the fastest there is. Where several solutions cost the same, backends
            may differ in which they return.

    Returns:
        The columns of the rows and the total costs. Problems without rows or columns have no pair.

    Raises:
        InputError: Wrong shapes, sizes out of range, NaN or -inf inside a problem, or no finite solution without
            an unmatched cost; names the problem.

    Example:
        >>> solve(np.array([[[4.0, 1.0], [2.0, 0.0]]])).columns
        array([[1, 0]])
        >>> solve(np.array([[[4.0, 1.0], [2.0, 0.0]]]), unmatched_cost=1.5).columns
        array([[-1,  1]])
    """
    array = _as_batch(costs)
    count, height, width = array.shape
    n, m = _sizes(rows, count, height, "rows"), _sizes(columns, count, width, "columns")
    inside = (np.arange(height) < n[:, None])[:, :, None] & (np.arange(width) < m[:, None])[:, None, :]
    _check_values(array, inside)
    if unmatched_cost is not None:
        if not np.isfinite(unmatched_cost):
            raise InputError(f"unmatched_cost must be a finite number, got {unmatched_cost!r}")
        # With at most as many rows as columns there is always a free column for a row that stays alone, so
        # capping the costs and dropping capped pairs afterwards is exact; with more rows, the rest is alone anyway.
        gated = np.minimum(array, unmatched_cost)
    else:
        gated = array
    if backend not in ("auto", "scipy"):
        raise InputError(f"backend must be 'auto' or 'scipy', got {backend!r}")
    chosen = _solve_scipy(gated, n, m)
    value = np.take_along_axis(array, np.maximum(chosen, 0)[:, :, None], axis=2)[:, :, 0] if width else chosen * 0.0
    made = chosen >= 0
    if unmatched_cost is not None:
        made &= value < unmatched_cost
        chosen = np.where(made, chosen, -1)
    totals = np.where(made, value, 0.0).sum(axis=1)
    if unmatched_cost is not None:
        totals = totals + unmatched_cost * (n - made.sum(axis=1))
    return Assignment(chosen, totals.astype(np.float64))


def _as_batch(costs: NDArray[np.floating] | Tensor) -> NDArray[np.float64]:
    """Costs as a (B, N, M) float64 array on the CPU."""
    plain: Any = costs if isinstance(costs, np.ndarray | list | tuple) else costs.detach().cpu().numpy()
    array = np.asarray(plain, dtype=np.float64)
    if array.ndim == 2:
        array = array[None]
    if array.ndim != 3:
        raise InputError(f"costs must have shape (B, N, M) or (N, M), got {array.shape}")
    return array


def _sizes(sizes: Sequence[int] | IntArray | None, count: int, limit: int, name: str) -> IntArray:
    if sizes is None:
        return np.full(count, limit, dtype=np.int64)
    array = np.asarray(sizes, dtype=np.int64)
    if array.shape != (count,):
        raise InputError(f"{name} must hold one size per problem, shape ({count},), got shape {array.shape}")
    if count and (array.min() < 0 or array.max() > limit):
        worst = int(np.argmax((array < 0) | (array > limit)))
        raise InputError(f"problem {worst}: {name} must be in 0..{limit}, got {array[worst]}")
    return array


def _check_values(array: NDArray[np.float64], inside: NDArray[np.bool_]) -> None:
    """Native solvers answer silently on NaN; scipy names no problem. So look first."""
    bad = (np.isnan(array) | (array == -np.inf)) & inside
    if bad.any():
        problem, row, column = np.argwhere(bad)[0]
        raise InputError(
            f"problem {problem}, row {row}, column {column}: cost {array[problem, row, column]} is not a number "
            "that can be compared; use +inf to forbid a pair"
        )


def _solve_scipy(costs: NDArray[np.float64], n: IntArray, m: IntArray) -> IntArray:
    chosen = np.full(costs.shape[:2], -1, dtype=np.int64)
    for problem in np.flatnonzero((n > 0) & (m > 0)):
        try:
            rows, columns = linear_sum_assignment(costs[problem, : n[problem], : m[problem]])
        except ValueError as error:
            raise InputError(
                f"problem {problem}: no assignment avoids the forbidden (+inf) pairs; give an unmatched_cost so that "
                "a row may stay alone"
            ) from error
        chosen[problem, rows] = columns
    return chosen
