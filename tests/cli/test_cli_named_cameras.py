"""Cameras on the command line belong to the views of their names, in whatever order they are given."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pytest
from films import HEIGHT, WIDTH, film, write_head_finder

from selfmva.cli.main import main
from selfmva.core.types import Frame, View
from selfmva.io import VideoFile, VideoWriter, write_boxes, write_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VIEWS = [View("door", WIDTH, HEIGHT), View("hall", WIDTH, HEIGHT)]
INSTANTS = 12


class Rig(NamedTuple):
    """Two videos, what is in them, and a model of their cameras. The hall shows one person more than the door."""

    folder: Path
    detector: str
    boxes: Path
    model: Path


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    folder = tmp_path_factory.mktemp("named")
    scene = film(INSTANTS)
    scene.images[0][:, :, : WIDTH // 3] = 60  # nobody walks in the first lane of the door
    for view, images in zip(VIEWS, scene.images, strict=True):
        with VideoWriter(folder / f"{view.name}.mp4", 10, (WIDTH, HEIGHT)) as writer:
            for image in images:
                writer.write(image)
    frames = [Frame([f.boxes[0][f.boxes[0][:, 0] >= WIDTH // 3 - 8], f.boxes[1]], f.index) for f in scene.frames]
    write_boxes(folder / "boxes.csv", frames, VIEWS)
    detector = f"onnx:{write_head_finder(folder / 'heads.onnx')}"
    quick = ("--recipe=batch", "--set", "recipe.steps=2", "--set", "recipe.instants=8", "--set", "geometry.floor=false")
    names = [str(folder / f"{view.name}.mp4") for view in VIEWS]
    arguments = ("--views", *names, "--boxes", str(folder / "boxes.csv"), "--quiet", "--out", str(folder / "model"))
    assert main(["fit", *arguments, *quick]) == 0
    return Rig(folder, detector, folder / "boxes.csv", folder / "model")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFMVA_CACHE", str(tmp_path / "cache"))


def counts(path: Path) -> dict[str, int]:
    """Boxes of each view by its name."""
    return pd.read_csv(path)["view_name"].value_counts().to_dict()


def test_videos_in_another_order(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    found = {}
    for order in (("door", "hall"), ("hall", "door")):
        out = tmp_path / f"{order[0]}.csv"
        videos = [rig.folder / f"{name}.mp4" for name in order]
        outcome = invoke("associate", rig.model, *videos, "--detector", rig.detector, "-o", out, "--quiet")
        assert (outcome.code, outcome.err) == (0, ""), outcome.err
        found[order] = out.read_bytes()
    assert counts(tmp_path / "door.csv")["hall"] > counts(tmp_path / "door.csv")["door"] > 0
    assert found["door", "hall"] == found["hall", "door"]


def test_videos_and_boxes(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    videos = [rig.folder / "hall.mp4", rig.folder / "door.mp4"]
    outcome = invoke("associate", rig.model, *videos, "--boxes", rig.boxes, "-o", tmp_path / "a.csv", "--quiet")
    assert (outcome.code, outcome.err) == (0, ""), outcome.err
    assert counts(tmp_path / "a.csv") == counts(rig.boxes)


def test_folders_of_images_and_folders_of_videos(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    for view in VIEWS:
        (tmp_path / view.name).mkdir()
        shutil.copy(rig.folder / f"{view.name}.mp4", tmp_path / view.name / "monday.mp4")
        (tmp_path / "images" / view.name).mkdir(parents=True)
        for number, image in enumerate(film(3).images[VIEWS.index(view)]):
            write_image(tmp_path / "images" / view.name / f"{number}.png", image)
    options = ("--detector", rig.detector, "--quiet", "-o", tmp_path / "a.csv")
    outcome = invoke("associate", rig.model, *(tmp_path / name / "monday.mp4" for name in ("hall", "door")), *options)
    assert (outcome.code, outcome.err) == (0, ""), outcome.err
    assert counts(tmp_path / "a.csv")["hall"] > counts(tmp_path / "a.csv")["door"]
    folders = [f"{tmp_path}/images/{name}/" for name in ("hall", "door")]
    outcome = invoke("associate", rig.model, *folders, *options)
    assert (outcome.code, outcome.err) == (0, ""), outcome.err


def renamed(rig: Rig, folder: Path, *names: str) -> list[Path]:
    """Copies of the videos of door and hall by other names."""
    for view, name in zip(VIEWS, names, strict=True):
        shutil.copy(rig.folder / f"{view.name}.mp4", folder / name)
    return [folder / name for name in names]


@pytest.mark.parametrize("command", ["associate", "report"])
def test_some_are_called_like_views(invoke: Callable, rig: Rig, tmp_path: Path, command: str) -> None:
    videos = renamed(rig, tmp_path, "door.mp4", "attic.mp4")
    arguments = {
        "associate": ("associate", rig.model, *videos, "--boxes", rig.boxes, "-o", tmp_path / "a.csv"),
        "report": ("report", rig.model, "--boxes", rig.boxes, "--views", *videos, "--out", tmp_path / "a.html"),
    }[command]
    outcome = invoke(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert "the cameras are called door, attic, the views door, hall: give each view its own" in outcome.err
    assert outcome.err.count("\n") == 1
    assert not list(tmp_path.glob("a.*"))


def test_none_is_called_like_a_view(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    videos = renamed(rig, tmp_path, "cam04.mp4", "cam03.mp4")
    outcome = invoke("associate", rig.model, *videos, "--boxes", rig.boxes, "-o", tmp_path / "a.csv", "--quiet")
    assert outcome.code == 0, outcome.err
    assert outcome.err.endswith("are taken in the order given: cam04 for door, cam03 for hall\n")
    assert outcome.err.count("\n") == 1
    assert counts(tmp_path / "a.csv") == counts(rig.boxes)


def test_more_or_fewer_cameras_than_views(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    out = ("--boxes", rig.boxes, "-o", tmp_path / "a.csv")
    outcome = invoke("associate", rig.model, rig.folder / "door.mp4", *out)
    assert outcome.code == 1
    assert "1 cameras for the 2 views of" in outcome.err
    assert "called door, the views door, hall" in outcome.err


class TestShow:
    @pytest.fixture
    def people(self, tmp_path: Path) -> Path:
        """What `associate` writes: one person, on the left in the door's images and on the right in the hall's."""
        boxes = [10, 10, 40, 100], [110, 10, 150, 100]
        rows = [(0, v, VIEWS[v].name, 0, 0, *boxes[v]) for v in range(2)]
        columns = ["frame", "view", "view_name", "box", "id", "x1", "y1", "x2", "y2"]
        path = tmp_path / "people.csv"
        pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
        return path

    def drawn(self, invoke: Callable, people: Path, *views: object) -> tuple[list[str], str]:
        """What each camera shows, in their order, and what was said."""
        out = people.parent / "videos"
        outcome = invoke("show", people, "--views", *views, "--out", out, "--rate", 5, "--json")
        assert outcome.code == 0, outcome.err
        shown = []
        for file in outcome.json()["files"]:
            picture = VideoFile(file).read(0).astype(int)
            saturation = picture.max(axis=2) - picture.min(axis=2)
            columns = np.flatnonzero((saturation[60:90] > 60).any(axis=0))
            shown.append("nobody" if not len(columns) else "door" if columns.mean() < WIDTH / 2 else "hall")
        return shown, outcome.err

    def test_by_name(self, invoke: Callable, people: Path) -> None:
        size = f"{WIDTH}x{HEIGHT}"
        assert self.drawn(invoke, people, f"door:{size}", f"hall:{size}") == (["door", "hall"], "")
        assert self.drawn(invoke, people, f"hall:{size}", f"door:{size}") == (["hall", "door"], "")
        assert self.drawn(invoke, people, f"hall:{size}", f"yard:{size}", f"door:{size}") == (
            ["hall", "nobody", "door"],
            "",
        )

    def test_no_name(self, invoke: Callable, people: Path) -> None:
        size = f"{WIDTH}x{HEIGHT}"
        assert self.drawn(invoke, people, size, size) == (["door", "hall"], "")
        shown, said = self.drawn(invoke, people, f"a:{size}", f"b:{size}")
        assert shown == ["door", "hall"]
        assert said.endswith("they are taken in the order given: a for door, b for hall\n")

    def test_some_names(self, invoke: Callable, people: Path, tmp_path: Path) -> None:
        size = f"{WIDTH}x{HEIGHT}"
        views = ("--views", f"door:{size}", f"attic:{size}")
        outcome = invoke("show", people, *views, "--out", tmp_path / "a.png")
        assert (outcome.code, outcome.out) == (1, "")
        assert "there is no view 'hall'; the views are door, attic, but here they are door, hall" in outcome.err


def test_boxes_of_other_cameras(invoke: Callable, rig: Rig, tmp_path: Path) -> None:
    table = pd.read_csv(rig.boxes)
    table.assign(view_name=table["view_name"].replace("hall", "attic")).to_csv(tmp_path / "b.csv", index=False)
    outcome = invoke("associate", rig.model, "--boxes", tmp_path / "b.csv", "-o", tmp_path / "a.csv")
    assert outcome.code == 1
    assert "there is no view 'attic'; the views are door, hall, but here they are door, attic" in outcome.err
    swapped = table.assign(view=1 - table["view"])  # of a rig with the same cameras in another order
    swapped.to_csv(tmp_path / "b.csv", index=False)
    assert invoke("associate", rig.model, "--boxes", tmp_path / "b.csv", "-o", tmp_path / "a.csv").code == 0
    assert counts(tmp_path / "a.csv") == counts(rig.boxes)
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "a.csv")["view"].unique(), [0, 1])
