"""Whether cameras fit their images, and what they show: a calibration looked at before anything is built on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.values import real_array
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera, fundamental_matrix
from selfmva.geometry.given_cameras import GIVEN_CAMERAS, mean_height, whole_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, Frame, View

# Lengths of a metre in units that files come in.
CAMERA_UNITS = {"metres": 1.0, "centimetres": 100.0, "millimetres": 1000.0, "feet": 3.281, "inches": 39.37}


@dataclass(frozen=True)
class CameraCheckSettings:
    """What is said of cameras."""

    focal_range: tuple[float, float] = (0.2, 10.0)  # image widths: lenses of 136 to 6 degrees
    usual_height: float = 1.7  # metres
    height_ratio: float = 1.5  # of it, up to which people are people: boxes of children, from above
    largest_miss: float = 0.02  # image widths, of points and their images in the median; good ones come to .001
    least_inside: float = 0.05  # of the points, that an image must show


CAMERA_CHECK = CameraCheckSettings()


def check_cameras(
    cameras: Sequence[Camera | None] | Mapping[str, Camera | None],
    views: Sequence[View],
    *,
    frames: Sequence[Frame] = (),
    points: ArrayLike | None = None,
    pixels: ArrayLike | None = None,
) -> list[str]:
    """Say what is wrong with cameras, as far as images, people and points tell.

    Args:
        cameras: One a view, in their order or by name; None where it is not known.
        views: The cameras' names and image sizes.
        frames: Boxes of people, who tell the unit of the cameras.
        points: `(N, 3)` places in the world that the cameras should see, such as joints of bodies.
        pixels: `(V, N, 2)` where each view shows them, NaN where it does not; without `points`, images of the same
            points, such as keypoints of one person, are held against each other view by view.

    Returns:
        One sentence for each problem, that starts with the view's name; none where all is well.

    Raises:
        InputError: Arrays of other shapes, or another number of cameras.

    Example:
        >>> from selfmva.core.types import View
        >>> level = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # looks along y, z up
        >>> hall = Camera([[1000, 0, 1500], [0, 1000, 400], [0, 0, 1]], level, [0, 1.7, 0], size=(2000, 800))
        >>> for problem in check_cameras([hall], [View("hall", 1000, 800)]):
        ...     print(problem)
        'hall': calibrated on images of 2000 x 800 pixels, the view has 1000 x 800
        'hall': the principal point (1500, 400) lies outside of the image
    """
    listed = _listed(cameras, views)
    places = None if points is None else _array(points, "points", (None, 3))
    images = None if pixels is None else _array(pixels, "pixels", (len(views), None, 2))
    if places is not None and images is not None and images.shape[1] != len(places):
        raise InputError(f"pixels must have one entry for each of {len(places)} points, got {images.shape[1]}")
    problems = [
        f"{view.name!r}: {said}"
        for view, camera in zip(views, listed, strict=True)
        if camera is not None
        for said in _of_image(camera, view)
    ]
    if places is not None:
        problems += _of_points(listed, views, places, images)
    elif images is not None:
        problems += _of_images(listed, views, images)
    if frames:
        problems += _of_people(listed, views, frames)
    return problems


def _of_image(camera: Camera, view: View) -> list[str]:
    said = []
    if camera.size is not None and camera.size != (view.width, view.height):
        said.append(
            f"calibrated on images of {camera.size[0]} x {camera.size[1]} pixels, the view has {view.width} x "
            f"{view.height}"
        )
    x, y = camera.K[:2, 2]
    if not (0 < x < view.width and 0 < y < view.height):
        said.append(f"the principal point ({x:.0f}, {y:.0f}) lies outside of the image")
    low, high = CAMERA_CHECK.focal_range
    focal = camera.K[0, 0] / view.width
    if not low < focal < high:
        said.append(f"a focal length of {focal:.3g} image widths is that of no lens: is K in pixels?")
    if camera.centre[2] <= 0:
        said.append(f"the camera is at z = {camera.centre[2]:.3g}: does z point up, and is the floor z = 0?")
    return said


def _of_points(
    cameras: Sequence[Camera | None], views: Sequence[View], points: FloatArray, pixels: FloatArray | None
) -> list[str]:
    problems = []
    for number, (camera, view) in enumerate(zip(cameras, views, strict=True)):
        if camera is None:
            continue
        if pixels is not None:
            miss = _median(np.linalg.norm(camera.project(points)[0] - pixels[number], axis=1))
            if miss > CAMERA_CHECK.largest_miss * view.width:
                problems.append(f"{view.name!r}: points are {miss:.0f} pixels from their images in the median")
            continue
        if _inside(camera, view, points) >= CAMERA_CHECK.least_inside:
            continue
        better = {
            f"{name} against {other}": _inside(camera, view, points * length / other_length)
            for name, length in CAMERA_UNITS.items()
            for other, other_length in CAMERA_UNITS.items()
            if name != other
        }
        best = max(better, key=lambda name: better[name])
        hint = f"; are units mixed, {best}?" if better[best] > 0.5 else ""
        problems.append(f"{view.name!r}: hardly any of the points is in the image{hint}")
    return problems


def _of_images(cameras: Sequence[Camera | None], views: Sequence[View], pixels: FloatArray) -> list[str]:
    """By how far images of one point miss each other's epipolar lines, in the median over the other views."""
    straight = [None if camera is None else camera.undistort(pixels[n]) for n, camera in enumerate(cameras)]
    misses: dict[int, list[float]] = {}
    for one, camera in enumerate(cameras):
        for other in range(len(cameras)):
            second = cameras[other]
            if other == one or camera is None or second is None:
                continue
            first = np.column_stack([straight[one], np.ones(pixels.shape[1])])  # type: ignore[list-item]
            lines = first @ fundamental_matrix(camera, second).T
            seen = np.column_stack([straight[other], np.ones(pixels.shape[1])])  # type: ignore[list-item]
            miss = _median(np.abs((seen * lines).sum(axis=1)) / np.linalg.norm(lines[:, :2], axis=1))
            misses.setdefault(one, []).append(miss / views[other].width)
    return [
        f"{views[view].name!r}: what it shows misses its lines in other views by {100 * miss:.0f} % of their width in "
        "the median: are the cameras in the order of the views?"
        for view, found in sorted(misses.items())
        for miss in [_median(np.array(found))]
        if miss > CAMERA_CHECK.largest_miss
    ]


def _of_people(cameras: Sequence[Camera | None], views: Sequence[View], frames: Sequence[Frame]) -> list[str]:
    standing = [camera if camera is not None and camera.centre[2] > 0 else None for camera in cameras]
    if all(camera is None for camera in standing):
        return []
    try:
        height, ratios = mean_height(views, standing, whole_boxes(views, standing, frames))
    except InputError as error:
        return [str(error)]
    problems = []
    if not 1 / CAMERA_CHECK.height_ratio < height / CAMERA_CHECK.usual_height < CAMERA_CHECK.height_ratio:
        metre = height / CAMERA_CHECK.usual_height
        unit = min(CAMERA_UNITS, key=lambda name: abs(np.log(CAMERA_UNITS[name] / metre)))
        problems.append(f"all: people are {height:.3g} tall in the unit of the cameras: {unit}?")
    return problems + [
        f"{views[view].name!r}: people are {ratio:.2g} times as tall as in the other views: another unit, or another "
        "camera's?"
        for view, ratio in sorted(ratios.items())
        if abs(np.log(ratio)) > np.log(GIVEN_CAMERAS.largest_ratio)
    ]


def _inside(camera: Camera, view: View, points: FloatArray) -> float:
    """The fraction of points that an image shows."""
    image, _ = camera.project(points)
    return float((((image >= 0) & (image <= [view.width, view.height])).all(axis=1)).mean()) if len(points) else 1.0


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else 0.0


def _listed(cameras: Any, views: Sequence[View]) -> list[Camera | None]:
    listed = [cameras.get(view.name) for view in views] if isinstance(cameras, Mapping) else list(cameras)
    if len(listed) != len(views):
        raise InputError(f"{len(listed)} cameras for {len(views)} views; give None where one is not known")
    for camera in listed:
        if camera is not None and not isinstance(camera, Camera):
            raise InputError(f"cameras must be Camera or None, got {shown(camera)}")
    return listed


def _array(values: ArrayLike, what: str, shape: tuple[int | None, ...]) -> FloatArray:
    array = np.asarray(real_array(values, what))
    if array.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("N" if side is None else str(side) for side in shape)
        raise InputError(f"{what} must have shape ({wanted}), got {array.shape}")
    return array
