"""Arguments and files that are no images: refused by errors of ours, before memory or patience ends."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.core.types import View
from selfmva.errors import DataError, InputError, SelfMVAError
from selfmva.io import ImageArray, ImageFiles, SynchronizedReader, VideoFile, VideoWriter, resolve_views, write_image
from selfmva.io.video.common_clock import common_instants

if TYPE_CHECKING:
    from pathlib import Path

_NO_PATH = "must be a path|expected a (video|folder)"
FILM = np.zeros((5, 4, 6, 3), np.uint8)


@pytest.mark.parametrize("value", [5, None, b"a.mp4", "", "a\0.mp4", 2.5])
def test_what_is_no_path(value: Any) -> None:
    for call in (VideoFile, lambda v: VideoWriter(v, 10, (8, 8)), lambda v: SynchronizedReader([v, v], rate=5)):
        with pytest.raises(InputError, match=_NO_PATH):
            call(value)
    with pytest.raises(InputError, match=_NO_PATH):
        ImageFiles([value], 10)
    with pytest.raises(InputError, match=_NO_PATH):
        ImageFiles(value, 10)
    with pytest.raises(InputError):
        resolve_views([value, (5, 5)])


@pytest.mark.parametrize("kind", ["device", "pipe", "circle", "long", "surrogate"])
def test_what_is_no_file(tmp_path: Path, kind: str) -> None:
    for ending in (".mp4", ".png"):
        path = tmp_path / f"{kind}{ending}"
        if kind == "device":
            path.symlink_to("/dev/zero")
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "circle":
            path.symlink_to(path)
        else:
            path = tmp_path / ({"long": "x" * 300, "surrogate": "\ud800"}[kind] + ending)
        calls = [VideoFile, lambda p: resolve_views([p, (5, 5)]), lambda p: SynchronizedReader([p], rate=5)]
        for call in [lambda p: ImageFiles([p], 5)] if ending == ".png" else calls:
            with pytest.raises(InputError if kind in {"long", "surrogate"} else DataError):
                call(path)


@pytest.mark.parametrize("size", [(8, 8, 3), 8, "88", (8,), None, (8, "8"), (8.0, 8), {8: 8}])
def test_sizes_that_are_none(tmp_path: Path, size: Any) -> None:
    with pytest.raises(InputError, match="size must be width and height|in pixels must be a whole number"):
        VideoWriter(tmp_path / "a.mp4", 10, size)


@pytest.mark.parametrize(
    "times", ["abcde", [1, 2, 3, 4, "x"], [0, 1, 2, 3, 10**400], [[0, 1, 2, 3, 4]], 5, [0, 1j, 2, 3, 4]]
)
def test_times_that_are_none(times: Any) -> None:
    with pytest.raises(InputError, match="times must be 5 finite seconds"):
        ImageArray(FILM, times=times)


@pytest.mark.parametrize("sources", [3, None, (film for film in [FILM]), "a.mp4", b"ab", [], {}, {"a": FILM}])
def test_what_are_no_sources(sources: Any) -> None:
    with pytest.raises(InputError, match="sources must be a sequence with one entry per camera"):
        SynchronizedReader(sources, rate=5)


@pytest.mark.parametrize(
    "options",
    [
        {"rate": 1e12},
        {"rate": 10, "start_offsets_seconds": (0, 1e12)},
        {"rate": 10, "start_offsets_seconds": (-1e300, 0)},
        {"rate": 1e308},
        {"rate": 10, "start_offsets_seconds": (0, 1e308)},
    ],
)
def test_clocks_that_tick_for_ever(options: dict[str, Any]) -> None:
    sources = [ImageArray(FILM, rate=10), ImageArray(FILM, rate=10)]
    with pytest.raises(InputError, match="instants for 10 images; check the rate, the offsets and the times"):
        SynchronizedReader(sources, **options)


def test_clocks_that_tick_for_long() -> None:
    """A day between two cameras, or a rate that is much too high for one of them, is odd and no mistake."""
    assert len(common_instants([np.arange(9.0), np.arange(9.0) + 86_400], 10, 0)) == 864_081
    week = np.arange(1_000_000) / 2
    assert len(common_instants([week], 25, 0)) == 12_499_976 + 12


@pytest.mark.parametrize("index", [1.5, "0", None, slice(0, 2), True, [0]])
def test_what_is_no_instant(index: Any) -> None:
    with (
        SynchronizedReader([FILM], rate=5) as reader,
        pytest.raises(InputError, match="must be a whole number"),
    ):
        reader[index]


def test_instants_that_there_are_not() -> None:
    with SynchronizedReader([FILM], rate=5) as reader:
        for index in (5, 10**6, -6, 10**18):
            with pytest.raises(InputError, match=f"there are 5 instants, got {index}"):
                reader[index]
            with pytest.raises(IndexError):  # which ends Python's own loops over what can be indexed
                reader[index]
        assert reader[np.int64(4)].index == reader[-1].index == 4


class TestSourcesByName:
    VIEWS = (View("door", 6, 4), View("hall", 6, 4))

    def test_in_the_order_of_views(self, tmp_path: Path) -> None:
        for brightness, name in enumerate(("hall", "door"), start=1):
            (tmp_path / name).mkdir()
            for number in range(2):
                write_image(tmp_path / name / f"{number}.png", np.full((4, 6, 3), brightness, np.uint8))
        given = [tmp_path / "hall", tmp_path / "door"]
        for sources in (given, [f"{path}/*.png" for path in given], [sorted(path.iterdir()) for path in given]):
            with SynchronizedReader(sources, rate=5, views=self.VIEWS, start_offsets_seconds=(0.2, 0)) as reader:
                assert [view.name for view in reader.views] == ["door", "hall"]
                first = reader[1]
                assert [int(image.max()) for image in first.images if image is not None] == [2, 1]
                assert reader[0].images[1] is None  # the offset stayed with its camera

    def test_some_names_alone(self) -> None:
        door, attic = (ImageArray(FILM, 5, name=name) for name in ("door", "attic"))
        with pytest.raises(InputError, match="the cameras are called door, attic, the views door, hall"):
            SynchronizedReader([door, attic], views=self.VIEWS)
        with pytest.raises(InputError, match="1 cameras for 2 views"):
            SynchronizedReader([door], views=self.VIEWS)

    def test_none_of_the_names(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            SynchronizedReader([FILM, ImageArray(FILM, 5, name="x")], rate=5, views=self.VIEWS)
        assert "taken in the order given: camera 0 for door, x for hall" in caplog.text


def test_folders_of_links_are_called_like_themselves(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "door").mkdir()
    write_image(tmp_path / "store" / "0.png", np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "door" / "0.png").symlink_to(tmp_path / "store" / "0.png")
    assert ImageFiles(tmp_path / "door", 5).name == "door"


def test_errors_are_ours() -> None:
    with pytest.raises(SelfMVAError):
        ImageFiles({"a": 1}, 5)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize(
    ("view", "index"), [(0, 5), (0, -1), (1, 0), (-1, 0), (0, 1.5), ("a", 0), (0, None), (0, 10**30)]
)
def test_views_and_instants_of_a_reader(view: Any, index: Any) -> None:
    with SynchronizedReader([FILM], rate=5) as reader:
        for call in (reader.read, reader.number):
            with pytest.raises(InputError, match="numbered from 0, got"):
                call(view, index)


def test_reading_ahead_of_the_end() -> None:
    with SynchronizedReader([FILM], rate=5, read_ahead=10**18) as reader:
        assert len(list(reader)) == 5


@pytest.mark.parametrize("views", [5, "ab", [(6, 4)], {0: 1}, [View("a", 6, 4)] * 2])
def test_what_are_no_views(views: Any) -> None:
    with pytest.raises(InputError, match="views must be|two views are called"):
        SynchronizedReader([FILM, FILM], rate=5, views=views)


@pytest.mark.parametrize("size", [(2**31, 2**31), (10**30, 2), (10**9, 10**9)])
def test_sizes_that_no_codec_takes(tmp_path: Path, size: Any) -> None:
    with pytest.raises(InputError, match="in pixels must be a whole number from 1 to"):
        VideoWriter(tmp_path / "a.mp4", 10, size)
    assert list(tmp_path.iterdir()) == []
