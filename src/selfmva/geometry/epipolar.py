"""The fundamental matrix of head points, for rigs whose floor is hidden (close range, furniture).

The tops of boxes are images of heads wherever the feet are. With x = (u, v, 1) the head point of a box, two boxes of
one person obey

    x_j^T F x_i = 0,

F the fundamental matrix (Hartley and Zisserman, "Multiple View Geometry", chapter 9). Errors are counted in heights of
the boxes where they are measured. Hypotheses come from OpenCV's RANSAC; each is refined to the least robust first-order
(Sampson) error. Heads are near a plane: OpenCV's MAGSAC++ then often ends at a wrong matrix where plain RANSAC and this
refinement find the true one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.thinning import stride

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class EpipolarSettings:
    """Fit of a fundamental matrix."""

    least_matches: int = 24  # three times what one hypothesis takes
    most_matches: int = 1500  # more would not sharpen seven numbers
    thresholds: tuple[float, ...] = (0.05, 0.1)  # heights of boxes, of RANSAC
    trials: int = 3000  # of RANSAC: enough where half of the matches are right
    left_out: int = 4  # parts: every hypothesis leaves another quarter of the matches out: different starts
    scale: float = 0.06  # heights of boxes, of the Cauchy loss: how far head points are off


EPIPOLAR = EpipolarSettings()


def head_points(boxes: FloatArray) -> FloatArray:
    """Top centres `(N, 2)` of boxes `(N, 4)`.

    Example:
        >>> head_points(np.array([[0.0, 1.0, 4.0, 9.0]])).tolist()
        [[2.0, 1.0]]
    """
    return np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1]])


def epipolar_distances(
    matrix: FloatArray, heads_i: FloatArray, heights_i: FloatArray, heads_j: FloatArray, heights_j: FloatArray
) -> FloatArray:
    """Distances of heads from each other's epipolar lines: the larger of both views', each in heights of its box.

    Args:
        matrix: `(3, 3)` fundamental matrix, x_j^T F x_i = 0.
        heads_i: `(..., N, 2)` in pixels; NaN where unknown.
        heights_i: `(..., N)` in pixels, above 0.
        heads_j: `(..., M, 2)`.
        heights_j: `(..., M)`.

    Returns:
        `(..., N, M)`; NaN where a head is unknown or where neither view has a line (a matrix of zeros, both epipoles).

    Example:
        >>> sideways = np.array([[0, 0, 0], [0, 0, -1], [0, 1, 0]])  # same row in both images
        >>> heads = np.array([[3.0, 5.0]]), np.array([[8.0, 5.0], [8.0, 7.0]])
        >>> epipolar_distances(sideways, heads[0], np.full(1, 4.0), heads[1], np.full(2, 2.0)).tolist()
        [[0.0, 1.0]]
    """
    product, slope_i, slope_j = _product(matrix, heads_i, heads_j)
    with np.errstate(divide="ignore", invalid="ignore"):
        there = product / slope_j[..., :, None] / heights_j[..., None, :]
        back = product / slope_i[..., None, :] / heights_i[..., :, None]
    # An epipole has no line; the other view's then decides.
    there[~np.isfinite(there)] = np.nan
    back[~np.isfinite(back)] = np.nan
    return np.fmax(there, back)


def _product(matrix: FloatArray, heads_i: FloatArray, heads_j: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """|x_j^T F x_i|, `(..., N, M)`, and slopes of the lines: `(..., M)` in view i, `(..., N)` in view j."""
    line_j = heads_i @ matrix[:, :2].T + matrix[:, 2]
    line_i = heads_j @ matrix[:2] + matrix[2]
    product = np.abs(line_j[..., :2] @ np.swapaxes(heads_j, -1, -2) + line_j[..., 2:])
    return product, np.linalg.norm(line_i[..., :2], axis=-1), np.linalg.norm(line_j[..., :2], axis=-1)


def fit_fundamental_matrix(
    heads_i: FloatArray, heads_j: FloatArray, heights_i: FloatArray, heights_j: FloatArray
) -> FloatArray | None:
    """The fundamental matrix that most of some candidate matches agree with.

    Args:
        heads_i: `(K, 2)` in pixels; row k of both views is one match, many may be wrong.
        heads_j: `(K, 2)`.
        heights_i: `(K,)` of the boxes, in pixels.
        heights_j: `(K,)`.

    Returns:
        `(3, 3)` of norm 1, whatever the order of the matches, and its transpose when the views change places; None
        where fewer than 24 matches are given or no hypothesis fits.
    """
    if len(heads_i) < EPIPOLAR.least_matches:
        return None
    first, second = np.column_stack([heads_i, heights_i]), np.column_stack([heads_j, heights_j])
    if tuple(np.median(first, axis=0)) > tuple(np.median(second, axis=0)):
        swapped = fit_fundamental_matrix(heads_j, heads_i, heights_j, heights_i)
        return None if swapped is None else swapped.T
    order = np.lexsort((*second.T, *first.T))
    order = order[:: stride(len(order), EPIPOLAR.most_matches)]
    (first, to_i), (second, to_j) = _normalized(first[order]), _normalized(second[order])
    hypotheses = _hypotheses(first, second)
    if not hypotheses:
        return None
    refined = [_refined(matrix, first, second) for matrix in hypotheses]
    best = min(refined, key=lambda matrix: robust_error(matrix, first, second))
    return _unit(to_j.T @ best @ to_i)


def _normalized(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Heads and heights `(K, 3)` in median heights from the mean head, and the matrix that takes pixels there."""
    scale, centre = np.median(points[:, 2]), points[:, :2].mean(axis=0)
    matrix = np.array([[1 / scale, 0, -centre[0] / scale], [0, 1 / scale, -centre[1] / scale], [0, 0, 1]])
    return np.column_stack([(points[:, :2] - centre) / scale, points[:, 2] / scale]), matrix


def _hypotheses(first: FloatArray, second: FloatArray) -> list[FloatArray]:
    """Matrices by RANSAC from different parts of the matches."""
    import cv2

    part = np.arange(len(first)) % EPIPOLAR.left_out
    found = []
    for threshold in EPIPOLAR.thresholds:
        for left_out in range(EPIPOLAR.left_out + 1):  # the last leaves nothing out
            one, other = first[part != left_out, :2], second[part != left_out, :2]
            try:
                matrix: Any = cv2.findFundamentalMat(one, other, cv2.FM_RANSAC, threshold, 0.9999, EPIPOLAR.trials)[0]
            except cv2.error:  # matches that no matrix can be computed from, all at one place for instance
                continue
            if matrix is not None and np.isfinite(matrix).all():
                found.append(_singular(matrix[:3]))
    return found


def _singular(matrix: FloatArray) -> FloatArray:
    """The nearest matrix of rank 2, of norm 1."""
    left, scales, right = np.linalg.svd(matrix)
    scales[2] = 0.0
    return np.asarray((left * (scales / max(np.linalg.norm(scales), 1e-12))) @ right)


def _unit(matrix: FloatArray) -> FloatArray:
    """Of norm 1."""
    return np.asarray(matrix / np.linalg.norm(matrix))


def _sampson(matrix: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """First-order errors `(K,)`: signed, in heights; what is left by head points off by a fraction of the height."""
    line_j = first[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    line_i = second[:, :2] @ matrix[:2] + matrix[2]
    product = (line_j[:, :2] * second[:, :2]).sum(axis=1) + line_j[:, 2]
    spread = np.hypot(
        np.linalg.norm(line_j[:, :2], axis=1) * second[:, 2], np.linalg.norm(line_i[:, :2], axis=1) * first[:, 2]
    )
    return np.asarray(product / np.maximum(spread, 1e-9))


def robust_error(matrix: FloatArray, first: FloatArray, second: FloatArray) -> float:
    """Sum of the Cauchy losses of matches, heads and heights as for `refine_fundamental_matrix`."""
    return float(np.log1p((_sampson(matrix, first, second) / EPIPOLAR.scale) ** 2).sum())


def _refined(matrix: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """The nearest matrix of least error."""
    from scipy.optimize import least_squares

    def errors(values: FloatArray) -> FloatArray:
        return _sampson(_singular(values.reshape(3, 3)), first, second)

    fit = least_squares(errors, matrix.ravel(), loss="cauchy", f_scale=EPIPOLAR.scale, max_nfev=50)
    return _singular(fit.x.reshape(3, 3))


def refine_fundamental_matrix(matrix: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    """The nearest fundamental matrix of least robust error.

    Args:
        matrix: `(3, 3)` to start from.
        first: `(K, 3)` heads and heights in view i, in pixels; row k of both views is one match, some may be wrong.
        second: `(K, 3)` in view j.

    Returns:
        `(3, 3)` of norm 1.
    """
    (one, to_i), (other, to_j) = _normalized(first), _normalized(second)
    normal = np.linalg.inv(to_j).T @ matrix @ np.linalg.inv(to_i)
    return _unit(to_j.T @ _refined(normal, one, other) @ to_i)


def visible_heads(boxes: FloatArray) -> FloatArray:
    """Top centres `(N, 2)`; NaN where the border of the image cuts the head."""
    return np.where(boxes[:, 1:2] > 1.0, head_points(boxes), np.nan)
