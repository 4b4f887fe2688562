"""Cameras from the joints of people, against the true ones; and nothing where there is nothing to be found."""

from __future__ import annotations

import numpy as np
import pytest
from body_scenes import degrees_apart, frames_of_people, people, true_cameras

from selfmva.core.skeletons import SKELETONS
from selfmva.core.types import Frame
from selfmva.geometry.bodies.calibration import BodyCalibration, calibrate_by_bodies

COCO = SKELETONS["coco17"]


def calibrate(frames: list[Frame] | tuple[Frame, ...], **options: object) -> BodyCalibration:
    return calibrate_by_bodies(people().views[: len(frames[0])], frames, COCO, **options)


def test_finds_cameras_vertical_floor_and_height() -> None:
    scene, true = people(), true_cameras(people())
    found = calibrate(frames_of_people())
    assert set(found.matches) == {(0, 1), (0, 2), (1, 2)}
    cameras = [camera for camera in found.cameras if camera is not None]
    assert len(cameras) == 3
    assert found.floor_seen
    assert found.reprojection_error < 3
    for (i, j), match in found.matches.items():
        assert match.margin > 0.12
        own, other = cameras[j].R @ cameras[i].R.T, true[j].R @ true[i].R.T
        assert degrees_apart(own, other) < 1
    mean_height = np.mean([scene._heights[identity] for identity in scene.joints(75)[0]])
    for camera, known in zip(cameras, true, strict=True):
        assert camera.K[0, 0] == pytest.approx(known.K[0, 0], rel=0.05)
        assert np.degrees(np.arccos(camera.R[:, 2] @ known.R[:, 2])) < 1.5
        assert camera.centre[2] * mean_height == pytest.approx(known.centre[2], rel=0.08)


def test_two_views_are_of_one_kind() -> None:
    """Their focal lengths are told by bodies that keep their shapes."""
    true = true_cameras(people())
    found = calibrate([Frame(keypoints=frame.keypoints[:2]) for frame in frames_of_people() if frame.keypoints])
    one, other = found.cameras
    assert one is not None
    assert other is not None
    assert one.K[0, 0] == other.K[0, 0] == pytest.approx(true[0].K[0, 0], rel=0.25)
    assert degrees_apart(other.R @ one.R.T, true[1].R @ true[0].R.T) < 6


def test_known_focal_lengths_stay() -> None:
    known = [camera.K for camera in true_cameras(people())]
    found = calibrate(frames_of_people(), intrinsics=known)
    assert all(camera is not None and np.allclose(camera.K, K) for camera, K in zip(found.cameras, known, strict=True))


def test_a_mirror_image_is_named_and_not_placed() -> None:
    width = people().views[1].width
    frames = []
    for frame in frames_of_people():
        assert frame.keypoints is not None
        keypoints = list(frame.keypoints)
        mirrored = keypoints[1][
            :, list(COCO.mirrored)
        ].copy()  # the left hand of who looks into a mirror is a right one
        mirrored[..., 0] = width - mirrored[..., 0]
        keypoints[1] = mirrored
        frames.append(Frame(keypoints=keypoints))
    found = calibrate(frames)
    assert found.mirrored == (1,)
    assert found.cameras[1] is None
    assert set(found.matches) == {(0, 2)}


@pytest.mark.parametrize(
    "options", [{"unrelated_views": True}, {"standing": True, "people": 1}, {"standing": True}], ids=str
)
def test_nothing_is_found_where_nothing_is(options: dict[str, object]) -> None:
    found = calibrate(frames_of_people(**options))
    assert found.cameras == (None, None, None)
    assert not found.matches


def test_another_time_is_another_place() -> None:
    frames = frames_of_people()
    shifted = [
        Frame(keypoints=[*frame.keypoints[:2], late.keypoints[2]])
        for frame, late in zip(frames, [*frames[40:], *frames[:40]], strict=True)
        if frame.keypoints and late.keypoints
    ]
    assert calibrate(shifted).cameras[2] is None


def test_nobody_is_normal() -> None:
    empty = [Frame(keypoints=[np.zeros((0, 17, 3))] * 3)] * 20
    assert calibrate(empty).cameras == (None, None, None)
    assert calibrate(
        [Frame(keypoints=frame.keypoints[:1]) for frame in frames_of_people() if frame.keypoints]
    ).cameras == (None,)
