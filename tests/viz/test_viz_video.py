"""Videos of who is who: sizes, colours over time, absent images, and what leaves no file behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.association.association import Association
from selfmva.association.tracks import Tracks
from selfmva.core.types import Frame, View
from selfmva.errors import DataError, InputError
from selfmva.io import SynchronizedReader, VideoFile
from selfmva.viz import draw_association, write_mosaic_video, write_view_videos
from selfmva.viz.tiles import GAP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VIEWS = (View("left", 161, 91), View("right", 160, 90))
BOXES = [[[20.0, 20, 60, 80]], [[90.0, 20, 130, 80]]]


def still(count: int = 4, **frame: Any) -> Iterator[Association]:
    """Two people in both views."""
    boxes = [[[20, 20, 50, 80], [100, 20, 130, 80]]] * 2
    ids = np.array([0, 1])
    for index in range(count):
        yield Association(Frame(boxes, index, **frame), VIEWS, (ids, ids), {})


def near(colour: np.ndarray, wanted: np.ndarray) -> bool:
    """A codec does not keep colours exactly."""
    return bool(np.abs(colour.astype(int) - wanted.astype(int)).max() < 50)


@pytest.mark.parametrize("ending", ["mp4", "avi"])
def test_mosaic_has_even_sides_and_colours_that_stay(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"all.{ending}"
    width = 2 * 322 + 3 * GAP - 1  # odd
    write_mosaic_video(path, still(), rate=10, width=width)
    with VideoFile(path) as video:
        assert (len(video), round(video.rate, 6), video.width % 2, video.height % 2) == (4, 10, 0, 0)
        assert video.width == width + 1
        images = [video.read(index).astype(int) for index in range(4)]
    for image in images[1:]:
        assert np.abs(image - images[0]).max() < 60
    assert images[0].max() > 150  # something is drawn


def test_tracks_are_drawn_with_their_ids(tmp_path: Path) -> None:
    ids = tuple((np.array([7, 9]),) * 2 for _ in range(3))
    sure = tuple((np.ones(2),) * 2 for _ in range(3))
    tracks = Tracks(VIEWS, tuple(one.frame for one in still(3)), ids, sure)
    write_mosaic_video(tmp_path / "all.mp4", tracks, rate=10, width=2 * 320 + 3 * GAP)
    image = VideoFile(tmp_path / "all.mp4").read(2).astype(int)
    wanted = draw_association(tracks.frames[2], tracks.ids[2], VIEWS, width=2 * 320 + 3 * GAP)
    assert np.abs(image[: len(wanted)] - wanted).mean() < 4


def test_images_come_from_frames_or_from_a_reader(tmp_path: Path) -> None:
    red = np.zeros((4, 91, 161, 3), np.uint8) + np.array([200, 30, 30], np.uint8)
    blue = np.zeros((3, 90, 160, 3), np.uint8) + np.array([30, 30, 200], np.uint8)
    width = 2 * 160 + 3 * GAP
    with SynchronizedReader([red, blue], rate=10) as reader:
        write_mosaic_video(tmp_path / "reader.mp4", still(), reader, rate=10, width=width)
        carried = (
            Association(Frame([[], []], k, images=reader[k].images), VIEWS, (np.zeros(0, int),) * 2, {})
            for k in range(4)
        )
        write_mosaic_video(tmp_path / "carried.mp4", carried, rate=10, width=width)
    for name in ("reader", "carried"):
        video = VideoFile(tmp_path / f"{name}.mp4")
        first, last = video.read(2), video.read(3)
        assert near(first[GAP + 5, GAP + 8], np.array([200, 30, 30]))
        assert near(first[GAP + 5, 2 * GAP + 168], np.array([30, 30, 200]))
        assert last[GAP + 5, 2 * GAP + 168].max() < 80  # that camera has no fourth image
        middle = last[GAP + 30 : GAP + 60, 2 * GAP + 160 : -GAP]
        assert middle.max() > 130  # it says so
        video.close()


def test_one_video_per_view(tmp_path: Path) -> None:
    files = write_view_videos(tmp_path, still(3), rate=5)
    assert files == [tmp_path / "left.mp4", tmp_path / "right.mp4"]
    assert sorted(tmp_path.iterdir()) == files
    sizes = [(len(video), video.width, video.height, video.rate) for video in map(VideoFile, files)]
    assert sizes == [(3, 162, 92, 5), (3, 160, 90, 5)]
    image = VideoFile(files[1]).read(2)
    ours, theirs = image[50:70, 20].mean(axis=0), image[50:70, 100].mean(axis=0)  # the left edges of the boxes
    assert ours[0] > ours[2] + 80  # orange
    assert theirs[2] > theirs[0] + 80  # sky blue


def test_names_of_views_become_names_of_files(tmp_path: Path) -> None:
    views = (View("../hall:1", 64, 48), View("Door", 64, 48), View("door", 64, 48))
    empty = Association(Frame([[], [], []]), views, (np.zeros(0, int),) * 3, {})
    files = write_view_videos(tmp_path, [empty], rate=5)
    assert [file.name for file in files] == ["_._hall_1.mp4", "1_Door.mp4", "2_door.mp4"]
    assert {file.parent for file in files} == {tmp_path}


def test_blur(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 90, 160, 3)).astype(np.uint8)
    person = [Association(Frame([[[20, 5, 140, 85]]], k), VIEWS[1:], (np.array([0]),), {}) for k in range(2)]
    with SynchronizedReader([noise], rate=5) as reader:
        spread = []
        for blur in (None, "people"):
            (file,) = write_view_videos(tmp_path, person, reader, rate=5, blur=blur)  # type: ignore[arg-type]
            spread.append(VideoFile(file).read(1)[20:80, 30:130].std())
    assert spread[1] < spread[0] / 2


def test_associations_are_read_one_by_one(tmp_path: Path) -> None:
    """A stream of instants does not heap up in memory."""
    alive: list[int] = []

    class Counted(Association):
        def __del__(self) -> None:
            alive.remove(self.index)

    def stream() -> Iterator[Association]:
        for one in still(30):
            alive.append(one.index)
            assert len(alive) <= 4
            yield Counted(one.frame, one.views, one.ids, {})

    write_mosaic_video(tmp_path / "all.mp4", stream(), rate=10, width=400)


@pytest.mark.parametrize("write", [write_mosaic_video, write_view_videos])
def test_errors_leave_nothing_behind(tmp_path: Path, write: Any) -> None:
    target = tmp_path if write is write_view_videos else tmp_path / "all.mp4"
    images = np.zeros((2, 90, 160, 3), np.uint8)
    with SynchronizedReader([images, images], rate=5) as other, SynchronizedReader([images], rate=5) as short:
        for associations, reader, options, said in [
            ([], None, {"rate": 5}, "needs one at least"),
            (still(), None, {"rate": 0}, "rate must be a finite number above 0"),
            (still(), None, {"rate": 5, "blur": "feet"}, "what to blur"),
            (still(), other, {"rate": 5}, r"\[\(161, 91\), \(160, 90\)\], the images of cameras of sizes"),
            (
                [Association(Frame([BOXES[1]], 7), VIEWS[1:], (np.array([0]),), {})],
                short,
                {"rate": 5},
                "no images of instant 7: the cameras have instants 0 to 1",
            ),
        ]:
            with pytest.raises(InputError, match=said):
                write(target, associations, reader, **options)
    with pytest.raises(DataError, match="cannot write"):
        write(tmp_path / "none" / "all.mp4", still(), rate=5)
    assert list(tmp_path.iterdir()) == []
