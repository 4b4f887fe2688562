"""Articulated people, who walk, stand, sit and reach; and what a detector of keypoints makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray, IntArray

# Lengths as fractions of stature (Drillis and Contini, 1966).
THIGH, SHANK, UPPER_ARM, FOREARM, TRUNK = 0.245, 0.246, 0.186, 0.146, 0.288
HIP_WIDTH, SHOULDER_WIDTH, ANKLE_HEIGHT = 0.095, 0.129, 0.039
# Joints of the head and the feet: forward, to the left (twice, on both sides), up; from the neck, or from the ankle.
HEAD = {
    "nose": (0.06, 0.0, 0.11),
    "eye": (0.05, 0.018, 0.125),
    "ear": (0.0, 0.04, 0.12),
    "head": (0.02, 0.0, 0.12),
    "head_bottom": (0.01, 0.0, 0.05),
    "head_top": (0.0, 0.0, 0.182),
}
FOOT = {"big_toe": (0.11, 0.01, -0.025), "small_toe": (0.09, 0.035, -0.025), "heel": (-0.03, 0.0, -0.03)}
STRIDE = 0.85  # body heights of two steps
WALKING_SPEED = 0.5  # body heights a second, from where legs swing in full
SWING, KNEE, ARM_SWING = 0.45, 0.7, 0.35  # radians, of legs, knees and arms
SEATED = 1.45  # radians between trunk and thighs of who sits
SIDES = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True, eq=False)
class Motion:
    """How people move, one entry for each of N people.

    Attributes:
        heading: Radians, where they face.
        phase: Radians of their gait.
        gait: 0 stands, 1 walks.
        seated: 0 upright, 1 sits.
        time: Seconds.
        temper: `(N, 6)` random numbers in [0, 1) of each person: what their arms and trunks do when.
        still: Whether nobody moves at all.
    """

    heading: FloatArray
    phase: FloatArray
    gait: FloatArray
    seated: FloatArray
    time: FloatArray
    temper: FloatArray
    still: bool = False


@dataclass(frozen=True)
class KeypointErrors:
    """How a detector of keypoints errs.

    Attributes:
        noise: Standard deviation, as a fraction of the height of the box.
        missed: Fraction of joints that are not found.
        swapped: Fraction of people whose left and right are taken for each other.
        astray: Fraction of joints that are found somewhere else in the box.
    """

    noise: float
    missed: float
    swapped: float
    astray: float


def body_joints(places: FloatArray, heights: FloatArray, motion: Motion, skeleton: Skeleton) -> FloatArray:
    """Joints of people on the floor.

    Args:
        places: `(N, 2)` on the floor, in metres.
        heights: `(N,)` of the people, in metres.
        motion: How they move.
        skeleton: Which joints to give.

    Returns:
        `(N, K, 3)` x, y, z up in metres.
    """
    local = _local_joints(motion)
    names = [joint for joint in skeleton.joints if joint not in local]
    assert not names, names  # noqa: S101  # every joint of every named skeleton is there
    joints = np.stack([local[joint] for joint in skeleton.joints], axis=1)
    lowest = np.minimum(local["left_ankle"][:, 2], local["right_ankle"][:, 2])
    joints[..., 2] += (ANKLE_HEIGHT - lowest)[:, None]
    joints *= heights[:, None, None]
    cosine, sine = np.cos(motion.heading)[:, None], np.sin(motion.heading)[:, None]
    ahead, aside = joints[..., 0], joints[..., 1]
    x = cosine * ahead - sine * aside + places[:, :1]
    y = sine * ahead + cosine * aside + places[:, 1:]
    return np.stack([x, y, joints[..., 2]], axis=-1)


def _local_joints(motion: Motion) -> dict[str, FloatArray]:
    """Joints by name, `(N, 3)` ahead, to the left and up from the middle of the hips, in statures."""
    many = len(motion.phase)
    slow = 0.0 if motion.still else 1.0
    rates, starts = 0.3 + 0.9 * motion.temper[:, :3], 2 * np.pi * motion.temper[:, 3:]
    waves = np.sin(slow * motion.time[:, None] * rates + starts)  # of trunk, left arm and right arm
    idle = 1.0 - motion.gait
    lean = 0.08 + 0.12 * idle * waves[:, 0]
    zero = np.zeros(many)
    joints = {"mid_hip": np.zeros((many, 3))}
    up = np.stack([np.sin(lean), zero, np.cos(lean)], axis=1)
    ahead = np.stack([np.cos(lean), zero, -np.sin(lean)], axis=1)
    left = np.tile([0.0, 1.0, 0.0], (many, 1))
    joints["neck"] = TRUNK * up
    for name, (forward, aside, upward) in HEAD.items():
        for prefix, sign in SIDES.items() if aside else {"": 1.0}.items():
            joint = f"{prefix}_{name}" if prefix else name
            joints[joint] = joints["neck"] + forward * ahead + sign * aside * left + upward * up
    for number, (side, sign) in enumerate(SIDES.items()):
        phase = motion.phase + (np.pi if sign < 0 else 0.0)
        thigh = motion.gait * SWING * np.sin(phase) + motion.seated * SEATED
        knee = motion.gait * KNEE * np.maximum(np.sin(phase + 1.0), 0.0) + motion.seated * SEATED
        joints[f"{side}_hip"] = sign * HIP_WIDTH * left
        joints[f"{side}_knee"] = joints[f"{side}_hip"] + THIGH * _swung(thigh)
        joints[f"{side}_ankle"] = joints[f"{side}_knee"] + SHANK * _swung(thigh - knee)
        for name, (forward, aside, upward) in FOOT.items():
            joints[f"{side}_{name}"] = joints[f"{side}_ankle"] + np.array([forward, sign * aside, upward])
        reach = idle * (0.9 * waves[:, 1 + number] ** 2 + 0.3 * waves[:, 2 - number])
        arm = -motion.gait * ARM_SWING * np.sin(phase) + reach
        bent = 0.3 + idle * 0.9 * (1 + waves[:, 2 - number]) / 2
        outwards = sign * 0.25 * (1 + idle * waves[:, 1 + number])
        joints[f"{side}_shoulder"] = joints["neck"] - 0.01 * up + sign * SHOULDER_WIDTH * left
        joints[f"{side}_elbow"] = joints[f"{side}_shoulder"] + UPPER_ARM * _swung(arm + lean, outwards)
        joints[f"{side}_wrist"] = joints[f"{side}_elbow"] + FOREARM * _swung(arm + bent + lean, outwards / 2)
    return joints


def _swung(forwards: FloatArray, outwards: FloatArray | float = 0.0) -> FloatArray:
    """`(N, 3)` directions of limbs that hang, swung by so many radians to the front and to the left."""
    aside = np.sin(outwards) * np.ones_like(forwards)
    down = np.sqrt(1.0 - aside**2)
    return np.stack([down * np.sin(forwards), aside, -down * np.cos(forwards)], axis=1)


def motions(
    places: FloatArray, present: IntArray, heights: FloatArray, interval_seconds: float, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where people face and how they walk, from where they are.

    Args:
        places: `(T, S, 2)` in metres.
        present: `(T, S)` identities, -1 where nobody is.
        heights: `(P,)` of the people.
        interval_seconds: Between two instants.
        rng: Where people face who have not moved yet.

    Returns:
        `(T, S)` heading in radians, phase of the gait in radians, and how much they walk, 0 to 1.
    """
    many = len(places)
    step = np.zeros_like(places)
    same = (present[1:] == present[:-1]) & (present[1:] >= 0)
    step[1:] = np.where(same[..., None], places[1:] - places[:-1], 0.0)
    if many > 1:
        step[0] = step[1]
    tall = heights[np.maximum(present, 0)]
    length = np.asarray(np.linalg.norm(step, axis=-1)) / tall
    gait = np.clip(length / interval_seconds / WALKING_SPEED, 0.0, 1.0)
    phase = np.cumsum(2 * np.pi * length / STRIDE, axis=0)
    heading = np.empty(places.shape[:2])
    now: FloatArray = np.asarray(rng.uniform(-np.pi, np.pi, size=(places.shape[1],)))
    for instant in range(many):  # who stops goes on facing where they went
        moved = length[instant] > 0.05 * interval_seconds
        now = np.where(moved, np.arctan2(step[instant, :, 1], step[instant, :, 0]), now)
        heading[instant] = now
    return heading, phase, gait


def detect_joints(
    joints: FloatArray,
    boxes: FloatArray,
    skeleton: Skeleton,
    errors: KeypointErrors,
    rng: np.random.Generator,
) -> FloatArray:
    """What a detector of keypoints makes of the joints of people.

    Args:
        joints: `(N, K, 2)` where they are in the image; NaN where they have no image.
        boxes: `(N, 4)` visible parts of the people: joints below them are hidden.
        skeleton: Which joints they are.
        errors: How it errs.
        rng: Source of the errors.

    Returns:
        `(N, K, 3)` x, y and score; NaN with score 0 where nothing was found.
    """
    many, count = joints.shape[:2]
    size = boxes[:, 3] - boxes[:, 1]
    turned = np.asarray(rng.random(many) < errors.swapped)
    found = np.where(turned[:, None, None], joints[:, list(skeleton.mirrored)], joints)
    noise = rng.standard_normal((many, count, 2)) * (errors.noise * size)[:, None, None]
    astray = rng.random((many, count)) < errors.astray
    anywhere = boxes[:, None, :2] + rng.random((many, count, 2)) * (boxes[:, None, 2:] - boxes[:, None, :2])
    found = np.where(astray[..., None], anywhere, found + noise)
    missed = rng.random((many, count)) < errors.missed
    hidden = joints[..., 1] > boxes[:, 3:] + 0.03 * size[:, None]
    score = np.where(astray, 0.35, 0.8) + 0.1 * rng.standard_normal((many, count))
    lost = np.asarray(missed | (hidden & ~astray) | ~np.isfinite(found).all(axis=-1))
    result = np.concatenate([found, np.clip(score, 0.05, 1.0)[..., None]], axis=-1)
    return np.where(lost[..., None], np.array([np.nan, np.nan, 0.0]), result)
