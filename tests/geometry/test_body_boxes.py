"""Where people stand by their joints, against where they stand."""

from __future__ import annotations

import numpy as np
import pytest
from body_scenes import frames_of_people, people, true_cameras

from selfmva.association.standing import read_standing
from selfmva.core.skeletons import SKELETONS
from selfmva.core.types import Frame
from selfmva.geometry.body_boxes import standing_boxes
from selfmva.geometry.floor import Floor
from selfmva.geometry.given_cameras import floor_of_cameras

COCO = SKELETONS["coco17"]


def upright(*missing: str) -> np.ndarray:
    """A body of 200 pixels, its soles at y = 300, its crown at 100."""
    heights = {"nose": 0.935, "shoulder": 0.818, "hip": 0.53, "knee": 0.285, "ankle": 0.039}
    joints = np.full((17, 2), np.nan)
    for number, joint in enumerate(COCO.joints):
        part = joint.rpartition("_")[2]
        if part in heights and part not in missing:
            joints[number] = [50 + 10 * joint.startswith("left"), 300 - 200 * heights[part]]
    return joints


@pytest.mark.parametrize("missing", [(), ("knee",), ("nose",)])
def test_soles_and_crown(missing: tuple[str, ...]) -> None:
    boxes = standing_boxes(upright(*missing)[None], np.array([[40.0, 0, 70, 9]]), COCO)
    assert np.allclose(boxes[0, [1, 3]], [100, 300])


def test_who_shows_too_little_keeps_the_box() -> None:
    box = np.array([[40.0, 0, 70, 9]])
    for missing in (["ankle"], ["nose", "shoulder", "hip", "knee"]):
        assert standing_boxes(upright(*missing)[None], box, COCO).tolist() == box.tolist()
    assert standing_boxes(np.zeros((0, 17, 2)), np.zeros((0, 4)), COCO).shape == (0, 4)


def true_floor() -> Floor:
    return floor_of_cameras(people().views, true_cameras(people()), frames_of_people(), body_height=1.7)[0]


def test_people_stand_where_their_ankles_are() -> None:
    """And not where boxes around their joints end."""
    floor, by_joints, by_boxes = true_floor(), [], []
    for t in range(0, 150, 3):
        whose = np.concatenate(people().identities(t))
        frame = Frame(keypoints=people().frame(t).keypoints)
        rows = np.flatnonzero(whose >= 0)
        known, places = people().ground_positions(t)
        goal = places[np.argmax(known == whose[rows, None], axis=1)]
        view = np.repeat(np.arange(3), frame.counts)[rows]
        found = read_standing(floor, [frame], rows).estimates()[0] * floor.unit
        boxes = floor.read(np.concatenate(frame.boxes)[rows], view).estimates()[0] * floor.unit
        by_joints.append(np.linalg.norm(found - goal, axis=1))
        by_boxes.append(np.linalg.norm(boxes - goal, axis=1))
    assert np.median(np.concatenate(by_joints)) < 0.15
    assert np.median(np.concatenate(by_joints)) < np.median(np.concatenate(by_boxes))


def test_without_joints_nothing_changes() -> None:
    frame = people().frame(20)
    plain = Frame(frame.boxes)
    rows = np.arange(sum(plain.counts))
    view = np.repeat(np.arange(3), plain.counts)
    floor = true_floor()
    expected = floor.read(np.concatenate(plain.boxes), view)
    found = read_standing(floor, [plain], rows)
    assert np.array_equal(found.foot, expected.foot)
    assert np.array_equal(found.visible, expected.visible)
