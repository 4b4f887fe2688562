"""Assignment problems that stay on the device of their tensors: the batched solver of torch-linear-assignment."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

from selfmva.errors import require
from selfmva.matching.problems import no_solution, not_a_cost

if TYPE_CHECKING:
    from torch import Tensor


def is_available() -> bool:
    """Whether torch-linear-assignment is installed."""
    return find_spec("torch_linear_assignment") is not None


def solve_tensors(costs: Tensor, rows: Tensor, columns: Tensor, unmatched_cost: float | None) -> tuple[Tensor, Tensor]:
    """Solve a padded batch where its costs are; the device is waited for once, to look for errors.

    Args:
        costs: `(B, N, M)`; `+inf` forbids a pair.
        rows: `(B,)` number of rows of each problem, on the same device.
        columns: `(B,)` number of columns.
        unmatched_cost: What a row pays for staying alone; None: as many pairs as the shorter side has.

    Returns:
        `(B, N)` int64 columns, -1 where there is none, and `(B,)` float64 totals.

    Raises:
        InputError: NaN or -inf, or no finite solution without an unmatched cost; names the problem.
        MissingDependencyError: torch-linear-assignment is not installed.
    """
    require("torch_linear_assignment", "gpu")
    values = costs.detach().double()
    real_rows = torch.arange(values.shape[1], device=values.device) < rows[:, None]
    real_columns = torch.arange(values.shape[2], device=values.device) < columns[:, None]
    inside = real_rows[:, :, None] & real_columns[:, None, :]
    chosen = _solve_padded(values if unmatched_cost is None else values.clamp_max(unmatched_cost), inside, columns)
    made = chosen >= 0
    value = torch.zeros_like(chosen, dtype=values.dtype)
    if values.shape[2]:
        value = values.gather(2, chosen.clamp_min(0)[:, :, None])[:, :, 0]
    if unmatched_cost is not None:
        made = made & (value < unmatched_cost)
    totals = value.masked_fill(~made, 0.0).sum(dim=1)
    _check(values, inside, totals)
    if unmatched_cost is not None:
        totals = totals + unmatched_cost * (rows - made.sum(dim=1)).double()
    return chosen.masked_fill(~made, -1), totals


def _solve_padded(costs: Tensor, inside: Tensor, columns: Tensor) -> Tensor:
    """Columns of the rows; a forbidden pair only where no solution avoids it.

    The solver knows neither sizes nor forbidden pairs: rows of the padding cost nothing, so they take what is left;
    columns of the padding and forbidden pairs cost more than any solution without them.
    """
    batch, height, width = costs.shape
    if not costs.numel():
        return torch.full((batch, height), -1, dtype=torch.int64, device=costs.device)
    if height > width:
        rows = inside.any(dim=2).sum(dim=1)
        partners = _solve_padded(costs.transpose(1, 2), inside.transpose(1, 2), rows)
        return _inverse(partners, height)
    from torch_linear_assignment import batch_linear_assignment

    allowed = inside & torch.isfinite(costs)
    least = costs.masked_fill(~allowed, torch.inf).amin(dim=(1, 2), keepdim=True)
    above = (costs - least).masked_fill(~allowed, 0.0)
    forbidden = above.amax(dim=(1, 2), keepdim=True) * height + 1.0
    real_rows = inside.any(dim=2)
    padded = torch.where(allowed, above, forbidden).masked_fill(~real_rows[:, :, None], 0.0)
    chosen: Tensor = batch_linear_assignment(padded.contiguous())
    return chosen.masked_fill(~real_rows | (chosen >= columns[:, None]), -1)


def _check(values: Tensor, inside: Tensor, totals: Tensor) -> None:
    """Raise what the solver would have hidden."""
    bad = (torch.isnan(values) | (values == -torch.inf)) & inside
    if bool((bad.any() | ~torch.isfinite(totals).all()).item()):
        if bad.any():
            problem, row, column = bad.nonzero()[0].tolist()
            raise not_a_cost(problem, row, column, float(values[problem, row, column]))
        raise no_solution(int((~torch.isfinite(totals)).nonzero()[0]))


def _inverse(partners: Tensor, width: int) -> Tensor:
    """From the partner of each of `width` rows, -1 for none, to the row of each partner."""
    batch, count = partners.shape
    found = torch.full((batch, width + 1), -1, dtype=torch.int64, device=partners.device)
    slots = partners.where(partners >= 0, width)  # a last slot for those without a partner
    return found.scatter(1, slots, torch.arange(count, device=partners.device).expand(batch, count))[:, :width]
