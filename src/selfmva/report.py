"""What fit() learnt, in numbers and in a sentence."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.synchrony import CHANCE, STANDARD_ERRORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.synchrony import PairSynchrony
    from selfmva.types import View


@dataclass(frozen=True)
class PairReport:
    """What was learnt of one view pair.

    Attributes:
        view_i: Name of the first view.
        view_j: Name of the second view.
        partner_share: Share of the boxes that have a partner in the other view, as the posteriors expect it, in [0, 1].
        synchronization_accuracy: How often the synchronous image is nearer than a shifted one; 0.5 is chance; NaN
            where nothing could be compared.
        calibration: `"not searched"`: no geometry is estimated beside the embedding.
    """

    view_i: str
    view_j: str
    partner_share: float
    synchronization_accuracy: float
    calibration: str = "not searched"


@dataclass(frozen=True)
class FitReport:
    """What fit() learnt.

    Attributes:
        pairs: One entry per view pair.
        synchronization_accuracy: Mean over instants and view pairs; NaN where nothing could be compared.
        standard_error: Its standard error over instants.
        chance: What guessing reaches.
        instants: Number of instants that were measured on.
        held_out: True where these instants were kept from training.
        seconds: Wall-clock time of the fit.
    """

    pairs: tuple[PairReport, ...]
    synchronization_accuracy: float
    standard_error: float
    chance: float
    instants: int
    held_out: bool
    seconds: float

    @property
    def better_than_chance(self) -> bool:
        """True where the accuracy exceeds chance by three standard errors."""
        return self.synchronization_accuracy - STANDARD_ERRORS * self.standard_error > self.chance

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, NaN as None, for JSON."""
        return {
            **_plain(asdict(self)),
            "pairs": [_plain(asdict(pair)) for pair in self.pairs],
            "better_than_chance": self.better_than_chance,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FitReport:
        """The inverse of `to_dict`."""
        own = {k: v for k, v in values.items() if k not in ("pairs", "better_than_chance")}
        return cls(pairs=tuple(PairReport(**_with_nan(pair)) for pair in values["pairs"]), **_with_nan(own))

    def summary(self) -> str:
        """One sentence."""
        where = "held-out" if self.held_out else "training"
        if math.isnan(self.synchronization_accuracy):
            return "nothing could be compared: no two views show people at the same instant"
        verdict = "better than" if self.better_than_chance else "not better than"
        return (
            f"the synchronous image is nearer than a shifted one in {self.synchronization_accuracy:.1%} of the "
            f"comparisons on {self.instants} {where} instants, {verdict} chance ({self.chance:.0%})"
        )

    def __repr__(self) -> str:
        lines = [f"FitReport: {self.summary()}"]
        lines += [
            f"  {pair.view_i} - {pair.view_j}: {pair.partner_share:.0%} of the boxes have a partner, "
            f"synchronization accuracy {pair.synchronization_accuracy:.1%}, calibration {pair.calibration}"
            for pair in self.pairs
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(pair.view_i)}</td><td>{escape(pair.view_j)}</td><td>{pair.partner_share:.0%}</td>"
            f"<td>{pair.synchronization_accuracy:.1%}</td><td>{pair.calibration}</td></tr>"
            for pair in self.pairs
        )
        head = "".join(
            f"<th>{name}</th>" for name in ("view", "view", "with partner", "synchronization accuracy", "calibration")
        )
        return f"<p>{escape(self.summary())}</p><table><tr>{head}</tr>{rows}</table>"


def build_report(
    views: Sequence[View],
    measured: Mapping[tuple[int, int], PairSynchrony],
    partners: Mapping[tuple[int, int], float],
    *,
    instants: int,
    held_out: bool,
) -> FitReport:
    """Put a report together from what was measured.

    Args:
        views: The cameras.
        measured: Of every view pair.
        partners: Of every view pair, the expected number of people seen by both, summed over instants.
        instants: Number of instants that were measured on.
        held_out: True where these were kept from training.

    Returns:
        The report, its time still to be filled in.
    """
    pairs = []
    for (i, j), synchrony in measured.items():
        pairs.append(
            PairReport(
                view_i=views[i].name,
                view_j=views[j].name,
                partner_share=2.0 * partners[i, j] / synchrony.boxes if synchrony.boxes else 0.0,
                synchronization_accuracy=_mean(synchrony.accuracy),
            )
        )
    everything = np.concatenate([np.zeros(0), *(synchrony.accuracy for synchrony in measured.values())])
    # View pairs of one instant are not independent: count instants, not comparisons.
    independent = max(len(synchrony.accuracy) for synchrony in measured.values())
    error = float(np.std(everything) / math.sqrt(independent)) if independent else math.nan
    return FitReport(tuple(pairs), _mean(everything), error, CHANCE, instants, held_out, 0.0)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else math.nan


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}


def _with_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {k: math.nan if v is None else v for k, v in values.items()}
