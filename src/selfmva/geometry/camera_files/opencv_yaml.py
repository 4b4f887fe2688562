"""YAML of OpenCV's FileStorage: one camera a file, or several, their names before their matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from selfmva.errors import DataError
from selfmva.geometry.camera_files.values import camera_at, rotation_vector

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from selfmva.core.types import FloatArray
    from selfmva.geometry.cameras import Camera

# Names under which programs keep a single camera, the first one being OpenCV's own.
SINGLE = {
    "K": ("camera_matrix", "cameraMatrix", "K", "intrinsic"),
    "distortion": ("distortion_coefficients", "distCoeffs", "dist", "D"),
    "R": ("R", "rotation_matrix", "rotation", "rvec"),
    "t": ("T", "t", "translation_vector", "translation", "tvec"),
}


def cameras_from_opencv(path: Path) -> dict[str, Camera]:
    """Cameras by name; a camera alone is called as its file.

    Raises:
        DataError: No such file, or a matrix is missing.
    """
    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    except cv2.error as error:
        raise DataError(f"{path} is no YAML of OpenCV: {error}") from None
    try:
        if not storage.isOpened():
            raise DataError(f"{path} is no YAML of OpenCV")
        names = storage.getNode("names")
        if names.empty():
            return {path.stem: _single(storage, str(path))}
        listed = [names.at(number).string() for number in range(names.size())]
        return {name: _named(storage, name, f"{path}, camera {name}") for name in listed}
    finally:
        storage.release()


def write_opencv(path: Path, cameras: Mapping[str, Camera]) -> None:
    """Write several cameras: names, then K_, dist_, R_ (a rotation vector), Rot_, T_ and size_ of each name."""
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_FORMAT_YAML)
    storage.startWriteStruct("names", cv2.FileNode_SEQ)
    for name in cameras:
        storage.write("", name)
    storage.endWriteStruct()
    for name, camera in cameras.items():
        storage.write(f"K_{name}", camera.K)
        storage.write(f"dist_{name}", np.reshape(camera.distortion if len(camera.distortion) else np.zeros(5), (1, -1)))
        storage.write(f"R_{name}", np.reshape(rotation_vector(camera), (3, 1)))
        storage.write(f"Rot_{name}", camera.R)
        storage.write(f"T_{name}", camera.t.reshape(3, 1))
        if camera.size is not None:
            storage.write(f"size_{name}", np.array([camera.size], dtype=np.float64))
    storage.release()


def _matrix(storage: Any, keys: tuple[str, ...], where: str) -> FloatArray:
    for key in keys:
        node = storage.getNode(key)
        if not node.empty():
            return np.asarray(node.mat(), dtype=np.float64)
    raise DataError(f"{where}: {keys[0]!r} is missing; it may be called {', '.join(keys)}")


def _optional(storage: Any, keys: tuple[str, ...]) -> FloatArray:
    found = next((node.mat() for node in map(storage.getNode, keys) if not node.empty()), None)
    return np.zeros(0) if found is None else np.asarray(found, dtype=np.float64).reshape(-1)


def _single(storage: Any, where: str) -> Camera:
    sides = [storage.getNode(key) for key in ("image_width", "image_height")]
    size = None if any(side.empty() for side in sides) else np.array([side.real() for side in sides])
    rotation = _matrix(storage, SINGLE["R"], where)
    return camera_at(
        where,
        _matrix(storage, SINGLE["K"], where),
        rotation.reshape(-1) if rotation.size == 3 else rotation,
        _matrix(storage, SINGLE["t"], where).reshape(-1),
        _optional(storage, SINGLE["distortion"]),
        size,
    )


def _named(storage: Any, name: str, where: str) -> Camera:
    size = _optional(storage, (f"size_{name}",))
    rotation = _matrix(storage, (f"Rot_{name}", f"R_{name}"), where)
    return camera_at(
        where,
        _matrix(storage, (f"K_{name}",), where),
        rotation.reshape(-1) if rotation.size == 3 else rotation,
        _matrix(storage, (f"T_{name}",), where).reshape(-1),
        _optional(storage, (f"dist_{name}", f"D_{name}")),
        size if size.size else None,
    )
