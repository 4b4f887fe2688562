"""Skeletons: names of joints, and one read as another."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.config import SkeletonName
from selfmva.core.skeletons import LIMBS, SKELETONS, Skeleton, skeleton_of
from selfmva.errors import InputError

skeletons = st.sampled_from(sorted(SKELETONS))


def body(skeleton: Skeleton, seed: int = 0) -> np.ndarray:
    """Keypoints at places of their own, all seen."""
    return np.random.default_rng(seed).uniform(0.1, 1.0, (3, len(skeleton), 3))


@pytest.mark.parametrize(
    ("name", "joints", "some"),
    [
        ("coco17", 17, {"nose": 0, "left_eye": 1, "right_shoulder": 6, "left_ankle": 15, "right_ankle": 16}),
        ("body25", 25, {"neck": 1, "right_wrist": 4, "mid_hip": 8, "left_ankle": 14, "left_ear": 18, "right_heel": 24}),
        ("panoptic15", 15, {"neck": 0, "mid_hip": 2, "left_wrist": 5, "left_ankle": 8, "right_ankle": 14}),
        ("panoptic19", 19, {"left_eye": 15, "left_ear": 16, "right_eye": 17, "right_ear": 18}),
        ("halpe26", 26, {"head_top": 17, "neck": 18, "mid_hip": 19, "right_big_toe": 21, "right_heel": 25}),
        ("shelf14", 14, {"right_ankle": 0, "left_hip": 3, "right_wrist": 6, "left_wrist": 11, "head_top": 13}),
        ("mvor10", 10, {"head": 0, "neck": 1, "left_shoulder": 2, "right_hip": 5, "right_wrist": 9}),
    ],
)
def test_published_orders(name: str, joints: int, some: dict[str, int]) -> None:
    skeleton = Skeleton.named(name)
    assert len(skeleton) == joints
    assert {joint: skeleton.index(joint) for joint in some} == some


@given(skeletons)
def test_mirrored_twice_is_the_same(name: str) -> None:
    mirrored = np.array(Skeleton.named(name).mirrored)
    assert (mirrored[mirrored] == np.arange(len(mirrored))).all()
    assert (mirrored != np.arange(len(mirrored))).any()


@given(skeletons)
def test_limbs_are_named_pairs(name: str) -> None:
    skeleton = Skeleton.named(name)
    assert skeleton.limbs
    assert {(skeleton.joints[a], skeleton.joints[b]) for a, b in skeleton.limbs} <= set(LIMBS)


@given(skeletons, skeletons)
def test_converts_by_name(source: str, target: str) -> None:
    first, second = Skeleton.named(source), Skeleton.named(target)
    keypoints = body(first)
    found = first.convert(keypoints, second)
    for joint in set(first.joints) & set(second.joints):
        assert (found[:, second.index(joint)] == keypoints[:, first.index(joint)]).all()
    assert (np.isnan(found[..., 0]) == (found[..., 2] == 0)).all()


def test_middles_and_heads() -> None:
    coco, keypoints = Skeleton.named("coco17"), body(Skeleton.named("coco17"))
    found = coco.convert(keypoints, Skeleton.named("panoptic15"))
    left, right = keypoints[:, coco.index("left_hip")], keypoints[:, coco.index("right_hip")]
    assert np.allclose(found[:, 2, :2], (left + right)[:, :2] / 2)
    assert np.allclose(found[:, 2, 2], np.minimum(left[:, 2], right[:, 2]))
    ears = keypoints[:, list(coco.indices(["left_ear", "right_ear"])), :2].mean(axis=1)
    shoulders = keypoints[:, list(coco.indices(["left_shoulder", "right_shoulder"])), :2].mean(axis=1)
    top = coco.convert(keypoints, Skeleton.named("shelf14"))[:, 13, :2]
    assert np.allclose(top, ears + (ears - shoulders) / 2)


def test_a_middle_needs_both_sides() -> None:
    keypoints = body(Skeleton.named("coco17"))
    keypoints[0, Skeleton.named("coco17").index("left_hip"), 2] = 0
    found = Skeleton.named("coco17").convert(keypoints, Skeleton.named("panoptic15"))
    assert np.isnan(found[0, 2, :2]).all()
    assert not np.isnan(found[1:, 2]).any()


def test_numbers_of_joints_tell() -> None:
    assert all(skeleton_of(None, len(skeleton)) is skeleton for skeleton in SKELETONS.values())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Skeleton.named("coco"), "must be one of 'coco17'"),
        (lambda: skeleton_of(None, 13), "no known skeleton has 13 joints"),
        (lambda: skeleton_of("coco17", 25), "25 joints"),
        (lambda: Skeleton("s", ("a", "a")), "twice"),
        (lambda: Skeleton("s", ()), "tuple"),
        (lambda: Skeleton.named("mvor10").index("left_knee"), "no joint 'left_knee'"),
        (lambda: Skeleton.named("mvor10").convert(np.zeros((2, 17, 3)), SKELETONS["coco17"]), r"\(\.\.\., 10, 3\)"),
    ],
)
def test_errors(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


def test_the_config_knows_all_names() -> None:
    assert get_args(SkeletonName) == tuple(SKELETONS)
