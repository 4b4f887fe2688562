"""Joining nodes by what speaks for and against pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from selfmva.tracking.clustering import join_greedily

NONE = np.zeros(0, np.int64), np.zeros(0, np.int64)
GRAPHS = st.integers(2, 9).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.lists(st.floats(-5, 5), min_size=count * (count - 1) // 2, max_size=count * (count - 1) // 2),
        st.integers(0, 2**31),
    )
)


def edges(count: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.array(list(combinations(range(count), 2))).T
    return first, second


@given(GRAPHS)
def test_what_only_attracts_is_joined_as_it_hangs_together(graph: tuple[int, list[float], int]) -> None:
    count, weights, _ = graph
    first, second = edges(count)
    kept = np.array(weights) > 1
    found = join_greedily(count, first[kept], second[kept], np.array(weights)[kept], NONE)
    whole = coo_array((np.ones(kept.sum()), (first[kept], second[kept])), shape=(count, count))
    expected = connected_components(whole, directed=False)[1]
    assert ((found[:, None] == found) == (expected[:, None] == expected)).all()


@given(GRAPHS)
def test_no_two_clusters_gain_by_joining(graph: tuple[int, list[float], int]) -> None:
    count, weights, _ = graph
    first, second = edges(count)
    found = join_greedily(count, first, second, np.array(weights), NONE)
    between = np.zeros((count, count))
    np.add.at(between, (found[first], found[second]), weights)
    between += between.T
    np.fill_diagonal(between, 0.0)
    assert between.max() <= 1e-9
    assert found.tolist() == np.unique(found, return_inverse=True)[1].tolist()


@given(GRAPHS)
def test_what_is_kept_apart_is_never_joined(graph: tuple[int, list[float], int]) -> None:
    count, weights, seed = graph
    first, second = edges(count)
    apart = np.random.default_rng(seed).random(len(first)) < 0.4
    found = join_greedily(count, first, second, np.abs(weights), (first[apart], second[apart]))
    assert (found[first[apart]] != found[second[apart]]).all()


def test_one_node_and_none() -> None:
    assert join_greedily(1, *NONE, np.zeros(0), NONE).tolist() == [0]
    assert join_greedily(0, *NONE, np.zeros(0), NONE).tolist() == []
