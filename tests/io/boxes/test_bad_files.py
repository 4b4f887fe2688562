"""Files and tables that are damaged, or not what they seem: each ends in an error of ours that names the place."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from selfmva.core.types import LONGEST_VIEW_NAME, Frame, View
from selfmva.errors import DataError, InputError, SelfMVAError
from selfmva.io import (
    frames_from_table,
    read_boxes,
    read_coco,
    read_image,
    read_mot,
    read_selfmva,
    read_table,
    write_boxes,
    write_image,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "frame,view,x1,y1,x2,y2"
ROW = "4,0,1.25,2.5,3.75,4.5"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\n{2**63},0,1,2,3,4\n", "row 0: instant 9223372036854775808 is too large"),
        (f"{HEADER}\n{-(2**63) - 1},0,1,2,3,4\n", "row 0: instant -9.2.* is not a whole number"),
        (f"{HEADER}\n{10**30},0,1,2,3,4\n", r"row 0: instant 1e\+30 is not a whole number"),
        (f"{HEADER}\n4,{10**8},1,2,3,4\n", "row 0: view 100000000; views are numbered from 0, or have names"),
        (f"{HEADER}\n4,1.5,1,2,3,4\n", "row 0: view 1.5 is not a whole number"),
        (f"{HEADER}\n4,,1,2,3,4\n", "row 0: the view is missing"),
        (f"{HEADER}\n4,0,1,2,3,1e400\n", "row 0: box .* is not finite"),
        (f"{HEADER}\n4,0,1,2,True,4\n", "row 0, column x2: (True|bool) is no"),
        (f"{HEADER}\n4,0,1,2,3+1j,4\n", r"row 0, column x2: '3\+1j' is not a number"),
        (f"{HEADER}\n2024-01-01,0,1,2,3,4\n", "row 0, column frame: '2024-01-01' is not a number"),
        (f"{HEADER}\n7,{ROW}\n", "row 0: more fields than the 6 columns of the header"),
        (f"{HEADER}\n{ROW}\n{ROW},9\n", "Expected 6 fields in line 3, saw 7"),
        (f"{HEADER},x1\n{ROW},9\n", "the column x1 stands there 2 times"),
        (f"{HEADER},score,score\n{ROW},1,1\n", "the column score stands there 2 times"),
        (f"{HEADER},score\n{ROW},inf\n", "row 0: score inf is not a finite number"),
        (f"{HEADER},track_id\n{ROW},1.5\n", "row 0: track id 1.5 is not a whole number"),
        (f"{HEADER}\n{ROW}\n4,0,1.25,2", "seems cut short: it ends within its last line, '4,0,1.25,2'"),
        (f"{HEADER}\n{ROW}\n4,0,1.25,2,3,4.", "seems cut short"),
        (f"{HEADER}\n" + f"{ROW}5\n" * 30 + ROW, "seems cut short"),
        ("", "as a CSV table"),
        ("\x00\x01", "as a CSV table|missing"),
    ],
)
def test_tables(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=r"b\.csv.*" + f"({message})"):
        read_boxes(write(tmp_path / "b.csv", text), on_bad_box="raise")


@pytest.mark.parametrize("last", [ROW, "4,0,1,2,30,40", "4,0,1.25,2.5,3.75,14.5"])
def test_whole_files_may_end_without_a_line_break(tmp_path: Path, last: str) -> None:
    text = f"{HEADER}\n" + "".join(f"{t},1,1.25,2.5,3.75,4.5\n" for t in range(5, 40)) + last
    if "." in last:
        assert len(read_boxes(write(tmp_path / "b.csv", text), on_bad_box="raise")) == 36
    assert len(read_boxes(write(tmp_path / "b.csv", f"{HEADER}\n{last}"))) == 1


def test_mot_that_was_cut(tmp_path: Path) -> None:
    rows = "".join(f"{t},-1,10,20,30,40,0.{t}25\n" for t in range(10, 40))
    with pytest.raises(DataError, match=r"a\.txt seems cut short"):
        read_boxes(write(tmp_path / "a.txt", f"{rows}40,-1,10,20,30,40,0.4"))
    assert len(read_boxes(write(tmp_path / "a.txt", f"{rows}40,-1,10,20,30,40,0.4\n"))) == 31


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"4": [[1, 2, 3, 4, -1, ' + "9" * 5001 + "]]}", "a number is too long to be one"),
        ('{"4": [[1, 2, 3, 4, -1, ' + "9" * 400 + "]]}", "instant 4, entry 0: a number is too large"),
        ('{"4": [[1, 2, 3, 4, 9007199254740993, 0]]}', "instant 4, entry 0: track id .* is not a whole number"),
        ('{"4": [[1, 2, 3, 4, -1, 100000000]]}', "instant 4, entry 0: view 100000000; views are numbered"),
        (
            '{"4": [[1, 2, 3, 4, -1, true]]}',
            r"instant 4, entry 0: expected six numbers .* True",
        ),
        ('{"4": [[1, 2, "3", 4, -1, 0]]}', "instant 4, entry 0: expected six numbers"),
        ('{"4": [[1, 2, 3, [4], -1, 0]]}', "instant 4, entry 0: expected six numbers"),
        ('{"4": [[1, 2, NaN, 4, -1, 0]]}', "instant 4, entry 0: box .* is not finite"),
        ('{"4": [[1, 2, 3, 4, -1, Infinity]]}', "instant 4, entry 0: view inf is not a finite number"),
        ('{"' + "4" * 30 + '": []}', "expected the number of an instant"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5001, "a number is too long"),
    ],
)
def test_json(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"b\.json.*({message})"):
        read_boxes(write(tmp_path / "b.json", text), on_bad_box="raise")


READERS: list[tuple[str, Callable[..., Any]]] = [
    ("b.csv", read_table),
    ("b.parquet", read_table),
    ("b.json", read_selfmva),
    ("b.json", read_coco),
    ("b.txt", read_mot),
    ("b.png", read_image),
]


@pytest.mark.parametrize(("name", "read"), READERS)
@pytest.mark.parametrize("kind", ["device", "pipe", "circle", "folder", "long", "surrogate"])
def test_what_is_no_file(tmp_path: Path, name: str, read: Callable[..., Any], kind: str) -> None:
    path = tmp_path / name
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "circle":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = tmp_path / ({"long": "x" * 300, "surrogate": "\ud800"}[kind] + name)
    for reader in (read, read_boxes) if name != "b.png" else (read,):
        with pytest.raises(InputError if kind in {"long", "surrogate"} else DataError):
            reader(path)


@pytest.mark.parametrize("value", [None, 5, b"boxes.csv", ["boxes.csv", 5], "", "a\0.csv"])
@pytest.mark.parametrize(("name", "read"), [*READERS, ("", read_boxes)])
def test_what_is_no_path(name: str, read: Callable[..., Any], value: Any) -> None:
    with pytest.raises(InputError, match="must be a path|expected a path or a sequence"):
        read(value)


def test_folders_that_nobody_may_enter(tmp_path: Path) -> None:
    """Root enters all, so another user tries."""
    if os.geteuid():
        pytest.skip("only root can become another user")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    program = (
        "import os, sys, cv2, pandas, selfmva\n"
        "from selfmva import io\n"
        "from selfmva.errors import SelfMVAError\n"
        "import selfmva.io.boxes.any_format\n"
        "os.setuid(65534)\n"
        "endings = ('.csv', '.json', '.txt', '.parquet')\n"
        "for call in (*(lambda e=e: io.read_boxes(f'{sys.argv[1]}/b{e}') for e in endings),\n"
        "    lambda: io.read_boxes(sys.argv[1]), lambda: io.VideoFile(sys.argv[1] + '/a.mp4'),\n"
        "    lambda: io.read_image(sys.argv[1] + '/a.png'), lambda: io.ImageFiles(sys.argv[1], 1),\n"
        "    lambda: io.write_boxes(sys.argv[1] + '/b.csv', []),\n"
        "    lambda: io.write_boxes(sys.argv[1] + '/mot/a', [], 2)):\n"
        "    try:\n"
        "        call()\n"
        "        print('no error')\n"
        "    except SelfMVAError as error:\n"
        "        print('ours')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, locked], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:-1] == ["ours"] * 10, done.stdout + done.stderr


BOXES = {"x1": [1.0, 1], "y1": [2.0, 2], "x2": [30.0, 30], "y2": [80.0, 80]}


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"frame": [0, 1], "view": [0, 1], **BOXES, **columns})


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (table(frame=pd.to_datetime(["2024-01-01", "2024-01-02"])), "column frame: datetime64.* is no type of number"),
        (table(frame=pd.to_timedelta([1, 2], "s")), "column frame: timedelta64.* is no type of number"),
        (table(frame=pd.to_datetime(["2024-01-01", "2024-01-02"]).tz_localize("UTC")), "column frame: .* is no"),
        (table(frame=pd.Series([pd.Timestamp(0), pd.Timestamp(1)], dtype=object)), "column frame: .* is not a number"),
        (table(frame=pd.Series([timedelta(1), 1], dtype=object)), "column frame: .* is not a number"),
        (table(frame=pd.period_range("2024-01", periods=2, freq="M")), "column frame: .*"),
        (table(frame=np.array([2**63 + 1, 5], np.uint64)), "row 0: instant 9223372036854775809 is too large"),
        (table(frame=pd.Series([2**70, 5], dtype=object)), "row 0: instant 1.18.* is not a whole number"),
        (table(frame=pd.Series([10**400, 5], dtype=object)), "column frame: these are no numbers|is not a"),
        (table(frame=[True, False]), "column frame: bool is no type of number"),
        (table(frame=pd.Series([True, 5], dtype=object)), "row 0, column frame: True is not a number"),
        (table(frame=pd.Series([[1], 5], dtype=object)), "column frame: "),
        (table(x1=[1 + 0j, 1]), "column x1: complex128 is no type of number"),
        (table(x1=pd.Series([1j, 1], dtype=object)), "row 0, column x1: 1j is not a number"),
        (table(x1=pd.Series(["a", "1"], dtype="category")), "row 0, column x1: 'a' is not a number"),
        (table(view=pd.to_datetime(["2024-01-01", "2024-01-02"])), "row 0: a view is a name or a whole number"),
        (table(view=[True, False]), "row 0: a view is a name or a whole number from 0, got"),
        (table(view=[0.5, 1]), "row 0: view 0.5 is not a whole number"),
        (table(view=[np.inf, 1]), "row 0: view inf is not a finite number"),
        (table(view=["door", None]), "row 1: the view is missing"),
        (table(view=np.array([2**64 - 1, 0], np.uint64)), "row 0: view 18446744073709551615 is too large"),
        (table(track_id=[2.0**60, 1]), "row 0: track id .* is not a whole number"),
        (pd.concat([table(), table()[["x1"]]], axis=1), "the column x1 stands there 2 times"),
        (pd.concat([table(), table()[["view"]]], axis=1), "the column view stands there 2 times"),
        (pd.concat([table(score=[1, 1]), pd.DataFrame({"score": [1, 2]})], axis=1), "the column score stands"),
        (
            table().set_axis(pd.MultiIndex.from_product([["frame", "view", *BOXES], [""]]), axis=1),
            "columns have 2 levels",
        ),
        (table().set_axis(range(6), axis=1), "columns frame, view, x1, y1, x2, y2 are missing; .* got 0, 1, 2"),
        (table().set_index("frame"), "columns frame are missing"),
    ],
)
def test_data_frames(damaged: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=f"table.*({message})"):
        frames_from_table(damaged)


def test_every_kind_of_number_is_read() -> None:
    for kind in ("int8", "uint64", "float32", "Int64", "Float64", "object", "str", "category", "int64[pyarrow]"):
        found = frames_from_table(table().astype({"frame": kind, "x2": kind}))
        assert [(frame.index, frame.counts) for frame in found] == [(0, (1, 0)), (1, (0, 1))], kind
    rows = table().set_index(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))  # rows may be called anything
    assert len(frames_from_table(rows)) == 2


FRAME = Frame([[[1, 2, 5, 9]], []], index=1)


@pytest.mark.parametrize("value", [None, 5, b"b.csv", "", "a\0.csv", ["b.csv"]])
def test_where_nothing_can_be_written(value: Any) -> None:
    with pytest.raises(InputError, match="must be a path"):
        write_boxes(value, [FRAME])
    with pytest.raises(InputError, match="must be a path"):
        write_image(value, np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize("ending", [".csv", ".json", ".coco.json", ".parquet", ""])
def test_what_the_system_does_not_let_be_written(tmp_path: Path, ending: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / f"folder{ending}" / "full").mkdir(parents=True)
    (tmp_path / f"device{ending}").symlink_to("/dev/null")
    (tmp_path / f"circle{ending}").symlink_to(tmp_path / f"circle{ending}")
    places = ["file/b", "x" * 300, "\ud800", "device", "circle", *(["folder"] if ending else ["file"])]
    for place in places:
        with pytest.raises(SelfMVAError):
            write_boxes(tmp_path / f"{place}{ending}", [FRAME], 2)
    assert Path("/dev/null").is_char_device()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_names_as_long_as_they_may_be(tmp_path: Path) -> None:
    name = "n" * 251 + ".csv"
    write_boxes(tmp_path / name, [FRAME])
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert read_boxes(tmp_path / name)[0].counts == (1,)


@pytest.mark.parametrize("ending", ["", ".csv", ".json"])
def test_the_longest_name_of_a_view_can_be_written(tmp_path: Path, ending: str) -> None:
    views = [View("x" * LONGEST_VIEW_NAME, 9, 9), View("b", 9, 9)]
    write_boxes(tmp_path / f"mot{ending}", [FRAME], views)
    assert read_boxes(tmp_path / f"mot{ending}", views)[0].counts == (1, 0)


def test_names_that_differ_in_capitals_would_be_one_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two differ in capitals alone"):
        write_boxes(tmp_path / "mot", [FRAME], [View("a", 9, 9), View("A", 9, 9)])


@pytest.mark.parametrize("given", [None, 5, {"frame": [0]}, pd.Series([1]), "b.csv", [[0, 0, 1, 2, 3, 4]]])
def test_what_is_no_table(given: Any) -> None:
    with pytest.raises(InputError, match="table: expected a pandas DataFrame, got "):
        frames_from_table(given)


@pytest.mark.parametrize("source", [[], (), iter(["a.txt"])])
def test_no_files_of_mot(source: Any) -> None:
    with pytest.raises(InputError, match="expected a path or a sequence of paths, one per view"):
        read_mot(source)


@pytest.mark.parametrize("name", ["b.csv", "b.json", "b.coco.json", "b.parquet", "mot"])
@pytest.mark.parametrize("views", [3, [View("a", 9, 9)]])
def test_frames_of_other_views_are_not_written(tmp_path: Path, name: str, views: Any) -> None:
    with pytest.raises(InputError, match="frames of 2 views cannot be written as . views; give the views they have"):
        write_boxes(tmp_path / name, [FRAME], views)
    assert list(tmp_path.iterdir()) == []
