"""Pictures: what is drawn where, in which colour, and what a disk that refuses does."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from selfmva.core.types import Frame, View
from selfmva.datasets.simulated import Simulated
from selfmva.errors import DataError, InputError
from selfmva.viz import draw_association, draw_boxes, mosaic, palette, save_image
from selfmva.viz.tiles import GAP, lay_tiles

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = (View("left", 320, 180), View("right", 320, 180))
DARK = np.zeros((180, 320, 3), np.uint8)


def test_palette_is_distinct_then_repeats() -> None:
    colours = palette(42)
    assert colours.shape == (42, 3)
    assert colours.dtype == np.uint8
    assert len(np.unique(colours[:21], axis=0)) == 21
    np.testing.assert_array_equal(colours[:21], colours[21:])
    assert palette(0).shape == (0, 3)


def test_boxes_have_their_colour_and_the_image_stays() -> None:
    image = DARK.copy()
    drawn = draw_boxes(image, [[20, 60, 60, 160], [100, 60, 140, 160], [200, 60, 240, 160]], [3, 25, -1])
    assert not image.any()
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn[120, 20], palette(4)[3])
    np.testing.assert_array_equal(drawn[120, 100], palette(26)[25])
    assert len(set(drawn[120, 200].tolist())) == 1  # grey
    assert not drawn[:, 270:].any()


def test_an_id_alone_is_grey() -> None:
    drawn = draw_boxes(DARK, [[20, 60, 60, 160]], [3], alone=[3])
    assert len(set(drawn[120, 20].tolist())) == 1


def test_boxes_out_of_the_image_and_none_at_all() -> None:
    assert draw_boxes(DARK, [[-500, -500, 5000, 5000]], [1]).any()
    np.testing.assert_array_equal(draw_boxes(DARK, [], []), DARK)


@pytest.mark.parametrize(
    ("image", "boxes", "ids"),
    [
        (DARK.astype(np.float32), [[0, 0, 9, 9]], [0]),
        (DARK, [[0, 0, 9, 9]], [0, 1]),
        (DARK, [[0, 0, 9, 9]], [0.5]),
        (DARK, [[9, 9, 0, 0]], [0]),
        (DARK, [0, 0, 9], [0]),
    ],
)
def test_bad_input_to_draw_boxes(image: Any, boxes: Any, ids: Any) -> None:
    with pytest.raises(InputError):
        draw_boxes(image, boxes, ids)


def test_grey_image_is_drawn_on_in_colour() -> None:
    np.testing.assert_array_equal(
        draw_boxes(DARK[..., 0], [[5, 5, 40, 40]], [1]), draw_boxes(DARK, [[5, 5, 40, 40]], [1])
    )


def test_mosaic_keeps_each_image() -> None:
    images = [np.full((90, 160, 3), shade, np.uint8) for shade in (50, 100, 150)]
    images.append(np.full((160, 90, 3), 200, np.uint8))  # upright
    picture = mosaic(images, width=2 * 160 + 3 * GAP)
    assert picture.shape == (2 * 160 + 3 * GAP, 2 * 160 + 3 * GAP, 3)
    for shade in (50, 100, 150):
        assert (picture == shade).all(axis=2).sum() == 90 * 160
    assert (picture == 200).all(axis=2).sum() == 90 * 160
    assert mosaic(images, width=1000, columns=4).shape[0] < picture.shape[0]


@pytest.mark.parametrize(("count", "width", "columns"), [(0, 800, None), (4, 30, None), (4, 800, 0)])
def test_mosaic_without_room(count: int, width: int, columns: int | None) -> None:
    with pytest.raises(InputError):
        mosaic([DARK] * count, width=width, columns=columns)


def test_tiles_do_not_overlap_and_neighbours_touch() -> None:
    tiles = lay_tiles([(320, 180)] * 5, 1000)
    assert tiles.columns == 3
    assert sorted(tiles.neighbours()) == [(0, 1), (0, 3), (1, 2), (1, 4), (3, 4)]
    covered = np.zeros((1000, 1000), int)
    for (x, y), (w, h) in zip(tiles.corners, tiles.sizes, strict=True):
        covered[y : y + h, x : x + w] += 1
    assert covered.max() == 1
    assert lay_tiles([(320, 180)], 1000).neighbours() == []


def test_association_shows_the_same_person_in_the_same_colour() -> None:
    frame = Frame([[[40, 60, 80, 160], [200, 60, 240, 160]], [[100, 60, 140, 160]]])
    width = 2 * 320 + 3 * GAP  # tiles as large as the views
    picture = draw_association(frame, [np.array([5, 6]), np.array([5])], VIEWS, width=width)
    assert picture.shape == (180 + 2 * GAP, width, 3)
    assert picture.dtype == np.uint8
    left, right = picture[GAP + 130, GAP + 40], picture[GAP + 130, 2 * GAP + 320 + 100]
    np.testing.assert_array_equal(left, palette(6)[5])
    np.testing.assert_array_equal(right, palette(6)[5])
    assert len(set(picture[GAP + 130, GAP + 200].tolist())) == 1  # id 6 has no partner


def test_lines_join_matched_boxes_only() -> None:
    frame = Frame([[[40, 60, 80, 160]], [[100, 60, 140, 160]]])
    width = 2 * 320 + 3 * GAP
    joined = draw_association(frame, [[5], [5]], VIEWS, width=width)
    apart = draw_association(frame, [[5], [6]], VIEWS, width=width)
    gap = slice(GAP + 320, 2 * GAP + 320)
    assert len(np.unique(joined[:, gap].reshape(-1, 3), axis=0)) > 1
    assert len(np.unique(apart[:, gap].reshape(-1, 3), axis=0)) == 1


def test_images_show_through_and_are_scaled() -> None:
    frame = Frame([[], []])
    images = [np.full((360, 640, 3), (200, 10, 10), np.uint8), None]
    picture = draw_association(frame, [[], []], VIEWS, images, width=2 * 320 + 3 * GAP)
    np.testing.assert_array_equal(picture[GAP + 50, GAP + 50], [200, 10, 10])
    assert picture[GAP + 50, 2 * GAP + 320 + 50].max() < 60


def test_missing_images_are_said_to_be_missing_only_beside_others() -> None:
    frame, image = Frame([[], []]), np.full((180, 320, 3), 90, np.uint8)
    width = 2 * 320 + 3 * GAP
    right = np.s_[GAP + 30 : GAP + 150, 2 * GAP + 320 : -GAP]
    assert draw_association(frame, [[], []], VIEWS, [image, None], width=width)[right].max() > 200
    assert draw_association(frame, [[], []], VIEWS, [None, None], width=width)[right].max() > 200
    assert draw_association(frame, [[], []], VIEWS, width=width)[right].max() < 60
    carried = Frame([[], []], images=[image, None])
    np.testing.assert_array_equal(
        draw_association(carried, [[], []], VIEWS, width=width),
        draw_association(frame, [[], []], VIEWS, [image, None], width=width),
    )


def test_crossed_boxes_are_struck_out_alone() -> None:
    frame = Frame([[[40, 60, 80, 160], [200, 60, 240, 160]], []])
    width = 2 * 320 + 3 * GAP
    plain = draw_association(frame, [[0, 1], []], VIEWS, width=width)
    crossed = draw_association(frame, [[0, 1], []], VIEWS, width=width, crossed=[[False, True], []])
    _, columns = np.nonzero((plain != crossed).any(axis=2))
    assert GAP + 195 <= columns.min() < columns.max() <= GAP + 245
    assert (crossed[GAP + 110, GAP + 220] > 150).all()  # the middle, in every colour
    with pytest.raises(InputError, match="one bool per box, got .* for 2"):
        draw_association(frame, [[0, 1], []], VIEWS, crossed=[[True], []])


@pytest.mark.parametrize(
    ("sizes", "columns"),
    [
        ([(1088, 1920)] * 4, 4),
        ([(1088, 1920)] * 2, 2),
        ([(1088, 1920)] * 8, 4),
        ([(1088, 1920)], 1),
        ([(1920, 1080)] * 4, 2),
        ([(1920, 1080)] * 7, 3),
        ([(1920, 1080)] * 3 + [(1080, 1920)], 2),
    ],
)
def test_a_mosaic_is_no_higher_than_wide(sizes: list[tuple[int, int]], columns: int) -> None:
    tiles = lay_tiles(sizes, 1600)
    assert tiles.columns == columns
    lowest = max(y + h for (_, y), (_, h) in zip(tiles.corners, tiles.sizes, strict=True))
    assert lowest + GAP <= 1600 + 2 * GAP
    if len(set(sizes)) == 1 and len(sizes) > 1:
        assert tiles.sizes[0][0] == tiles.cell[0]  # no room is lost beside an image


@pytest.mark.parametrize("views", [1, 2, 5, 8])
def test_simulated_frames_can_be_drawn(views: int) -> None:
    recording = Simulated(views=views, instants=1)
    picture = draw_association(recording.frame(0), recording.identities(0), recording.views)
    assert picture.shape[1:] == (1600, 3)


def test_association_that_does_not_fit() -> None:
    frame = Frame([[[40, 60, 80, 160]], []])
    for ids, views, images in [
        ([[0]], VIEWS, None),
        ([[0], []], VIEWS[:1], None),
        ([[0], []], VIEWS, [None]),
        ([[0, 1], []], VIEWS, None),
        ([[0], []], VIEWS, [np.zeros((5, 5)), None]),
    ]:
        with pytest.raises(InputError):
            draw_association(frame, ids, views, images)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least one"):
        draw_association(Frame([]), [], [])


def test_saved_image_comes_back(tmp_path: Path) -> None:
    import cv2

    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    save_image(tmp_path / "a.png", image)
    save_image(tmp_path / "a.png", image)  # again, over the old one
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"))[:, :, ::-1], image)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for path in (tmp_path / "none" / "a.png", tmp_path / "folder.png", tmp_path / "a.xyz", tmp_path / "a"):
        with pytest.raises(DataError, match="cannot write"):
            save_image(path, DARK)
    assert [p.name for p in tmp_path.iterdir()] == ["folder.png"]
    with pytest.raises(InputError):
        save_image(tmp_path / "a.png", DARK.astype(float))


def test_importing_viz_is_light() -> None:
    code = "import sys, selfmva.viz; sys.exit(bool({'cv2', 'torch', 'scipy', 'jinja2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
