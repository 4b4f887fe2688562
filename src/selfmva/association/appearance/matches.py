"""Appearance matches: boxes of two views that are likely to be one person, before anything else is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.appearance import learn_appearance, stack_blocks
from selfmva.association.appearance.em import scores
from selfmva.association.appearance.within_views import own_distances
from selfmva.association.cues.appearance import cosine_distances
from selfmva.core.thinning import evenly_spaced
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.marginals import matching_marginals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import IntArray, View


@dataclass(frozen=True)
class AppearanceMatchingSettings:
    """Matches by appearance alone."""

    most_instants: int = 400  # more would tell nothing new
    most_box_pairs: int = 100_000  # of all view pairs together; more would tell nothing new
    likely: float = 0.5  # posterior from where on two boxes match


MATCHING = AppearanceMatchingSettings()


def match_by_appearance(
    packed: PackedBoxes, views: Sequence[View], minimum_shift: int
) -> dict[tuple[int, int], tuple[IntArray, IntArray]]:
    """Boxes of two views that are likely to be one person by what they look like.

    Args:
        packed: A recording.
        views: The cameras, in the order in which it is packed.
        minimum_shift: See `own_distances`.

    Returns:
        By view pair, `(K,)` rows of boxes of the first view and of the second among all boxes of their view, instant
        after instant; empty where appearance tells nothing.
    """
    if packed.features is None:
        return {}
    features = packed.features
    pairs = view_pairs(packed.views)
    box_pairs = sum((packed.count[:, i] * packed.count[:, j] for i, j in pairs), start=np.zeros(len(packed), np.int64))
    size = min(len(packed), MATCHING.most_instants, int(MATCHING.most_box_pairs / max(box_pairs.mean(), 1.0)) + 1)
    instants = evenly_spaced(len(packed), size)
    evidence = {
        (i, j): stack_blocks(
            [cosine_distances(features[packed.rows(t, i)], features[packed.rows(t, j)]) for t in instants.tolist()],
            None,
        )
        for i, j in pairs
    }
    verdict = learn_appearance(evidence, own_distances(packed, views, minimum_shift))
    if verdict.model is None:
        return {}
    before = np.cumsum(packed.count, axis=0) - packed.count
    found = {}
    for pair, entry in evidence.items():
        if pair in verdict.bias:
            likely = matching_marginals(scores(pair, entry, verdict.model, verdict.bias)) > MATCHING.likely
            number, one, other = np.nonzero(likely)
            found[pair] = (before[instants[number], pair[0]] + one, before[instants[number], pair[1]] + other)
    return found
