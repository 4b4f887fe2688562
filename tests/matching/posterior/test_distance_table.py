"""From distances to probabilities: known mixtures are recovered, and marginals equal those of enumeration."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import gamma

from selfmva.errors import InputError
from selfmva.matching.posterior.distance_table import (
    LARGEST_LOG_ODDS,
    _negative_log_likelihood,
    _powers,
    fit_distance_table,
)
from selfmva.matching.posterior.marginals import matching_marginals

NULL = gamma(4, scale=2)  # distances of two people at different times
SAME = gamma(4, scale=0.4)  # of one person: the null times place(distance)
PLACE_MEAN = 5.0**-4  # of place(distance) under the null


def place(distances: np.ndarray) -> np.ndarray:
    """Chance that two boxes at this distance show the same place."""
    return np.exp(-2 * distances)


def draw_others(size: int, rng: np.random.Generator) -> np.ndarray:
    """Distances of two people at one time: the null without what shows the same place."""
    drawn = NULL.rvs(2 * size, random_state=rng)
    return drawn[rng.random(len(drawn)) > place(drawn)][:size]


def mixture(true_fraction: float, size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Synchronous distances, which of them are true pairs, and shifted distances."""
    rng = np.random.default_rng(seed)
    same = rng.random(size) < true_fraction
    synchronous = np.where(same, SAME.rvs(size, random_state=rng), draw_others(size, rng))
    return synchronous, same, NULL.rvs(7 * size, random_state=rng)


def true_log_odds(distances: np.ndarray, true_fraction: float) -> np.ndarray:
    """Of the mixture that is drawn from."""
    same, other = true_fraction * place(distances) / PLACE_MEAN, (1 - true_fraction) * (1 - place(distances))
    return np.log(same) - np.log(other / (1 - PLACE_MEAN))


@pytest.mark.parametrize("true_fraction", [0.05, 0.3, 0.6, 0.9])
def test_the_fraction_of_true_pairs_is_recovered(true_fraction: float) -> None:
    synchronous, _, shifted = mixture(true_fraction, 6000)
    assert fit_distance_table(synchronous, shifted).true_fraction == pytest.approx(true_fraction, abs=0.03)


@pytest.mark.parametrize("true_fraction", [0.15, 0.3, 0.6])
def test_log_odds_are_near_the_true_ones(true_fraction: float) -> None:
    synchronous, _, shifted = mixture(true_fraction, 6000)
    distances = np.linspace(0.8, 6, 50)
    true = true_log_odds(distances, true_fraction)
    inside = np.abs(true) < 2
    assert inside.sum() > 10
    assert np.abs(fit_distance_table(synchronous, shifted)(distances) - true)[inside].max() < 0.7


@given(st.integers(16, 400), st.sampled_from([0.0, 0.2, 0.7]), st.integers(0, 1000))
@settings(max_examples=25)
def test_tables_are_monotone_and_bounded(size: int, true_fraction: float, seed: int) -> None:
    synchronous, _, shifted = mixture(true_fraction, size, seed)
    table = fit_distance_table(synchronous, shifted)
    assert (np.diff(table.distances) > 0).all()
    assert (np.diff(table.log_odds) <= 1e-12).all()
    assert np.abs(table.log_odds).max() <= LARGEST_LOG_ODDS + 1e-12
    assert 0 <= table.true_fraction < 1
    everywhere = table(np.array([-1e9, 0.0, 5.0, 1e9]))
    assert np.isfinite(everywhere).all()
    assert (np.diff(everywhere) <= 1e-12).all()


def test_posteriors_are_as_frequent_as_they_say() -> None:
    """Of pairs given a probability around p, a fraction p are the same person."""
    synchronous, _, shifted = mixture(0.3, 6000)
    table = fit_distance_table(synchronous, shifted)
    fresh, same, _ = mixture(0.3, 40_000, seed=1)
    posterior = 1 / (1 + np.exp(-table(fresh)))
    for low, high in ((0, 0.1), (0.1, 0.4), (0.4, 0.7), (0.7, 1)):
        inside = (posterior >= low) & (posterior <= high)
        assert inside.sum() > 1000
        assert same[inside].mean() == pytest.approx(posterior[inside].mean(), abs=0.06)
    assert posterior.mean() == pytest.approx(same.mean(), abs=0.03)


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.1, 1.0, 3.0, 10.0, 30.0])
def test_an_embedding_may_be_as_good_as_it_likes(noise: float) -> None:
    """True pairs far nearer than any null pair: half of the pairs are the same person, not all of them."""
    rng = np.random.default_rng(0)

    def far(count: int) -> np.ndarray:
        return np.linalg.norm(rng.uniform(0, 900, (count, 2)) - rng.uniform(0, 900, (count, 2)), axis=1)

    near = np.linalg.norm(rng.normal(0, noise, (300, 2)), axis=1)
    table = fit_distance_table(np.concatenate((near, far(300))), far(4000))
    assert table.true_fraction == pytest.approx(0.5, abs=0.03)
    assert table(np.array([noise])) > 4
    assert table(np.array([300.0])) < -4


def test_the_gradient_that_the_optimizer_is_given() -> None:
    synchronous, _, shifted = mixture(0.3, 500)
    here, null = _powers(synchronous / 8), _powers(shifted / 8)
    for point in ((-2.0, 4.0, 0.0), (-1.0, 2.0, 3.0), (0.5, 16.0, 0.5), (-2.0, 0.05, 40.0)):
        value, gradient = _negative_log_likelihood(np.array(point), here, null)
        numeric = approx_fprime(np.array(point), lambda p: _negative_log_likelihood(p, here, null)[0], 1e-7)
        assert np.isfinite(value)
        np.testing.assert_allclose(gradient, numeric, atol=1e-5)


def test_nothing_to_learn_says_no() -> None:
    """Synchronous distances like shifted ones: hardly any distance speaks for the same person."""
    rng = np.random.default_rng(0)
    table = fit_distance_table(NULL.rvs(4000, random_state=rng), NULL.rvs(28_000, random_state=rng))
    posterior = 1 / (1 + np.exp(-table(NULL.rvs(4000, random_state=rng))))
    assert table.true_fraction < 0.1
    assert posterior.mean() < 0.1
    assert (posterior > 0.5).mean() < 0.05


def test_synchronous_pairs_that_are_further_apart_say_no() -> None:
    """Nobody is ever seen by both views."""
    rng = np.random.default_rng(0)
    table = fit_distance_table(draw_others(2000, rng) + 3, NULL.rvs(14_000, random_state=rng))
    assert table.true_fraction < 0.02
    assert (table(np.linspace(4, 20, 50)) < -2).all()


@pytest.mark.parametrize(("synchronous", "shifted"), [(0, 0), (0, 1000), (15, 1000), (1000, 0), (1000, 7)])
def test_too_little_data_says_no(synchronous: int, shifted: int) -> None:
    table = fit_distance_table(np.arange(synchronous) + 1.0, np.arange(shifted) + 5.0)
    assert table.true_fraction == 0
    assert table(np.array([0.0, 5.0, 1e6])).tolist() == [-LARGEST_LOG_ODDS] * 3


@pytest.mark.parametrize(
    "synchronous",
    [
        np.full(100, 2.0),
        np.repeat([1.0, 2.0], 50),
        np.repeat([0.0, 1.0, 5.0], [50, 40, 10]),
        np.repeat([0.0, 1.0, 5.0], [1, 1, 98]),
        np.concatenate((np.full(300, 7.0), np.linspace(1, 9, 20))),
    ],
)
@pytest.mark.parametrize("shifted", [np.full(100, 2.0), np.linspace(0, 9, 500)])
def test_ties(synchronous: np.ndarray, shifted: np.ndarray) -> None:
    """People who stand still give the same distance at every instant."""
    table = fit_distance_table(synchronous, shifted)
    assert np.isfinite(table.distances).all()
    assert np.isfinite(table.log_odds).all()
    assert (np.diff(table.distances) > 0).all()
    assert (np.diff(table.log_odds) <= 0).all()


@pytest.mark.parametrize("where", ["synchronous", "shifted"])
def test_nan_is_refused(where: str) -> None:
    distances = {"synchronous": np.ones(50), "shifted": np.ones(50)}
    distances[where][3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        fit_distance_table(**distances)


def marginals(log_odds: np.ndarray) -> np.ndarray:
    """Posterior of every pair by adding up all one-to-one matchings."""
    odds = np.exp(log_odds)
    n, m = odds.shape
    total, pairs = 0.0, np.zeros((n, m))
    for size in range(min(n, m) + 1):
        for rows in combinations(range(n), size):
            for columns in permutations(range(m), size):
                weight = np.prod(odds[rows, columns])
                total += weight
                pairs[rows, columns] += weight
    return pairs / total


@given(st.integers(1, 4), st.integers(0, 1000))
def test_competition_is_exact_where_one_box_meets_many(count: int, seed: int) -> None:
    """A star has no cycle; neither has a chain."""
    rng = np.random.default_rng(seed)
    star = rng.normal(0, 3, (1, count))
    np.testing.assert_allclose(matching_marginals(star), marginals(star), atol=1e-9)
    np.testing.assert_allclose(matching_marginals(star.T), marginals(star.T), atol=1e-9)
    chain = np.full((count, count), -np.inf)
    chain[np.arange(count), np.arange(count)] = rng.normal(0, 3, count)
    chain[np.arange(count - 1), np.arange(1, count)] = rng.normal(0, 3, count - 1)
    np.testing.assert_allclose(matching_marginals(chain), marginals(chain), atol=1e-9)


@given(n=st.integers(1, 4), m=st.integers(1, 4), mean=st.sampled_from([-3.0, -1.0, 0.0]), seed=st.integers(0, 1000))
def test_competition_is_near_the_marginals_where_there_are_cycles(n: int, m: int, mean: float, seed: int) -> None:
    log_odds = np.random.default_rng(seed).normal(mean, 2, (n, m))
    assert np.abs(matching_marginals(log_odds, rounds=200) - marginals(log_odds)).max() < 0.15


def test_competition_on_average_is_much_nearer_than_that() -> None:
    rng = np.random.default_rng(0)
    errors, naive = [], []
    for _ in range(100):
        log_odds = np.where(np.eye(4, dtype=bool), 2.0, -3.0) + rng.normal(0, 1.5, (4, 4))
        exact = marginals(log_odds)
        errors.append(np.abs(matching_marginals(log_odds) - exact).mean())
        naive.append(np.abs(1 / (1 + np.exp(-log_odds)) - exact).mean())
    assert np.mean(errors) < 0.003
    assert np.mean(errors) < 0.1 * np.mean(naive)


@given(n=st.integers(0, 6), m=st.integers(0, 6), scale=st.sampled_from([1.0, 4.0]), seed=st.integers(0, 1000))
def test_rows_and_columns_sum_to_at_most_one(n: int, m: int, scale: float, seed: int) -> None:
    log_odds = np.clip(np.random.default_rng(seed).normal(0, scale, (3, n, m)), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
    found = matching_marginals(log_odds, rounds=2000)
    assert found.shape == (3, n, m)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found.sum(axis=1) <= 1 + 1e-6).all()
    assert (found.sum(axis=2) <= 1 + 1e-6).all()


@given(n=st.integers(1, 5), m=st.integers(1, 5), seed=st.integers(0, 1000))
def test_the_order_of_boxes_and_of_views_changes_nothing(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1, 3, (n, m))
    rows, columns = rng.permutation(n), rng.permutation(m)
    found = matching_marginals(log_odds, rounds=200)
    np.testing.assert_allclose(
        matching_marginals(log_odds[np.ix_(rows, columns)], rounds=200), found[np.ix_(rows, columns)]
    )
    np.testing.assert_allclose(matching_marginals(log_odds.T, rounds=200), found.T, atol=1e-6)


@given(n=st.integers(1, 4), m=st.integers(1, 4), seed=st.integers(0, 1000))
def test_padding_changes_nothing(n: int, m: int, seed: int) -> None:
    log_odds = np.random.default_rng(seed).normal(-1, 3, (n, m))
    padded = np.full((5, 6), -np.inf)
    padded[:n, :m] = log_odds
    found = matching_marginals(padded)
    np.testing.assert_allclose(found[:n, :m], matching_marginals(log_odds), atol=1e-12)
    assert found.sum() == pytest.approx(found[:n, :m].sum())


def test_a_rival_lowers_a_posterior() -> None:
    alone = matching_marginals(np.array([[2.0]]))[0, 0]
    rivalled = matching_marginals(np.array([[2.0, 3.0]]))[0, 0]
    assert rivalled < alone == pytest.approx(1 / (1 + np.exp(-2)))
