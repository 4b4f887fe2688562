"""Distances of boxes and of whole images, against scipy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.distances import padded_rows, pairwise_distances
from selfmva.matching.image_distances import image_distances


def test_distances_against_scipy() -> None:
    embeddings = torch.randn(30, 768, generator=torch.Generator().manual_seed(0)).relu()
    plain = embeddings.double().numpy()
    found = pairwise_distances(embeddings)
    assert found.dtype == torch.float32
    off_diagonal = ~np.eye(30, dtype=bool)
    np.testing.assert_allclose(found.numpy()[off_diagonal], cdist(plain, plain)[off_diagonal], rtol=1e-5)
    assert found.diagonal().max() < 0.1  # a difference of large squares: zero up to rounding


@pytest.mark.parametrize("count", [0, 1])
def test_few_embeddings(count: int) -> None:
    assert pairwise_distances(torch.ones(count, 5)).shape == (count, count)


def test_distances_keep_their_precision_under_mixed_precision() -> None:
    embeddings = torch.randn(20, 768, generator=torch.Generator().manual_seed(0)).relu()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = pairwise_distances(embeddings)
    assert torch.equal(mixed, pairwise_distances(embeddings))


def test_the_gradient_of_a_distance_is_a_unit_vector() -> None:
    one = torch.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    pairwise_distances(one)[0, 1].backward()
    assert one.grad is not None
    np.testing.assert_allclose(one.grad, [[-0.6, -0.8], [0.6, 0.8]])


def test_the_gradient_where_embeddings_coincide_is_finite() -> None:
    same = torch.ones(3, 4, requires_grad=True)
    pairwise_distances(same).sum().backward()
    assert same.grad is not None
    assert torch.isfinite(same.grad).all()


@pytest.mark.parametrize("views", [0, 1, 2, 5])
def test_view_pairs(views: int) -> None:
    assert view_pairs(views) == [(i, j) for i in range(views) for j in range(views) if i < j]


def test_padded_rows() -> None:
    start, count = np.array([[0, 2], [2, 5]]), np.array([[2, 0], [3, 1]])
    assert padded_rows(start, count, 3).tolist() == [[[0, 1, 0], [0, 0, 0]], [[2, 3, 4], [5, 0, 0]]]
    assert padded_rows(start, np.zeros((2, 2), np.int64), 0).shape == (2, 2, 0)


@given(
    instants=st.integers(1, 4),
    views=st.integers(2, 4),
    most=st.integers(0, 4),
    seed=st.integers(0, 10_000),
)
def test_image_distances_against_a_double_loop(instants: int, views: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, most + 1, (instants, views))
    start = (np.cumsum(count) - count.reshape(-1)).reshape(count.shape)
    distances = torch.from_numpy(rng.uniform(1, 9, (count.sum(), count.sum()))).requires_grad_()
    pairs = view_pairs(views)
    found, seen = image_distances(distances, start, count, pairs)
    assert found.shape == seen.shape == (len(pairs), instants, instants)
    plain = distances.detach().numpy()
    weight = np.zeros_like(plain)  # of each box distance in the sum of all image distances: its gradient
    for number, (i, j) in enumerate(pairs):
        for s in range(instants):
            for t in range(instants):
                rows = slice(start[s, i], start[s, i] + count[s, i])
                columns = slice(start[t, j], start[t, j] + count[t, j])
                one, other = linear_sum_assignment(plain[rows, columns])
                assert bool(seen[number, s, t]) == bool(len(one))
                wanted = plain[rows, columns][one, other].mean() if len(one) else 0.0
                assert found[number, s, t].item() == pytest.approx(wanted)
                weight[rows.start + one, columns.start + other] += 1 / max(len(one), 1)
    if count.any():
        found.sum().backward()
        np.testing.assert_allclose(distances.grad, weight, atol=1e-12)


def test_nobody_in_any_image() -> None:
    found, seen = image_distances(torch.zeros(0, 0), np.zeros((3, 2), int), np.zeros((3, 2), int), [(0, 1)])
    assert found.shape == (1, 3, 3)
    assert not seen.any()
    assert not found.any()
