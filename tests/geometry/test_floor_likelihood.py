"""Where people stand: readings of boxes with and without a hidden foot, and what distances among strangers mean."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_t

from selfmva.core.types import View
from selfmva.geometry.floor_cameras import (
    FOCAL,
    HEIGHT,
    PARAMETERS,
    ROLL,
    TILT,
    YAW,
    X,
    Y,
    moved,
    project,
    projections,
    turned_over,
)
from selfmva.geometry.floor_likelihood import (
    FARTHEST_DISTANCE,
    LIKELIHOOD,
    FloorReadings,
    density_of_strangers,
    distances_on_floor,
    log_odds_of_distances,
    log_odds_of_visible_feet,
    read_boxes_on_floor,
)
from selfmva.geometry.sightings import turn_boxes

LEAST_STRANGERS = LIKELIHOOD.strangers * LIKELIHOOD.least_density
VIEWS = [View(f"v{k}", 1000, 1000) for k in range(3)]


def camera(x: float, y: float, yaw: float, height: float, tilt: float) -> np.ndarray:
    result = np.zeros(PARAMETERS)
    result[[X, Y, YAW, HEIGHT, TILT]] = x, y, yaw, height, tilt
    return result


def body(seen_by: np.ndarray, place: tuple[float, float], low: float = 0.0) -> np.ndarray:
    """The box of somebody who is seen from this height upwards."""
    (middle, bottom), (_, top) = project(projections(seen_by), np.array([[*place, low], [*place, 1.0]]))[0]
    half = 0.15 * (bottom - top)
    return 1000 * np.array([middle - half, top, middle + half, bottom]) + 500


def random_cameras(rng: np.random.Generator, lowest: float) -> list[np.ndarray]:
    """Three cameras at least so high, of any pose."""
    cameras = np.zeros((3, PARAMETERS))
    cameras[:, [X, Y]], cameras[:, YAW] = rng.normal(scale=5.0, size=(3, 2)), rng.uniform(-3, 3, 3)
    cameras[:, HEIGHT], cameras[:, TILT] = np.log(rng.uniform(lowest, 4.0, 3)), rng.uniform(-0.2, 0.6, 3)
    cameras[:, FOCAL], cameras[:, ROLL] = rng.normal(scale=0.3, size=3), rng.normal(scale=0.05, size=3)
    return list(cameras)


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    """Anywhere in an image of 1000 by 1000, above the horizon too, some at the border."""
    corners = np.clip(rng.uniform(-100, 1000, (count, 2)), 0, 990)
    return np.column_stack([corners, np.minimum(corners + rng.uniform(5, 400, (count, 2)), 1000)])


def readings_at(places: np.ndarray, known: np.ndarray | bool = True) -> FloorReadings:
    """People whose feet are seen."""
    count = len(places)
    near = np.broadcast_to(1e-4 * np.eye(2), (count, 2, 2))
    known = np.broadcast_to(np.asarray(known), count)
    return FloorReadings(places, near, places, near, np.ones(count), known, np.zeros(count), known)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), images=st.integers(1, 5))
def test_the_density_of_strangers_by_counting(seed: int, count: int, images: int) -> None:
    rng = np.random.default_rng(seed)
    places, image, known = rng.uniform(0, 4, (count, 2)), rng.integers(0, images, count), rng.random(count) < 0.8
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    others = (
        (apart < LIKELIHOOD.neighbourhood)
        & (image[:, None] == image)
        & known[:, None]
        & known
        & ~np.eye(count, dtype=bool)
    )
    expected = LIKELIHOOD.strangers * others.sum() / max(known.sum(), 1) / (np.pi * LIKELIHOOD.neighbourhood**2)
    found = density_of_strangers(readings_at(places, known), image)
    assert found == pytest.approx(max(expected, LEAST_STRANGERS))


def test_the_density_of_a_square_grid_of_people() -> None:
    """Nine people a body height apart from their neighbours: 4 at the corners have 3 others near, the middle all 8."""
    grid = np.stack(np.meshgrid(range(3), range(3)), axis=-1).reshape(-1, 2).astype(float)
    assert density_of_strangers(readings_at(grid), np.zeros(9, dtype=int)) == pytest.approx(
        LIKELIHOOD.strangers * (4 * 3 + 4 * 5 + 8) / 9 / (np.pi * LIKELIHOOD.neighbourhood**2)
    )


@pytest.mark.parametrize("places", [np.zeros((0, 2)), np.zeros((1, 2)), 9.0 * np.eye(2)], ids=["nobody", "one", "two"])
def test_lone_people_have_few_strangers_around_them(places: np.ndarray) -> None:
    assert density_of_strangers(readings_at(places), np.zeros(len(places), dtype=int)) == LEAST_STRANGERS


def test_people_of_other_images_and_of_views_off_the_floor_are_no_strangers() -> None:
    everywhere = np.zeros((4, 2))
    assert density_of_strangers(readings_at(everywhere), np.arange(4)) == LEAST_STRANGERS
    one = np.arange(4) == 2
    assert density_of_strangers(readings_at(everywhere, one), np.zeros(4, dtype=int)) == LEAST_STRANGERS


@pytest.mark.parametrize("strangers", [LEAST_STRANGERS, 0.1, 2.0])
def test_log_odds_fall_and_cross_zero_where_strangers_are_as_likely(strangers: float) -> None:
    distances, log_odds = log_odds_of_distances(strangers)
    assert (np.diff(distances) > 0).all()
    assert (np.diff(log_odds) < 0).all()
    assert distances[[0, -1]].tolist() == [0.0, FARTHEST_DISTANCE]
    crossing = np.sqrt(2 * (LIKELIHOOD.nearest - np.log(strangers)))  # where L = log s
    assert np.interp(crossing, distances, log_odds) == pytest.approx(0.0, abs=1e-3)


def test_the_denser_the_crowd_the_less_a_distance_means() -> None:
    few, many = (log_odds_of_distances(strangers)[1] for strangers in (0.05, 0.5))
    assert (many < few).all()
    assert np.ptp(few - many) < 1e-9  # by the same for all


@given(seed=st.integers(0, 2**32 - 1))
def test_distances_are_the_mixture_of_student_densities(seed: int) -> None:
    """Up to a constant factor of the density, against scipy."""
    rng = np.random.default_rng(seed)
    places, shapes = rng.normal(size=(2, 4, 2)), rng.normal(size=(2, 4, 2, 2))
    covariances = shapes @ np.swapaxes(shapes, -1, -2) + 0.05 * np.eye(2)
    visible = rng.uniform(size=4)
    known = np.array([True, True, True, False])
    readings = FloorReadings(
        places[0], covariances[0], places[1], covariances[1], visible, known, np.zeros(len(known)), known
    )
    distances = distances_on_floor(readings, readings)
    assert np.isnan(distances[3]).all()
    assert np.isnan(distances[:, 3]).all()
    weights = np.stack([visible, 1 - visible])
    constants = []
    for a in range(3):
        for b in range(3):
            density = sum(
                weights[r, a]
                * weights[s, b]
                * multivariate_t(places[s, b], covariances[r, a] + covariances[s, b], df=LIKELIHOOD.freedom).pdf(
                    places[r, a]
                )
                for r in range(2)
                for s in range(2)
            )
            constants.append(LIKELIHOOD.nearest - distances[a, b] ** 2 / 2 - np.log(density))
    assert np.ptp(constants) < 1e-9


@given(seed=st.integers(0, 2**32 - 1))
def test_every_box_has_a_finite_reading(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes, view = random_boxes(rng, 30), rng.integers(0, 3, 30)
    readings = read_boxes_on_floor(random_cameras(rng, 0.5), VIEWS, boxes, view)
    for covariance in (readings.foot_covariance, readings.hidden_covariance):
        size = np.trace(covariance, axis1=1, axis2=2)
        assert np.isfinite(covariance).all()
        assert (np.linalg.det(covariance / size[:, None, None]) > 0).all()
        assert (size > 0).all()
    place, weight = readings.estimates()
    assert np.isfinite(place).all()
    assert np.isfinite(weight).all()
    assert ((readings.visible >= 0) & (readings.visible <= 1)).all()
    distances = distances_on_floor(readings, readings)
    known = readings.known[:, None] & readings.known
    assert (np.isnan(distances) == ~known).all()
    assert (distances[known] >= 0).all()
    assert (distances[known] <= FARTHEST_DISTANCE).all()
    np.testing.assert_allclose(distances, distances.T, atol=1e-6)
    assert density_of_strangers(readings, view) >= LEAST_STRANGERS


@given(seed=st.integers(0, 2**32 - 1))
def test_whole_bodies_stand_where_their_feet_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    place = tuple(rng.uniform((-1, 3), (1, 8)))
    high, low = camera(0, 0, 0, np.log(2.0), 0.4), camera(4, 4, np.pi / 2, np.log(1.5), 0.2)
    readings = read_boxes_on_floor(
        [high, low, None], VIEWS, np.stack([body(high, place), body(low, place), body(low, place)]), np.arange(3)
    )
    np.testing.assert_allclose(readings.foot[:2], [place, place], atol=1e-6)
    assert (readings.visible[:2] > 0.9).all()
    assert readings.known.tolist() == [True, True, False]


@pytest.mark.parametrize("low", [0.2, 0.3, 0.4])
def test_a_head_from_above_tells_where_a_hidden_foot_is(low: float) -> None:
    """Seen from two body heights, a cut box is too short for its place; its head is not."""
    high, place = camera(0, 0, 0, np.log(2.0), 0.4), (0.2, 4.0)
    readings = read_boxes_on_floor(
        [high], VIEWS, np.stack([body(high, place), body(high, place, low)]), np.zeros(2, int)
    )
    assert readings.visible[0] > 0.9
    assert readings.visible[1] < readings.visible[0]
    assert np.linalg.norm(readings.foot[1] - place) > 0.4
    assert np.linalg.norm(readings.hidden[1] - place) < 0.2


@pytest.mark.parametrize("height", [-0.1, -0.02, 0.02, 0.1])
def test_a_hidden_foot_seen_from_eye_level(height: float) -> None:
    """Heads are on the horizon and tell nothing: a box without its lowest third is as high as one further away."""
    eye, high, (x, y) = camera(0, 0, 0, height, 0.0), camera(4, 2, np.pi / 2, np.log(2.0), 0.4), (0.1, 2.0)
    boxes = np.stack([body(eye, (x, y), 1 / 3), body(high, (x, y)), body(high, (x, y + 2))])
    readings = read_boxes_on_floor([eye, high], VIEWS, boxes, np.array([0, 1, 1]))
    assert np.linalg.norm(readings.foot[0] - (x, y)) > 0.7
    assert np.linalg.norm(readings.hidden[0] - (x, y)) < 0.3
    there, further = distances_on_floor(readings, readings)[0, 1:]
    assert there < further < FARTHEST_DISTANCE
    alone = dataclasses.replace(readings, visible=np.ones(3))
    assert (distances_on_floor(alone, alone)[0, 1] ** 2 - there**2) / 2 > np.log(5)  # so much likelier


@pytest.mark.parametrize("height", [0.0, np.log(1 + LIKELIHOOD.people_differ)])
def test_a_camera_at_the_very_height_of_the_heads(height: float) -> None:
    eye = camera(0, 0, 0, height, 0.1)
    readings = read_boxes_on_floor([eye], VIEWS, body(eye, (0.1, 3.0))[None], np.zeros(1, int))
    assert np.isfinite(distances_on_floor(readings, readings)).all()


def distances_after(turn: complex, shift: complex, cameras: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
    view = np.arange(len(boxes)) % 3
    readings = read_boxes_on_floor([moved(one, turn, shift) for one in cameras], VIEWS, boxes, view)
    return distances_on_floor(readings, readings)


@pytest.mark.parametrize("height", [1.5, 1.02, 1.0])
def test_where_the_floor_begins_changes_nothing(height: float) -> None:
    cameras = [camera(4 * np.sin(yaw), -4 * np.cos(yaw), yaw, np.log(height), 0.2) for yaw in (0.0, 2.1, 4.2)]
    places = np.random.default_rng(0).uniform(-1, 1, (12, 2))
    boxes = np.stack([body(cameras[k % 3], tuple(place), 0.3 * (k % 2)) for k, place in enumerate(places)])
    boxes[:, 1] += 15.0  # people differ: not all heads are where they should be
    before = distances_after(1.0, 0.0, cameras, boxes)
    assert np.isfinite(before).all()
    np.testing.assert_allclose(distances_after(np.exp(0.7j), 30.0 - 20.0j, cameras, boxes), before, atol=0.01)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_camera_that_hangs_upside_down_reads_the_same(seed: int) -> None:
    """One of three views, whose image is turned by 180 degrees, among upright ones of other sizes."""
    rng = np.random.default_rng(seed)
    views = [View("a", 1000, 1000), View("b", 1200, 900), View("c", 640, 480)]
    cameras, view = random_cameras(rng, 0.9), rng.integers(0, 3, 30)
    size = np.array([[v.width, v.height] for v in views])[view]
    boxes = random_boxes(rng, 30) * np.tile(size / 1000.0, 2)
    upright = read_boxes_on_floor(cameras, views, boxes, view)
    hanging = [cameras[0], turned_over(cameras[1]), cameras[2]]
    turned = np.where((view == 1)[:, None], turn_boxes(boxes, *size.T), boxes)
    found = read_boxes_on_floor(hanging, views, turned, view)
    np.testing.assert_array_equal(found.known, upright.known)
    for column in dataclasses.fields(FloorReadings):
        values, expected = (getattr(side, column.name)[upright.known] for side in (found, upright))
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_what_was_learnt_of_statures_only_adds_visible_feet() -> None:
    learnt = np.full(len(LIKELIHOOD.statures), -20.0)
    learnt[5] = 2.0
    asked = np.append(LIKELIHOOD.statures, [-5.0, 5.0])
    before, after = log_odds_of_visible_feet(asked), log_odds_of_visible_feet(asked, learnt)
    assert (after >= before).all()
    assert after[5] == 2.0
    np.testing.assert_array_equal(np.flatnonzero(after[8:-2] != before[8:-2]), [])
