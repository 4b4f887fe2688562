"""Calibrations in JSON: Panoptic, 4D association, AI City, and a plain list of K, R and t."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from selfmva.errors import DataError, InputError
from selfmva.geometry.camera_files.values import camera_at, lens_of, numbers, optional_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.types import FloatArray
    from selfmva.geometry.cameras import Camera

CENTIMETRES = 0.01  # of Panoptic, in metres
# Panoptic's y points down: its world turned so that z points up, and still right-handed.
PANOPTIC_TO_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
PROJECTION_KEYS = ("camera projection matrix", "cameraMatrix", "projection matrix")


def json_format(content: Any) -> str | None:
    """The name of the format that a JSON holds; None where it is none of these."""
    if isinstance(content, dict) and isinstance(content.get("cameras"), list):
        entries = content["cameras"]
        return "panoptic" if any(isinstance(e, dict) and "distCoef" in e for e in entries) else "aicity"
    if isinstance(content, dict) and isinstance(content.get("sensors"), list):
        return "aicity"
    if isinstance(content, dict) and any(isinstance(value, dict) and "RT" in value for value in content.values()):
        return "4d-association"
    if isinstance(content, dict) and any(key in content for key in PROJECTION_KEYS):
        return "aicity"
    if isinstance(content, list) and content and all(isinstance(entry, dict) and "K" in entry for entry in content):
        return "json"
    return None


def cameras_from_panoptic(content: Any, source: str) -> dict[str, Camera]:
    """CMU Panoptic: K, R, t and distCoef; metres and z up afterwards, centimetres and y down in the file."""
    found = {}
    for number, entry in enumerate(content["cameras"]):
        where = f"{source}, camera {entry.get('name', number)}"
        rotation, shift = numbers(entry, "R", (3, 3), where), numbers(entry, "t", (3,), where)
        size = numbers(entry, "resolution", (2,), where) if "resolution" in entry else None
        lens = optional_numbers(entry, "distCoef", where)
        K = numbers(entry, "K", (3, 3), where)
        found[str(entry.get("name", number))] = camera_at(
            where, K, rotation @ PANOPTIC_TO_UP.T, shift * CENTIMETRES, lens, size
        )
    return found


def panoptic_of_cameras(cameras: Mapping[str, Camera]) -> dict[str, Any]:
    """The same of cameras in metres, z up."""
    return {
        "cameras": [
            {
                "name": name,
                **({} if camera.size is None else {"resolution": list(camera.size)}),
                "K": camera.K.tolist(),
                "distCoef": lens_of(camera, 5),
                "R": (camera.R @ PANOPTIC_TO_UP).tolist(),
                "t": (camera.t / CENTIMETRES).reshape(3, 1).tolist(),
            }
            for name, camera in cameras.items()
        ]
    }


def cameras_from_association(content: Any, source: str) -> dict[str, Camera]:
    """4D association: K of nine numbers, RT of twelve, row after row."""
    found = {}
    for name, entry in content.items():
        if not isinstance(entry, dict):
            continue
        where = f"{source}, camera {name}"
        motion = numbers(entry, "RT", (3, 4), where)
        size = numbers(entry, "imgSize", (2,), where) if "imgSize" in entry else None
        lens = optional_numbers(entry, "distCoeff", where)
        found[str(name)] = camera_at(where, numbers(entry, "K", (3, 3), where), motion[:, :3], motion[:, 3], lens, size)
    return found


def association_of_cameras(cameras: Mapping[str, Camera]) -> dict[str, Any]:
    """The same."""
    return {
        name: {
            "K": camera.K.reshape(-1).tolist(),
            "RT": np.column_stack([camera.R, camera.t]).reshape(-1).tolist(),
            "distCoeff": lens_of(camera, 5),
            **({} if camera.size is None else {"imgSize": list(camera.size)}),
        }
        for name, camera in cameras.items()
    }


def cameras_from_list(content: Any, source: str) -> dict[str, Camera]:
    """A list of cameras with name, K, R, t and dist."""
    found = {}
    for number, entry in enumerate(content):
        where = f"{source}, camera {entry.get('name', number)}"
        found[str(entry.get("name", number))] = camera_at(
            where,
            numbers(entry, "K", (3, 3), where),
            numbers(entry, "R", (3, 3), where),
            numbers(entry, "t", (3,), where),
            optional_numbers(entry, "dist", where),
            numbers(entry, "size", (2,), where) if "size" in entry else None,
        )
    return found


def list_of_cameras(cameras: Mapping[str, Camera]) -> list[dict[str, Any]]:
    """The same."""
    return [
        {
            "name": name,
            "K": camera.K.tolist(),
            "R": camera.R.tolist(),
            "t": camera.t.tolist(),
            "dist": camera.distortion.tolist(),
            **({} if camera.size is None else {"size": list(camera.size)}),
        }
        for name, camera in cameras.items()
    ]


def cameras_from_aicity(content: Any, source: str) -> dict[str, Camera]:
    """AI City: projections of 3 x 4 numbers, or intrinsic and extrinsic matrices."""
    entries = content.get("cameras") or content.get("sensors") or [content]
    found = {}
    for number, entry in enumerate(entries):
        name = str(entry.get("name", entry.get("id", number)))
        where = f"{source}, camera {name}"
        if "intrinsicMatrix" in entry:
            motion = numbers(entry, "extrinsicMatrix", (3, 4), where)
            K = numbers(entry, "intrinsicMatrix", (3, 3), where)
            found[name] = camera_at(where, K, motion[:, :3], motion[:, 3], np.zeros(0))
            continue
        key = next((key for key in PROJECTION_KEYS if key in entry), PROJECTION_KEYS[0])
        try:
            found[name] = camera_of_projection(numbers(entry, key, (3, 4), where))
        except InputError as error:
            raise DataError(f"{where}: {error}") from None
    return found


def aicity_of_cameras(cameras: Mapping[str, Camera]) -> dict[str, Any]:
    """The same, as projections and as homographies from the floor z = 0 to pixels."""
    return {
        "cameras": [
            {
                "name": name,
                "camera projection matrix": camera.matrix.tolist(),
                "homography matrix": camera.matrix[:, [0, 1, 3]].tolist(),
            }
            for name, camera in cameras.items()
        ]
    }


def camera_of_projection(matrix: FloatArray) -> Camera:
    """K, R and t of a projection `(3, 4)` of any sign and scale (Hartley and Zisserman, section 6.2.4).

    Raises:
        InputError: It is none of a camera: it mirrors, or sees no direction.

    Example:
        >>> from selfmva.geometry.cameras import Camera
        >>> camera = Camera([[900, 0, 500], [0, 900, 400], [0, 0, 1]], np.eye(3), [1, 2, 3])
        >>> camera_of_projection(-2 * camera.matrix).t.round(6).tolist()
        [1.0, 2.0, 3.0]
    """
    from selfmva.geometry.cameras import Camera

    size = np.linalg.norm(matrix[2, :3])
    if size <= 0 or abs(np.linalg.det(matrix[:, :3] / size)) <= 0:
        raise InputError("a projection needs three rows that tell a direction")
    scaled = matrix / size * np.sign(np.linalg.det(matrix[:, :3]))
    intrinsic, rotation = cv2.decomposeProjectionMatrix(scaled)[:2]
    signs = np.diag(np.sign(np.diag(intrinsic)))
    upper, turn = np.triu(intrinsic @ signs), signs @ rotation
    upper = upper / upper[2, 2]
    return Camera(upper, turn, np.linalg.solve(upper, scaled[:, 3]))
