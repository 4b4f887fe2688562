"""What is put comes back, after a crash too; the file stays in its bounds; a disk that refuses stops nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from full_disk import largest_file

from selfmva.errors import DataError, InputError
from selfmva.io import ArrayCache, ImageArray, ImageFiles, VideoFile, VideoWriter, write_image
from selfmva.io.video import fingerprints as fingerprints_module
from selfmva.io.video.fingerprints import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

MEBI = 2**20


def key(number: int) -> bytes:
    return number.to_bytes(8, "little")


def content(number: int, size: int = 1000) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(size).astype(np.float32)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::-1],
        np.zeros((0, 4)),
        np.array(3),
        np.array([np.nan, np.inf, -0.0]),
        np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
    ],
)
def test_what_is_put_comes_back(tmp_path: Path, array: np.ndarray) -> None:
    with ArrayCache(tmp_path) as cache:
        assert cache.get(b"a") is None
        cache.put(b"a", array)
        first = cache.get(b"a")
    with ArrayCache(cache.path) as cache:
        for found in (first, cache.get(b"a")):
            assert found is not None
            assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
        cache.put(b"a", np.ones(2))
    with ArrayCache(tmp_path) as cache:
        np.testing.assert_array_equal(cache.get(b"a"), np.ones(2))
        with pytest.raises(InputError, match="only arrays of numbers"):
            cache.put(b"b", np.array([None]))


def test_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SELFMVA_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    places = []
    for name in ("", "XDG_CACHE_HOME", "SELFMVA_CACHE"):
        if name:
            monkeypatch.setenv(name, str(tmp_path / name))
        with ArrayCache() as cache:
            places.append(cache.path.relative_to(tmp_path).as_posix())
    file = "arrays-1.sqlite"
    assert places == [f".cache/selfmva/{file}", f"XDG_CACHE_HOME/selfmva/{file}", f"SELFMVA_CACHE/{file}"]
    with ArrayCache(tmp_path / "my.cache") as cache:
        assert cache.path == tmp_path / "my.cache"


def test_the_least_recently_used_go(tmp_path: Path) -> None:
    with ArrayCache(tmp_path, largest_bytes=2 * MEBI) as cache:
        for number in range(1200):  # 4 KB each
            cache.put(key(number), content(number))
            if number % 50 == 0:
                assert cache.get(key(0)) is not None  # used again and again
                assert cache.path.stat().st_size < 3 * MEBI
    with ArrayCache(tmp_path, largest_bytes=2 * MEBI) as cache:
        held = [number for number in range(1200) if cache.get(key(number)) is not None]
        assert held[0] == 0
        assert held[1:] == list(range(1200 - len(held) + 1, 1200))
        assert 300 < len(held) < 520
        np.testing.assert_array_equal(cache.get(key(1199)), content(1199))
        cache.put(b"too large", np.zeros(2 * MEBI, np.uint8))
        assert cache.get(b"too large") is None
        assert cache.get(key(1199)) is not None
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 3 * MEBI
    with pytest.raises(InputError, match="largest_bytes must be at least 1048576"):
        ArrayCache(tmp_path, largest_bytes=1000)


WRITER = """
import sys, numpy as np
from selfmva.io import ArrayCache
first, count, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with ArrayCache(path) as cache:
    for number in range(first, first + count):
        cache.put(number.to_bytes(8, "little"), np.random.default_rng(number).standard_normal(1000).astype(np.float32))
        if number % 10 == 0:
            cache.flush()
            print(number, flush=True)
"""


def start_writer(first: int, count: int, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", WRITER, str(first), str(count), str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_half_way(tmp_path: Path) -> None:
    writer = start_writer(0, 10**9, tmp_path)
    assert writer.stdout is not None
    for _ in range(7):
        told = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    told = max([told, *map(int, writer.stdout.read().split())])
    writer.wait()
    writer.stdout.close()
    with ArrayCache(tmp_path) as cache:
        for number in range(told + 1):  # all that it said was written, and whole
            np.testing.assert_array_equal(cache.get(key(number)), content(number))
        cache.put(b"goes on", np.ones(1))
    with sqlite3.connect(cache.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_several_processes_and_threads(tmp_path: Path) -> None:
    """All start with no file at all."""
    writers = [start_writer(1000 * n, 100, tmp_path) for n in range(3)]
    with ArrayCache(tmp_path) as cache, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cache.put(key(n), content(n)), range(5000, 5100)))
        found = list(pool.map(lambda n: cache.get(key(n)), range(5000, 5100)))
        assert all(array is not None for array in found)
    for writer in writers:
        assert writer.communicate(timeout=60)[0]
        assert writer.returncode == 0
    with ArrayCache(tmp_path) as cache:
        for first in (0, 1000, 2000, 5000):
            for number in range(first, first + 100):
                np.testing.assert_array_equal(cache.get(key(number)), content(number))


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"this is no data base, but long enough to have been one" * 100)
    with pytest.raises(DataError, match=rf"{path} is damaged or something else \(.*\); it can be deleted"):
        ArrayCache(path)
    path.unlink()
    with ArrayCache(path) as cache:
        for number in range(100):
            cache.put(key(number), content(number))
    whole = path.read_bytes()
    page = whole.find(content(50).tobytes()[:64])
    assert page > 0
    for start, size in ((page, 8), (4096, len(whole) // 2), (len(whole) // 2, 20000)):
        path.write_bytes(whole[:start] + bytes(size) + whole[start + size :])
        with pytest.raises(DataError, match="it can be deleted"):
            read_all(path)


def read_all(path: Path) -> None:
    with ArrayCache(path) as cache:
        for number in range(100):
            np.testing.assert_array_equal(cache.get(key(number)), content(number))


def test_a_full_disk_stops_nothing(tmp_path: Path) -> None:
    with ArrayCache(tmp_path) as cache:
        cache.put(b"before", np.ones(3))
        cache.flush()
        with largest_file(64 * 1024), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for number in range(100):
                cache.put(key(number), content(number, 10000))
                cache.flush()
        assert len(warned) == 1
        assert "nothing new is kept in the cache" in str(warned[0].message)
        np.testing.assert_array_equal(cache.get(b"before"), np.ones(3))
        cache.put(b"after", np.ones(3))
        assert cache.get(b"after") is None
    with ArrayCache(tmp_path) as cache:
        np.testing.assert_array_equal(cache.get(b"before"), np.ones(3))
        cache.put(b"after", np.ones(3))
    with ArrayCache(tmp_path) as cache:
        assert cache.get(b"after") is not None


def test_no_place_at_all_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.warns(UserWarning, match="nothing new is kept") as warned:
        cache = ArrayCache(tmp_path / "file" / "a.sqlite")
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put(b"a", np.ones(1))
        assert cache.get(b"a") is None
        cache.close()
        cache.close()


def test_fingerprints_are_those_of_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), dtype=np.uint8)
    folder = tmp_path / "a"
    folder.mkdir()
    for number, image in enumerate([*pixels, pixels[0]]):
        write_image(folder / f"{number}.png", image)
    with VideoWriter(tmp_path / "a.mp4", 10, (64, 48)) as writer:
        for image in pixels:
            writer.write(image)
    (tmp_path / "b.mp4").write_bytes((tmp_path / "a.mp4").read_bytes())
    files, array = ImageFiles(folder, 10), ImageArray(pixels, 10)
    videos = [VideoFile(tmp_path / name) for name in ("a.mp4", "b.mp4")]
    for video in videos:
        video.close()
    monkeypatch.setattr(VideoFile, "read", None)  # nothing is decoded
    monkeypatch.setattr(ImageFiles, "read", None)
    first, second = ([fingerprint(video, number) for number in range(3)] for video in videos)
    assert first == second
    of_files = [fingerprint(files, number) for number in range(4)]
    assert of_files[3] == of_files[0]
    of_array = [fingerprint(array, number) for number in range(3)]
    assert len({*first, *of_files, *of_array}) == 9
    write_image(folder / "1.png", pixels[2])
    assert fingerprint(files, 1) == of_files[2]
    (folder / "2.png").unlink()
    with pytest.raises(DataError, match="cannot read .*2.png: No such file"):
        fingerprint(files, 2)


def test_sources_of_ones_own_are_known_by_their_pixels(tmp_path: Path) -> None:
    class Darker(ImageFiles):
        def read(self, index: int) -> Any:
            return super().read(index) // 2

    write_image(tmp_path / "0.png", np.full((8, 8, 3), 200, np.uint8))
    assert fingerprint(Darker(tmp_path, 10), 0) == fingerprint(ImageArray(np.full((1, 8, 8), 100, np.uint8), 10), 0)
    assert fingerprints_module.file_fingerprint(Darker(tmp_path, 10), 0) is None


@pytest.mark.parametrize("value", [5, b"x", "", "a\0b", ["a"], "x" * 300])
def test_what_is_no_place(value: Any) -> None:
    with pytest.raises((InputError, DataError), match="the path of a cache must be a path|cannot read"):
        ArrayCache(value)
