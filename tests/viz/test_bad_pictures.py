"""What cannot be drawn is refused by name, before the memory is full."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from selfmva import Association, Associator, Frame, View
from selfmva.errors import InputError, NotFittedError
from selfmva.viz import (
    draw_association,
    draw_boxes,
    draw_floor,
    draw_tracks,
    mosaic,
    palette,
    save_image,
    write_mosaic_video,
    write_report,
    write_view_videos,
)

BOX = [[10.0, 20.0, 30.0, 80.0]]
IMAGE = np.zeros((90, 160, 3), np.uint8)
NO_PATHS = [None, 3, b"x", "", "a\0b", "x" * 5000]


def each(*values: Any) -> list[Any]:
    """Parameters by number: some of them have no text."""
    return [pytest.param(value, id=f"{number}-{type(value).__name__}") for number, value in enumerate(values)]


@cache
def fitted() -> Associator:
    return Associator.from_pretrained("wildtrack")


@cache
def association() -> Association:
    return fitted().associate([BOX] * 7)


def still(width: int = 160, height: int = 90) -> Association:
    return Association(Frame([BOX], 0), (View("door", width, height),), (np.array([0]),), {})


def draw(**changed: Any) -> Any:
    arguments = {"frame": association().frame, "ids": association().ids, "views": association().views}
    return draw_association(**arguments | changed)


@pytest.mark.parametrize(
    "changed",
    each(
        {"frame": None},
        {"frame": [BOX] * 7},
        {"frame": association},
        {"ids": None},
        {"ids": 3},
        {"ids": "0123456"},
        {"ids": {}},
        {"ids": [[0]] * 6},
        {"ids": [["a"]] * 7},
        {"ids": [[0.5]] * 7},
        {"ids": [[np.nan]] * 7},
        {"ids": [[2**63]] * 7},
        {"ids": [[0, 1]] * 7},
        {"ids": [None] * 7},
        {"views": None},
        {"views": 7},
        {"views": [(160, 90)] * 7},
        {"views": [None] * 7},
        {"images": 3},
        {"images": "door.png"},
        {"images": {}},
        {"images": [IMAGE]},
        {"images": ["a.png"] * 7},
        {"images": [IMAGE.astype(float)] * 7},
        {"width": None},
        {"width": "a"},
        {"width": 800.0},
        {"width": np.nan},
        {"width": True},
        {"width": 0},
        {"width": 20},
        {"width": 10**9},
        {"width": 10**5000},
        {"crossed": 3},
        {"crossed": [[True]]},
        {"crossed": [["no"]] * 7},
        {"crossed": [[1]] * 7},
        {"images": [IMAGE] * 7, "blur": "hands"},
    ),
)
def test_an_instant(changed: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        draw(**changed)


@pytest.mark.parametrize(
    "changed",
    each(
        {"image": None},
        {"image": [[0]]},
        {"boxes": "x"},
        {"boxes": [[1j, 2, 3, 4]]},
        {"ids": None},
        {"ids": ["a"]},
        {"alone": "a"},
        {"alone": 1j},
        {"scale": 0},
        {"scale": -1},
        {"scale": np.inf},
        {"scale": np.nan},
        {"scale": "1"},
        {"scale": 1e9},
    ),
)
def test_boxes(changed: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        draw_boxes(**{"image": IMAGE, "boxes": BOX, "ids": [0]} | changed)


@pytest.mark.parametrize("images", each(None, 3, [], [None], "ab", [[1]]))
def test_a_mosaic_of_what_are_no_images(images: Any) -> None:
    with pytest.raises(InputError, match="image"):
        mosaic(images)


@pytest.mark.parametrize("columns", each(0, -1, 1.5, "2", True))
def test_columns(columns: Any) -> None:
    with pytest.raises(InputError, match="columns"):
        mosaic([IMAGE], columns=columns)


@pytest.mark.parametrize("count", each(None, -1, 1.5, "2", True, 10**12))
def test_a_palette(count: Any) -> None:
    with pytest.raises(InputError, match="^count must be a whole number"):
        palette(count)


@pytest.mark.parametrize(
    "size",
    each(None, 900, "900", (900,), (900, 900, 3), (900, None), (900.0, 900), (np.nan, 900), (10**6, 10**6), (100, 900)),
)
def test_the_size_of_a_floor(size: Any) -> None:
    with pytest.raises(InputError, match=r"a picture( of the floor|) "):
        draw_floor(fitted().floor_, size=size)


@pytest.mark.parametrize("floor", each(3, "floor", fitted, Associator))
def test_no_floor(floor: Any) -> None:
    with pytest.raises(InputError, match="^a floor is drawn of associator.floor_"):
        draw_floor(floor)


@pytest.mark.parametrize("stream", each(None, 3, "ab", {}, Frame([BOX]), [Frame([BOX])], [None], [[BOX]], still()))
def test_what_are_no_associations(stream: Any, tmp_path: Path) -> None:
    for call in (
        lambda: draw_floor(fitted().floor_, stream),
        lambda: write_mosaic_video(tmp_path / "a.mp4", stream, rate=10),
        lambda: write_view_videos(tmp_path, stream, rate=10),
    ):
        with pytest.raises(InputError, match=r"^associations(\[0\]|) must be an"):
            call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tracks", each(None, 3, [], [still()], still()))
def test_what_are_no_tracks(tracks: Any) -> None:
    with pytest.raises(InputError, match=r"^draw_tracks\(\) needs Tracks"):
        draw_tracks(tracks)


@pytest.mark.parametrize("rate", each(None, 0, -1, np.nan, np.inf, "10", True))
def test_the_rate_of_a_video(rate: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="^rate must be"):
        write_mosaic_video(tmp_path / "a.mp4", [still()], rate=rate)
    with pytest.raises(InputError, match="^rate must be"):
        write_view_videos(tmp_path, [still()], rate=rate)


@pytest.mark.parametrize("path", each(*NO_PATHS))
def test_no_paths(path: Any) -> None:
    for call in (
        lambda: write_mosaic_video(path, [still()], rate=10),
        lambda: write_view_videos(path, [still()], rate=10),
        lambda: write_report(path, fitted()),
        lambda: save_image(path, IMAGE),
    ):
        with pytest.raises(InputError, match="must be a path"):
            call()


def test_a_video_of_a_view_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'door' has 99999 x 99999 pixels"):
        write_view_videos(tmp_path, [still(99999, 99999)], rate=10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("images", each(3, [], "door.mp4", {}, [IMAGE]))
def test_where_images_come_from(images: Any, tmp_path: Path) -> None:
    for call in (
        lambda: write_mosaic_video(tmp_path / "a.mp4", [still()], images, rate=10),
        lambda: write_view_videos(tmp_path, [still()], images, rate=10),
        lambda: write_report(tmp_path / "r.html", fitted(), [association().frame], images=images),
    ):
        with pytest.raises(InputError, match="^images must be a selfmva.io.SynchronizedReader"):
            call()


class TestReport:
    @pytest.mark.parametrize("frames", each(None, 3, "boxes.csv", {}, Frame([BOX] * 7), [3], [None]))
    def test_frames(self, frames: Any, tmp_path: Path) -> None:
        with pytest.raises(InputError):
            write_report(tmp_path / "r.html", fitted(), frames)

    @pytest.mark.parametrize(
        "identities", each(3, "a", b"a", {}, [3], ["abcdefg"], [[["a"]] * 7], [[[1.5]] * 7], [None])
    )
    def test_identities(self, identities: Any, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="identities"):
            write_report(tmp_path / "r.html", fitted(), [association().frame], identities=identities)

    @pytest.mark.parametrize("associator", each(None, 3, "wildtrack", Associator))
    def test_no_associator(self, associator: Any, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="needs a fitted Associator, got"):
            write_report(tmp_path / "r.html", associator)
        with pytest.raises(NotFittedError, match=r"call fit\(\)"):
            write_report(tmp_path / "r.html", Associator())

    def test_instants_of_one_number(self, tmp_path: Path) -> None:
        write_report(tmp_path / "r.html", fitted(), [association().frame] * 2)
        assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
