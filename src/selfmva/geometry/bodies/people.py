"""People of a recording: tracks of several views that are one person, and their joints in all views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.bodies.body_tracks import ViewBodies
    from selfmva.geometry.bodies.track_pairs import ViewPairMatch

    Track = tuple[int, int]  # number of the view, and of the track in it


@dataclass(frozen=True, eq=False)
class SharedBodies:
    """Bodies that several views show at one instant.

    Attributes:
        person: `(P,)` number of the person.
        instant: `(P,)` number of the instant.
        joints: `(P, V, K, 2)` pixels in every view; NaN where not seen.
    """

    person: IntArray
    instant: IntArray
    joints: FloatArray

    def only(self, kept: np.ndarray) -> SharedBodies:
        """Some of them."""
        return SharedBodies(self.person[kept], self.instant[kept], self.joints[kept])


def group_tracks(views: Sequence[ViewBodies], matches: Mapping[tuple[int, int], ViewPairMatch]) -> list[list[Track]]:
    """Join the tracks that were matched, the strongest matches first; a person has one track of a view at a time.

    Args:
        views: The bodies of all views.
        matches: What was found of pairs of views.

    Returns:
        The tracks of every person, `(view, track)`.
    """
    edges = [
        (found.joints / len(found.tracks) * found.margin, (i, int(a)), (j, int(b)))
        for (i, j), found in matches.items()
        for a, b in found.tracks
    ]
    times: dict[Track, set[int]] = {}
    for view, track in {end for _, *ends in edges for end in ends}:
        times[view, track] = set(views[view].instant[views[view].track == track].tolist())
    people = {end: [end] for end in times}
    for _, one, other in sorted(edges, reverse=True):
        first, second = people[one], people[other]
        if first is second or any(a[0] == b[0] and not times[a].isdisjoint(times[b]) for a in first for b in second):
            continue
        first.extend(second)
        for end in second:
            people[end] = first
    return [people[end] for end in sorted(people) if people[end][0] == end]


def shared_bodies(views: Sequence[ViewBodies], people: Sequence[Sequence[Track]], joints: int) -> SharedBodies:
    """The joints of people in all views, instant by instant, where two views or more show them."""
    instants = max((int(view.instant[-1]) + 1 for view in views if len(view.instant)), default=0)
    rows = np.full((len(people), instants, len(views)), -1)
    for one, tracks in enumerate(people):
        for number, track in tracks:
            view = views[number]
            chosen = np.flatnonzero(view.track == track)
            rows[one, view.instant[chosen], number] = chosen
    person, instant = np.nonzero((rows >= 0).sum(axis=2) >= 2)
    found = np.full((len(person), len(views), joints, 2), np.nan)
    for number, view in enumerate(views):
        row = rows[person, instant, number]
        found[row >= 0, number] = view.joints[row[row >= 0]]
    return SharedBodies(person, instant, found)
