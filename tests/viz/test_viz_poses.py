"""Skeletons on images, people in space, what turns, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from body_scenes import frames_of_people, ring, seen_by_true_cameras

from selfmva.core.skeletons import Skeleton
from selfmva.core.types import Frame, View
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera
from selfmva.io import VideoFile
from selfmva.pose import Poses3D
from selfmva.viz import (
    Space,
    draw_orbit,
    draw_poses,
    draw_skeletons,
    draw_space,
    palette,
    write_pose_video,
    write_report,
)
from selfmva.viz.draw import CANVAS
from selfmva.viz.tiles import lay_tiles

if TYPE_CHECKING:
    from pathlib import Path

STICK = Skeleton("stick", ("left_hip", "left_knee"))
VIEWS = tuple(View(f"camera{number}", 1280, 720) for number in range(5))


def poses(*bodies: list[list[float]], unit: str = "metres", index: int = 0) -> Poses3D:
    joints = np.array(bodies, dtype=float).reshape(-1, 2, 3)
    ids = np.arange(len(joints))
    return Poses3D(joints, np.ones(joints.shape[:2]), ids, skeleton=STICK, unit=unit, index=index)


def has_colour(picture: np.ndarray, number: int) -> np.ndarray:
    """Rows and columns of the pixels in the colour of an id."""
    return np.argwhere((picture == palette(number + 1)[number]).all(axis=-1))


def test_limbs_lie_between_their_joints() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    drawn = draw_skeletons(image, [[[20, 50], [180, 50]], [[100, 10], [np.nan, np.nan]]], [3, 1], [(0, 1)])
    assert (drawn[50, 20:181] == palette(4)[3]).all()
    assert has_colour(drawn, 1).mean(axis=0) == pytest.approx([10, 100], abs=1)
    assert not image.any()


def test_joints_far_outside_are_not_drawn() -> None:
    drawn = draw_skeletons(np.zeros((90, 90, 3), np.uint8), [[[1e9, 40], [40, -1e12]]], [0], [(0, 1)])
    assert not drawn.any()


def test_every_camera_sees_people_where_it_projects_them() -> None:
    one = poses([[0.5, 0.2, 0.3], [0.5, 0.2, 1.6]])
    cameras = [*ring(5)[:4], None]
    picture = draw_poses(one, cameras, VIEWS, width=1600)
    tiles = lay_tiles([(1280, 720)] * 5, 1600)
    for number, camera in enumerate(cameras):
        (left, top), (wide, high) = tiles.corners[number], tiles.sizes[number]
        panel = picture[top : top + high, left : left + wide]
        found = has_colour(panel, 0)
        if camera is None:
            assert len(found) == 0
        else:
            ends = camera.project(one.joints[0])[0] * tiles.factors[number]
            assert np.abs(found.mean(axis=0)[::-1] - ends.mean(axis=0)).max() < 3


def test_what_the_detector_saw_is_dotted() -> None:
    frame = Frame(keypoints=[[[[300, 300, 0.9], [400, 500, 0.8]]], None])
    dark = [np.zeros((720, 1280, 3), np.uint8)] * 2
    picture = draw_poses(poses(), ring(2), VIEWS[:2], dark, frame=frame, width=1600)
    tiles = lay_tiles([(1280, 720)] * 2, 1600)
    x, y = (np.array([300, 300]) * tiles.factors[0] + tiles.corners[0]).round().astype(int)
    assert picture[y, x].min() > 200
    assert draw_poses(poses(), ring(2), VIEWS[:2], dark, frame=frame, blur="people", width=1600).shape == picture.shape


@pytest.mark.parametrize(("azimuth", "right"), [(0, (1, 0)), (90, (0, 1)), (180, (-1, 0)), (270, (0, -1))])
def test_a_person_on_the_right_is_on_the_right(azimuth: float, right: tuple[float, float]) -> None:
    middle, aside = [[0, 0, 0.1], [0, 0, 1.0]], [[*right, 0.1], [*right, 1.0]]
    picture = draw_space(poses(middle, aside), azimuth=azimuth, elevation=10, size=(600, 400))
    assert has_colour(picture, 1)[:, 1].mean() > has_colour(picture, 0)[:, 1].mean() + 50


def test_up_is_up_and_above_is_above() -> None:
    picture = draw_space(poses([[0, 0, 1.0], [0, 0, 1.5]], [[0.3, 0, 0.0], [0.3, 0, 0.5]]), azimuth=0, elevation=0)
    assert has_colour(picture, 0)[:, 0].mean() < has_colour(picture, 1)[:, 0].mean()
    above = draw_space(poses([[0, 1, 0.0], [0, 1, 0.1]], [[0, -1, 0.0], [0, -1, 0.1]]), azimuth=0, elevation=90)
    assert has_colour(above, 0)[:, 0].mean() < has_colour(above, 1)[:, 0].mean()  # looking along y, it is up


def test_near_people_hide_far_ones() -> None:
    wide, camera = [[-1, 0, 1.0], [1, 0, 1.0]], [[-1, -1, 1.0], [1, -1, 1.0]]
    space = Space(np.array([0, 0, 1.0]), 2.0)
    picture = draw_space(poses(camera, wide), azimuth=0, elevation=0, space=space)
    assert len(has_colour(picture, 0)) > len(has_colour(picture, 1))


def test_everybody_is_in_the_picture_from_all_sides() -> None:
    crowd = poses(*np.random.default_rng(0).uniform((-3, -2, 0), (3, 2, 2), (20, 2, 3)))
    space = Space.around([crowd])
    for azimuth in range(0, 360, 40):
        pixels, depth = space.seen_from(azimuth, 25, (640, 480)).project(crowd.joints)
        assert (depth > 0).all()
        assert ((pixels > 0) & (pixels < (640, 480))).mean() > 0.97


def test_cameras_of_the_recording_are_drawn() -> None:
    one = poses([[0, 0, 0.5], [0, 0, 1.6]])
    space = Space(np.array([0, 0, 1.0]), 6.0)
    alone, with_cameras = (draw_space(one, space=space, cameras=rig) for rig in ((), [*ring(4), None]))
    assert (alone != with_cameras).any(axis=-1).sum() > 200


def test_nobody_is_a_floor() -> None:
    nobody = Poses3D(np.zeros((0, 0, 3)), np.zeros((0, 0)), np.zeros(0, np.int64))
    assert (draw_space(nobody, size=(320, 240)) != CANVAS).any()
    assert draw_poses(nobody, ring(2), VIEWS[:2], width=800).shape[1] == 800


def test_a_turn_begins_anew() -> None:
    pictures = list(draw_orbit(poses([[0, 0, 0.0], [0.5, 0, 1.0]]), 4, size=(200, 160)))
    assert len(pictures) == 4
    assert (pictures[0] != pictures[2]).any()
    again = draw_space(poses([[0, 0, 0.0], [0.5, 0, 1.0]]), azimuth=360, size=(200, 160))
    assert (pictures[0] == again).all()


def test_a_video_has_all_instants(tmp_path: Path) -> None:
    path = tmp_path / "poses.mp4"
    write_pose_video(
        path, (poses([[0, 0, 0.5], [0.1 * t, 0, 1.0]], index=t) for t in range(7)), rate=5, size=(200, 160)
    )
    video = VideoFile(path)
    assert "7 images of 200 x 160 at 5 a second" in repr(video)


def test_a_report_shows_people_in_space(tmp_path: Path) -> None:
    frames = list(frames_of_people())
    associator = seen_by_true_cameras()
    write_report(tmp_path / "report.html", associator, frames[100:110])
    page = (tmp_path / "report.html").read_text()
    assert "People in space" in page
    assert page.count("url(data:image/jpeg;base64,") == 1
    assert "<script" not in page
    write_report(tmp_path / "boxes.html", associator)
    assert "People in space" not in (tmp_path / "boxes.html").read_text()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: draw_skeletons(np.zeros((9, 9, 3), np.uint8), np.zeros((1, 2, 3)), [0], []), r"\(P, K, 2\)"),
        (lambda: draw_skeletons(np.zeros((9, 9, 3), np.uint8), np.zeros((1, 2, 2)), [0, 1], []), "one whole number"),
        (lambda: draw_poses([], [], []), "Poses3D"),
        (lambda: draw_poses(poses(), ring(2), VIEWS), "do not fit"),
        (lambda: draw_poses(poses(), ring(5), VIEWS, blur="faces"), "frame="),
        (lambda: draw_space(None), "Poses3D"),
        (lambda: draw_space(poses(), size=(20, 20)), "a side of a picture"),
        (lambda: draw_space(poses(), elevation=100), "elevation"),
        (lambda: list(draw_orbit(poses(), 0)), "count"),
        (lambda: write_pose_video("x.mp4", [], rate=5), "no instant"),
    ],
)
def test_errors(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


def test_a_camera_mark_stands_where_the_camera_is() -> None:
    space = Space(np.array([0, 0, 1.0]), 6.0)
    camera = Camera([[1000, 0, 640], [0, 1000, 360], [0, 0, 1]], ring(4)[1].R, ring(4)[1].t)
    one = poses([[0, 0, 0.5], [0, 0, 1.6]])
    alone, marked = (draw_space(one, space=space, size=(800, 800), cameras=rig) for rig in ((), [camera]))
    changed = np.argwhere((alone != marked).any(axis=-1)).mean(axis=0)[::-1]
    place = space.seen_from(30, 20, (800, 800)).project(camera.centre)[0]
    assert np.abs(changed - place).max() < 60
