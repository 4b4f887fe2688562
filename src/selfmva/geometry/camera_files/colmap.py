"""Text of COLMAP: a folder with cameras.txt and images.txt; an image is a camera of the rig."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from selfmva.errors import DataError, InputError
from selfmva.geometry.camera_files.values import camera_at, lens_of
from selfmva.io.storage.text import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.types import FloatArray
    from selfmva.geometry.cameras import Camera

CAMERAS, IMAGES = "cameras.txt", "images.txt"
# Parameters of each model: how many focal lengths, then two of the principal point, then those of the lens.
MODELS = {
    "SIMPLE_PINHOLE": (1, 0),
    "PINHOLE": (2, 0),
    "SIMPLE_RADIAL": (1, 1),
    "RADIAL": (1, 2),
    "OPENCV": (2, 4),
    "FULL_OPENCV": (2, 8),
}


def cameras_from_colmap(folder: Path) -> dict[str, Camera]:
    """Cameras by the names of their images, without endings.

    Raises:
        DataError: A file is missing or damaged, or a camera is of a model that OpenCV's lens does not know.
    """
    lenses = {}
    for number, fields in _rows(folder / CAMERAS):
        where = f"{folder / CAMERAS}, line {number}"
        if len(fields) < 5 or fields[1] not in MODELS:
            known = ", ".join(MODELS)
            raise DataError(f"{where}: expected id, model, width, height and parameters; models are {known}")
        focals, count = MODELS[fields[1]]
        values = _floats(fields[2:], where)
        if len(values) != 4 + focals + count:
            raise DataError(f"{where}: {fields[1]} has {2 + focals + count} parameters, got {len(values) - 2}")
        focal, middle = values[2 : 2 + focals], values[2 + focals : 4 + focals]
        K = np.array([[focal[0], 0, middle[0]], [0, focal[-1], middle[1]], [0, 0, 1.0]])
        lens = values[4 + focals :]
        padded = np.concatenate([lens, np.zeros(4 - len(lens))]) if 0 < len(lens) < 4 else lens
        lenses[fields[0]] = K, padded, values[:2]
    found = {}
    for number, fields in list(_rows(folder / IMAGES))[::2]:  # the points of an image are on the line behind it
        where = f"{folder / IMAGES}, line {number}"
        if len(fields) < 10 or fields[8] not in lenses:
            raise DataError(f"{where}: expected id, quaternion, translation, a camera of {CAMERAS} and a name")
        pose = _floats(fields[1:8], where)
        turn = Rotation.from_quat(pose[[1, 2, 3, 0]]).as_matrix()
        K, lens, size = lenses[fields[8]]
        found[PurePosixPath(" ".join(fields[9:])).with_suffix("").name] = camera_at(
            where, K, turn, pose[4:], lens, size
        )
    return found


def write_colmap(folder: Path, cameras: Mapping[str, Camera]) -> None:
    """Write both files, a camera of the model OPENCV each; their folder must exist.

    Raises:
        InputError: A camera does not say the size of its images, or has skew.
    """
    first, second = (
        ["# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]"],
        ["# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME"],
    )
    for number, (name, camera) in enumerate(cameras.items(), start=1):
        if camera.size is None or camera.K[0, 1]:
            raise InputError(f"camera {name!r}: COLMAP needs the size of its images, and has no skew")
        K = camera.K
        values = [K[0, 0], K[1, 1], K[0, 2], K[1, 2], *lens_of(camera, 4)]
        first.append(f"{number} OPENCV {camera.size[0]} {camera.size[1]} {_text(values)}")
        x, y, z, w = Rotation.from_matrix(camera.R).as_quat()
        second += [f"{number} {_text([w, x, y, z, *camera.t])} {number} {name}.png", ""]
    (folder / CAMERAS).write_text("\n".join([*first, ""]), encoding="utf-8")
    (folder / IMAGES).write_text("\n".join([*second, ""]), encoding="utf-8")


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Lines with their numbers, comments left out; those of points stay, even when empty."""
    lines = read_text(path).splitlines()
    return [(k, line.split()) for k, line in enumerate(lines, start=1) if not line.startswith("#")]


def _floats(fields: list[str], where: str) -> FloatArray:
    try:
        return np.array([float(field) for field in fields])
    except ValueError:
        raise DataError(f"{where}: expected numbers, got {' '.join(fields)}") from None


def _text(values: list[float]) -> str:
    return " ".join(repr(float(value)) for value in values)
