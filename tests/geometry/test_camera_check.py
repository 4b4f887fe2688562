"""A calibration is looked at: other images, other units, other cameras are said; a good one is not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from body_scenes import true_cameras

from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError
from selfmva.geometry.camera_check import check_cameras
from selfmva.geometry.camera_files import read_cameras
from selfmva.geometry.camera_files.world import with_world
from selfmva.geometry.cameras import Camera


@cache
def scene() -> Simulated:
    return Simulated(views=3, people=4, instants=60, seed=4)


@cache
def people() -> np.ndarray:
    """Heads and feet on the floor."""
    places = np.random.default_rng(0).uniform(1, 5, (200, 2))
    return np.column_stack([places, np.random.default_rng(1).choice([0, 1.7], 200)])


def images(cameras: list[Camera]) -> np.ndarray:
    return np.stack([camera.project(people())[0] for camera in cameras])


def frames() -> list:
    return [scene().frame(t) for t in range(60)]


def test_good_cameras_are_good() -> None:
    cameras = true_cameras(scene())
    assert check_cameras(cameras, scene().views, frames=frames(), points=people()) == []
    assert check_cameras(cameras, scene().views, points=people(), pixels=images(cameras)) == []
    assert check_cameras(cameras, scene().views, pixels=images(cameras)) == []
    named = dict(zip((view.name for view in scene().views), cameras, strict=True))
    assert check_cameras(named, scene().views) == []
    assert check_cameras([None] * 3, scene().views, frames=frames(), pixels=images(cameras)) == []


def test_other_units_are_said() -> None:
    named = dict(zip((view.name for view in scene().views), true_cameras(scene()), strict=True))
    for unit, scale in (("millimetres", 1000.0), ("centimetres", 100.0)):
        cameras = with_world(named, scale=scale)
        (said,) = check_cameras(cameras, scene().views, frames=frames())
        assert said.startswith("all: people are 1")
        assert said.endswith(f"{unit}?")
    told = check_cameras(cameras, scene().views, points=people() / 10)
    assert len(told) == 3
    assert all("are units mixed" in said for said in told)


def test_one_camera_of_another_unit_is_named() -> None:
    cameras = true_cameras(scene())
    cameras[1] = Camera(cameras[1].K, cameras[1].R, cameras[1].t * 1000)
    (said,) = check_cameras(cameras, scene().views, frames=frames())
    assert said.startswith(repr(scene().views[1].name))
    assert "times as tall as in the other views" in said


def test_another_order_is_said() -> None:
    cameras = true_cameras(scene())
    swapped = [cameras[1], cameras[0], cameras[2]]
    for given in ({"pixels": images(cameras)}, {"points": people(), "pixels": images(cameras)}):
        said = check_cameras(swapped, scene().views, **given)
        assert {one.split(":")[0] for one in said} >= {repr(view.name) for view in scene().views[:2]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: Camera(c.K / [[c.K[0, 0]], [c.K[0, 0]], [1]], c.R, c.t), "is K in pixels"),
        (lambda c: Camera(c.K, c.R @ np.diag([1, -1, -1]), c.t), "does z point up"),
        (lambda c: Camera(c.K, c.R, c.t, size=(64, 48)), "calibrated on images of 64 x 48"),
        (lambda c: Camera(c.K * [[1, 1, 3], [1, 1, 1], [1, 1, 1]], c.R, c.t), "lies outside of the image"),
    ],
)
def test_single_cameras(change, said: str) -> None:
    cameras = true_cameras(scene())
    cameras[2] = change(cameras[2])
    told = check_cameras(cameras, scene().views)
    assert any(one.startswith(repr(scene().views[2].name)) and said in one for one in told)


def test_wrong_input() -> None:
    cameras = true_cameras(scene())
    for given, message in (
        ({"points": [[1, 2]]}, r"points must have shape \(N, 3\)"),
        ({"pixels": np.zeros((2, 5, 2))}, r"pixels must have shape \(3, N, 2\)"),
        ({"points": np.zeros((4, 3)), "pixels": np.zeros((3, 5, 2))}, "for each of 4 points"),
    ):
        with pytest.raises(InputError, match=message):
            check_cameras(cameras, scene().views, **given)
    with pytest.raises(InputError, match="2 cameras for 3 views"):
        check_cameras(cameras[:2], scene().views)


@pytest.mark.realdata
def test_shelf(data_root) -> None:
    """Truth onto the cameras; in millimetres, said."""
    from selfmva import View

    cameras = read_cameras(data_root / "shelf/calibration.json")
    views = [View(name, 1032, 776) for name in cameras]
    truth = np.load(data_root / "shelf/gt.npz")["joints"][::20, :, :3].reshape(-1, 3)
    truth = truth[np.isfinite(truth).all(axis=1)]
    assert check_cameras(cameras, views, points=truth) == []
    said = check_cameras(cameras, views, points=1000 * truth)
    assert len(said) == 5
    assert all("are units mixed" in one for one in said)
