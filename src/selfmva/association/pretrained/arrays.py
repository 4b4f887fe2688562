"""What an associator has learnt as named arrays, and back: encoder, head lines, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association import cues
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.distance_table import DistanceTable
from selfmva.matching.posterior.fusion import FusedTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from selfmva.core.types import FloatArray
    from selfmva.core.view_pairs import ViewPair

    Arrays = dict[str, NDArray[Any]]

ENCODER = "encoder."
NUMBERED_CUES = ("embedding", "floor", "head_lines", "appearance")  # of formats 2 to 4
NUMBERS = tuple(map(str, range(len(NUMBERED_CUES))))
RENAMED_PARTS = {"true_share": "true_fraction"}  # of tables, since format 5


def to_arrays(
    weights: Mapping[str, Tensor] | None,
    lines: Mapping[ViewPair, FloatArray],
    tables: Mapping[ViewPair, FusedTable] | None,
) -> Arrays:
    """Everything by name.

    Args:
        weights: State of the encoder; None without one.
        lines: Fundamental matrices of head points by view pair.
        tables: What distances mean, by view pair.
    """
    arrays: Arrays = {f"{ENCODER}{name}": tensor.detach().cpu().numpy() for name, tensor in (weights or {}).items()}
    arrays |= {f"lines.{i}.{j}": matrix for (i, j), matrix in lines.items()}
    for (i, j), fused in (tables or {}).items():
        arrays[f"tables.{i}.{j}.bias"] = np.array(fused.bias)
        for cue, table in fused.tables.items():
            prefix = f"tables.{i}.{j}.{cue}"
            arrays[f"{prefix}.weight"] = np.array(fused.weights[cue])
            arrays[f"{prefix}.distances"] = table.distances
            arrays[f"{prefix}.log_odds"] = table.log_odds
            arrays[f"{prefix}.true_fraction"] = np.array(table.true_fraction)
    return arrays


def from_arrays(
    arrays: Arrays, views: int, *, numbered_cues: bool = False
) -> tuple[dict[str, Tensor] | None, dict[ViewPair, FloatArray], dict[ViewPair, FusedTable] | None]:
    """The inverse of `to_arrays`.

    Args:
        arrays: By name.
        views: Number of views.
        numbered_cues: True for formats that knew cues by number.

    Returns:
        Weights, lines and tables.

    Raises:
        ValueError: An array is unknown, not finite, or of a wrong shape; names it.
        KeyError: One is missing.
    """
    infinite = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if infinite:
        raise ValueError(f"{infinite[0]} is not finite")
    if numbered_cues:
        arrays = _named(arrays)
    pairs = view_pairs(views)
    weights = _weights(arrays)
    lines = {(i, j): _lines(arrays[f"lines.{i}.{j}"]) for i, j in pairs if f"lines.{i}.{j}" in arrays}
    tables = {(i, j): _fused(arrays, f"tables.{i}.{j}") for i, j in pairs if f"tables.{i}.{j}.bias" in arrays}
    unknown = set(arrays) - set(to_arrays(weights, lines, tables))
    if unknown:
        raise ValueError(
            f"unknown {', '.join(sorted(unknown))}; known cues are {', '.join(cue.name for cue in cues.CUES)}"
        )
    if tables and len(tables) < len(pairs):
        raise ValueError(f"tables of {len(tables)} view pairs, expected all {len(pairs)}")
    return weights, lines, tables or None


def _named(arrays: Arrays) -> Arrays:
    """Arrays of a format that knew cues by number, as they are called now."""
    named: Arrays = {}
    for name, array in arrays.items():
        match name.split("."):
            case ["tables", i, j, "weights"]:
                if array.ndim != 1 or len(array) > len(NUMBERED_CUES):
                    raise ValueError(f"{name} of shape {array.shape}, expected at most {len(NUMBERED_CUES)} cues")
                of_cues = zip(NUMBERED_CUES, array, strict=False)
                named |= {
                    f"tables.{i}.{j}.{cue}.weight": weight
                    for number, (cue, weight) in enumerate(of_cues)
                    if f"tables.{i}.{j}.{number}.distances" in arrays
                }
            case ["tables", i, j, number, part] if number in NUMBERS:
                named[f"tables.{i}.{j}.{NUMBERED_CUES[int(number)]}.{RENAMED_PARTS.get(part, part)}"] = array
            case _:
                named[name] = array
    return named


def _weights(arrays: Arrays) -> dict[str, Tensor] | None:
    """Float32, of whatever precision they were saved in."""
    found = {name.removeprefix(ENCODER): array for name, array in arrays.items() if name.startswith(ENCODER)}
    if not found:
        return None
    import torch  # a model without an encoder answers sooner than torch is imported

    return {name: torch.from_numpy(array.astype(np.float32)) for name, array in found.items()}


def _lines(array: NDArray[Any]) -> FloatArray:
    if array.shape != (3, 3):
        raise ValueError(f"a fundamental matrix of shape {array.shape}, expected (3, 3)")
    return array.astype(np.float64)


def _fused(arrays: Arrays, prefix: str) -> FusedTable:
    found = {cue.name: _table(arrays, f"{prefix}.{cue.name}") for cue in cues.CUES}
    tables = {name: table for name, table in found.items() if table is not None}
    weights = {name: float(arrays[f"{prefix}.{name}.weight"]) for name in tables}
    return FusedTable(tables, weights, float(arrays[f"{prefix}.bias"]))


def _table(arrays: Arrays, prefix: str) -> DistanceTable | None:
    if f"{prefix}.distances" not in arrays:
        return None
    distances, log_odds = (arrays[f"{prefix}.{part}"] for part in ("distances", "log_odds"))
    if distances.ndim != 1 or distances.shape != log_odds.shape or not len(distances) or (np.diff(distances) < 0).any():
        raise ValueError(f"{prefix} has no increasing distances with log-odds for each")
    true_fraction = float(arrays[f"{prefix}.true_fraction"])
    return DistanceTable(distances.astype(np.float64), log_odds.astype(np.float64), true_fraction)
