"""Cameras from homographies: what is given is kept, and people tell the rest."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from body_scenes import true_cameras

from selfmva.core.types import Frame, View
from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera
from selfmva.geometry.homographies import camera_of_homography, cameras_of_homographies, settle_camera

FLOOR = [0, 1, 3]  # columns of a projection that places on the floor meet


@cache
def scene() -> Simulated:
    return Simulated(views=3, people=5, instants=160, seed=4)


@cache
def frames() -> tuple[Frame, ...]:
    return tuple(scene().frame(t) for t in range(0, 160, 2))


@pytest.mark.parametrize("scale", [1.0, -7.0])
def test_the_homography_is_kept(scale: float) -> None:
    """Whatever its scale; and focal length and height of the camera are those of the truth."""
    given = [scale * np.linalg.inv(camera.matrix[:, FLOOR]) for camera in true_cameras(scene())]
    for found, true in zip(cameras_of_homographies(scene().views, given, frames()), true_cameras(scene()), strict=True):
        assert found is not None
        pixels = np.array([[100.0, 500, 1], [600, 650, 1], [1000, 400, 1]])
        ground = pixels @ np.linalg.inv(true.matrix[:, FLOOR]).T
        back = np.column_stack([ground[:, :2] / ground[:, 2:], np.zeros(3)])
        np.testing.assert_allclose(found.project(back)[0], pixels[:, :2], atol=0.02)
        assert found.K[0, 0] == pytest.approx(true.K[0, 0], rel=0.05)
        assert found.centre == pytest.approx(true.centre, abs=0.3)


def test_people_tell_what_a_homography_leaves_open() -> None:
    """With a principal point off the middle, the closed form errs; people who are all as tall pull it right."""
    view, whole = scene().views[0], true_cameras(scene())[0]
    away = np.zeros((3, 3))
    away[1, 2] = 60
    true = Camera(whole.K + away, whole.R, whole.t)
    places = np.column_stack([np.random.default_rng(0).uniform(0, 6, (200, 2)), np.zeros(200)])
    crowns = np.column_stack([places[:, :2], np.full(200, 1.7)])
    feet, heads = (true.project(ends)[0] for ends in (places, crowns))
    inside = ((feet > 0) & (feet < [view.width, view.height])).all(axis=1)
    assert inside.sum() > 50
    given = np.linalg.inv(true.matrix[:, FLOOR])
    first = camera_of_homography(view, given)
    settled = settle_camera(view, given, first, 1.7, *(centred(points[inside], view) for points in (feet, heads)))
    off = [np.abs(camera.project(crowns)[0] - heads)[inside].max() for camera in (first, settled)]
    assert off[1] < 0.85 * off[0]


def centred(pixels: np.ndarray, view: View) -> np.ndarray:
    """In image widths from the centre."""
    return np.asarray((pixels - [view.width / 2, view.height / 2]) / view.width)


def test_cameras_stay_as_they_are() -> None:
    cameras = [*true_cameras(scene())[:2], None]
    assert cameras_of_homographies(scene().views, cameras, frames()) == cameras


def test_straight_down_nothing_tells_the_focal_length() -> None:
    """Any goes with the homography: what is usual is taken, and the homography is kept."""
    view = scene().views[0]
    down = Camera([[900, 0, view.width / 2], [0, 900, view.height / 2], [0, 0, 1]], np.diag([1.0, -1, -1]), [0, 0, 4])
    found = camera_of_homography(view, np.linalg.inv(down.matrix[:, FLOOR]))
    spots = np.array([[0.5, 0.5, 0.0], [-0.3, 0.2, 0.0]])
    np.testing.assert_allclose(found.project(spots)[0], down.project(spots)[0], atol=1e-6)


def test_wrong_homographies_are_said() -> None:
    view, true = scene().views[0], true_cameras(scene())[0]
    to_floor = np.linalg.inv(true.matrix[:, FLOOR])
    for wrong, message in (
        (np.zeros((3, 3)), "has no inverse"),
        (np.diag([1.0, -1, 1]) @ to_floor, "left-handed"),
    ):
        with pytest.raises(InputError, match=message):
            camera_of_homography(view, wrong)
