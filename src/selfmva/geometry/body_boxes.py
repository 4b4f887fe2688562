"""Boxes of people from soles to crown, told by their joints: they stand where ankles are, not where boxes end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.bodies.stature import STANDING, joint_names

if TYPE_CHECKING:
    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray

# Heights of joints over the soles of who stands, as fractions of stature; those of the head are of its middle.
UPRIGHT_HEIGHTS = {
    **{name: height for joint, height in STANDING.items() for name in joint_names(joint)},
    **dict.fromkeys(("nose", "left_eye", "right_eye", "left_ear", "right_ear", "head"), 0.935),
    "head_top": 1.0,
    "head_bottom": 0.86,
    "neck": 0.825,
    "mid_hip": STANDING["hip"],
}
LEAST_SPREAD = 0.15  # of the heights of the joints that are seen, from which they tell a stature


def standing_boxes(joints: FloatArray, boxes: FloatArray, skeleton: Skeleton) -> FloatArray:
    """Boxes whose bottom is where a body's soles are, and whose top is its crown.

    Heights of joints in the image are in proportion to those of who stands; a line through them tells the stature.
    Ankles tell the soles, whether their owner stands or sits. Where none is seen, the box stays: how far its bottom is
    from where feet may be is what `selfmva.geometry.floor_likelihood` weighs.

    Args:
        joints: `(N, K, 2)` pixels; NaN where not seen.
        boxes: `(N, 4)` xyxy.
        skeleton: Of the joints.

    Returns:
        `(N, 4)` xyxy.
    """
    numbers = [number for number, joint in enumerate(skeleton.joints) if joint in UPRIGHT_HEIGHTS]
    heights = np.array([UPRIGHT_HEIGHTS[skeleton.joints[number]] for number in numbers])
    x, y = np.moveaxis(joints[:, numbers], -1, 0)
    seen = np.isfinite(y)
    count = np.maximum(seen.sum(axis=1), 1)
    middle = np.where(seen, heights, 0.0).sum(axis=1) / count
    level = np.where(seen, y, 0.0).sum(axis=1) / count
    spread = np.where(seen, (heights - middle[:, None]) ** 2, 0.0).sum(axis=1)
    slope = np.where(seen, (heights - middle[:, None]) * (np.nan_to_num(y) - level[:, None]), 0.0).sum(axis=1)
    stature = -slope / np.maximum(spread, 1e-9)  # pixels; y points down
    ankles = [k for k, number in enumerate(numbers) if skeleton.joints[number] in joint_names("ankle")]
    with_ankle = seen[:, ankles].any(axis=1) if ankles else np.zeros(len(joints), bool)
    # The middle of both feet: one is ahead in walking, and the nearer one is lower in the image.
    told = with_ankle & (spread >= LEAST_SPREAD**2) & (stature > 0)
    soles = _mean(y[:, ankles], seen[:, ankles]) + STANDING["ankle"] * stature
    crown = np.minimum(level - (1.0 - middle) * stature, np.where(seen, y, np.inf).min(axis=1, initial=np.inf))
    feet = _mean(x[:, ankles], seen[:, ankles])
    half = (boxes[:, 2] - boxes[:, 0]) / 2
    made = np.column_stack([feet - half, crown, feet + half, np.maximum(soles, crown + 1.0)])
    return np.where(told[:, None], made, boxes)


def _mean(values: FloatArray, seen: np.ndarray) -> FloatArray:
    """`(N,)` means of what is seen; 0 without any."""
    return np.asarray(np.where(seen, values, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))
