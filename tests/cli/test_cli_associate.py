"""`selfmva associate`: files hold what the library says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import pytest

from selfmva import Associator, Tracker
from selfmva.io import read_boxes, read_selfmva, write_boxes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def expected(model: Path, scene: Any) -> list[Any]:
    associator = Associator.from_pretrained(model)
    tracker = Tracker(associator)
    return [tracker.update(scene.frame(index)) for index in scene.splits["test"]]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_table(
    invoke: Callable, model: Path, scene_arguments: tuple[str, ...], expected: list[Any], tmp_path: Path, ending: str
) -> None:
    path = tmp_path / "new" / f"people.{ending}"
    outcome = invoke("associate", model, *scene_arguments, "--out", path)
    assert outcome.code == 0, outcome.err
    table = pd.read_csv(path) if ending == "csv" else pd.read_parquet(path)
    wanted = pd.concat([association.to_dataframe() for association in expected], ignore_index=True)
    pd.testing.assert_frame_equal(table, wanted, check_dtype=False)
    boxes = sum(sum(association.frame.counts) for association in expected)
    groups = [group for association in expected for group in association.groups()]
    shared = sum(len(group) > 1 for group in groups)
    assert outcome.out.splitlines() == [
        f"{boxes} boxes in {len(expected)} instants: {shared} of {len(groups)} people are seen in several views",
        f"saved to {path}",
    ]


def test_table_is_read_back_as_boxes(
    invoke: Callable, model: Path, scene: Any, scene_arguments: tuple[str, ...], tmp_path: Path
) -> None:
    invoke("associate", model, *scene_arguments, "--out", tmp_path / "people.csv")
    read = read_boxes(tmp_path / "people.csv", scene.views)
    for frame, index in zip(read, scene.splits["test"], strict=True):
        assert frame.index == index
        for ours, theirs in zip(frame.boxes, scene.frame(index).boxes, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_boxes_to_json(invoke: Callable, model: Path, scene: Any, expected: list[Any], tmp_path: Path) -> None:
    write_boxes(tmp_path / "boxes.json", [scene.frame(index) for index in scene.splits["test"]])
    path = tmp_path / "people.json"
    outcome = invoke("associate", model, "--boxes", tmp_path / "boxes.json", "--out", path, "--json")
    frames = read_selfmva(path, scene.views)
    for frame, association in zip(frames, expected, strict=True):
        assert [ids.tolist() for ids in frame.track_ids] == [ids.tolist() for ids in association.ids]
    content = outcome.json()
    assert (content["out"], content["instants"], content["pictures"]) == (str(path), len(expected), None)
    assert content["boxes"] == sum(sum(frame.counts) for frame in frames)


def test_pictures(invoke: Callable, model: Path, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    arguments = ["associate", model, *scene_arguments, "--out", tmp_path / "people.csv"]
    assert invoke(*arguments, "--picture", folder, "--every", 15).code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["000160.png", "000175.png", "000190.png"]
    picture = cv2.imread(str(folder / "000160.png"))
    assert picture.shape[1] == 1600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_instants_without_boxes(invoke: Callable, model: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text('{"3": [], "4": []}')
    outcome = invoke("associate", model, "--boxes", tmp_path / "boxes.json", "--out", tmp_path / "people.csv")
    assert outcome.code == 0, outcome.err
    assert pd.read_csv(tmp_path / "people.csv").columns.tolist()[:5] == ["frame", "view", "view_name", "box", "id"]
    assert outcome.out.startswith("0 boxes in 2 instants")


def test_no_instant(invoke: Callable, model: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text("{}")
    outcome = invoke("associate", model, "--boxes", tmp_path / "boxes.json", "--out", tmp_path / "people.csv")
    assert (outcome.code, outcome.out) == (1, "")
    assert "no instant" in outcome.err


def test_unknown_split(invoke: Callable, model: Path, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    outcome = invoke("associate", model, *scene_arguments, "--split", "exam", "--out", tmp_path / "people.csv")
    assert outcome.code == 1
    assert "split 'exam'; known are train (140), validation (20), test (40)" in outcome.err


def test_other_cameras(invoke: Callable, model: Path, tmp_path: Path) -> None:
    outcome = invoke(
        *("associate", model, "--dataset", "simulated", "--option", "views=2", "--option", "width=640"),
        *("--out", tmp_path / "people.csv"),
    )
    assert outcome.code == 1
    assert "[(1280, 720), (1280, 720)], the data set has sizes [(640, 720), (640, 720)]" in outcome.err


def test_damaged_model(invoke: Callable, model: Path, scene_arguments: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((model / name).read_bytes()[: -9 if name.endswith("tensors") else None])
    outcome = invoke("associate", tmp_path, *scene_arguments, "--out", tmp_path / "people.csv")
    assert (outcome.code, outcome.out) == (1, "")
    assert "model.safetensors is damaged" in outcome.err
