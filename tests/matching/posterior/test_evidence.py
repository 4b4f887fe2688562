"""All tables at once: what they say is what each says, and what is not looked at could not have been an edge."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, DistanceTable, no_evidence
from selfmva.matching.posterior.edges import EDGES
from selfmva.matching.posterior.evidence import Evidence
from selfmva.matching.posterior.fusion import FusedTable

FLOOR = DistanceTable(np.linspace(0.0, 9.0, 30), 8.0 - 0.4 * np.linspace(0.0, 9.0, 30) ** 2, 0.5)


def tables(seed: int, *, same_floor: bool) -> dict[tuple[int, int], FusedTable]:
    """Of four views, the last of them off the floor; the pair (0, 1) has nothing, (2, 3) a cue that tells nothing."""
    rng = np.random.default_rng(seed)
    found = {}
    for i, j in view_pairs(4):
        knots = np.linspace(rng.uniform(0, 1), rng.uniform(5, 20), 12)
        embedding = DistanceTable(knots, np.sort(rng.uniform(-7, 7, 12))[::-1], rng.uniform(0.1, 0.9))
        own, weights = {"embedding": embedding}, {"embedding": float(rng.uniform(0.1, 0.3))}
        if j < 3:
            floor = FLOOR if same_floor else DistanceTable(FLOOR.distances, FLOOR.log_odds - i, 0.5)
            own, weights = own | {"floor": floor}, weights | {"floor": 1.0}
        found[i, j] = FusedTable(own, weights, 0.0)
    found[0, 1] = FusedTable({"embedding": no_evidence()}, {"embedding": 0.0}, -LARGEST_LOG_ODDS - 2)
    found[2, 3] = FusedTable({"embedding": no_evidence()}, {"embedding": 1.0}, 0.25)
    return found


def random_distances(seed: int, size: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    distances = {"floor": rng.uniform(0, 10, size), "embedding": rng.uniform(0, 25, size)}
    for values in distances.values():
        values[rng.random(size) < 0.1] = np.nan
    return rng.integers(0, 6, size), distances


@pytest.mark.parametrize("same_floor", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_log_odds_are_those_of_each_table(seed: int, same_floor: bool) -> None:
    own = tables(seed, same_floor=same_floor)
    pair, distances = random_distances(seed, 500)
    found = Evidence.of(own, 4).log_odds(pair, distances)
    for number, key in enumerate(view_pairs(4)):
        here = pair == number
        wanted = own[key]({name: values[here] for name, values in distances.items()})
        np.testing.assert_allclose(found[here], wanted, atol=1e-9)


@pytest.mark.parametrize("helper", ["floor", "embedding", None])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_not_looked_at_is_no_edge(seed: int, helper: str | None) -> None:
    evidence = Evidence.of(tables(seed, same_floor=False), 4)
    search = evidence.searches[helper]
    pair, distances = random_distances(seed, 5000)
    one, other = np.array(view_pairs(4)).T
    near, anywhere = search.near[one, other], search.anywhere[one, other]
    assert not (near & anywhere).any()
    edge = evidence.log_odds(pair, distances) > EDGES.least_log_odds
    far = np.zeros(len(pair), dtype=bool) if helper is None else distances[helper] >= search.farthest
    assert not (edge & ~(near | anywhere)[pair]).any()
    assert not (edge & near[pair] & far).any()
    assert edge[near[pair] & ~far].any() == near.any()
    assert not (near | anywhere)[0]  # the pair that has nothing
    assert anywhere[5]  # any two boxes may be one person, and nothing tells where


def test_the_floor_is_searched_where_there_is_one() -> None:
    search = Evidence.of(tables(0, same_floor=True), 4).searches["floor"]
    assert np.argwhere(search.near).tolist() == [[0, 2], [1, 2]]
    assert search.farthest < FLOOR.distances[-1]


def test_nothing_learnt() -> None:
    evidence = Evidence.of({}, 1)
    assert evidence.log_odds(np.zeros(0, np.int64), {}).shape == (0,)
    assert not evidence.searches[None].anywhere.any()
