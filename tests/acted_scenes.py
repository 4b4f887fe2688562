"""Scenes as a test wants them: people who walk where they are told to, and cameras that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.floor_cameras import (
    FOCAL,
    HEIGHT,
    PARAMETERS,
    POSE,
    TILT,
    YAW,
    X,
    Y,
    complex_places,
    project,
    projections,
)
from selfmva.geometry.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

    # Instants `(K,)` and complex places `(K,)` on the floor, in body heights.
    Walk = tuple[IntArray, NDArray[np.complex128]]

IMAGE_HEIGHT = 0.5625  # widths


def camera_at(place: complex, towards: complex, *, height: float = 2.6, tilt: float = 0.3) -> FloatArray:
    """A camera above a place of the floor that looks over another."""
    ahead = (towards - place) / abs(towards - place)
    camera = np.zeros(PARAMETERS)
    camera[[FOCAL, TILT, HEIGHT]] = np.log(0.8), tilt, np.log(height)
    # Ahead of a camera of yaw psi is (-sin psi, cos psi).
    camera[[YAW, X, Y]] = np.arctan2(-ahead.real, ahead.imag), place.real, place.imag
    return camera


def cameras_around(count: int) -> list[FloatArray]:
    """Cameras on a circle of eight body heights, with uneven gaps; all look over its middle."""
    return [camera_at(8.0 * np.exp(1j * (0.4 + angle)), 0j) for angle in 2.0 * np.arange(count) ** 0.9]


def strollers(people: int, instants: int, seed: int = 0) -> list[Walk]:
    """People who walk about within a few body heights of the middle, each on a course of his own."""
    rng = np.random.default_rng(seed)
    time = np.arange(instants)
    walks = []
    for _ in range(people):
        pace, phase, middle = rng.uniform(0.04, 0.12, 2), rng.uniform(0, 2 * np.pi, 2), rng.uniform(-1.0, 1.0, 2)
        along, across = (2.0 * np.sin(pace[k] * time + phase[k]) + middle[k] for k in (0, 1))
        walks.append((time, along + 1j * across))
    return walks


def read(
    camera: FloatArray, walks: Sequence[Walk], instants: int, *, noise: float = 0.0, seed: int = 0, moving: float = 1.0
) -> Sightings:
    """What a camera sees of bodies of height 1; one tracklet is one walk, in another order for every seed.

    Args:
        camera: `(10,)` parameters on the floor of the walks. The view itself knows all but its pose.
        walks: Who walks where.
        instants: Of the recording.
        noise: Standard deviation of feet, in heights of the box.
        seed: Of the noise, and of the numbers of the tracklets.
        moving: Weight of every box.

    Returns:
        Sightings; a box is usable where the foot is in the image.
    """
    rng = np.random.default_rng(seed)
    number = rng.permutation(len(walks))
    instant = np.concatenate([np.zeros(0, np.int64), *(time for time, _ in walks)])
    places = np.concatenate([np.zeros(0, complex), *(place for _, place in walks)])
    speed = np.concatenate([np.zeros(0), *(np.abs(np.diff(place, prepend=place[:1])) for _, place in walks)])
    tracks = np.repeat(number, [len(time) for time, _ in walks]).astype(np.int64)
    order = np.argsort(instant, kind="stable")
    instant, places, speed, tracks = (values[order] for values in (instant, places, speed, tracks))
    floor = np.column_stack([places.real, places.imag])
    feet, depth = project(projections(camera), floor)
    heads = project(projections(camera), np.column_stack([floor, np.ones(len(floor))]))[0]
    heights = feet[:, 1] - heads[:, 1]
    feet = feet + noise * heights[:, None] * rng.normal(size=feet.shape)
    inside = (depth > 0) & (np.abs(feet[:, 0]) < 0.5) & (np.abs(feet[:, 1]) < IMAGE_HEIGHT / 2)
    own = camera.copy()
    own[POSE] = 0.0
    return Sightings(
        instant=instant,
        starts=np.searchsorted(instant, np.arange(instants + 1)),
        feet=feet,
        heads=heads,
        heights=heights,
        foot_inside=inside,
        whole=inside & (heads[:, 1] > -IMAGE_HEIGHT / 2),
        tracks=tracks,
        speed=speed,
        moving=np.full(len(feet), moving),
        camera=own,
        usable=inside,
        places=np.where(inside, complex_places(own, np.where(inside[:, None], feet, 0.2)), 0.0),
        image_height=IMAGE_HEIGHT,
        upside_down=False,
    )
