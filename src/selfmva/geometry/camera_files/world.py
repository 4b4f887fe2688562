"""The world of a calibration: its unit, and which of its axes points up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.scalars import real
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping

# Rotations that bring the axis of the name to z.
TO_UP = {
    "z": np.eye(3),
    "-z": np.diag([1.0, -1, -1]),
    "y": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "-y": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "x": np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]),
    "-x": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
}


def with_world(cameras: Mapping[str, Camera], *, up: str = "z", scale: float = 1.0) -> dict[str, Camera]:
    """The same cameras in a world whose z points up, in another unit.

    Args:
        cameras: By name.
        up: The axis of their world that points up: `"z"`, `"-z"`, `"y"`, `"-y"`, `"x"` or `"-x"`.
        scale: What lengths are multiplied by: .001 from millimetres to metres.

    Raises:
        InputError: There is no such axis, or the scale is not positive.

    Example:
        >>> camera = Camera(np.diag([1000, 1000, 1]), np.eye(3), [0, 1700, 0])  # millimetres, y down
        >>> with_world({"door": camera}, up="-y", scale=0.001)["door"].centre.tolist()
        [0.0, 0.0, 1.7]
    """
    if not is_one_of(up, TO_UP):
        raise InputError(f"up must be one of {', '.join(map(repr, TO_UP))}, got {shown(up)}")
    scale = real(scale, "scale", above=0)
    turn = TO_UP[up]
    return {
        name: Camera(camera.K, camera.R @ turn.T, camera.t * scale, camera.distortion, camera.size)
        for name, camera in cameras.items()
    }
