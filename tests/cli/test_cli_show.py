"""`selfmva show`: pictures and videos of what `selfmva associate` wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pandas as pd
import pytest

from selfmva.core.types import Frame
from selfmva.io import VideoFile, VideoWriter, read_boxes, write_boxes, write_image
from selfmva.viz.tiles import GAP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZES = ("door:160x90", "hall:160x90")
RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Three instants; at the second one, two people are in both views, else one."""
    rows = []
    for frame in range(3):
        for view in range(2):
            for person in range(1 + (frame == 1)):
                corners = (20 + 60 * person, 20, 50 + 60 * person, 80)
                rows.append((frame, view, ("door", "hall")[view], person, (person + frame) % 2, *corners, 0.9))
    columns = ["frame", "view", "view_name", "box", "id", "x1", "y1", "x2", "y2", "score"]
    path = tmp_path / "people.csv"
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """Two videos of one colour each."""
    paths = [tmp_path / "door.mp4", tmp_path / "hall.mp4"]
    for path, colour in zip(paths, (RED, BLUE), strict=True):
        with VideoWriter(path, rate=5, size=(160, 90)) as writer:
            for _ in range(3):
                writer.write(np.full((90, 160, 3), colour, np.uint8))
    return paths


def test_video(invoke: Callable, result: Path, films: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "new" / "all.mp4"
    outcome = invoke("show", result, "--views", *films, "--out", path, "--width", 2 * 160 + 3 * GAP)
    assert (outcome.code, outcome.out) == (0, f"saved to {path}\n"), outcome.err
    with VideoFile(path) as video:
        assert (len(video), round(video.rate, 6), video.width) == (3, 5, 2 * 160 + 3 * GAP)
        image = video.read(0).astype(int)
    assert np.abs(image[GAP + 10, GAP + 130] - RED).max() < 40
    assert np.abs(image[GAP + 10, 2 * GAP + 160 + 130] - BLUE).max() < 40


def test_picture_of_the_instant_with_most_shared_people(invoke: Callable, result: Path, tmp_path: Path) -> None:
    arguments = ("show", result, "--views", *SIZES, "--width", 344, "--out")
    assert invoke(*arguments, tmp_path / "best.png", "--json").json() == {
        "files": [str(tmp_path / "best.png")],
        "instants": 1,
    }
    pictures = {}
    for name, more in (("best", ()), ("one", ("--instant", 1)), ("two", ("--instant", 2))):
        assert invoke(*arguments, tmp_path / f"{name}.png", *more).code == 0
        pictures[name] = cv2.imread(str(tmp_path / f"{name}.png"))
    np.testing.assert_array_equal(pictures["best"], pictures["one"])
    assert (pictures["one"] != pictures["two"]).any()
    assert pictures["best"].shape[1] == 344


def test_one_video_per_view(invoke: Callable, result: Path, films: list[Path], tmp_path: Path) -> None:
    content = invoke("show", result, "--views", *films, "--out", tmp_path / "videos", "--json").json()
    assert content == {"files": [str(tmp_path / "videos" / f"{name}.mp4") for name in ("door", "hall")], "instants": 3}
    assert [len(VideoFile(file)) for file in content["files"]] == [3, 3]


def test_folder_of_images_and_a_size(invoke: Callable, result: Path, tmp_path: Path) -> None:
    """A camera without images beside one with images says that it has none."""
    for index in range(3):
        (tmp_path / "door").mkdir(exist_ok=True)
        write_image(tmp_path / "door" / f"{index}.png", np.full((90, 160, 3), RED, np.uint8))
    arguments = ("show", result, "--views", tmp_path / "door", SIZES[1], "--width", 344, "--out")
    assert invoke(*arguments, tmp_path / "one.png", "--rate", 4).code == 0
    picture = cv2.imread(str(tmp_path / "one.png"))[:, :, ::-1]
    np.testing.assert_array_equal(picture[GAP + 10, GAP + 150], RED)
    assert picture[GAP + 10 : GAP + 60, 2 * GAP + 160 + 75 :].max() > 200
    outcome = invoke(*arguments, tmp_path / "two.png")
    assert outcome.code == 2
    assert "give --rate" in outcome.err


def test_every_tenth_instant_is_not_shown_ten_times_as_fast(invoke: Callable, tmp_path: Path) -> None:
    frames = [Frame([[[20, 20, 60, 80]], []], index=10 * k, track_ids=[[4], []]) for k in range(3)]
    write_boxes(tmp_path / "people.json", frames)
    out = tmp_path / "all.mp4"
    outcome = invoke("show", tmp_path / "people.json", "--views", *SIZES, "--rate", 30, "--out", out)
    assert outcome.code == 0, outcome.err
    assert round(VideoFile(out).rate, 6) == 3


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_what_associate_wrote(
    invoke: Callable, model: Path, scene: Any, scene_arguments: tuple[str, ...], tmp_path: Path, ending: str
) -> None:
    people = tmp_path / f"people.{ending}"
    assert invoke("associate", model, *scene_arguments, "--out", people).code == 0
    sizes = [f"{view.name}:{view.width}x{view.height}" for view in scene.views]
    outcome = invoke("show", people, "--views", *sizes, "--out", tmp_path / "one.png", "--width", 500)
    assert outcome.code == 0, outcome.err
    picture = cv2.imread(str(tmp_path / "one.png"))
    assert picture.shape[1] == 500
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    assert len(read_boxes(people, scene.views)) > 10


def test_blur(invoke: Callable, result: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    for name in ("door", "hall"):
        (tmp_path / name).mkdir()
        for index in range(3):
            write_image(tmp_path / name / f"{index}.png", noise)
    spread = []
    for part in (None, "faces", "people"):
        blur = () if part is None else ("--blur", part)
        views = (tmp_path / "door", tmp_path / "hall", "--rate", 5)
        assert invoke("show", result, "--views", *views, "--out", tmp_path / "a.png", "--width", 344, *blur).code == 0
        spread.append(cv2.imread(str(tmp_path / "a.png"))[GAP + 25 : GAP + 75, GAP + 25 : GAP + 45].std())
    assert spread[0] > spread[1] > 1.5 * spread[2]


def test_errors(invoke: Callable, result: Path, films: list[Path], tmp_path: Path) -> None:
    write_boxes(tmp_path / "boxes.csv", [Frame([[[1, 2, 5, 9]], []])])
    write_boxes(tmp_path / "late.json", [Frame([[[1, 2, 5, 9]], []], index=7, track_ids=[[1], []])])
    (tmp_path / "none.json").write_text("{}")
    before = sorted(tmp_path.iterdir())
    for source, options, code, said in [
        (result, ("--views", *SIZES, "--out", tmp_path / "a.gif"), 2, "--out must end in .mp4"),
        (result, ("--views", *SIZES, "--out", tmp_path / "a.mp4", "--instant", 1), 2, "--instant goes with a picture"),
        (result, ("--views", *SIZES, "--out", tmp_path / "a", "--width", 90), 2, "--width goes with"),
        (
            result,
            ("--views", *SIZES, "--out", tmp_path / "a.png", "--width", 10**9),
            2,
            "at most 16384 pixels, got 1000",
        ),
        (result, ("--views", *SIZES, "--out", tmp_path / "a.png", "--width", 10**400), 2, "at most 16384 pixels"),
        (result, ("--views", *SIZES, "--out", tmp_path / "a.png", "--rate", "fast"), 2, "above 0, got 'fast'"),
        (result, ("--views", *SIZES, "--out", tmp_path / "a.png", "--blur", "feet"), 2, "invalid choice: 'feet'"),
        (result, ("--views", *SIZES, "--out", tmp_path / "a.png", "--instant", 9), 1, "nothing of instant 9; its inst"),
        (result, ("--views", SIZES[0], "--out", tmp_path / "a.png"), 1, "view"),
        (result, ("--views", "30x30", "30x30", "--out", tmp_path / "a.png"), 1, "lies outside the image"),
        (result, ("--views", *SIZES, "--out", tmp_path / "a.png", "--width", 20), 1, "no room"),
        (tmp_path / "boxes.csv", ("--views", *SIZES, "--out", tmp_path / "a.png"), 1, "has no ids"),
        (tmp_path / "none.json", ("--views", *SIZES, "--out", tmp_path / "a.png"), 1, "no instant"),
        (tmp_path / "nofile.csv", ("--views", *SIZES, "--out", tmp_path / "a.png"), 1, "nofile.csv"),
        (tmp_path / "late.json", ("--views", *films, "--out", tmp_path / "a.mp4"), 1, "are instants 0 to 2 at 5 a"),
    ]:
        outcome = invoke("show", source, *options)
        assert (outcome.code, outcome.out) == (code, ""), said
        assert said in outcome.err
        assert outcome.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
