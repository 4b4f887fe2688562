"""The tidy table: names of views, missing values, and rows and columns that are not what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from selfmva.core.types import Frame, View
from selfmva.errors import DataError, MissingDependencyError
from selfmva.io import frames_from_table, read_table, write_table

if TYPE_CHECKING:
    from pathlib import Path


def table(**columns: Any) -> pd.DataFrame:
    count = max(len(column) for column in columns.values())
    defaults = {"frame": 0, "view": 0, "x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0}
    return pd.DataFrame({name: [value] * count for name, value in defaults.items()} | columns)


def test_values() -> None:
    frames = frames_from_table(table(frame=[5, 3, 5], view=[1, 0, 0], score=[0.5, 0.25, 1.0], note=["a", "b", "c"]))
    assert [(frame.index, frame.counts) for frame in frames] == [(3, (1, 0)), (5, (1, 1))]
    assert frames[1].scores[1].tolist() == [0.5]
    assert frames[0].track_ids is None


def test_names_of_views() -> None:
    named = table(view=["window", "door", "window"])
    assert frames_from_table(named)[0].counts == (2, 1)  # in the order of appearance
    assert frames_from_table(named, [View("door", 9, 9), View("window", 9, 9)])[0].counts == (1, 2)
    assert frames_from_table(table(view=["1", "1", "0"]))[0].counts == (1, 2)
    with pytest.raises(DataError, match="row 0: there is no view 'window'; the views are door, gate"):
        frames_from_table(named, [View("door", 9, 9), View("gate", 9, 9)])


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_missing_track_ids(missing: Any) -> None:
    ids = pd.Series([7, missing, 9], dtype="object")
    assert frames_from_table(table(track_id=ids))[0].track_ids[0].tolist() == [7, -1, 9]
    assert frames_from_table(table(track_id=ids.astype("Int64")))[0].track_ids[0].tolist() == [7, -1, 9]


def test_large_instants_keep_every_digit() -> None:
    nanoseconds = 1_700_000_000_123_456_789
    assert frames_from_table(table(frame=[nanoseconds]))[0].index == nanoseconds


def test_nothing() -> None:
    assert frames_from_table(table(frame=[])) == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x2": [3, 1]}, "row 1: the box has size 0 x 2"),
        ({"x2": [3, float("nan")]}, "row 1: box .* is not finite"),
        ({"x1": [1, "left"]}, "row 1, column x1: 'left' is not a number"),
        ({"view": [0, 2]}, "row 1: view 2 is not one of the 2 views"),
        ({"view": [0, 0.5]}, "row 1: view 0.5 is not a whole number"),
        ({"frame": [0, 0.5]}, "row 1: instant 0.5 is not a whole number"),
        ({"frame": [0, None]}, "row 1: instant nan is not a finite number"),
        ({"score": [0.5, None]}, "row 1: score nan is not a finite number"),
    ],
)
def test_damage_is_named(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match="table, " + message):
        frames_from_table(table(**columns), views=2, on_bad_box="raise")
    table(**columns).to_csv(tmp_path / "boxes.csv", index=False)
    with pytest.raises(DataError, match=r"boxes\.csv, " + message):
        read_table(tmp_path / "boxes.csv", views=2, on_bad_box="raise")


def test_serial_numbers_are_no_view_numbers() -> None:
    with pytest.raises(DataError, match="row 1: view 1208270248; views are numbered from 0, or have names"):
        frames_from_table(table(view=[0, 1208270248]))
    with pytest.raises(DataError, match="row 0: view -1 is not one of the 1 views"):
        frames_from_table(table(view=["-1", "0"]))


def test_missing_columns() -> None:
    with pytest.raises(DataError, match=r"columns y1, y2 are missing; .* got frame, view, x1, x2"):
        frames_from_table(table(frame=[0]).drop(columns=["y1", "y2"]))


@pytest.mark.parametrize("name", ["b.csv", "b.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"\x00\xff\xfe damaged", b'frame,view\n1,2,3,"4\n'])
def test_files_that_are_no_tables(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"b\."):
        read_table(tmp_path / name)


def test_other_endings_and_a_missing_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"a \.csv or a \.parquet file"):
        read_table(tmp_path / "b.xlsx")

    def absent(module: str, extra: str) -> None:
        raise MissingDependencyError(f"{module}: pip install 'selfmva[{extra}]'")

    monkeypatch.setattr("selfmva.io.boxes.table.require", absent)
    with pytest.raises(MissingDependencyError, match=r"selfmva\[parquet\]"):
        write_table(tmp_path / "b.parquet", [Frame([[]])])
