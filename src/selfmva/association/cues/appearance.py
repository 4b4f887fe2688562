"""Appearance: boxes of one person look alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.association.cues.base import Cue, LearningContext
from selfmva.core.packed_boxes import unit_length
from selfmva.matching.distances import products_of_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from selfmva.association.cues.base import BoxBatch
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.matching.posterior.fusion import Comparison


@dataclass(frozen=True, eq=False)
class AppearanceCue(Cue):
    """Cosine distances of features, 0 to 2."""

    name = "appearance"

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        return None if model.appearance is None else cls()

    def read(self, batch: BoxBatch) -> NDArray[np.float32]:
        """`(M, D)` features of length 1; NaN where not known."""
        if batch.features is None:
            return np.full((len(batch.boxes), 1), np.nan, np.float32)
        return unit_length(batch.features)

    def distances(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> FloatArray:
        """See `Cue`."""
        return cosine_distances(first, second)

    def distances_of_pairs(self, readings: NDArray[np.float32], first: IntArray, second: IntArray) -> FloatArray:
        """See `Cue`."""
        return np.asarray(
            1.0 - products_of_pairs(readings, first, second, np.empty(len(first), np.float32)), dtype=np.float64
        )

    def learn_tables(
        self,
        comparisons: Mapping[ViewPair, Comparison],  # noqa: ARG002
        context: LearningContext,  # noqa: ARG002
    ) -> dict[ViewPair, DistanceTable]:
        """None, for shifted instants show the same people.

        They are learnt from whom the other cues bring together, and added to those in full, for the errors of both have
        nothing to do with each other: see `selfmva.association.learning`.
        """
        return {}


def cosine_distances(first: NDArray[np.float32], second: NDArray[np.float32]) -> FloatArray:
    """`(N, M)` cosine distances, 0 to 2, of features `(N, D)` and `(M, D)` of length 1; NaN where one is not known."""
    return np.asarray(1.0 - first @ second.T, dtype=np.float64)
