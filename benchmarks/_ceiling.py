"""The labelled ceiling: for every view pair, the ground homography fitted on people whose identity is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.assignment import solve
from selfmva.metrics.association import PairResult, average_precision, score_pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _parts import Labelled, Part

    from selfmva.core.types import FloatArray, IntArray

    Homographies = Mapping[tuple[int, int], FloatArray]
    Cell = tuple[FloatArray, IntArray, IntArray]  # errors of all box pairs, identities in view i and in view j

THRESHOLDS = np.geomspace(0.03, 2.0, 25)  # heights
INLIER = 0.15  # heights
UNREACHED = 1e6  # heights: the error where no homography is


def ceiling(part: Part, homographies: Homographies | None = None) -> tuple[float, float]:
    """Average precision of the labelled homographies, or of those given, and their pair F1 at its best threshold."""
    cells = _cells(part, homographies)
    labels = np.concatenate([_same(cell)[_known(cell)] for cell in cells])
    errors = np.concatenate([cell[0][_known(cell)] for cell in cells])
    return average_precision(labels, -errors), max(_f1(cells, threshold) for threshold in THRESHOLDS)


def feet(boxes: FloatArray) -> FloatArray:
    """`(N, 2)` bottom centres."""
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])


def heights(boxes: FloatArray) -> FloatArray:
    """`(N,)` heights in pixels."""
    return boxes[:, 3] - boxes[:, 1]


def transfer(homography: FloatArray, points: FloatArray) -> FloatArray:
    """Map `(N, 2)` points."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def fit_homography(labelled: list[Labelled], i: int, j: int) -> FloatArray | None:
    """From pixels of view i to pixels of view j, on the feet of the same people; None where too few are shared."""
    first, second = (np.concatenate(side) for side in zip(*(shared(pair, i, j) for pair in labelled), strict=True))
    if len(first) < 8:
        return None
    threshold = INLIER * float(np.median(heights(second)))
    found, inliers = cv2.findHomography(feet(first), feet(second), cv2.USAC_MAGSAC, threshold, None, 10_000, 0.9999)
    if found is None:
        return None
    good = inliers.ravel().astype(bool)
    refined, _ = cv2.findHomography(feet(first)[good], feet(second)[good], 0)
    return refined


def pair_errors(homography: FloatArray | None, first: FloatArray, second: FloatArray) -> FloatArray:
    """`(N, M)`: the larger of the two transfer errors, each in heights of the box where it is measured."""
    if homography is None:
        return np.full((len(first), len(second)), UNREACHED)
    there = transfer(homography, feet(first))[:, None] - feet(second)[None]
    back = transfer(np.linalg.inv(homography), feet(second))[None] - feet(first)[:, None]
    return np.maximum(
        np.linalg.norm(there, axis=-1) / heights(second)[None], np.linalg.norm(back, axis=-1) / heights(first)[:, None]
    )


def _cells(part: Part, homographies: Homographies | None) -> list[Cell]:
    cells = []
    for i, j in view_pairs(len(part.views)):
        homography = fit_homography(part.labelled, i, j) if homographies is None else homographies[i, j]
        cells += [
            (pair_errors(homography, frame.boxes[i], frame.boxes[j]), ids[i], ids[j])
            for frame, ids in part.test
            if len(ids[i]) and len(ids[j])
        ]
    return cells


def _f1(cells: list[Cell], threshold: float) -> float:
    results = (
        PairResult(-errors, solve(errors, unmatched_cost=threshold).matches(0), ids_i, ids_j)
        for errors, ids_i, ids_j in cells
    )
    return score_pairs(results).f1


def shared(pair: Labelled, i: int, j: int) -> tuple[FloatArray, FloatArray]:
    """`(N, 4)` boxes of view i and `(N, 4)` of view j, of the same people at one instant."""
    frame, identities = pair
    known_i, known_j = (np.flatnonzero(identities[v] >= 0) for v in (i, j))
    _, of_i, of_j = np.intersect1d(identities[i][known_i], identities[j][known_j], return_indices=True)
    return frame.boxes[i][known_i[of_i]], frame.boxes[j][known_j[of_j]]


def _same(cell: Cell) -> np.ndarray:
    return cell[1][:, None] == cell[2][None]


def _known(cell: Cell) -> np.ndarray:
    return (cell[1] >= 0)[:, None] & (cell[2] >= 0)[None]
