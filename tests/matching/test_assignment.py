"""Assignments against scipy, against every possible matching, and what is refused."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from selfmva.errors import InputError, MissingDependencyError
from selfmva.matching import solvers
from selfmva.matching.assignment import Backend, solve
from selfmva.matching.solvers import largest_sum

BACKENDS = get_args(Backend)


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


@pytest.mark.parametrize("backend", BACKENDS)
@given(batch=batches(), dtype=st.sampled_from([np.float32, np.float64]), as_tensor=st.booleans())
def test_values_against_scipy(
    backend: Backend, batch: tuple[np.ndarray, np.ndarray, np.ndarray], dtype: type, as_tensor: bool
) -> None:
    costs, rows, columns = batch
    costs = costs.astype(dtype)
    given_costs: Any = torch.from_numpy(costs).requires_grad_() if as_tensor else costs
    found = solve(given_costs, rows, columns, backend=backend)
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


@pytest.mark.parametrize("backend", BACKENDS)
@given(
    n=st.integers(0, 4),
    m=st.integers(0, 4),
    unmatched_cost=st.sampled_from([-1.0, 0.0, 0.7, 3.0, 100.0]),
    forbidden=st.sampled_from([0.0, 0.4, 1.0]),
    seed=st.integers(0, 10_000),
)
def test_an_unmatched_cost_against_every_matching(
    backend: Backend, n: int, m: int, unmatched_cost: float, forbidden: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.normal(0.5, 2, (n, m))
    costs[rng.random((n, m)) < forbidden] = np.inf
    found = solve(costs, unmatched_cost=unmatched_cost, backend=backend)
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
        ({"costs": np.zeros((1, 1)), "threads": 0}, "threads must be a whole number from 1 to 1024, got 0"),
        ({"costs": [[1.0, 2.0], [3.0]]}, r"costs must be real numbers, all rows as long"),
        ({"costs": [["near", "far"]]}, "costs must be real numbers, got text"),
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


def totals_by_scipy(
    costs: np.ndarray, rows: np.ndarray, columns: np.ndarray, unmatched_cost: float | None
) -> np.ndarray:
    """The reference: one problem after the other; loneliness as one more column for each row."""
    totals = []
    for matrix, n, m in zip(costs, rows, columns, strict=True):
        block = matrix[:n, :m].astype(np.float64)
        if unmatched_cost is not None:
            block = np.concatenate([block, np.full((n, n), unmatched_cost)], axis=1)
        totals.append(block[linear_sum_assignment(block)].sum())
    return np.array(totals)


def mixed_problems(count: int, largest: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uniform, normal, near-integer and far-away costs."""
    rng = np.random.default_rng(seed)
    shape = (count, largest, largest)
    kinds = [rng.random(shape), rng.normal(0, 3, shape), rng.integers(0, 9, shape) + 1e-7 * rng.random(shape)]
    scale = rng.choice([1e-6, 1.0, 1e4, 1e7], (count, 1, 1))
    costs = np.choose(rng.integers(0, 3, (count, 1, 1)), kinds) * scale
    rows, columns = rng.integers(0, largest + 1, (2, count))
    return costs, rows, np.where(rng.random(count) < 0.4, rows, columns)


@pytest.mark.parametrize("unmatched_cost", [None, 0.3, 5.0])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_totals_are_those_of_scipy(count: int, backend: Backend, unmatched_cost: float | None) -> None:
    for first in range(0, count, 2_000):
        costs, rows, columns = mixed_problems(2_000, largest=[5, 12, 20, 40][first // 2_000 % 4], seed=first)
        found = solve(costs, rows, columns, unmatched_cost, backend=backend).costs
        np.testing.assert_allclose(found, totals_by_scipy(costs, rows, columns, unmatched_cost), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
@given(n=st.integers(1, 7), m=st.integers(1, 7), seed=st.integers(0, 10_000))
def test_permuted_transposed_shifted_and_padded_problems_cost_the_same(
    backend: Backend, n: int, m: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.normal(0, 2, (n, m))
    total = solve(costs, backend=backend).costs[0]
    pairs = min(n, m)
    variants = {
        total: costs[rng.permutation(n)][:, rng.permutation(m)],
        total + pairs * 7.0: costs + 7.0,
        total * 3.0: costs * 3.0,
    }
    for wanted, matrix in variants.items():
        assert solve(matrix, backend=backend).costs[0] == pytest.approx(wanted, abs=1e-9)
        assert solve(matrix.T, backend=backend).costs[0] == pytest.approx(wanted, abs=1e-9)
        wider = np.pad(matrix, ((0, 3), (0, 2)), constant_values=np.nan)
        assert solve(wider, [n], [m], backend=backend).costs[0] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_is_its_problems(backend: Backend) -> None:
    costs, rows, columns = mixed_problems(200, 30, seed=1)
    together = solve(costs, rows, columns, backend=backend)
    again = solve(costs, rows, columns, backend=backend)
    np.testing.assert_array_equal(together.columns, again.columns)
    for problem in range(0, 200, 10):
        n, m = rows[problem], columns[problem]
        assert solve(costs[problem, :n, :m], backend=backend).costs[0] == pytest.approx(together.costs[problem])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("n", "m"), [(3, 3), (15, 15), (12, 20), (20, 12), (30, 40), (40, 30)])
def test_forbidden_and_huge_costs_are_as_exact_as_others(backend: Backend, n: int, m: int) -> None:
    """Where lap's own infinity of a million would be silently wrong."""
    rng = np.random.default_rng(n)
    costs = np.stack([rng.random((n, m)), 1e9 * rng.random((n, m)), rng.random((n, m))])
    costs[2][rng.random((n, m)) < 0.3] = np.inf
    costs[2, np.arange(min(n, m)), np.arange(min(n, m))] = 5.0  # so that there is a solution
    wanted = [matrix[linear_sum_assignment(matrix)].sum() for matrix in costs]
    np.testing.assert_allclose(solve(costs, backend=backend).costs, wanted, rtol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("unmatched_cost", [None, 0.5])
@pytest.mark.parametrize(("n", "m"), [(3, 4), (14, 14), (8, 40), (40, 8), (30, 45)])
@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_errors_name_the_problem_whatever_solves_it(
    backend: Backend, n: int, m: int, unmatched_cost: float | None, value: float
) -> None:
    costs = np.random.default_rng(0).random((4, n, m))
    costs[2, 1, 3] = value
    with pytest.raises(InputError, match=f"problem 2, row 1, column 3: cost {value}"):
        solve(costs, unmatched_cost=unmatched_cost, backend=backend)
    assert solve(costs[:2], unmatched_cost=unmatched_cost, backend=backend).costs.shape == (2,)


@pytest.mark.parametrize("backend", BACKENDS)
def test_errors_name_the_problem_among_many_sizes(backend: Backend) -> None:
    costs, rows, columns = mixed_problems(200, 40, seed=7)
    wide = int(np.flatnonzero((rows >= 6) & (columns > 3 * rows // 2))[3])  # one of several that SciPy solves in "auto"
    costs[wide, 5, 2] = np.nan
    with pytest.raises(InputError, match=f"problem {wide}, row 5, column 2: cost nan"):
        solve(costs, rows, columns, backend=backend)
    costs[wide, 5] = np.inf
    with pytest.raises(InputError, match=f"problem {wide}: no assignment avoids"):
        solve(costs, rows, columns, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("n", "m"), [(14, 14), (8, 40), (30, 45)])
def test_a_row_without_a_pair_needs_a_cost_of_being_alone(backend: Backend, n: int, m: int) -> None:
    costs = np.random.default_rng(0).random((4, n, m))
    costs[1, 5] = np.inf
    with pytest.raises(InputError, match="problem 1: no assignment avoids"):
        solve(costs, backend=backend)
    assert solve(costs, unmatched_cost=1.0, backend=backend).columns[1, 5] == -1


@pytest.mark.parametrize("backend", BACKENDS)
def test_tensors_come_back_as_tensors(backend: Backend) -> None:
    costs = torch.rand((5, 3, 4), generator=torch.Generator().manual_seed(0))
    found = solve(costs, torch.tensor([3, 2, 0, 3, 1]), backend=backend)
    assert (found.columns.dtype, found.columns.device, found.columns.shape) == (torch.int64, costs.device, (5, 3))
    assert (found.costs.dtype, found.costs.device) == (torch.float64, costs.device)
    assert solve(costs, backend=backend).columns.is_contiguous()
    np.testing.assert_allclose(found.costs, solve(costs.numpy(), [3, 2, 0, 3, 1]).costs)
    assert found.matches(1).tolist() == solve(costs.numpy(), [3, 2, 0, 3, 1]).matches(1).tolist()


def test_a_high_gate_takes_no_digits_from_low_costs() -> None:
    costs = 1e-6 * np.random.default_rng(0).random((20, 6, 6))
    np.testing.assert_allclose(solve(costs, unmatched_cost=1e6).costs, solve(costs).costs, rtol=1e-12)


@given(n=st.integers(1, 6), more=st.integers(0, 6), seed=st.integers(0, 10_000))
def test_the_largest_sum_of_one_problem(n: int, more: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 3, (n, n + more))
    columns = largest_sum(values)
    assert values[np.arange(n), columns].sum() == pytest.approx(-solve(-values).costs[0], abs=1e-9)


def test_half_precision_and_integers_are_costs() -> None:
    whole = torch.tensor([[[4, 1], [2, 0]]])
    for costs in (whole, whole.bfloat16(), whole.half(), whole.int().numpy()):
        assert solve(costs).columns.tolist() == [[1, 0]]  # type: ignore[call-overload]


@pytest.mark.parametrize(("limit", "backend", "size"), [("problems_at_once", "auto", 5), ("cells_at_once", "lap", 9)])
def test_many_problems_are_solved_in_parts(
    limit: str, backend: Backend, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs, rows, columns = mixed_problems(500, size, seed=3)
    whole = solve(costs, rows, columns, backend=backend)
    monkeypatch.setattr(solvers, "SOLVING", replace(solvers.SOLVING, **{limit: 7}))
    parts = solve(costs, rows, columns, backend=backend)
    np.testing.assert_array_equal(parts.columns, whole.columns)
    np.testing.assert_array_equal(parts.costs, whole.costs)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_linear_assignment", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'selfmva\[gpu\]'"):
        solve(np.zeros((1, 2, 2)), backend="torch-linear-assignment")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_on_a_gpu_stay_there() -> None:
    costs, rows, columns = mixed_problems(500, 40, seed=5)
    found = solve(torch.from_numpy(costs).cuda(), rows, columns)
    assert found.columns.is_cuda
    np.testing.assert_allclose(found.costs.cpu(), totals_by_scipy(costs, rows, columns, None), rtol=1e-6)
