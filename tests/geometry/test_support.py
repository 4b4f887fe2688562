"""What speaks for a geometry: measured on walkers, added up over pairs, and the verdict on groups of views."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from floor_scenes import frames_of, sight, sight_walkers, walkers
from hypothesis import given
from hypothesis import strategies as st
from true_floors import true_floor

from selfmva.core.types import Frame
from selfmva.geometry.floor_cameras import moved
from selfmva.geometry.meetings import measure_pairs, measure_support, walking_time
from selfmva.geometry.support import (
    NO_SUPPORT,
    SUPPORT,
    Meetings,
    Support,
    held_views,
    judge,
    null_shifts,
    together,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.geometry.sightings import Sightings

GOOD = Support(synchronous=100.0, shifted=10.0, largest=20.0, walked=30.0, steadiness=0.8, residual=0.1, instants=200)
SHIFTED = 0.25  # of what `pair_of` brings together: chance, at every shift


def true_cameras() -> dict[int, np.ndarray]:
    return {view: camera for view, camera in enumerate(true_floor(walkers()).cameras) if camera is not None}


def nobody() -> np.ndarray:
    return np.zeros((0, 4))


def support_of(views: list[Sightings], cameras: dict[int, np.ndarray]) -> Support:
    """What is measured for the first two views."""
    instants = len(views[0].starts) - 1
    return measure_support(views, cameras, (0, 1), np.arange(instants), null_shifts(walking_time(views), instants))


def pair_of(walked: float, time: int = 1) -> Meetings:
    """Two views whose people walk so far while they meet, as steadily as can be."""
    counts = np.full((5, SUPPORT.moments), walked * time / SUPPORT.moments / (1.0 - SHIFTED))
    counts[1:] *= SHIFTED
    return Meetings(counts, time, 0.1, 100)


def all_pairs(views: int, walked: Mapping[tuple[int, int], float]) -> dict[tuple[int, int], Meetings]:
    return {pair: pair_of(walked.get(pair, 0.0)) for pair in combinations(range(views), 2)}


def test_support_vanishes_where_clocks_or_cameras_are_wrong() -> None:
    frames, cameras = frames_of(walkers()), true_cameras()
    late = [
        Frame([frame.boxes[0], other.boxes[1], nobody()]) for frame, other in zip(frames, frames[60:], strict=False)
    ]
    turned = cameras | {1: moved(cameras[1], complex(np.exp(0.5j)), 0j)}
    assert support_of(sight_walkers(), cameras).trusted
    assert not support_of(sight(walkers(), late), cameras).trusted
    assert not support_of(sight_walkers(), turned).trusted


def test_steadiness_is_the_fraction_of_the_recording_that_carries_the_support() -> None:
    frames = frames_of(walkers())
    # In two thirds of the recording view 1 shows somebody at other instants than view 0: nothing can meet there.
    thirds = [
        Frame([boxes if t < 80 or (t % 2 == v % 2) else nobody() for v, boxes in enumerate(frame.boxes)])
        for t, frame in enumerate(frames)
    ]
    whole, part = sight_walkers(), sight(walkers(), thirds)
    steady, third = (support_of(views, true_cameras()) for views in (whole, part))
    assert steady.steadiness > 0.6
    assert 0.0 < third.steadiness < 0.45
    assert third.excess < steady.excess


def test_walking_is_measured_in_body_heights_not_in_boxes() -> None:
    """The same walk at half the frame rate: half the boxes, the same way."""
    slow = sight(walkers(), frames_of(walkers())[::2])
    full, half = (support_of(views, true_cameras()) for views in (sight_walkers(), slow))
    # People are lost more often where they come further between two instants.
    assert half.excess / full.excess == pytest.approx(0.5, abs=0.25)
    assert half.walked / full.walked == pytest.approx(0.8, abs=0.35)


def test_pairs_of_views_are_measured_as_each_alone() -> None:
    views, cameras = sight_walkers(), true_cameras()
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    measured = measure_pairs(views, cameras, [(0, 1), (0, 2)], shifts)
    assert sorted(measured) == [(0, 1), (0, 2)]
    assert all(found.counts.shape == (1 + len(shifts), SUPPORT.moments) for found in measured.values())
    # The recording is short enough to be looked at as a whole.
    assert measured[0, 1].support() == support_of(views, cameras)


def test_nothing_measured_is_no_support() -> None:
    views, cameras = sight_walkers(), true_cameras()
    assert measure_support(views, cameras, (0, 1), np.arange(0), [5, -5]) is NO_SUPPORT
    assert measure_support(views, cameras, (0, 1), np.arange(50), []) is NO_SUPPORT
    assert not NO_SUPPORT.trusted


@pytest.mark.parametrize(
    "change",
    [
        {"largest": 100.0 / SUPPORT.trust_ratio * 1.01},
        {"walked": SUPPORT.least_walked / 0.8 * 0.99},
        {"steadiness": SUPPORT.least_walked / 30.0 * 0.99},
        {"walked": -30.0},
    ],
)
def test_every_doubt_is_enough_for_distrust(change: dict[str, float]) -> None:
    assert GOOD.trusted
    assert GOOD.excess == pytest.approx(90.0)
    assert not dataclasses.replace(GOOD, **change).trusted


@pytest.mark.parametrize(
    ("change", "trusted"),
    [
        ({"walked": SUPPORT.least_confirmed / 0.8 * 1.01}, True),
        ({"walked": SUPPORT.least_confirmed / 0.8 * 0.99}, False),
        ({"steadiness": SUPPORT.least_confirmed / 30.0 * 1.01}, True),
        ({"steadiness": SUPPORT.least_confirmed / 30.0 * 0.99}, False),
        ({"largest": 100.0 / SUPPORT.trust_ratio * 1.01}, False),
    ],
)
def test_a_known_geometry_needs_less_to_be_confirmed_but_no_less_against_chance(
    change: dict[str, float], trusted: bool
) -> None:
    assert dataclasses.replace(GOOD, known=True, **change).trusted == trusted
    assert not dataclasses.replace(GOOD, known=False, **change).trusted


def test_meetings_in_numbers() -> None:
    """Two of twelve parts with people; chance is 3 in the mean of two shifts and 4 at the worst."""
    counts = np.zeros((3, SUPPORT.moments))
    counts[0, :2] = 12.0, 6.0
    counts[1, 0], counts[2, :2] = 2.0, (2.0, 2.0)
    support = Meetings(counts, walking_time=5, residual=0.07, instants=90).support()
    assert (support.synchronous, support.shifted, support.largest) == (18.0, 3.0, 4.0)
    assert support.excess == 15.0
    assert support.walked == pytest.approx(3.0)  # body heights, of 5 boxes each
    assert support.steadiness == pytest.approx(15.0**2 / (12 * (10.0**2 + 5.0**2)))
    assert (support.residual, support.instants, support.known) == (0.07, 90, False)


@pytest.mark.parametrize(("parts", "steadiness"), [(1, 1 / 12), (4, 4 / 12), (12, 1.0)])
def test_steadiness_counts_the_parts(parts: int, steadiness: float) -> None:
    counts = np.zeros((2, SUPPORT.moments))
    counts[0, :parts] = 7.0
    assert Meetings(counts, 1, 0.1, 90).support().steadiness == pytest.approx(steadiness)


def test_less_than_chance_is_not_steady() -> None:
    counts = np.zeros((2, SUPPORT.moments))
    counts[1] = 1.0
    support = Meetings(counts, 1, 0.1, 90).support()
    assert (support.walked, support.steadiness) == (-12.0, 0.0)


def random_meetings(seed: int, time: int) -> Meetings:
    return Meetings(np.random.default_rng(seed).exponential(size=(5, SUPPORT.moments)), time, 0.1, 50)


@given(seed=st.integers(0, 999), time=st.integers(1, 9), times=st.integers(1, 5))
def test_the_same_pair_twice_walks_twice_as_far(seed: int, time: int, times: int) -> None:
    meetings = random_meetings(seed, time)
    once, often = meetings.support(), together([meetings] * times)
    assert often.walked == pytest.approx(times * once.walked)
    assert often.steadiness == pytest.approx(once.steadiness)
    assert often.synchronous / often.largest == pytest.approx(once.synchronous / once.largest)
    assert often.instants == once.instants


@given(seeds=st.lists(st.integers(0, 999), min_size=1, max_size=5), data=st.data())
def test_the_order_of_pairs_does_not_matter_together(seeds: list[int], data: st.DataObject) -> None:
    pairs = [random_meetings(seed, 1 + seed % 7) for seed in seeds]
    one, other = together(pairs), together(data.draw(st.permutations(pairs)))
    names = ("synchronous", "shifted", "largest", "walked", "steadiness")
    assert [getattr(one, name) for name in names] == pytest.approx([getattr(other, name) for name in names])


def test_pairs_are_added_in_body_heights_not_in_boxes() -> None:
    support = together([pair_of(2.0, time=1), pair_of(5.0, time=9)])
    assert support.walked == pytest.approx(7.0)
    assert support.steadiness == pytest.approx(1.0)


def test_chance_that_peaks_at_other_shifts_falls_behind() -> None:
    pairs = []
    for shift in (1, 2, 3):
        counts = np.ones((4, SUPPORT.moments))
        counts[0], counts[shift] = 4.0, 2.5
        pairs.append(Meetings(counts, 1, 0.1, 50))
    assert not any(pair.support().trusted for pair in pairs)
    assert together(pairs).trusted


def test_a_view_joins_where_all_its_pairs_together_hold_it() -> None:
    enough, half = SUPPORT.least_walked * 1.01, SUPPORT.least_walked * 0.51
    assert held_views(all_pairs(3, {(0, 1): enough, (0, 2): half, (1, 2): half})) == {0, 1, 2}
    assert held_views(all_pairs(3, {(0, 1): enough, (0, 2): half})) == {0, 1}
    # The fourth view is held by the third as well, which joined before.
    walked = {(0, 1): enough, (0, 2): half, (1, 2): half} | {(k, 3): SUPPORT.least_walked * 0.34 for k in range(3)}
    assert held_views(all_pairs(5, walked)) == {0, 1, 2, 3}


def test_views_hold_each_other_though_no_pair_may() -> None:
    less = SUPPORT.least_walked * 0.99
    assert held_views(all_pairs(4, dict.fromkeys(combinations(range(4), 2), less))) == {0, 1, 2, 3}
    # View 4 has but one weak pair, and two views alone have no others that could hold them.
    assert held_views(all_pairs(5, dict.fromkeys(combinations(range(4), 2), less) | {(0, 4): less})) == {0, 1, 2, 3}
    assert held_views(all_pairs(2, {(0, 1): less})) == set()


def test_too_little_holds_nobody() -> None:
    little = SUPPORT.least_walked * 0.3
    assert held_views(all_pairs(4, dict.fromkeys(combinations(range(4), 2), little))) == set()
    assert held_views({}) == set()
    assert judge(all_pairs(4, {})) == {}


def test_pairs_that_were_not_measured_say_nothing() -> None:
    enough = SUPPORT.least_walked * 1.01
    chain = {(0, 1): pair_of(enough), (1, 2): pair_of(enough), (3, 4): pair_of(enough)}
    assert held_views(chain) == {0, 1, 2}
    assert sorted(judge(chain)) == [(0, 1), (1, 2)]


@pytest.mark.parametrize(("residual", "views", "held"), [(0.3, 6, 5), (0.1, 6, 6), (0.3, 3, 2), (0.1, 3, 3)])
def test_a_view_that_meets_others_as_mirror_images_do_is_not_held(residual: float, views: int, held: int) -> None:
    """All pairs of the last view are trusted, but chance brings much of it together, and elsewhere next to nothing."""
    meetings = {}
    for pair in combinations(range(views), 2):
        found = pair_of(40.0)
        odd = views - 1 in pair
        counts = found.counts.copy()
        counts[1:] *= 1.6 if odd else 0.1
        meetings[pair] = dataclasses.replace(found, counts=counts, residual=residual if odd else found.residual)
    assert all(found.support().trusted for found in meetings.values())
    assert held_views(meetings) == set(range(held))
    assert held_views(meetings, known=True) == set(range(views))


@pytest.mark.parametrize(("between", "held"), [(0.1, {0, 1, 2}), (0.3, {0, 1, 2, 3, 4})])
def test_two_rooms_are_not_one_floor(between: float, held: set[int]) -> None:
    """Every view is held by its own room; six pairs between the rooms say too little together, or enough."""
    walked = dict.fromkeys(((0, 1), (0, 2), (1, 2), (3, 4)), 40.0)
    across = {(i, j): between * SUPPORT.least_walked for i in range(3) for j in (3, 4)}
    assert held_views(all_pairs(5, walked | across)) == held
    assert held_views(all_pairs(5, walked | across), known=True) == {0, 1, 2, 3, 4}


def test_people_in_formation_make_no_floor() -> None:
    walked = 3 * SUPPORT.least_walked
    for rival, held in ((SUPPORT.largest_rival, {0, 1, 2}), (SUPPORT.largest_rival * 1.1, set())):
        marching = {pair: dataclasses.replace(pair_of(walked), rival=rival) for pair in combinations(range(3), 2)}
        assert held_views(marching) == held
    # A pair that happens to look like a formation is known from the others.
    mixed = {pair: dataclasses.replace(pair_of(walked), rival=0.1) for pair in combinations(range(3), 2)}
    mixed[0, 2] = dataclasses.replace(pair_of(walked), rival=0.9)
    assert judge(mixed)[0, 2].trusted


def test_of_two_groups_the_larger_is_held() -> None:
    walked = dict.fromkeys([(0, 4), (1, 2), (2, 3)], 2 * SUPPORT.least_walked)
    assert held_views(all_pairs(5, walked)) == {1, 2, 3}
    assert sorted(judge(all_pairs(5, walked))) == [(1, 2), (1, 3), (2, 3)]


@given(
    views=st.integers(2, 5),
    strengths=st.lists(st.floats(0, SUPPORT.least_walked), min_size=10, max_size=10),
    data=st.data(),
)
def test_the_order_of_pairs_changes_no_verdict(views: int, strengths: list[float], data: st.DataObject) -> None:
    # The first views are held for sure, so that no two groups are equally large.
    sure = {(k, k + 1): 2 * SUPPORT.least_walked for k in range((views + 1) // 2)}
    meetings = all_pairs(views, dict(zip(combinations(range(views), 2), strengths, strict=False)) | sure)
    shuffled = dict(data.draw(st.permutations(list(meetings.items()))))
    held = held_views(meetings)
    assert held_views(shuffled) == held
    assert {0, 1} <= held
    assert judge(shuffled) == judge(meetings)


def test_two_views_alone_are_their_own_evidence() -> None:
    (support,) = judge(all_pairs(2, {(0, 1): 2 * SUPPORT.least_walked})).values()
    assert support.trusted
    assert not support.known


def test_three_views_tell_the_geometry_of_each_pair() -> None:
    between = (SUPPORT.least_confirmed + SUPPORT.least_walked) / 2
    walked = {(0, 1): 2 * SUPPORT.least_walked, (1, 2): 2 * SUPPORT.least_walked, (0, 2): between}
    supports = judge(all_pairs(3, walked))
    assert all(support.known and support.trusted for support in supports.values())
    assert supports[0, 2].walked == pytest.approx(between)
    assert not judge(all_pairs(3, walked | {(0, 2): SUPPORT.least_confirmed / 2}))[
        0, 2
    ].trusted  # too little to confirm it


def test_shifts_go_both_ways_and_stay_within_the_recording() -> None:
    shifts = null_shifts(4, 100)
    assert shifts[:4] == [6, -6, 10, -10]
    assert max(shifts) < 50
    assert sum(shifts) == 0
    assert null_shifts(4, 8) == []
