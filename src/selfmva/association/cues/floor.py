"""The floor: boxes of one person stand at one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from selfmva.association.cues.base import Cue, LearningContext
from selfmva.geometry.floor_likelihood import distances_of_pairs_on_floor, distances_on_floor
from selfmva.geometry.floor_pairs import pairs_on_floor
from selfmva.training.pseudo_labels import floor_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from selfmva.association.cues.base import BoxBatch, NearPairs
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, IntArray
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
    local = True
    floor: Floor

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        # Of people whose joints are known, boxes end where these do, which is not where people stand.
        return None if model.floor is None or model.joints is not None else cls(model.floor)

    def read(self, batch: BoxBatch) -> FloorReadings:
        """Where the boxes may stand."""
        return self.floor.read(batch.boxes, batch.view)

    def distances(self, first: FloorReadings, second: FloorReadings) -> FloatArray:
        """See `Cue`; NaN where a view is not on the floor."""
        return distances_on_floor(first, second)

    def distances_of_pairs(self, readings: FloorReadings, first: IntArray, second: IntArray) -> FloatArray:
        """See `Cue`."""
        return distances_of_pairs_on_floor(readings[first], readings[second])

    def pairs_within(self, readings: FloorReadings, frame: IntArray, view: IntArray, farthest: float) -> NearPairs:
        """See `Cue`, and `selfmva.geometry.floor_pairs`."""
        return pairs_on_floor(readings, frame, view, farthest)

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
