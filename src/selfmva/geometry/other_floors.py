"""Views that hold each other on a floor of their own: two rooms in one recording, or two halves of a hall.

What joins them to the floor of most is not there, so that nobody can be followed from one to the other by where they
are. They are found and said; the floor stays that of the strongest group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.geometry.floor_search import find_floor

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from selfmva.geometry.sightings import Sightings


def find_other_floors(views: Sequence[Sightings], left: Collection[int]) -> tuple[tuple[int, ...], ...]:
    """The groups among views that are not on the floor, each of which holds together.

    Args:
        views: What every view saw, all over the same instants.
        left: Numbers of the views to look at.

    Returns:
        Increasing numbers of the views of every group, the strongest group first.
    """
    left = sorted(view for view in left if views[view].calibrated)
    groups: list[tuple[int, ...]] = []
    while len(left) > 1:
        found = find_floor([views[view] for view in left])
        if found is None or not any(support.trusted for support in found.supports.values()):
            break
        groups.append(tuple(left[number] for number in sorted(found.cameras)))
        left = [view for view in left if view not in groups[-1]]
    return tuple(groups)
