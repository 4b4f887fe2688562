"""From distances to probabilities and ids, calibrated and not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from selfmva.affinity import DistanceTable, competition
from selfmva.matching.cost import view_pairs
from selfmva.pairing import pair_up, posteriors, similarities

SLOPE = DistanceTable(np.array([0.0, 10.0]), np.array([6.0, -6.0]), 0.5)


def random_chunk(frames: int, views: int, most: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, most + 1, (frames, views))
    distances = []
    for size in count.sum(axis=1):
        matrix = rng.uniform(0, 10, (size, size))
        distances.append(((matrix + matrix.T) / 2).astype(np.float32))
    return distances, count


def block(matrix: np.ndarray, count: np.ndarray, i: int, j: int) -> np.ndarray:
    end = np.cumsum(count)
    return matrix[end[i] - count[i] : end[i], end[j] - count[j] : end[j]]


@given(frames=st.integers(1, 4), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_posteriors_of_a_chunk_are_those_of_each_block(frames: int, views: int, most: int, seed: int) -> None:
    distances, count = random_chunk(frames, views, most, seed)
    pairs = view_pairs(views)
    tables = {pair: DistanceTable(SLOPE.distances, SLOPE.log_odds - number, 0.5) for number, pair in enumerate(pairs)}
    found = posteriors(distances, count, tables)
    for frame in range(frames):
        for number, (i, j) in enumerate(pairs):
            wanted = competition(tables[i, j](block(distances[frame], count[frame], i, j)))
            inner = found[frame, number, : count[frame, i], : count[frame, j]]
            np.testing.assert_allclose(inner, wanted, atol=1e-9)
            assert found[frame, number].sum() == pytest.approx(wanted.sum())  # nothing in the padding


@given(views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_similarities_are_the_published_ones(views: int, most: int, seed: int) -> None:
    (distances,), (count,) = random_chunk(1, views, most, seed)
    starts = np.cumsum(count) - count
    scores, links = similarities(distances, starts, count)
    np.testing.assert_array_equal(links, links.T)
    for i, j in view_pairs(views):
        part = block(distances, count, i, j).astype(np.float64)
        assert scores[i, j].shape == part.shape
        assert scores[i, j].dtype == np.float64
        if not part.size:
            continue
        np.testing.assert_allclose(scores[i, j], 1 - part / part.max(), atol=1e-5)
        matched = block(links, count, i, j) >= 0
        assert np.argwhere(matched).tolist() == np.stack(linear_sum_assignment(part), axis=1).tolist()


@pytest.mark.parametrize("calibrated", [True, False])
@given(frames=st.integers(1, 3), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_ids_of_a_view_are_unique(calibrated: bool, frames: int, views: int, most: int, seed: int) -> None:
    distances, count = random_chunk(frames, views, most, seed)
    tables = dict.fromkeys(view_pairs(views), SLOPE) if calibrated else None
    results = pair_up(distances, count, tables, 0.5)
    assert len(results) == frames
    for (ids, scores), counts in zip(results, count, strict=True):
        assert [len(numbers) for numbers in ids] == counts.tolist()
        assert all(len(set(numbers.tolist())) == len(numbers) for numbers in ids)
        assert set(scores) == set(view_pairs(views))


def two_views(*rows: list[float]) -> tuple[list[np.ndarray], np.ndarray]:
    cross = np.array(rows)
    n, m = cross.shape
    matrix = np.zeros((n + m, n + m), np.float32)
    matrix[:n, n:], matrix[n:, :n] = cross, cross.T
    return [matrix], np.array([[n, m]])


@pytest.mark.parametrize(("threshold", "same"), [(0.0, True), (0.5, True), (0.8, True), (0.9, False), (0.99, False)])
def test_boxes_are_joined_above_the_threshold(threshold: float, same: bool) -> None:
    """Distance 3.5 has log-odds 1.8, probability 0.858."""
    distances, count = two_views([3.5])
    ((ids, scores),) = pair_up(distances, count, {(0, 1): SLOPE}, threshold)
    assert scores[0, 1].item() == pytest.approx(1 / (1 + np.exp(-1.8)), abs=1e-6)
    assert (ids[0][0] == ids[1][0]) == same


def test_uncalibrated_ids_are_the_optimal_assignment() -> None:
    distances, count = two_views([1.0, 5.0, 9.0], [5.0, 9.0, 4.0])
    ((ids, _),) = pair_up(distances, count, None, 0.5)
    assert ids[0].tolist() == [0, 1]
    assert ids[1].tolist() == [0, 2, 1]


def test_an_uncalibrated_lone_pair_is_joined() -> None:
    """Its similarity is 0, whatever the distance: the published matches take it."""
    distances, count = two_views([9.0])
    ((ids, scores),) = pair_up(distances, count, None, 0.5)
    assert ids[0].tolist() == ids[1].tolist() == [0]
    assert scores[0, 1].item() == pytest.approx(0.0, abs=1e-5)


def test_an_uncalibrated_triangle_goes_with_the_majority() -> None:
    """Two good matches of three outweigh the third pair, which the assignment did not make."""
    count = np.array([1, 1, 2])
    matrix = np.full((4, 4), 9.0)
    for a, b, distance in ((0, 1, 1.0), (0, 2, 1.0), (1, 3, 2.0), (1, 2, 2.1), (0, 3, 9.0)):
        matrix[a, b] = matrix[b, a] = distance
    _, links = similarities(matrix, np.cumsum(count) - count, count)
    assert links[1, 2] < 0 < links[0, 2]
    ((ids, _),) = pair_up([matrix], count[None], None, 0.5)
    assert ids[0][0] == ids[2][0]


def test_no_box_anywhere() -> None:
    for tables in (None, {(0, 1): SLOPE}):
        ((ids, scores),) = pair_up([np.zeros((0, 0), np.float32)], np.array([[0, 0]]), tables, 0.5)
        assert [numbers.shape for numbers in ids] == [(0,), (0,)]
        assert scores[0, 1].shape == (0, 0)
