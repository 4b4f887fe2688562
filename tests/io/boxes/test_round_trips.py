"""What is written is what is read, in every format; what a format cannot hold is lost as documented."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from box_strategies import assert_same_frames, recordings
from hypothesis import given, settings

from selfmva.core.types import Frame, View
from selfmva.io import read_boxes, write_boxes
from selfmva.io.boxes.table import frames_from_table, table_from_frames


def as_read(frames: list[Frame], *, empty_instants: bool, scores: str) -> list[Frame]:
    """The frames that a reader must give back for frames that were written."""
    tracked = any((ids != -1).any() for frame in frames for ids in frame.track_ids or ())
    anybody = any(sum(frame.counts) for frame in frames)
    expected = []
    for frame in frames:
        if not empty_instants and not sum(frame.counts):
            continue
        kept = frame.scores if scores != "lost" and anybody else None
        if scores == "ones" and frame.scores is None:
            kept = tuple(np.ones(count) for count in frame.counts)
        expected.append(Frame(frame.boxes, frame.index, kept, frame.track_ids if tracked else None))
    return expected


@pytest.mark.parametrize(
    ("name", "empty_instants", "scores"),
    [
        ("boxes.json", True, "lost"),
        ("boxes.coco.json", True, "kept"),
        ("boxes.csv", False, "kept"),
        ("boxes.parquet", False, "kept"),
        ("mot", False, "ones"),
    ],
)
@given(frames=recordings())
@settings(max_examples=30, deadline=None)
def test_round_trip(name: str, empty_instants: bool, scores: str, frames: list[Frame]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_boxes(path, frames[::-1], len(frames[0]))  # writers sort
        back = read_boxes(path, views=len(frames[0]))
        assert_same_frames(back, as_read(frames, empty_instants=empty_instants, scores=scores))
        write_boxes(path, back, len(frames[0]))
        assert_same_frames(read_boxes(path, views=len(frames[0])), back)


@given(frames=recordings())
@settings(deadline=None)
def test_data_frame_round_trip(frames: list[Frame]) -> None:
    table = table_from_frames(frames)
    assert len(table) == sum(sum(frame.counts) for frame in frames)
    back = frames_from_table(table, views=len(frames[0]))
    assert_same_frames(back, as_read(frames, empty_instants=False, scores="kept"))


def test_the_order_of_boxes_in_a_view_is_that_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    entries = [[*map(int, rng.integers(1, 50, size=4)), -1, int(rng.integers(2))] for _ in range(200)]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"7": entries}))
    (frame,) = read_boxes(path)
    for view in (0, 1):
        expected = [[x, y, x + w, y + h] for x, y, w, h, _, v in entries if v == view]
        assert frame.boxes[view].tolist() == expected


def test_named_views_give_the_files_of_mot(tmp_path: Path) -> None:
    views = [View("window", 640, 480), View("door", 640, 480)]  # not in the order of the alphabet
    frames = [Frame([[[1, 2, 3, 4]], [[5, 6, 7, 8], [5, 6, 9, 9]]], index=1, scores=[[0.5], [0.25, 1.0]])]
    write_boxes(tmp_path / "mot", frames, views)
    assert sorted(path.name for path in (tmp_path / "mot").iterdir()) == ["door.txt", "window.txt"]
    assert_same_frames(read_boxes(tmp_path / "mot", views), frames)
    assert (tmp_path / "mot" / "window.txt").read_text() == "1,-1,1.0,2.0,2.0,2.0,0.5,-1,-1,-1\n"


def test_coco_holds_the_sizes_of_views(tmp_path: Path) -> None:
    write_boxes(tmp_path / "b.coco.json", [Frame([[], []], index=4)], [View("a", 10, 20), View("b", 30, 40)])
    content = json.loads((tmp_path / "b.coco.json").read_text())
    assert content["images"][1] == {
        "id": 2,
        "file_name": "4_1.jpg",
        "instant": 4,
        "view": 1,
        "view_name": "b",
        "width": 30,
        "height": 40,
    }
