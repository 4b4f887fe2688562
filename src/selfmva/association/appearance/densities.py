"""Distances of appearance of one person and of two: their densities, and what limits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, TABLE_FIT, DistanceTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.types import FloatArray

ViewPair = tuple[int, int]
HIDDEN_FRACTION = 0.02  # of the boxes show somebody else, who stands in front: bounds what a large distance says
SMALLEST_SPREAD = 0.02  # standard deviation of cosine distances, which keeps densities finite


class AppearanceModel(NamedTuple):
    """Distances of appearance: of strangers around `strangers`, of one person around `strangers - gap`.

    Attributes:
        strangers: Mean distance of two people, by view pair.
        gap: How much nearer one person is.
        spread_same: Standard deviation of distances of one person.
        spread_other: Standard deviation of distances of two people.
    """

    strangers: Mapping[ViewPair, float]
    gap: float
    spread_same: float
    spread_other: float

    @property
    def separation(self) -> float:
        """The gap in standard deviations: d', the sensitivity index of signal detection."""
        return float(self.gap / np.sqrt((self.spread_same**2 + self.spread_other**2) / 2))

    def log_ratio(self, pair: ViewPair, distances: FloatArray, largest: float = LARGEST_LOG_ODDS) -> FloatArray:
        """Log-ratio of the densities of one person and of two, bounded; it never rises with the distance.

        Normal densities of unequal spread cross twice. Beyond the point where a small distance would count against one
        person, or a large one for it, the ratio stays what it is there.
        """
        same, other = 1 / self.spread_same**2, 1 / self.spread_other**2
        away = np.asarray(distances) - self.strangers[pair]
        if abs(same - other) > 1e-9:
            turn = -self.gap * same / (same - other)
            away = np.maximum(away, turn) if same > other else np.minimum(away, turn)
        ratio = 0.5 * (other * away**2 - same * (away + self.gap) ** 2) + np.log(self.spread_other / self.spread_same)
        ratio = np.clip(ratio, -largest, largest)
        return np.asarray(np.log((1.0 - HIDDEN_FRACTION) * np.exp(ratio) + HIDDEN_FRACTION))


class Limits(NamedTuple):
    """What single views say of appearance between views, where nothing else does.

    Attributes:
        spread: The least. Whoever stands still keeps one appearance for minutes, and a model that fits them alone would
            be the most likely one of all.
        strangers: The least mean distance of two people: they are no nearer in two views than in one.
    """

    spread: float
    strangers: float


NO_LIMITS = Limits(SMALLEST_SPREAD, 0.0)


def as_table(model: AppearanceModel, pair: ViewPair, largest: float = 2.0) -> DistanceTable:
    """The log-ratio as a table.

    Args:
        model: What was learnt.
        pair: The view pair.
        largest: Distance where the table ends; cosine distances end at 2.

    Returns:
        A table whose odds are the ratio of the densities alone: its fraction of true pairs is a half.
    """
    knots = np.linspace(0.0, largest, 4 * TABLE_FIT.knots)
    return DistanceTable(knots, model.log_ratio(pair, knots), 0.5)
