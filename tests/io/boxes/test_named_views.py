"""Whatever calls a view by its name belongs to that view, in every format; what may be another's is refused."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from selfmva.core.types import Frame, View
from selfmva.errors import DataError, InputError
from selfmva.io import frames_from_table, read_boxes, read_mot, table_from_frames, write_boxes
from selfmva.io.boxes.argument import as_frame, resolve_boxes
from selfmva.io.boxes.coco import parse_coco

if TYPE_CHECKING:
    from pathlib import Path


def views(*names: str) -> list[View]:
    return [View(name, 100, 100) for name in names]


def table(view: Any = (0, 1), **more: Any) -> pd.DataFrame:
    """A row for each entry, of a box as wide as its number."""
    count = len(view)
    corners = {
        "x1": [0.0] * count,
        "y1": [0.0] * count,
        "x2": [float(k + 1) for k in range(count)],
        "y2": [9.0] * count,
    }
    return pd.DataFrame({"frame": [0] * count, "view": list(view), **corners, **more})


def widths(frame: Frame) -> list[list[float]]:
    return [boxes[:, 2].tolist() for boxes in frame.boxes]


NUMBERED = views("1", "2", "3")


@pytest.mark.parametrize("labels", [(1, 3), (1.0, 3.0), ("1", "3"), ("1.0", "3.0"), (" 1", "3 ")])
def test_numbers_that_are_names(labels: Any, tmp_path: Path) -> None:
    expected = [[1.0], [], [2.0]]
    assert widths(frames_from_table(table(labels), NUMBERED)[0]) == expected
    for name in ("b.csv", "b.parquet"):
        path = tmp_path / name
        table(labels).to_csv(path, index=False) if name == "b.csv" else table(labels).to_parquet(path)
        assert widths(read_boxes(path, NUMBERED)[0]) == expected
    data = {
        "images": [{"id": k, "camera": label, "frame": 0} for k, label in enumerate(labels)],
        "annotations": [{"image_id": k, "bbox": [0, 0, k + 1, 9]} for k in range(2)],
    }
    assert widths(parse_coco(data, NUMBERED)[0]) == expected


def test_names_that_begin_with_zero(tmp_path: Path) -> None:
    """pandas makes numbers of them; nobody else does."""
    path = tmp_path / "b.csv"
    table(("01", "02")).to_csv(path, index=False)
    for names in (("02", "01"), ("2", "1")):
        assert widths(read_boxes(path, views(*names))[0]) == [[2.0], [1.0]]
    assert widths(frames_from_table(table((1, 2)), views("02", "01"))[0]) == [[2.0], [1.0]]


def test_a_view_called_na(tmp_path: Path) -> None:
    table(("NA", "None")).to_csv(tmp_path / "b.csv", index=False)
    assert widths(read_boxes(tmp_path / "b.csv", views("None", "NA"))[0]) == [[2.0], [1.0]]


def test_numbers_that_are_no_names_are_places() -> None:
    assert widths(frames_from_table(table((1, 0)), views("door", "hall"))[0]) == [[2.0], [1.0]]
    assert widths(frames_from_table(table((1, 0)), 2)[0]) == [[2.0], [1.0]]


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        ((0, 1), ("1", "2", "3"), "there is no view '0'; the views are 1, 2, 3, but here they are 0, 1"),
        (("door", "attic"), ("door", "hall"), "there is no view 'attic'; the views are door, hall, .* door, attic"),
        (("door", 1), ("door", "hall"), "there is no view '1'"),
        (("attic", "cellar"), ("door", "hall"), "there is no view 'attic'"),
    ],
)
def test_names_of_other_views(labels: Any, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(DataError, match=said):
        frames_from_table(table(labels), views(*names))
    with pytest.raises(DataError, match=said):
        frames_from_table(table(view_name=labels), views(*names))
    images = [{"id": k, "view": label, "frame": 0} for k, label in enumerate(labels)]
    with pytest.raises(DataError, match=said):
        parse_coco({"images": images, "annotations": []}, views(*names))


def test_the_name_counts_before_the_number() -> None:
    """What `associate` wrote of two cameras, read with these in another order."""
    swapped = table(view_name=("door", "hall"))
    assert widths(frames_from_table(swapped, views("hall", "door"))[0]) == [[2.0], [1.0]]
    assert widths(frames_from_table(swapped)[0]) == [[1.0], [2.0]]  # nobody knows names, so numbers count
    assert widths(frames_from_table(swapped.drop(columns="view"), views("hall", "door"))[0]) == [[2.0], [1.0]]


@pytest.mark.parametrize("name", ["b.csv", "b.parquet", "b.coco.json", "mot"])
@pytest.mark.parametrize("names", [("door", "hall", "yard"), ("1", "2", "3"), ("2", "1", "0")])
def test_written_with_names_and_read_in_another_order(tmp_path: Path, name: str, names: tuple[str, ...]) -> None:
    frame = Frame([[[0, 0, 1, 9]], [[0, 0, 2, 9]], [[0, 0, 3, 9]]], index=1)
    write_boxes(tmp_path / name, [frame], views(*names))
    assert widths(read_boxes(tmp_path / name, views(*names))[0]) == [[1.0], [2.0], [3.0]]
    assert widths(read_boxes(tmp_path / name, views(*names[::-1]))[0]) == [[3.0], [2.0], [1.0]]
    with pytest.raises(DataError, match=names[0]):
        read_boxes(tmp_path / name, views(*names[:2], "attic"))


def test_views_that_do_not_fit_frames() -> None:
    with pytest.raises(InputError, match="frames of 2 views cannot be written as 1 views"):
        table_from_frames([Frame([[], [[0, 0, 1, 9]]])], views("a"))
    with pytest.raises(InputError, match="two views are called 'a'"):
        frames_from_table(table(), views("a", "a"))


@pytest.mark.parametrize("view", [2.5, 0, -1, True, "door", {0: 1}, [], [(6, 4)], 10**9])
def test_what_are_no_views(tmp_path: Path, view: Any) -> None:
    table().to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InputError, match="views must be a positive number"):
        read_boxes(tmp_path / "b.csv", view)


class TestMot:
    @staticmethod
    def write(folder: Path, *names: str) -> Path:
        folder.mkdir(exist_ok=True)
        for width, name in enumerate(names, start=1):
            (folder / name).write_text(f"1,-1,0,0,{width},9,1,-1,-1,-1\n")
        return folder

    def test_capitals(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "mot", "Window.txt", "door.TXT", "notes.txt")
        assert widths(read_mot(folder, views("door", "window"))[0]) == [[2.0], [1.0]]

    def test_one_of_the_names_is_another(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "mot", "door.txt", "wnidow.txt")
        with pytest.raises(
            DataError, match=r"files are called door, wnidow, the views door, window: window\.txt is miss"
        ):
            read_mot(folder, views("door", "window"))
        with pytest.raises(DataError, match="door, wnidow"):
            read_mot(sorted(folder.iterdir()), views("door", "window"))

    def test_none_is_called_like_a_view(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        folder = self.write(tmp_path / "mot", "cam2.txt", "cam10.txt")
        with caplog.at_level(logging.WARNING):
            assert widths(read_mot(folder, views("door", "window"))[0]) == [[1.0], [2.0]]
        assert "in this order: cam2.txt for door, cam10.txt for window" in caplog.text

    def test_a_list_of_files(self, tmp_path: Path) -> None:
        folder = self.write(tmp_path / "mot", "window.txt", "door.txt")
        files = [folder / "window.txt", folder / "door.txt"]
        assert widths(read_mot(files, views("door", "window"))[0]) == [[2.0], [1.0]]
        assert widths(read_mot(files)[0]) == [[1.0], [2.0]]


class TestOwnNumbersOfCameras:
    @staticmethod
    def read(numbers: tuple[int, ...], count: Any) -> list[list[float]]:
        data = {
            "images": [{"id": k, "cam_id": number, "frame": 0} for k, number in enumerate(numbers)],
            "annotations": [{"image_id": k, "bbox": [0, 0, k + 1, 9]} for k in range(len(numbers))],
        }
        return widths(parse_coco(data, count)[0])

    def test_all_of_them(self) -> None:
        assert self.read((3, 1, 2), 3) == [[2.0], [3.0], [1.0]]
        assert self.read((7, 5), None) == [[2.0], [1.0]]

    def test_from_zero_on(self) -> None:
        assert self.read((0, 2), 3) == [[1.0], [], [2.0]]

    @pytest.mark.parametrize("numbers", [(1, 2), (2, 3), (0, 7)])
    def test_one_cannot_tell_which(self, numbers: tuple[int, ...]) -> None:
        with pytest.raises(DataError, match=r"cameras \d, \d could be any of the 3 views"):
            self.read(numbers, 3)


class TestDictionaries:
    def test_by_name(self) -> None:
        frame = as_frame({"hall": [[0, 0, 2, 9]], "door": [[0, 0, 1, 9]]}, views("door", "hall", "yard"), 4)
        assert (frame.index, widths(frame)) == (4, [[1.0], [2.0], []])
        boxes = [{"hall": [[0, 0, 2, 9]]}, {}]
        assert [found.counts for found in resolve_boxes(boxes, views("door", "hall"))] == [(0, 1), (0, 0)]

    @pytest.mark.parametrize("entry", [{"attic": []}, {"door": [], "attic": []}, {0: []}, {"door": [], "Door": []}])
    def test_unknown_names(self, entry: Any) -> None:
        with pytest.raises(InputError, match="instant 1: the boxes are called .*, the views door, hall"):
            resolve_boxes([{}, entry], views("door", "hall"))


def test_json_says_places(tmp_path: Path) -> None:
    """The detection format of Self-MVA has no names: its views count from 0, whatever the views are called."""
    (tmp_path / "b.json").write_text(json.dumps({"0": [[0, 0, 1, 9, -1, 1]]}))
    assert widths(read_boxes(tmp_path / "b.json", NUMBERED)[0]) == [[], [1.0], []]
