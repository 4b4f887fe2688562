"""Tracks of a simulated scene that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from true_floors import true_floor

from selfmva.association.tracks import Tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.datasets.simulated import Simulated


def true_tracks(scene: Simulated, instants: Sequence[int], *, floor: bool = True) -> Tracks:
    """Who is who by the labels; false boxes are nobody's."""
    ids = tuple(tuple(np.maximum(part, -1) for part in scene.identities(t)) for t in instants)
    return Tracks(
        scene.views,
        tuple(scene.frame(t) for t in instants),
        ids,
        tuple(tuple(np.where(part >= 0, 0.9, 0.0) for part in one) for one in ids),
        true_floor(scene) if floor else None,
    )
