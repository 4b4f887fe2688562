"""What `check` measures besides: how far partners are apart on the floor, and how tall bodies are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.cues.base import batch_of_frames
from selfmva.association.frame_edges import find_edges
from selfmva.core.thinning import evenly_spaced
from selfmva.geometry.floor_cameras import predicted_heights, projections
from selfmva.geometry.sightings import image_points
from selfmva.matching.posterior.edges import posteriors_of_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame

BODIES_INSTANTS = 120  # enough for a median


def measure_bodies(model: FittedModel, frames: Sequence[Frame]) -> tuple[FloatArray, FloatArray]:
    """Distances of partners and heights of bodies, by view.

    Args:
        model: What was learnt.
        frames: Clipped frames of its cameras.

    Returns:
        `(V,)` median distance on the floor between boxes that are more likely one person than not, and `(V,)` median
        height of boxes, both in body heights; NaN off the floor and where nobody is.
    """
    apart, height = np.full((2, len(model.views)), np.nan)
    if model.floor is None or not frames:
        return apart, height
    frames = [frames[t] for t in evenly_spaced(len(frames), BODIES_INSTANTS)]
    batch, _ = batch_of_frames(frames)
    edges, log_odds = find_edges(model, frames)
    partners = posteriors_of_edges(log_odds, edges) > 0.5
    first, second = edges.first[partners], edges.second[partners]
    places = model.floor.read(batch.boxes, batch.view).estimates()[0]
    distance = np.hypot(*(places[first] - places[second]).T)
    for view, camera in enumerate(model.floor.cameras):
        if camera is None:
            continue
        own = (batch.view[first] == view) | (batch.view[second] == view)
        if own.any():
            apart[view] = np.nanmedian(distance[own])
        boxes = batch.boxes[batch.view == view]
        if len(boxes):
            feet, heads = image_points(boxes, model.views[view])
            height[view] = np.median((feet - heads)[:, 1] / predicted_heights(projections(camera), feet))
    return apart, height
