"""A floor of known cameras: places, homographies, projections and units against the simulator's own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_scenes import scene
from true_floors import BODY, true_floor, without

from selfmva.errors import InputError
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import turned_over

SCENE = scene()
FLOOR = true_floor(SCENE)
METRES = np.random.default_rng(0).uniform((1, 1), (11, 8), (50, 2))


def seen(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    image = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return image[:, :2] / image[:, 2:]


@pytest.mark.parametrize("view", range(3))
def test_true_cameras_are_the_simulator_s(view: int) -> None:
    """Ten numbers of a camera and a unit say as much as a projection from metres."""
    projection, homography, place = FLOOR.projections[view], FLOOR.homographies[view], FLOOR.camera_places[view]
    assert projection is not None
    assert homography is not None
    assert place is not None
    np.testing.assert_allclose(projection / projection[2, 3], SCENE.projections[view] / SCENE.projections[view][2, 3])
    np.testing.assert_allclose(seen(homography, seen(SCENE.homographies[view], METRES)), METRES, atol=1e-9)
    np.testing.assert_allclose(SCENE.projections[view] @ [*place, 1.0], 0.0, atol=1e-9)


@pytest.mark.parametrize("view", range(3))
def test_place_inverts_the_projection(view: int) -> None:
    np.testing.assert_allclose(FLOOR.place(view, seen(SCENE.homographies[view], METRES)), METRES, atol=1e-9)


def test_in_body_heights() -> None:
    """Without a known length, a floor is the same up to a factor, heights included."""
    bodies = true_floor(SCENE, unit=1.0)
    pixels = seen(SCENE.homographies[1], METRES)
    np.testing.assert_allclose(bodies.place(1, pixels) * BODY, METRES, atol=1e-9)
    for in_bodies, in_metres in zip(bodies.camera_places, FLOOR.camera_places, strict=True):
        assert in_bodies is not None
        assert in_metres is not None
        np.testing.assert_allclose(BODY * in_bodies, in_metres)
    assert bodies.projections[0] is not None
    heads_on_floor = np.column_stack([METRES / BODY, np.ones(len(METRES))])
    heads = np.column_stack([METRES, np.full(len(METRES), BODY)])
    np.testing.assert_allclose(seen(bodies.projections[0], heads_on_floor), seen(SCENE.projections[0], heads))


def test_homographies_between_views() -> None:
    for i, j in [(0, 1), (2, 0), (1, 1)]:
        found = seen(FLOOR.homography(i, j), seen(SCENE.homographies[i], METRES))
        np.testing.assert_allclose(found, seen(SCENE.homographies[j], METRES))
        np.testing.assert_allclose(FLOOR.homography(i, j), true_floor(SCENE, unit=3.0).homography(i, j), atol=1e-9)


def test_nothing_stands_above_the_horizon() -> None:
    """The horizon is where the floor's two vanishing points are; one pixel above it there is no floor."""
    along, across, _ = SCENE.homographies[0].T
    line = np.cross(along, across)
    row = -(line[0] * 640 + line[2]) / line[1]
    places = FLOOR.place(0, [[640, row + 1], [640, row - 1], [640, -5000]])
    assert np.isfinite(places[0]).all()
    assert np.isnan(places[1:]).all()
    assert FLOOR.place(0, np.zeros((0, 2))).shape == (0, 2)


@given(st.floats(0.01, 1e4), st.integers(0, 2))
def test_one_known_length_gives_the_unit(length: float, view: int) -> None:
    """Whatever unit a length is told in, and whatever the unit was before."""
    pixels = seen(SCENE.homographies[view], np.array([[3.0, 3.0], [6.0, 7.0]]))
    floor = true_floor(SCENE, unit=0.3).with_length(view, pixels[0].tolist(), pixels[1].tolist(), length)
    assert floor.unit == pytest.approx(BODY * length / 5.0)
    assert np.linalg.norm(np.diff(floor.place(view, pixels), axis=0)) == pytest.approx(length)
    assert floor.views == SCENE.views


@pytest.mark.parametrize(
    ("start", "end", "length"),
    [
        ((600, 500), (700, 500), 0.0),
        ((600, 500), (700, 500), -2.0),
        ((600, 500), (700, 500), float("nan")),
        ((600, 500), (600, 500), 2.0),
        ((600, -5000), (700, 500), 2.0),
    ],
)
def test_a_length_that_is_none(start: tuple[float, float], end: tuple[float, float], length: float) -> None:
    with pytest.raises(InputError, match="with_length needs two points on the floor|length must be .* above 0"):
        FLOOR.with_length(0, start, end, length)


def test_a_view_off_the_floor() -> None:
    floor = without(FLOOR, 1)
    assert floor.views_on_floor == (0, 2)
    assert [floor.homographies[1], floor.projections[1], floor.camera_places[1]] == [None] * 3
    for call in (
        lambda: floor.place(1, [[0, 0]]),
        lambda: floor.homography(0, 1),
        lambda: floor.homography(1, 0),
        lambda: floor.with_length(1, (0, 0), (1, 1), 1.0),
    ):
        with pytest.raises(InputError, match=r"view 1 \('camera1'\) is not on the floor"):
            call()


@pytest.mark.parametrize("view", [-1, 3])
def test_a_view_that_there_is_not(view: int) -> None:
    with pytest.raises(InputError, match=f"there is no view {view}; views are 0 to 2"):
        FLOOR.place(view, [[0, 0]])


def test_trust_is_of_pairs_in_either_order() -> None:
    supports: Any = {(0, 1): SimpleNamespace(trusted=True), (0, 2): SimpleNamespace(trusted=False)}
    floor = Floor(FLOOR.views, FLOOR.cameras, supports)
    assert (floor.trusted(0, 1), floor.trusted(1, 0)) == (True, True)
    assert (floor.trusted(0, 2), floor.trusted(2, 0)) == (False, False)
    assert not floor.trusted(1, 2)  # nothing is known
    assert repr(floor) == "Floor(3 of 3 views on it, 1 of 2 pairs trusted)"


def test_views_that_hang_upside_down_are_named() -> None:
    """Their homographies are those of images turned by 180 degrees."""
    assert FLOOR.views_upside_down == ()
    turned = [turned_over(camera) if view == 1 else camera for view, camera in enumerate(FLOOR.cameras)]
    floor = Floor(FLOOR.views, (*turned[:2], None), {}, FLOOR.unit)
    assert floor.views_upside_down == (1,)
    assert floor.reordered([1, 0, 2]).views_upside_down == (0,)
    size = np.array([FLOOR.views[1].width, FLOOR.views[1].height])
    np.testing.assert_allclose(floor.place(1, size - [[300, 400]]), FLOOR.place(1, np.array([[300, 400]])))
