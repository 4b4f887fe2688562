"""MOT text: which file is which view, and file:line of whatever is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from selfmva.core.types import Frame, View
from selfmva.errors import DataError, InputError
from selfmva.io import read_mot, write_mot

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "1,7,10,20,30,40,0.5,-1,-1,-1\n"


def test_values(tmp_path: Path) -> None:
    (tmp_path / "cam2.txt").write_text("\n3,-1,1,2,3,4,0.25\n\n1, 7, 10.5, 20, 30, 40, 0.5\n")
    (tmp_path / "cam10.txt").write_text(GOOD)
    frames = read_mot(tmp_path)
    assert [(frame.index, frame.counts) for frame in frames] == [(1, (1, 1)), (3, (1, 0))]
    assert frames[0].boxes[0].tolist() == [[10.5, 20, 40.5, 60]]  # cam2 comes before cam10
    assert frames[0].track_ids[0].tolist() == [7]
    assert frames[1].track_ids[0].tolist() == [-1]
    assert frames[1].scores[0].tolist() == [0.25]
    assert read_mot([tmp_path / "cam10.txt", tmp_path / "cam2.txt"])[1].counts == (0, 1)
    assert read_mot(tmp_path / "cam10.txt")[0].counts == (1,)


def test_scores_only_where_every_file_has_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(GOOD)
    (tmp_path / "b.txt").write_text("1,-1,10,20,30,40\n")
    (frame,) = read_mot(tmp_path)
    assert frame.scores is None
    assert frame.counts == (1, 1)


def test_empty_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    (tmp_path / "b.txt").write_text("\n \n")
    assert read_mot(tmp_path) == []


def test_views_choose_the_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "door.txt").write_text(GOOD)
    (tmp_path / "yard.txt").write_text("")
    (tmp_path / "notes.txt").write_text("no numbers at all")
    views = [View("yard", 640, 480), View("door", 640, 480)]
    assert read_mot(tmp_path, views)[0].counts == (0, 1)
    with pytest.raises(DataError, match=r"3 files for 2 views; .*door\.txt, notes\.txt, yard\.txt"):
        read_mot(tmp_path, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "\n1,7,10,20,30\n", r"a\.txt:3: expected 10 columns .*got 5"),
        (GOOD + "2,7,10,x,30,40,1,-1,-1,-1\n", r"a\.txt:2: 'x' is not a number"),
        ("1,7,10,20,30\n", r"a\.txt:1: expected 6 columns .*got 5"),
        ("1 7 10 20 30 40\n", r"a\.txt:1: expected 6 columns .*got 1"),
        (GOOD + "\n\n2,7,10,20,-30,40,1,-1,-1,-1\n", r"a\.txt:4: the box has size -30 x 40"),
        (GOOD + "2,7,10,20,nan,40,1,-1,-1,-1\n", r"a\.txt:2: box .* is not finite"),
        (GOOD + "2.5,7,10,20,30,40,1,-1,-1,-1\n", r"a\.txt:2: instant 2.5 is not a whole number"),
        (GOOD + "2,0.5,10,20,30,40,1,-1,-1,-1\n", r"a\.txt:2: track id 0.5 is not a whole number"),
        (GOOD + "2,7,10,20,30,40,nan,-1,-1,-1\n", r"a\.txt:2: score nan is not a finite number"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "0.txt").write_text(GOOD * 3)
    with pytest.raises(DataError, match=message):
        read_mot(tmp_path, on_bad_box="raise")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.txt file in this folder"):
        read_mot(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        read_mot(tmp_path / "a.txt")


@pytest.mark.parametrize("name", ["../escape", "a/b"])
def test_a_view_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    views = [View(name, 640, 480), View("b", 640, 480)]
    with pytest.raises(InputError, match="cannot be a file's name"):
        write_mot(tmp_path / "mot", [Frame([[], []], index=1)], views)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("frames", "views"), [([], None), ([Frame([[], []])], 3)])
def test_views_that_do_not_fit(tmp_path: Path, frames: list[Frame], views: int | None) -> None:
    with pytest.raises(InputError, match="give the views they have"):
        write_mot(tmp_path / "mot", frames, views)
