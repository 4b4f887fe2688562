"""Epipolar geometry: true cameras are found again from weak matches, and chance is not trusted."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.errors import InputError
from selfmva.geometry.epipolar import epipolar_distances, fit_fundamental_matrix, head_points
from selfmva.geometry.epipolar_search import EpipolarGeometry, find_epipolar_geometry

INSTANTS = 300
ALL_SEEDS = pytest.mark.slow  # of which one or two are always run
SIZE = np.array([640.0, 480.0])


def camera(place: tuple[float, float, float], target: tuple[float, float, float]) -> np.ndarray:
    """Projection matrix of a camera with a focal length of 450 pixels that looks from `place` at `target`."""
    ahead = np.subtract(target, place) / np.linalg.norm(np.subtract(target, place))
    right = np.cross(ahead, [0, 0, 1]) / np.linalg.norm(np.cross(ahead, [0, 0, 1]))
    turn = np.stack([right, np.cross(ahead, right), ahead])
    inner = np.array([[450, 0, 320], [0, 450, 240], [0, 0, 1.0]])
    return inner @ np.column_stack([turn, -turn @ np.array(place)])


CAMERAS = (camera((0, -4, 2.5), (0, 1, 1)), camera((4, -1, 2.6), (0, 1, 1)))


def true_matrix() -> np.ndarray:
    """x_j^T F x_i = 0 from the projection matrices (Hartley and Zisserman, equation 9.1)."""
    first, second = CAMERAS
    centre = np.linalg.svd(first)[2][-1]
    a, b, c = second @ centre
    matrix = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]]) @ second @ np.linalg.pinv(first)
    return matrix / np.linalg.norm(matrix)


def seen(head: np.ndarray, projection: np.ndarray) -> np.ndarray:
    image = np.column_stack([head, np.ones(len(head))]) @ projection.T
    return image[:, :2] / image[:, 2:]


Film = tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]


def film(seed: int, *, people: int = 3, wrong: float = 0.3, noise: float = 0.03, apart: int = 0) -> Film:
    """Boxes of people who move about, legs hidden; a learnt distance that prefers a wrong box now and then.

    `apart` = how many instants later the second view is.
    """
    rng = np.random.default_rng(seed)
    heads = np.concatenate(
        [rng.uniform(-1.5, 1.5, (INSTANTS, people, 2)), rng.uniform(1.4, 2, (INSTANTS, people, 1))], 2
    )
    boxes: list[list[np.ndarray]] = [[], []]
    order = [[rng.permutation(people) for _ in range(INSTANTS)] for _ in CAMERAS]
    for view, projection in enumerate(CAMERAS):
        for t in range(INSTANTS):
            places = heads[(t + apart * view) % INSTANTS][order[view][t]]
            top, knee = seen(places, projection), seen(places - [0, 0, 1.2], projection)
            height = np.abs(knee[:, 1] - top[:, 1]) * rng.uniform(0.7, 1.2, people)
            top += rng.normal(0, noise, top.shape) * height[:, None]
            boxes[view].append(np.column_stack([top - [[20, 0]], top[:, 0] + 20, top[:, 1] + height]))
    learnt = []
    for t in range(INSTANTS):
        distance = np.where(order[0][t][:, None] == order[1][t], 0.5, 1.0) + rng.uniform(0, 0.2, (people, people))
        learnt.append(distance if rng.random() > wrong else rng.random((people, people)))
    return boxes[0], boxes[1], learnt


def find(recording: Film) -> EpipolarGeometry:
    return find_epipolar_geometry(*recording, np.arange(INSTANTS), 5)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=ALL_SEEDS), pytest.param(2, marks=ALL_SEEDS)])
@pytest.mark.parametrize("wrong", [0.0, 0.6])
def test_the_true_geometry_is_found(seed: int, wrong: float) -> None:
    found = find(film(seed, wrong=wrong))
    assert found.matrix is not None
    assert found.trusted
    assert found.margin > 6
    assert found.support > INSTANTS
    assert found.residual < 0.06
    clean = film(seed + 100, noise=0.0)
    same = np.concatenate([np.ravel(d < 0.75) for d in film(seed + 100, noise=0.0, wrong=0.0)[2]])
    errors = np.concatenate([_between(found.matrix, a, b).ravel() for a, b in zip(*clean[:2], strict=True)])
    assert np.median(errors[same]) < 0.05 < np.median(errors[~same]) / 4


def _between(matrix: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    heights = [boxes[:, 3] - boxes[:, 1] for boxes in (one, other)]
    return epipolar_distances(matrix, head_points(one), heights[0], head_points(other), heights[1])


def test_true_matches_lie_on_the_true_lines() -> None:
    one, other, learnt = film(0, noise=0.0, wrong=0.0)
    for t in range(10):
        errors = _between(true_matrix(), one[t], other[t])
        np.testing.assert_allclose(errors[learnt[t] < 0.75], 0, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=ALL_SEEDS) for seed in range(2, 6))])
def test_chance_is_not_trusted(seed: int) -> None:
    """The second view shows another time; the embedding takes it for the same."""
    assert not find(film(seed, wrong=0.0 if seed % 2 else 0.5, apart=70)).trusted


@pytest.mark.parametrize("seed", range(3))
def test_cameras_that_sway_in_step_prove_nothing(seed: int) -> None:
    """They agree on how high heads are in the image, at synchronous instants and a sway later."""
    rng = np.random.default_rng(seed)
    tilt = 60 * np.sin(2 * np.pi * np.arange(INSTANTS) / (INSTANTS / 16))
    swaying = []
    for _ in range(2):
        left, top = rng.uniform(0, 500, (INSTANTS, 4)), 200 + tilt[:, None] + rng.normal(0, 3, (INSTANTS, 4))
        swaying.append(list(np.stack([left, top, left + 40, top + 100], axis=-1)))
    learnt = [np.abs(one[:, None, 1] - other[:, 1]) for one, other in zip(*swaying, strict=True)]
    found = find((swaying[0], swaying[1], learnt))
    assert found.residual < 0.1  # they do agree
    assert not found.trusted


def test_people_who_stand_still_prove_nothing() -> None:
    one, other, learnt = film(0)
    still = [one[0]] * INSTANTS, [other[0]] * INSTANTS, [learnt[0]] * INSTANTS
    assert not find(still).trusted


def test_views_that_change_places_transpose_the_matrix() -> None:
    one, other, learnt = film(0)
    forth, back = find((one, other, learnt)), find((other, one, [d.T for d in learnt]))
    assert forth.matrix is not None
    assert back.matrix is not None
    np.testing.assert_allclose(back.matrix.T * np.sign((back.matrix.T * forth.matrix).sum()), forth.matrix, atol=1e-5)
    assert back.margin == pytest.approx(forth.margin, rel=1e-2)
    assert (back.trusted, back.support) == (forth.trusted, forth.support)


def test_the_order_of_boxes_changes_nothing() -> None:
    one, other, learnt = film(0)
    turned = [boxes[::-1] for boxes in one], other, [d[::-1] for d in learnt]
    first, second = find((one, other, learnt)), find(turned)
    assert first.matrix is not None
    assert second.matrix is not None
    np.testing.assert_allclose(second.matrix, first.matrix, atol=1e-6)
    assert (first.trusted, first.support) == (second.trusted, second.support)


def test_the_matrix_does_not_depend_on_the_resolution() -> None:
    one, other, learnt = film(0)
    small, large = find((one, other, learnt)), find(([3 * boxes for boxes in one], other, learnt))
    assert small.residual == pytest.approx(large.residual, rel=0.05)
    assert small.support == pytest.approx(large.support, rel=0.02)


def test_few_matches_give_no_matrix() -> None:
    rng = np.random.default_rng(0)
    heads, heights = rng.uniform(0, 400, (23, 2)), np.full(23, 100.0)
    assert fit_fundamental_matrix(heads, heads[::-1], heights, heights) is None


@pytest.mark.parametrize("shape", ["one place", "one line"])
def test_degenerate_matches_do_not_crash(shape: str) -> None:
    along = np.linspace(0, 400, 60) if shape == "one line" else np.full(60, 7.0)
    heads, heights = np.column_stack([along, 2 * along]), np.full(60, 100.0)
    found = fit_fundamental_matrix(heads, heads, heights, heights)
    assert found is None or np.isfinite(found).all()


def test_nobody_is_seen() -> None:
    nobody = [np.zeros((0, 4))] * INSTANTS
    found = find((nobody, nobody, [np.zeros((0, 0))] * INSTANTS))
    assert (found.matrix, found.trusted, found.support) == (None, False, 0)
    one, other, learnt = film(0)
    one[3], learnt[3] = np.zeros((0, 4)), np.zeros((0, len(other[3])))
    assert find((one, other, learnt)).trusted


def test_distances_of_no_boxes_and_of_no_geometry() -> None:
    nobody, heads, heights = np.zeros((0, 2)), np.ones((3, 2)), np.ones(3)
    assert epipolar_distances(true_matrix(), nobody, np.zeros(0), heads, heights).shape == (0, 3)
    assert epipolar_distances(true_matrix(), heads, heights, nobody, np.zeros(0)).shape == (3, 0)
    assert np.isnan(epipolar_distances(np.zeros((3, 3)), heads, heights, heads, heights)).all()
    unknown = np.array([[np.nan, np.nan], [1.0, 1.0]])
    assert np.isnan(epipolar_distances(true_matrix(), unknown, np.ones(2), heads, heights)).tolist() == [
        [True] * 3,
        [False] * 3,
    ]


def test_distances_grow_with_the_error_and_shrink_with_the_box() -> None:
    one, other, learnt = film(0, noise=0.0, wrong=0.0)
    k, m = np.argwhere(learnt[0] < 0.75)[0]
    head_i, head_j = head_points(one[0])[[k]], head_points(other[0])[[m]]
    line = true_matrix() @ [*head_i[0], 1.0]
    across = line[:2] / np.linalg.norm(line[:2])
    offsets = np.array([1.0, 2.0, 4.0])[:, None]
    far = 1e9  # a box so tall that errors in view i don't count
    found = epipolar_distances(true_matrix(), head_i, np.full(1, far), head_j + offsets * across, np.full(3, 8.0))
    np.testing.assert_allclose(found, offsets.T / 8, rtol=1e-6)


@pytest.mark.parametrize("what", ["length", "shape"])
def test_input_that_does_not_fit(what: str) -> None:
    one, other, learnt = film(0)
    if what == "length":
        one = one[:-1]
    else:
        learnt[5] = learnt[5][:, :1]
    with pytest.raises(InputError, match="one entry per instant" if what == "length" else "instant 5: expected"):
        find((one, other, learnt))
