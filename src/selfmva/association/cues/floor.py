"""The floor: boxes of one person stand at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from selfmva.association.cues.base import Cue, LearningContext
from selfmva.geometry.floor_likelihood import distances_on_floor
from selfmva.training.pseudo_labels import floor_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from selfmva.association.cues.base import BoxBatch
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.geometry.floor import Floor
    from selfmva.geometry.floor_likelihood import FloorReadings
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.matching.posterior.fusion import Comparison


@dataclass(frozen=True, eq=False)
class FloorCue(Cue):
    """How far two boxes are from standing at one place; see `selfmva.geometry.floor_likelihood`.

    Attributes:
        floor: The common floor.
    """

    name = "floor"
    absolute = True
    floor: Floor

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        return None if model.floor is None else cls(model.floor)

    def read(self, batch: BoxBatch) -> FloorReadings:
        """Where the boxes may stand."""
        return self.floor.read(batch.boxes, batch.view)

    def distances(self, first: FloorReadings, second: FloorReadings) -> FloatArray:
        """See `Cue`; NaN where a view is not on the floor."""
        return distances_on_floor(first, second)

    def pairs_to_compare(
        self,
        pairs: Sequence[ViewPair],  # noqa: ARG002
        context: LearningContext,  # noqa: ARG002
    ) -> Collection[ViewPair]:
        """None: single views tell."""
        return ()

    def learn_tables(
        self, comparisons: Mapping[ViewPair, Comparison], context: LearningContext
    ) -> dict[ViewPair, DistanceTable]:
        """One table for all pairs of views on the floor: single views tell how many strangers are near."""
        on_floor = set(self.floor.views_on_floor)
        table = floor_table(self.floor, context.recording)
        return {pair: table for pair in comparisons if set(pair) <= on_floor}
