"""Fit, score and time, and the tables that say so."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import numpy as np
from _learnt import trusted_homographies, views_on_floor
from tabulate import tabulate

from selfmva import Associator, evaluate
from selfmva.errors import LearntNothingWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _parts import Labelled

    from selfmva.core.types import Frame, View


@dataclass(frozen=True)
class Fit:
    """What fit or adapt left behind, and what it cost."""

    associator: Associator
    cpu_seconds: float
    wall_seconds: float
    warned: bool

    @property
    def trusted(self) -> int | None:
        """Number of trusted view pairs."""
        found = trusted_homographies(self.associator)
        return None if found is None else len(found)


def fit(views: Sequence[View], frames: list[Frame], seed: int, **options: Any) -> Fit:
    """Fit a new associator."""
    return timed(lambda: Associator(seed=seed, **options).fit(views, frames))


def timed(call: Callable[[], Associator]) -> Fit:
    """Run `fit` or `adapt`; its warnings are printed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wall, cpu = time.perf_counter(), time.process_time()
        associator = call()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    for warning in caught:
        print(f"  {warning.category.__name__}: {shorten(str(warning.message), 100)}", flush=True)
    return Fit(associator, cpu, wall, any(issubclass(warning.category, LearntNothingWarning) for warning in caught))


def score(fitted: Fit, test: list[Labelled], reference: float) -> dict[str, float | None]:
    """One line of a table; `reference` is the average precision that 1.000 of the column "share" stands for."""
    scores = evaluate(fitted.associator, test)
    return {
        "AP": scores.average_precision,
        "share": scores.average_precision / reference,
        "F1": scores.f1,
        "ECE": scores.calibration_error,
        "precision": scores.precision,
        "recall": scores.recall,
        "CPU s": fitted.cpu_seconds,
        "wall s": fitted.wall_seconds,
        "trusted": fitted.trusted,
        "on floor": views_on_floor(fitted.associator),
    }


class Table:
    """Collects one line per recording and seed, printed as they come; then medians and the worst of the seeds."""

    def __init__(self, title: str) -> None:
        print(f"\n## {title}", flush=True)
        self._lines: dict[str, list[tuple[int, dict[str, float | None]]]] = {}

    def add(self, name: str, seed: int, values: dict[str, float | None]) -> None:
        """Take one measurement."""
        self._lines.setdefault(name, []).append((seed, values))
        print(f"{name}, seed {seed}: " + ", ".join(f"{k} {_cell(k, v)}" for k, v in values.items()), flush=True)

    def show(self) -> None:
        """Print medians, the worst in brackets, and the seed of the least AP."""
        rows = []
        for name, measured in self._lines.items():
            columns = {key: [values[key] for _, values in measured] for key in measured[0][1]}
            worst = min(measured, key=lambda entry: entry[1]["AP"])[0]
            rows.append({"": name} | {key: _summary(key, found) for key, found in columns.items()} | {"worst": worst})
        print("\n" + tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True), flush=True)


def _summary(key: str, values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    worst = max(known) if key == "ECE" or key.endswith(" s") else min(known)
    return f"{_cell(key, float(np.median(known)))} ({_cell(key, worst)})"


def _cell(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    if key.endswith(" s"):
        return f"{value:.1f}"
    return f"{value:.0f}" if key in ("trusted", "on floor") else f"{value:.3f}"
