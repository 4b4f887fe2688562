"""Steps and passes of the tracker."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from walks import instants_of, walkers

from selfmva.tracking.instants import Instant
from selfmva.tracking.motion import MotionModel
from selfmva.tracking.people import People
from selfmva.tracking.recordings import follow_through, track_recording
from selfmva.tracking.step import step


def empty(index: int, views: int = 1) -> Instant:
    none = np.zeros(0, np.int64)
    return Instant(index, np.zeros(views, np.int64), np.zeros((0, 4)), none, none, np.zeros(0), none, None)


def test_ids_stay() -> None:
    found, _ = track_recording(instants_of(walkers(people=4, instants=40)))
    assert all(ids.tolist() == [0, 1, 2, 3] for ids in found.ids)


def test_boxes_may_come_in_any_order() -> None:
    boxes, rng = walkers(people=5, instants=40), np.random.default_rng(0)
    orders = [rng.permutation(5) for _ in boxes]
    plain, _ = track_recording(instants_of(boxes))
    mixed, _ = track_recording(instants_of([own[order] for own, order in zip(boxes, orders, strict=True)]))
    back = [np.argsort(order) for order in orders]
    sorted_ids = np.array([ids[rows] for ids, rows in zip(mixed.ids, back, strict=True)])
    assert (sorted_ids == sorted_ids[0]).all()
    assert (np.array(plain.ids) == plain.ids[0]).all()


@pytest.mark.parametrize("gone", [1, 3, 8])
def test_whoever_is_hidden_for_a_while_keeps_the_id(gone: int) -> None:
    boxes = list(walkers(people=3, instants=60))
    for t in range(30, 30 + gone):
        boxes[t] = boxes[t][[0, 2]]
    found, _ = track_recording(instants_of(boxes))
    assert found.ids[-1].tolist() == found.ids[0].tolist()
    assert len(np.unique(np.concatenate(found.ids))) == 3


def test_whoever_comes_in_far_from_all_others_is_new() -> None:
    boxes = list(walkers(people=3, instants=60))
    boxes[:40] = [own[:2] for own in boxes[:40]]
    found, _ = track_recording(instants_of(boxes))
    assert [ids.tolist() for ids in (found.ids[0], found.ids[39], found.ids[40])] == [[0, 1], [0, 1], [0, 1, 2]]


def test_nobody_is_normal() -> None:
    found = follow_through([empty(0), *instants_of(walkers(people=2, instants=3), first=1), empty(4)], MotionModel())
    assert [len(ids) for ids in found.ids] == [0, 2, 2, 2, 0]
    assert found.born == 0
    assert follow_through([], MotionModel()).ids == []


def test_two_boxes_of_a_view_never_share_an_id() -> None:
    one = walkers(people=1, instants=2)
    people = step(People.new(np.zeros(0, np.int64), 0, 1), instants_of(one)[0], 0, 0, MotionModel()).people
    twice = instants_of(np.repeat(one, 2, axis=1))[1]
    assert sorted(step(people, twice, 1, 1, MotionModel()).ids.tolist()) == [0, 1]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12), st.integers(0, 2**31))
def test_every_box_has_one_id_and_no_view_has_one_twice(counts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = [rng.uniform(0, 500, (count, 2)) for count in counts]
    boxes = [np.concatenate([low, low + rng.uniform(5, 90, low.shape)], axis=1) for low in corner]
    found = follow_through(instants_of(boxes), MotionModel())
    for ids, count in zip(found.ids, counts, strict=True):
        assert len(np.unique(ids)) == len(ids) == count


def test_people_who_are_gone_for_good_are_forgotten() -> None:
    boxes = walkers(people=1, instants=1)
    people = step(People.new(np.zeros(0, np.int64), 0, 1), instants_of(boxes)[0], 0, 0, MotionModel()).people
    memory = MotionModel().returns.memory
    for now in range(1, memory + 1):
        assert len(people) == 1
        people = step(people, empty(now), now, 1, MotionModel()).people
    assert len(people) == 0


def test_instants_without_a_frame_are_no_absence() -> None:
    boxes = walkers(people=2, instants=14)
    kept = [instant for instant in instants_of(boxes) if instant.index not in {6, 7}]
    assert follow_through(kept, MotionModel()).ids[-1].tolist() == [0, 1]


@pytest.mark.parametrize("jump", [3, 1000])
def test_a_clock_that_jumps_changes_no_id(jump: int) -> None:
    boxes = walkers(people=3, instants=40)
    late = [*instants_of(boxes[:20]), *instants_of(boxes[20:], first=20 + jump)]
    found, _ = track_recording(late)
    assert all(ids.tolist() == [0, 1, 2] for ids in found.ids)
