"""What an associator has learnt, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from selfmva.association.fit_report import FitReport
    from selfmva.association.learning import Tables
    from selfmva.association.pretrained.card import Card
    from selfmva.core.types import FloatArray, View
    from selfmva.geometry.floor import Floor


@dataclass(frozen=True, eq=False)
class SavedAssociator:
    """Everything that an associator has learnt.

    Attributes:
        views: The cameras.
        params: Hyper-parameters as plain values, without the device.
        weights: State of the `BoxEncoder`; None where no embedding was trained.
        floor: The common floor; None where none was found.
        lines: Trusted fundamental matrices of head points, by view pair.
        tables: What distances mean, by view pair; None where nothing was calibrated.
        report: What fit() reported; None where there was no fit.
        appearance: Identity of the encoder by whose features appearance was learnt; None where it was not.
        card: What the rig cannot tell by itself: training data, licence, metrics.
    """

    views: tuple[View, ...]
    params: dict[str, Any]
    weights: dict[str, Tensor] | None
    floor: Floor | None
    lines: Mapping[tuple[int, int], FloatArray]
    tables: Tables | None
    report: FitReport | None
    appearance: str | None = None
    card: Card | None = None
