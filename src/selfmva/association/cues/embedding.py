"""The embedding: boxes of one person are near each other in the space of the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.association.cues.base import Cue, LearningContext
from selfmva.matching.distances import pairwise_distances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from selfmva.association.cues.base import BoxBatch
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.encoders.box import BoxEncoder
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.matching.posterior.fusion import Comparison


@dataclass(frozen=True, eq=False)
class EmbeddingCue(Cue):
    """L2 distances of embeddings.

    Attributes:
        encoder: Trained.
    """

    name = "embedding"
    encoder: BoxEncoder

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        return None if model.encoder is None else cls(model.encoder)

    def read(self, batch: BoxBatch) -> Tensor:
        """`(M, 768)` float32 on the device of the encoder."""
        return self.encoder.embed(batch.boxes if batch.jittered is None else batch.jittered, batch.view)

    def distances(self, first: Tensor, second: Tensor) -> FloatArray:
        """See `Cue`."""
        return np.asarray(pairwise_distances(first, second).cpu().numpy(), dtype=np.float64)

    def learn_tables(
        self, comparisons: Mapping[ViewPair, Comparison], context: LearningContext
    ) -> dict[ViewPair, DistanceTable]:
        """Of the view pairs alone whose embedding is proven: where it remembers, near and far are no evidence."""
        proven = {pair: found for pair, found in comparisons.items() if pair in context.embedded_pairs}
        return super().learn_tables(proven, context)
