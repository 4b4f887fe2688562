"""Calibrations in files: there and back, published ones that project where they should, and damaged ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from body_scenes import ring

from selfmva.errors import DataError, InputError
from selfmva.geometry.camera_files import CAMERA_FORMATS, read_cameras, with_world, write_cameras
from selfmva.geometry.camera_files.json_files import camera_of_projection
from selfmva.geometry.cameras import Camera

DATA = Path(os.environ.get("SELFMVA_DATA", Path(__file__).parents[3] / "shared" / "data"))
LENS = (-0.1, 0.05, 0.001, -0.002)


def rig(lens: tuple[float, ...] = LENS) -> dict[str, Camera]:
    return {
        f"cam_{number}": Camera(camera.K, camera.R, camera.t, lens, (1280, 720))
        for number, camera in enumerate(ring(3))
    }


@pytest.mark.parametrize("name", CAMERA_FORMATS)
def test_there_and_back(name: str, tmp_path: Path) -> None:
    ending = {"opencv": ".yml", "pose2sim": ".toml", "anipose": ".toml", "colmap": ""}.get(name, ".json")
    lens = () if name == "aicity" else LENS  # which has no place for it
    path = tmp_path / f"rig{ending}"
    write_cameras(path, rig(lens), name)
    found = read_cameras(path)
    assert list(found) == list(rig())
    for own, read in zip(rig(lens).values(), found.values(), strict=True):
        assert np.abs(read.K - own.K).max() < 1e-6
        assert np.abs(read.R - own.R).max() < 1e-6
        assert np.abs(read.t - own.t).max() < 1e-6
        assert np.abs(read.distortion[: len(lens)] - np.array(lens)).max(initial=0) < 1e-6
        assert read.size == (None if name == "aicity" else (1280, 720))


def test_a_camera_alone_in_a_file_of_opencv(tmp_path: Path) -> None:
    camera = rig()["cam_1"]
    storage = cv2.FileStorage(str(tmp_path / "door.yml"), cv2.FILE_STORAGE_WRITE)
    storage.write("camera_matrix", camera.K)
    storage.write("distortion_coefficients", camera.distortion)
    storage.write("rvec", cv2.Rodrigues(camera.R)[0])
    storage.write("tvec", camera.t)
    storage.release()
    (found,) = read_cameras(tmp_path / "door.yml").items()
    assert found[0] == "door"
    assert np.allclose(found[1].matrix, camera.matrix)


def test_a_world_is_turned_and_scaled() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (20, 3))
    for axis, up in (("y", [0, 1, 0]), ("-y", [0, -1, 0]), ("x", [1, 0, 0]), ("-x", [-1, 0, 0]), ("-z", [0, 0, -1])):
        turned = with_world(rig(), up=axis, scale=0.01)["cam_0"]
        own = rig()["cam_0"]
        # A step upwards in the old world is one along z in the new one.
        before, after = own.R @ np.array(up, float), turned.R @ [0, 0, 1]
        assert np.allclose(before, after)
        assert np.allclose(turned.t, own.t * 0.01)
        assert np.linalg.det(turned.R) == pytest.approx(1)
    with pytest.raises(InputError, match="up must be one of"):
        with_world(rig(), up="north")
    assert points.shape == (20, 3)


def test_a_projection_of_any_sign_and_scale() -> None:
    for camera in ring(4):
        for scale in (1.0, -0.003):
            assert np.allclose(camera_of_projection(scale * camera.matrix).matrix, camera.matrix)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rig.toml", "[cam]\nmatrix = 3\n", "3 x 3 numbers, got 1"),
        ("rig.toml", "[cam]\n", "'matrix' is missing"),
        ("rig.toml", "[cam", "no TOML"),
        ("rig.toml", "[cam]\nfisheye = true\n", "fisheye"),
        ("rig.json", "{}", "holds no calibration"),
        ("rig.json", "[]", "holds no calibration"),
        ("rig.json", '[{"K": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "R": "?", "t": [0, 0, 0]}]', "must be numbers"),
        (
            "rig.json",
            '[{"K": [[0, 0, 0], [0, 1, 0], [0, 0, 1]], "R": [[1,0,0],[0,1,0],[0,0,1]], "t": [0,0,0]}]',
            "K of a",
        ),
        ("rig.yml", "%YAML:1.0\n---\nx: 3\n", "'R' is missing"),
    ],
)
def test_damaged_files(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_cameras(tmp_path / name)


def test_a_folder_that_is_none_of_colmap(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cameras\.txt"):
        read_cameras(tmp_path)
    (tmp_path / "cameras.txt").write_text("1 THIN_PRISM_FISHEYE 10 10 1 2 3\n", encoding="utf-8")
    with pytest.raises(DataError, match="models are SIMPLE_PINHOLE"):
        read_cameras(tmp_path)


def test_what_a_format_cannot_hold() -> None:
    with pytest.raises(InputError, match="format must be one of"):
        write_cameras("rig.txt", rig(), "matlab")
    with pytest.raises(InputError, match="4 coefficients"):
        write_cameras("rig.toml", rig((*LENS, 0.5)), "pose2sim")


@pytest.mark.realdata
def test_panoptic_bodies_are_where_they_were_filmed() -> None:
    """31 cameras; bodies in centimetres, y down: in metres, z up, they stand on the floor, and the cameras see them."""
    cameras = read_cameras(DATA / "panoptic" / "hd_cameras_160906_band1.json")
    assert len(cameras) == 31
    content = json.loads((DATA / "panoptic" / "body3d_160906_band1_00000168.json").read_text("utf-8"))
    given = np.array([body["joints19"] for body in content["bodies"]]).reshape(-1, 19, 4)
    joints = np.stack([given[..., 0], given[..., 2], -given[..., 1]], axis=-1) / 100
    ankles, noses = (joints[given[:, joint, 3] > 0.1, joint, 2] for joint in (8, 1))
    assert 0 < ankles.min() < 0.3
    assert 0.7 < noses.min() < 2  # who sits
    joints = joints[given[..., 3] > 0.1]
    seen = [
        ((camera.project(joints)[0] > 0) & (camera.project(joints)[0] < (1920, 1080))).all()
        for camera in cameras.values()
    ]
    assert sum(seen) >= 10  # many of 31 look at a part of the dome


@pytest.mark.realdata
def test_cameras_of_pose2sim_stand_around_one_place() -> None:
    cameras = read_cameras(DATA / "pose2sim" / "cameras.json")
    assert list(cameras) == ["cam01", "cam02", "cam03", "cam04"]
    # The point nearest to all optical axes is in the middle of every image.
    axes = np.array([camera.R[2] for camera in cameras.values()])
    away = np.eye(3) - axes[:, :, None] * axes[:, None]
    middle = np.linalg.solve(
        away.sum(axis=0), sum(part @ camera.centre for part, camera in zip(away, cameras.values(), strict=True))
    )
    for camera in cameras.values():
        pixel, depth = camera.project(middle)
        assert depth > 1
        assert np.abs(pixel - [544, 960]).max() < 540


@pytest.mark.realdata
def test_cameras_of_shelf_see_the_joints_where_a_detector_found_them() -> None:
    cameras = list(read_cameras(DATA / "shelf" / "calibration.json").values())
    truth, found = np.load(DATA / "shelf" / "gt.npz"), np.load(DATA / "shelf" / "persons2d.npz")
    misses = []
    for instant in range(0, 190, 10):
        for joints in truth["joints"][truth["frame"] == instant]:
            for view, camera in enumerate(cameras):
                shoulder = camera.project(joints[8, :3])[0]  # body25 calls the right one 2
                people = found["keypoints"][(found["frame"] == instant) & (found["view"] == view)]
                people = people[people[:, 2, 2] > 0]
                if len(people):
                    misses.append(np.linalg.norm(people[:, 2, :2] - shoulder, axis=1).min())
    assert np.median(misses) < 20  # the truth lies above what was detected in every view
