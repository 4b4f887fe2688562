"""From a projection matrix to its camera, by RQ decomposition (Hartley, Zisserman, Multiple View Geometry, 6.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import rq

from selfmva.core.values import real_array
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SINGULAR = 1e-12  # of the left part of a projection: its smallest over its largest singular value


def camera_of_projection(matrix: ArrayLike) -> Camera:
    """The camera of a projection of points in front of it to pixels.

    Args:
        matrix: `(3, 4)`, up to a scale of either sign, from the world (x, y, z, 1).

    Returns:
        The camera, without distortion.

    Raises:
        InputError: No such matrix, or one of no camera: its centre is at infinity.

    Example:
        >>> camera = Camera([[900, 0, 480], [0, 900, 270], [0, 0, 1]], np.eye(3), [0.5, 0.2, 5])
        >>> found = camera_of_projection(-2 * camera.matrix)
        >>> bool(np.allclose(found.matrix, camera.matrix))
        True
    """
    given = real_array(matrix, "a projection matrix")
    if given.shape != (3, 4) or not np.isfinite(given).all():
        raise InputError(f"a projection matrix must be (3, 4) finite numbers, got shape {given.shape}")
    values = np.linalg.svd(given[:, :3], compute_uv=False)
    if values[-1] <= SINGULAR * max(values[0], 1e-300):
        raise InputError("a projection matrix must be that of a camera at some place; its left part has no inverse")
    given = given * np.sign(np.linalg.det(given[:, :3]))
    upper, rotation = rq(given[:, :3])
    signs = np.sign(np.diag(upper))
    upper, rotation = upper * signs, signs[:, None] * rotation
    shift = np.linalg.solve(upper, given[:, 3])
    inner = upper / upper[2, 2]
    inner[2] = [0, 0, 1]
    return Camera(inner, rotation, shift)
