"""Identities over time: of a recording, and live."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

import selfmva
from selfmva import Associator, Frame, NotFittedError, Tracker
from selfmva.association.tracker import with_ids_that_last
from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError
from selfmva.metrics.tracking import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import IntArray

TEST = range(200, 330)


@pytest.fixture(scope="module")
def scene() -> Simulated:
    return Simulated(views=3, people=6, instants=400, seed=3)


@pytest.fixture(scope="module")
def associator(scene: Simulated) -> Associator:
    return Associator(recipe="geometry").fit(scene)


@pytest.fixture(scope="module")
def frames(scene: Simulated) -> list[Frame]:
    return [scene.frame(t) for t in TEST]


@pytest.fixture(scope="module")
def truth(scene: Simulated) -> list[tuple[IntArray, ...]]:
    return [scene.identities(t) for t in TEST]


def idf1(frames: Sequence[Frame], truth: Sequence[tuple[IntArray, ...]], ids: Sequence[tuple[IntArray, ...]]) -> float:
    return score((frames, truth), (frames, ids)).union.idf1


def test_people_keep_their_ids_through_a_recording(
    associator: Associator, frames: list[Frame], truth: list[tuple[IntArray, ...]]
) -> None:
    tracks = associator.track(frames)
    assert idf1(frames, truth, tracks.ids) > 0.93
    assert all(((sure >= 0) & (sure <= 1)).all() for part in tracks.confidences for sure in part)


def test_people_keep_their_ids_in_a_stream(
    associator: Associator, frames: list[Frame], truth: list[tuple[IntArray, ...]]
) -> None:
    tracker = Tracker(associator)
    found = [tracker.update(frame) for frame in frames]
    assert idf1(frames, truth, [one.ids for one in found]) > 0.9
    assert found[7].probability(0, 1).shape == (frames[7].counts[0], frames[7].counts[1])


def test_a_camera_that_is_dark_for_a_while_changes_no_id(
    associator: Associator, frames: list[Frame], truth: list[tuple[IntArray, ...]]
) -> None:
    dark = [
        Frame([boxes if v else [] for v, boxes in enumerate(frame.boxes)], frame.index) if 50 <= t < 75 else frame
        for t, frame in enumerate(frames)
    ]
    known = [(people[0][:0], *people[1:]) if 50 <= t < 75 else people for t, people in enumerate(truth)]
    whole, missing = associator.track(frames).ids, associator.track(dark).ids
    before, after = slice(0, 50), slice(75, 130)
    assert same_ids(truth, whole, before, after) <= same_ids(known, missing, before, after)


def test_frames_that_are_lost_change_no_id(
    associator: Associator, frames: list[Frame], truth: list[tuple[IntArray, ...]]
) -> None:
    kept = np.flatnonzero(np.random.default_rng(0).random(len(frames)) > 0.05).tolist()
    whole, some = associator.track(frames).ids, associator.track(frames[t] for t in kept).ids
    before, after = slice(0, 60), slice(60, len(kept))
    known = [truth[t] for t in kept]
    assert same_ids(known, [whole[t] for t in kept], before, after) <= same_ids(known, some, before, after)


@pytest.mark.parametrize("jump", [3, 500])
def test_a_clock_that_jumps_changes_no_id(
    associator: Associator, frames: list[Frame], truth: list[tuple[IntArray, ...]], jump: int
) -> None:
    jumped = [Frame(frame.boxes, frame.index + jump * (t >= 65)) for t, frame in enumerate(frames)]
    whole, late = associator.track(frames).ids, associator.track(jumped).ids
    before, after = slice(0, 65), slice(65, 130)
    assert same_ids(truth, whole, before, after) <= same_ids(truth, late, before, after)


def test_views_and_boxes_may_come_in_any_order(associator: Associator, frames: list[Frame]) -> None:
    rng = np.random.default_rng(0)
    orders = [[rng.permutation(count) for count in frame.counts] for frame in frames]
    mixed = [
        Frame([boxes[rows] for boxes, rows in zip(frame.boxes, order, strict=True)], frame.index)
        for frame, order in zip(frames, orders, strict=True)
    ]
    whole, other = associator.track(frames), associator.track(mixed)
    back = [
        tuple(ids[np.argsort(rows)] for ids, rows in zip(found, order, strict=True))
        for found, order in zip(other.ids, orders, strict=True)
    ]
    assert len(changes(whole.ids, back)) == len(whole.people) == len(other.people)


def test_nobody_is_normal(associator: Associator, frames: list[Frame]) -> None:
    empty = [Frame([[], [], []], frame.index) for frame in frames[:5]]
    assert associator.track(empty).people == ()
    assert len(associator.track([])) == 0
    tracker = Tracker(associator)
    assert [ids.tolist() for ids in tracker.update(empty[0]).ids] == [[], [], []]


def test_arrays_are_numbered_by_the_tracker(associator: Associator, frames: list[Frame]) -> None:
    tracker = Tracker(associator)
    assert [tracker.update(list(frame.boxes)).index for frame in frames[:3]] == [0, 1, 2]
    assert "instant 2" in repr(tracker)


@pytest.mark.parametrize(("order", "word"), [([0, 2, 1], "earlier"), ([0, 1, 1], "again")])
def test_time_goes_on(associator: Associator, frames: list[Frame], order: list[int], word: str) -> None:
    tracker = Tracker(associator)
    for t in order[:2]:
        tracker.update(frames[t])
    with pytest.raises(InputError, match=word):
        tracker.update(frames[order[2]])
    tracker.update(frames[5])
    with pytest.raises(InputError, match="in the order of time"):
        associator.track(frames[t] for t in order)


def test_a_tracker_needs_what_was_fitted(frames: list[Frame]) -> None:
    with pytest.raises(NotFittedError):
        Tracker(Associator())
    with pytest.raises(NotFittedError, match="track"):
        Associator().track(frames)
    with pytest.raises(InputError, match="Associator"):
        Tracker(frames)  # type: ignore[arg-type]


def test_frames_of_another_rig_are_refused(associator: Associator) -> None:
    with pytest.raises(InputError, match="view"):
        Tracker(associator).update(Frame([[], []]))


def test_progress_is_told(associator: Associator, frames: list[Frame]) -> None:
    told: list[tuple[str, int, int]] = []
    associator.track(frames[:10], progress=lambda *news: told.append(news))
    assert told[-1][1] == told[-1][2]
    assert {name for name, _, _ in told} == {"track"}
    assert all(one[1] <= other[1] for one, other in pairwise(told))


def test_names_are_at_the_door() -> None:
    assert selfmva.Tracker is Tracker


def usual_ids(truth: Sequence[tuple[IntArray, ...]], ids: Sequence[tuple[IntArray, ...]]) -> dict[int, int]:
    """By person, the id that most of their boxes have."""
    people, found = (np.concatenate([np.concatenate(one) for one in parts]) for parts in (truth, ids))
    return {
        int(person): int(np.bincount(found[people == person]).argmax()) for person in np.unique(people[people >= 0])
    }


def same_ids(
    truth: Sequence[tuple[IntArray, ...]], ids: Sequence[tuple[IntArray, ...]], before: slice, after: slice
) -> set[int]:
    """People whose usual id is the same in two parts of a recording; some are there."""
    one, other = (usual_ids(truth[part], ids[part]) for part in (before, after))
    same = {person for person in one.keys() & other.keys() if one[person] == other[person]}
    assert len(same) >= 2
    return same


def changes(one: Sequence[tuple[IntArray, ...]], other: Sequence[tuple[IntArray, ...]]) -> set[tuple[int, int]]:
    """Which ids go together: as many pairs as people where both say the same."""
    return {
        pair
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
        for pair in zip(a.tolist(), b.tolist(), strict=True)
    }


def test_a_stream_of_associations_is_followed(associator: Associator, frames: list[Frame]) -> None:
    """What `update` says of frames, `follow` says of their associations; a second recording has people of its own."""
    frames = frames[:20]
    updated = list(map(Tracker(associator).update, frames))
    followed = list(with_ids_that_last(associator, associator.associate_many([*frames, *frames])))
    for one, other, again in zip(updated, followed[:20], followed[20:], strict=True):
        assert [ids.tolist() for ids in one.ids] == [ids.tolist() for ids in other.ids]
        shift = again.ids[0][again.ids[0] >= 0] - one.ids[0][one.ids[0] >= 0]
        assert (shift == shift[:1]).all()
        assert (shift > max(int(ids.max(initial=-1)) for found in updated for ids in found.ids)).all()
    assert len(updated) == 20
    with pytest.raises(InputError, match=r"follow\(\) needs an Association"):
        Tracker(associator).follow(frames[0])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="of other cameras"):
        Tracker(associator).follow(replace(updated[0], views=updated[0].views[::-1]))
