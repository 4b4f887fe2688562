"""What is no path, and what is no file, is said before anything is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from selfmva.core.paths import as_path, file_status, is_folder, require_file
from selfmva.errors import DataError, InputError


class Bytes:
    """A path in bytes."""

    def __fspath__(self) -> bytes:
        return b"boxes.csv"


@pytest.mark.parametrize("value", [None, 5, 2.5, b"a.csv", ["a.csv"], "", "a\0b", Bytes(), True, {"a": 1}])
def test_what_is_no_path(value: Any) -> None:
    with pytest.raises(InputError, match="^the table must be a path"):
        as_path(value, "the table")


def test_paths() -> None:
    assert as_path("a/b.csv", "it") == Path("a/b.csv") == as_path(Path("a") / "b.csv", "it")


def test_what_the_system_refuses(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for path in (Path("x" * 5000), tmp_path / ("y" * 300), tmp_path / "\ud800", tmp_path / "circle"):
        with pytest.raises(DataError, match="cannot read"):
            file_status(path)
    assert file_status(tmp_path / "none") is None
    assert not is_folder(tmp_path / "none")
    assert is_folder(tmp_path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("none", "does not exist; expected a film"),
        ("folder", "Is a directory"),
        ("device", "no regular"),
        ("pipe", "no"),
    ],
)
def test_what_is_no_file(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    if kind == "device":
        path.symlink_to("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(DataError, match=message):
        require_file(path, "a film")
