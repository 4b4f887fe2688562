"""Rows of files whose boxes are none: left out and counted, with one warning a file; an error where asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from selfmva import View
from selfmva.datasets.folder import Folder
from selfmva.errors import BadBoxWarning, DataError
from selfmva.io import frames_from_table, read_boxes, write_boxes
from selfmva.io.boxes.argument import resolve_boxes

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = [View("door", 640, 480), View("hall", 640, 480)]
GOOD = [[10.0 * k, 20.0, 10.0 * k + 30, 90.0] for k in range(12)]
KINDS = {"no width": [9.0, 20, 9, 60], "turned": [50.0, 20, 30, 60], "NaN": [np.nan, 20, 30, 60]}


def table(bad: list[float]) -> pd.DataFrame:
    """Twelve good boxes in two views at six instants, and after the third, a bad one."""
    boxes = [*GOOD[:3], bad, *GOOD[3:]]
    cells = [(k // 2, k % 2) for k in range(12)]
    cells.insert(3, (1, 0))
    frame = pd.DataFrame(boxes, columns=["x1", "y1", "x2", "y2"])
    frame["frame"], frame["view"] = zip(*cells, strict=True)
    return frame.assign(score=np.linspace(0.1, 1, 13), track_id=np.arange(13))


def test_a_row_of_nobody_needs_no_score() -> None:
    rows = table([np.nan] * 4)
    rows.loc[3, "score"] = np.nan
    with pytest.warns(BadBoxWarning, match="1 of 13 boxes are none"):
        frames = frames_from_table(rows, VIEWS)
    assert sum(len(column) for frame in frames for column in frame.scores or ()) == 12


def write(path: Path, ending: str, bad: list[float]) -> Path:
    rows = table(bad)
    corner = rows[["x1", "y1"]].to_numpy()
    size = rows[["x2", "y2"]].to_numpy() - corner
    lines = np.column_stack([rows["frame"], rows["track_id"], corner, size, rows["score"]])
    if ending == ".csv":
        rows.to_csv(path / "b.csv", index=False)
    elif ending == ".json":
        entries = np.column_stack([corner, size, rows["track_id"], rows["view"]]).tolist()
        content = {t: [e for e, s in zip(entries, rows["frame"], strict=True) if s == t] for t in range(6)}
        (path / "b.json").write_text(json.dumps(content))
    elif ending == ".coco.json":
        images = [{"id": 2 * t + v, "frame": t, "view": v} for t in range(6) for v in range(2)]
        annotations = [
            {"image_id": int(2 * t + v), "bbox": [*map(float, c), *map(float, s)], "track_id": int(k)}
            for t, v, c, s, k in zip(rows["frame"], rows["view"], corner, size, rows["track_id"], strict=True)
        ]
        (path / "b.coco.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    else:
        (path / "b").mkdir()
        for v in range(2):
            text = "\n".join(",".join(map(str, line)) for line in lines[rows["view"] == v])
            (path / "b" / f"{v}.txt").write_text(text.replace(".0,", ","))
    return path / f"b{ending}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", [".csv", ".json", ".coco.json", ""])
def test_a_bad_row_is_left_out(ending: str, kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, ending, KINDS[kind])
    with pytest.warns(
        BadBoxWarning, match="1 of 13 boxes are none and left out, the first: .*on_bad_box='raise'"
    ) as got:
        frames = read_boxes(path, VIEWS)
    assert len(got) == 1
    assert [frame.dropped for frame in frames] == [0, 1, 0, 0, 0, 0]
    assert np.concatenate([b for frame in frames for b in frame.boxes]).tolist() == GOOD
    ids = [k for frame in frames for part in frame.track_ids or () for k in part.tolist()]
    assert ids == [0, 1, 2, *range(4, 13)]
    with pytest.raises(DataError, match=r"b.*(size|not finite)"):
        read_boxes(path, VIEWS, on_bad_box="raise")


def test_a_file_given_to_fit_counts_all_kinds(tmp_path: Path) -> None:
    path = write(tmp_path, ".csv", KINDS["NaN"])
    rows = pd.read_csv(path)
    rows.loc[5, ["x1", "x2"]] = [700.0, 720.0]  # outside of the image, which the file does not know
    with pytest.warns(BadBoxWarning) as got:
        frames = resolve_boxes(rows, VIEWS)
    assert sum(frame.dropped for frame in frames) == 2
    assert sum(sum(frame.counts) for frame in frames) == 11
    assert len(got) == 2
    with pytest.raises(ValueError, match="row 3: box .* is not finite"):
        resolve_boxes(rows, VIEWS, on_bad_box="raise")


def test_a_folder_takes_the_same_keyword(tmp_path: Path) -> None:
    write(tmp_path, ".json", KINDS["turned"])
    with pytest.warns(BadBoxWarning):
        found = Folder(tmp_path, sizes=[(640, 480)] * 2)
    assert [len(ids) for ids in found.identities(1)] == list(found.frame(1).counts) == [1, 1]
    with pytest.raises(DataError, match="instant 1, entry 1: the box has size"):
        Folder(tmp_path, sizes=[(640, 480)] * 2, on_bad_box="raise")


def test_most_rows_bad_is_an_error_that_says_what_they_look_like() -> None:
    rows = pd.concat([table(KINDS["turned"])] * 3, ignore_index=True)
    rows["x2"], rows["y2"] = rows["x2"] - rows["x1"], rows["y2"] - rows["y1"]
    rows["x1"] += 200
    with pytest.raises(DataError, match=r"39 of 39 boxes are none, .*look like \(x, y, width, height\)"):
        frames_from_table(rows)
    rows["x2"], rows["y2"] = rows["x1"], rows["y1"]
    with pytest.raises(DataError, match="39 of 39 boxes are none, check where they come from"):
        frames_from_table(rows)


def test_placeholders_for_nobody_are_left_out_however_many() -> None:
    rows = table(KINDS["NaN"])
    rows.loc[2:, ["x1", "y1", "x2", "y2"]] = -1.0
    many = pd.concat([rows] * 5, ignore_index=True)
    with pytest.warns(BadBoxWarning, match="55 of 65"):
        assert sum(sum(frame.counts) for frame in frames_from_table(many)) == 10


def test_writers_leave_out_what_is_marked(tmp_path: Path) -> None:
    from selfmva import Frame

    frame = Frame([[GOOD[0], KINDS["NaN"]], [GOOD[1]]], index=4, scores=[[0.5, 0.6], [0.7]], on_bad_box="drop")
    write_boxes(tmp_path / "b.csv", [frame])
    (read,) = read_boxes(tmp_path / "b.csv")
    assert read.counts == (1, 1)
    assert read.scores is not None
    assert [part.tolist() for part in read.scores] == [[0.5], [0.7]]
