"""A lens that is known, of a camera whose place is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.cameras import Camera
from selfmva.geometry.floor_cameras import ASPECT, CENTRE_X, CENTRE_Y, FOCAL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, View

LENS_PARAMETERS = [FOCAL, CENTRE_X, CENTRE_Y, ASPECT]  # of the ten numbers of a camera over a floor


@dataclass(frozen=True, eq=False)
class Intrinsics:
    """Focal lengths, principal point and distortion of a lens.

    Args:
        K: `(3, 3)` intrinsic matrix in pixels.
        distortion: `(0, 4, 5, 8, 12 or 14)` coefficients of OpenCV; none where the lens is without.
        size: Width and height of its images in pixels; None where that is not known.

    Raises:
        InputError: As `selfmva.geometry.cameras.Camera`.

    Example:
        >>> Intrinsics([[1000, 0, 500], [0, 1000, 400], [0, 0, 1]], [-0.2, 0, 0, 0]).K[0].tolist()
        [1000.0, 0.0, 500.0]
    """

    K: FloatArray
    distortion: FloatArray = field(default_factory=lambda: np.zeros(0))
    size: tuple[int, int] | None = None

    def __init__(self, K: ArrayLike, distortion: ArrayLike | None = None, size: tuple[int, int] | None = None) -> None:
        camera = Camera(K, np.eye(3), np.zeros(3), distortion, size)
        for name in ("K", "distortion", "size"):
            object.__setattr__(self, name, getattr(camera, name))

    @property
    def unplaced(self) -> Camera:
        """A camera with this lens at the origin of some world."""
        return Camera(self.K, np.eye(3), np.zeros(3), self.distortion, self.size)


def lens_parameters(camera: Camera, view: View) -> FloatArray:
    """`(4,)` what a lens says of a camera over a floor, in the order of `LENS_PARAMETERS`.

    Example:
        >>> from selfmva.core.types import View
        >>> lens = Intrinsics([[1000, 0, 500], [0, 1000, 400], [0, 0, 1]]).unplaced
        >>> lens_parameters(lens, View("hall", 1000, 800)).tolist()
        [0.0, 0.0, 0.0, 0.0]
    """
    return np.array(
        [
            np.log(camera.K[0, 0] / view.width),
            camera.K[0, 2] / view.width - 0.5,
            (camera.K[1, 2] - view.height / 2) / view.width,
            np.log(camera.K[1, 1] / camera.K[0, 0]),
        ]
    )
