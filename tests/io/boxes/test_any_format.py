"""One door to every format: the right reader is chosen, and what is none is said to be none."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from selfmva.core.types import Frame
from selfmva.errors import DataError, InputError
from selfmva.io import read_boxes, write_boxes

if TYPE_CHECKING:
    from pathlib import Path


def test_json_is_told_apart_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"4": [[1, 2, 3, 4, -1, 1]]}')
    (tmp_path / "b.JSON").write_text(
        '{"images": [{"id": 1, "file_name": "4_1.jpg"}], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}'
    )
    for name in ("a.json", "b.JSON"):
        (frame,) = read_boxes(str(tmp_path / name))
        assert (frame.index, frame.counts) == (4, (0, 1))


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.json", "missing.json does not exist; expected a .json file"), ("boxes.xml", "not a format known here")],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "boxes.xml").touch()
    with pytest.raises(DataError, match=message):
        read_boxes(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.touch(mode=0o000)
    with pytest.raises(DataError, match="Permission denied"):
        read_boxes(path)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write this ending"):
        write_boxes(tmp_path / "boxes.xml", [Frame([[]])])
    assert list(tmp_path.iterdir()) == []


def test_importing_is_light() -> None:
    program = (
        "import sys, selfmva.io, selfmva.datasets\n"
        "print([m for m in ('torch', 'pandas', 'cv2', 'matplotlib', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
