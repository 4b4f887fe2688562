"""View after view on one floor: chains, rings, wrong candidates that others outvote, and cameras refined together."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from acted_scenes import camera_at, cameras_around, read, strollers

from selfmva.geometry.box_pairs import pairs_of_boxes, squared_errors
from selfmva.geometry.floor_cameras import HEIGHT, POSE, YAW, X, Y, complex_places, moved
from selfmva.geometry.meetings import measure_support, walking_time
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.pair_solution import Candidate
from selfmva.geometry.registration import GROWTH_ROUNDS, LAST_ROUNDS, _beside, _fit_turn, refine_registered, register
from selfmva.geometry.sightings import Sightings
from selfmva.geometry.support import null_shifts

INSTANTS = 120
CAMERAS = cameras_around(4)
NEARLY = 1.15  # times the error under the true cameras


@cache
def views() -> tuple[Sightings, ...]:
    """Four of one crowd."""
    crowd = strollers(5, INSTANTS)
    return tuple(read(camera, crowd, INSTANTS, noise=0.03, seed=number) for number, camera in enumerate(CAMERAS))


def shifts() -> list[int]:
    return null_shifts(walking_time(views()), INSTANTS)


def candidate(i: int, j: int, turn: float = 0.0, shift: complex = 0j) -> Candidate:
    """View i beside view j, which is at the origin of the floor; right, or turned and shifted on that floor."""
    back = complex(np.exp(-1j * CAMERAS[j][YAW]))
    here = -back * complex(*CAMERAS[j][[X, Y]])
    cameras = {view: moved(CAMERAS[view], back, here) for view in (i, j)}
    cameras[i] = moved(cameras[i], complex(np.exp(1j * turn)), shift)
    return Candidate(cameras, measure_support(views(), cameras, (i, j), np.arange(INSTANTS), shifts()))


def errors(cameras: dict[int, np.ndarray]) -> dict[tuple[int, int], float]:
    """Median transfer error of the same people, over that under the true cameras: what the noise of feet leaves."""
    found = {}
    for i, j in combinations(sorted(cameras), 2):
        first, second = views()[i], views()[j]
        _, box, partner = pairs_of_boxes(first, second, np.arange(INSTANTS))
        # The numbers of tracklets are shuffled: in view v, walk k has number permutation[k].
        walk, other = (np.argsort(np.random.default_rng(view).permutation(5)) for view in (i, j))
        same = walk[first.tracks[box]] == other[second.tracks[partner]]
        square, least = (
            squared_errors(first, second, side[i], side[j], box[same], partner[same]) for side in (cameras, CAMERAS)
        )
        found[i, j] = float(np.sqrt(np.median(square) / np.median(least)))
    return found


def test_a_chain_of_pairs_becomes_one_floor() -> None:
    solutions = {pair: [candidate(*pair)] for pair in [(0, 1), (1, 2), (2, 3)]}
    cameras = register(views(), solutions, Overlap(views()), shifts())
    assert sorted(cameras) == [0, 1, 2, 3]
    assert max(errors(cameras).values()) < NEARLY


def test_views_that_no_pair_reaches_stay_off() -> None:
    solutions = {pair: [candidate(*pair)] for pair in [(0, 1), (2, 3)]}
    seed = max(solutions, key=lambda pair: solutions[pair][0].support.excess)
    assert register(views(), solutions, Overlap(views()), shifts()).keys() == set(seed)
    assert register(views(), {}, Overlap(views()), shifts()) == {}


def test_a_wrong_candidate_is_outvoted() -> None:
    """Of its own pair, the wrong one comes first; the views that are registered say otherwise."""
    wrong = candidate(1, 2, turn=2.0, shift=1.5 + 0j)
    solutions = {(0, 1): [candidate(0, 1)], (0, 2): [candidate(0, 2)], (1, 2): [wrong, candidate(1, 2)]}
    lonely = {(0, 1): [candidate(0, 1)], (1, 2): [wrong, candidate(1, 2)]}
    for known in (solutions, lonely):
        cameras = register(views(), known, Overlap(views()), shifts())
        assert sorted(cameras) == [0, 1, 2]
        assert max(errors(cameras).values()) < NEARLY


def test_of_many_candidates_the_place_where_most_meet_is_followed() -> None:
    """Three wrong ones are before the right one, and only two places are."""
    wrong = [candidate(1, 2, turn=0.7 * k, shift=1.2 * k * np.exp(1j * k)) for k in (1, 2, 3)]
    known = {0: CAMERAS[0], 1: CAMERAS[1]}
    cameras = register(views(), {(1, 2): [*wrong, candidate(1, 2)]}, Overlap(views()), shifts(), known)
    assert sorted(cameras) == [0, 1, 2]
    assert max(errors(cameras).values()) < NEARLY


def test_candidates_that_could_be_trusted_come_first() -> None:
    """An untrusted one that promises more would lay view 2 elsewhere, before view 3 tells better."""
    wrong = candidate(1, 2, turn=2.0, shift=1.5 + 0j)
    boastful = Candidate(wrong.cameras, replace(wrong.support, synchronous=1e4, largest=1e4, shifted=0.0))
    assert not boastful.support.trusted
    solutions = {(0, 1): [candidate(0, 1)], (1, 2): [boastful], (0, 3): [candidate(0, 3)], (2, 3): [candidate(2, 3)]}
    cameras = register(views(), solutions, Overlap(views()), shifts(), {0: CAMERAS[0], 1: CAMERAS[1]})
    assert sorted(cameras) == [0, 1, 2, 3]
    assert max(errors(cameras).values()) < NEARLY


def test_a_view_that_meets_nobody_does_not_join() -> None:
    solutions = {(0, 1): [candidate(0, 1)], (1, 2): [candidate(1, 2, turn=0.0, shift=40.0 + 0j)]}
    assert sorted(register(views(), solutions, Overlap(views()), shifts())) == [0, 1]


def test_known_cameras_say_where_the_floor_is() -> None:
    known = {0: CAMERAS[0], 1: CAMERAS[1]}
    cameras = register(views(), {(1, 2): [candidate(1, 2)]}, Overlap(views()), shifts(), known)
    assert sorted(cameras) == [0, 1, 2]
    # The first of them is the anchor of the refinement.
    np.testing.assert_array_equal(cameras[0][POSE], CAMERAS[0][POSE])
    assert np.abs(cameras[2] - CAMERAS[2])[[X, Y]].max() < 0.3
    assert known.keys() == {0, 1}


@pytest.mark.parametrize("new", [1, 2])
def test_a_view_is_laid_by_whom_it_matches(new: int) -> None:
    """The pair's floor is turned and shifted against the known one, which changes nothing."""
    pair = (1, 2)
    found = candidate(*pair)
    elsewhere = Candidate(
        {view: moved(camera, 1j, 5.0 + 2.0j) for view, camera in found.cameras.items()}, found.support
    )
    known = {view: CAMERAS[view] for view in range(3) if view != new}
    cameras = register(views()[:3], {pair: [elsewhere]}, Overlap(views()[:3]), shifts(), known)
    assert sorted(cameras) == [0, 1, 2]
    assert max(errors(cameras).values()) < NEARLY


def test_cameras_of_a_pair_that_measure_otherwise_lead_by_whom_they_match() -> None:
    """Both cameras of the pair take people for taller by a third: poses alone put the new view far off."""
    found = candidate(1, 2)
    cameras = {view: camera.copy() for view, camera in found.cameras.items()}
    for camera in cameras.values():
        camera[[X, Y]] *= 0.75
        camera[HEIGHT] += np.log(0.75)
    smaller = Candidate(cameras, found.support)
    known = {0: CAMERAS[0], 1: CAMERAS[1]}
    joined = register(views()[:3], {(1, 2): [smaller]}, Overlap(views()[:3]), shifts(), known)
    assert sorted(joined) == [0, 1, 2]
    assert max(errors(joined).values()) < NEARLY
    by_pose = {**known, 2: _beside(cameras[2], cameras[1], known[1])}
    assert max(errors(by_pose).values()) > 2 * NEARLY


def test_cameras_are_refined_together() -> None:
    rng = np.random.default_rng(0)
    nudged = dict(enumerate(CAMERAS))
    for view in (1, 2, 3):
        nudged[view] = moved(CAMERAS[view], complex(np.exp(0.03j)), complex(*rng.normal(scale=0.15, size=2)))
    before = max(errors(nudged).values())
    after = refine_registered(views(), Overlap(views()), nudged, LAST_ROUNDS)
    assert before > 1.5
    assert max(errors(after).values()) < NEARLY
    np.testing.assert_array_equal(after[0][POSE], CAMERAS[0][POSE])
    assert list(nudged) == list(after)


def test_refined_again_nothing_moves() -> None:
    cameras = refine_registered(views(), Overlap(views()), dict(enumerate(CAMERAS)), LAST_ROUNDS)
    again = refine_registered(views(), Overlap(views()), cameras, LAST_ROUNDS)
    for view, camera in cameras.items():
        np.testing.assert_allclose(again[view], camera, atol=0.03)


def test_cameras_that_share_nobody_stay_as_they_are() -> None:
    apart = {0: CAMERAS[0], 1: camera_at(90.0 + 0j, 99.0 + 0j)}
    assert Overlap(views()).pairs(apart) == []
    assert refine_registered(views(), Overlap(views()), apart, GROWTH_ROUNDS) == apart


def test_a_camera_stands_beside_its_partner_as_before() -> None:
    one, other = CAMERAS[:2]
    turn, shift = complex(np.exp(2.5j)), 3.0 - 4.0j
    found = _beside(one, other, moved(other, turn, shift))
    feet = views()[0].feet[views()[0].usable]
    np.testing.assert_allclose(complex_places(found, feet), turn * complex_places(one, feet) + shift)
    assert -np.pi <= found[YAW] <= np.pi
    np.testing.assert_allclose(_beside(one, other, other)[[X, Y]], one[[X, Y]])


def test_the_turn_and_shift_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    source = rng.normal(size=20) + 1j * rng.normal(size=20)
    turn, shift = complex(np.exp(-1.1j)), 2.0 + 1.0j
    assert _fit_turn(source, turn * source + shift, np.ones(20)) == pytest.approx((turn, shift))
    # Who weighs nothing has no say; and with noise, no turn nearby is better.
    spoilt = turn * source + shift
    spoilt[0] += 50.0
    assert _fit_turn(source, spoilt, np.arange(20.0)) == pytest.approx((turn, shift))
    target, weight = spoilt + rng.normal(size=20), rng.uniform(0.1, 1.0, 20)
    found = _fit_turn(source, target, weight)

    def cost(turn: complex, shift: complex) -> float:
        return float((weight * np.abs(turn * source + shift - target) ** 2).sum())

    for angle, move in [(0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01), (0, 0.01j), (0, -0.01j)]:
        assert cost(found[0] * complex(np.exp(1j * angle)), found[1] + move) > cost(*found)
