"""Numbers of a camera as they stand in files of nested values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from selfmva.core.messages import shown
from selfmva.errors import DataError, InputError
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.types import FloatArray


def numbers(values: Mapping[str, Any], key: str, shape: tuple[int, ...], where: str) -> FloatArray:
    """An array of a shape from a key, however its numbers are nested.

    Raises:
        DataError: The key is missing, or holds something else.
    """
    if key not in values:
        raise DataError(f"{where}: {key!r} is missing; there are {', '.join(map(repr, values)) or 'none'}")
    try:
        array = np.asarray(values[key], dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise DataError(f"{where}: {key!r} must be numbers, got {shown(values[key])}") from None
    if array.size != int(np.prod(shape)):
        raise DataError(f"{where}: {key!r} must be {' x '.join(map(str, shape))} numbers, got {array.size}")
    return array.reshape(shape)


def optional_numbers(values: Mapping[str, Any], key: str, where: str) -> FloatArray:
    """A vector from a key; empty where it is missing."""
    if values.get(key) is None:
        return np.zeros(0)
    try:
        return np.asarray(values[key], dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise DataError(f"{where}: {key!r} must be numbers, got {shown(values[key])}") from None


def camera_at(
    where: str,
    K: FloatArray,
    rotation: FloatArray,
    shift: FloatArray,
    distortion: FloatArray,
    size: FloatArray | None = None,
) -> Camera:
    """A camera from a file.

    Args:
        where: In the file, for the error message.
        K: `(3, 3)`.
        rotation: `(3, 3)`, or `(3,)` a rotation vector.
        shift: `(3,)`.
        distortion: Coefficients.
        size: `(2,)` width and height of the image.

    Raises:
        DataError: It is none.
    """
    turn = cv2.Rodrigues(rotation)[0] if rotation.size == 3 else rotation
    lens = distortion if distortion.any() else np.zeros(0)
    try:
        return Camera(K, turn, shift, lens, None if size is None else (int(size[0]), int(size[1])))
    except InputError as error:
        raise DataError(f"{where}: {error}") from None


def rotation_vector(camera: Camera) -> list[float]:
    """The rotation of a camera as a vector."""
    return [float(value) for value in cv2.Rodrigues(camera.R)[0].reshape(-1)]


def lens_of(camera: Camera, count: int) -> list[float]:
    """So many coefficients of the lens of a camera.

    Raises:
        InputError: It has more.
    """
    if np.any(camera.distortion[count:]):
        raise InputError(f"this format keeps {count} coefficients of a lens, the camera has {len(camera.distortion)}")
    return [float(value) for value in np.concatenate([camera.distortion, np.zeros(count)])[:count]]
