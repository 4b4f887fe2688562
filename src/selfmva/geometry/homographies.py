"""Cameras from homographies between their images and the floor, and from the heights of the people who stand on it.

A homography leaves two of the ten numbers of a camera open: with the principal point in the middle and square pixels,
focal length and pose follow from it (Zhang, "A flexible new technique for camera calibration", 2000, section 2.3);
what is usual for a camera, and how tall people look at every place, tell how far these guesses are off. The floor keeps
the homography that was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import least_squares

from selfmva.core.thinning import evenly_spaced
from selfmva.errors import InputError
from selfmva.geometry.camera_conversion import camera_of_parameters, parameters_of_camera
from selfmva.geometry.camera_from_heights import PRIOR_MEAN, height_residuals, prior_residuals
from selfmva.geometry.cameras import Camera
from selfmva.geometry.floor_cameras import FOCAL, pixel_matrix, project, projections, turned_over, upside_down
from selfmva.geometry.given_cameras import mean_height, whole_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, Frame, View


@dataclass(frozen=True)
class HomographySettings:
    """Reading of homographies."""

    grid: int = 5  # points across and down, of the lower half of the image, at which the homography is held
    tolerance: float = 1e-5  # image widths, by which it may be missed: a hundredth of a pixel
    rods: int = 300  # boxes of a view, whose heights are looked at
    focal_range: tuple[float, float] = (0.2, 10.0)  # image widths, outside of which a focal length is no guess
    most_steps: int = 200


HOMOGRAPHIES = HomographySettings()


def camera_of_homography(view: View, homography: FloatArray) -> Camera:
    """A first camera, with the principal point in the middle and square pixels.

    Args:
        view: The camera's name and image size.
        homography: `(3, 3)` from pixels to the floor.

    Raises:
        InputError: It has no inverse, or its floor is left-handed, as one read off a map whose y points down.

    Example:
        >>> from selfmva.core.types import View
        >>> view, tilted = View("hall", 1000, 800), np.array([0.1, 0.5, 0.0, 0.7, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0])
        >>> true = camera_of_parameters(tilted, view)
        >>> found = camera_of_homography(view, np.linalg.inv(true.matrix[:, [0, 1, 3]]))
        >>> bool(np.allclose(found.matrix, true.matrix))
        True
    """
    where = f"the homography of view {view.name!r}"
    if np.linalg.cond(homography) > 1 / np.finfo(float).eps:
        raise InputError(f"{where} has no inverse: give (3, 3) from pixels to the floor")
    to_image = np.linalg.inv(pixel_matrix(view)) @ np.linalg.inv(homography)
    first, second = to_image[:, 0], to_image[:, 1]
    # Of rotations, columns are orthogonal and of one length: two equations in one over the square of the focal length.
    known = np.array([first[:2] @ second[:2], first[:2] @ first[:2] - second[:2] @ second[:2]])
    wanted = -np.array([first[2] * second[2], first[2] ** 2 - second[2] ** 2])
    inverse_square = float(known @ wanted) / max(float(known @ known), 1e-300)
    low, high = HOMOGRAPHIES.focal_range
    usual = float(np.exp(PRIOR_MEAN[FOCAL]))
    focal = inverse_square**-0.5 if high**-2 < inverse_square < low**-2 else usual
    rays = np.diag([1 / focal, 1 / focal, 1.0]) @ to_image
    rays /= np.sqrt(np.linalg.norm(rays[:, 0]) * np.linalg.norm(rays[:, 1]))
    if np.cross(rays[:, 0], rays[:, 1]) @ rays[:, 2] > 0:  # the camera is above the floor
        rays = -rays
    left, _, right = np.linalg.svd(np.column_stack([rays[:, 0], rays[:, 1], np.cross(rays[:, 0], rays[:, 1])]))
    rotation = left @ np.diag([1, 1, np.linalg.det(left @ right)]) @ right
    foot = homography @ [view.width / 2, view.height, 1.0]
    if rays[2] @ (foot / foot[2]) <= 0:
        raise InputError(
            f"{where} has the floor behind the camera at the bottom of the image: its coordinates are left-handed, as "
            "those of a map whose y points down (give x, -y), or it leads from the floor to pixels (give its inverse)"
        )
    matrix = pixel_matrix(view) @ np.diag([focal, focal, 1.0])
    return Camera(matrix, rotation, rays[:, 2])


def settle_camera(
    view: View, homography: FloatArray, first: Camera, body_height: float, feet: FloatArray, heads: FloatArray
) -> Camera:
    """The camera that has a homography, and in which people are as tall as they look.

    Args:
        view: The camera's name and image size.
        homography: `(3, 3)` from pixels to the floor.
        first: From where it is begun, see `camera_of_homography`.
        body_height: Of the people, in the unit of the floor.
        feet: `(N, 2)` image points of people who are whole, in widths from the centre, upright.
        heads: `(N, 2)` the same of their heads.
    """
    begun = parameters_of_camera(first, view, body_height)
    across, down = np.meshgrid(
        np.linspace(0, view.width, HOMOGRAPHIES.grid), np.linspace(view.height / 2, view.height, HOMOGRAPHIES.grid)
    )
    pixels = np.column_stack([across.ravel(), down.ravel(), np.ones(across.size)])
    ground = pixels @ homography.T
    places = ground[:, :2] / ground[:, 2:] / body_height
    held = project(projections(begun), places)[1] > 0
    places, wanted = places[held], (pixels[held] @ np.linalg.inv(pixel_matrix(view)).T)[:, :2]
    chosen = evenly_spaced(len(feet), HOMOGRAPHIES.rods)
    feet, heights = feet[chosen], (feet - heads)[chosen, 1]

    def residuals(parameters: FloatArray) -> FloatArray:
        missed = (project(projections(parameters), places)[0] - wanted) / HOMOGRAPHIES.tolerance
        upright = turned_over(parameters) if upside_down(parameters) else parameters
        said = height_residuals(upright, feet, heights) if len(feet) else np.zeros(0)
        return np.concatenate([missed.ravel(), said, prior_residuals(upright)])

    found = least_squares(residuals, begun, x_scale="jac", max_nfev=HOMOGRAPHIES.most_steps)
    return camera_of_parameters(found.x, view, body_height)


def cameras_of_homographies(
    views: Sequence[View],
    given: Sequence[Any],
    frames: Sequence[Frame],
    body_height: float | None = None,
) -> list[Camera | None]:
    """Cameras of views of which homographies are known, in the unit of their floor.

    Args:
        views: The cameras' names and image sizes.
        given: A `(3, 3)` homography a view, from pixels to the floor; cameras stay as they are.
        frames: Clipped frames, whose people tell what homographies leave open.
        body_height: Of the people, in the unit of the floor; None: as their boxes say.

    Raises:
        InputError: See `camera_of_homography`; or no box stands on the floor.
    """
    matrices = [entry if isinstance(entry, np.ndarray) else None for entry in given]
    first: list[Camera | None] = [
        entry if matrix is None else camera_of_homography(view, matrix)
        for view, entry, matrix in zip(views, given, matrices, strict=True)
    ]
    if all(matrix is None for matrix in matrices):
        return first
    rods = {rod.view: rod for rod in whole_boxes(views, first, frames)}
    height = body_height or mean_height(views, first, list(rods.values()))[0]
    return [
        camera
        if matrix is None or camera is None
        else settle_camera(view, matrix, camera, height, rods[number].feet, rods[number].heads)
        for number, (view, camera, matrix) in enumerate(zip(views, first, matrices, strict=True))
    ]
