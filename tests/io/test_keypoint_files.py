"""Keypoints in files of several programs: what is read, there and back, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from body_scenes import frames_of_people, people

from selfmva.core.types import Frame, View
from selfmva.errors import DataError, InputError
from selfmva.io.keypoints import read_keypoints, write_openpose

MMPOSE = {"frame_id": 12, "instances": [{"keypoints": [[10, 20], [30, 40], [0, 0]], "keypoint_scores": [0.5, 0.9, 0]}]}
BODY = [[10.0, 20.0, 0.5], [30.0, 40.0, 0.9], [0.0, 0.0, 0.0]]
FLAT = [value for joint in BODY for value in joint]
SEEN = np.array([[10, 20, 0.5], [30, 40, 0.9], [np.nan, np.nan, 0]])


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def only_body(frame: Frame, view: int = 0) -> np.ndarray:
    assert frame.keypoints is not None
    (body,) = frame.keypoints[view]
    return body


def test_openpose_there_and_back(tmp_path: Path) -> None:
    frames = frames_of_people()[10:30]
    write_openpose(tmp_path, frames, people().views)
    found = read_keypoints(tmp_path, people().views)
    assert [frame.index for frame in found] == [frame.index for frame in frames]
    for own, read in zip(frames, found, strict=True):
        assert read.view_names == tuple(view.name for view in people().views)
        for one, other in zip(own.keypoints or (), read.keypoints or (), strict=True):
            assert np.allclose(one, other, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize(
    "content",
    [
        {"images": [{"id": 3, "file_name": "img/000012.jpg"}], "annotations": [{"image_id": 3, "keypoints": FLAT}]},
        [{"image_id": "000012.jpg", "keypoints": FLAT, "score": 2.1, "category_id": 1}],
        [{"image_id": 12, "keypoints": FLAT, "score": 0.9}],
        {"instance_info": [MMPOSE]},
        [MMPOSE],
    ],
    ids=["coco", "alphapose", "coco-results", "mmpose", "mmpose-list"],
)  # fmt: skip
def test_one_file_a_view(content: Any, tmp_path: Path) -> None:
    write(tmp_path / "door.json", content)
    write(tmp_path / "hall.json", content)
    (frame,) = read_keypoints(tmp_path)
    assert (frame.index, frame.counts, frame.view_names) == (12, (1, 1), ("door", "hall"))
    assert np.array_equal(only_body(frame), SEEN, equal_nan=True)


def test_a_folder_of_pose2sim(tmp_path: Path) -> None:
    for name in ("cam01", "cam02"):
        for t in (0, 1):
            people_here = [{"person_id": [4 if name == "cam01" else -1], "pose_keypoints_2d": FLAT}] if t else []
            write(tmp_path / f"{name}_json" / f"{name}_{t:06d}.json", {"version": 1.3, "people": people_here})
    found = read_keypoints(tmp_path, [View("cam02", 100, 100), View("cam01", 100, 100)])
    assert [frame.counts for frame in found] == [(0, 0), (1, 1)]
    assert found[1].track_ids is not None
    assert [ids.tolist() for ids in found[1].track_ids] == [[-1], [4]]


def test_flags_of_visibility_are_scores(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [{"image_id": 1, "keypoints": [10, 20, 2, 30, 40, 1, 0, 0, 0]}])
    assert only_body(read_keypoints(tmp_path)[0])[:, 2].tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"image_id": 1, "keypoints": [1, 2]}], "x, y, score"),
        ([{"image_id": 1, "keypoints": FLAT}, {"image_id": 1, "keypoints": FLAT[:6]}], r"\[2, 3\] joints"),
        ([{"image_id": "door", "keypoints": FLAT}], "no number"),
        ({"people": []}, "holds no keypoints"),
        ([{"keypoints": FLAT}], "expected image_id"),
        ({"instance_info": [{"frame_id": 1}]}, "instances"),
    ],
)
def test_damaged_files(content: Any, said: str, tmp_path: Path) -> None:
    write(tmp_path / "a.json", content)
    with pytest.raises(DataError, match=said):
        read_keypoints(tmp_path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        read_keypoints(tmp_path / "nothing")
    with pytest.raises(DataError, match="neither"):
        read_keypoints(tmp_path)
    write(tmp_path / "a" / "x_1.json", {"people": [{}]})
    with pytest.raises(DataError, match="pose_keypoints_2d"):
        read_keypoints(tmp_path)
    write(tmp_path / "a" / "x_1.json", {"people": []})
    with pytest.raises(InputError, match="no keypoints of view 'b'"):
        read_keypoints(tmp_path, [View("b", 10, 10)])
    write(tmp_path / "a" / "y_1.json", {"people": []})
    with pytest.raises(DataError, match="two files"):
        read_keypoints(tmp_path)
    with pytest.raises(InputError, match="expected keypoints of 1 views"):
        write_openpose(tmp_path, [Frame([[]])], [View("b", 10, 10)])
