"""Numbers that stay: what never happens, and what must."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from selfmva.association.association import Association
from selfmva.core.types import Frame, View
from selfmva.datasets.simulated import Simulated
from selfmva.viz import steady_ids

VIEWS = (View("left", 640, 480), View("right", 640, 480))


def instant(boxes: Any, ids: Any, index: int = 0) -> Association:
    arrays = tuple(np.array(part, dtype=np.int64) for part in ids)
    return Association(Frame(boxes, index), VIEWS[: len(boxes)], arrays, {})


def numbers(associations: list[Association], **options: Any) -> list[list[list[int]]]:
    return [[part.tolist() for part in parts] for parts in steady_ids(associations, **options)]


@st.composite
def scenes(draw: st.DrawFn) -> list[Association]:
    """A few instants of two views, with people in one or both of them."""
    instants = []
    for index in range(draw(st.integers(0, 5))):
        people = draw(st.lists(st.sampled_from(["left", "right", "both"]), max_size=5))
        boxes: list[list[list[float]]] = [[], []]
        ids: list[list[int]] = [[], []]
        for person, where in enumerate(people):
            for view, name in enumerate(("left", "right")):
                if where in (name, "both"):
                    x, y = draw(st.floats(0, 500)) + 0.314 * person, draw(st.floats(0, 300))  # no box twice
                    boxes[view].append([x, y, x + draw(st.floats(5, 100)), y + draw(st.floats(5, 150))])
                    ids[view].append(person)
        instants.append(instant(boxes, ids, index))
    return instants


@given(scenes())
def test_one_number_is_one_person(associations: list[Association]) -> None:
    """Boxes share a number where they share an id, and only there; nobody is left out."""
    for association, parts in zip(associations, steady_ids(associations), strict=True):
        assert [len(part) for part in parts] == list(association.frame.counts)
        assert all(part.dtype == np.int64 for part in parts)
        pairs = {
            (int(a), int(b))
            for ids, part in zip(association.ids, parts, strict=True)
            for a, b in zip(ids, part, strict=True)
        }
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
        assert all(b >= 0 for _, b in pairs)


@given(scenes())
def test_a_still_scene_keeps_its_numbers(associations: list[Association]) -> None:
    for association in associations:
        first, second, third = numbers([association] * 3)
        assert first == second == third


@settings(max_examples=50)
@given(scenes(), st.integers(0, 2**32 - 1))
def test_order_of_boxes_and_ids_changes_nothing(associations: list[Association], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shuffled, orders = [], []
    for association in associations:
        order = [rng.permutation(count) for count in association.frame.counts]
        names = rng.permutation(10)
        boxes = [boxes[rows] for boxes, rows in zip(association.frame.boxes, order, strict=True)]
        ids = [names[ids[rows]] for ids, rows in zip(association.ids, order, strict=True)]
        shuffled.append(instant(boxes, ids, association.index))
        orders.append(order)
    for ours, theirs, order in zip(steady_ids(associations), steady_ids(shuffled), orders, strict=True):
        for one, other, rows in zip(ours, theirs, order, strict=True):
            np.testing.assert_array_equal(one[rows], other)


def test_people_who_walk_keep_their_numbers() -> None:
    """With the true identities as ids, a number stays with its person as long as boxes overlap."""
    scene = Simulated(views=3, people=4, instants=80, seed=0)
    rng = np.random.default_rng(0)
    known, associations = [], []
    for index in range(80):
        identities = scene.identities(index)
        names = rng.permutation(1000)  # ids of the instant alone
        ids = tuple(np.where(part >= 0, names[part], -1) for part in identities)
        associations.append(Association(scene.frame(index), tuple(scene.views), ids, {}))
        known.append(np.concatenate(identities))
    shown = [np.concatenate(parts) for parts in steady_ids(associations, memory=3)]
    kept = total = 0
    before: dict[int, int] = {}
    for people, marks in zip(known, shown, strict=True):
        now = {int(p): int(m) for p, m in zip(people, marks, strict=True) if p >= 0}
        common = before.keys() & now.keys()
        kept += sum(before[person] == now[person] for person in common)
        total += len(common)
        before = now
    assert total > 200
    assert kept / total > 0.95


def test_two_views_outvote_one() -> None:
    """In the left view two people change places; in the right view they don't."""
    first = instant([[[0, 0, 50, 90]], [[0, 0, 50, 90], [200, 0, 250, 90]]], [[0], [0, 1]])
    then = instant([[[0, 0, 50, 90], [20, 0, 70, 90]], [[200, 0, 250, 90], [0, 0, 50, 90]]], [[3, 5], [3, 5]])
    assert numbers([first, then]) == [[[0], [0, 1]], [[1, 0], [1, 0]]]


def test_memory_ends() -> None:
    box, empty = [[10, 10, 50, 90]], instant([[]], [[]])
    seen = instant([box], [[7]])
    assert numbers([seen, empty, empty, seen], memory=3)[-1] == [[0]]
    assert numbers([seen, empty, empty, seen], memory=2)[-1] == [[1]]


def test_a_jump_is_somebody_else_and_nobody_stays_nobody() -> None:
    there, elsewhere = instant([[[10, 10, 50, 90]]], [[0]]), instant([[[210, 10, 250, 90]]], [[0]])
    assert numbers([there, elsewhere]) == [[[0]], [[1]]]
    assert numbers([instant([[[10, 10, 50, 90], [60, 10, 90, 90]]], [[-1, 4]])]) == [[[-1, 0]]]
    assert numbers([]) == []
