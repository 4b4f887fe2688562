"""Joints in space from several views, some of which may be wrong: the views that agree best are believed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.cameras import Camera


@dataclass(frozen=True)
class TriangulationSettings:
    """Robust triangulation."""

    # Tolerances, of the distance of a joint in an image from where the others say: beyond, it is somewhere else.
    agreeing: float = 3.0
    steps: int = 3  # of Gauss-Newton, on pixels
    least_angle: float = 0.035  # radians between the rays of two views: 2 degrees; less tells no depth
    damping: float = 1e-9


TRIANGULATION = TriangulationSettings()


@dataclass(frozen=True, eq=False)
class Triangulated:
    """Joints in space.

    Attributes:
        joints: `(..., 3)` in the unit of the cameras; NaN where no two views agree.
        scores: `(...)` in [0, 1]: mean score of the views that agree, times their fraction; 0 where NaN.
        uncertainties: `(...)` root mean square distance from the truth to expect, in the unit of the cameras.
        errors: `(...)` root mean square distance in pixels, over the views that agree.
        used: `(..., V)` which views agree.
    """

    joints: FloatArray
    scores: FloatArray
    uncertainties: FloatArray
    errors: FloatArray
    used: np.ndarray


def triangulate(cameras: Sequence[Camera | None], keypoints: FloatArray, tolerance: FloatArray | float) -> Triangulated:
    """Triangulate joints, leaving out views that contradict the others.

    Every pair of views proposes a point, the middle of where their rays pass each other; the point that most views
    agree with is taken, refined by them alone, by Gauss-Newton steps on pixels (Hartley and Zisserman, chapter 12).

    Args:
        cameras: One a view; None where it is not known.
        keypoints: `(..., V, 3)` x, y in pixels and score in [0, 1] of a joint in every view; NaN where not seen.
        tolerance: Pixels by which a detector misses joints, `(..., V)` or one for all.

    Returns:
        The joints, of shape `(...)`.

    Raises:
        InputError: Keypoints of another number of views.

    Example:
        >>> from selfmva.geometry.cameras import Camera
        >>> K = [[1000, 0, 500], [0, 1000, 500], [0, 0, 1]]
        >>> rig = [Camera(K, np.eye(3), [0, 0, 0]), Camera(K, np.eye(3), [-1, 0, 0])]
        >>> seen = [[[*camera.project([[0.2, 0.1, 5.0]])[0][0], 0.9] for camera in rig]]
        >>> triangulate(rig, np.array(seen), 2.0).joints.round(6).tolist()
        [[0.2, 0.1, 5.0]]
    """
    if keypoints.shape[-2:] != (len(cameras), 3):
        raise InputError(
            f"keypoints of {len(cameras)} views have shape (..., {len(cameras)}, 3), got {keypoints.shape}"
        )
    shape = keypoints.shape[:-2]
    flat = keypoints.reshape(-1, len(cameras), 3)
    wide = np.broadcast_to(tolerance, keypoints.shape[:-1]).reshape(flat.shape[:2])
    known = [view for view, camera in enumerate(cameras) if camera is not None]
    used = np.zeros(flat.shape[:2], bool)
    if len(known) < 2 or not len(flat):
        lost = np.full(len(flat), np.nan)
        return _shaped(shape, np.full((len(flat), 3), np.nan), np.zeros(len(flat)), lost, lost, used)
    rig = _Rig([camera for camera in cameras if camera is not None])
    pixels = np.stack([rig.cameras[k].undistort(flat[:, view, :2]) for k, view in enumerate(known)], axis=1)
    scores = np.where(np.isfinite(pixels).all(axis=-1), np.nan_to_num(flat[:, known, 2]), 0.0)
    points = _best_of_pairs(rig, pixels, scores, wide[:, known])
    agreeing = _agreeing(rig, points, pixels, scores, wide[:, known])
    for _ in range(TRIANGULATION.steps):
        points = _refined(rig, points, pixels, np.where(agreeing, scores, 0.0) / wide[:, known] ** 2)
        agreeing = _agreeing(rig, points, pixels, scores, wide[:, known])
    agreeing &= np.asarray(agreeing.sum(axis=1) >= 2)[:, None]
    found = np.asarray(agreeing.any(axis=1))
    miss = np.where(agreeing, _misses(rig, points, pixels), 0.0)
    count = np.maximum(agreeing.sum(axis=1), 1)
    error = np.sqrt((miss**2).sum(axis=1) / count)
    spread = _spread(rig, points, np.where(agreeing, 1.0, 0.0) / np.maximum(wide[:, known], error[:, None]) ** 2)
    seen = np.maximum((scores > 0).sum(axis=1), 1)
    score = np.where(agreeing, scores, 0.0).sum(axis=1) / count * count / seen
    used[:, known] = agreeing
    return _shaped(
        shape,
        np.where(found[:, None], points, np.nan),
        np.where(found, score, 0.0),
        np.where(found, spread, np.nan),
        np.where(found, error, np.nan),
        used,
    )


class _Rig:
    """The cameras that are known, as arrays."""

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self.cameras = cameras
        self.matrices = np.stack([camera.matrix for camera in cameras])
        self.centres = np.stack([camera.centre for camera in cameras])
        self.directions = np.stack([camera.R.T @ np.linalg.inv(camera.K) for camera in cameras])

    def rays(self, pixels: FloatArray) -> FloatArray:
        """`(N, C, 3)` directions of unit length of pixels `(N, C, 2)`."""
        rays = np.einsum("cij,ncj->nci", self.directions[:, :, :2], pixels) + self.directions[:, :, 2]
        return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))

    def project(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """`(N, C, 2)` pixels of points `(N, 3)`, and `(N, C)` depths."""
        homogeneous = np.einsum("cij,nj->nci", self.matrices[:, :, :3], points) + self.matrices[:, :, 3]
        depth = homogeneous[..., 2]
        return homogeneous[..., :2] / np.where(np.abs(depth) > 0, depth, 1.0)[..., None], depth


def _best_of_pairs(rig: _Rig, pixels: FloatArray, scores: FloatArray, wide: FloatArray) -> FloatArray:
    """`(N, 3)` the points proposed by two views that all views agree with most."""
    rays = rig.rays(pixels)
    best, points = np.full(len(pixels), -1.0), np.full((len(pixels), 3), np.nan)
    limit = TRIANGULATION.agreeing
    for i, j in combinations(range(len(rig.cameras)), 2):
        middle, angle = _middle(rig.centres[i], rays[:, i], rig.centres[j], rays[:, j])
        image, depth = rig.project(middle)
        miss = np.linalg.norm(image - pixels, axis=-1) / wide
        near = np.where((depth > 0) & (miss < limit), scores * (1.0 - (miss / limit) ** 2), 0.0)
        both = (near[:, i] > 0) & (near[:, j] > 0) & (angle > TRIANGULATION.least_angle)
        agreement = np.where(both, near.sum(axis=1), -1.0)
        better = agreement > best
        best, points = np.where(better, agreement, best), np.where(better[:, None], middle, points)
    return points


def _middle(
    centre: FloatArray, rays: FloatArray, other: FloatArray, others: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """`(N, 3)` middle of where rays from two places pass each other, and `(N,)` their angles."""
    between = other - centre
    cosine = (rays * others).sum(axis=-1)
    sine2 = np.maximum(1.0 - cosine**2, 1e-12)
    along, beside = rays @ between, others @ between
    first = (along - cosine * beside) / sine2
    second = (cosine * along - beside) / sine2
    middle = (centre + first[:, None] * rays + other + second[:, None] * others) / 2
    return middle, np.arcsin(np.minimum(np.sqrt(sine2), 1.0))


def _misses(rig: _Rig, points: FloatArray, pixels: FloatArray) -> FloatArray:
    image, depth = rig.project(points)
    return np.where(depth > 0, np.linalg.norm(image - pixels, axis=-1), np.inf)


def _agreeing(rig: _Rig, points: FloatArray, pixels: FloatArray, scores: FloatArray, wide: FloatArray) -> np.ndarray:
    return np.asarray((_misses(rig, points, pixels) <= TRIANGULATION.agreeing * wide) & (scores > 0))


def _derivatives(rig: _Rig, points: FloatArray) -> FloatArray:
    """`(N, C, 2, 3)` of pixels by points."""
    image, depth = rig.project(points)
    top = rig.matrices[None, :, :2, :3] - image[..., None] * rig.matrices[None, :, 2:, :3]
    return np.asarray(top / np.where(np.abs(depth) > 0, depth, 1.0)[..., None, None])


def _refined(rig: _Rig, points: FloatArray, pixels: FloatArray, weights: FloatArray) -> FloatArray:
    """One Gauss-Newton step."""
    slopes = _derivatives(rig, points)
    away = np.where(weights[..., None] > 0, rig.project(points)[0] - pixels, 0.0)
    slopes = np.where(weights[..., None, None] > 0, slopes, 0.0)
    normal = np.einsum("ncia,ncib,nc->nab", slopes, slopes, weights)
    normal += TRIANGULATION.damping * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    normal += np.where(weights.any(axis=1), 0.0, 1.0)[:, None, None] * np.eye(3)
    right = np.einsum("ncia,nci,nc->na", slopes, away, weights)
    return np.asarray(points - np.linalg.solve(normal, right[..., None])[..., 0])


def _spread(rig: _Rig, points: FloatArray, weights: FloatArray) -> FloatArray:
    """`(N,)` root of the trace of the covariance, for pixels that are off by one over the root of the weights."""
    slopes = np.where(weights[..., None, None] > 0, _derivatives(rig, points), 0.0)
    normal = np.einsum("ncia,ncib,nc->nab", slopes, slopes, weights)
    known = np.asarray((weights > 0).sum(axis=1) >= 2)
    safe = np.where(known[:, None, None], normal, np.eye(3))
    return np.asarray(np.sqrt(np.trace(np.linalg.pinv(safe, hermitian=True), axis1=1, axis2=2)))


def _shaped(
    shape: tuple[int, ...],
    joints: FloatArray,
    scores: FloatArray,
    uncertainties: FloatArray,
    errors: FloatArray,
    used: np.ndarray,
) -> Triangulated:
    return Triangulated(
        joints.reshape(*shape, 3),
        scores.reshape(shape),
        uncertainties.reshape(shape),
        errors.reshape(shape),
        used.reshape(*shape, used.shape[-1]),
    )
