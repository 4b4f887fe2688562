"""TOML of Pose2Sim and Anipose: a section a camera, rotation vectors, lengths as the calibration had them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.errors import DataError
from selfmva.geometry.camera_files.values import camera_at, lens_of, numbers, optional_numbers, rotation_vector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.geometry.cameras import Camera

NOT_CAMERAS = ("metadata",)


def cameras_from_toml(text: str, source: str) -> dict[str, Camera]:
    """Cameras by name.

    Raises:
        DataError: No TOML, or a section is no camera.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{source} is no TOML: {error}") from None
    found = {}
    for section, values in content.items():
        if section in NOT_CAMERAS or not isinstance(values, dict):
            continue
        where = f"{source}, [{section}]"
        if values.get("fisheye"):
            raise DataError(f"{where}: lenses of the fisheye model are not read; undistort the images first")
        found[str(values.get("name", section))] = camera_at(
            where,
            numbers(values, "matrix", (3, 3), where),
            numbers(values, "rotation", (3,), where),
            numbers(values, "translation", (3,), where),
            optional_numbers(values, "distortions", where),
            numbers(values, "size", (2,), where) if "size" in values else None,
        )
    return found


def toml_of_cameras(cameras: Mapping[str, Camera], *, anipose: bool) -> str:
    """The TOML of Pose2Sim, with four coefficients a lens, or of Anipose, with five."""
    parts = []
    for number, (name, camera) in enumerate(cameras.items()):
        size = [] if camera.size is None else [f"size = [ {camera.size[0]}, {camera.size[1]}]"]
        parts += [
            f"[cam_{number}]" if anipose else f"[{_section(name)}]",
            f"name = {_text(name)}",
            *size,
            f"matrix = {_rows(camera.K)}",
            f"distortions = {_row(lens_of(camera, 5 if anipose else 4))}",
            f"rotation = {_row(rotation_vector(camera))}",
            f"translation = {_row(camera.t.tolist())}",
            *([] if anipose else ["fisheye = false"]),
            "",
        ]
    return "\n".join([*parts, "[metadata]", "adjusted = false", "error = 0.0", ""])


def _section(name: str) -> str:
    plain = all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name)
    return name if plain and name not in NOT_CAMERAS else _text(name)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _row(values: Any) -> str:
    return f"[ {', '.join(repr(float(value)) for value in np.asarray(values).tolist())}]"


def _rows(values: Any) -> str:
    return f"[ {', '.join(_row(row) for row in values)}]"
