"""Which joints keypoints are: named skeletons, and how one is read as another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

# Two joints of one rigid part of the body, where both are there; a joint that lies between is skipped for none.
LIMBS = (
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("left_ankle", "left_heel"),
    ("left_ankle", "left_big_toe"),
    ("right_ankle", "right_heel"),
    ("right_ankle", "right_big_toe"),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("neck", "mid_hip"),
    ("neck", "left_shoulder"),
    ("neck", "right_shoulder"),
    ("neck", "nose"),
    ("neck", "head"),
    ("head_bottom", "head_top"),
    ("nose", "left_eye"),
    ("nose", "right_eye"),
    ("left_eye", "left_ear"),
    ("right_eye", "right_ear"),
)
MIDDLES = {  # joints that are the middle of two others, where a skeleton lacks them
    "neck": ("left_shoulder", "right_shoulder"),
    "mid_hip": ("left_hip", "right_hip"),
    "head": ("left_ear", "right_ear"),
}
_ARMS_AND_LEGS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The joints of a body that a detector of keypoints finds, in its order.

    Attributes:
        name: Of the skeleton.
        joints: Names of the K joints, such as `"left_ankle"`: left and right are the person's own.

    Raises:
        InputError: There is no joint, or two have one name.

    Example:
        >>> skeleton = Skeleton.named("coco17")
        >>> len(skeleton), skeleton.joints[0], skeleton.index("left_ankle")
        (17, 'nose', 15)
        >>> Skeleton("stick", ("head", "left_ankle", "right_ankle")).mirrored
        (0, 2, 1)
    """

    name: str
    joints: tuple[str, ...]

    def __post_init__(self) -> None:
        joints: object = self.joints
        if not isinstance(joints, tuple) or not joints or not all(isinstance(joint, str) for joint in joints):
            raise InputError(f"a skeleton needs a tuple of names of joints, got {shown(joints)}")
        if len(set(self.joints)) < len(self.joints):
            twice = next(joint for joint in self.joints if self.joints.count(joint) > 1)
            raise InputError(f"skeleton {shown(self.name)} names the joint {twice!r} twice")

    @classmethod
    def named(cls, name: str) -> Skeleton:
        """One of the skeletons of `SKELETONS`.

        Raises:
            InputError: There is none of this name.
        """
        if not is_one_of(name, SKELETONS):
            raise InputError(f"skeleton must be one of {', '.join(map(repr, SKELETONS))}, got {shown(name)}")
        return SKELETONS[name]

    def __len__(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        """The number of a joint.

        Raises:
            InputError: The skeleton has none of this name.
        """
        if joint not in self.joints:
            raise InputError(
                f"skeleton {self.name!r} has no joint {shown(joint)}; its joints are {', '.join(self.joints)}"
            )
        return self.joints.index(joint)

    def indices(self, joints: Iterable[str]) -> tuple[int, ...]:
        """The numbers of those of some joints that it has."""
        return tuple(self.joints.index(joint) for joint in joints if joint in self.joints)

    @property
    def limbs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of numbers of joints that are joined by a rigid part of the body, to draw it and to know its length."""
        return tuple(
            (self.joints.index(start), self.joints.index(end))
            for start, end in LIMBS
            if start in self.joints and end in self.joints
        )

    @property
    def mirrored(self) -> tuple[int, ...]:
        """For every joint the number of the one on the other side of the body; its own where it is in the middle."""
        swapped = {"left": "right", "right": "left"}
        names = (
            "_".join([swapped.get(joint.partition("_")[0], joint.partition("_")[0]), *joint.split("_")[1:]])
            for joint in self.joints
        )
        return tuple(self.joints.index(name) if name in self.joints else number for number, name in enumerate(names))

    def convert(self, keypoints: NDArray[np.floating], target: Skeleton) -> NDArray[np.float64]:
        """Keypoints of this skeleton as those of another one, joint by joint, by name.

        A neck, a mid hip and a head that are not there are the middles of shoulders, hips and ears, and the two ends of
        a head lie on the way from the shoulders over the ears. What cannot be told is missing: NaN, with score 0.

        Args:
            keypoints: `(..., K, D + 1)`: D coordinates, in any unit, and a score in [0, 1] of each joint.
            target: The skeleton to go to.

        Returns:
            `(..., len(target), D + 1)` float64.

        Raises:
            InputError: The keypoints are not of this skeleton.

        Example:
            >>> stick = Skeleton("stick", ("left_shoulder", "right_shoulder"))
            >>> person = np.array([[10.0, 20.0, 0.9], [30.0, 20.0, 0.5]])
            >>> stick.convert(person, Skeleton("neck", ("neck", "nose"))).tolist()
            [[20.0, 20.0, 0.5], [nan, nan, 0.0]]
        """
        given = np.asarray(keypoints, dtype=np.float64)
        if given.ndim < 2 or given.shape[-2] != len(self) or given.shape[-1] < 3:
            raise InputError(f"keypoints of skeleton {self.name!r} have shape (..., {len(self)}, 3), got {given.shape}")
        return np.stack([self._joint(given, joint) for joint in target.joints], axis=-2)

    def _joint(self, keypoints: NDArray[np.float64], joint: str) -> NDArray[np.float64]:
        """`(..., D + 1)` of one joint, by whatever is known of it."""
        if joint in self.joints:
            return with_missing(keypoints[..., self.joints.index(joint), :])
        if joint in MIDDLES and set(MIDDLES[joint]) <= set(self.joints):
            return self._mean(keypoints, dict.fromkeys(MIDDLES[joint], 0.5))
        if joint in HEAD_ENDS and set(HEAD_ENDS[joint]) <= set(self.joints):
            return self._mean(keypoints, HEAD_ENDS[joint])
        unknown = np.full((*keypoints.shape[:-2], keypoints.shape[-1]), np.nan)
        unknown[..., -1] = 0.0
        return unknown

    def _mean(self, keypoints: NDArray[np.float64], weights: dict[str, float]) -> NDArray[np.float64]:
        """A weighted mean of joints, as sure as the least sure of them."""
        parts = with_missing(keypoints[..., [self.joints.index(joint) for joint in weights], :])
        place = np.einsum("...kd,k->...d", parts[..., :-1], np.array(list(weights.values())))
        return with_missing(np.concatenate([place, parts[..., -1].min(axis=-1)[..., None]], axis=-1))


def with_missing(keypoints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keypoints `(..., D + 1)` whose missing ones, by score 0 or NaN anywhere, are NaN with score 0."""
    missing = ~(keypoints[..., -1] > 0) | ~np.isfinite(keypoints).all(axis=-1)
    result = np.where(missing[..., None], np.nan, keypoints)
    result[..., -1] = np.where(missing, 0.0, keypoints[..., -1])
    return result


# Ends of a head as weights of shoulders, nose and ears: the bottom is where the multi-view scores of Shelf and Campus
# put it, half way from the shoulders to the nose, three parts, and to the ears, one; the top is half as far beyond the
# ears as these are from the shoulders.
_BOTTOM = {"left_shoulder": 0.25, "right_shoulder": 0.25, "nose": 0.375, "left_ear": 0.0625, "right_ear": 0.0625}
_TOP = {"left_shoulder": -0.25, "right_shoulder": -0.25, "left_ear": 0.75, "right_ear": 0.75}
HEAD_ENDS = {"head_bottom": _BOTTOM, "head_top": _TOP}


def _both(*parts: str, first: str = "left") -> tuple[str, ...]:
    """The names of parts of the body on both sides, one side after the other for each part."""
    second = "right" if first == "left" else "left"
    return tuple(f"{side}_{part}" for part in parts for side in (first, second))


def _side(side: str, *parts: str) -> tuple[str, ...]:
    return tuple(f"{side}_{part}" for part in parts)


_COCO = ("nose", *_both("eye", "ear", *_ARMS_AND_LEGS))
_PANOPTIC = ("neck", "nose", "mid_hip", *_side("left", *_ARMS_AND_LEGS), *_side("right", *_ARMS_AND_LEGS))
SKELETONS = {
    skeleton.name: skeleton
    for skeleton in (
        Skeleton("coco17", _COCO),
        Skeleton(
            "body25",
            (
                "nose",
                "neck",
                *_side("right", "shoulder", "elbow", "wrist"),
                *_side("left", "shoulder", "elbow", "wrist"),
                "mid_hip",
                *_side("right", "hip", "knee", "ankle"),
                *_side("left", "hip", "knee", "ankle"),
                *_both("eye", "ear", first="right"),
                *_side("left", "big_toe", "small_toe", "heel"),
                *_side("right", "big_toe", "small_toe", "heel"),
            ),
        ),
        Skeleton("panoptic15", _PANOPTIC),
        Skeleton("panoptic19", (*_PANOPTIC, *_side("left", "eye", "ear"), *_side("right", "eye", "ear"))),
        Skeleton("halpe26", (*_COCO, "head_top", "neck", "mid_hip", *_both("big_toe", "small_toe", "heel"))),
        Skeleton(
            "shelf14",
            (
                *_side("right", "ankle", "knee", "hip"),
                *_side("left", "hip", "knee", "ankle"),
                *_side("right", "wrist", "elbow", "shoulder"),
                *_side("left", "shoulder", "elbow", "wrist"),
                "head_bottom",
                "head_top",
            ),
        ),
        Skeleton("mvor10", ("head", "neck", *_both("shoulder", "hip", "elbow", "wrist"))),
    )
}


def skeleton_of(name: str | None, joints: int) -> Skeleton:
    """The skeleton of keypoints.

    Args:
        name: What it was said to be; None where its number of joints has to tell.
        joints: How many joints the keypoints have.

    Raises:
        InputError: No skeleton has this name, or so many joints, or the one of this name has another number.

    Example:
        >>> skeleton_of(None, 25).name
        'body25'
    """
    if name is not None:
        named = Skeleton.named(name)
        if len(named) != joints:
            raise InputError(f"keypoints have {joints} joints, skeleton {name!r} has {len(named)}: say skeleton=")
        return named
    for skeleton in SKELETONS.values():
        if len(skeleton) == joints:
            return skeleton
    numbers = ", ".join(f"{key} ({len(skeleton)})" for key, skeleton in SKELETONS.items())
    raise InputError(
        f"no known skeleton has {joints} joints, known are {numbers}; convert the keypoints to one of these"
    )
