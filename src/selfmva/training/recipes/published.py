"""The published recipe: one triplet a step.

Source: Self-MVA, sections 3.3 to 3.5 and 4.2 (arXiv 2503.13739).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.losses.edge import edge_distance, unordered_pairs, virtual_boxes
from selfmva.losses.reprojection import reprojection_loss
from selfmva.losses.synchronization import matched_distance, triplet_loss
from selfmva.matching.assignment import solve
from selfmva.matching.published import blended
from selfmva.pretext.sampler import Triplets, check_length, sample_triplets

if TYPE_CHECKING:
    from torch import Tensor

    from selfmva.core.config import PublishedRecipe
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray
    from selfmva.encoders.box import BoxEncoder


@dataclass(frozen=True, eq=False)
class TripletTerms:
    """The terms of one step and the matchings behind them.

    Attributes:
        node_positive: Image distance of anchor and positive.
        node_negative: Image distance of anchor and negative.
        edge_positive: Edge distance of anchor and positive; None without edges.
        edge_negative: Edge distance of anchor and negative; None without edges.
        reprojection: One term for the anchor's boxes, one for the positive's; empty without re-projection.
        match_positive: `(K, 2)` int64, which box of the anchor is which of the positive.
        match_negative: `(K, 2)` int64.
    """

    node_positive: Tensor
    node_negative: Tensor
    edge_positive: Tensor | None
    edge_negative: Tensor | None
    reprojection: tuple[Tensor, ...]
    match_positive: Tensor
    match_negative: Tensor

    def loss(self, margin: float) -> Tensor:
        """The sum that is minimized."""
        total = triplet_loss(self.node_positive, self.node_negative, margin)
        if self.edge_positive is not None and self.edge_negative is not None:
            total = total + triplet_loss(self.edge_positive, self.edge_negative, margin)
        return sum(self.reprojection, start=total)


def match_images(
    rows: Tensor,
    columns: Tensor,
    similarity_threshold: float = 0.0,
    appearance: FloatArray | None = None,
    appearance_fraction: float = 0.0,
) -> Tensor:
    """Match the boxes of two images by their embeddings, and by what they look like.

    Args:
        rows: `(N, D)`, N >= 1.
        columns: `(M, D)`, M >= 1.
        similarity_threshold: Matches whose `1 - distance / largest distance` is below are left out, but the
            best one stays.
        appearance: `(N, M)` L2 distances of features; None where there are none.
        appearance_fraction: Its weight in the blend (see `selfmva.matching.published.blended`).

    Returns:
        `(K, 2)` int64 on the device of `rows`.
    """
    distances = torch.cdist(rows.float(), columns.float()).cpu().numpy()
    if appearance is not None:
        distances = blended(distances, appearance, appearance_fraction)
    one, other = solve(distances).matches(0).T
    if similarity_threshold > 0:
        similarity = 1.0 - distances[one, other] / max(distances.max(), 1e-12)
        keep = similarity >= similarity_threshold
        keep[np.argmax(similarity)] = True
        one, other = one[keep], other[keep]
    return torch.from_numpy(np.stack((one, other), axis=1)).to(rows.device)


def triplet_terms(
    encoder: BoxEncoder,
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    views: tuple[int, int],
    recipe: PublishedRecipe,
    appearance: tuple[FloatArray, FloatArray] | None = None,
) -> TripletTerms:
    """All terms of one triplet, with a single pass through the encoder.

    Args:
        encoder: The encoder that learns.
        anchor: `(N, 4)` boxes of view i at instant t, xyxy in pixels, N >= 1.
        positive: `(M, 4)` boxes of view j at instant t, M >= 1.
        negative: `(K, 4)` boxes of view j at another instant, K >= 1.
        views: i and j.
        recipe: Which terms to compute.
        appearance: `(N, M)` and `(N, K)` L2 distances of features to the positive and to the negative; None: geometry
            alone.

    Returns:
        The terms.
    """
    images = (anchor, positive, negative)
    sizes = [len(boxes) for boxes in images]
    links = [unordered_pairs(size, anchor.device) for size in sizes] if recipe.edges else []
    sets = list(images)
    if recipe.edges:
        sets = [torch.cat((b, virtual_boxes(b, pairs))) for b, (pairs, _) in zip(images, links, strict=True)]
    of_view = torch.tensor((views[0], views[1], views[1]), device=anchor.device)
    encoded = [len(boxes) for boxes in sets]
    view = torch.repeat_interleave(of_view, torch.tensor(encoded, device=anchor.device))
    embeddings = encoder(torch.cat(sets), view)
    with_edges = torch.split(embeddings, encoded)
    a, p, n = (part[:size] for part, size in zip(with_edges, sizes, strict=True))
    with torch.no_grad():
        of_positive, of_negative = appearance or (None, None)
        with_positive = match_images(a, p, recipe.similarity_threshold, of_positive, recipe.appearance_fraction)
        with_negative = match_images(a, n, recipe.similarity_threshold, of_negative, recipe.appearance_fraction)
    edge_positive = edge_negative = None
    if recipe.edges:
        of_a, of_p, of_n = (row_of for _, row_of in links)
        edge_positive = edge_distance(with_edges[0], with_edges[1], of_a, of_p, with_positive)
        edge_negative = edge_distance(with_edges[0], with_edges[2], of_a, of_n, with_negative)
    reprojection: tuple[Tensor, ...] = ()
    if recipe.reprojection:
        reprojection = tuple(
            _reprojection(encoder, part, boxes, number)
            for part, boxes, number in ((a, anchor, views[0]), (p, positive, views[1]))
        )
    return TripletTerms(
        node_positive=matched_distance(a[with_positive[:, 0]], p[with_positive[:, 1]]),
        node_negative=matched_distance(a[with_negative[:, 0]], n[with_negative[:, 1]]),
        edge_positive=edge_positive,
        edge_negative=edge_negative,
        reprojection=reprojection,
        match_positive=with_positive,
        match_negative=with_negative,
    )


def _reprojection(encoder: BoxEncoder, embeddings: Tensor, boxes: Tensor, number: int) -> Tensor:
    view = torch.full((len(boxes),), number, device=boxes.device)
    return reprojection_loss(encoder.decode(embeddings), view, encoder.targets(boxes, view))


class PublishedObjective:
    """Steps, step sizes and losses of the published recipe on one recording.

    Args:
        recording: The boxes to learn from.
        recipe: The schedule.
        seed: Source of all draws.

    Raises:
        InputError: The recording is too short or the anchor view is not there.
    """

    def __init__(self, recording: PackedBoxes, recipe: PublishedRecipe, seed: int) -> None:
        check_length(len(recording), recipe.minimum_shift)
        self.recording = recording
        self.recipe = recipe
        self.seed = seed
        self.steps: int = recipe.epochs * len(recording)
        self._epoch = -1
        self._triplets: Triplets = self._draw(0)

    def learning_rate(self, step: int) -> float:
        """Adam's step size: a tenth from three quarters of the schedule on."""
        return self.recipe.learning_rate * (0.1 if step >= 0.75 * self.steps else 1.0)

    def averages_after(self, step: int) -> bool:
        """After the last step of an epoch of the later part, the weights enter the mean."""
        done = step + 1
        ends_epoch = done % len(self.recording) == 0
        return ends_epoch and self.recipe.average_from * self.steps <= done and self.recipe.average_from < 1.0

    def loss(self, encoder: BoxEncoder, step: int) -> Tensor | None:
        """The loss of one step; None where an image of the triplet is empty, and the step is skipped."""
        recording = self.recording
        epoch, position = divmod(step, len(recording))
        drawn = self._draw(epoch)
        t, other = int(drawn.instant[position]), int(drawn.negative[position])
        i, j = int(drawn.anchor_view[position]), int(drawn.sample_view[position])
        if not (recording.count[t, i] and recording.count[t, j] and recording.count[other, j]):
            return None
        rows = [recording.rows(*where) for where in ((t, i), (t, j), (other, j))]
        device = encoder.view_tokens.device
        anchor, positive, negative = (torch.from_numpy(recording.boxes[part]).to(device) for part in rows)
        terms = triplet_terms(encoder, anchor, positive, negative, (i, j), self.recipe, self._appearance(rows))
        return terms.loss(self.recipe.margin)

    def _appearance(self, rows: list[slice]) -> tuple[FloatArray, FloatArray] | None:
        """Distances of what the boxes look like: of the anchor's to the positive's, and to the negative's."""
        features = self.recording.features
        if features is None or not self.recipe.appearance_fraction:
            return None
        anchor, positive, negative = (torch.from_numpy(features[part]) for part in rows)
        of_positive, of_negative = (torch.cdist(anchor, other).numpy() for other in (positive, negative))
        return of_positive, of_negative

    def _draw(self, epoch: int) -> Triplets:
        if epoch != self._epoch:
            self._epoch = epoch
            self._triplets = sample_triplets(
                np.random.default_rng([self.seed, epoch]),
                len(self.recording),
                self.recording.views,
                minimum_shift=self.recipe.minimum_shift,
                maximum_shift=self.recipe.maximum_shift,
                anchor_view=self.recipe.anchor_view,
            )
        return self._triplets
