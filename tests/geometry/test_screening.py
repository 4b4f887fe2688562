"""A first look at all pairs of views: those that saw the same people stand out."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from acted_scenes import cameras_around, read, strollers

from selfmva.geometry.floor_cameras import YAW, X, Y
from selfmva.geometry.meetings import walking_time
from selfmva.geometry.pair_alignment import ALIGNMENT
from selfmva.geometry.screening import SCREENING, Screened, screen, strongest_pairs
from selfmva.geometry.sightings import Sightings
from selfmva.geometry.support import null_shifts
from selfmva.geometry.walk_voting import vote
from selfmva.geometry.walks import WALKS, Walks

INSTANTS = 160


@cache
def views() -> tuple[Sightings, ...]:
    """Three of one crowd, and one of another."""
    crowds = [strollers(6, INSTANTS)] * 3 + [strollers(6, INSTANTS, seed=5)]
    return tuple(
        read(camera, crowd, INSTANTS, noise=0.03, seed=number)
        for number, (camera, crowd) in enumerate(zip(cameras_around(4), crowds, strict=True))
    )


def shifts() -> list[int]:
    return null_shifts(walking_time(views()), INSTANTS)


def test_pairs_that_saw_the_same_people_stand_out() -> None:
    found = screen(views(), shifts())
    own = [found[pair].deviations for pair in combinations(range(3), 2)]
    others = [found[pair].deviations for pair in found if 3 in pair]
    assert min(own) > 2 * max(others, default=0.0)
    assert min(own) > 5


def test_the_alignment_with_most_votes_is_the_true_one() -> None:
    cameras = cameras_around(4)
    for (i, j), looked in screen(views()[:3], shifts()).items():
        turn = np.exp(1j * (cameras[i][YAW] - cameras[j][YAW]))
        shift = np.exp(-1j * cameras[j][YAW]) * complex(*(cameras[i] - cameras[j])[[X, Y]])
        best, *rest = looked.alignments
        assert best.turn == pytest.approx(turn, abs=0.05)
        assert best.shift == pytest.approx(shift, abs=0.3)
        assert len(rest) < ALIGNMENT.kept
        assert all(other.consensus <= best.consensus for other in rest)
        for one, other in combinations(looked.alignments, 2):
            far = abs(one.shift - other.shift) > ALIGNMENT.distinct_shift
            assert far or abs(one.turn - other.turn) > ALIGNMENT.distinct_turn


def test_deviations_count_votes_against_two_lags() -> None:
    """Some walk straight at any time of the recording: these find partners by chance."""
    lines = [(np.arange(9 * k, 9 * k + 30), np.exp(2j * k) * (0.15 * np.arange(30) - 2.0)) for k in range(14)]
    crowd = strollers(4, INSTANTS) + lines
    seen = [read(camera, crowd, INSTANTS, noise=0.03, seed=k) for k, camera in enumerate(cameras_around(2))]
    first, second = (Walks.of(view) for view in seen)
    lags = [shifts()[number] for number in SCREENING.shifts[:2]]
    assert lags[0] == -lags[1]
    chance = [max(vote(first, second.shifted(lag)).votes) for lag in lags]
    spread = max(np.std(chance), np.sqrt(WALKS.least_common * max(np.mean(chance), WALKS.least_common)))
    expected = (max(vote(first, second).votes) - np.mean(chance)) / spread
    assert min(chance) > 0
    assert screen(seen, shifts())[0, 1].deviations == pytest.approx(expected)


@pytest.mark.parametrize("known", [[], [3], [3, -3, 5]])
def test_few_shifts_are_enough(known: list[int]) -> None:
    """In a recording of seconds there are no far ones; without any, a vote is still worth its count of walks."""
    looked = screen(views()[:2], known)[0, 1]
    votes = max(vote(*(Walks.of(view) for view in views()[:2])).votes)
    assert 0 < looked.deviations <= votes / WALKS.least_common + 1e-9
    if not known:
        assert looked.deviations == pytest.approx(votes / WALKS.least_common)


def test_views_without_a_camera_or_without_walks_are_not_looked_at() -> None:
    blind = dataclasses.replace(views()[0], camera=np.full(10, np.nan))
    still = read(cameras_around(1)[0], [(np.arange(INSTANTS), np.full(INSTANTS, 1.0 + 0j))], INSTANTS)
    assert list(screen([blind, still, *views()[:2]], shifts())) == [(2, 3)]


def test_the_strongest_pairs_are_those_of_one_of_their_views() -> None:
    rng = np.random.default_rng(0)
    pairs = [pair for pair in combinations(range(12), 2) if rng.random() < 0.8]
    screened = {pair: Screened(value, ()) for pair, value in zip(pairs, rng.permutation(len(pairs)), strict=True)}
    asked = [0, 4, 5]
    expected = []
    for pair in pairs:
        stronger = {
            view: sum(view in other and screened[other].deviations > screened[pair].deviations for other in pairs)
            for view in pair
        }
        if any(view in asked and stronger[view] < SCREENING.strongest for view in pair):
            expected.append(pair)
    assert len(expected) < len(pairs) / 2
    assert strongest_pairs(screened, asked) == expected
    assert strongest_pairs(screened, []) == []
    assert strongest_pairs({}, asked) == []
