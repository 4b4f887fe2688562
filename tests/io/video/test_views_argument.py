"""What `fit` takes for cameras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from selfmva.core.types import View
from selfmva.errors import DataError, InputError
from selfmva.io.video.images import image_size
from selfmva.io.video.view_argument import resolve_view, resolve_views

if TYPE_CHECKING:
    from pathlib import Path


def write_image(path: Path, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.zeros((height, width, 3), dtype=np.uint8))


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "gate.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(3):
        writer.write(np.zeros((48, 64, 3), dtype=np.uint8))
    writer.release()
    return path


def test_each_kind(tmp_path: Path, video: Path) -> None:
    write_image(tmp_path / "door" / "10.png", 30, 20)
    write_image(tmp_path / "door" / "9.png", 32, 24)  # the first in natural order
    (tmp_path / "door" / "notes.txt").write_text("no image")
    entries: list[Any] = [
        View("mine", 5, 6),
        (1920, 1080),
        [np.int64(640), 480],
        tmp_path / "door",
        str(video),
        np.zeros((2, 12, 16, 3), dtype=np.uint8),
    ]
    assert resolve_views(entries) == (
        View("mine", 5, 6),
        View("view1", 1920, 1080),
        View("view2", 640, 480),
        View("door", 32, 24),
        View("gate", 64, 48),
        View("view5", 16, 12),
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ((1920,), r"view 3: expected a View, a \(width, height\)"),
        ((0, 1080), "width in pixels must be a whole number"),
        ((1920.5, 1080), "width in pixels must be a whole number"),
        (None, "view 3: expected a View"),
        (np.zeros((2, 12, 16, 3)), r"got an array of shape \(2, 12, 16, 3\), float64"),
        (np.zeros((12, 16, 3), dtype=np.uint8), r"got an array of shape \(12, 16, 3\), uint8"),
        (np.zeros((0, 0, 16, 3), dtype=np.uint8), "height in pixels must be a whole number"),
    ],
)
def test_what_is_no_view(entry: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_view(entry, 3)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "0.png").write_bytes(b"not an image")
    (tmp_path / "void").mkdir()
    (tmp_path / "void" / "0.png").touch()
    (tmp_path / "bad.mp4").write_bytes(b"not a video")
    for name, message in {
        "nowhere": "view 1: .*nowhere does not exist",
        "empty": "view 1: no image in the folder",
        "bad": r"cannot read .*0\.png as an image",
        "void": r"cannot read .*0\.png as an image",
        "bad.mp4": r"cannot read .*bad\.mp4 as a video",
    }.items():
        with pytest.raises(DataError, match=message):
            resolve_view(tmp_path / name, 1)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "at least two views are needed .*, got 0"),
        ([(640, 480)], "at least two views are needed .*, got 1"),
        ([View("a", 1, 1), (2, 2), View("a", 3, 3)], "two views are called 'a'"),
        ([View("view1", 1, 1), (2, 2)], "two views are called 'view1'"),
        ("folder", "views must be a sequence"),
        (View("a", 1, 1), "views must be a sequence"),
        (3, "views must be a sequence"),
    ],
)
def test_what_are_no_views(entries: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_views(entries)


@pytest.mark.realdata
def test_real_images(data_root: Path) -> None:
    folders = sorted((data_root / "multiviewx" / "Image_subsets").iterdir())
    assert resolve_views(folders) == tuple(View(f"C{number}", 1920, 1080) for number in range(1, 7))
    assert image_size(folders[0] / "0000.jpg") == (1920, 1080)
