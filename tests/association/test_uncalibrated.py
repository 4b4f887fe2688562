"""Ids before anything is calibrated: the published similarity and its optimal assignment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from selfmva.association.uncalibrated import UNMATCHED, links_of_matches, similarities
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.grouping.groups import group_frames
from selfmva.matching.posterior.posterior import symmetric


def random_chunk(frames: int, views: int, most: int, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, most + 1, (frames, views))
    distances = []
    for size in count.sum(axis=1):
        matrix = rng.uniform(0, 10, (size, size))
        distances.append(((matrix + matrix.T) / 2).astype(np.float32))
    return distances, count


def two_views(*rows: list[float]) -> tuple[list[np.ndarray], np.ndarray]:
    cross = np.array(rows)
    n, m = cross.shape
    matrix = np.zeros((n + m, n + m), np.float32)
    matrix[:n, n:], matrix[n:, :n] = cross, cross.T
    return [matrix], np.array([[n, m]])


def ids_of(distances: list[np.ndarray], count: np.ndarray) -> tuple[list[list[np.ndarray]], np.ndarray]:
    """Ids of the boxes of every frame and view, as `associate_frames` has them, and the similarities."""
    scores = similarities(distances, count)
    numbers = group_frames(symmetric(links_of_matches(scores, count), count.shape[1]), count, 0.0)
    ids = [
        [part[:size] for part, size in zip(found, own, strict=True)] for found, own in zip(numbers, count, strict=True)
    ]
    return ids, scores


@given(frames=st.integers(1, 3), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_similarities_are_the_published_ones(frames: int, views: int, most: int, seed: int) -> None:
    distances, count = random_chunk(frames, views, most, seed)
    scores = similarities(distances, count)
    pairs, width = view_pairs(views), count.max()
    assert scores.shape == (frames, len(pairs), width, width)
    assert scores.dtype == np.float64
    for found, matrix, own in zip(scores, distances, count, strict=True):
        end = np.cumsum(own)
        for block, (i, j) in zip(found, pairs, strict=True):
            part = matrix[end[i] - own[i] : end[i], end[j] - own[j] : end[j]].astype(np.float64)
            inner = block[: own[i], : own[j]]
            assert block.sum() == pytest.approx(inner.sum())  # nothing in the padding
            assert inner.shape == part.shape
            if not part.size:
                continue
            published = 1 - part / (part.max() + 1e-6)  # the small number counts where two boxes nearly coincide
            np.testing.assert_allclose(inner, published, atol=1e-5)


@given(frames=st.integers(1, 3), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_links_are_the_similarities_of_the_best_matching(frames: int, views: int, most: int, seed: int) -> None:
    """All boxes of the view of fewer are matched; everything else is unlinked."""
    distances, count = random_chunk(frames, views, most, seed)
    scores = similarities(distances, count)
    links = links_of_matches(scores, count)
    assert links.shape == scores.shape
    for frame, own in enumerate(count):
        for place, (i, j) in enumerate(view_pairs(views)):
            block = links[frame, place]
            matched = block != UNMATCHED
            assert matched[: own[i], : own[j]].sum() == matched.sum() == min(own[i], own[j])
            assert matched.sum(axis=0).max(initial=0) <= 1
            assert matched.sum(axis=1).max(initial=0) <= 1
            np.testing.assert_allclose(block[matched], scores[frame, place][matched], atol=1e-5)
            rows, columns = linear_sum_assignment(-scores[frame, place, : own[i], : own[j]])
            best = scores[frame, place][rows, columns].sum()
            assert scores[frame, place][matched].sum() == pytest.approx(best, abs=1e-5)


@given(frames=st.integers(1, 3), views=st.integers(2, 4), most=st.integers(0, 4), seed=st.integers(0, 999))
def test_ids_of_a_view_are_unique(frames: int, views: int, most: int, seed: int) -> None:
    distances, count = random_chunk(frames, views, most, seed)
    results, scores = ids_of(distances, count)
    assert len(results) == len(scores) == frames
    for ids, counts in zip(results, count, strict=True):
        assert [len(numbers) for numbers in ids] == counts.tolist()
        assert all(len(set(numbers.tolist())) == len(numbers) for numbers in ids)


def test_ids_are_the_optimal_assignment() -> None:
    ((one, other),), _ = ids_of(*two_views([1.0, 5.0, 9.0], [5.0, 9.0, 4.0]))
    assert one.tolist() == [0, 1]
    assert other.tolist() == [0, 2, 1]


def test_a_lone_pair_is_joined() -> None:
    """Its similarity is 0, whatever the distance: the published matches take it."""
    ((one, other),), scores = ids_of(*two_views([9.0]))
    assert one.tolist() == other.tolist() == [0]
    assert scores.item() == pytest.approx(0.0, abs=1e-5)


def test_a_triangle_goes_with_the_majority() -> None:
    """Two good matches of three outweigh the third pair, which the assignment did not make."""
    count = np.array([[1, 1, 2]])
    matrix = np.full((4, 4), 9.0)
    for a, b, distance in ((0, 1, 1.0), (0, 2, 1.0), (1, 3, 2.0), (1, 2, 2.1), (0, 3, 9.0)):
        matrix[a, b] = matrix[b, a] = distance
    (ids,), _ = ids_of([matrix], count)
    assert ids[0][0] == ids[2][0]


def test_no_box_anywhere() -> None:
    ((one, other),), scores = ids_of([np.zeros((0, 0), np.float32)], np.array([[0, 0]]))
    assert one.shape == other.shape == (0,)
    assert scores.shape == (1, 1, 0, 0)
