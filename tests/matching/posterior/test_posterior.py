"""From distances to probabilities and ids, calibrated and not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior import posterior as pairing
from selfmva.matching.posterior.distance_table import DistanceTable
from selfmva.matching.posterior.fusion import FusedTable
from selfmva.matching.posterior.marginals import matching_marginals
from selfmva.matching.posterior.posterior import agree, pair_up, posteriors, similarities

TABLE = DistanceTable(np.array([0.0, 10.0]), np.array([6.0, -6.0]), 0.5)
SLOPE = FusedTable((TABLE,), np.ones(1), 0.0)


def random_chunk(frames: int, views: int, most: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, most + 1, (frames, views))
    distances = []
    for size in count.sum(axis=1):
        matrix = rng.uniform(0, 10, (size, size))
        distances.append(((matrix + matrix.T) / 2).astype(np.float32)[None])
    return distances, count


def block(matrix: np.ndarray, count: np.ndarray, i: int, j: int) -> np.ndarray:
    end = np.cumsum(count)
    return matrix[..., end[i] - count[i] : end[i], end[j] - count[j] : end[j]]


def sizes(views: int, size: int) -> np.ndarray:
    return np.full((1, views), size)


@given(frames=st.integers(1, 3), views=st.integers(2, 4), most=st.integers(1, 4), seed=st.integers(0, 999))
def test_padding_costs_time_alone(frames: int, views: int, most: int, seed: int) -> None:
    """With much padding, marginals are computed view pair by view pair."""
    distances, count = random_chunk(frames, views, most, seed)
    tables = dict.fromkeys(view_pairs(views), SLOPE)
    with pytest.MonkeyPatch.context() as patch:
        together = posteriors(distances, count, tables)
        patch.setattr(pairing, "MUCH_PADDING", 0)
        np.testing.assert_allclose(posteriors(distances, count, tables), together, atol=1e-12)


@given(frames=st.integers(1, 4), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_posteriors_of_a_chunk_are_those_of_each_block(frames: int, views: int, most: int, seed: int) -> None:
    distances, count = random_chunk(frames, views, most, seed)
    pairs = view_pairs(views)
    tables = {pair: FusedTable((TABLE,), np.ones(1), -float(number)) for number, pair in enumerate(pairs)}
    found = posteriors(distances, count, tables)
    width = int(count.max(initial=0))
    for frame in range(frames):
        log_odds = np.full((1, len(pairs), width, width), -np.inf)
        for number, (i, j) in enumerate(pairs):
            part = tables[i, j](block(distances[frame], count[frame], i, j))
            log_odds[0, number, : count[frame, i], : count[frame, j]] = part
        wanted = agree(log_odds, count[frame][None])[0]
        np.testing.assert_allclose(found[frame], wanted, atol=1e-9)
        for number, (i, j) in enumerate(pairs):
            inner = found[frame, number, : count[frame, i], : count[frame, j]]
            assert found[frame, number].sum() == pytest.approx(inner.sum())  # nothing in the padding


@given(size=st.integers(1, 4), seed=st.integers(0, 999))
def test_two_views_know_competition_alone(size: int, seed: int) -> None:
    log_odds = np.random.default_rng(seed).normal(0, 3, (1, 1, size, size))
    np.testing.assert_allclose(agree(log_odds, sizes(2, size)), matching_marginals(log_odds))


@given(size=st.integers(1, 4), seed=st.integers(0, 999))
def test_the_order_of_views_changes_no_agreement(size: int, seed: int) -> None:
    log_odds = np.random.default_rng(seed).normal(0, 3, (1, 3, size, size))
    turned = np.swapaxes(log_odds[:, ::-1], -1, -2)  # views 2, 1, 0: pairs (2, 1), (2, 0), (1, 0)
    # Messages start with the rows: what is left after the last round depends on which side they are.
    three = sizes(3, size)
    np.testing.assert_allclose(agree(turned, three), np.swapaxes(agree(log_odds, three)[:, ::-1], -1, -2), atol=0.03)


def test_third_views_speak_for_and_against() -> None:
    """Two sure pairs of views help the third; partners in a third view that are not the same hurt."""
    sure, open_, never = 6.0, 0.0, -6.0
    alone = agree(np.full((1, 1, 1, 1), open_), sizes(2, 1)).item()
    helped = agree(np.array([sure, sure, open_]).reshape(1, 3, 1, 1), sizes(3, 1))[0, 2].item()
    assert helped > alone + 0.1
    # Both boxes of views 0 and 1 have a partner in view 2, but not the same one.
    contradiction = np.full((1, 3, 2, 2), -np.inf)
    contradiction[0, 0, 0, 0] = open_
    contradiction[0, 1, 0] = sure, never
    contradiction[0, 2, 0] = never, sure
    assert agree(contradiction, sizes(3, 2))[0, 0, 0, 0] < alone - 0.1


@given(views=st.integers(3, 4), size=st.integers(1, 3), seed=st.integers(0, 999))
def test_agreement_is_one_step_by_plain_loops(views: int, size: int, seed: int) -> None:
    """A third view speaks for a pair by what it shares with both, against it by the rest of what both have there."""
    pairs = view_pairs(views)
    log_odds = np.random.default_rng(seed).normal(0, 3, (1, len(pairs), size, size))
    alone = matching_marginals(log_odds)[0]
    posterior = {
        pair: block
        for pair, one in zip(pairs, alone, strict=True)
        for pair, block in ((pair, one), (pair[::-1], one.T))
    }
    raised = log_odds.copy()
    for number, (i, j) in enumerate(pairs):
        for third in set(range(views)) - {i, j}:
            shared = posterior[i, third] @ posterior[third, j]
            both = np.outer(posterior[i, third].sum(axis=1), posterior[j, third].sum(axis=1))
            raised[0, number] += shared - (both - shared)
    np.testing.assert_allclose(agree(log_odds, sizes(views, size)), matching_marginals(raised), atol=1e-9)


@given(views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_similarities_are_the_published_ones(views: int, most: int, seed: int) -> None:
    (distances,), (count,) = random_chunk(1, views, most, seed)
    starts = np.cumsum(count) - count
    scores = similarities(distances[0], starts, count)
    for i, j in view_pairs(views):
        part = block(distances[0], count, i, j).astype(np.float64)
        assert scores[i, j].shape == part.shape
        assert scores[i, j].dtype == np.float64
        if not part.size:
            continue
        published = 1 - part / (part.max() + 1e-6)  # the small number counts where two boxes nearly coincide
        np.testing.assert_allclose(scores[i, j], published, atol=1e-5)


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
    return [matrix[None]], np.array([[n, m]])


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
    ((ids, _),) = pair_up([matrix[None]], count[None], None, 0.5)
    assert ids[0][0] == ids[2][0]


def test_no_box_anywhere() -> None:
    for tables in (None, {(0, 1): SLOPE}):
        ((ids, scores),) = pair_up([np.zeros((1, 0, 0), np.float32)], np.array([[0, 0]]), tables, 0.5)
        assert [numbers.shape for numbers in ids] == [(0,), (0,)]
        assert scores[0, 1].shape == (0, 0)
