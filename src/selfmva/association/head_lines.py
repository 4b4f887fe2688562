"""Fundamental matrices of head points, for view pairs that no floor covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.core.view_pairs import view_pairs
from selfmva.geometry.epipolar import visible_heads
from selfmva.geometry.epipolar_search import find_epipolar_geometry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, Frame, View
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.epipolar_search import EpipolarGeometry
    from selfmva.geometry.floor import Floor

LINE_INSTANTS = 1000


def find_lines(
    views: Sequence[View], frames: Sequence[Frame], encoder: BoxEncoder, floor: Floor | None, minimum_shift: int
) -> dict[tuple[int, int], EpipolarGeometry]:
    """Fundamental matrices of head points of the view pairs that no floor covers.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        encoder: A trained encoder, whose nearest boxes are candidate matches.
        floor: The common floor, None where none was found.
        minimum_shift: Instants nearer than this are not shifted.

    Returns:
        What was found, by view pair (i, j), i < j.
    """
    on_floor = () if floor is None else floor.views_on_floor
    chosen = evenly_spaced(len(frames), LINE_INSTANTS, to_nearest=True)
    found = {}
    for i, j in view_pairs(len(views)):
        if i in on_floor and j in on_floor:
            continue
        boxes_i, boxes_j = ([_with_head(frames[t].boxes[view]) for t in chosen] for view in (i, j))
        distances = [_embedded(encoder, i, j, one, other) for one, other in zip(boxes_i, boxes_j, strict=True)]
        found[i, j] = find_epipolar_geometry(boxes_i, boxes_j, distances, chosen, minimum_shift)
    return found


def _with_head(boxes: FloatArray) -> FloatArray:
    """Boxes whose head is inside the image, sorted: in whatever order they came, the same is found."""
    boxes = boxes[~np.isnan(visible_heads(boxes)).any(axis=1)]
    return boxes[np.lexsort(boxes.T)]


def _embedded(encoder: BoxEncoder, i: int, j: int, boxes_i: FloatArray, boxes_j: FloatArray) -> FloatArray:
    """`(N, M)` distances of the embedding."""
    import torch

    distances = torch.cdist(encoder.embed(boxes_i, i), encoder.embed(boxes_j, j))
    return distances.cpu().numpy().astype(np.float64)


def trusted_lines(found: Mapping[tuple[int, int], EpipolarGeometry]) -> dict[tuple[int, int], FloatArray]:
    """The matrices to rely on."""
    return {pair: line.matrix for pair, line in found.items() if line.trusted and line.matrix is not None}
