"""Views whose images are mirror images: found by trying, and said, but never put on the floor.

Webcams, video calls and some recorders flip images. Turn and shift don't lay the walks of such a view on those of the
others, and no camera shows what it shows; but with its image flipped back it joins the floor as any other view does.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.cameras import mirrored
from selfmva.geometry.floor_search import join_views
from selfmva.geometry.meetings import walking_time
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.screening import screen
from selfmva.geometry.support import null_shifts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings


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
    held = join_views(tried, screen(tried, shifts, pairs), overlap, shifts, cameras)
    return tuple(view for view in left if view in held) if held.keys() & cameras.keys() else ()


def _pair_with_a_mirror(views: Sequence[Sightings], left: Sequence[int], shifts: Sequence[int]) -> tuple[int, ...]:
    """The two views that look most as if one of them were mirrored, if they hold each other then; else none."""
    flipped = [mirror_sightings(view) for view in views]
    pairs = [(i, len(views) + j) for i, j in combinations(left, 2)]
    screened = screen([*views, *flipped], shifts, pairs)
    if not screened:
        return ()
    best = max(pairs, key=lambda pair: screened[pair].deviations if pair in screened else -np.inf)
    i, j = best[0], best[1] - len(views)
    two = [views[i], flipped[j]]
    return (i, j) if join_views(two, {(0, 1): screened[best]}, Overlap(two), shifts) else ()
