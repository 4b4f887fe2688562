"""Views whose images are mirror images: found by trying, and said, but never put on the floor.

Webcams, video calls and some recorders flip images. Turn and shift don't lay the walks of such a view on those of the
others, and no camera shows what it shows; but with its image flipped back it joins the floor as any other view does.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.floor_cameras import mirrored
from selfmva.geometry.floor_search import FLOOR_SEARCH, join_views
from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.pair_solution import solve_pair
from selfmva.geometry.registration import register
from selfmva.geometry.screening import screen
from selfmva.geometry.support import NO_SUPPORT, SUPPORT, null_shifts, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Support


def mirror_sightings(view: Sightings) -> Sightings:
    """What a view would have seen, had its images been flipped from left to right.

    Args:
        view: What it saw.

    Returns:
        The same with feet and heads mirrored, and with the camera that the mirrored boxes give.
    """
    flip = np.array([-1.0, 1.0])
    return replace(
        view,
        feet=view.feet * flip,
        heads=view.heads * flip,
        camera=mirrored(view.camera),
        places=-np.conj(view.places),
    )


def find_mirrored(views: Sequence[Sightings], cameras: Mapping[int, FloatArray]) -> tuple[int, ...]:
    """The views that would be on the floor if their images were flipped.

    Args:
        views: What every view saw, all over the same instants.
        cameras: `(10,)` parameters of the views that are on the floor; none where no floor was found.

    Returns:
        Their numbers, increasing. Without a floor, both of two views of which one is mirrored: they don't tell which.
    """
    left = [view for view in range(len(views)) if views[view].calibrated and view not in cameras]
    if not left:
        return ()
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    if not cameras:
        return _pair_with_a_mirror(views, left, shifts)
    tried = [mirror_sightings(view) if number in left else view for number, view in enumerate(views)]
    pairs = sorted((min(view, other), max(view, other)) for view in left for other in cameras)
    overlap = Overlap(tried)
    held, _ = join_views(tried, screen(tried, shifts, pairs), overlap, shifts, cameras)
    floor, found = sorted(held.keys() & cameras.keys()), [view for view in left if view in held]
    if not floor or not found:
        return ()
    plain = _as_they_are(views, [pair for pair in pairs if set(pair) & set(found)], cameras, shifts)
    return tuple(
        view
        for view in found
        if _is_clear(_drawn(tried, held, view, floor, shifts), _drawn(views, plain, view, floor, shifts))
    )


def _pair_with_a_mirror(views: Sequence[Sightings], left: Sequence[int], shifts: Sequence[int]) -> tuple[int, ...]:
    """The two views that look most as if one of them were mirrored, if they hold each other then; else none."""
    flipped = [mirror_sightings(view) for view in views]
    pairs = [(i, len(views) + j) for i, j in combinations(left, 2)]
    screened = screen([*views, *flipped], shifts, pairs)
    if not screened:
        return ()
    best = max(sorted(screened), key=lambda pair: screened[pair].deviations)
    i, j = best[0], best[1] - len(views)
    two = [views[i], flipped[j]]
    held, _ = join_views(two, {(0, 1): screened[best]}, Overlap(two), shifts)
    if not held:
        return ()
    plain = _as_they_are([views[i], views[j]], [(0, 1)], {}, shifts)
    said, otherwise = _drawn(two, held, 1, [0], shifts), _drawn([views[i], views[j]], plain, 1, [0], shifts)
    return (i, j) if _is_clear(said, otherwise) else ()


def _as_they_are(
    views: Sequence[Sightings],
    pairs: Sequence[tuple[int, int]],
    cameras: Mapping[int, FloatArray],
    shifts: Sequence[int],
) -> dict[int, FloatArray]:
    """Where views would lie at best if their images were not mirrored, whether anything holds them there or not."""
    screened = screen(views, shifts, pairs)
    solved = {
        pair: solve_pair(views, pair, shifts, found.alignments[: FLOOR_SEARCH.voted])
        for pair, found in screened.items()
    }
    solutions = {pair: candidates for pair, candidates in solved.items() if candidates}
    return register(views, solutions, Overlap(views), shifts, cameras or None)


def _drawn(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    view: int,
    floor: Sequence[int],
    shifts: Sequence[int],
) -> Support:
    """What the pairs of a view with those of the floor say together; nothing where it has no camera."""
    if view not in cameras:
        return NO_SUPPORT
    near = Overlap(views).neighbours(view, {other: cameras[other] for other in (view, *floor)})
    pairs = [(min(view, other), max(view, other)) for other in near]
    return together(list(measure_pairs(views, cameras, pairs, shifts).values()))


def _is_clear(mirrored: Support, plain: Support) -> bool:
    """Whether a mirror image is trusted, and the image as it is no rival: of walks on one line, both are as good."""
    return mirrored.trusted and plain.walked <= SUPPORT.largest_rival * mirrored.walked
