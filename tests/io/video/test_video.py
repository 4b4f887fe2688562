"""Video files: each image is the one that was asked for, or an error."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from plain_films import write_plain_film

from selfmva.errors import DataError, InputError
from selfmva.io import ImageSource, SynchronizedReader, VideoFile
from selfmva.io.video.mp4_edit_list import edited_seconds
from selfmva.io.video.source_argument import open_source
from selfmva.io.video.video_index import mean_rate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BITS = 8
COUNT = 100


def coded(number: int, width: int = 128, height: int = 64) -> NDArray[np.uint8]:
    """An image that says its number in black and white blocks; its upper half is red."""
    bits = (number >> np.arange(BITS)) & 1
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 2 :] = 255 * np.repeat(bits, width // BITS)[:, None]
    image[: height // 2] = (255, 0, 0)
    return image


def decoded(image: NDArray[np.uint8]) -> int:
    """The number that an image says."""
    height, width = image.shape[:2]
    red = image[: height // 2 - 4].reshape(-1, 3).mean(axis=0)
    assert red[0] > 200, "channels are swapped"
    assert red[1:].max() < 60, "channels are swapped"
    blocks = image[height // 2 + 4 :].mean(axis=(0, 2)).reshape(BITS, width // BITS)[:, 2:-2].mean(axis=1)
    assert (np.minimum(blocks, 255 - blocks) < 60).all(), "the image is damaged"
    return int(((blocks > 127) << np.arange(BITS)).sum())


def write_video(path: Path, count: int = COUNT, rate: float = 25) -> Path:
    return write_plain_film(path, rate, (128, 64), map(coded, range(count)))


def grow(data: bytearray, at: int, by: int) -> None:
    """Correct the sizes of the boxes around a place where an MP4 file grew."""
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        where = data.rindex(kind, 0, at) - 4
        struct.pack_into(">I", data, where, struct.unpack_from(">I", data, where)[0] + by)


def with_gap(data: bytes, position: int, missing: int) -> bytes:
    """An MP4 file of which the image after `position` comes later by the time of `missing` images."""
    at = data.index(b"stts") - 4
    size, _, _, entries, count, step = struct.unpack_from(">I4sIIII", data, at)
    assert entries == 1
    table = [(position, step), (1, step * (missing + 1)), (count - position - 1, step)]
    box = struct.pack(">I4sII", 40, b"stts", 0, 3) + b"".join(struct.pack(">II", *entry) for entry in table)
    changed = bytearray(data[:at] + box + data[at + size :])
    grow(changed, at, len(box) - size)
    return bytes(changed).replace(b"edts", b"free")  # the edit list says how long the video was


def with_index_first(data: bytes) -> bytes:
    """An MP4 file whose index comes before the images, as for streaming: what is lost is lost at the end."""
    start, images = data.index(b"moov") - 4, data.index(b"mdat") - 4
    movie = bytearray(data[start:])
    at = movie.index(b"stco")
    (count,) = struct.unpack_from(">I", movie, at + 8)
    places = np.frombuffer(movie, ">u4", count, at + 12) + len(movie)
    movie[at + 12 : at + 12 + 4 * count] = places.astype(">u4").tobytes()
    return data[:images] + bytes(movie) + data[images:start]


def trimmed(data: bytes, first: float, count: float) -> bytes:
    """An MP4 file whose edit list shows only `count` images from `first` on, as phones trim; all stay in the file."""
    changed, at = bytearray(data), data.index(b"elst") + 4
    entries, length = struct.unpack_from(">II", data, at + 4)
    (step,) = struct.unpack_from(">I", data, data.index(b"stts") + 16)
    assert entries == 1
    struct.pack_into(">Ii", changed, at + 8, int(length * count / COUNT), int(first * step))
    return bytes(changed)


@pytest.fixture(params=["door.mp4", "door.avi"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_video(tmp_path / request.param)


def test_images_and_times(video: Path) -> None:
    with VideoFile(video) as source:
        assert isinstance(source, ImageSource)
        assert (source.name, source.width, source.height, len(source)) == ("door", 128, 64, COUNT)
        assert source.rate == pytest.approx(25)
        np.testing.assert_allclose(source.times, np.arange(COUNT) / 25, atol=1e-9)
        image = source.read(7)
        assert (image.shape, image.dtype, image.flags.c_contiguous) == ((64, 128, 3), np.uint8, True)
        assert [decoded(source.read(number)) for number in range(COUNT)] == list(range(COUNT))


def test_jumps_give_what_reading_in_order_gives(video: Path) -> None:
    in_order, jumping = VideoFile(video), VideoFile(video)
    images = [in_order.read(number) for number in range(COUNT)]
    order = np.random.default_rng(1).permutation(COUNT)[:40].tolist()
    for number in [COUNT - 1, 0, 0, 1, 50, 49, 49, *order]:
        np.testing.assert_array_equal(jumping.read(number), images[number])
    jumping.close()
    np.testing.assert_array_equal(jumping.read(60), images[60])  # opens anew
    in_order.close()
    jumping.close()


def test_numbers_that_there_are_not(video: Path) -> None:
    source = VideoFile(video)
    wrong: list[Any] = [-1, COUNT, 0.0, "0"]
    for number in wrong:
        with pytest.raises(InputError, match=f"the number of an image must be a whole number from 0 to {COUNT - 1}"):
            source.read(number)


@pytest.mark.parametrize("rate", [29.97, 10, 60, 7.5])
def test_rates(tmp_path: Path, rate: float) -> None:
    source = VideoFile(write_video(tmp_path / "a.mp4", 20, rate))
    np.testing.assert_allclose(source.times, np.arange(20) / rate, atol=1e-4)
    assert source.rate == pytest.approx(rate, rel=1e-4)


def test_a_video_with_a_gap_keeps_its_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "gap.mp4")
    path.write_bytes(with_gap(path.read_bytes(), 39, 10))
    source = VideoFile(path)
    expected = np.concatenate([np.arange(40), np.arange(50, COUNT + 10)]) / 25
    np.testing.assert_allclose(source.times, expected, atol=1e-6)
    assert source.rate == pytest.approx(25)
    for number in (80, 39, 40, 41, 10, 99, 38, 60):
        assert decoded(source.read(number)) == number


def test_the_order_of_boxes_does_not_matter(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4")
    assert edited_seconds(path) == pytest.approx(COUNT / 25)
    path.write_bytes(with_index_first(path.read_bytes()))
    assert edited_seconds(path) == pytest.approx(COUNT / 25)
    source = VideoFile(path)
    assert [decoded(source.read(number)) for number in (0, 99, 50)] == [0, 99, 50]


@pytest.mark.parametrize("first", [0, 20, 24, 65])  # whole images are 0, 12, 24, ...
def test_a_trimmed_video_is_not_a_damaged_one(tmp_path: Path, first: int) -> None:
    path = write_video(tmp_path / "trim.mp4")
    path.write_bytes(trimmed(path.read_bytes(), first, 30))
    assert edited_seconds(path) == pytest.approx(30 / 25)
    source = VideoFile(path)
    assert len(source) == 30
    np.testing.assert_allclose(source.times, np.arange(30) / 25, atol=1e-6)
    assert [decoded(source.read(number)) for number in range(30)] == list(range(first, first + 30))
    assert decoded(source.read(3)) == first + 3


@pytest.mark.parametrize("first", [0.5, 32.25, 32.75, 65.9, 97.5])
def test_a_clip_that_begins_between_two_images(tmp_path: Path, first: float) -> None:
    """Cut without encoding anew, a clip shows less of its first image than its time, and none beyond its last."""
    path = write_video(tmp_path / "clip.mp4")
    path.write_bytes(trimmed(path.read_bytes(), first, COUNT - first))
    capture, decodable = cv2.VideoCapture(str(path)), 0
    while capture.grab():
        decodable += 1
    capture.release()
    source = VideoFile(path)
    assert len(source) == decodable > 0
    assert [decoded(source.read(number)) for number in range(len(source))] == list(range(COUNT - decodable, COUNT))
    assert decoded(VideoFile(path).read(decodable - 1)) == COUNT - 1
    with SynchronizedReader([write_video(tmp_path / "whole.mp4"), path]) as reader:
        assert sum(instant.images[1] is not None for instant in reader) == decodable


@pytest.mark.parametrize("scale", [1, 40, 1000])
def test_an_edit_list_that_promises_years(tmp_path: Path, scale: int) -> None:
    path = write_video(tmp_path / "long.mp4")
    data = bytearray(path.read_bytes())
    struct.pack_into(">I", data, data.index(b"mvhd") + 16, scale)
    struct.pack_into(">I", data, data.index(b"elst") + 12, 2**32 - 1)
    path.write_bytes(data)
    assert edited_seconds(path) == (2**32 - 1) / scale
    source = VideoFile(path)
    assert [decoded(source.read(number)) for number in (0, len(source) - 1)] == [0, COUNT - 1]


def test_a_file_that_was_replaced(tmp_path: Path) -> None:
    """What is known of the old file's times is not used on the new one."""
    path = write_video(tmp_path / "door.mp4")
    source = VideoFile(path)
    assert decoded(source.read(50)) == 50
    write_video(path, COUNT - 10)
    assert decoded(source.read(51)) == 51  # it is still open, and still the old one
    source.close()
    with pytest.raises(DataError, match=r"door\.mp4 was replaced or changed since its times were read; open it anew"):
        source.read(3)
    path.unlink()
    with pytest.raises(DataError, match="was replaced or changed"):
        source.read(3)


@pytest.mark.parametrize("fraction", [0.4, 0.45, 0.7])
def test_an_end_that_was_lost(tmp_path: Path, fraction: float, capfd: pytest.CaptureFixture[str]) -> None:
    """Every image is the right one or an error; the file promises all, so those that are lost have their turn."""
    path = write_video(tmp_path / "cut.mp4")
    data = with_index_first(path.read_bytes())
    images = data.index(b"mdat")
    path.write_bytes(data[: images + int((len(data) - images) * fraction)])
    source, numbers = VideoFile(path), []
    assert len(source) == COUNT
    np.testing.assert_allclose(source.times, np.arange(COUNT) / 25, atol=1e-6)
    for number in range(COUNT):
        try:
            numbers.append(decoded(source.read(number)))
        except DataError as error:
            assert f"cut.mp4: cannot decode image {number} of 100" in str(error)  # noqa: PT017  # as many raise as not
    assert numbers == list(range(len(numbers)))
    assert COUNT * fraction * 0.6 < len(numbers) < COUNT * fraction * 1.4
    assert capfd.readouterr().err == ""


def test_an_avi_that_lost_images(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.avi")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=r"cut\.avi is damaged: it holds \d+ images of 100"):
        VideoFile(path)


def test_files_that_are_no_video(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = write_video(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])  # its index is lost
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "void.avi").touch()
    for name in ("cut.mp4", "text.mp4", "void.avi"):
        with pytest.raises(DataError, match=rf"cannot read .*{name} as a video"):
            open_source(tmp_path / name)
    with pytest.raises(DataError, match="does not exist"):
        VideoFile(tmp_path)
    assert capfd.readouterr().err == ""


def test_mean_rate_copes_with_rounding_and_gaps() -> None:
    times = np.round(np.arange(1000) / 29.97, 3)
    assert mean_rate(times) == pytest.approx(29.97, rel=1e-4)
    assert mean_rate(np.delete(times, np.random.default_rng(0).choice(999, 200, replace=False))) == pytest.approx(
        29.97, rel=1e-3
    )
    assert mean_rate(times[:1]) is None
