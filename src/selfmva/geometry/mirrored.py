"""Views whose images are mirror images: found by trying, and said, but never put on the floor.

Webcams, video calls and some recorders flip images. Turn and shift don't lay the walks of such a view on those of the
others, and no camera shows what it shows; but with its image flipped back it joins the floor as any other view does.
"""

from __future__ import annotations

from dataclasses import replace
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
    if not left or not (cameras or len(left) == 2):
        return ()
    flipped = left if cameras else left[1:]
    steady = sorted(cameras) or left[:1]
    tried = [mirror_sightings(view) if number in flipped else view for number, view in enumerate(views)]
    shifts = null_shifts(walking_time(tried), len(tried[0].starts) - 1)
    pairs = sorted((min(one, other), max(one, other)) for one in flipped for other in steady)
    overlap = Overlap(tried)
    held = join_views(tried, screen(tried, shifts, pairs), overlap, shifts, cameras)
    if not held.keys() & set(steady):
        return ()
    return tuple(view for view in left if view in held)
