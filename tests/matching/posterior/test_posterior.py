"""From distances to probabilities and ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.grouping.groups import group_frames
from selfmva.matching.posterior import posterior as pairing
from selfmva.matching.posterior.distance_table import DistanceTable
from selfmva.matching.posterior.fusion import FusedTable
from selfmva.matching.posterior.marginals import matching_marginals
from selfmva.matching.posterior.posterior import agree, bounded_log_odds, posteriors, symmetric

TABLE = DistanceTable(np.array([0.0, 10.0]), np.array([6.0, -6.0]), 0.5)
SLOPE = FusedTable({"slope": TABLE}, {"slope": 1.0}, 0.0)
Distances = list[dict[str, np.ndarray]]  # of every frame, by cue


def random_chunk(frames: int, views: int, most: int, seed: int) -> tuple[Distances, np.ndarray]:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, most + 1, (frames, views))
    distances = []
    for size in count.sum(axis=1):
        matrix = rng.uniform(0, 10, (size, size))
        distances.append({"slope": ((matrix + matrix.T) / 2).astype(np.float32)})
    return distances, count


def block(matrix: np.ndarray, count: np.ndarray, i: int, j: int) -> np.ndarray:
    end = np.cumsum(count)
    return matrix[..., end[i] - count[i] : end[i], end[j] - count[j] : end[j]]


def ids_of(posterior: np.ndarray, count: np.ndarray, threshold: float) -> list[list[np.ndarray]]:
    """Ids of the boxes of every frame and view, as `associate_frames` has them."""
    links = symmetric(bounded_log_odds(posterior), count.shape[1])
    numbers = group_frames(links, count, float(bounded_log_odds(np.array(threshold))))
    return [
        [ids[:size] for ids, size in zip(found, own, strict=True)] for found, own in zip(numbers, count, strict=True)
    ]


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
    tables = {pair: FusedTable({"slope": TABLE}, {"slope": 1.0}, -float(number)) for number, pair in enumerate(pairs)}
    found = posteriors(distances, count, tables)
    width = int(count.max(initial=0))
    for frame in range(frames):
        log_odds = np.full((1, len(pairs), width, width), -np.inf)
        for number, (i, j) in enumerate(pairs):
            part = tables[i, j]({"slope": block(distances[frame]["slope"], count[frame], i, j)})
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


@given(frames=st.integers(1, 3), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_ids_of_a_view_are_unique(frames: int, views: int, most: int, seed: int) -> None:
    distances, count = random_chunk(frames, views, most, seed)
    posterior = posteriors(distances, count, dict.fromkeys(view_pairs(views), SLOPE))
    assert posterior.shape[:2] == (frames, len(view_pairs(views)))
    results = ids_of(posterior, count, 0.5)
    assert len(results) == frames
    for ids, counts in zip(results, count, strict=True):
        assert [len(numbers) for numbers in ids] == counts.tolist()
        assert all(len(set(numbers.tolist())) == len(numbers) for numbers in ids)


@pytest.mark.parametrize(("threshold", "same"), [(0.0, True), (0.5, True), (0.8, True), (0.9, False), (0.99, False)])
def test_boxes_are_joined_above_the_threshold(threshold: float, same: bool) -> None:
    """Distance 3.5 has log-odds 1.8, probability 0.858."""
    count = np.array([[1, 1]])
    posterior = posteriors([{"slope": np.array([[0.0, 3.5], [3.5, 0.0]])}], count, {(0, 1): SLOPE})
    assert posterior.item() == pytest.approx(1 / (1 + np.exp(-1.8)), abs=1e-6)
    ((one, other),) = ids_of(posterior, count, threshold)
    assert (one[0] == other[0]) == same


def test_cues_are_added_up() -> None:
    """Of a frame with boxes and of one without; a cue that no table knows changes nothing."""
    count = np.array([[0, 0], [1, 1]])
    table = FusedTable({"slope": TABLE, "other": TABLE}, {"slope": 1.0, "other": 0.5}, -1.0)
    nobody, lonely = np.zeros((0, 0)), np.array([[0.0, 3.5], [3.5, 0.0]])
    distances = [
        {"slope": nobody, "other": nobody, "unknown": nobody},
        {"slope": lonely, "other": 2 * lonely, "unknown": lonely},
    ]
    found = posteriors(distances, count, {(0, 1): table})
    assert found[0].tolist() == [[[0.0]]]
    assert found[1].item() == pytest.approx(1 / (1 + np.exp(-(1.8 - 0.5 * 2.4 - 1.0))), abs=1e-6)


def test_no_box_anywhere() -> None:
    count = np.array([[0, 0]])
    posterior = posteriors([{"slope": np.zeros((0, 0), np.float32)}], count, {(0, 1): SLOPE})
    assert posterior.shape == (1, 1, 0, 0)
    ((one, other),) = ids_of(posterior, count, 0.5)
    assert one.shape == other.shape == (0,)
