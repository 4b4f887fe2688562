"""Simulated pinhole cameras: where they hang, and the boxes that bodies have in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray

CAMERA_HEIGHTS = (2.5, 5.0)  # metres above the floor
EYE_LEVEL = 1.6  # metres
WALLS = (1.0, 2.0)  # metres outside the floor
FIELDS_OF_VIEW = (65.0, 85.0)  # degrees, horizontal: surveillance lenses of 2.8 to 4 mm
SWAY = np.radians([25.0, 8.0])  # largest pan and tilt of a moving camera
SWAY_PERIODS = (15.0, 60.0)  # seconds
NEAR = 0.3  # metres: a body nearer than this to the plane of the lens has no box

# A body is three level circles, foot, shoulder and head: (height above the floor, radius), as fractions of the body's.
# The foot is narrow so that the bottom of a box is where the person stands, whichever side it is seen from.
BODY_CIRCLES = ((0.0, 0.3), (0.8, 1.0), (1.0, 0.35))


def place_cameras(
    views: int,
    size: tuple[int, int],
    floor: FloatArray,
    rng: np.random.Generator,
    *,
    eye_level: int = 0,
    pixel_aspect: float = 1.0,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Hang cameras around a floor, each turned roughly to its centre.

    Args:
        views: Number of cameras V, in the order in which they hang around the floor.
        size: Width and height of the images in pixels.
        floor: `(2,)` width and depth of the floor in metres; its corner is the origin, z points up.
        rng: Source of every random choice.
        eye_level: How many cameras, the first ones, stand at the height of eyes.
        pixel_aspect: How many times more pixels a metre has upwards than sideways.

    Returns:
        `(V, 3, 3)` intrinsics, `(V, 3, 3)` rotations from the world to x right, y down, z ahead, and `(V, 3)`
        camera centres in metres.

    Example:
        >>> parts = place_cameras(2, (1280, 720), np.array([12.0, 9.0]), np.random.default_rng(0))
        >>> [part.shape for part in parts]
        [(2, 3, 3), (2, 3, 3), (2, 3)]
    """
    angle = rng.uniform(0, 2 * np.pi) + 2 * np.pi * (np.arange(views) + rng.uniform(-0.2, 0.2, views)) / views
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    half = floor / 2 + rng.uniform(*WALLS, (views, 1))
    on_wall = direction / np.max(np.abs(direction) / half, axis=1, keepdims=True)
    centres = np.column_stack([floor / 2 + on_wall, rng.uniform(*CAMERA_HEIGHTS, views)])
    centres[:eye_level, 2] = EYE_LEVEL
    targets = np.column_stack([floor * rng.uniform(0.4, 0.6, (views, 2)), rng.uniform(0.6, 1.2, views)])

    ahead = targets - centres
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    rotations = np.stack([right, np.cross(ahead, right), ahead], axis=1)

    intrinsics = np.zeros((views, 3, 3))
    half_angle = np.radians(rng.uniform(*FIELDS_OF_VIEW, views)) / 2
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = size[0] / 2 / np.tan(half_angle)
    intrinsics[:, 1, 1] *= pixel_aspect
    intrinsics[:, :, 2] = [size[0] / 2, size[1] / 2, 1.0]
    return intrinsics, rotations, centres


def sway(rotations: FloatArray, seconds: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Pan and tilt every camera about its first direction.

    Args:
        rotations: `(V, 3, 3)` rotations at rest.
        seconds: `(T,)` times; at time 0 every camera is at rest.
        rng: Source of every random choice.

    Returns:
        `(T, V, 3, 3)` rotations.

    Example:
        >>> turned = sway(np.eye(3)[None], np.array([0.0, 5.0]), np.random.default_rng(0))
        >>> bool(np.allclose(turned[0], np.eye(3))), bool(np.allclose(turned[1], np.eye(3)))
        (True, False)
    """
    periods = rng.uniform(*SWAY_PERIODS, (len(rotations), 2))
    pan, tilt = np.moveaxis(SWAY * np.sin(2 * np.pi * seconds[:, None, None] / periods), 2, 0)
    zero, one = np.zeros_like(pan), np.ones_like(pan)
    panned = np.array([[np.cos(pan), zero, np.sin(pan)], [zero, one, zero], [-np.sin(pan), zero, np.cos(pan)]])
    tilted = np.array([[one, zero, zero], [zero, np.cos(tilt), -np.sin(tilt)], [zero, np.sin(tilt), np.cos(tilt)]])
    turn: FloatArray = np.moveaxis(tilted, (0, 1), (-2, -1)) @ np.moveaxis(panned, (0, 1), (-2, -1))
    return turn @ rotations


def distort(points: FloatArray, size: tuple[int, int], coefficient: float) -> FloatArray:
    """Bend an image as a lens does: a point at radius r about its middle goes to r (1 + coefficient r^2).

    Args:
        points: `(..., 2)` x, y in pixels of an ideal camera.
        size: Width and height of the image in pixels; half its diagonal is the unit of r.
        coefficient: Below 0 a barrel, above 0 a cushion; above -4/27, so that the whole image shows something.

    Returns:
        `(..., 2)` x, y in pixels. What is so far out that a barrel would fold it back stays outside the image.

    Example:
        >>> distort(np.array([[640.0, 360], [1280, 720]]), (1280, 720), -0.1).tolist()
        [[640.0, 360.0], [1216.0, 684.0]]
    """
    middle = np.array(size) / 2
    square = ((points - middle) ** 2).sum(axis=-1, keepdims=True) / (middle**2).sum()
    shrink = 1.0
    if coefficient < 0:
        farthest = -1 / (3 * coefficient)  # squared radius beyond which a barrel folds back
        shrink = np.sqrt(farthest / np.maximum(square, farthest))
        square = np.minimum(square, farthest)
    bent: FloatArray = middle + (points - middle) * shrink * (1 + coefficient * square)
    return bent


def project_bodies(
    projections: FloatArray,
    places: FloatArray,
    heights: FloatArray,
    radii: FloatArray,
    lens: Callable[[FloatArray], FloatArray] | None = None,
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """The exact box around every body in every view.

    A column x = k of the image is seen along a plane; it touches a circle where the plane's distance to the
    centre equals the radius, which is a quadratic equation in k (rows y = k alike).

    Args:
        projections: `(T, V, 3, 4)` from metres to pixels; T or V may be 1 and is then shared.
        places: `(T, V, S, 2)` where the bodies stand, metres; V may be 1.
        heights: `(T, V, S)` metres; V may be 1.
        radii: `(T, V, S)` metres at the shoulder; V may be 1.
        lens: What it makes of `(..., 2)` pixels; None: an ideal one. Of each circle of a body, four points are bent.

    Returns:
        `(T, V, S, 4)` boxes xyxy in pixels that may stick out of the image, `(T, V, S)` depths in metres,
        `(T, V, S)` whether the body is in front of the camera; the boxes of others mean nothing.

    Example:
        >>> ahead = np.array([[[[100.0, 0, 0, 0], [0, 0, -100.0, 0], [0, 1.0, 0, 0]]]])  # looks along y
        >>> boxes, depths, seen = project_bodies(
        ...     ahead, np.array([[[[0.0, 10.0]]]]), np.array([[[2.0]]]), np.array([[[0.25]]])
        ... )
        >>> boxes.round(1).ravel().tolist(), float(depths.item()), bool(seen.item())
        ([-2.5, -20.2, 2.5, 0.0], 10.0, True)
    """
    gram = projections[..., :2] @ np.swapaxes(projections[..., :2], -1, -2)
    gram = gram[:, :, None]  # (T, V, 1, 3, 3)
    standing = np.einsum("tvij,tvsj->tvsi", *_same_views(projections[..., :2], places)) + projections[:, :, None, :, 3]
    upright = projections[:, :, None, :, 2]
    lows, highs, in_front = [], [], []
    for fraction_of_height, fraction_of_radius in BODY_CIRCLES:
        centre = standing + upright * (fraction_of_height * heights)[..., None]
        square = ((fraction_of_radius * radii) ** 2)[..., None]
        depth = centre[..., 2:]
        quadratic = depth**2 - square * gram[..., 2, 2, None]
        front = (depth[..., 0] > NEAR) & (quadratic[..., 0] > 0)
        quadratic = np.where(front[..., None], quadratic, 1.0)
        linear = centre[..., :2] * depth - square * gram[..., 2, :2]
        constant = centre[..., :2] ** 2 - square * np.diagonal(gram, axis1=-2, axis2=-1)[..., :2]
        root = np.sqrt(np.maximum(linear**2 - quadratic * constant, 0.0))
        low, high = (linear - root) / quadratic, (linear + root) / quadratic
        if lens is not None:
            low, high = _bent(low, high, lens)
        lows.append(low)
        highs.append(high)
        in_front.append(front)
    boxes = np.concatenate([np.minimum.reduce(lows), np.maximum.reduce(highs)], axis=-1)
    middle = (standing + upright * (heights / 2)[..., None])[..., 2]
    return boxes, middle, np.logical_and.reduce(in_front)


def _bent(low: FloatArray, high: FloatArray, lens: Callable[[FloatArray], FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Corners, `(..., 2)` each, of the box around the middles of the sides of a box after they went through a lens."""
    middle = (low + high) / 2
    sides = [np.stack([side[..., 0], middle[..., 1]], axis=-1) for side in (low, high)]
    sides += [np.stack([middle[..., 0], side[..., 1]], axis=-1) for side in (low, high)]
    points = lens(np.stack(sides))
    return points.min(axis=0), points.max(axis=0)


def _same_views(projections: FloatArray, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give both arrays the larger number of instants and of views."""
    instants = max(len(projections), len(places))
    views = max(projections.shape[1], places.shape[1])
    return (
        np.broadcast_to(projections, (instants, views, *projections.shape[2:])),
        np.broadcast_to(places, (instants, views, *places.shape[2:])),
    )
