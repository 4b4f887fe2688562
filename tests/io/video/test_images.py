"""Image files, and images that a user gives."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from selfmva.errors import DataError, InputError
from selfmva.io import ImageArray, ImageFiles, as_rgb, read_image, write_image
from selfmva.io.video.images import image_files, image_size
from selfmva.io.video.source_argument import open_source

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)


@pytest.mark.parametrize("ending", [".png", ".PNG", ".bmp", ".tiff"])
def test_round_trip(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"ä b{ending}"
    write_image(path, IMAGE)
    image = read_image(path)
    np.testing.assert_array_equal(image, IMAGE)
    assert (image.dtype, image_size(path)) == (np.uint8, (5, 6))
    np.testing.assert_array_equal(cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1], IMAGE)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_grey_transparent_and_deep_files(tmp_path: Path) -> None:
    grey, alpha = IMAGE[:, :, 0], np.dstack([IMAGE, 255 - IMAGE[:, :, :1]])
    assert cv2.imwrite(str(tmp_path / "grey.png"), grey)
    assert cv2.imwrite(str(tmp_path / "alpha.png"), alpha)
    assert cv2.imwrite(str(tmp_path / "deep.png"), IMAGE.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png"), np.dstack([grey] * 3))
    np.testing.assert_array_equal(read_image(tmp_path / "alpha.png"), IMAGE[:, :, ::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), IMAGE[:, :, ::-1])


def test_files_that_are_no_image(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "void.png").touch()
    write_image(tmp_path / "whole.png", IMAGE)
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:20])
    (tmp_path / "folder.png").mkdir()
    for name in ("text", "void", "cut", "folder", "nowhere"):
        with pytest.raises(DataError, match=rf"cannot read .*{name}\.png as an image"):
            read_image(tmp_path / f"{name}.png")
    assert capfd.readouterr().err == ""


def test_what_cannot_be_written(tmp_path: Path) -> None:
    for name in ("image.xyz", "image"):
        with pytest.raises(DataError, match="no image format ends in .*; use .png"):
            write_image(tmp_path / name, IMAGE)
    with pytest.raises(DataError, match="cannot write .*image.png"):
        write_image(tmp_path / "nowhere" / "image.png", IMAGE)
    with pytest.raises(InputError, match="must be uint8"):
        write_image(tmp_path / "image.png", IMAGE / 255)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_as_rgb() -> None:
    grey = IMAGE[:, :, 0]
    for given in (grey, grey[:, :, None]):
        np.testing.assert_array_equal(as_rgb(given), np.dstack([grey] * 3))
    assert as_rgb(IMAGE) is IMAGE
    for given in (np.dstack([IMAGE, grey]), IMAGE[::-1]):
        image = as_rgb(given)
        np.testing.assert_array_equal(image, given[:, :, :3])
        assert image.flags.c_contiguous


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (IMAGE / 255.0, r"got float64; convert values in \[0, 1\] with \(image \* 255\)"),
        (IMAGE.astype(np.int64), "values 0 to 255, got int64"),
        (IMAGE > 3, "got bool"),
        (IMAGE.tolist(), "must be a numpy array .* got list"),
        (None, "got NoneType"),
        (IMAGE[:, :, :2], r"channels last, got \(6, 5, 2\)"),
        (IMAGE.transpose(2, 0, 1), r"channels last, got \(3, 6, 5\)"),
        (IMAGE[None], r"got \(1, 6, 5, 3\)"),
        (IMAGE[0, 0], r"got \(3,\)"),
        (IMAGE[:0], r"needs pixels, got shape \(0, 5, 3\)"),
    ],
)
def test_what_is_no_image(image: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_rgb(image)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "door").mkdir()
    for number in range(12):
        write_image(tmp_path / "door" / f"{number}.png", np.full((4, 6, 3), number, np.uint8))
    (tmp_path / "door" / "notes.txt").write_text("no image")
    return tmp_path / "door"


def test_a_folder_a_pattern_a_list_and_an_array_are_one_camera(folder: Path) -> None:
    sources: list[Any] = [
        ImageFiles(folder, 4),
        ImageFiles(str(folder / "*.png"), 4),
        ImageFiles(image_files(folder), 4),
        ImageFiles(folder.parent / "*" / "*", rate=4, name="door"),
        ImageArray(np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((4, 6), np.uint8), 4, name="door"),
        open_source(folder, rate=4),
        open_source([str(path) for path in image_files(folder)], rate=4),
        open_source(str(folder / "*"), rate=4),
    ]
    for source in sources:
        assert (source.name, source.width, source.height, source.rate, len(source)) == ("door", 6, 4, 4.0, 12)
        np.testing.assert_array_equal(source.times, np.arange(12) / 4)
        for number in (11, 0, 2, 10):
            np.testing.assert_array_equal(source.read(number), np.full((4, 6, 3), number))
        for number in (-1, 12, 1.0, True):
            with pytest.raises(InputError, match="door: the number of an image must be a whole number from 0 to 11"):
                source.read(number)


def test_given_times() -> None:
    source = ImageArray(np.zeros((4, 2, 2, 3), np.uint8), times=[1.0, 1.1, 1.4, 1.5])
    assert source.times.tolist() == [1.0, 1.1, 1.4, 1.5]
    assert source.rate == pytest.approx(10)  # two are missing
    assert ImageArray(np.zeros((1, 2, 2, 3), np.uint8), times=[3]).rate == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give rate="),
        ({"rate": 0}, "rate must be a finite number above 0, got 0"),
        ({"rate": float("nan")}, "rate must be a finite number above 0"),
        ({"rate": "25"}, "rate must be a finite number above 0, got '25'"),
        ({"times": [0, 1]}, "times must be 3 finite seconds"),
        ({"times": [0, 1, 1]}, "strictly ascending"),
        ({"times": [0, 1, np.inf]}, "finite"),
    ],
)
def test_wrong_times(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ImageArray(np.zeros((3, 2, 2, 3), np.uint8), **arguments)


def test_what_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for entry in (tmp_path / "empty", str(tmp_path / "*.png"), []):
        with pytest.raises(DataError, match="no image in"):
            open_source(entry, rate=1)
    with pytest.raises(DataError, match=r"nowhere\.mp4 does not exist"):
        open_source(tmp_path / "nowhere.mp4")
    wrong: list[Any] = [3, None, [1, 2]]
    for given in wrong:
        with pytest.raises(InputError, match="expected a video file, a folder"):
            open_source(given)
    for array in (np.zeros((0, 2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2, 3))):
        with pytest.raises(InputError):
            open_source(array, rate=1)


def test_a_file_of_another_size(folder: Path) -> None:
    write_image(folder / "5.png", np.zeros((6, 4, 3), np.uint8))
    source = ImageFiles(folder, 4)
    with pytest.raises(DataError, match=r"5\.png has 4 x 6 pixels, .*0\.png has 6 x 4"):
        source.read(5)
    assert source.read(6)[0, 0, 0] == 6


def test_a_jpeg_is_turned_upright(tmp_path: Path) -> None:
    """The tag `orientation` of cameras: 6 is a quarter turn."""
    done, encoded = cv2.imencode(".jpg", np.zeros((8, 16, 3), np.uint8))
    assert done
    tag = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    segment = b"Exif\0\0" + tag
    data = io.BytesIO()
    data.write(encoded.tobytes()[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment)
    data.write(encoded.tobytes()[2:])
    (tmp_path / "held.jpg").write_bytes(data.getvalue())
    assert image_size(tmp_path / "held.jpg") == (8, 16)
