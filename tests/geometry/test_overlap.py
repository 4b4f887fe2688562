"""Which views can see the same people: against a loop over feet, and where the answer is plain."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from acted_scenes import IMAGE_HEIGHT, camera_at, cameras_around, read, strollers

from selfmva.geometry.floor_cameras import project, projections, to_floor
from selfmva.geometry.overlap import OVERLAP, Overlap

INSTANTS = 40
# Four around a square, one that looks away from it, and one that sees a corner of it.
CAMERAS = [*cameras_around(4), camera_at(9j, 20j), camera_at(-9.0 + 0j, -6.0 + 9j)]


def crowds() -> list:
    """Three people on the square; others on what the view that looks away sees."""
    square = strollers(3, INSTANTS)
    return [
        read(camera, [(time, place + 17j) for time, place in square] if number == 4 else square, INSTANTS)
        for number, camera in enumerate(CAMERAS)
    ]


def seen_by_loops(i: int, j: int) -> float:
    """Fraction of the feet of view i at which a body would be in the image of view j, and tall enough."""
    views = crowds()
    feet = views[i].feet[views[i].usable]
    assert len(feet) <= OVERLAP.feet
    heights = views[j].heights[views[j].usable]
    smallest = OVERLAP.smaller * np.percentile(heights, OVERLAP.smallest) if len(heights) else 0.0
    count = 0
    for foot in feet:
        ((x, y),) = to_floor(projections(CAMERAS[i]), foot[None])
        (low, high), depth = project(projections(CAMERAS[j]), np.array([[x, y, 0.0], [x, y, 1.0]]))
        inside = abs(low[0]) < 0.5 and abs(low[1]) < IMAGE_HEIGHT / 2
        count += bool(inside and depth[0] > 0.05 and low[1] - high[1] >= smallest)
    return count / max(len(feet), 1)


def test_neighbours_are_those_of_a_loop_over_feet() -> None:
    overlap, cameras = Overlap(crowds()), dict(enumerate(CAMERAS))
    fractions = {(i, j): max(seen_by_loops(i, j), seen_by_loops(j, i)) for i, j in combinations(range(6), 2)}
    expected = [pair for pair, fraction in fractions.items() if fraction >= OVERLAP.least_fraction]
    assert overlap.pairs(cameras) == expected
    for view in range(6):
        assert overlap.neighbours(view, cameras) == sorted(sum(pair) - view for pair in expected if view in pair)
    # The square is seen by the four, and the one that looks away has it behind itself.
    assert set(combinations(range(4), 2)) <= set(expected)
    assert not any(4 in pair for pair in expected if max(pair) < 5)


@pytest.mark.parametrize("order", [[3, 1, 5, 0, 4, 2], [5, 4, 3, 2, 1, 0]])
def test_the_order_of_the_views_changes_only_their_numbers(order: list[int]) -> None:
    views = crowds()
    own = Overlap(views).pairs(dict(enumerate(CAMERAS)))
    other = Overlap([views[view] for view in order]).pairs({k: CAMERAS[view] for k, view in enumerate(order)})
    assert {frozenset((order[i], order[j])) for i, j in other} == {frozenset(pair) for pair in own}


def test_views_without_a_camera_are_nobodys_neighbours() -> None:
    overlap, cameras = Overlap(crowds()), {0: CAMERAS[0], 2: CAMERAS[2]}
    assert overlap.pairs(cameras) == [(0, 2)]
    assert overlap.neighbours(0, cameras) == [2]
    assert overlap.neighbours(0, {0: CAMERAS[0]}) == []
    assert overlap.pairs({}) == []


@pytest.mark.parametrize(("finds_small_ones", "expected"), [(False, []), (True, [(0, 1)])])
def test_whom_a_detector_would_not_find_a_view_does_not_see(
    finds_small_ones: bool,
    expected: list[tuple[int, int]],
) -> None:
    """A far camera has the square in its image, as a spot; it depends on whether its boxes are ever so small."""
    near, far = CAMERAS[0], camera_at(40.0 + 0j, 0j, tilt=0.07)
    square = strollers(2, INSTANTS)
    before_it = [(time, place + 28.0) for time, place in square]
    # As far off as the square, aside of it.
    aside = [(time, place - 8.0 + 15j) for time, place in square[:1]] if finds_small_ones else []
    views = [read(near, square, INSTANTS), read(far, before_it + aside, INSTANTS)]
    assert Overlap(views).pairs({0: near, 1: far}) == expected


def test_views_that_saw_nobody_overlap_with_none_that_saw_nobody() -> None:
    views = [read(camera, [], INSTANTS) for camera in CAMERAS[:2]]
    assert Overlap(views).pairs(dict(enumerate(CAMERAS[:2]))) == []
    # But people whom one saw may be seen by the other.
    views[0] = read(CAMERAS[0], strollers(2, INSTANTS), INSTANTS)
    assert Overlap(views).pairs(dict(enumerate(CAMERAS[:2]))) == [(0, 1)]
