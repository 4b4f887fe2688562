"""Simulated people with joints, for whoever needs cameras, bodies or both."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from selfmva import Associator
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.cameras import Camera


@cache
def people(seed: int = 2, views: int = 3, skeleton: str = "coco17", **options: object) -> Simulated:
    """A few people for a quarter of a minute, ten times a second."""
    chosen = {"people": 3, "instants": 150, "interval_seconds": 0.1, "floor_width": 6.0, "floor_depth": 5.0}
    return Simulated(seed=seed, views=views, skeleton=skeleton, **(chosen | options))


@cache
def fitted_on_people() -> Associator:
    """What was learnt from them, in metres."""
    return Associator(recipe="geometry", geometry={"body_height": 1.7}).fit(people().views, frames_of_people())


@cache
def seen_by_true_cameras() -> Associator:
    """The same, by the true cameras: nothing is searched."""
    scene = people()
    return Associator(recipe="geometry").fit(scene.views, frames_of_people(), cameras=true_cameras(scene))


@cache
def frames_of_people(seed: int = 2, views: int = 3, skeleton: str = "coco17", **options: object) -> tuple[Frame, ...]:
    """What their cameras show."""
    scene = people(seed, views, skeleton, **options)
    return tuple(scene.frame(t) for t in range(len(scene)))


def true_cameras(scene: Simulated) -> list[Camera]:
    """The cameras of a recording, in metres."""
    return [camera_of_projection(matrix) for matrix in scene.projections]


def camera_of_projection(matrix: np.ndarray) -> Camera:
    """K, R and t of a projection."""
    intrinsic, rotation, centre = cv2.decomposeProjectionMatrix(matrix)[:3]
    signs = np.diag(np.sign(np.diag(intrinsic)))
    intrinsic, rotation = intrinsic @ signs / intrinsic[2, 2] * signs[2, 2], signs @ rotation
    rotation = rotation * np.sign(np.linalg.det(rotation))
    place = centre[:3, 0] / centre[3, 0]
    return Camera(np.abs(np.triu(intrinsic)), rotation, -rotation @ place)


def degrees_apart(one: np.ndarray, other: np.ndarray) -> float:
    """The angle of the rotation from one to another."""
    return float(np.degrees(np.arccos(np.clip((np.trace(one @ other.T) - 1) / 2, -1, 1))))


def ring(cameras: int = 5, lens: tuple[float, ...] = ()) -> list[Camera]:
    """Cameras around the middle of a room, four metres away and two high."""
    found = []
    for angle in 2 * np.pi * np.arange(cameras) / cameras:
        centre = np.array([4 * np.cos(angle), 4 * np.sin(angle), 2.0])
        ahead = np.array([0, 0, 1.0]) - centre
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        found.append(Camera([[1000, 0, 640], [0, 1000, 360], [0, 0, 1]], rotation, -rotation @ centre, lens))
    return found
