"""Cameras in step: the nearest image in time, an absent view where there is none, nothing shifted."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.types import View
from selfmva.errors import DataError, InputError
from selfmva.io import ImageArray, ImageFiles, SynchronizedReader, VideoFile, VideoWriter, write_image
from selfmva.io.video.common_clock import common_instants, nearest_images

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray
    from selfmva.io import SynchronizedImages


def numbered(count: int) -> NDArray[np.uint8]:
    """`count` images of one grey each, the number of the image."""
    return np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((4, 6, 3), np.uint8)


def numbers(instant: SynchronizedImages) -> list[int | None]:
    return [None if image is None else int(image[0, 0, 0]) for image in instant.images]


def read_ahead_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("selfmva-read-ahead")]


def nearest_by_loops(times: list[int], instants: list[int], max_skew: int) -> list[int]:
    """The definition, word by word, in whole numbers."""
    wanted = [min(range(len(times)), key=lambda n: (abs(times[n] - t), -n)) for t in instants]
    result = []
    for k, number in enumerate(wanted):
        rivals = [j for j, other in enumerate(wanted) if other == number]
        winner = min(rivals, key=lambda j: (abs(times[number] - instants[j]), j))
        near = abs(times[number] - instants[k]) <= max_skew
        result.append(number if winner == k and near else -1)
    return result


ascending = st.lists(st.integers(-50, 400), min_size=1, max_size=40, unique=True).map(sorted)


@given(times=ascending, start=st.integers(-60, 60), step=st.integers(1, 30), count=st.integers(1, 40), data=st.data())
def test_synchronization_is_its_definition(times: list[int], start: int, step: int, count: int, data: Any) -> None:
    max_skew = data.draw(st.integers(0, 2 * step))
    instants = [start + step * k for k in range(count)]
    found = nearest_images(np.array(times, float), np.array(instants, float), max_skew, step)
    assert found.tolist() == nearest_by_loops(times, instants, max_skew)
    used = found[found >= 0]
    assert (np.diff(used) > 0).all()


@given(cameras=st.lists(ascending, min_size=1, max_size=4), step=st.integers(1, 30), reference=st.integers(0, 3))
def test_clock_reaches_every_image(cameras: list[list[int]], step: int, reference: int) -> None:
    times: list[FloatArray] = [np.array(camera, float) for camera in cameras]
    reference %= len(times)
    instants = common_instants(times, 1 / step, reference)
    np.testing.assert_allclose(np.diff(instants), step)
    assert np.abs(instants - times[reference][0]).min() < 1e-9
    every = np.concatenate(times)
    distance = np.abs(every[:, None] - instants).min(axis=1)
    assert distance.max() <= step / 2 + 1e-6
    assert np.abs(every - instants[0]).min() <= step / 2 + 1e-6  # no instant at either end is empty
    assert np.abs(every - instants[-1]).min() <= step / 2 + 1e-6


def test_half_an_interval_apart_is_stable() -> None:
    """Rounding must not decide which neighbour an image in the middle goes to: images would be lost at random."""
    rate = 29.97
    one, other = np.arange(500) / rate, (np.arange(500) + 0.5) / rate
    instants = common_instants([one, other], rate, 0)
    found = nearest_images(other, instants, 0.5 / rate, 1 / rate)
    assert found.tolist() == list(range(500))


def test_offsets_and_ends() -> None:
    with SynchronizedReader([numbered(4), numbered(3)], rate=10, start_offsets_seconds=(0, 0.21)) as reader:
        instants = list(reader)
    assert [numbers(instant) for instant in instants] == [[0, None], [1, None], [2, 0], [3, 1], [None, 2]]
    assert [instant.index for instant in instants] == list(range(5))
    np.testing.assert_allclose([instant.time for instant in instants], np.arange(5) / 10)
    early = SynchronizedReader([numbered(3), numbered(3)], rate=10, start_offsets_seconds=(0, -0.1))
    assert [numbers(instant) for instant in early] == [[None, 0], [0, 1], [1, 2], [2, None]]
    assert early[0].time == pytest.approx(-0.1)


def test_dropped_images_are_absent_and_shift_nothing(tmp_path: Path) -> None:
    kept = [0, 1, 2, 5, 6, 9]
    for number in kept:
        write_image(tmp_path / f"{number}.png", numbered(10)[number])
    shaking = np.array(kept) / 10 + np.random.default_rng(0).uniform(-0.03, 0.03, len(kept))
    reader = SynchronizedReader([ImageArray(numbered(10), 10), ImageFiles(tmp_path, 10, times=shaking)])
    assert [numbers(instant) for instant in reader] == [[n, n if n in kept else None] for n in range(10)]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (None, [[0, 0], [3, 1], [6, 2], [9, 3]]),
        (30.0, [[0, 0], [1, None], [2, None], [3, 1], [4, None], [5, None], [6, 2], [7, None], [8, None], [9, 3]]),
        (5.0, [[0, 0], [6, 2]]),
    ],
)
def test_rates(rate: float | None, expected: list[list[int | None]]) -> None:
    reader = SynchronizedReader([ImageArray(numbered(10), 30), ImageArray(numbered(4), 10)], rate=rate)
    assert [numbers(instant) for instant in reader] == expected


def test_max_skew() -> None:
    sources = [ImageArray(numbered(4), 10), ImageArray(numbered(4), rate=10, times=[0.0, 0.12, 0.24, 0.34])]
    found = {}
    for skew in (None, 0.03, 0.001):
        reader = SynchronizedReader(sources, max_skew_seconds=skew)
        found[skew] = [numbers(instant)[1] for instant in reader]
    assert found == {None: [0, 1, 2, 3], 0.03: [0, 1, None, None], 0.001: [0, None, None, None]}


def test_by_number() -> None:
    reader = SynchronizedReader([numbered(20), numbered(18)], rate=10)
    assert len(reader) == 20
    assert (reader[5].index, numbers(reader[5]), numbers(reader[-1]), numbers(reader[0])) == (
        5,
        [5] * 2,
        [19, None],
        [0] * 2,
    )
    for index in (20, -21):
        with pytest.raises(IndexError, match="there are 20 instants"):
            reader[index]
    running = iter(reader)
    seen = [numbers(next(running))[0], numbers(reader[15])[0], numbers(next(running))[0]]
    assert seen == [0, 15, 1]
    assert [numbers(instant)[0] for instant in reader] == list(range(20))  # again from the start


def test_videos_of_different_kinds(tmp_path: Path) -> None:
    for name, rate, count, step in (("a.mp4", 25, 30, 8), ("b.avi", 50, 49, 5)):
        with VideoWriter(tmp_path / name, rate, (64, 48)) as writer:
            for number in range(count):
                writer.write(np.full((48, 64, 3), step * number, np.uint8))
    with SynchronizedReader([tmp_path / "a.mp4", str(tmp_path / "b.avi"), numbered(30)], rate=25) as reader:
        assert reader.views == (View("a", 64, 48), View("b", 64, 48), View("view2", 6, 4))
        for instant in reader:
            images = [None if image is None else image.mean() for image in instant.images]
            t = instant.index
            expected = [8 * t, 10 * t if t < 25 else None, t]
            assert [x is None for x in images] == [x is None for x in expected]
            for mean, number in zip(images, expected, strict=True):
                assert number is None or mean == pytest.approx(number, abs=3.9)
        assert len(reader) == 30


class Counting(ImageArray):
    """Counts how far it was read; image `broken` is an error."""

    def __init__(self, count: int, broken: int = -1) -> None:
        super().__init__(numbered(count), 10)
        self.broken, self.asked, self.closed = broken, [], False

    asked: list[int]

    def read(self, index: int) -> NDArray[np.uint8]:
        self.asked.append(index)
        if index == self.broken:
            raise DataError(f"image {index} is broken")
        return super().read(index)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("read_ahead", [1, 3, 8])
def test_reading_ahead_is_bounded(read_ahead: int) -> None:
    sources = [Counting(100), Counting(100)]
    running = iter(SynchronizedReader(sources, read_ahead=read_ahead))
    for step in range(1, 11):
        next(running)
        time.sleep(0.01)
        assert max(source.asked[-1] for source in sources) < step + read_ahead
    running.close()  # type: ignore[attr-defined]
    assert all(source.asked == sorted(source.asked) for source in sources)


def test_errors_come_in_their_turn() -> None:
    reader = SynchronizedReader([Counting(20), Counting(20, broken=6)], read_ahead=8)
    seen = []
    with pytest.raises(DataError, match="image 6 is broken"):
        seen.extend(instant.index for instant in reader)
    assert seen == [0, 1, 2, 3, 4, 5]
    assert read_ahead_threads() == []
    assert numbers(reader[7]) == [7, 7]


def test_threads_end() -> None:
    reader = SynchronizedReader([numbered(50), numbered(50)], rate=10)
    assert read_ahead_threads() == []  # none before it is read
    running = iter(reader)
    next(running)
    assert len(read_ahead_threads()) == 2
    running.close()  # type: ignore[attr-defined]
    assert read_ahead_threads() == []
    running = iter(reader)
    next(running)
    del running
    gc.collect()
    assert read_ahead_threads() == []
    for _ in reader:
        break
    gc.collect()
    assert read_ahead_threads() == []
    assert sum(1 for _ in reader) == 50
    assert read_ahead_threads() == []


def test_what_the_user_opened_stays_open(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 10, (64, 48)) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    mine = Counting(3)
    with SynchronizedReader([mine, tmp_path / "a.mp4"]) as reader:
        assert numbers(reader[0]) == [0, 0]
        video = reader.sources[1]
        assert isinstance(video, VideoFile)
        assert video._capture is not None
    assert video._capture is None
    assert not mine.closed


@pytest.mark.parametrize(
    ("sources", "arguments", "message"),
    [
        ([], {}, "sources must be a sequence with one entry per camera"),
        ("a.mp4", {}, "sources must be a sequence"),
        ([numbered(2)], {}, "view0: images without times need their number a second; give rate="),
        ([numbered(2)], {"rate": 0}, "rate must be a finite number above 0"),
        ([numbered(2)], {"rate": 1, "read_ahead": 0}, "read_ahead must be a whole number"),
        ([numbered(2)], {"rate": 1, "read_ahead": 1.5}, "read_ahead must be a whole number"),
        ([numbered(2)], {"rate": 1, "max_skew_seconds": -1}, "max_skew_seconds must be a finite number above 0"),
        ([numbered(2)], {"rate": 1, "start_offsets_seconds": (0, 1)}, "must be 1 finite seconds"),
        ([numbered(2)], {"rate": 1, "start_offsets_seconds": (np.nan,)}, "must be 1 finite seconds"),
        ([numbered(2)], {"rate": 1, "start_offsets_seconds": ("soon",)}, "must be real numbers"),
        ([3], {}, "expected a video file"),
    ],
)
def test_wrong_arguments(sources: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SynchronizedReader(sources, **arguments)
