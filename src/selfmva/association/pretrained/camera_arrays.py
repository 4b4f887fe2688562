"""Cameras as arrays of a saved model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CAMERA_ARRAYS = "camera."  # of the names of their arrays
JOINTS = f"{CAMERA_ARRAYS}joints"
WITHOUT_LENS = 21  # numbers of K, R and t


def cameras_to_arrays(cameras: tuple[Camera | None, ...] | None, joints: int | None) -> dict[str, NDArray[Any]]:
    """One array a view: K, R, t and the distortion, row after row; nothing where it is not known. And of the joints."""
    numbers = {} if joints is None else {JOINTS: np.array(joints)}
    return numbers | {
        f"{CAMERA_ARRAYS}{view}": np.concatenate([camera.K.ravel(), camera.R.ravel(), camera.t, camera.distortion])
        for view, camera in enumerate(cameras or ())
        if camera is not None
    }


def cameras_from_arrays(
    arrays: Mapping[str, NDArray[Any]], views: int
) -> tuple[tuple[Camera | None, ...] | None, int | None]:
    """What `cameras_to_arrays` wrote: cameras, and the number of joints.

    Raises:
        ValueError: An array is of no view, or holds no camera.
    """
    if not arrays:
        return None, None
    unknown = set(arrays) - {JOINTS} - {f"{CAMERA_ARRAYS}{view}" for view in range(views)}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is of no view")
    joints = None if JOINTS not in arrays else int(arrays[JOINTS])
    if joints is not None and joints < 1:
        raise ValueError(f"a body of {joints} joints")
    return tuple(_camera(arrays.get(f"{CAMERA_ARRAYS}{view}")) for view in range(views)), joints


def _camera(array: NDArray[Any] | None) -> Camera | None:
    if array is None:
        return None
    numbers = np.asarray(array, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < WITHOUT_LENS:
        raise ValueError(f"a camera has {WITHOUT_LENS} numbers and more, got shape {numbers.shape}")
    try:
        return Camera(numbers[:9].reshape(3, 3), numbers[9:18].reshape(3, 3), numbers[18:21], numbers[21:])
    except InputError as error:
        raise ValueError(str(error)) from None
