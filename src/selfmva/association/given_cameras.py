"""A calibration as a user gives it to `fit`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from selfmva.core.messages import shown
from selfmva.errors import InputError, RigChangedWarning
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.core.types import View

    CamerasLike = Sequence[Camera | None] | Mapping[str, Camera | None] | str | Path


def resolve_cameras(cameras: CamerasLike, views: Sequence[View]) -> tuple[Camera | None, ...]:
    """One camera a view, from what a user gives.

    Args:
        cameras: One a view, in their order; or by name of the view; or a file that `read_cameras` reads, whose names
            are those of the views. None, or no entry, where a camera is not known.
        views: The cameras of the recording.

    Raises:
        InputError: Another number, a name that no view has, an image of another size, or no camera.
        DataError: The file is missing or damaged.
    """
    if isinstance(cameras, str | os.PathLike):
        from selfmva.geometry.camera_files import read_cameras  # and OpenCV

        cameras = read_cameras(cameras)
    names = [view.name for view in views]
    if isinstance(cameras, Mapping):
        unknown = [name for name in cameras if name not in names]
        if unknown:
            raise InputError(
                f"cameras name {shown(unknown[0])}, and the views are {', '.join(map(repr, names))}: call them alike, "
                "or give a list in the order of the views"
            )
        listed = [cameras.get(name) for name in names]
    elif isinstance(cameras, Sequence):
        listed = [*cameras]
    else:
        raise InputError(f"cameras must be one Camera a view, a dictionary by name, or a file, got {shown(cameras)}")
    if len(listed) != len(views):
        raise InputError(
            f"cameras has {len(listed)} entries, there are {len(views)} views; None where one is not known"
        )
    for view, camera in zip(views, listed, strict=True):
        if camera is not None and not isinstance(camera, Camera):
            raise InputError(f"the camera of view {view.name!r} must be a Camera or None, got {shown(camera)}")
        if camera is not None:
            _check_image(view, camera)
    return tuple(listed)


def warn_of_contradiction(views: Sequence[View], against: Sequence[int]) -> None:
    """Say which views contradict the calibration that was given; called by `fit` itself, whose caller is named.

    Warns:
        RigChangedWarning: There are such views.
    """
    if against:
        names = ", ".join(repr(views[view].name) for view in against)
        warnings.warn(
            f"the boxes of {names} contradict the cameras that were given: by themselves they find them elsewhere. "
            "Check the order of the cameras, and that the calibration is of this recording; or leave cameras out. "
            "Their pairs are not trusted",
            RigChangedWarning,
            stacklevel=3,
        )


def _check_image(view: View, camera: Camera) -> None:
    """Refuse a camera of another image: of another size, or whose principal point lies outside of it."""
    if camera.size is not None and camera.size != (view.width, view.height):
        raise InputError(
            f"the camera of view {view.name!r} was calibrated on images of {camera.size[0]} x {camera.size[1]} pixels, "
            f"the view has {view.width} x {view.height}: scale K, or the boxes"
        )
    x, y = camera.K[0, 2], camera.K[1, 2]
    if not (0 < x < view.width and 0 < y < view.height):
        raise InputError(
            f"the principal point of the camera of view {view.name!r}, ({x:.0f}, {y:.0f}), lies outside of its image "
            f"of {view.width} x {view.height} pixels: the calibration is of another size, scale K"
        )
