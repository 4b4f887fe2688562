"""What synchronization says about learnt distances: whether anything was learnt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.matching.cost import pairwise_distances, view_pairs
from selfmva.matching.images import image_distances
from selfmva.pretext.recording import gather

if TYPE_CHECKING:
    from selfmva.encoders.box import BoxEncoder
    from selfmva.pretext.recording import PackedBoxes
    from selfmva.types import FloatArray, IntArray

CHANCE = 0.5  # accuracy of guessing: one synchronous image against one shifted image
STANDARD_ERRORS = 3.0  # two would do if neighbouring instants did not resemble each other
INSTANTS_TOGETHER = 8  # 7 shifted instants for every synchronous one
MOST_INSTANTS = 1000  # enough for 2-digit accuracy; more would only cost time


@dataclass(frozen=True, eq=False)
class PairSynchrony:
    """How well the images of two views are told apart.

    Attributes:
        boxes: Number of boxes of both views together at the synchronous instants where both show somebody.
        accuracy: `(K,)`, for each instant that could be compared: share of shifted images of the other view that are
            further away than the synchronous one (ties count half); 0.5 is chance.
    """

    boxes: int
    accuracy: FloatArray

    @property
    def better_than_chance(self) -> bool:
        """True where the accuracy exceeds chance by STANDARD_ERRORS standard errors."""
        if len(self.accuracy) < 2:
            return False
        error = float(np.std(self.accuracy) / np.sqrt(len(self.accuracy)))
        return float(np.mean(self.accuracy)) - STANDARD_ERRORS * error > CHANCE


def measure_synchrony(
    encoder: BoxEncoder, recording: PackedBoxes, time: IntArray, minimum_shift: int
) -> dict[tuple[int, int], PairSynchrony]:
    """Compare synchronous and shifted instants of every view pair.

    Args:
        encoder: A trained encoder.
        recording: T instants.
        time: `(T,)` increasing numbers of the instants; differences tell which are shifted.
        minimum_shift: Instants nearer than this are neither synchronous nor shifted.

    Returns:
        For every view pair (i, j), i < j, what was measured.
    """
    pairs = view_pairs(recording.views)
    collected: dict[tuple[int, int], list[tuple[int, FloatArray]]] = {pair: [] for pair in pairs}
    for instants in _far_apart(len(recording)):
        part = gather(recording, instants)
        with torch.inference_mode():
            distances = pairwise_distances(encoder(part.boxes, part.view).float())
        images, seen = image_distances(distances, part.start, part.count, pairs)
        apart = np.abs(time[instants][:, None] - time[instants][None, :]) >= minimum_shift
        for number, (i, j) in enumerate(pairs):
            both = (part.count[:, i] > 0) & (part.count[:, j] > 0)
            accuracy = _accuracy(images[number].cpu().numpy(), seen[number].cpu().numpy(), apart)
            boxes = int(part.count[both][:, (i, j)].sum())
            collected[i, j].append((boxes, accuracy))
    measured = {}
    for pair, parts in collected.items():
        accuracies = [accuracy for _, accuracy in parts]
        measured[pair] = PairSynchrony(sum(boxes for boxes, _ in parts), np.concatenate([np.zeros(0), *accuracies]))
    return measured


def _far_apart(instants: int) -> list[IntArray]:
    """Sets of about 8 instants spread over the whole recording; each instant in at most one set."""
    chosen = np.unique(np.linspace(0, instants - 1, min(instants, MOST_INSTANTS)).round().astype(np.int64))
    sets = max(len(chosen) // INSTANTS_TOGETHER, 1)
    return [chosen[first::sets] for first in range(sets)] if instants else []


def _accuracy(images: FloatArray, seen: np.ndarray, apart: np.ndarray) -> FloatArray:
    """Share of shifted images that are further away than the synchronous one, per instant."""
    synchronous = images.diagonal()[:, None]
    compared = seen & apart & seen.diagonal()[:, None]
    nearer = np.where(synchronous < images, 1.0, np.where(synchronous == images, 0.5, 0.0))
    count = compared.sum(axis=1)
    return np.asarray((nearer * compared).sum(axis=1)[count > 0] / count[count > 0], dtype=np.float64)
