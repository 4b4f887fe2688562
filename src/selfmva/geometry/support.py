"""What speaks for a geometry: walking boxes that meet at synchronous instants, and what chance brings together.

A geometry is the best of thousands that were tried, so it brings somebody together even where views have nothing in
common. Three things tell it from a true one: chance does nearly as well at other instants (crowds: 0.5 to 0.9 of it;
true geometries: seldom above 0.35), it holds for moments only, or there is little of it (recordings of seconds).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class SupportSettings:
    """Measurement of support, and what makes a geometry trusted."""

    # Shifts of the null, in times a walker needs for one body height: far enough that walkers are elsewhere, near
    # enough that those who stand still do.
    null_shifts: tuple[float, ...] = (1.5, 2.5, 4.0, 6.0, 9.0, 13.0, 20.0, 30.0)
    trust_ratio: float = 2.0  # support over the largest support at any shifted instant
    least_walked: float = 6.0  # body heights walked together, times steadiness; where nothing can be learnt: up to 4
    least_confirmed: float = 3.0  # the same, where the geometry is known from elsewhere: nothing was chosen
    # Body heights of the longest walk that count for nothing: one walk is laid on one other by the alignment that it
    # proposes itself.
    fits_by_itself: float = 4.0
    # What `trust_ratio` is for looser meetings, of bad boxes.
    loose_ratio: float = 4.0
    largest_rival: float = 0.5  # of what speaks for a floor, that may speak for a shifted one
    # A view among others is not held where its clearness is less than such a fraction of what is usual there, and its
    # residual so many times as large: something else than these people brings it together with them. Right views of
    # hard recordings come to 0.4 of it, a mirror image that found a place to 0.2.
    odd_clearness: float = 0.3
    odd_residual: float = 1.8
    # What times differ by is more than the noise of one time. Fixed cameras come to 0, those held in hands to 1.0 to 2.
    largest_sway: float = 1.0
    moments: int = 12  # equal parts of the recording, on which steadiness is measured


SUPPORT = SupportSettings()


@dataclass(frozen=True)
class Support:
    """What speaks for the geometry of one pair of views.

    Attributes:
        synchronous: Walking boxes that meet at synchronous instants, weighted by how near.
        shifted: The same at shifted instants, mean.
        largest: The largest over shifts.
        walked: Body heights that people walk while they meet, over chance: what `excess` is at any frame rate.
        steadiness: How evenly `excess` is spread over the recording, 1 over the number of its parts to 1; 0 without
            any. As if so large a fraction of the recording carried all of it.
        residual: Median transfer error of the boxes that meet, in body heights; NaN where none do.
        instants: Number of instants looked at.
        known: Whether other views tell this geometry, so that these boxes need only confirm it.
        refuted: Whether those whom it brings together are no nearer in appearance than strangers.
        rival: What speaks for the same floor shifted, as a fraction of what speaks for this one.
        longest: Body heights that those two tracks walk together which come furthest.
        sway: By how much times of the recording contradict each other, over what stretches of one time differ by; 0
            where they do not. See `selfmva.geometry.sway`.
        margin: By which fraction more of the joints of bodies obey this geometry at synchronous than at shifted
            instants, where joints have told it; 0 otherwise. See `selfmva.geometry.bodies`.
    """

    synchronous: float
    shifted: float
    largest: float
    walked: float
    steadiness: float
    residual: float
    instants: int
    known: bool = False
    refuted: bool = False
    rival: float = 0.0
    longest: float = 0.0
    sway: float = 0.0
    margin: float = 0.0

    @property
    def excess(self) -> float:
        """Support over chance."""
        return self.synchronous - self.shifted

    @property
    def clearness(self) -> float:
        """How many times as much as chance brings together at any shift."""
        return self.synchronous / max(self.largest, 1e-9)

    @property
    def moving(self) -> bool:
        """True where times of the recording contradict each other, as if a camera moved."""
        return self.sway > SUPPORT.largest_sway

    @property
    def trusted(self) -> bool:
        """True where neither chance nor the choice of the best of many explains it, nor appearance refutes it."""
        if self.margin > 0:  # of bodies, which were judged when they were matched
            return not self.refuted
        walked = self.walked if self.known else self.walked - min(self.longest, SUPPORT.fits_by_itself)
        alone = self.rival <= SUPPORT.largest_rival
        steady = walked * self.steadiness >= (SUPPORT.least_confirmed if self.known else SUPPORT.least_walked)
        clear = self.synchronous >= SUPPORT.trust_ratio * self.largest
        return bool(not self.refuted and alone and steady and clear and not self.moving)


NO_SUPPORT = Support(0.0, 0.0, 0.0, 0.0, 0.0, float("nan"), 0)


@dataclass(frozen=True, eq=False)
class Meetings:
    """Walking boxes of two views whose tracks stay together, part by part of the recording.

    Attributes:
        counts: `(1 + S, 12)` at synchronous instants, then at S shifts; weighted by how near they stay.
        walking_time: Instants in which a walker moves one body height, and both views have a box.
        residual: Median transfer error of those who stay together, in body heights; NaN where none do.
        instants: Number of instants looked at.
        rival: See `Support`.
        longest: Boxes of the pair of tracks that is worth most at synchronous instants.
    """

    counts: FloatArray
    walking_time: float
    residual: float
    instants: int
    rival: float = 0.0
    longest: float = 0.0

    def support(self) -> Support:
        """What they say together."""
        if len(self.counts) < 2 or not self.instants:
            return NO_SUPPORT
        null = self.counts[1:].sum(axis=1)
        excess = self.counts[0] - self.counts[1:].mean(axis=0)
        return Support(
            synchronous=float(self.counts[0].sum()),
            shifted=float(null.mean()),
            largest=float(null.max()),
            walked=float(excess.sum()) / self.walking_time,
            steadiness=_steadiness(excess),
            residual=self.residual,
            instants=self.instants,
            rival=self.rival,
            longest=self.longest / self.walking_time,
        )


def _steadiness(parts: FloatArray) -> float:
    """The square of the sum over the sum of the squares, by the number of parts: 1 where all are equal."""
    total = max(float(parts.sum()), 0.0)
    return total**2 / max(len(parts) * float((parts**2).sum()), 1e-12)


def together(meetings: Sequence[Meetings]) -> Support:
    """What the pairs of several views say of one geometry, in body heights walked.

    The more pairs are added, the nearer is chance to its mean: what is only the best of many tries falls behind.
    """
    if not meetings:
        return NO_SUPPORT
    counts = np.sum([pair.counts / pair.walking_time for pair in meetings], axis=0)
    # A view that one partner fixes is fixed on the floor that they share.
    rival = min(pair.rival for pair in meetings)
    instants = max(pair.instants for pair in meetings)
    longest = max(pair.longest / pair.walking_time for pair in meetings)
    return Meetings(counts, 1, float("nan"), instants, rival, longest).support()


def null_shifts(time: int, instants: int) -> list[int]:
    """Shifts to both sides, in instants, the nearest first."""
    near = [round(step * time) for step in SUPPORT.null_shifts]
    return [sign * shift for shift in near if 0 < shift < instants / 2 for sign in (1, -1)]


def connected_groups(pairs: Iterable[tuple[int, int]]) -> list[set[int]]:
    """The groups of views that pairs connect.

    Example:
        >>> connected_groups([(0, 1), (2, 3), (3, 4)])
        [{0, 1}, {2, 3, 4}]
    """
    groups: list[set[int]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return groups


def largest_group(pairs: Iterable[tuple[int, int]]) -> set[int]:
    """The most views that pairs connect; of equally many, those found first; none without a pair.

    Example:
        >>> largest_group([(0, 1), (2, 3), (3, 4)])
        {2, 3, 4}
    """
    return max(connected_groups(pairs), key=len, default=set())


def held_views(meetings: Mapping[tuple[int, int], Meetings], *, known: bool = False) -> set[int]:
    """The strongest group of views that hold each other on one floor; `known`: as they did before.

    Trusted pairs make groups. A view joins a group to which all its pairs together hold it, though none may alone. And
    three views or more, each of which all the others together hold, hold each other, though no pair may.

    Args:
        meetings: Of pairs of views that can see the same people.
        known: Whether the geometry is known from elsewhere.

    Returns:
        Numbers of the views; none where nothing holds.
    """
    held = _strongest(meetings, [_grown(meetings, known=known), _pruned(meetings, known=known)])
    return held if known else _in_one_piece(meetings, held - _odd_views(meetings, held))


def _in_one_piece(meetings: Mapping[tuple[int, int], Meetings], group: set[int]) -> set[int]:
    """A group, or the strongest part of it: in two rooms, views hold each other in either, but nothing joins both.

    Parts are what trusted pairs connect. All pairs between one and the rest together have to be trusted, too.
    """
    inside = {pair: found for pair, found in meetings.items() if group.issuperset(pair)}
    for part in connected_groups(pair for pair, found in inside.items() if found.support().trusted):
        between = [found for pair, found in inside.items() if len(part.intersection(pair)) == 1]
        if part != group and not together(between).trusted:
            stronger = _strongest(inside, [part, group - part])
            return held_views({pair: found for pair, found in inside.items() if stronger.issuperset(pair)})
    return group


def _odd_views(meetings: Mapping[tuple[int, int], Meetings], group: set[int]) -> set[int]:
    """The views of a group that meet the others far less clearly, and less exactly, than these each other."""
    views = sorted(group)
    clearness = np.array([_drawn(meetings, view, group).clearness for view in views])
    residual = np.array([_usual_residual(meetings, view, group) for view in views])
    if len(views) < 3:
        return set()
    usual = np.array([np.median(clearness), np.nanmedian(residual)])
    if len(views) == 3:  # what is usual for one of three views is how the two others meet
        pairs = [(views[1], views[2]), (views[0], views[2]), (views[0], views[1])]
        others = [meetings[pair].support() if pair in meetings else NO_SUPPORT for pair in pairs]
        usual = np.array([[other.clearness, other.residual] for other in others]).T
    odd = (clearness < SUPPORT.odd_clearness * usual[0]) & (residual > SUPPORT.odd_residual * usual[1])
    return {view for view, is_odd in zip(views, odd, strict=True) if is_odd}


def _usual_residual(meetings: Mapping[tuple[int, int], Meetings], view: int, group: set[int]) -> float:
    """Mean of the residuals of the pairs of a view with those of a group, weighted by what meets; NaN without any."""
    found = [pair for pair in meetings if view in pair and group.issuperset(pair)]
    values = np.array([[meetings[pair].residual, meetings[pair].counts[0].sum()] for pair in found]).reshape(-1, 2)
    values = values[np.isfinite(values[:, 0])]
    return float((values[:, 0] * values[:, 1]).sum() / values[:, 1].sum()) if values[:, 1].sum() > 0 else np.nan


def _strongest(meetings: Mapping[tuple[int, int], Meetings], groups: Sequence[set[int]]) -> set[int]:
    """The group within which people walk furthest together; of those alike, the first."""

    def walked(group: set[int]) -> float:
        return sum(found.support().walked for pair, found in meetings.items() if group.issuperset(pair))

    return max(groups, key=walked, default=set())


def _grown(meetings: Mapping[tuple[int, int], Meetings], *, known: bool) -> set[int]:
    """From the strongest group of trusted pairs outwards."""
    trusted = [pair for pair, found in meetings.items() if replace(found.support(), known=known).trusted]
    held = _strongest(meetings, connected_groups(trusted))
    while held:
        drawn = {view: _drawn(meetings, view, held) for pair in meetings for view in pair if view not in held}
        joining = sorted(view for view, support in drawn.items() if replace(support, known=known).trusted)
        if not joining:
            break
        held = held | {max(joining, key=lambda view: drawn[view].walked)}
    return held


def _pruned(meetings: Mapping[tuple[int, int], Meetings], *, known: bool) -> set[int]:
    """From all views inwards: whom the others don't hold is left out, the one that they hold least at a time."""
    clear = [pair for pair, found in meetings.items() if found.support().clearness >= SUPPORT.trust_ratio]
    left = _strongest(meetings, connected_groups(clear))
    while len(left) > 2:
        drawn = {view: _drawn(meetings, view, left) for view in sorted(left)}
        loose = [view for view, support in drawn.items() if not replace(support, known=known).trusted]
        if not loose:
            return left
        left = left - {min(loose, key=lambda view: drawn[view].walked)}
    return set()


def _drawn(meetings: Mapping[tuple[int, int], Meetings], view: int, group: set[int]) -> Support:
    """What all pairs of a view with those of a group say together."""
    pairs = [(min(view, other), max(view, other)) for other in sorted(group - {view})]
    return together([meetings[pair] for pair in pairs if pair in meetings])


def judge(meetings: Mapping[tuple[int, int], Meetings]) -> dict[tuple[int, int], Support]:
    """The supports of all pairs of the views that hold each other; none where there are no such views.

    Where three views or more hold each other, a pair need only confirm what the others tell; and people in formation
    would be in formation for all of them.
    """
    held = held_views(meetings)
    kept = {pair: found for pair, found in meetings.items() if held.issuperset(pair)}
    supports = {pair: found.support() for pair, found in kept.items()}
    if len(held) <= 2:
        return supports
    rival = float(
        np.average(
            [found.rival for found in kept.values()], weights=[found.counts[0].sum() + 1e-9 for found in kept.values()]
        )
    )
    return {pair: replace(support, known=True, rival=min(support.rival, rival)) for pair, support in supports.items()}
