"""Which way is up, where the floor is, and how long a body height: a world under cameras that only know each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.bodies.stature import STANDING, joint_names, statures
from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class UprightSettings:
    """The vertical and the floor from bodies."""

    lean: float = 0.15  # radians that the trunk of one person leans, on average over time
    # Body heights by which an ankle is off its height above the floor: it is lifted in walking, and detectors put it
    # somewhere on the foot.
    ankle: float = 0.03
    cell: float = 0.25  # body heights: ankles of one person this near tell the same
    rounds: int = 20
    legs_straight: float = 0.75  # height of the shoulders over the ankles in body heights, from which a person stands
    upper_quantile: float = 0.75  # of the heights of shoulders, where no ankles are seen: who sits is lower


UPRIGHT = UprightSettings()


@dataclass(frozen=True, eq=False)
class World:
    """A frame of reference: z up, 0 on the floor, in body heights.

    Attributes:
        rotation: `(3, 3)` from the old frame.
        origin: `(3,)` point of the old frame that becomes 0.
        stature: Length of a body height in the unit of the old frame.
        floor_seen: Whether ankles tell where the floor is; otherwise it is where it is under people of usual
            proportions.
    """

    rotation: FloatArray
    origin: FloatArray
    stature: float
    floor_seen: bool

    def points(self, points: FloatArray) -> FloatArray:
        """`(..., 3)` points of the old frame in this one."""
        return np.asarray((points - self.origin) @ self.rotation.T / self.stature)

    def cameras(self, cameras: Mapping[int, Camera]) -> dict[int, Camera]:
        """Cameras of the old frame in this one."""
        found = {}
        for view, camera in cameras.items():
            rotation = camera.R @ self.rotation.T
            shift = (camera.R @ self.origin + camera.t) / self.stature
            found[view] = Camera(camera.K, rotation, shift, camera.distortion)
        return found


def find_world(joints: FloatArray, person: IntArray, skeleton: Skeleton) -> World | None:
    """The world in which people are upright, on the floor, and of height 1 in the median.

    Args:
        joints: `(P, K, 3)` bodies in space, in any frame and unit.
        person: `(P,)` number of the person that each one is.
        skeleton: Of the joints.

    Returns:
        The world; None where nobody's trunk is seen, or no limb.
    """
    heights = statures(joints, person, skeleton)
    trunks, owner = _trunks(joints, person, skeleton)
    if not np.isfinite(heights).any() or not len(trunks):
        return None
    stature = float(np.nanmedian(heights))
    up = _mean_direction(trunks, owner)
    ankles = _points(joints, person, skeleton, "ankle")
    shoulders = _points(joints, person, skeleton, "shoulder")
    if not len(ankles[0]):
        level = float(np.quantile(shoulders[0] @ up, UPRIGHT.upper_quantile)) - STANDING["shoulder"] * stature
        return World(_frame(up), _foot(shoulders[0], up, level), stature, floor_seen=False)
    for _ in range(UPRIGHT.rounds):
        up, level = _level(up, *ankles, trunks, owner, stature)
    return World(_frame(up), _foot(ankles[0], up, level - STANDING["ankle"] * stature), stature, floor_seen=True)


def _trunks(joints: FloatArray, person: IntArray, skeleton: Skeleton) -> tuple[FloatArray, IntArray]:
    """`(N, 3)` directions from the hips to the shoulders, and whose they are."""
    low, high = (_middle(joints, skeleton, joint) for joint in ("hip", "shoulder"))
    along = high - low
    length = np.linalg.norm(along, axis=1)
    known = np.isfinite(length) & (length > 0)
    return along[known] / length[known, None], person[known]


def _middle(joints: FloatArray, skeleton: Skeleton, joint: str) -> FloatArray:
    left, right = (skeleton.joints.index(name) for name in joint_names(joint))
    return np.asarray((joints[:, left] + joints[:, right]) / 2)


def _points(joints: FloatArray, person: IntArray, skeleton: Skeleton, joint: str) -> tuple[FloatArray, IntArray]:
    """`(N, 3)` places of a joint on both sides, and whose they are."""
    numbers = [skeleton.joints.index(name) for name in joint_names(joint) if name in skeleton.joints]
    points, owner = joints[:, numbers].reshape(-1, 3), np.repeat(person, len(numbers))
    known = np.isfinite(points).all(axis=1)
    return points[known], owner[known]


def _mean_direction(directions: FloatArray, owner: IntArray) -> FloatArray:
    """A direction that most follow; every person counts once, and who bends down counts little."""
    weight = 1.0 / np.bincount(owner)[owner]
    mean = np.median(directions, axis=0)
    for _ in range(UPRIGHT.rounds):
        mean /= np.linalg.norm(mean)
        away = np.linalg.norm(directions - mean, axis=1) / UPRIGHT.lean
        mean = (directions * (weight / (1.0 + away**2))[:, None]).sum(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def _level(
    up: FloatArray, ankles: FloatArray, whose: IntArray, trunks: FloatArray, owner: IntArray, stature: float
) -> tuple[FloatArray, float]:
    """One step to the direction and the level that ankles and trunks agree on.

    A tilt (a, b) of the vertical changes the height of an ankle at (x, y) by a x + b y, and the lean of a trunk by
    (a, b); both are linear, and solved together with the level.
    """
    frame = _frame(up)
    local = ankles @ frame.T / stature
    cells = np.unique(np.column_stack([whose, np.floor(local[:, :2] / UPRIGHT.cell)]), axis=0, return_inverse=True)[1]
    centre = local[:, :2].mean(axis=0)
    level = np.median(local[:, 2])
    miss = (local[:, 2] - level) / UPRIGHT.ankle
    weight = 1.0 / np.bincount(cells.reshape(-1))[cells.reshape(-1)] / (1.0 + miss**2) / UPRIGHT.ankle**2
    rows = np.column_stack([local[:, :2] - centre, -np.ones(len(local))])
    lean = trunks @ frame.T
    away = np.linalg.norm(lean[:, :2], axis=1) / UPRIGHT.lean
    trust = 1.0 / np.bincount(owner)[owner] / (1.0 + away**2) / UPRIGHT.lean**2
    normal = (rows * weight[:, None]).T @ rows
    right = -(rows * weight[:, None]).T @ local[:, 2]
    normal[[0, 1], [0, 1]] += trust.sum()
    right[:2] += (lean[:, :2] * trust[:, None]).sum(axis=0)
    tilt_x, tilt_y, _ = np.linalg.lstsq(normal, right, rcond=None)[0]
    turned = np.array([tilt_x, tilt_y, 1.0]) @ frame
    turned /= np.linalg.norm(turned)
    heights = ankles @ turned
    return turned, float(np.median(heights))


def _frame(up: FloatArray) -> FloatArray:
    """`(3, 3)` rotation that brings a direction to z."""
    across = np.cross([0.0, 0.0, 1.0] if abs(up[2]) < 0.9 else [0.0, 1.0, 0.0], up)  # not parallel
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(up, across), up])


def _foot(points: FloatArray, up: FloatArray, level: float) -> FloatArray:
    """The point at a level under the middle of some points."""
    middle = np.median(points, axis=0)
    return np.asarray(middle + (level - middle @ up) * up)
