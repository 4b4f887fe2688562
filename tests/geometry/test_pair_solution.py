"""Two views alone: hypotheses that are near end at the true cameras, others end with less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import pytest
from acted_scenes import cameras_around, read, strollers

from selfmva.geometry.box_pairs import pairs_of_boxes, squared_errors
from selfmva.geometry.floor_cameras import POSE, YAW, X, Y, moved
from selfmva.geometry.meetings import measure_support, walking_time
from selfmva.geometry.pair_alignment import Alignment
from selfmva.geometry.pair_solution import PAIR_SOLUTION, Candidate, is_near, solve_pair
from selfmva.geometry.sightings import Sightings
from selfmva.geometry.support import null_shifts
from selfmva.geometry.tracklet_matches import blocks

INSTANTS = 120


@cache
def views() -> tuple[Sightings, ...]:
    crowd = strollers(5, INSTANTS)
    return tuple(read(camera, crowd, INSTANTS, noise=0.03, seed=v) for v, camera in enumerate(cameras_around(2)))


def true_alignment(i: int, j: int) -> Alignment:
    """From the own floor of one view to that of another."""
    one, other = cameras_around(2)[i], cameras_around(2)[j]
    back = np.exp(-1j * other[YAW])
    turn, shift = np.exp(1j * one[YAW]) * back, complex(*(one - other)[[X, Y]]) * back
    return Alignment(complex(turn), complex(shift), 0.0)


def off(alignment: Alignment, turn: float, shift: complex) -> Alignment:
    return Alignment(alignment.turn * complex(np.exp(1j * turn)), alignment.shift + shift, 0.0)


def solve(pair: tuple[int, int], alignments: Sequence[Alignment] | Iterator[Alignment]) -> list[Candidate]:
    return solve_pair(views(), pair, null_shifts(walking_time(views()), INSTANTS), alignments)


def median_error(candidate: Candidate) -> float:
    """Of the same people, in body heights."""
    first, second = views()[:2]
    courses = {number: k for k, number in enumerate(np.random.default_rng(0).permutation(5))}
    others = {number: k for k, number in enumerate(np.random.default_rng(1).permutation(5))}
    _, box, partner = pairs_of_boxes(first, second, np.arange(INSTANTS))
    same = np.array([courses[a] == others[b] for a, b in zip(first.tracks[box], second.tracks[partner], strict=True)])
    square = squared_errors(first, second, candidate.cameras[0], candidate.cameras[1], box[same], partner[same])
    return float(np.sqrt(np.median(square)))


@pytest.mark.parametrize(("turn", "shift"), [(0.0, 0j), (0.1, 0.3 + 0j), (-0.1, -0.4j)])
def test_a_hypothesis_nearby_ends_at_the_true_cameras(turn: float, shift: complex) -> None:
    # The turn is about the middle of the floor, where people are, not about the camera of view j.
    true = true_alignment(0, 1)
    middle = np.exp(-1j * cameras_around(2)[1][YAW]) * -complex(*cameras_around(2)[1][[X, Y]])
    start = Alignment(
        true.turn * complex(np.exp(1j * turn)),
        complex(middle + np.exp(1j * turn) * (true.shift - middle) + shift),
        0.0,
    )
    (found,) = solve((0, 1), [start])
    assert found.support.trusted
    assert found.clear
    # What is left is the noise of the feet.
    truth = Candidate(dict(enumerate(cameras_around(2))), found.support)
    assert median_error(found) < 1.1 * median_error(truth)
    # View j says where the floor is.
    assert (found.cameras[1][POSE] == 0).all()


def test_what_speaks_for_a_candidate_is_measured_under_its_cameras() -> None:
    (found,) = solve((0, 1), [true_alignment(0, 1)])
    shifts = null_shifts(walking_time(views()), INSTANTS)[: PAIR_SOLUTION.shifts]
    instants = blocks(*views()[:2], PAIR_SOLUTION.boxes)
    assert found.support == measure_support(views(), found.cameras, (0, 1), instants, shifts)


def test_no_more_hypotheses_are_drawn_than_are_tried() -> None:
    drawn = []

    def hypotheses() -> Iterator[Alignment]:
        for number, shift in enumerate([40.0 + 0j, 0j, 0.1 + 0j]):
            drawn.append(number)
            yield off(true_alignment(0, 1), 0.0, shift)

    found = solve((0, 1), hypotheses())
    assert drawn == [0, 1]  # the second is clear
    assert len(found) == 1  # nobody meets under the first


def test_the_best_comes_first_and_one_place_is_kept_once() -> None:
    """A formation of five, 1.2 body heights apart: at any shift by that, some meet; none is clear, all are tried."""
    time = np.arange(INSTANTS)
    course = 1.5 * np.exp(0.08j * time) + 0.5 * np.exp(-0.05j * time)
    walks = [(time, course + 1.2 * (k - 2)) for k in range(5)]
    seen = [read(camera, walks, INSTANTS, noise=0.03, seed=v) for v, camera in enumerate(cameras_around(2))]
    along = 1.2 * complex(np.exp(-1j * cameras_around(2)[1][YAW]))  # on the floor of view j
    starts = [off(true_alignment(0, 1), 0.0, steps * along) for steps in (2, 1, 0, -1, 1, 0)]
    found = solve_pair(seen, (0, 1), null_shifts(walking_time(seen), INSTANTS), starts)
    assert len(found) == 4
    # All of them meet, or all but one, or all but two.
    excess = np.array([candidate.support.excess for candidate in found])
    np.testing.assert_allclose(excess / excess[0], [1, 4 / 5, 4 / 5, 3 / 5], atol=0.1)
    assert (np.diff(excess) <= 0).all()
    assert not any(candidate.clear for candidate in found)
    for number, one in enumerate(found):
        for other in found[:number]:
            assert not is_near(one.cameras[0], other.cameras[0], PAIR_SOLUTION.same_place)


def test_nothing_to_try_nothing_found() -> None:
    assert solve((0, 1), []) == []


@pytest.mark.parametrize(
    ("turn", "shift", "near"),
    [(0.0, 0j, True), (0.09, 0j, True), (0.11, 0j, False), (0.0, 0.49j, True), (0.0, 0.51 + 0j, False)],
)
@pytest.mark.parametrize("yaw", [0.0, np.pi])
def test_poses_are_near_by_turn_and_place(turn: float, shift: complex, near: bool, yaw: float) -> None:
    """Around the half turn as well, where the yaw jumps."""
    camera = cameras_around(1)[0]
    camera[YAW] = yaw
    other = moved(camera, 1.0, shift)
    other[YAW] = np.angle(np.exp(1j * (yaw + turn)))
    assert is_near(camera, other, (0.1, 0.5)) == near
    assert is_near(other, camera, (0.1, 0.5)) == near
