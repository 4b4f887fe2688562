"""Posteriors of edges: those of all pairs of boxes, where what is no edge is far from being one person."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from selfmva.core.compiled import compiled, is_available
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior import edges as module
from selfmva.matching.posterior.edges import EDGES, Edges, marginals_of_edges, posteriors_of_edges
from selfmva.matching.posterior.posterior import agree

WAYS = ("arrays", "sparse", "loops", "compiled")


def use(way: str, monkeypatch: pytest.MonkeyPatch, **changed: float) -> None:
    """Compute in one of the ways; the loops run in plain Python, too."""
    if way == "compiled" and not is_available():
        pytest.skip("numba is not installed")
    found = {"compiled": compiled, "loops": lambda function, _: function}.get(way, lambda *_: None)
    monkeypatch.setattr(module, "compiled", found)
    changed |= {"dense_boxes": 0, "cells_at_once": 8} if way == "sparse" else {}
    monkeypatch.setattr(module, "EDGES", dataclasses.replace(EDGES, **changed))


def crowd(seed: int, views: int, people: int, frames: int = 2) -> tuple[np.ndarray, Edges, np.ndarray]:
    """Log-odds of people of whom views miss some, and of strangers; all pairs as edges; what `agree` makes of them."""
    rng = np.random.default_rng(seed)
    seen = rng.random((frames, views, people)) < 0.8
    count = seen.sum(axis=2)
    person = np.concatenate([rng.permutation(np.flatnonzero(own)) for frame in seen for own in frame])
    empty = np.zeros(0, np.int64)
    boxes = Edges(empty, empty, count)
    apart = (boxes.frame[:, None] == boxes.frame) & (boxes.view[:, None] < boxes.view)
    first, second = apart.nonzero()
    same = person[first] == person[second]
    log_odds = np.where(same, rng.normal(2.0, 2.0, len(first)), rng.normal(-5.0, 2.5, len(first)))
    pairs, width = view_pairs(views), int(count.max())
    padded = np.full((frames, len(pairs), width, width), -np.inf)
    place = np.concatenate([np.arange(size) for size in count.ravel()])
    number = np.array([pairs.index(pair) for pair in zip(boxes.view[first], boxes.view[second], strict=True)])
    cells = boxes.frame[first], number, place[first], place[second]
    padded[cells] = log_odds
    return log_odds, Edges(first, second, count), agree(padded, count)[cells]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("views", "people"), [(2, 6), (3, 5), (5, 8)])
def test_all_pairs_in_every_round_are_what_agree_computes(
    way: str, views: int, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(way, monkeypatch, active=-np.inf, least_posterior=0.0)
    log_odds, edges, wanted = crowd(views, views, people)
    np.testing.assert_allclose(posteriors_of_edges(log_odds, edges), wanted, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_quiet_edges_and_those_left_out_change_little(seed: int) -> None:
    log_odds, edges, wanted = crowd(seed, 6, 12)
    kept = log_odds > EDGES.least_log_odds
    assert 0.1 < kept.mean() < 0.95
    found = np.zeros(len(log_odds))
    found[kept] = posteriors_of_edges(log_odds[kept], Edges(edges.first[kept], edges.second[kept], edges.count))
    assert np.abs(found - wanted).max() < 0.005


@pytest.mark.parametrize("way", WAYS[1:])
def test_every_way_finds_the_same(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log_odds, edges, _ = crowd(7, 5, 9, frames=3)
    use("arrays", monkeypatch)
    wanted = posteriors_of_edges(log_odds, edges)
    use(way, monkeypatch)
    np.testing.assert_allclose(posteriors_of_edges(log_odds, edges), wanted, atol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_quiet_edges_alone(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rivals for one box: odds o each, so each has o / (1 + 2 o)."""
    use(way, monkeypatch)
    edges = Edges(np.array([0, 0]), np.array([1, 2]), np.array([[1, 2]]))
    odds = np.exp(-4.0)
    np.testing.assert_allclose(marginals_of_edges(np.full(2, -4.0), edges), odds / (1 + 2 * odds), rtol=1e-6)


def test_no_edge_has_no_posterior() -> None:
    empty = np.zeros(0, np.int64)
    assert posteriors_of_edges(np.zeros(0), Edges(empty, empty, np.array([[3, 2]]))).shape == (0,)
    assert posteriors_of_edges(np.zeros(0), Edges(empty, empty, np.zeros((0, 3), np.int64))).shape == (0,)


def test_frames_do_not_hear_each_other() -> None:
    log_odds, edges, _ = crowd(3, 4, 6, frames=3)
    together = posteriors_of_edges(log_odds, edges)
    for frame in range(3):
        own = edges.frame[edges.first] == frame
        start = edges.ends[frame]
        alone = Edges(edges.first[own] - start, edges.second[own] - start, edges.count[frame : frame + 1])
        np.testing.assert_allclose(posteriors_of_edges(log_odds[own], alone), together[own], atol=1e-9)
