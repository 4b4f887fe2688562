"""A pinhole camera over a floor: ten numbers, and what they do to points.

Lengths on the floor are in body heights. Image points are in image widths from the centre of the image, x to the
right and y down, so that nothing depends on the resolution. The floor is the plane z = 0, z points up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, View

# log of the focal length in image widths, tilt downwards and roll in radians, log of the height above the floor,
# yaw and place (x, y) on the floor, principal point off the centre (x, y), log of the aspect ratio of a pixel.
FOCAL, TILT, ROLL, HEIGHT, YAW, X, Y, CENTRE_X, CENTRE_Y, ASPECT = range(10)
PARAMETERS = 10
POSE = slice(YAW, Y + 1)  # what two cameras must agree on; the rest is each camera's own
FLOOR_COLUMNS = [0, 1, 3]  # columns of a projection: what it does to places on the floor
NEAREST = 0.05  # body heights in front of the lens; nearer points have no image
OUTSIDE = 1e3  # image widths: where points without an image are put
HORIZON = 1e-9  # one over the depth of a foot, below which it counts as so little
LEAST_HEIGHT = 1e-3  # image widths, of bodies where nobody can stand


def projections(parameters: FloatArray) -> FloatArray:
    """Projection matrices of cameras.

    Args:
        parameters: `(..., 10)`, see the constants of this module.

    Returns:
        `(..., 3, 4)` from the floor (x, y, z, 1) to the image; the third coordinate is the depth in body heights.

    Example:
        >>> level = np.zeros(10)  # focal length of one width, one body height above the floor, looks along y
        >>> project(projections(level), np.array([[0.0, 2.0, 0.0]]))[0].tolist()
        [[0.0, 0.5]]
    """
    focal, height, aspect = (np.exp(parameters[..., k]) for k in (FOCAL, HEIGHT, ASPECT))
    turns = [parameters[..., k] for k in (TILT, ROLL, YAW)]
    (sin_tilt, sin_roll, sin_yaw), (cos_tilt, cos_roll, cos_yaw) = map(np.sin, turns), map(np.cos, turns)
    x, y, centre_x, centre_y = (parameters[..., k] for k in (X, Y, CENTRE_X, CENTRE_Y))
    vertical = focal * aspect
    # Of a camera that looks along y, tilted, then rolled: image across and down, and depth, along x, y and z.
    rows = (
        (
            focal * cos_roll,
            centre_x * cos_tilt - focal * sin_roll * sin_tilt,
            -centre_x * sin_tilt - focal * sin_roll * cos_tilt,
        ),
        (
            -vertical * sin_roll,
            centre_y * cos_tilt - vertical * cos_roll * sin_tilt,
            -centre_y * sin_tilt - vertical * cos_roll * cos_tilt,
        ),
        (0.0, cos_tilt, -sin_tilt),
    )
    result = np.empty((*focal.shape, 3, 4))
    for number, (across, ahead, up) in enumerate(rows):
        along_x, along_y = cos_yaw * across - sin_yaw * ahead, sin_yaw * across + cos_yaw * ahead
        result[..., number, 0], result[..., number, 1], result[..., number, 2] = along_x, along_y, up
        result[..., number, 3] = -(along_x * x + along_y * y + up * height)
    return result


def project(projection: FloatArray, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Image points and depths.

    Args:
        projection: `(..., 3, 4)`.
        points: `(..., N, 3)` in body heights, or `(..., N, 2)` on the floor.

    Returns:
        `(..., N, 2)` image points, far outside where the point is not in front of the lens, and `(..., N)` depths.
    """
    homogeneous = points @ np.swapaxes(projection[..., : points.shape[-1]], -1, -2) + projection[..., None, :, 3]
    depth = homogeneous[..., 2]
    front = depth > NEAREST
    image = homogeneous[..., :2] / np.where(front, depth, 1.0)[..., None]
    return np.where(front[..., None], image, OUTSIDE), depth


def to_floor(projection: FloatArray, image: FloatArray) -> FloatArray:
    """Where on the floor image points of feet are; huge near the horizon, NaN-free.

    Args:
        projection: `(..., 3, 4)`.
        image: `(N, 2)`.

    Returns:
        `(..., N, 2)` in body heights; points above the horizon come out behind the camera.
    """
    inverse = np.linalg.inv(projection[..., FLOOR_COLUMNS])
    homogeneous = image @ np.swapaxes(inverse[..., :2], -1, -2) + inverse[..., None, :, 2]
    scale = homogeneous[..., 2:]
    return np.asarray(homogeneous[..., :2] / np.where(np.abs(scale) < HORIZON, HORIZON, scale))


def carried(projection: FloatArray, other: FloatArray, feet: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Images in another camera of the places on the floor where feet are seen: `project` of `to_floor`, in one step.

    Args:
        projection: `(..., 3, 4)` of the camera that sees the feet.
        other: `(..., 3, 4)` of the other one, as many.
        feet: `(..., 2, N)` image points.

    Returns:
        `(..., 2, N)` image points of the other camera, far outside where the place is not in front of its lens, and
        `(..., N)` depths there.
    """
    inverse = np.linalg.inv(projection[..., FLOOR_COLUMNS])
    rows = np.concatenate([other[..., FLOOR_COLUMNS] @ inverse, inverse[..., 2:, :]], axis=-2)
    homogeneous = rows[..., :2] @ feet + rows[..., 2:]
    below, near = homogeneous[..., 2, :], homogeneous[..., 3, :]
    depth = below / np.where(np.abs(near) < HORIZON, HORIZON, near)
    front = (depth > NEAREST)[..., None, :]
    return np.where(front, homogeneous[..., :2, :] / np.where(front, below[..., None, :], 1.0), OUTSIDE), depth


def predicted_heights(projection: FloatArray, feet: FloatArray) -> FloatArray:
    """How tall in the image a body of height 1 is that stands where its foot is seen; tiny where nobody can stand.

    Args:
        projection: `(..., 3, 4)`.
        feet: `(N, 2)` image points, or `(..., N, 2)`.

    Returns:
        `(..., N)` in image widths.
    """
    across, down = feet[..., 0], feet[..., 1]
    (a, b, _, c), (d, e, up, f), (g, h, ahead, i) = np.moveaxis(projection[..., None], (-3, -2), (0, 1))
    # A foot at depth 1 / s is at (u, v), so that its head is at (u, v, 1) / s + P (0, 0, 1, 0); the row of the inverse
    # that tells s is normal to the first two columns.
    normal = d * h - g * e, g * b - a * h, a * e - d * b
    near = (normal[0] * across + normal[1] * down + normal[2]) / (normal[0] * c + normal[1] * f + normal[2] * i)
    beside = 1.0 + near * ahead
    visible = (near > 0) & (near < 1.0 / NEAREST) & (beside > NEAREST * near)
    tall = near * (down * ahead - up) / np.where(visible, beside, 1.0)
    return np.where(visible, np.maximum(tall, LEAST_HEIGHT), LEAST_HEIGHT)


def complex_places(parameters: FloatArray, feet: FloatArray) -> NDArray[np.complex128]:
    """`(N,)` places on the floor, as complex numbers, of image points `(N, 2)` in widths from the centre."""
    floor = to_floor(projections(parameters), feet)
    return np.asarray(floor[:, 0] + 1j * floor[:, 1])


def moved(parameters: FloatArray, turn: complex, shift: complex) -> FloatArray:
    """The same camera after its floor was turned and shifted: z -> turn z + shift, floor points as complex numbers."""
    place = turn * complex(parameters[X], parameters[Y]) + shift
    result = parameters.copy()
    result[POSE] = parameters[YAW] + np.angle(turn), place.real, place.imag
    return result


def upside_down(parameters: FloatArray) -> NDArray[np.bool_]:
    """`(...)` whether cameras `(..., 10)` hang upside down, so that feet are at the top of boxes."""
    return np.asarray(np.cos(parameters[..., ROLL]) < 0)


def turned_over(parameters: FloatArray) -> FloatArray:
    """The cameras `(..., 10)` whose images are those of other cameras, turned by 180 degrees.

    Example:
        >>> tilted = np.array([0, 0.3, 0.1, 0.7, 1.0, 2.0, 3.0, 0.02, 0.01, 0.05])
        >>> point = np.array([[1.0, 5.0, 0.5]])
        >>> images = [project(projections(camera), point)[0] for camera in (tilted, turned_over(tilted))]
        >>> bool(np.allclose(images[0], -images[1]))
        True
    """
    result = parameters.copy()
    result[..., ROLL] = np.where(upside_down(parameters), -np.pi, np.pi) + parameters[..., ROLL]
    result[..., [CENTRE_X, CENTRE_Y]] *= -1
    return result


def mirrored(parameters: FloatArray) -> FloatArray:
    """The cameras `(..., 10)` that see the mirrored world (-x, y, z) in the mirrored images (-u, v) of other cameras.

    Example:
        >>> tilted = np.array([0, 0.3, 0.1, 0.7, 1.0, 2.0, 3.0, 0.02, 0.01, 0.05])
        >>> point = np.array([[1.0, 5.0, 0.5]])
        >>> image, _ = project(projections(tilted), point)
        >>> mirror_image, _ = project(projections(mirrored(tilted)), point * [-1, 1, 1])
        >>> bool(np.allclose(mirror_image, image * [-1, 1]))
        True
    """
    result = parameters.copy()
    result[..., [ROLL, YAW, X, CENTRE_X]] *= -1
    return result


def pixel_matrix(view: View) -> FloatArray:
    """`(3, 3)` from image points in widths from the centre to pixels of a view."""
    return np.array([[view.width, 0, view.width / 2], [0, view.width, view.height / 2], [0, 0, 1.0]])
