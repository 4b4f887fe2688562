"""Shelf: people assembled from joints of a detector in five views, true cameras, and three-dimensional truth."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from _machine import DATA

from selfmva import Frame, View
from selfmva.core.skeletons import SKELETONS
from selfmva.geometry.cameras import Camera
from selfmva.pose import Poses3D

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELF = DATA / "shelf"
VIEWS = tuple(View(f"camera{view}", 1032, 776) for view in range(5))


def frames() -> list[Frame]:
    """All instants, their bodies of 25 joints."""
    people = np.load(SHELF / "persons2d.npz")
    instant, view, joints = people["frame"], people["view"], people["keypoints"].astype(np.float64)
    return [
        Frame(keypoints=[joints[(instant == t) & (view == v)] for v in range(len(VIEWS))], index=t)
        for t in range(int(instant.max()) + 1)
    ]


def cameras() -> list[Camera]:
    """The true cameras, in metres."""
    content = json.loads((SHELF / "calibration.json").read_text("utf-8"))
    found = []
    for view in range(len(VIEWS)):
        motion = np.reshape(content[str(view)]["RT"], (3, 4))
        found.append(Camera(np.reshape(content[str(view)]["K"], (3, 3)), motion[:, :3], motion[:, 3]))
    return found


def truth(instants: Sequence[int]) -> list[Poses3D]:
    """Where the joints of people are, in metres; NaN where nobody knows."""
    known = np.load(SHELF / "gt.npz")
    skeleton = SKELETONS["shelf14"]
    poses = []
    for t in instants:
        rows = known["frame"] == t
        joints = known["joints"][rows][:, :14]
        places = np.where(joints[..., 3:] > 0, joints[..., :3], np.nan)
        poses.append(Poses3D(places, joints[..., 3], known["identity"][rows], skeleton=skeleton, index=t, unit="metres"))
    return poses
