"""What a stream shows, slice by slice: where boxes are, and how well they meet partners in other views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray, View
    from selfmva.matching.posterior.edges import Edges


@dataclass(frozen=True)
class TallySettings:
    """How finely it is looked at."""

    columns: int = 8  # cells of an image, by the foot of a box
    rows: int = 6
    on_border: float = 1e-6  # rows that a foot on the lower border counts as above it
    likely: float = 0.02  # posterior of a pair that counts
    slice: int = 16  # instants that are summed up: fine enough to see when something began


TALLY = TallySettings()
IMAGE_CELLS = TALLY.columns * TALLY.rows + 1  # of a view; the last is all that is outside


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over S slices of consecutive instants of V views.

    Attributes:
        instants: `(S,)` how many instants a slice has.
        starts: `(S,)` index of the first frame of each slice.
        boxes: `(S, V, IMAGE_CELLS)` boxes, by the cell of the image in which their feet are.
        met: `(S, V, V)` posterior of the pairs of boxes of two views, summed; symmetric.
        worth: `(S, V, V)` the same, times how clear each pair is (its log-odds where positive).
    """

    instants: IntArray
    starts: IntArray
    boxes: FloatArray
    met: FloatArray
    worth: FloatArray

    def __len__(self) -> int:
        return len(self.instants)

    def __getitem__(self, rows: slice | IntArray) -> Tally:
        return Tally(self.instants[rows], self.starts[rows], self.boxes[rows], self.met[rows], self.worth[rows])

    @classmethod
    def joined(cls, parts: Sequence[Tally]) -> Tally:
        """Slices of several tallies, one after the other."""
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("instants", "starts", "boxes", "met", "worth")
            )
        )


def cells_of_boxes(boxes: FloatArray, view: IntArray, views: Sequence[View]) -> IntArray:
    """`(M,)` in which cell of its image the foot of each box `(M, 4)` is, counted on from view to view.

    Feet outside the image, as boxes have that were turned back, are in a cell of their own, the last of the view.
    """
    wide, high = np.array([[TALLY.columns / 2 / v.width, TALLY.rows / v.height] for v in views]).T
    across = (boxes[:, 0] + boxes[:, 2]) * wide[view]
    down = boxes[:, 3] * high[view] - TALLY.on_border  # boxes end at the border, not before it
    inside = (across >= 0) & (across < TALLY.columns) & (down > -TALLY.on_border) & (down < TALLY.rows)
    cell = down.astype(np.int64) * TALLY.columns + across.astype(np.int64)
    return np.asarray(view * IMAGE_CELLS + np.where(inside, cell, IMAGE_CELLS - 1))


def tally_edges(
    views: Sequence[View],
    indices: Sequence[int],
    boxes: FloatArray,
    edges: Edges,
    log_odds: FloatArray,
    posterior: FloatArray,
    length: int = TALLY.slice,
) -> Tally:
    """Sum up what was found in a chunk of frames.

    Args:
        views: The V cameras.
        indices: Numbers of the frames, in order.
        boxes: `(M, 4)` all their boxes, frame after frame and view after view.
        edges: Pairs of boxes.
        log_odds: `(E,)` of each edge on its own.
        posterior: `(E,)` of each edge.
        length: Frames of a slice.

    Returns:
        Slices; the last may be shorter.
    """
    frames, count = len(indices), len(views)
    slices = -(-frames // length)
    part = edges.frame // length * count
    places = np.bincount(
        part * IMAGE_CELLS + cells_of_boxes(boxes, edges.view, views), minlength=slices * count * IMAGE_CELLS
    )
    likely = np.flatnonzero(posterior > TALLY.likely)  # a tenth of all edges, and nearly all of the mass
    first, second, mass = edges.first[likely], edges.second[likely], posterior[likely]
    pair = (part + edges.view)[first] * count + edges.view[second]
    clear = mass * np.maximum(log_odds[likely], 0.0)
    sums = (
        np.bincount(pair, weights, slices * count * count).reshape(slices, count, count) for weights in (mass, clear)
    )
    met, worth = (found + found.swapaxes(1, 2) for found in sums)
    starts = np.arange(0, frames, length)
    return Tally(
        np.diff(np.append(starts, frames)),
        np.asarray(indices, dtype=np.int64)[starts],
        places.reshape(slices, count, IMAGE_CELLS).astype(np.float64),
        np.asarray(met, dtype=np.float64),
        np.asarray(worth, dtype=np.float64),
    )


def partners_by_cell(views: Sequence[View], boxes: FloatArray, edges: Edges, posterior: FloatArray) -> FloatArray:
    """`(V, IMAGE_CELLS, V)` posterior mass of the boxes in each cell of each view, by the view of their partners.

    Args:
        views: The V cameras.
        boxes: `(M, 4)` boxes of the edges' frames.
        edges: Pairs of boxes.
        posterior: `(E,)` of each edge.
    """
    count = len(views)
    cell = cells_of_boxes(boxes, edges.view, views)
    mass = np.zeros(count * IMAGE_CELLS * count)
    for one, other in ((edges.first, edges.second), (edges.second, edges.first)):
        mass += np.bincount(cell[one] * count + edges.view[other], posterior, len(mass))
    return mass.reshape(count, IMAGE_CELLS, count)
