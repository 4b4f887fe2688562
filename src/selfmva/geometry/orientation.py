"""Views of which the heights of people don't say whether they hang upside down: the floor of the others decides.

A camera that looks steeply down, or on few people, sees them about as tall near as far. Read the wrong way up, such a
view may find a place on the floor, held by a part of its walks; the right way up, it is held by all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.geometry.floor_search import Layout, join_views
from selfmva.geometry.meetings import measure_pairs, walking_time
from selfmva.geometry.overlap import Overlap
from selfmva.geometry.screening import screen
from selfmva.geometry.support import NO_SUPPORT, judge, null_shifts, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Support


def settle_orientations(
    views: Sequence[Sightings], others: Mapping[int, Sequence[Sightings]], layout: Layout
) -> tuple[list[Sightings], Layout]:
    """Read each doubtful view the other way up as well, and keep what the rest of the floor speaks for more.

    Args:
        views: What every view saw, as it was read.
        others: By the number of a doubtful view, other readings of it.
        layout: The floor that was found by `views`.

    Returns:
        The readings that are kept, and the floor by them.
    """
    kept = list(views)
    for view, readings in sorted(others.items()):
        floor = {other: camera for other, camera in layout.cameras.items() if other != view}
        if not floor:
            continue
        most = _said(kept, layout.cameras, view)
        for reading in readings:
            tried = [*kept[:view], reading, *kept[view + 1 :]]
            found = _joined(tried, view, floor)
            said = _said(tried, found.cameras, view)
            if said.trusted and said.walked > most.walked and found.cameras.keys() >= layout.cameras.keys():
                kept, layout, most = tried, found, said
    return kept, layout


def _joined(views: Sequence[Sightings], view: int, floor: Mapping[int, FloatArray]) -> Layout:
    """The floor, with one more view where it holds."""
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    pairs = sorted((min(view, other), max(view, other)) for other in floor)
    cameras, meetings = join_views(views, screen(views, shifts, pairs), Overlap(views), shifts, floor)
    supports = judge(meetings)
    held = {number for pair in supports for number in pair}
    return Layout({number: cameras[number] for number in sorted(held)}, supports)


def _said(views: Sequence[Sightings], cameras: Mapping[int, FloatArray], view: int) -> Support:
    """What the pairs of a view say together; nothing where it is not on the floor."""
    if view not in cameras:
        return NO_SUPPORT
    shifts = null_shifts(walking_time(views), len(views[0].starts) - 1)
    pairs = [(min(view, other), max(view, other)) for other in Overlap(views).neighbours(view, cameras)]
    return together(list(measure_pairs(views, cameras, pairs, shifts).values()))
