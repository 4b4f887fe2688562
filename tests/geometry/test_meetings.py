"""Stretches of tracks that stay together, shifts that tell as much, and what both add up to: loops and closed forms."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest
from acted_scenes import cameras_around, read, strollers

from selfmva.geometry.box_pairs import squared_errors
from selfmva.geometry.floor_cameras import moved
from selfmva.geometry.meetings import (
    MEETINGS,
    measure_meetings,
    measure_support,
    rival_fraction,
    stretches_together,
    walking_time,
)
from selfmva.geometry.sightings import Sightings
from selfmva.geometry.support import SUPPORT

INSTANTS = 60
PAIR = (0, 1)
CAMERAS = dict(enumerate(cameras_around(2)))


def views_of(people: int = 4, noise: float = 0.1, *, seed: int = 0) -> list[Sightings]:
    """Two views of strollers; a tenth of the boxes are missed, and motion is of any weight."""
    rng = np.random.default_rng(seed)
    views = []
    for number, camera in CAMERAS.items():
        view = read(camera, strollers(people, INSTANTS, seed), INSTANTS, noise=noise, seed=number)
        seen = rng.random(len(view.feet)) < 0.9
        views.append(dataclasses.replace(view, usable=view.usable & seen, moving=rng.random(len(view.feet))))
    return views


def marching(people: int, distance: float) -> list[Sightings]:
    """Two views of people who take one course, side by side."""
    time = np.arange(INSTANTS)
    course = 1.5 * np.exp(0.08j * time)
    walks = [(time, course + distance * (k - (people - 1) / 2)) for k in range(people)]
    return [read(camera, walks, INSTANTS, seed=number) for number, camera in CAMERAS.items()]


def by_loops(views: list[Sightings], instants: np.ndarray, lag: int, length: int) -> tuple[list[tuple], list[float]]:
    """Stretch of time and worth of those who stay together, and the errors of all their boxes that are near at all."""
    first, second = views
    worth: dict[tuple[int, int, int], tuple[float, list[float]]] = {}
    parts = range(-(-len(instants) // length))
    for part, own, other in product(parts, range(first.tracks.max() + 1), range(second.tracks.max() + 1)):
        common, agreed, walked = 0, 0.0, 0.0
        errors: list[float] = []
        for instant in instants[part * length : (part + 1) * length]:
            later = (instant + lag) % INSTANTS
            a = np.flatnonzero(first.usable & (first.instant == instant) & (first.tracks == own))
            b = np.flatnonzero(second.usable & (second.instant == later) & (second.tracks == other))
            if not (len(a) and len(b)):
                continue
            common += 1
            (error,) = squared_errors(first, second, *CAMERAS.values(), a, b)
            if error < MEETINGS.farthest**2:
                errors.append(float(np.sqrt(error)))
                agreed += np.exp(-error / 2 / MEETINGS.kernel**2)
                walked += float(np.sqrt(first.moving[a[0]] * second.moving[b[0]]))
        if common >= MEETINGS.least_common and walked > 0:
            worth[part, own, other] = (walked * (agreed / common) ** 2, errors)
    kept = {
        (part, own, other): found
        for (part, own, other), found in worth.items()
        if found[0] == max(entry[0] for key, entry in worth.items() if key[:2] == (part, own))
        and found[0] == max(entry[0] for key, entry in worth.items() if key[::2] == (part, other))
    }
    return [(key[0], found[0]) for key, found in kept.items()], [e for _, errors in kept.values() for e in errors]


@pytest.mark.parametrize(
    ("instants", "lag", "length"),
    [
        (range(INSTANTS), 0, 10),
        (range(INSTANTS), 7, 10),
        (range(INSTANTS), -7, 13),
        ([*range(5, 20), *range(40, 55)], 0, 6),
    ],
    ids=["all", "shifted", "back", "blocks"],
)
def test_stretches_are_those_of_loops(instants: list[int], lag: int, length: int) -> None:
    views = views_of()
    found = stretches_together(views, CAMERAS, PAIR, np.array(instants), lag, length)
    expected, errors = by_loops(views, np.array(instants), lag, length)
    assert len(expected) > 4
    for one, other in zip(sorted(zip(found.part, found.worth, strict=True)), sorted(expected), strict=True):
        assert one == pytest.approx(other)
    assert sorted(found.error) == pytest.approx(sorted(errors))


def test_the_order_of_the_views_changes_nothing() -> None:
    views = views_of()
    one, other = (stretches_together(views, CAMERAS, pair, np.arange(INSTANTS), 0, 10) for pair in (PAIR, PAIR[::-1]))
    for name in ("part", "worth", "error"):
        first, second = (np.sort(getattr(side, name)) for side in (one, other))
        np.testing.assert_allclose(first, second)


def test_a_loose_kernel_brings_bad_boxes_together() -> None:
    """Boxes that are off by a fifth of a body: looser meetings count more of them, and the verdict takes those."""
    views = [read(camera, strollers(4, INSTANTS), INSTANTS, seed=v, noise=0.2) for v, camera in CAMERAS.items()]
    strict, loose = (
        stretches_together(views, CAMERAS, PAIR, np.arange(INSTANTS), 0, 10, kernel).worth.sum()
        for kernel in (MEETINGS.kernel, MEETINGS.loose_kernel)
    )
    assert loose > 1.2 * strict


def test_a_late_clock_is_a_lag() -> None:
    """View 1 shows at instant t + 9 what it showed at t."""
    views = views_of()
    second = views[1]
    order = np.argsort((second.instant + 9) % INSTANTS, kind="stable")
    instant = ((second.instant + 9) % INSTANTS)[order]
    columns = ("feet", "heads", "heights", "tracks", "moving", "usable", "places")
    late = dataclasses.replace(
        second,
        instant=instant,
        starts=np.searchsorted(instant, np.arange(INSTANTS + 1)),
        **{name: getattr(second, name)[order] for name in columns},
    )
    own = stretches_together(views, CAMERAS, PAIR, np.arange(INSTANTS), 0, 10)
    other = stretches_together([views[0], late], CAMERAS, PAIR, np.arange(INSTANTS), 9, 10)
    assert sorted(own.worth) == pytest.approx(sorted(other.worth))


def test_who_is_seen_exactly_meets_with_every_box() -> None:
    """All boxes of four walkers, 240 in each view: each stays with itself, over the whole recording."""
    views = [read(camera, strollers(4, INSTANTS), INSTANTS, seed=v) for v, camera in CAMERAS.items()]
    assert all(view.usable.all() for view in views)
    meetings = measure_meetings(views, CAMERAS, PAIR, np.arange(INSTANTS), [20, -20])
    assert meetings.counts[0].sum() == pytest.approx(4 * INSTANTS)
    np.testing.assert_allclose(meetings.counts[0], 4 * INSTANTS / SUPPORT.moments)
    assert meetings.counts[1:].sum(axis=1).max() < 0.1 * 4 * INSTANTS
    assert meetings.residual == pytest.approx(0.0, abs=1e-9)
    support = measure_support(views, CAMERAS, PAIR, np.arange(INSTANTS), [20, -20])
    assert support.walked == pytest.approx(support.excess / walking_time(views))
    assert support.steadiness > 0.95


def test_those_who_stand_count_for_nothing() -> None:
    views = [read(camera, strollers(4, INSTANTS), INSTANTS, moving=0.0) for camera in CAMERAS.values()]
    assert measure_meetings(views, CAMERAS, PAIR, np.arange(INSTANTS), [20]).counts.tolist() == [[0.0] * 12] * 2


def test_a_part_of_a_stretch_that_two_thirds_share_lies_in_both() -> None:
    """Twelve parts of 5 instants; whoever meets does so for whole stretches, which lie across them evenly."""
    time = np.arange(30, 60)
    walks = [(time, course[time]) for _, course in strollers(4, INSTANTS)]
    views = [read(camera, walks, INSTANTS) for camera in CAMERAS.values()]
    counts = measure_meetings(views, CAMERAS, PAIR, np.arange(INSTANTS), [20]).counts[0]
    length = int(np.clip(round(MEETINGS.walked * walking_time(views)), MEETINGS.shortest, 20))
    expected = np.zeros(SUPPORT.moments)
    for start in range(0, INSTANTS, length):
        inside = np.arange(start, min(start + length, INSTANTS))
        met = 4 * (inside >= 30).sum() if (inside >= 30).sum() >= MEETINGS.least_common else 0
        np.add.at(expected, inside // 5, met / len(inside))
    np.testing.assert_allclose(counts, expected)
    assert counts.sum() == pytest.approx(4 * 30)


@pytest.mark.parametrize("people", [2, 3, 5])
def test_in_a_formation_all_but_one_say_that_it_is_shifted(people: int) -> None:
    views = marching(people, 1.2)
    assert all(view.usable.all() for view in views)
    assert rival_fraction(views, CAMERAS, PAIR, np.arange(INSTANTS), 12) == pytest.approx(
        (people - 1) / people, abs=0.01
    )
    found = measure_support(views, CAMERAS, PAIR, np.arange(INSTANTS), [10, -10])
    assert found.rival == pytest.approx((people - 1) / people, abs=0.01)


def test_a_formation_seen_under_a_shifted_floor_has_a_better_rival() -> None:
    shifted = CAMERAS | {1: moved(CAMERAS[1], 1.0, 1.2 + 0j)}
    assert rival_fraction(marching(5, 1.2), shifted, PAIR, np.arange(INSTANTS), 12) == pytest.approx(5 / 4, abs=0.02)


def test_walkers_of_their_own_ways_have_a_weak_rival_and_one_alone_has_none() -> None:
    crowd = [read(camera, strollers(6, INSTANTS), INSTANTS) for camera in CAMERAS.values()]
    assert rival_fraction(crowd, CAMERAS, PAIR, np.arange(INSTANTS), 12) < 0.5 * SUPPORT.largest_rival
    one = [read(camera, strollers(1, INSTANTS), INSTANTS) for camera in CAMERAS.values()]
    assert rival_fraction(one, CAMERAS, PAIR, np.arange(INSTANTS), 12) == 0.0
    # Those who walk side by side nearer than another floor would be are no formation.
    assert rival_fraction(marching(3, 0.25), CAMERAS, PAIR, np.arange(INSTANTS), 12) == 0.0


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ((0.1, 0.1), 10),
        ((0.1, 0.2, 0.25), 5),
        ((3.0, 3.0), 1),
        ((0.001, 0.001), 12),
        ((np.nan, 0.1), 10),
        ((np.nan,), 1),
    ],
)
def test_a_walking_time_is_the_inverse_of_the_speed(speeds: tuple[float, ...], expected: int) -> None:
    """Of the median view, between 1 and an eighth of the 100 instants."""
    time = np.arange(100)
    view = read(CAMERAS[0], [(time, 0.01 * time + 0j)], 100)
    assert walking_time([dataclasses.replace(view, speed=np.full(100, speed)) for speed in speeds]) == expected
