"""The picture of the floor: footprints are what the images show, and what is said can be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from small_scenes import scene
from true_floors import true_association, true_floor, without
from true_tracks import true_tracks

from selfmva.core.types import View
from selfmva.errors import InputError
from selfmva.geometry.floor import Floor
from selfmva.viz import draw_floor, draw_tracks, palette
from selfmva.viz.draw import CANVAS, colour_of
from selfmva.viz.floor import QUIET, footprint
from selfmva.viz.floor_people import PAST
from selfmva.viz.labels import broken, free_place, shortened, text_size

if TYPE_CHECKING:
    from collections.abc import Callable

SCENE = scene()
FLOOR = true_floor(SCENE)
FOOTPRINTS = 0.02  # least fraction of the picture
VISIBLE = 8  # of 255 levels
ROUNDING = 5e-4  # of all pixels: ten dots of this picture that lie one pixel aside


def pixels_of(picture: np.ndarray, colour: Any) -> int:
    return int((picture == np.array(colour)).all(axis=2).sum())


def fraction_apart(one: np.ndarray, other: np.ndarray) -> float:
    """Fraction of pixels that differ to the eye: kernels of linear algebra round differently, which moves an edge."""
    return float((np.abs(one.astype(int) - other).max(axis=2) > VISIBLE).mean())


def associations(floor: Floor | None = FLOOR) -> list[Any]:
    return [true_association(SCENE, index, floor) for index in range(40, 60)]


def contains(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.array([cv2.pointPolygonTest(polygon.astype(np.float32), p, False) >= 0 for p in points.tolist()])


@pytest.mark.parametrize("view", range(3))
@pytest.mark.parametrize("reach", [6.0, 9.0, 1e4])
def test_a_footprint_holds_what_the_image_shows(view: int, reach: float) -> None:
    """A place is inside where the true camera sees it and it is near enough."""
    places = np.random.default_rng(view).uniform(-20, 30, (4000, 2))
    image = np.column_stack([places, np.ones(len(places))]) @ SCENE.homographies[view].T
    pixels = image[:, :2] / image[:, 2:]
    inside = (image[:, 2] > 0) & ((pixels > 0) & (pixels < (1280, 720))).all(axis=1)
    camera = FLOOR.camera_places[view]
    assert camera is not None
    near = np.hypot(*(places - camera[:2]).T) <= reach
    wrong = contains(footprint(FLOOR, view, reach), places) != (inside & near)
    assert wrong.mean() < 0.002  # the circle is a polygon
    assert (inside & near).any()


def test_an_image_that_shows_no_floor() -> None:
    camera = np.zeros(10)
    camera[1] = -1.2  # looks at the ceiling
    floor = Floor((View("roof", 640, 480),), (camera,), {})
    assert footprint(floor, 0, 50.0).shape == (0, 2)
    assert draw_floor(floor).shape == (900, 900, 3)


def test_footprints_cameras_and_people_are_there() -> None:
    empty, picture = draw_floor(FLOOR), draw_floor(FLOOR, associations())
    assert picture.dtype == np.uint8
    for colour in palette(3):
        assert pixels_of(picture, colour) > 100  # the mark of the camera
    assert (empty != CANVAS).any(axis=2).mean() > FOOTPRINTS
    assert pixels_of(picture, PAST) > 20
    assert pixels_of(empty, PAST) == 0
    last = associations()[-1]
    for identity in np.unique(np.concatenate(last.ids)).tolist():
        assert pixels_of(picture, colour_of(identity)) > pixels_of(empty, colour_of(identity)) + 100


def test_tracks_are_lines_in_the_colours_of_their_ids() -> None:
    tracks = replace(true_tracks(SCENE, range(40, 60)), floor=FLOOR)
    picture = draw_tracks(tracks)
    assert pixels_of(picture, QUIET) > 100  # cameras have no colour of a person
    for identity in tracks.people:
        where = np.argwhere((picture == colour_of(identity)).all(axis=2))[:, ::-1]
        assert len(where) > 50
    with pytest.raises(InputError, match="there is no floor to draw"):
        draw_tracks(replace(tracks, floor=None))


def test_who_was_seen_once_went_nowhere() -> None:
    whole = replace(true_tracks(SCENE, range(40, 60)), floor=FLOOR)
    once = replace(whole, frames=whole.frames[:1], ids=whole.ids[:1], confidences=whole.confidences[:1])
    assert pixels_of(draw_tracks(once), PAST) > 5
    assert not any(pixels_of(draw_tracks(once), colour_of(identity)) for identity in whole.people)


def test_a_generator_will_do_and_nothing_is_changed() -> None:
    picture = draw_floor(FLOOR, (association for association in associations()))
    assert fraction_apart(picture, draw_floor(FLOOR, associations())) < ROUNDING


def test_the_unit_of_the_associations_does_not_matter() -> None:
    """A length that became known after the fact applies to places that were found before."""
    feet = replace(FLOOR, unit=FLOOR.unit * 3.28)
    picture = draw_floor(feet, associations(feet))
    assert fraction_apart(draw_floor(feet, associations()), picture) < ROUNDING
    assert (
        fraction_apart(draw_floor(feet, associations()[:-1]), picture) > 2 * ROUNDING
    )  # people one step aside are seen


def test_people_without_a_floor_are_left_out() -> None:
    assert fraction_apart(draw_floor(FLOOR, associations(None)), draw_floor(FLOOR)) < ROUNDING


@pytest.mark.parametrize("size", [(240, 240), (400, 300), (300, 700), (1600, 900)])
def test_any_size(size: tuple[int, int]) -> None:
    picture = draw_floor(FLOOR, associations(), size=size)
    assert picture.shape == (size[1], size[0], 3)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, np.ndarray]]:
    """What is written into pictures, and where: x1, y1, x2, y2."""
    found = []

    def write(canvas: np.ndarray, text: str, origin: tuple[int, int], scale: float) -> np.ndarray:
        width, height = text_size(text, scale)
        assert 0 <= origin[0] <= canvas.shape[1] - width, text
        assert height * 0.7 <= origin[1] <= canvas.shape[0] - 0.2 * height, text
        found.append((text, np.array([origin[0], origin[1] - 0.7 * height, origin[0] + width, origin[1]])))
        return canvas

    monkeypatch.setattr("selfmva.viz.floor.write", write)
    return found


def assert_apart(found: list[tuple[str, np.ndarray]]) -> None:
    for number, (text, one) in enumerate(found):
        for other_text, other in found[:number]:
            overlap = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
            assert (overlap <= 0).any(), (text, other_text)


@pytest.mark.parametrize("size", [(900, 900), (500, 400)])
@pytest.mark.parametrize(("views", "off"), [(2, ()), (2, (0,)), (4, ()), (4, (0, 1)), (8, ()), (8, (0, 1, 2, 3, 4))])
def test_no_text_covers_another_or_is_cut(
    written: list[tuple[str, np.ndarray]], views: int, size: tuple[int, int], off: tuple[int, ...]
) -> None:
    floor = without(true_floor(scene(views=views)), *off)
    draw_floor(floor, size=size)
    names = [text for text, _ in written]
    assert {f"camera{view}" for view in floor.views_on_floor} <= set(names)
    missing = [name for name in names if name.startswith("not on the floor")]
    assert missing == (["not on the floor: " + ", ".join(f"camera{view}" for view in off)] if off else [])
    assert_apart(written)


def test_long_names_and_many_of_them(written: list[tuple[str, np.ndarray]]) -> None:
    floor = true_floor(scene(views=8))
    views = tuple(View(f"{number} {'long ' * 12}name", 1280, 720) for number in range(8))
    draw_floor(without(replace(floor, views=views), 0, 1, 2, 3), size=(600, 600))
    assert_apart(written)
    assert sum("..." in text for text, _ in written) == 4


def test_cameras_at_one_place_have_names_apart(written: list[tuple[str, np.ndarray]]) -> None:
    camera = true_floor(SCENE).cameras[0]
    views = tuple(View(f"camera{number}", 640, 480) for number in range(4))
    draw_floor(Floor(views, (camera,) * 4, {}))
    assert_apart(written)


@pytest.mark.parametrize(
    ("unit", "words"), [(1.0, ["2 body heights", "5 body heights", "1 body height"]), (1.7, ["2 units", "5 units"])]
)
def test_the_scale_bar_has_a_unit(written: list[tuple[str, np.ndarray]], unit: float, words: list[str]) -> None:
    draw_floor(true_floor(SCENE, unit=unit))
    assert [text for text, _ in written if text in words]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_floor(None), "there is no floor to draw: fit"),
        (lambda: draw_floor(without(FLOOR, 0, 1, 2)), "there is no floor to draw"),
        (lambda: draw_floor(FLOOR, size=(900, 200)), r"from 240 to 8192, got 200"),
        (lambda: draw_floor(true_floor(scene(views=2)), associations()), "instant 40 is of other cameras"),
        (lambda: footprint(without(FLOOR, 1), 1, 5.0), "view 1 .*is not on the floor"),
    ],
)
def test_bad_input(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_words_are_shortened_and_broken_to_fit() -> None:
    words = ["not", "on", "the", "floor:", "w" * 90]
    for width in (120, 300):
        lines = broken(words, width, 0.8)
        assert all(text_size(line, 0.8)[0] <= width for line in lines)
        assert " ".join(lines).startswith("not on the floor: www")
        assert lines[-1].endswith("...")
    assert shortened("door", 5, 1.0) == "..."


def test_a_label_goes_where_it_covers_nothing() -> None:
    point, away, size = np.array([200.0, 200.0]), np.array([0.0, 20.0]), (80, 20)
    alone = free_place(point, away, size, [], (400, 400))
    assert alone.tolist() == [160.0, 220.0, 240.0, 240.0]  # straight below, as it was asked
    taken = [alone, np.array([0.0, 230.0, 400.0, 400.0])]
    x1, _, x2, y2 = free_place(point, away, size, taken, (400, 400))
    assert y2 <= 220.0 or x1 >= 240.0 or x2 <= 160.0
    corner = free_place(np.array([399.0, 399.0]), away, size, [], (400, 400))
    assert (corner[2:] <= 400).all()
    assert free_place(point, away, size, [np.array([0.0, 0.0, 400.0, 400.0])], (400, 400)).shape == (4,)
