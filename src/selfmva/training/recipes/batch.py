"""The batch recipe: many instants a step, and every pair of them told apart at once.

For B instants, all B x B image distances of a view pair are computed from one pass of the encoder; the synchronous
ones are the targets of a cross-entropy over rows and columns. A triplet compares one negative, this compares B - 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.core.packed_boxes import gather, jitter
from selfmva.core.view_pairs import view_pairs
from selfmva.losses.pseudo_labels import consensus_loss
from selfmva.losses.reprojection import reprojection_loss
from selfmva.losses.synchronization import contrastive_loss
from selfmva.matching.distances import pairwise_distances
from selfmva.matching.image_distances import image_distances
from selfmva.pretext.sampler import check_anchor_view, check_length, sample_instants

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.core.config import BatchSchedule
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import IntArray
    from selfmva.encoders.box import BoxEncoder
    from selfmva.training.pseudo_labels import Consensus

WARM_UP_STEPS = 50


class BatchObjective:
    """Steps, step sizes and losses of the batch recipe on one recording.

    Args:
        recording: The boxes to learn from.
        recipe: The schedule.
        seed: Source of all draws.
        consensus: Matches that geometry is sure of, to learn from beside synchronization.

    Raises:
        InputError: The recording is too short or the anchor view is not there.
    """

    def __init__(
        self, recording: PackedBoxes, recipe: BatchSchedule, seed: int, consensus: Consensus | None = None
    ) -> None:
        check_length(len(recording), recipe.minimum_shift)
        views = recording.views
        check_anchor_view(recipe.anchor_view, views)
        self.recording = recording
        self.recipe = recipe
        self.seed = seed
        self.steps: int = recipe.steps
        fixed = recipe.anchor_view
        self.consensus = consensus
        self.pairs: list[tuple[int, int]] = [pair for pair in view_pairs(views) if (fixed is None or fixed in pair)]
        self.drawn: IntArray = np.arange(len(recording)) if consensus is None else consensus.known
        crowd = max(float(recording.count.sum()) / len(recording), 1.0)  # boxes an instant
        least = 4 if consensus is None else 2  # what synchronization needs is told
        self.instants: int = int(np.clip(recipe.boxes / crowd, least, recipe.instants))

    def learning_rate(self, step: int) -> float:
        """Warm-up, then a cosine to zero."""
        warm = min(1.0, (step + 1) / WARM_UP_STEPS)
        return self.recipe.learning_rate * warm * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))

    def averages_after(self, step: int) -> bool:  # noqa: ARG002
        """Never: the step size ends at zero, so the last weights are an average already."""
        return False

    def loss(self, encoder: BoxEncoder, step: int) -> Tensor | None:
        """The loss of one step; None where no image of the batch shows anybody."""
        rng = np.random.default_rng([self.seed, step])
        instants = self.drawn[sample_instants(rng, len(self.drawn), self.instants)]
        batch = gather(self.recording, instants)
        if len(batch.boxes) == 0:
            return None
        device = encoder.view_tokens.device
        boxes = torch.from_numpy(jitter(batch, self.recipe.jitter, rng).boxes).to(device)
        view = torch.from_numpy(batch.view).to(device)
        embeddings = encoder(boxes, view)
        distances = pairwise_distances(embeddings.float())
        loss = self._synchronization_loss(distances, instants, batch)
        if self.consensus is not None:
            matches = self.consensus.rows(instants, batch).to(device)
            image = torch.from_numpy(np.repeat(np.arange(batch.count.size), batch.count.reshape(-1))).to(device)
            loss = loss + consensus_loss(distances, image, matches, self.recipe.temperature)
        if self.recipe.reprojection:
            decoded = encoder.decode(embeddings)
            loss = loss + reprojection_loss(decoded, view, encoder.targets(boxes, view))
        return loss

    def _synchronization_loss(self, distances: Tensor, instants: IntArray, batch: PackedBoxes) -> Tensor:
        images, seen = image_distances(distances, batch.start, batch.count, self.pairs)
        apart = np.abs(instants[:, None] - instants[None, :])
        comparable = torch.from_numpy((apart == 0) | (apart >= self.recipe.minimum_shift)).to(distances.device)
        return contrastive_loss(images, seen & comparable, self.recipe.temperature)
