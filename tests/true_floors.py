"""The floor of a simulated scene as its true cameras give it, and associations that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.association import Association
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import FOCAL, HEIGHT, PARAMETERS, TILT, YAW, X, Y

if TYPE_CHECKING:
    from selfmva.datasets.simulated import Simulated

BODY = 1.7  # metres


def true_floor(scene: Simulated, *, unit: float = BODY) -> Floor:
    """The true cameras; places are metres where the unit is that of a body."""
    cameras = []
    for view, projection in zip(scene.views, scene.projections, strict=True):
        ahead = projection[2, :3]
        place = -np.linalg.solve(projection[:, :3], projection[:, 3])
        camera = np.zeros(PARAMETERS)
        camera[FOCAL] = np.log(np.linalg.norm(projection[0, :3] - view.width / 2 * ahead) / view.width)
        camera[TILT], camera[YAW] = np.arcsin(-ahead[2]), np.arctan2(-ahead[0], ahead[1])
        camera[[X, Y]], camera[HEIGHT] = place[:2] / BODY, np.log(place[2] / BODY)
        cameras.append(camera)
    return Floor(scene.views, tuple(cameras), {}, unit)


def true_association(scene: Simulated, index: int, floor: Floor | None) -> Association:
    """Who is who by the labels; false boxes are people of their own."""
    frame, labels = scene.frame(index), scene.identities(index)
    known = np.concatenate(labels)
    known[known < 0] = known.max(initial=0) + 1 + np.arange((known < 0).sum())
    ids = np.split(np.unique(known, return_inverse=True)[1], np.cumsum(frame.counts)[:-1])
    pairs = [(i, j) for i in range(len(ids)) for j in range(i + 1, len(ids))]
    return Association(
        frame,
        scene.views,
        tuple(ids),
        {(i, j): (ids[i][:, None] == ids[j]).astype(float) for i, j in pairs},
        floor=floor,
    )


def without(floor: Floor, *views: int) -> Floor:
    """The same floor with some views off it."""
    cameras = tuple(None if number in views else camera for number, camera in enumerate(floor.cameras))
    return Floor(floor.views, cameras, floor.supports, floor.unit)
