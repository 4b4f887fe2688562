"""The embedding: boxes of one person are near each other in the space of the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.association.cues.base import Cue, LearningContext
from selfmva.matching.distances import SMALLEST_SQUARE, products_of_pairs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from torch import Tensor

    from selfmva.association.cues.base import BoxBatch
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.encoders.box import BoxEncoder
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.matching.posterior.fusion import Comparison


class Embeddings:
    """Embeddings of M boxes.

    Attributes:
        points: `(M, 768)` float32 on the device of the encoder.
        squares: `(M,)` their squared lengths.
    """

    __slots__ = ("points", "squares")

    def __init__(self, points: Tensor, squares: Tensor) -> None:
        self.points: Tensor = points
        self.squares: Tensor = squares

    def __getitem__(self, rows: slice) -> Embeddings:
        """The embeddings of some of the boxes."""
        return Embeddings(self.points[rows], self.squares[rows])


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

    def read(self, batch: BoxBatch) -> Embeddings:
        """Where the encoder puts the boxes."""
        import torch

        boxes = batch.boxes if batch.jittered is None else batch.jittered
        with torch.inference_mode():
            points = self.encoder.embed(boxes, batch.view)
            return Embeddings(points, points.square().sum(dim=1))

    def distances(self, first: Embeddings, second: Embeddings) -> FloatArray:
        """See `Cue`; as `selfmva.matching.distances.pairwise_distances`, in place, for blocks are small and many."""
        squares = (first.points @ second.points.T).mul_(-2.0).add_(first.squares[:, None]).add_(second.squares)
        return np.asarray(squares.clamp_min_(SMALLEST_SQUARE).sqrt_().cpu().numpy(), dtype=np.float64)

    def distances_of_pairs(self, readings: Embeddings, first: IntArray, second: IntArray) -> FloatArray:
        """See `Cue`."""
        import torch

        products = products_of_pairs(readings.points, first, second, readings.points.new_empty(len(first)))
        one, other = (torch.from_numpy(rows).to(readings.points.device) for rows in (first, second))
        squares = products.mul_(-2.0).add_(readings.squares[one]).add_(readings.squares[other])
        return np.asarray(squares.clamp_min_(SMALLEST_SQUARE).sqrt_().cpu().numpy(), dtype=np.float64)

    def pairs_to_compare(
        self,
        pairs: Sequence[ViewPair],  # noqa: ARG002
        context: LearningContext,
    ) -> Collection[ViewPair]:
        """Those whose embedding is proven."""
        return context.embedded_pairs

    def learn_tables(
        self, comparisons: Mapping[ViewPair, Comparison], context: LearningContext
    ) -> dict[ViewPair, DistanceTable]:
        """Of the view pairs alone whose embedding is proven: where it remembers, near and far are no evidence."""
        proven = {pair: found for pair, found in comparisons.items() if pair in context.embedded_pairs}
        return super().learn_tables(proven, context)
