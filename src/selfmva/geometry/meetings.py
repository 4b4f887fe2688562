"""Who meets whom under a geometry: stretches of tracks of two views that stay together.

In a small crowded room everybody is near somebody at one instant, under almost any geometry; only one person is near
for as long as it takes to walk two body heights. So what counts is not a box, but a stretch of a track: all its boxes
together, with one partner in the other view.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.geometry.box_pairs import best_of_each, carry, near_pairs, pairs_of_boxes, ranges, squared_length
from selfmva.geometry.floor_cameras import complex_places
from selfmva.geometry.support import SUPPORT, Meetings
from selfmva.geometry.tracklet_matches import TRACKLET_MATCHES, blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.box_pairs import Carried
    from selfmva.geometry.sightings import Sightings
    from selfmva.geometry.support import Support


@dataclass(frozen=True)
class MeetingSettings:
    """Stretches of tracks, and when two of them meet."""

    verdict_boxes: int = 6000  # of a view, on which verdicts rest
    kernel: float = 0.2  # body heights of transfer error
    loose_kernel: float = 0.35  # the same, for boxes so bad that they say little by the other
    walked: float = 2.0  # body heights that a walker comes in a stretch
    shortest: int = 6  # instants of a stretch, however fast people walk
    farthest: float = 1.0  # body heights, beyond which it does not matter how far
    least_common: int = 4  # instants that two stretches must share
    apart: float = 0.6  # body heights between a floor and one that is another, and
    rival_reach: float = 4.0  # how far such a shift may be
    rival_kernel: float = 0.3  # body heights on the floor between stretches that vote for one shift
    rival_deviations: float = 3.5  # of that kernel, beyond which they don't vote
    rivals: int = 30  # shifts that are asked about, those of the clearest stretches


MEETINGS = MeetingSettings()


@dataclass(frozen=True, eq=False)
class Stretches:
    """P pairs of stretches of tracks of two views, one-to-one.

    Attributes:
        part: `(P,)` number of the stretch of time.
        worth: `(P,)` walking boxes, weighted by how near they stay.
        tracks: `(P,)` a number for each pair of tracks.
        error: `(B,)` transfer errors of all their boxes that are near at all, in body heights.
        mean_error: `(P,)` mean of these of each pair, with their direction, as complex numbers: x + iy in view j.
        place: `(P, 2)` mean of the feet in view j.
    """

    part: IntArray
    worth: FloatArray
    tracks: IntArray
    error: FloatArray
    mean_error: NDArray[np.complex128]
    place: FloatArray


def walking_time(views: Sequence[Sightings]) -> int:
    """Instants in which a walker moves one body height; at least 1."""
    fast = np.array([view.fast for view in views])
    fast = fast[np.isfinite(fast)]
    longest = max((len(views[0].starts) - 1) // 8, 1)
    return int(np.clip(round(1.0 / max(float(np.median(fast)), 1e-3)), 1, longest)) if len(fast) else 1


def count_meetings(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pair: tuple[int, int],
    instants: IntArray,
    shifts: Sequence[int],
    kernel: float = MEETINGS.kernel,
) -> Meetings:
    """Count the boxes of two views whose tracks stay together, at synchronous and at shifted instants.

    What speaks for a rival of this floor is not measured.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.
        instants: `(S,)` of view i, in blocks of neighbours.
        shifts: Instants by which view j is shifted.
        kernel: Body heights of transfer error within which they stay together.

    Returns:
        The meetings.
    """
    time, shared, length = scales_of_pair(views, pair)
    parts = -(-len(instants) // length)
    sides = _Sides.of(views, cameras, pair, instants, length)
    moments = _moments(len(instants), length)
    counts, residual, longest = np.zeros((1 + len(shifts), SUPPORT.moments)), float("nan"), 0.0
    for number, lag in enumerate((0, *shifts) if len(instants) else ()):
        found = _together(sides, instants, lag, kernel)
        counts[number] = np.bincount(found.part, found.worth, parts) @ moments
        near = found.error[found.error < 2 * kernel]
        if lag == 0 and len(near):
            residual = float(np.median(near))
            longest = float(np.bincount(np.unique(found.tracks, return_inverse=True)[1], found.worth).max())
    return Meetings(counts, time * shared, residual, len(instants), longest=longest)


def measure_meetings(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pair: tuple[int, int],
    instants: IntArray,
    shifts: Sequence[int],
) -> Meetings:
    """As `count_meetings`, and what speaks for a rival of this floor."""
    found = count_meetings(views, cameras, pair, instants, shifts)
    if not len(instants):
        return found
    return replace(found, rival=rival_fraction(views, cameras, pair, instants, scales_of_pair(views, pair)[2]))


def measure_support(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pair: tuple[int, int],
    instants: IntArray,
    shifts: Sequence[int],
) -> Support:
    """What speaks for the geometry of one pair of views."""
    return measure_meetings(views, cameras, pair, instants, shifts).support()


def measure_pairs(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pairs: Iterable[tuple[int, int]],
    shifts: Sequence[int],
) -> dict[tuple[int, int], Meetings]:
    """The meetings of pairs of views that have a camera.

    Bad boxes never come as near as good ones. Where a pair is not trusted, looser meetings are counted too, at
    synchronous and at shifted instants alike. More of them are by chance, so they have to be clearer.
    """
    measured = {}
    for i, j in pairs:
        instants = blocks(views[i], views[j], MEETINGS.verdict_boxes)
        found = measure_meetings(views, cameras, (i, j), instants, shifts)
        if not found.support().trusted:
            loose = count_meetings(views, cameras, (i, j), instants, shifts, MEETINGS.loose_kernel)
            found = replace(loose, rival=found.rival) if loose.support().clearness >= SUPPORT.loose_ratio else found
        measured[i, j] = found
    return measured


def stretches_together(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pair: tuple[int, int],
    instants: IntArray,
    lag: int,
    length: int,
    kernel: float = MEETINGS.kernel,
) -> Stretches:
    """Pairs of stretches that stay together, each with the partner that is worth most to both.

    With n common instants at transfer errors e in body heights, two stretches agree by
    a = mean exp(-e^2 / (2 kernel^2)), and are worth a^2 times the walking among the n: the square, because who meets
    everybody for a moment has met nobody.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.
        instants: `(S,)` of view i, in blocks of neighbours.
        lag: Instants by which view j is shifted.
        length: Instants of a stretch, at most 50.
        kernel: Body heights.

    Returns:
        The pairs.
    """
    return _together(_Sides.of(views, cameras, pair, instants, length), instants, lag, kernel)


class _Sides(NamedTuple):
    """Two views, and what is the same of them at every lag.

    Attributes:
        first: View i.
        second: View j.
        feet: Of both, as the other one sees them.
        present: See `_presence`, of view i.
        length: Instants of a stretch.
    """

    first: Sightings
    second: Sightings
    feet: Carried
    present: NDArray[np.int64]
    length: int

    @classmethod
    def of(
        cls,
        views: Sequence[Sightings],
        cameras: Mapping[int, FloatArray],
        pair: tuple[int, int],
        instants: IntArray,
        length: int,
    ) -> _Sides:
        first, second = (views[view] for view in pair)
        feet = carry(first, second, cameras[pair[0]], cameras[pair[1]])
        return cls(first, second, feet, _presence(first, instants, length), length)


def _together(sides: _Sides, instants: IntArray, lag: int, kernel: float) -> Stretches:
    """See `stretches_together`."""
    first, second, feet, present, length = sides
    pairs_at_once = pairs_of_boxes(first, second, instants, lag)
    (position, box, partner), in_j, in_i = near_pairs(first, second, feet, pairs_at_once, MEETINGS.farthest)
    square = np.maximum(squared_length(in_j), squared_length(in_i))
    later = (instants + lag) % (len(first.starts) - 1)
    tracks, other_tracks = (view.tracks.max(initial=0) + 1 for view in (first, second))
    pairs, member = np.unique(
        (position // length * tracks + first.tracks[box]) * other_tracks + second.tracks[partner], return_inverse=True
    )
    part, own, other = pairs // (tracks * other_tracks), pairs // other_tracks % tracks, pairs % other_tracks
    both = present[part, own] & _presence(second, later, length)[part, other]
    common = np.bitwise_count(both).astype(np.int64)
    walking = np.bincount(member, np.sqrt(first.moving[box] * second.moving[partner]), len(pairs))
    agreement = np.bincount(member, np.exp(-0.5 * square / kernel**2), len(pairs)) / common
    worth = np.where(common >= MEETINGS.least_common, walking * agreement**2, 0.0)
    chosen = best_of_each(part * tracks + own, worth) & best_of_each(part * other_tracks + other, worth)
    kept = chosen[member]
    owner, where = member[kept], second.feet[partner[kept]]
    size = np.bincount(owner, minlength=len(pairs))[chosen]
    means = (in_j.real[kept], in_j.imag[kept], *where.T)
    across, down, x, y = (np.bincount(owner, values, len(pairs))[chosen] / size for values in means)
    return Stretches(
        part[chosen],
        worth[chosen],
        pairs[chosen] % (tracks * other_tracks),
        np.sqrt(square[kept]),
        across + 1j * down,
        np.column_stack([x, y]),
    )


def rival_fraction(
    views: Sequence[Sightings],
    cameras: Mapping[int, FloatArray],
    pair: tuple[int, int],
    instants: IntArray,
    length: int,
) -> float:
    """How much a floor says that is the same but for a shift, as a fraction of what the found one says.

    People who walk in formation meet each other's images at every shift from one to another of them: nothing but those
    at the ends tells which is right. Stretches that take the same course, at whatever distance, vote for that distance.

    Args:
        views: All views.
        cameras: Parameters by view.
        pair: View i and view j.
        instants: `(S,)`, in blocks of neighbours.
        length: Instants of a stretch.

    Returns:
        Of the shift with most votes beyond `MEETINGS.apart`; 0 without one.
    """
    i, j = pair
    first, second = views[i], views[j]
    position, box, partner = pairs_of_boxes(first, second, instants)
    place, other_place = (complex_places(cameras[view], views[view].feet) for view in pair)
    away = other_place[partner] - place[box]
    near = np.abs(away) < MEETINGS.rival_reach
    position, box, partner = (values[near] for values in (position, box, partner))
    away = away[near]
    part = position // length
    tracks, other_tracks = (view.tracks.max(initial=0) + 1 for view in (first, second))
    pairs, member, common = np.unique(
        (part * tracks + first.tracks[box]) * other_tracks + second.tracks[partner],
        return_inverse=True,
        return_counts=True,
    )
    mean = (np.bincount(member, away.real, len(pairs)) + 1j * np.bincount(member, away.imag, len(pairs))) / common
    scatter = np.bincount(member, squared_length(away - mean[member]), len(pairs)) / np.maximum(common - 1, 1)
    walking = np.bincount(member, np.sqrt(first.moving[box] * second.moving[partner]), len(pairs))
    worth = np.asarray(walking * np.exp(-0.5 * scatter / MEETINGS.kernel**2), dtype=np.float64)
    kept = np.flatnonzero((common >= MEETINGS.least_common) & (worth > 0))
    part, own, other = pairs // (tracks * other_tracks), pairs // other_tracks % tracks, pairs % other_tracks
    own, other = part * tracks + own, part * other_tracks + other

    def votes(shift: complex) -> float:
        square = squared_length(mean[kept] - shift) / MEETINGS.rival_kernel**2
        near = square < MEETINGS.rival_deviations**2  # the others say next to nothing
        voters = kept[near]
        said = worth[voters] * np.exp(-0.5 * square[near])
        return float(said[best_of_each(own[voters], said) & best_of_each(other[voters], said)].sum())

    clearest = kept[np.argsort(-worth[kept], kind="stable")]
    near = np.abs(mean[clearest]) <= MEETINGS.apart
    # Bad boxes may put all people a bit aside: that is still the found floor.
    here, elsewhere = (
        max((votes(shift) for shift in mean[side[: MEETINGS.rivals]]), default=0.0)
        for side in (clearest[near], clearest[~near])
    )
    return elsewhere / max(here, 1e-9)


def scales_of_pair(views: Sequence[Sightings], pair: tuple[int, int]) -> tuple[int, float, int]:
    """Instants of a walk of one body height, the fraction of them at which both views have a box, and of a stretch."""
    i, j = pair
    time = walking_time([views[i], views[j]])
    shared = views[i].presence * views[j].presence
    # Where boxes are missed, it takes longer to share as many. A stretch is no longer than a block of neighbours.
    length = int(np.clip(round(MEETINGS.walked * time / shared), MEETINGS.shortest, TRACKLET_MATCHES.block))
    return time, shared, length


def _moments(instants: int, length: int) -> FloatArray:
    """`(stretches, 12)` which fraction of the instants of a stretch lies in each part of the recording."""
    moment = np.arange(instants) * SUPPORT.moments // max(instants, 1)
    shared = np.zeros((-(-instants // length), SUPPORT.moments))
    np.add.at(shared, (np.arange(instants) // length, moment), 1.0)
    return np.asarray(shared / np.maximum(shared.sum(axis=1, keepdims=True), 1.0))


def _presence(view: Sightings, instants: IntArray, length: int) -> NDArray[np.int64]:
    """`(stretches, tracks)` at which of its instants a stretch shows a track, a bit for each."""
    boxes, starts = view.usable_at
    size = np.diff(starts)[instants]
    position = np.repeat(np.arange(len(instants)), size)
    rows = boxes[ranges(starts[instants], size)]
    part, bit = np.divmod(position, length)
    shape = (-(-len(instants) // length), int(view.tracks.max(initial=0)) + 1)
    flat = np.bincount(part * shape[1] + view.tracks[rows], 2.0**bit, shape[0] * shape[1])
    return np.asarray(flat.astype(np.int64).reshape(shape))
