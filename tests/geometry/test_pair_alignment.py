"""The floor of one view laid on that of another: walks of the same people, whose places are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from floor_scenes import floor_error, frames_of, sight, sight_walkers, walkers
from small_scenes import shuffle_boxes

from selfmva.geometry.floor_cameras import moved
from selfmva.geometry.meetings import walking_time
from selfmva.geometry.pair_alignment import ALIGNMENT, propose, search
from selfmva.geometry.support import null_shifts


def shifts_of(views: list) -> list[int]:
    return null_shifts(walking_time(views), len(views[0].starts) - 1)[:4]


@pytest.mark.parametrize(("i", "j"), [(0, 1), (0, 2), (1, 2)])
def test_the_best_alignment_of_two_views_is_the_true_one(i: int, j: int) -> None:
    scene = walkers()
    views = sight_walkers()
    best = search(views[i], views[j], shifts_of(views))[0]
    cameras = {i: moved(views[i].camera, best.turn, best.shift), j: views[j].camera}
    assert floor_error(scene, cameras, i, j) < 0.5
    assert abs(best.turn) == pytest.approx(1.0)


def test_alignments_come_best_first_and_differ() -> None:
    views = sight_walkers()
    found = search(views[0], views[1], shifts_of(views))
    assert 1 < len(found) <= ALIGNMENT.kept
    assert [a.consensus for a in found] == sorted((a.consensus for a in found), reverse=True)
    assert len({(round(a.turn.real, 6), round(a.shift.real, 6)) for a in found}) == len(found)


def test_a_walk_laid_on_itself_needs_no_turn_and_no_shift() -> None:
    view = sight_walkers()[0]
    turn, shift = propose(view, view)
    assert turn[0] == pytest.approx(1.0, abs=1e-6)
    assert shift[0] == pytest.approx(0.0, abs=1e-5)


def test_a_turned_and_shifted_floor_is_turned_and_shifted_back() -> None:
    view = sight_walkers()[0]
    turn, shift = np.exp(0.7j), 3.0 - 2.0j
    other = dataclasses.replace(view, places=turn * view.places + shift)
    turns, shifts = propose(view, other)
    assert turns[0] == pytest.approx(turn, abs=1e-6)
    assert shifts[0] == pytest.approx(shift, abs=1e-5)


def test_the_order_of_the_boxes_changes_nothing() -> None:
    scene, rng = walkers(), np.random.default_rng(0)
    shuffled = [shuffle_boxes(frame, rng)[0] for frame in frames_of(scene)]
    views, others = sight_walkers(), sight(scene, shuffled)
    assert search(*views[:2], shifts_of(views)) == search(*others[:2], shifts_of(others))


def test_nobody_who_walks_no_alignment() -> None:
    views = sight_walkers(people=3, instants=60, standing=True, jitter=0.0)
    assert search(views[0], views[1], [5, -5]) == []
