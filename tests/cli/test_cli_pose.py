"""`selfmva pose`, and `selfmva fit` on keypoints: folders in, poses in files of the field out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from body_scenes import frames_of_people, people, seen_by_true_cameras

from selfmva import Associator
from selfmva.io import VideoFile, read_image, write_openpose
from selfmva.pose import PoseTracks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with a model of three views, and one with keypoints of its cameras."""
    folder = tmp_path_factory.mktemp("pose")
    seen_by_true_cameras().save_pretrained(folder / "my-rig")
    write_openpose(folder / "keypoints", frames_of_people()[60:100], people().views)
    return folder / "my-rig", folder / "keypoints"


def test_a_table_says_where_joints_are(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path) -> None:
    model, keypoints = recording
    outcome = invoke("pose", model, keypoints, "--raw", "--out", tmp_path / "poses.csv", "--quiet")
    assert outcome.code == 0, outcome.err
    assert "PoseTracks(40 instants" in outcome.out
    table = pd.read_csv(tmp_path / "poses.csv")
    associator = seen_by_true_cameras()
    expected = PoseTracks.of(associator.poses_many(associator.track(frames_of_people()[60:100]))).to_dataframe()
    assert table[["frame", "id", "joint"]].equals(expected[["frame", "id", "joint"]])
    assert np.allclose(table[["x", "y", "z"]], expected[["x", "y", "z"]], atol=1e-3)  # files have two digits of a pixel


def test_a_folder_gets_everything(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path) -> None:
    model, keypoints = recording
    out = tmp_path / "today"
    outcome = invoke("pose", model, keypoints, "--rate", 10, "--fill", 5, "--c3d", "--out", out, "--json")
    content = outcome.json()
    assert (content["instants"], content["unit"]) == (40, "metres")
    tracks = PoseTracks.load(out / "poses.npz")
    assert content["poses"] == sum(map(len, tracks))
    assert set(content["out"]) == {str(path) for path in out.iterdir()}
    assert pd.read_csv(out / "limbs.csv")["id"].isin(tracks.people).all()
    assert len(pd.read_csv(out / "poses.csv")) == len(tracks.to_dataframe())
    for ending in ("trc", "c3d"):
        assert len(list((out / ending).glob(f"*.{ending}"))) == len(tracks.people)
    assert len(VideoFile(out / "poses.mp4")) == 40
    assert read_image(out / "views.png").shape[1] == 1600


def test_fit_takes_keypoints(invoke: Callable, tmp_path: Path) -> None:
    write_openpose(tmp_path / "keypoints", frames_of_people()[60:140:2], people().views)
    views = [f"{view.name}:{view.width}x{view.height}" for view in people().views]
    outcome = invoke(
        *("fit", "--views", *views, "--keypoints", tmp_path / "keypoints", "--recipe", "geometry"),
        *("--out", tmp_path / "rig", "--quiet"),
    )
    assert outcome.code == 0, outcome.err
    fitted = Associator.from_pretrained(tmp_path / "rig")
    assert all(camera is not None for camera in fitted.cameras_)
    arguments = ("pose", tmp_path / "rig", tmp_path / "keypoints", "--out", tmp_path / "poses.npz", "--quiet")
    assert invoke(*arguments, "--body-height", 1.7).code == 0
    metres = PoseTracks.load(tmp_path / "poses.npz")
    assert metres.unit == "metres"
    lengths = metres.limb_lengths()
    thighs = lengths[(lengths["start"] == "left_hip") & (lengths["end"] == "left_knee")]["length"]
    assert 0.3 < thighs.median() < 0.55


def test_a_data_set_with_keypoints(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path) -> None:
    options = {"views": 3, "people": 3, "instants": 150, "seed": 2, "interval_seconds": 0.1, "floor_width": 6}
    named = [part for key, value in options.items() for part in ("--option", f"{key}={value}")]
    arguments = ("pose", recording[0], "--dataset", "simulated", *named, "--out", tmp_path / "poses.npz", "--quiet")
    outcome = invoke(*arguments, "--option", "floor_depth=5", "--option", "skeleton=coco17")
    assert outcome.code == 0, outcome.err
    assert len(PoseTracks.load(tmp_path / "poses.npz")) == len(people().splits["test"])
    outcome = invoke(*arguments)
    assert outcome.code == 1
    assert "keypoints" in outcome.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--raw", "--fill", 3), "--raw"),
        (("--c3d",), "--rate"),
        (("--split", "test"), "--dataset"),
        (("--body-height", -1), "--body-height"),
        (("--fill", -1), "--fill"),
        (("--dataset", "simulated"), "either"),
        (("--out", "poses.txt"), "ends in"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    invoke: Callable, recording: tuple[Path, Path], tmp_path: Path, more: tuple, said: str
) -> None:
    outcome = invoke("pose", *recording, "--out", tmp_path / "poses.csv", *more)
    assert outcome.code == 2
    assert said in outcome.err


def test_no_keypoints_at_all(invoke: Callable, recording: tuple[Path, Path], tmp_path: Path) -> None:
    assert invoke("pose", recording[0], tmp_path / "nowhere", "--out", tmp_path / "x.csv").code == 2
    (tmp_path / "empty").mkdir()
    outcome = invoke("pose", recording[0], tmp_path / "empty", "--out", tmp_path / "x.csv")
    assert outcome.code == 1
    assert "keypoints" in outcome.err
