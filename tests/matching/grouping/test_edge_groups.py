"""Groups from edges: at least as good as those from all pairs, and the same people."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.matching.grouping import edge_groups
from selfmva.matching.grouping.edge_groups import group_edges
from selfmva.matching.grouping.groups import group
from selfmva.matching.posterior.edges import Edges

OTHER = -7.0


def crowd(seed: int, frames: int, views: int, people: int, noise: float) -> tuple[np.ndarray, Edges, np.ndarray]:
    """Noisy log-odds of people of whom views miss some; edges are those above -5; and the matrix of all pairs."""
    rng = np.random.default_rng(seed)
    seen = rng.random((frames, views, people)) < 0.8
    person = np.concatenate([rng.permutation(np.flatnonzero(own)) for frame in seen for own in frame])
    empty = np.zeros(0, np.int64)
    boxes = Edges(empty, empty, seen.sum(axis=2))
    apart = (boxes.frame[:, None] == boxes.frame) & (boxes.view[:, None] < boxes.view)
    links = rng.normal(np.where(person[:, None] == person, 2.0, -5.0), noise)
    first, second = (apart & (links > -5.0)).nonzero()
    full = np.full(links.shape, OTHER)
    full[first, second] = full[second, first] = links[first, second]
    return links[first, second], Edges(first, second, boxes.count), full


def total(ids: np.ndarray, matrix: np.ndarray, view: np.ndarray) -> float:
    return float(np.triu(matrix * (ids[:, None] == ids) * (view[:, None] != view)).sum())


@pytest.mark.parametrize("cells", [edge_groups.CELLS_AT_ONCE, 1])
@pytest.mark.parametrize("noise", [0.5, 2.0, 4.0])
@pytest.mark.parametrize(("views", "people"), [(2, 5), (4, 6), (7, 15)])
def test_as_good_as_from_all_pairs(
    views: int, people: int, noise: float, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_groups, "CELLS_AT_ONCE", cells)
    links, edges, full = crowd(int(10 * noise) + views, 6, views, people, noise)
    found = group_edges(links, edges, OTHER)
    for frame in range(6):
        own = slice(edges.ends[frame], edges.ends[frame + 1])
        ids, view, matrix = found[own], edges.view[own], full[own, own]
        assert len(np.unique(ids * views + view)) == len(ids)  # one box of a view in a group
        assert list(dict.fromkeys(ids.tolist())) == list(range(ids.max() + 1))  # by first appearance
        dense = group(matrix, view)
        # Many starts end at different ones of equal rank in small frames; parts that are apart have the best of each.
        assert total(ids, matrix, view) >= total(dense, matrix, view) - 1e-6
        if noise < 1:
            np.testing.assert_array_equal(ids, dense)


def test_a_chain_is_not_a_group() -> None:
    """Each of three boxes is one person with the next, the ends are not: all three, or the stronger two."""
    edges = Edges(np.array([0, 1]), np.array([1, 2]), np.array([[1, 1, 1]]))
    assert group_edges(np.array([3.0, 2.0]), edges, OTHER).tolist() == [0, 0, 1]
    assert group_edges(np.array([8.0, 8.5]), edges, OTHER).tolist() == [0, 0, 0]


def test_two_boxes_of_a_view_are_two_people() -> None:
    edges = Edges(np.array([0, 1]), np.array([2, 2]), np.array([[2, 1]]))
    assert group_edges(np.array([1.0, 3.0]), edges, OTHER).tolist() == [0, 1, 1]


def test_threshold_and_nobody() -> None:
    edges = Edges(np.array([0]), np.array([1]), np.array([[1, 1]]))
    assert group_edges(np.array([1.0]), edges, OTHER, threshold=2.0).tolist() == [0, 1]
    empty = np.zeros(0, np.int64)
    assert group_edges(np.zeros(0), Edges(empty, empty, np.zeros((2, 3), np.int64)), OTHER).shape == (0,)
    assert group_edges(np.zeros(0), Edges(empty, empty, np.array([[2, 0], [0, 1]])), OTHER).tolist() == [0, 1, 0]
