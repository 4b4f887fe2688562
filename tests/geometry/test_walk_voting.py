"""Whole walks vote for the turn and shift of one floor on another: against a loop, and for the true one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from acted_scenes import cameras_around, read, strollers

from selfmva.geometry.floor_cameras import YAW, X, Y
from selfmva.geometry.walk_voting import VOTING, Ballot, vote
from selfmva.geometry.walks import WALKS, Walks, common_walks


def two_views(noise: float = 0.05, straight: int = 0) -> tuple[Walks, Walks]:
    """Five who stroll, each on a course of his own, and some who walk straight: these are all of one shape."""
    time = np.arange(30)
    lines = [(time + 9 * k, np.exp(2j * k) * (0.15 * time - 2.0) + 0.3 * k) for k in range(straight)]
    walks = strollers(5, 80) + lines
    first, second = (Walks.of(read(c, walks, 80, noise=noise, seed=k)) for k, c in enumerate(cameras_around(2)))
    return first, second


def test_votes_are_those_of_loops_over_hypotheses_and_pairs() -> None:
    first, second = two_views(straight=4)
    ballot, pairs = vote(first, second), common_walks(first, second, most=VOTING.voters)
    assert len(pairs.i) > 10
    assert len(ballot.votes) == min(len(pairs.i), VOTING.hypotheses)
    for turn, shift, votes in zip(*ballot, strict=True):
        best: dict[tuple[str, int], float] = {}
        for k in range(len(pairs.i)):
            # The mean square of z_j - turn z_i, around its mean.
            scatter = pairs.spread_i[k] + pairs.spread_j[k] - 2 * (np.conj(turn) * pairs.covariance[k]).real
            offset = abs(pairs.mean_j[k] - turn * pairs.mean_i[k] - shift) ** 2
            exponent = scatter / VOTING.shape_noise**2 + offset / VOTING.offset_noise**2
            said = min(pairs.common[k], WALKS.long) * np.exp(-exponent / 2)
            for walk in (("i", pairs.i[k]), ("j", pairs.j[k])):
                best[walk] = max(best.get(walk, 0.0), said)
        sides = [sum(said for (side, _), said in best.items() if side == name) for name in "ij"]
        assert votes == pytest.approx(min(sides), rel=1e-4, abs=1e-6)


def test_the_true_alignment_wins_with_a_vote_of_every_walk() -> None:
    first, second = two_views(noise=0.0)
    winner = vote(first, second).winner
    assert winner is not None
    one, other = cameras_around(2)
    # Own floors: the camera stands above the origin and looks along y.
    turn = np.exp(1j * (one[YAW] - other[YAW]))
    shift = np.exp(-1j * other[YAW]) * (complex(*one[[X, Y]]) - complex(*other[[X, Y]]))
    assert winner.turn == pytest.approx(turn, abs=1e-3)
    assert winner.shift == pytest.approx(shift, abs=1e-2)
    assert winner.consensus == pytest.approx(5 * WALKS.long, rel=0.01)


def test_other_people_have_fewer_votes() -> None:
    first, second = two_views()
    others = Walks.of(read(cameras_around(2)[1], strollers(5, 80, seed=9), 80))
    assert max(vote(first, others).votes, default=0.0) < 0.6 * vote(first, second).votes.max()
    assert max(vote(first, second.shifted(30)).votes, default=0.0) < 0.6 * vote(first, second).votes.max()


def test_a_moved_floor_moves_the_winner_and_no_vote() -> None:
    first, second = two_views()
    turn, shift = complex(np.exp(2.0j)), 1.0 + 4.0j
    moved = dataclasses.replace(second, place=turn * second.place + shift)
    own, other = vote(first, second), vote(first, moved)
    np.testing.assert_allclose(other.votes, own.votes, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(other.turn, turn * own.turn, atol=1e-9)
    np.testing.assert_allclose(other.shift, turn * own.shift + shift, atol=1e-9)


def test_the_winner_has_most_votes_and_nobody_elects_nobody() -> None:
    ballot = Ballot(np.array([1, 1j, -1]), np.array([0j, 2j, 3j]), np.array([1.0, 5.0, 4.0]))
    assert ballot.winner is not None
    assert (ballot.winner.turn, ballot.winner.shift, ballot.winner.consensus) == (1j, 2j, 5.0)
    nobody = Walks.of(read(cameras_around(1)[0], [], 80))
    assert vote(nobody, nobody).winner is None
    assert len(vote(two_views()[0], nobody).votes) == 0
