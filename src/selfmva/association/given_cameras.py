"""A calibration as a user gives it to `fit`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.values import real_array
from selfmva.errors import InputError, RigChangedWarning
from selfmva.geometry.cameras import Camera
from selfmva.geometry.intrinsics import Intrinsics

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, View

    # A homography is an array `(3, 3)`.
    GivenCamera = Camera | Intrinsics | FloatArray | None
    CameraLike = Camera | Intrinsics | ArrayLike | None
    CamerasLike = Sequence[CameraLike] | Mapping[str, CameraLike] | str | Path


def resolve_cameras(cameras: CamerasLike, views: Sequence[View]) -> tuple[GivenCamera, ...]:
    """One camera a view, from what a user gives.

    Args:
        cameras: One a view, in their order; or by name of the view; or a file that `read_cameras` reads, whose names
            are those of the views. A `Camera`; a `(3, 4)` projection from the world to pixels; a `(3, 3)` homography
            from pixels to the floor; `Intrinsics` where the lens alone is known; None, or no entry, where nothing is.
        views: The cameras of the recording.

    Returns:
        One entry a view; projections are cameras then.

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
    return tuple(_resolved(view, camera) for view, camera in zip(views, listed, strict=True))


def split_lenses(
    given: Sequence[GivenCamera] | None,
) -> tuple[list[GivenCamera] | None, list[Camera | None] | None]:
    """What is known of cameras, apart by whether their places are.

    Returns:
        Cameras and homographies, None where no view has any; and if so, lenses as cameras at no place, None without.
    """
    if given is None or all(entry is None for entry in given):
        return None if given is None else list(given), None
    if all(entry is None or isinstance(entry, Intrinsics) for entry in given):
        return None, [entry.unplaced if isinstance(entry, Intrinsics) else None for entry in given]
    return [None if isinstance(entry, Intrinsics) else entry for entry in given], None


def _resolved(view: View, camera: CameraLike) -> GivenCamera:
    from selfmva.geometry.projection_matrix import camera_of_projection  # and SciPy's decompositions

    if camera is None:
        return None
    if not isinstance(camera, Camera | Intrinsics):
        if np.ndim(camera) != 2 or np.shape(camera) not in {(3, 4), (3, 3)}:
            raise InputError(
                f"the camera of view {view.name!r} must be a Camera or None, Intrinsics, a (3, 4) projection or a "
                f"(3, 3) homography, got {shown(camera)}"
            )
        matrix = real_array(camera, f"the matrix of view {view.name!r}")
        if not np.isfinite(matrix).all():
            raise InputError(f"the matrix of view {view.name!r} must be finite numbers")
        if matrix.shape == (3, 3):
            return matrix
        camera = camera_of_projection(matrix)
    _check_image(view, camera)
    return camera


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


def _check_image(view: View, camera: Camera | Intrinsics) -> None:
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
