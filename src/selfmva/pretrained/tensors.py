"""What an associator has learnt as named tensors, and back: encoder, head lines, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from selfmva.affinity import DistanceTable
from selfmva.cues import CUES
from selfmva.fusion import FusedTable
from selfmva.matching.cost import view_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from selfmva.evidence import Tables
    from selfmva.types import FloatArray

ENCODER = "encoder."


def to_tensors(
    weights: Mapping[str, Tensor] | None, lines: Mapping[tuple[int, int], FloatArray], tables: Tables | None
) -> dict[str, Tensor]:
    """Everything by name, on the CPU.

    Args:
        weights: State of the encoder; None without one.
        lines: Fundamental matrices of head points by view pair.
        tables: What distances mean, by view pair.
    """
    tensors = {f"{ENCODER}{name}": tensor.detach().cpu() for name, tensor in (weights or {}).items()}
    tensors |= {f"lines.{i}.{j}": torch.from_numpy(matrix) for (i, j), matrix in lines.items()}
    for (i, j), fused in (tables or {}).items():
        tensors[f"tables.{i}.{j}.weights"] = torch.tensor(fused.weights)  # a copy: view pairs share the array
        tensors[f"tables.{i}.{j}.bias"] = torch.tensor(fused.bias, dtype=torch.float64)
        for cue, table in enumerate(fused.tables):
            if table is not None:
                prefix = f"tables.{i}.{j}.{cue}"
                tensors[f"{prefix}.distances"] = torch.from_numpy(table.distances)
                tensors[f"{prefix}.log_odds"] = torch.from_numpy(table.log_odds)
                tensors[f"{prefix}.true_share"] = torch.tensor(table.true_share, dtype=torch.float64)
    return tensors


def from_tensors(
    tensors: Mapping[str, Tensor], views: int
) -> tuple[dict[str, Tensor] | None, dict[tuple[int, int], FloatArray], Tables | None]:
    """The inverse of `to_tensors`.

    Args:
        tensors: By name.
        views: Number of views.

    Returns:
        Weights, lines and tables.

    Raises:
        ValueError: A tensor is unknown, missing, not finite, or of a wrong shape; names it.
    """
    infinite = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if infinite:
        raise ValueError(f"{infinite[0]} is not finite")
    weights = {k.removeprefix(ENCODER): v.float() for k, v in tensors.items() if k.startswith(ENCODER)} or None
    pairs = view_pairs(views)
    lines = {(i, j): _lines(tensors[f"lines.{i}.{j}"]) for i, j in pairs if f"lines.{i}.{j}" in tensors}
    tables = {(i, j): _fused(tensors, f"tables.{i}.{j}") for i, j in pairs if f"tables.{i}.{j}.weights" in tensors}
    unknown = set(tensors) - set(to_tensors(weights, lines, tables))
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    if tables and len(tables) < len(pairs):
        raise ValueError(f"tables of {len(tables)} view pairs, expected all {len(pairs)}")
    return weights, lines, tables or None


def _lines(tensor: Tensor) -> FloatArray:
    if tensor.shape != (3, 3):
        raise ValueError(f"a fundamental matrix of shape {tuple(tensor.shape)}, expected (3, 3)")
    return tensor.double().numpy()


def _fused(tensors: Mapping[str, Tensor], prefix: str) -> FusedTable:
    weights = tensors[f"{prefix}.weights"]
    if weights.ndim != 1 or len(weights) > len(CUES):
        raise ValueError(f"{prefix}.weights of shape {tuple(weights.shape)}, expected at most {len(CUES)} cues")
    cues = tuple(_table(tensors, f"{prefix}.{cue}") for cue in range(len(weights)))
    return FusedTable(cues, weights.double().numpy(), float(tensors[f"{prefix}.bias"]))


def _table(tensors: Mapping[str, Tensor], prefix: str) -> DistanceTable | None:
    if f"{prefix}.distances" not in tensors:
        return None
    distances, log_odds = (tensors[f"{prefix}.{part}"] for part in ("distances", "log_odds"))
    if distances.ndim != 1 or distances.shape != log_odds.shape or not len(distances) or (distances.diff() < 0).any():
        raise ValueError(f"{prefix} has no increasing distances with log-odds for each")
    return DistanceTable(distances.double().numpy(), log_odds.double().numpy(), float(tensors[f"{prefix}.true_share"]))
