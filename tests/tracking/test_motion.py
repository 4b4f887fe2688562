"""How people move and come and go."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from walks import instants_of, walkers

from selfmva.matching.posterior.distance_table import DistanceTable
from selfmva.tracking.image_distance import image_distances
from selfmva.tracking.learning import learn_acceleration, learn_motion, learn_returns
from selfmva.tracking.motion import LAGS, MOTION, MotionModel, Returns, lag_number
from selfmva.tracking.people import People, expected_places, follow, log_odds


@pytest.mark.parametrize("lag", [*LAGS.tolist(), 5, 7, 100, 10_000])
def test_a_lag_has_the_last_table_that_is_not_longer(lag: int) -> None:
    assert LAGS[lag_number(np.array([lag]))[0]] == LAGS[lag >= LAGS].max()


def test_chances_of_a_return_sum_to_one() -> None:
    returns = Returns(missed=0.2, decay=2.0, new=0.05)
    chance = returns.new * np.exp(returns.log_odds(np.arange(1, 2001)))
    assert chance.sum() == pytest.approx(1.0, abs=1e-9)
    assert chance[0] == pytest.approx(0.8)


def test_memory_ends_where_nobody_comes_back() -> None:
    returns = Returns(missed=0.01, decay=3.0, new=0.5)
    assert returns.log_odds(np.array([returns.memory]))[0] > MOTION.forgotten
    assert returns.log_odds(np.array([returns.memory + 1]))[0] <= MOTION.forgotten


def test_returns_are_learnt_from_gaps() -> None:
    rng = np.random.default_rng(0)
    gaps = np.where(rng.random(20_000) < 0.1, 1 + rng.zipf(2.5, 20_000), 1)
    learnt = learn_returns(gaps, born=20)
    assert learnt.missed == pytest.approx(0.1, abs=0.01)
    assert learnt.decay == pytest.approx(2.5, abs=0.1)
    assert learnt.new == pytest.approx(0.001, abs=0.0005)


def test_an_expected_place_follows_the_law_of_random_acceleration() -> None:
    people = People.new(np.array([7]), 10, 2)
    people.state[0], people.covariance[0] = [1.0, 2.0, 0.5, -0.25], np.diag([0.1, 0.2, 0.3, 0.4])
    state, covariance = expected_places(people, 14, MotionModel(acceleration=0.05))
    # Van Loan's integral of the noise, through one matrix exponential.
    drift = np.kron(np.array([[0.0, 1.0], [0.0, 0.0]]), np.eye(2))
    noise = np.diag([0.0, 0.0, 0.05, 0.05])
    block = expm(4.0 * np.block([[-drift, noise], [np.zeros((4, 4)), drift.T]]))
    step = block[4:, 4:].T
    np.testing.assert_allclose(state[0], step @ people.state[0])
    np.testing.assert_allclose(covariance[0], step @ people.covariance[0] @ step.T + step @ block[:4, 4:], atol=1e-12)


def test_whoever_walks_straight_is_where_they_are_expected() -> None:
    people = People.new(np.array([0]), 0, 1)
    for instant in instants_of(walkers(people=1, instants=6)):
        people = follow(people, instant, instant.index, np.zeros(1, np.int64), MotionModel())
    later = instants_of(walkers(people=1, instants=9))[-1]
    way = people.velocity[0, 0] * 3
    assert image_distances(people.boxes[0, 0] + way[[0, 1, 0, 1]], later.boxes[0]) == pytest.approx(0.0, abs=0.02)


def test_own_boxes_are_likelier_than_those_of_others() -> None:
    instants = instants_of(walkers(people=5, instants=30))
    model = learn_motion(instants)
    people = People.new(np.arange(5), 0, 1)
    for instant in instants[:-1]:
        people = follow(people, instant, instant.index, np.arange(5), model)
    found = log_odds(people, instants[-1], instants[-1].index, model)
    assert (found.argmax(axis=1) == np.arange(5)).all()
    assert (found.diagonal() > 0).all()


def test_nothing_is_learnt_from_nothing() -> None:
    model = learn_motion([])
    assert model.people == 1.0
    instants = instants_of(walkers(people=2, instants=3))
    assert learn_acceleration(instants, [np.arange(2)] * 3, model) is model  # there is no floor
    assert isinstance(learn_motion(instants).image[0], DistanceTable)
