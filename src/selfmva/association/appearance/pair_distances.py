"""What is known of the boxes of two views: distances of appearance, and what geometry says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray

APPEARANCE_BLOCKS = 8  # of a recording, between which chance is measured


@dataclass(frozen=True, eq=False)
class PairEvidence:
    """Boxes of two views at F synchronous instants.

    Attributes:
        distances: `(F, N, M)` distances of appearance; NaN where it is not known, and in the padding.
        scores: `(F, N, M)` log-odds by geometry of each pair on its own, -inf in the padding.
        has_geometry: Whether geometry tells anything of this view pair; else scores are 0.
    """

    distances: FloatArray
    scores: FloatArray
    has_geometry: bool

    def without_geometry(self) -> PairEvidence:
        """The same without geometry."""
        return PairEvidence(self.distances, np.where(np.isneginf(self.scores), -np.inf, 0.0), has_geometry=False)

    def blocks(self) -> IntArray:
        """`(F,)` the block of the recording that each instant is in."""
        return np.arange(len(self.distances)) * APPEARANCE_BLOCKS // max(len(self.distances), 1)


def stack_blocks(distances: Sequence[FloatArray], scores: Sequence[FloatArray] | None) -> PairEvidence:
    """Pad the blocks of one view pair to one size.

    Args:
        distances: F arrays `(N_f, M_f)`.
        scores: As many of the same shapes, log-odds by geometry; None where there is none.

    Returns:
        The evidence of the view pair.

    Example:
        >>> stack_blocks([np.zeros((1, 2)), np.zeros((2, 1))], None).distances.shape
        (2, 2, 2)
    """
    size = np.max([(0, 0), *(block.shape for block in distances)], axis=0)
    padded = np.full((len(distances), *size), np.nan)
    odds = np.full(padded.shape, -np.inf)
    for number, block in enumerate(distances):
        where = (number, slice(block.shape[0]), slice(block.shape[1]))
        padded[where] = block
        odds[where] = 0.0 if scores is None else scores[number]
    return PairEvidence(padded, odds, has_geometry=scores is not None)
