"""Assignments against scipy, against every possible matching, and what is refused."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from selfmva.errors import InputError
from selfmva.matching.assignment import solve


def cheapest_by_trying(costs: np.ndarray, unmatched_cost: float) -> float:
    """The least total over all matchings, each unmatched row paying."""
    n, m = costs.shape
    totals = [
        sum(costs[row, column] for row, column in zip(rows, columns, strict=True)) + unmatched_cost * (n - size)
        for size in range(min(n, m) + 1)
        for rows in combinations(range(n), size)
        for columns in permutations(range(m), size)
    ]
    return float(min(totals))


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A padded batch of problems of mixed sizes; what lies in the padding must never matter."""
    count, height, width = draw(st.integers(0, 5)), draw(st.integers(0, 6)), draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows, columns = rng.integers(0, height + 1, count), rng.integers(0, width + 1, count)
    costs = np.full((count, height, width), draw(st.sampled_from([np.nan, np.inf, -np.inf, -1e9])))
    for matrix, n, m in zip(costs, rows, columns, strict=True):
        matrix[:n, :m] = rng.normal(0, 10, (n, m))
    return costs, rows, columns


@given(batches(), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_values_against_scipy(batch: tuple[np.ndarray, np.ndarray, np.ndarray], dtype: type, as_tensor: bool) -> None:
    costs, rows, columns = batch
    costs = costs.astype(dtype)
    given_costs: Any = torch.from_numpy(costs).requires_grad_() if as_tensor else costs
    found = solve(given_costs, rows, columns)
    assert len(found) == len(costs)
    assert isinstance(found.columns, torch.Tensor if as_tensor else np.ndarray)
    chosen, totals = np.asarray(found.columns), np.asarray(found.costs)
    assert (chosen.dtype, chosen.shape) == (np.int64, costs.shape[:2])
    assert (totals.dtype, totals.shape) == (np.float64, (len(costs),))
    for problem, (n, m) in enumerate(zip(rows, columns, strict=True)):
        matrix = costs[problem, :n, :m]
        one, other = linear_sum_assignment(matrix)
        assert found.matches(problem).tolist() == np.stack((one, other), axis=1).tolist()
        assert totals[problem] == pytest.approx(matrix[one, other].sum(dtype=np.float64), abs=1e-6)
        assert (chosen[problem, n:] == -1).all()


@given(
    n=st.integers(0, 4),
    m=st.integers(0, 4),
    unmatched_cost=st.sampled_from([-1.0, 0.0, 0.7, 3.0, 100.0]),
    forbidden=st.sampled_from([0.0, 0.4, 1.0]),
    seed=st.integers(0, 10_000),
)
def test_an_unmatched_cost_against_every_matching(
    n: int, m: int, unmatched_cost: float, forbidden: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.normal(0.5, 2, (n, m))
    costs[rng.random((n, m)) < forbidden] = np.inf
    found = solve(costs, unmatched_cost=unmatched_cost)
    assert found.costs[0] == pytest.approx(cheapest_by_trying(costs, unmatched_cost), abs=1e-9)
    matches = found.matches(0)
    made = costs[matches[:, 0], matches[:, 1]]
    assert found.costs[0] == pytest.approx(made.sum() + unmatched_cost * (n - len(matches)), abs=1e-9)
    assert (made < unmatched_cost).all()
    assert len(set(matches[:, 1].tolist())) == len(matches)


def test_more_rows_than_columns() -> None:
    """The cheapest rows win the columns, the rest stays alone."""
    costs = np.array([[5.0], [1.0], [3.0]])
    assert solve(costs).columns.tolist() == [[-1, 0, -1]]
    assert solve(costs, unmatched_cost=2.0).columns.tolist() == [[-1, 0, -1]]
    assert solve(costs, unmatched_cost=2.0).costs.tolist() == [5.0]
    assert solve(costs, unmatched_cost=0.5).columns.tolist() == [[-1, -1, -1]]


def test_a_pair_that_costs_as_much_as_loneliness_is_not_made() -> None:
    assert solve(np.array([[2.0]]), unmatched_cost=2.0).columns.tolist() == [[-1]]


def test_a_forbidden_pair_is_avoided() -> None:
    costs = np.array([[1.0, np.inf], [0.0, 100.0]])
    assert solve(costs).columns.tolist() == [[0, 1]]
    assert solve(costs).costs.tolist() == [101.0]


def test_a_single_problem_and_lists() -> None:
    assert solve([[4.0, 1.0], [2.0, 0.0]]).columns.tolist() == [[1, 0]]  # type: ignore[arg-type]
    assert solve(torch.tensor([[4.0, 1.0], [2.0, 0.0]])).matches(0).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3), (2, 3, 0), (2, 0, 0), (0, 0)])
def test_nothing_to_match(shape: tuple[int, ...]) -> None:
    for unmatched_cost, alone in ((None, 0.0), (1.5, 1.5)):
        found = solve(np.zeros(shape), unmatched_cost=unmatched_cost)
        batch = (1, *shape) if len(shape) == 2 else shape
        assert found.columns.shape == batch[:2]
        assert (found.columns == -1).all()
        assert found.costs.tolist() == [alone * batch[1]] * batch[0]


def test_costs_are_left_alone() -> None:
    costs = np.random.default_rng(0).random((3, 4, 5))
    before = costs.copy()
    solve(costs, unmatched_cost=0.3)
    np.testing.assert_array_equal(costs, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"costs": np.array([[[0.0]], [[np.nan]]])}, "problem 1, row 0, column 0: cost nan"),
        ({"costs": np.array([[[0.0, 1.0], [-np.inf, 2.0]]])}, "problem 0, row 1, column 0: cost -inf"),
        ({"costs": np.array([[[0.0]], [[np.inf]]])}, "problem 1: no assignment avoids the forbidden"),
        ({"costs": np.array([[[np.inf, np.inf], [1.0, 2.0]]])}, "problem 0: .*give an unmatched_cost"),
        ({"costs": np.zeros(3)}, r"shape \(B, N, M\) or \(N, M\), got \(3,\)"),
        ({"costs": np.zeros((1, 1, 1, 1))}, r"got \(1, 1, 1, 1\)"),
        ({"costs": np.zeros((2, 3, 4)), "rows": [3, 4]}, r"problem 1: rows must be in 0\.\.3, got 4"),
        ({"costs": np.zeros((2, 3, 4)), "columns": [-1, 4]}, r"problem 0: columns must be in 0\.\.4, got -1"),
        ({"costs": np.zeros((2, 3, 4)), "rows": [3]}, r"rows must hold one size per problem, shape \(2,\)"),
        ({"costs": np.zeros((2, 3, 4)), "columns": [[3, 3]]}, r"columns must hold one size per problem"),
        ({"costs": np.zeros((1, 1)), "unmatched_cost": np.nan}, "unmatched_cost must be a finite number"),
        ({"costs": np.zeros((1, 1)), "unmatched_cost": np.inf}, "unmatched_cost must be a finite number"),
        ({"costs": np.zeros((1, 1)), "backend": "magic"}, "backend must be"),
    ],
)
def test_errors(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        solve(**arguments)


def test_what_lies_in_the_padding_is_never_read() -> None:
    costs = np.full((1, 3, 3), np.nan)
    costs[0, :2, :2] = [[1.0, 0.0], [0.0, 1.0]]
    assert solve(costs, [2], [2]).columns.tolist() == [[1, 0, -1]]
    with pytest.raises(InputError, match="problem 0, row 0, column 2"):
        solve(costs, [2], [3])


def test_scipy_by_name_gives_the_same_total() -> None:
    costs = np.random.default_rng(0).random((20, 7, 9))
    np.testing.assert_allclose(solve(costs, backend="scipy").costs, solve(costs, backend="auto").costs)
