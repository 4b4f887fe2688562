"""A calibrated camera, as OpenCV has it: focal lengths, place, direction and distortion of the lens.

x_camera = R x_world + t, x to the right of the image, y down, z ahead; pixels are those of boxes and keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.scalars import integer
from selfmva.core.values import real_array
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray

ROTATION_TOLERANCE = 1e-3  # of R R^T to the identity: matrices in files have few digits
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)  # what OpenCV knows
# OpenCV's own steps leave up to a pixel in the corners of wide lenses; these go on where it stops.
UNDISTORTION_STEPS, UNDISTORTION_ERROR = 30, 1e-10  # the error in focal lengths


@dataclass(frozen=True, eq=False)
class Camera:
    """A camera with known focal lengths, place and direction.

    Args:
        K: `(3, 3)` intrinsic matrix in pixels: focal lengths, principal point, skew.
        R: `(3, 3)` rotation from the world to the camera.
        t: `(3,)` place of the world's origin as the camera sees it, in the unit of the world.
        distortion: `(0, 4, 5, 8, 12 or 14)` coefficients of OpenCV: k1, k2, p1, p2, k3 ...; none where the lens is
            without.
        size: Width and height of its images in pixels; None where that is not known.

    Attributes:
        K: As given; and so are R, t, distortion and size.

    Raises:
        InputError: An array is of another shape, not finite, R is no rotation, or K no intrinsic matrix.

    Example:
        >>> camera = Camera(np.diag([1000, 1000, 1]) + [[0, 0, 960], [0, 0, 540], [0, 0, 0]], np.eye(3), [0, 0, 5])
        >>> camera.project([[0.5, 0.0, 0.0]])[0].tolist()
        [[1060.0, 540.0]]
        >>> camera.matrix.shape, camera.centre.tolist()
        ((3, 4), [0.0, 0.0, -5.0])
    """

    K: FloatArray
    R: FloatArray
    t: FloatArray
    distortion: FloatArray = field(default_factory=lambda: np.zeros(0))
    size: tuple[int, int] | None = None

    def __init__(
        self,
        K: ArrayLike,
        R: ArrayLike,
        t: ArrayLike,
        distortion: ArrayLike | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        intrinsic, rotation = _matrix(K, "K", (3, 3)), _matrix(R, "R", (3, 3))
        place = _matrix(np.reshape(real_array(t, "t of a camera"), -1), "t", (3,))
        lens = np.array(real_array([] if distortion is None else distortion, "distortion of a camera")).reshape(-1)
        if len(lens) not in DISTORTION_LENGTHS or not np.isfinite(lens).all():
            raise InputError(
                f"distortion of a camera must have {', '.join(map(str, DISTORTION_LENGTHS))} finite coefficients, in "
                f"OpenCV's order k1, k2, p1, p2, k3, got {len(lens)}"
            )
        if not (np.diag(intrinsic)[:2] > 0).all() or np.abs(intrinsic[2] - [0, 0, 1]).max() > 0:
            raise InputError(f"K of a camera must be [[fx, s, cx], [0, fy, cy], [0, 0, 1]], got {intrinsic.tolist()}")
        away = np.abs(rotation @ rotation.T - np.eye(3)).max()
        if away > ROTATION_TOLERANCE or np.linalg.det(rotation) < 0:
            raise InputError(
                f"R of a camera must be a rotation from the world to the camera, got one whose R R^T is {away:.2g} "
                f"from the identity, determinant {np.linalg.det(rotation):.2g}"
            )
        if size is not None:
            size = (integer(size[0], "width of a camera", least=1), integer(size[1], "height of a camera", least=1))
        lens.flags.writeable = False
        for name, value in {"K": intrinsic, "R": rotation, "t": place, "distortion": lens, "size": size}.items():
            object.__setattr__(self, name, value)

    @property
    def matrix(self) -> FloatArray:
        """`(3, 4)` projection from the world (x, y, z, 1) to pixels of a lens without distortion."""
        return np.asarray(self.K @ np.column_stack([self.R, self.t]))

    @property
    def centre(self) -> FloatArray:
        """`(3,)` where the camera is in the world."""
        return np.asarray(-self.R.T @ self.t)

    def project(self, points: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Where points of the world are in the image.

        Args:
            points: `(..., 3)` in the unit of the world.

        Returns:
            `(..., 2)` pixels, NaN behind the camera, and `(...)` depths ahead of it, in the unit of the world.

        Raises:
            InputError: No such array.
        """
        world = real_array(points, "points")
        if world.shape[-1:] != (3,):
            raise InputError(f"points must have shape (..., 3), got {world.shape}")
        depth = world @ self.R[2] + self.t[2]
        if not world.size:
            return np.zeros((*world.shape[:-1], 2)), depth
        import cv2  # which takes a while, and is not needed to tell who is who

        # OpenCV's own K has no skew: rays first, then pixels.
        lens = self.distortion if len(self.distortion) else None
        rays = cv2.projectPoints(world.reshape(-1, 1, 3), cv2.Rodrigues(self.R)[0], self.t, np.eye(3), lens)[0]
        pixels = rays.reshape(*world.shape[:-1], 2) @ self.K[:2, :2].T + self.K[:2, 2]
        return np.where((depth > 0)[..., None], pixels, np.nan), depth

    def undistort(self, pixels: ArrayLike) -> FloatArray:
        """Where pixels would be if the lens were without distortion.

        Args:
            pixels: `(..., 2)`; NaN where not known.

        Returns:
            `(..., 2)` pixels for `matrix`.

        Raises:
            InputError: No such array.
        """
        given = real_array(pixels, "pixels")
        if given.shape[-1:] != (2,):
            raise InputError(f"pixels must have shape (..., 2), got {given.shape}")
        if not len(self.distortion) or not given.size:
            return given
        import cv2

        rays = (given - self.K[:2, 2]) @ np.linalg.inv(self.K[:2, :2]).T
        flat, seen = rays.reshape(-1, 2), np.isfinite(rays).all(axis=-1).reshape(-1)
        straight, bent = np.full(flat.shape, np.nan), flat[seen]
        if len(bent):
            found = cv2.undistortPoints(bent[:, None], np.eye(3), self.distortion).reshape(-1, 2)
            for _ in range(UNDISTORTION_STEPS):
                ahead, nowhere = np.column_stack([found, np.ones(len(found))]), np.zeros(3)
                missed = cv2.projectPoints(ahead, nowhere, nowhere, np.eye(3), self.distortion)[0].reshape(-1, 2) - bent
                found = found - missed
                if np.abs(missed).max() < UNDISTORTION_ERROR:
                    break
            straight[seen] = found
        return np.asarray(straight.reshape(given.shape) @ self.K[:2, :2].T + self.K[:2, 2])

    @property
    def bent(self) -> bool:
        """True where its images are not those of a lens without distortion and skew."""
        return bool(self.distortion.any()) or self.K[0, 1] != 0

    def straight(self, pixels: ArrayLike) -> FloatArray:
        """Where pixels `(..., 2)` would be with neither distortion nor skew."""
        result = np.array(self.undistort(pixels))
        result[..., 0] -= self.K[0, 1] * (result[..., 1] - self.K[1, 2]) / self.K[1, 1]
        return result


def straight_boxes(boxes: FloatArray, view: IntArray, cameras: Sequence[Camera | None]) -> FloatArray:
    """Boxes as lenses without distortion would show them: feet and heads where they would be, as wide as they are.

    Args:
        boxes: `(M, 4)` xyxy in pixels.
        view: `(M,)` view of every box.
        cameras: One a view; None where it is not known.

    Returns:
        `(M, 4)`.
    """
    straight = np.array(boxes, dtype=np.float64)
    for number, camera in enumerate(cameras):
        rows = np.flatnonzero(view == number)
        if camera is None or not camera.bent or not len(rows):
            continue
        own = straight[rows]
        middle = (own[:, 0] + own[:, 2]) / 2
        head, foot = (camera.straight(np.column_stack([middle, own[:, side]])) for side in (1, 3))
        half = (own[:, 2] - own[:, 0]) / 2
        across = foot[:, 0]
        straight[rows] = np.column_stack(
            [across - half, np.minimum(head[:, 1], foot[:, 1] - 1.0), across + half, foot[:, 1]]
        )
    return straight


def fundamental_matrix(first: Camera, second: Camera) -> FloatArray:
    """`(3, 3)` F with x_second F x_first = 0 for pixels of one point in two cameras, lenses without distortion.

    Hartley and Zisserman, "Multiple view geometry", equation 9.1; of unit norm.

    Example:
        >>> one = Camera(np.diag([1000, 1000, 1]), np.eye(3), [0, 0, 0])
        >>> other = Camera(np.diag([1000, 1000, 1]), np.eye(3), [-1, 0, 0])
        >>> bool(np.isclose([100, 50, 1] @ fundamental_matrix(one, other) @ [300, 50, 1], 0))
        True
    """
    turn = second.R @ first.R.T
    x, y, z = second.t - turn @ first.t
    shift = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = np.linalg.inv(second.K).T @ shift @ turn @ np.linalg.inv(first.K)
    return np.asarray(matrix / np.linalg.norm(matrix))


def _matrix(values: Any, name: str, shape: tuple[int, ...]) -> FloatArray:
    array = np.array(real_array(values, f"{name} of a camera"))
    if array.shape != shape or not np.isfinite(array).all():
        raise InputError(f"{name} of a camera must be {shape} finite numbers, got shape {array.shape}")
    array.flags.writeable = False
    return array
