"""Between a camera over the floor, ten numbers in body heights, and a calibrated camera in the unit of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera
from selfmva.geometry.floor_cameras import (
    ASPECT,
    CENTRE_X,
    CENTRE_Y,
    FOCAL,
    HEIGHT,
    PARAMETERS,
    ROLL,
    TILT,
    YAW,
    X,
    Y,
    pixel_matrix,
    projections,
)

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, View

LOWEST = 1e-3  # body heights: a camera that is not above the floor sees nobody stand on it


def camera_of_parameters(parameters: FloatArray, view: View, unit: float = 1.0) -> Camera:
    """A camera over the floor as OpenCV has it; z = 0 is the floor, z points up.

    Args:
        parameters: `(10,)`, see `selfmva.geometry.floor_cameras`.
        view: The camera's name and image size.
        unit: Length of a body height in the unit of the result.

    Example:
        >>> from selfmva.core.types import View
        >>> level = np.zeros(10)  # focal length of one width, one body height above the floor, looks along y
        >>> camera_of_parameters(level, View("hall", 1000, 800), unit=1.7).centre.tolist()
        [0.0, 0.0, 1.7]
    """
    focal, aspect = np.exp(parameters[FOCAL]), np.exp(parameters[ASPECT])
    centre_x, centre_y = parameters[[CENTRE_X, CENTRE_Y]]
    own = np.array([[focal, 0, centre_x], [0, focal * aspect, centre_y], [0, 0, 1.0]])
    motion = np.linalg.inv(own) @ projections(parameters)
    centre = unit * np.array([parameters[X], parameters[Y], np.exp(parameters[HEIGHT])])
    rotation = motion[:, :3]
    return Camera(pixel_matrix(view) @ own, rotation, -rotation @ centre)


def parameters_of_camera(camera: Camera, view: View, unit: float = 1.0) -> FloatArray:
    """The ten numbers of a camera over a floor z = 0, z up; the distortion of its lens has no place in them.

    Args:
        camera: In the unit of the user.
        view: Its name and image size.
        unit: Length of a body height in that unit.

    Returns:
        `(10,)`, see `selfmva.geometry.floor_cameras`.

    Raises:
        InputError: The camera is not above the floor: z does not point up, or the floor is not z = 0.

    Example:
        >>> from selfmva.core.types import View
        >>> view, tilted = View("hall", 1000, 800), np.array([0, 0.3, 0.1, 0.7, 1.0, 2.0, 3.0, 0.02, 0.01, 0.05])
        >>> camera = camera_of_parameters(tilted, view, unit=1.7)
        >>> bool(np.allclose(parameters_of_camera(camera, view, unit=1.7), tilted))
        True
    """
    centre = camera.centre / unit
    if centre[2] <= LOWEST:
        raise InputError(
            f"the camera of view {view.name!r} is at z = {camera.centre[2]:.3g}, not above the floor z = 0: give "
            "cameras of a world whose z points up and is 0 on the floor"
        )
    K, R = camera.K, camera.R
    result = np.empty(PARAMETERS)
    result[FOCAL], result[ASPECT] = np.log(K[0, 0] / view.width), np.log(K[1, 1] / K[0, 0])
    result[CENTRE_X] = K[0, 2] / view.width - 0.5
    result[CENTRE_Y] = (K[1, 2] - view.height / 2) / view.width
    # The third column is (-sin roll cos tilt, -cos roll cos tilt, -sin tilt), the third row (-sin yaw cos tilt,
    # cos yaw cos tilt, -sin tilt).
    result[TILT] = np.arcsin(np.clip(-R[2, 2], -1.0, 1.0))
    result[ROLL], result[YAW] = np.arctan2(-R[0, 2], -R[1, 2]), np.arctan2(-R[2, 0], R[2, 1])
    result[[X, Y]], result[HEIGHT] = centre[:2], np.log(centre[2])
    return result
