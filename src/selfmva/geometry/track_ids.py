"""Whether track ids are tracks: files have constants, row numbers and fresh numbers in that column, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced_blocks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from selfmva.core.types import FloatArray, Frame, IntArray


@dataclass(frozen=True)
class TrackIdSettings:
    """By what ids are known that are no tracks. In brackets, what labels and trackers of real recordings reach.

    Those are of 2 to 25 instants a second (MvMHAT, EPFL, WILDTRACK, MVOR), and of every twentieth of them.
    """

    twice: float = 0.05  # fraction of the boxes whose id another box of the view and instant has (0.001)
    lasting: float = 0.1  # fraction of the boxes whose id is there at the next instant of the view (0.47)
    # Somebody leaves, and the ids of those who stay are still the first numbers, or still without a gap. Whoever leaves
    # of n people is the last of them once in n times, and an outer one twice in n times.
    departures: int = 12
    longer_departures: int = 24  # of at least three, so that two or more are left
    # Of boxes that hardly move, so that it can be told: how often the box of the same id is nearer than another one is.
    nearer: float = 0.6  # (0.74; 0.5 is chance)
    compared: int = 200  # boxes, from which on that is judged
    still: float = 0.15  # box heights to the nearest box of the next instant, median, up to which it can be told
    instants: int = 1000  # of a recording that are looked at
    neighbours: int = 100  # instants of a block that stay together


TRACK_IDS = TrackIdSettings()
ROWS = "whoever leaves, the others are numbered without a gap, so that they are numbers of rows"


def find_useless_ids(frames: Sequence[Frame], views: int) -> dict[int, str]:
    """Views whose track ids are no tracks.

    Args:
        frames: Clipped frames in the order of time; those without track ids are passed over.
        views: Number of views.

    Returns:
        By number of the view, why not; in words that follow "its ids are no tracks: ".
    """
    chosen = evenly_spaced_blocks(len(frames), TRACK_IDS.instants, TRACK_IDS.neighbours)
    known = [frames[t] for t in chosen if frames[t].track_ids is not None]
    evidence = [
        _look([frame.track_ids[view] for frame in known if frame.track_ids], [frame.boxes[view] for frame in known])
        for view in range(views)
    ]
    useless = {view: own.problem() for view, own in enumerate(evidence) if own.problem()}
    rest = [view for view in range(views) if view not in useless]
    # One tracker, or one writer of files, stands behind all views: what few boxes of each leave open, all may tell.
    together = sum((evidence[view] for view in rest), start=_Evidence()).problem()
    if together:
        return useless | dict.fromkeys(rest, together)
    if ROWS in useless.values():
        useless |= dict.fromkeys((view for view in rest if evidence[view].gapless), ROWS)
    return useless


def without_ids_of(frames: Sequence[Frame], views: Collection[int]) -> list[Frame]:
    """Frames without the track ids of some views; -1 stands in their place, and None where no view has any."""

    def part(frame: Frame) -> Frame:
        if frame.track_ids is None:
            return frame
        ids = tuple(np.full(len(own), -1) if view in views else own for view, own in enumerate(frame.track_ids))
        return replace(frame, track_ids=None if len(views) == len(ids) else ids)

    return list(map(part, frames))


@dataclass(frozen=True)
class _Evidence:
    """Of one view, or of several together: numbers of boxes and of instants, see `TrackIdSettings`."""

    boxes: int = 0
    twice: int = 0
    followed: int = 0  # boxes at whose next instant the view has boxes
    lasting: int = 0
    departures: int = 0
    longer_departures: int = 0  # of three or more people
    compared: int = 0
    nearer: float = 0.0
    first_numbers: bool = True
    gapless: bool = True
    example: str = ""

    def __add__(self, other: _Evidence) -> _Evidence:
        sums = {name: getattr(self, name) + getattr(other, name) for name in SUMS}
        both = {name: getattr(self, name) and getattr(other, name) for name in ("first_numbers", "gapless")}
        return _Evidence(**sums, **both, example=self.example or other.example)

    def problem(self) -> str:
        """Why these are no tracks; empty where they may be."""
        if self.twice > TRACK_IDS.twice * self.boxes:
            return (
                f"{self.twice / self.boxes:.0%} of the boxes share one with another box of their image ({self.example})"
            )
        if self.lasting < TRACK_IDS.lasting * self.followed and self.followed >= TRACK_IDS.departures:
            return f"{self.lasting / self.followed:.0%} of them are still there at the next instant"
        if (self.first_numbers and self.departures >= TRACK_IDS.departures) or (
            self.gapless and self.longer_departures >= TRACK_IDS.longer_departures
        ):
            return ROWS
        if self.compared >= TRACK_IDS.compared and self.nearer < TRACK_IDS.nearer * self.compared:
            return "boxes of one id are no nearer to each other than others at the next instant"
        return ""


SUMS = ("boxes", "twice", "followed", "lasting", "departures", "longer_departures", "compared", "nearer")


def _look(ids: Sequence[IntArray], boxes: Sequence[FloatArray]) -> _Evidence:
    """What the ids of one view say, instant after instant."""
    found: dict[str, float] = dict.fromkeys(SUMS, 0)
    example, gapless, lowest = "", True, set[int]()
    nearer: list[FloatArray] = []
    nearest: list[FloatArray] = []
    before: tuple[IntArray, FloatArray] | None = None
    for all_ids, all_boxes in zip(ids, boxes, strict=True):
        own, corners = all_ids[all_ids >= 0], all_boxes[all_ids >= 0]
        if not len(own):
            continue
        values, counts = np.unique(own, return_counts=True)
        found["boxes"] += len(own)
        found["twice"] += int(counts[counts > 1].sum())
        if (counts > 1).any() and not example:
            example = f"id {values[counts > 1][0]}"
        gapless &= bool(values[-1] - values[0] == len(values) - 1)
        lowest.add(int(values[0]))
        if before is not None:
            found["followed"] += len(before[0])
            found["lasting"] += int(np.isin(before[0], values).sum())
            found["departures"] += int(1 <= len(values) < len(before[0]))
            found["longer_departures"] += int(2 <= len(values) < len(before[0]))
            if len(before[0]) > 1 and len(values) == len(own):
                steps, shortest = _steps(*before, own, corners)
                nearer.append(steps)
                nearest.append(shortest)
        before = own, corners
    shortest_ways, compared = (np.concatenate([np.zeros(0), *parts]) for parts in (nearest, nearer))
    if len(compared) and float(np.median(shortest_ways)) <= TRACK_IDS.still:
        found["compared"], found["nearer"] = len(compared), float(compared.sum())
    return _Evidence(**found, first_numbers=gapless and len(lowest) <= 1, gapless=gapless, example=example)  # type: ignore[arg-type]


def _steps(ids_before: IntArray, before: FloatArray, ids: IntArray, now: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of boxes whose id was there before: which fraction of the others is farther; and how far the nearest one is."""
    places, old = ((boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (now, before))
    away = np.hypot(*(places[:, None] - old).transpose(2, 0, 1)) / (now[:, 3] - now[:, 1])[:, None]
    same = ids[:, None] == ids_before
    rows = np.flatnonzero(same.sum(axis=1) == 1)
    own = away[rows, same[rows].argmax(axis=1)]
    others = np.where(same[rows], np.nan, away[rows])
    farther = (others > own[:, None]).sum(axis=1) / (len(ids_before) - 1)
    return np.asarray(farther), away[rows].min(axis=1)
