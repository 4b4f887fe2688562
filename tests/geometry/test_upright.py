"""The vertical, the floor and the height of people, in any frame of reference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from body_scenes import people

from selfmva.core.skeletons import SKELETONS, Skeleton
from selfmva.geometry.bodies.stature import rigidity, statures
from selfmva.geometry.bodies.upright import find_world

COCO = SKELETONS["coco17"]


def everybody(**options: object) -> tuple[np.ndarray, np.ndarray]:
    """Joints and people of a recording."""
    scene = people(people=6, instants=100, **options)
    found = [scene.joints(t) for t in range(0, 100, 5)]
    person = np.unique(np.concatenate([identity for identity, _ in found]), return_inverse=True)[1]
    return np.concatenate([joints for _, joints in found]), person


@pytest.mark.parametrize("options", [{}, {"sitting": 0.5}], ids=str)
def test_the_world_is_upright(options: dict[str, float]) -> None:
    joints, person = everybody(**options)
    turn, shift, scale = cv2.Rodrigues(np.array([0.7, -2.0, 1.1]))[0], np.array([3.0, -2, 7]), 0.37
    world = find_world(scale * joints @ turn.T + shift, person, COCO)
    assert world is not None
    assert world.floor_seen
    up = turn.T @ world.rotation[2]
    assert np.degrees(np.arccos(up[2])) < 1.5
    ankles = world.points(scale * joints @ turn.T + shift)[:, list(COCO.indices(["left_ankle", "right_ankle"]))]
    assert np.median(ankles[..., 2]) == pytest.approx(0.039, abs=0.02)
    assert world.stature == pytest.approx(scale * np.median(statures(joints, person, COCO)), rel=1e-6)


def test_without_ankles_the_floor_is_under_the_shoulders() -> None:
    joints, person = everybody()
    mvor = SKELETONS["mvor10"]
    four = np.concatenate([joints, np.ones((*joints.shape[:2], 1))], axis=-1)
    world = find_world(COCO.convert(four, mvor)[..., :3], person, mvor)
    assert world is not None
    assert not world.floor_seen
    assert world.origin[2] == pytest.approx(0, abs=0.15)
    assert np.degrees(np.arccos(world.rotation[2, 2])) < 8


def test_heights_are_those_of_people() -> None:
    scene = people(people=6, instants=100)
    joints, person = everybody()
    known = np.unique(np.concatenate([scene.joints(t)[0] for t in range(0, 100, 5)]))
    assert np.allclose(statures(joints, person, COCO), scene._heights[known], rtol=0.03)


def test_bodies_are_rigid_until_space_is_bent() -> None:
    joints, person = everybody()
    assert rigidity(joints, person, COCO) < 1e-9
    assert rigidity(joints * [1, 1.5, 1], person, COCO) > 0.01
    assert rigidity(joints[:, :2], person, Skeleton("two", ("nose", "neck"))) == np.inf


def test_nobody_tells_nothing() -> None:
    assert find_world(np.full((4, 17, 3), np.nan), np.zeros(4, np.int64), COCO) is None
