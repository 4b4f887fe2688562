"""Read and write calibrations, whatever their format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.errors import DataError, InputError
from selfmva.geometry.camera_files.colmap import CAMERAS, cameras_from_colmap, write_colmap
from selfmva.geometry.camera_files.json_files import (
    aicity_of_cameras,
    association_of_cameras,
    cameras_from_aicity,
    cameras_from_association,
    cameras_from_list,
    cameras_from_panoptic,
    json_format,
    list_of_cameras,
    panoptic_of_cameras,
)
from selfmva.geometry.camera_files.opencv_yaml import cameras_from_opencv, write_opencv
from selfmva.geometry.camera_files.toml import cameras_from_toml, toml_of_cameras
from selfmva.geometry.camera_files.world import with_world
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import read_json, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from selfmva.geometry.cameras import Camera

CAMERA_FORMATS = ("opencv", "pose2sim", "anipose", "panoptic", "4d-association", "colmap", "aicity", "json")
JSON_READERS = {
    "panoptic": cameras_from_panoptic,
    "4d-association": cameras_from_association,
    "aicity": cameras_from_aicity,
    "json": cameras_from_list,
}
JSON_WRITERS = {
    "panoptic": panoptic_of_cameras,
    "4d-association": association_of_cameras,
    "aicity": aicity_of_cameras,
    "json": list_of_cameras,
}


def read_cameras(path: str | Path, *, up: str = "z", scale: float = 1.0) -> dict[str, Camera]:
    """Read a calibration; its format is seen.

    Args:
        path: A TOML file of Pose2Sim or Anipose; a YAML file of OpenCV, with one camera or with `names`; a JSON file of
            Panoptic (whose world comes out in metres, z up), of 4D association, of AI City, or a list of `name`, `K`,
            `R`, `t` and `dist`; or a folder of COLMAP with cameras.txt and images.txt.
        up: The axis of its world that points up, see `with_world`.
        scale: What its lengths are multiplied by.

    Returns:
        Cameras by name, in the order of the file.

    Raises:
        InputError: `up` or `scale` are none.
        DataError: The file is missing, damaged, of no known format, or holds no camera.
    """
    source = as_path(path, "path of a calibration")
    if source.is_dir():
        if not (source / CAMERAS).is_file():
            raise DataError(f"{source} is a folder without {CAMERAS}: give one of COLMAP, or a file")
        found = cameras_from_colmap(source)
    elif source.suffix.lower() == ".toml":
        found = cameras_from_toml(read_text(source), str(source))
    elif source.suffix.lower() in {".yml", ".yaml"}:
        read_text(source)  # which says what is wrong with a file that cannot be read
        found = cameras_from_opencv(source)
    else:
        content = read_json(source)
        name = json_format(content)
        if name is None:
            raise DataError(f"{source} holds no calibration; known formats are {', '.join(CAMERA_FORMATS)}")
        found = JSON_READERS[name](content, str(source))
    if not found:
        raise DataError(f"{source} holds no camera")
    return with_world(found, up=up, scale=scale)


def write_cameras(path: str | Path, cameras: Mapping[str, Camera], format: str) -> None:  # noqa: A002  # as users say
    """Write a calibration.

    Args:
        path: The file, replaced as a whole or not at all; a folder for COLMAP, made where it is missing.
        cameras: By name.
        format: One of `CAMERA_FORMATS`. Lengths and axes are written as they are; Panoptic's are centimetres, y down,
            made from metres, z up.

    Raises:
        InputError: The format is unknown, or cannot hold a camera.
        DataError: The file cannot be written.

    Example:
        >>> import numpy as np
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.geometry.cameras import Camera
        >>> camera = Camera(np.diag([1000.0, 1000, 1]), np.eye(3), [0, 0, 3])
        >>> with TemporaryDirectory() as folder:
        ...     write_cameras(f"{folder}/rig.toml", {"door": camera}, "pose2sim")
        ...     read_cameras(f"{folder}/rig.toml")["door"].t.tolist()
        [0.0, 0.0, 3.0]
    """
    target = as_path(path, "path of a calibration")
    if not is_one_of(format, CAMERA_FORMATS):
        raise InputError(f"format must be one of {', '.join(map(repr, CAMERA_FORMATS))}, got {shown(format)}")
    if format == "colmap":
        target.mkdir(parents=True, exist_ok=True)
        write_colmap(target, cameras)
        return
    with atomic_write(target) as temporary:
        if format == "opencv":
            named = temporary.with_suffix(".yml")
            write_opencv(named, cameras)
            named.replace(temporary)
        elif format in JSON_WRITERS:
            temporary.write_text(json.dumps(JSON_WRITERS[format](cameras), indent=1), encoding="utf-8")
        else:
            temporary.write_text(toml_of_cameras(cameras, anipose=format == "anipose"), encoding="utf-8")
