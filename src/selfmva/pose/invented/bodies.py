"""Invented bodies: people of any stature who stand, walk, sit, bend and reach, as joints of a skeleton.

They are no data set of poses: limbs have the lengths that anthropometry gives them, and angles are drawn over the
ranges in which joints move, so that what is learnt from them is what bodies can be, not what some people did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.skeletons import Skeleton

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray

# Parts of a body in statures (Drillis and Contini 1966, as printed in Winter, Biomechanics and Motor Control).
THIGH_LENGTH, SHANK_LENGTH, SOLE_DEPTH, FOOT_LENGTH = 0.245, 0.246, 0.039, 0.11
UPPER_ARM_LENGTH, FOREARM_LENGTH = 0.186, 0.146
TRUNK_LENGTH, NECK_TO_EARS = 0.288, 0.115
SHOULDERS, HIPS = 0.129, 0.0955  # half of their widths
SHORTEST, TALLEST = 0.82, 1.1  # stature in body heights of a grown-up
LIMB_SPREAD = 0.05  # relative, of the length of a part from person to person
SITTING, BENDING = 0.25, 0.15  # fractions of invented people
LEFT_AND_RIGHT = (("left", 1.0), ("right", -1.0))


def invent_bodies(random: np.random.Generator, count: int, skeleton: Skeleton) -> FloatArray:
    """People who stand on the floor (z = 0), their mid hip over the origin.

    Args:
        random: Where the draws come from.
        count: Number of people N.
        skeleton: Which joints; what it has and a body here has not is NaN.

    Returns:
        `(N, K, 3)` in body heights, z up, turned to any side.

    Example:
        >>> bodies = invent_bodies(np.random.default_rng(0), 100, Skeleton.named("coco17"))
        >>> bodies.shape, bool(np.isfinite(bodies).all())
        ((100, 17, 3), True)
    """
    joints = _joints(random, count)
    full = Skeleton("invented", tuple(joints))
    places = np.stack(list(joints.values()), axis=1)
    lowest = places[:, full.indices(name for name in joints if "ankle" in name or "toe" in name or "heel" in name), 2]
    places = places - np.array([0, 0, 1.0]) * lowest.min(axis=1, initial=np.inf)[:, None, None]
    scored = np.concatenate([places, np.ones((*places.shape[:2], 1))], axis=-1)
    return full.convert(scored, skeleton)[..., :3]


def _joints(random: np.random.Generator, count: int) -> dict[str, FloatArray]:
    """Every joint `(N, 3)` by name, about the mid hip."""
    stature = random.uniform(SHORTEST, TALLEST, count)
    lengths = stature[:, None] * (1 + LIMB_SPREAD * random.standard_normal((count, 9)))
    thigh, shank, foot, upper, fore, trunk, head, shoulders, hips = (
        lengths
        * [
            THIGH_LENGTH,
            SHANK_LENGTH,
            FOOT_LENGTH,
            UPPER_ARM_LENGTH,
            FOREARM_LENGTH,
            TRUNK_LENGTH,
            NECK_TO_EARS,
            SHOULDERS,
            HIPS,
        ]
    ).T[:, :, None]
    sits, bends = random.random(count) < SITTING, random.random(count) < BENDING
    turned = _about(2, random.uniform(-np.pi, np.pi, count))
    lean = random.normal(0.08, 0.12, count) + bends * random.uniform(0.3, 1.3, count)
    torso = (
        turned @ _about(1, lean) @ _about(0, random.normal(0, 0.08, count)) @ _about(2, random.normal(0, 0.15, count))
    )
    neck = trunk * torso[:, :, 2]
    gaze = torso @ _about(2, random.normal(0, 0.5, count)) @ _about(1, random.normal(0.1, 0.3, count) - 0.5 * lean)
    joints = {"mid_hip": np.zeros((count, 3)), "neck": neck} | _head(neck, gaze, head, stature[:, None])
    stride = random.normal(0, 0.35, count)
    for side, sign in LEFT_AND_RIGHT:
        sit = sits * random.uniform(1.1, 1.7, count)
        flexed = np.where(sits, sit, 0.1 + sign * stride + bends * random.uniform(0, 0.5, count))
        bent = np.where(sits, random.uniform(0.9, 1.8, count), np.abs(random.normal(0, 0.45, count)) + 0.6 * bends)
        apart = sign * random.normal(0.06 + 0.1 * sits, 0.08, count)
        hip = sign * hips * turned[:, :, 1]
        knee = hip + thigh * _hanging(turned, flexed, apart)
        shin = turned @ _about(0, apart) @ _about(1, bent - flexed)
        ankle = knee - shank * shin[:, :, 2]
        joints |= {f"{side}_hip": hip, f"{side}_knee": knee, f"{side}_ankle": ankle}
        joints |= _foot(side, sign, ankle, turned @ _about(1, 0.5 * (bent - flexed)), foot)
        joints |= _arm(random, side, sign, neck + sign * shoulders * torso[:, :, 1], torso, upper, fore)
    return joints


def _head(neck: FloatArray, gaze: FloatArray, length: FloatArray, stature: FloatArray) -> dict[str, FloatArray]:
    """Nose, eyes and ears of a head of a quarter of a shoulder's width, and its top."""
    ahead, left, up = gaze.transpose(2, 0, 1)
    middle = neck + length * up
    joints = {"nose": middle + stature * (0.06 * ahead - 0.005 * up), "head_top": middle + stature * 0.07 * up}
    for side, sign in LEFT_AND_RIGHT:
        joints[f"{side}_eye"] = middle + stature * (0.052 * ahead + sign * 0.018 * left + 0.012 * up)
        joints[f"{side}_ear"] = middle + stature * sign * 0.043 * left
    return joints


def _foot(side: str, sign: float, ankle: FloatArray, pointing: FloatArray, length: FloatArray) -> dict[str, FloatArray]:
    ahead, left, up = pointing.transpose(2, 0, 1)
    sole = ankle - length * (SOLE_DEPTH / FOOT_LENGTH) * up
    return {
        f"{side}_heel": sole - 0.3 * length * ahead,
        f"{side}_big_toe": sole + length * (ahead - sign * 0.12 * left),
        f"{side}_small_toe": sole + length * (0.9 * ahead + sign * 0.25 * left),
    }


def _arm(
    random: np.random.Generator,
    side: str,
    sign: float,
    shoulder: FloatArray,
    torso: FloatArray,
    upper: FloatArray,
    fore: FloatArray,
) -> dict[str, FloatArray]:
    """An arm that hangs, or is lifted ahead or aside, its elbow bent about the arm's own axis."""
    count = len(shoulder)
    lifted = np.where(random.random(count) < 0.5, random.normal(0.1, 0.3, count), random.uniform(-0.4, 2.6, count))
    apart = sign * np.abs(random.normal(0.12, 0.35, count))
    twisted = torso @ _about(0, apart) @ _about(1, -lifted) @ _about(2, sign * random.normal(-0.2, 0.6, count))
    elbow = shoulder - upper * twisted[:, :, 2]
    bent = np.abs(random.normal(0.3, 0.8, count)).clip(0, 2.5)
    wrist = elbow - fore * (twisted @ _about(1, -bent))[:, :, 2]
    return {f"{side}_shoulder": shoulder, f"{side}_elbow": elbow, f"{side}_wrist": wrist}


def _hanging(frame: FloatArray, ahead: FloatArray, aside: FloatArray) -> FloatArray:
    """`(N, 3)` direction of a limb that hangs from a frame, swung ahead and aside."""
    return -(frame @ _about(0, aside) @ _about(1, -ahead))[:, :, 2]


def _about(axis: int, angle: FloatArray) -> FloatArray:
    """`(N, 3, 3)` rotations about x, y or z."""
    first, second = [(1, 2), (2, 0), (0, 1)][axis]
    rotation = np.zeros((len(angle), 3, 3))
    rotation[:, axis, axis] = 1
    rotation[:, first, first] = rotation[:, second, second] = np.cos(angle)
    rotation[:, second, first] = np.sin(angle)
    rotation[:, first, second] = -np.sin(angle)
    return rotation
