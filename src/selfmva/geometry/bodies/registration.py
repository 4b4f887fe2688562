"""Cameras one after the other: two by an essential matrix, each next one by the joints that are known in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from selfmva.geometry.bodies.rays import reproject, triangulate_linearly
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.bodies.people import SharedBodies


@dataclass(frozen=True)
class RegistrationSettings:
    """Registration of cameras by joints."""

    confidence: float = 0.9999
    iterations: int = 2000
    loose: float = 4.0  # tolerances, of joints in cameras whose focal length is a guess
    least_joints: int = 30  # in space, by which a camera is placed
    least_share: float = 0.3  # of these that must agree on the place
    most_points: int = 4000


REGISTRATION = RegistrationSettings()


def register_cameras(
    bodies: SharedBodies,
    pairs: Sequence[tuple[int, int]],
    intrinsics: Sequence[FloatArray],
    tolerances: FloatArray,
    known: Mapping[int, Camera] | None = None,
) -> dict[int, Camera]:
    """Place cameras by the joints of people.

    Args:
        bodies: Joints of people in all views.
        pairs: Pairs of views that see the same people, the best one to begin with first.
        intrinsics: `(3, 3)` intrinsic matrices of all views, as far as they are known, or guessed.
        tolerances: `(V,)` pixels that joints may miss by.
        known: Cameras that are placed already.

    Returns:
        Cameras by view, in the frame of the first camera, the distance of the first two cameras being 1; none where
        not even two can be placed.
    """
    points = bodies.joints.transpose(0, 2, 1, 3).reshape(-1, bodies.joints.shape[1], 2)
    points = points[np.isfinite(points).all(axis=-1).sum(axis=1) >= 2]
    points = points[np.linspace(0, len(points) - 1, min(len(points), REGISTRATION.most_points)).astype(int)]
    cameras = dict(known or {})
    for pair in pairs:
        if cameras:
            break
        cameras = _first_two(points, pair, intrinsics, tolerances)
    while cameras:
        placed = _next(points, cameras, intrinsics, tolerances)
        if placed is None:
            break
        cameras |= placed
    return cameras


def matrices_of(cameras: Mapping[int, Camera], views: int) -> FloatArray:
    """`(V, 3, 4)` projections, NaN of the views without a camera."""
    result = np.full((views, 3, 4), np.nan)
    for view, camera in cameras.items():
        result[view] = camera.matrix
    return result


def _first_two(
    points: FloatArray, pair: tuple[int, int], intrinsics: Sequence[FloatArray], tolerances: FloatArray
) -> dict[int, Camera]:
    """Two cameras from the joints that both see."""
    i, j = pair
    seen = np.isfinite(points[:, [i, j]]).all(axis=(1, 2))
    if seen.sum() < REGISTRATION.least_joints:
        return {}
    one, two = (_rays(points[seen, view], intrinsics[view]) for view in pair)
    wide = float(np.mean([REGISTRATION.loose * tolerances[view] / intrinsics[view][0, 0] for view in pair]))
    found: Any = cv2.findEssentialMat(one, two, np.eye(3), cv2.USAC_MAGSAC, REGISTRATION.confidence, wide)
    essential, inliers = found
    if essential is None or essential.shape != (3, 3):
        return {}
    _, rotation, shift, _, _ = cv2.recoverPose(
        essential, one, two, np.eye(3), distanceThresh=1e4, mask=(inliers > 0).astype(np.uint8)
    )
    return {
        i: Camera(intrinsics[i], np.eye(3), np.zeros(3)),
        j: Camera(intrinsics[j], _orthogonal(np.asarray(rotation, np.float64)), shift.reshape(-1)),
    }


def _next(
    points: FloatArray, cameras: Mapping[int, Camera], intrinsics: Sequence[FloatArray], tolerances: FloatArray
) -> dict[int, Camera] | None:
    """The camera that sees most of the joints that are known in space; None where none can be placed."""
    matrices = matrices_of(cameras, points.shape[1])
    places = triangulate_linearly(matrices, points)
    miss = np.linalg.norm(reproject(matrices, places) - points, axis=-1)
    known = np.isfinite(places).all(axis=-1)
    known &= (np.nan_to_num(miss, nan=0.0) <= REGISTRATION.loose * 2 * tolerances).all(axis=-1)
    left = [view for view in range(points.shape[1]) if view not in cameras]
    seen = {view: known & np.isfinite(points[:, view]).all(axis=-1) for view in left}
    for view in sorted(left, key=lambda view: -seen[view].sum()):
        chosen = seen[view]
        if chosen.sum() < REGISTRATION.least_joints:
            break
        rays = _rays(points[chosen, view], intrinsics[view])
        wide = REGISTRATION.loose * float(tolerances[view]) / intrinsics[view][0, 0]
        placed: Any = cv2.solvePnPRansac(
            places[chosen],
            rays,
            np.eye(3),
            None,
            reprojectionError=wide,
            iterationsCount=REGISTRATION.iterations,
            confidence=REGISTRATION.confidence,
            flags=cv2.SOLVEPNP_SQPNP,
        )
        found, turn, shift, inliers = placed
        if found and inliers is not None and len(inliers) >= REGISTRATION.least_share * chosen.sum():
            return {view: Camera(intrinsics[view], cv2.Rodrigues(turn)[0], shift.reshape(-1))}
    return None


def _rays(pixels: FloatArray, intrinsic: FloatArray) -> FloatArray:
    """`(N, 2)` pixels as directions: what a camera of focal length 1 shows."""
    homogeneous = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(intrinsic).T
    return np.ascontiguousarray(homogeneous[:, :2])


def _orthogonal(rotation: FloatArray) -> FloatArray:
    left, _, right = np.linalg.svd(rotation)
    return np.asarray(left @ right)
