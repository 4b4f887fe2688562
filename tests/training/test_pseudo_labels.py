"""Where geometry is sure who is who: on the true floor of a simulated scene it must be right."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_scenes import scene, shuffle_boxes
from true_floors import true_floor, without

from selfmva.core.packed_boxes import PackedBoxes, gather, pack
from selfmva.core.types import Frame, reorder_views
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_likelihood import LIKELIHOOD, log_odds_of_distances
from selfmva.training.pseudo_labels import CONSENSUS, Consensus, ConsensusSettings, find_consensus, floor_table

VIEWS, PEOPLE, INSTANTS = 4, 6, 60
Match = tuple[int, tuple[int, tuple[float, ...]], tuple[int, tuple[float, ...]]]


@cache
def people() -> Simulated:
    return scene(views=VIEWS, people=PEOPLE, instants=INSTANTS, seed=2)


@cache
def floor() -> Floor:
    return true_floor(people())


def frames() -> list[Frame]:
    return [people().frame(t) for t in range(INSTANTS)]


@cache
def recording() -> PackedBoxes:
    return pack(frames(), VIEWS)


def turned(order: list[int]) -> PackedBoxes:
    """The recording with its views in another order."""
    return pack([reorder_views(frame, order) for frame in frames()], VIEWS)


@cache
def found() -> Consensus:
    return find_consensus(floor(), recording())


def corners(packed: PackedBoxes, instant: int, view: int, place: int) -> tuple[float, ...]:
    return tuple(packed.boxes[packed.start[instant, view] + place].tolist())


def matches(consensus: Consensus, packed: PackedBoxes, order: list[int]) -> set[Match]:
    """Instant, and the two boxes with the views that they are of: free of the order of views and boxes."""
    every = zip(consensus.instant.tolist(), consensus.image.tolist(), consensus.place.tolist(), strict=True)
    sides = ((t, [(order[i], corners(packed, t, i, k)) for i, k in zip(*both, strict=True)]) for t, *both in every)
    return {(t, *sorted(two)) for t, two in sides}


def identities() -> dict[tuple[int, int, tuple[float, ...]], int]:
    """The person of every box; false boxes are nobody: each its own."""
    known, strangers = {}, 0
    for t, frame in enumerate(frames()):
        for view, (boxes, ids) in enumerate(zip(frame.boxes, people().identities(t), strict=True)):
            for box, person in zip(boxes.astype(np.float32).tolist(), ids.tolist(), strict=True):
                strangers += person < 0
                known[t, view, tuple(box)] = person if person >= 0 else -strangers
    return known


def test_matches_are_of_one_person() -> None:
    known = identities()
    right = [known[t, *one] == known[t, *other] for t, one, other in matches(found(), recording(), list(range(VIEWS)))]
    possible = sum(
        len(set(ids[i].tolist()) & set(ids[j].tolist()) - {-1})
        for ids in map(people().identities, range(INSTANTS))
        for i, j in view_pairs(VIEWS)
    )
    assert np.mean(right) > 0.95
    assert sum(right) > 0.5 * possible


def test_matches_are_between_two_views_of_one_instant_and_come_in_order() -> None:
    consensus = found()
    assert (np.diff(consensus.instant) >= 0).all()
    assert (consensus.image[:, 0] < consensus.image[:, 1]).all()
    count = recording().count[consensus.instant[:, None], consensus.image]
    assert ((consensus.place >= 0) & (consensus.place < count)).all()
    assert consensus.known.tolist() == list(range(INSTANTS))
    # Nobody is two people of another view.
    for side in (0, 1):
        keys = np.column_stack([consensus.instant, consensus.image, consensus.place[:, side]])
        assert len(np.unique(keys, axis=0)) == len(keys)


@given(st.sets(st.integers(0, INSTANTS - 1)))
def test_rows_of_a_batch_point_at_the_same_boxes(chosen: set[int]) -> None:
    instants = np.array(sorted(chosen), dtype=np.int64)
    batch = gather(recording(), instants)
    rows = found().rows(instants, batch)
    here = np.flatnonzero(np.isin(found().instant, instants))
    assert rows.shape == (len(here), 2)
    for match, two in zip(here.tolist(), rows.tolist(), strict=True):
        for view, place, row in zip(found().image[match], found().place[match], two, strict=True):
            assert tuple(batch.boxes[row].tolist()) == corners(recording(), found().instant[match], view, place)
            assert batch.view[row] == view


def test_instants_without_a_match_have_no_rows() -> None:
    seen = np.isin(np.arange(INSTANTS), [3, 8])
    some = pack([frame if keep else Frame([[]] * VIEWS) for frame, keep in zip(frames(), seen, strict=True)], VIEWS)
    consensus = find_consensus(floor(), some)
    assert set(consensus.instant.tolist()) == {3, 8}
    empty = np.array([0, 5, 20])
    assert consensus.rows(empty, gather(some, empty)).shape == (0, 2)
    between = np.array([2, 3, 5, 8, 9])
    assert len(consensus.rows(between, gather(some, between))) == len(consensus.instant)
    assert consensus.rows(np.zeros(0, dtype=np.int64), gather(some, np.zeros(0, dtype=np.int64))).shape == (0, 2)


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_order_of_views_changes_only_their_numbers(order: list[int]) -> None:
    packed = turned(order)
    other = matches(find_consensus(floor().reordered(order), packed), packed, order)
    same = matches(found(), recording(), list(range(VIEWS)))
    # Messages of the matching marginals start with the rows: what is just sure one way may be just unsure the other.
    assert len(other ^ same) <= 0.01 * len(same)


def test_the_order_of_boxes_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    shuffled = pack([shuffle_boxes(frame, rng)[0] for frame in frames()], VIEWS)
    other = find_consensus(floor(), shuffled)
    order = list(range(VIEWS))
    assert matches(other, shuffled, order) == matches(found(), recording(), order)


def test_views_off_the_floor_are_in_no_match() -> None:
    consensus = find_consensus(without(floor(), 1), recording())
    assert 1 not in consensus.image
    assert set(consensus.image.flatten().tolist()) == {0, 2, 3}
    # The same in another order, in which view 1 of the floor is the last.
    order = [0, 2, 3, 1]
    other = find_consensus(without(floor(), 1).reordered(order), turned(order))
    assert 3 not in other.image
    assert set(other.image.flatten().tolist()) == {0, 1, 2}


@pytest.mark.parametrize("off", [(0, 1, 2), (0, 1, 2, 3)])
def test_a_floor_under_one_view_or_none_matches_nobody(off: tuple[int, ...]) -> None:
    consensus = find_consensus(without(floor(), *off), recording())
    assert consensus.image.shape == consensus.place.shape == (0, 2)


def test_nobody_matches_nobody() -> None:
    empty = pack([Frame([[]] * VIEWS)] * (CONSENSUS.chunk + 1), VIEWS)
    consensus = find_consensus(floor(), empty)
    assert consensus.image.shape == consensus.place.shape == (0, 2)
    assert len(consensus.known) == CONSENSUS.chunk + 1


def test_instants_are_asked_at_even_distances_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selfmva.training.pseudo_labels.CONSENSUS", ConsensusSettings(most_instants=7))
    consensus = find_consensus(floor(), recording())
    assert len(consensus.known) == 7
    assert consensus.known[[0, -1]].tolist() == [0, INSTANTS - 1]
    assert np.ptp(np.diff(consensus.known)) <= 1
    assert set(consensus.instant.tolist()) <= set(consensus.known.tolist())


def test_what_distances_mean_depends_on_the_crowd() -> None:
    full = floor_table(floor(), recording())
    lonely = floor_table(floor(), pack([Frame([[]] * VIEWS)] * 3, VIEWS))
    distances, log_odds = log_odds_of_distances(LIKELIHOOD.strangers * LIKELIHOOD.least_density)
    np.testing.assert_allclose(lonely.distances, distances)
    np.testing.assert_allclose(lonely.log_odds, log_odds)
    assert (full.log_odds < lonely.log_odds).all()
    order = [2, 0, 3, 1]
    other = floor_table(floor().reordered(order), turned(order))
    np.testing.assert_allclose(other.log_odds, full.log_odds)
