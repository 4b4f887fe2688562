"""The fourteen joints of Shelf and Campus from those of a detector, their heads made up as their scores make them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.skeletons import SKELETONS

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray
    from selfmva.pose.poses import Poses3D

UPWARDS = np.array([0.75, 0.75, 1.5])  # of the way from the shoulders to the nose: z is up


def as_shelf14(poses: Poses3D) -> Poses3D:
    """Poses with the joints of Shelf and Campus.

    With S the middle of the shoulders, N the nose and C that of the ears (the nose, where there are none), the bottom of
    the head is 3/4 (S + (N - S) / 2) + 1/4 (S + C) / 2, and its top 3/4 (S + (N - S) (.75, .75, 1.5)) + 1/4 (b + 2 (C - b))
    with b = (S + C) / 2, as VoxelPose and its followers have it. z has to point up.

    Raises:
        InputError: The poses don't say which joints they are.
    """
    result = poses.converted(SKELETONS["shelf14"])
    names = poses.skeleton.joints if poses.skeleton is not None else ()
    if not {"nose", "left_shoulder", "right_shoulder"} <= set(names):
        return result

    def place(*joints: str) -> FloatArray:
        return np.asarray(np.mean([poses.joints[:, names.index(joint)] for joint in joints], axis=0))

    shoulders, nose = place("left_shoulder", "right_shoulder"), place("nose")
    ears = place("left_ear", "right_ear") if {"left_ear", "right_ear"} <= set(names) else nose
    ears = np.where(np.isfinite(ears), ears, nose)
    between = (shoulders + ears) / 2
    bottom = 0.75 * (shoulders + 0.5 * (nose - shoulders)) + 0.25 * between
    top = 0.75 * (shoulders + (nose - shoulders) * UPWARDS) + 0.25 * (between + 2 * (ears - between))
    joints, scores = result.joints.copy(), result.scores.copy()
    joints[:, 12], joints[:, 13] = bottom, top
    known = np.isfinite(top).all(axis=1)
    scores[:, 12:] = np.where(known, poses.scores[:, names.index("nose")], 0.0)[:, None]
    return replace(result, joints=joints, scores=scores)
