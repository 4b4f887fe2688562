"""MvMHAT's association over views and time, given any embeddings: one number a person in all views.

The tracker of Gan et al. (ACM MM 2021) without what went wrong in it: no view is trusted more than others, groups over
the views are one partition, two views that see somebody at the same instant give one number, galleries are bounded, and
every box has a number from its first instant on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.scalars import integer, real
from selfmva.errors import InputError
from selfmva.matching.assignment import solve
from selfmva.tracking.adaptive_softmax import DUSTBIN, group_views
from selfmva.tracking.anchors import normalised
from selfmva.tracking.box_motion import PLACE, BoxMotion, begin_motion, to_centres
from selfmva.tracking.columns import read_boxes, read_table
from selfmva.tracking.overlaps import intersection_over_union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray

# As published: largest cosine distance to a gallery and largest 1 - intersection over union of a match; the chi-square
# of four numbers that 95 % stay below; how often a track is seen before it may be missed.
LARGEST_DISTANCE, LARGEST_OVERLAP_COST, GATE, SURE_AFTER = 0.2, 0.7, 9.4877, 3
# Embeddings that a track keeps; published galleries grow without end.
GALLERY = 50


@dataclass(eq=False)
class _Track:
    """Of one person in one view."""

    number: int
    motion: BoxMotion  # of one box
    gallery: list[FloatArray] = field(default_factory=list)
    seen: int = 0
    missed: int = 0


class MultiViewTracker:
    """Numbers for people over views and time from boxes and what they look like.

    Args:
        views: How many there are.
        reassociate_every: Instants after which what the views say together may override the tracks of each.
        most_missed: Instants after which a track of a view that is not seen ends.
        dustbin: Cosine below which two boxes of two views are rather nobody's match; see
            `selfmva.tracking.adaptive_softmax.adaptive_softmax`.

    Raises:
        InputError: An argument is out of its range.

    Example:
        >>> tracker = MultiViewTracker(2)
        >>> one, other = [[0, 0, 10, 20]], [[50, 0, 60, 20]]
        >>> [ids.tolist() for ids in tracker.update([one, other], [[[1, 0]], [[1, 0]]])]
        [[0], [0]]
        >>> [ids.tolist() for ids in tracker.update([one, one + other], [[[1, 0]], [[0, 1], [1, 0]]])]
        [[0], [1, 0]]
    """

    def __init__(
        self, views: int, *, reassociate_every: int = 30, most_missed: int = 80, dustbin: float = DUSTBIN
    ) -> None:
        self.views = integer(views, "views", least=1, most=10_000)
        self.reassociate_every = integer(reassociate_every, "reassociate_every", least=1)
        self.most_missed = integer(most_missed, "most_missed", least=0)
        self.dustbin = real(dustbin, "dustbin")
        self.reset()

    def reset(self) -> None:
        """Forget everybody, and count from 0 again."""
        self._tracks: list[list[_Track]] = [[] for _ in range(self.views)]
        self._count = 0
        self._instant = 0

    def update(self, boxes: Sequence[ArrayLike], embeddings: Sequence[ArrayLike]) -> tuple[IntArray, ...]:
        """Go on to the next instant.

        Args:
            boxes: For each view `(N, 4)` xyxy in pixels.
            embeddings: For each view `(N, D)`, of any length; a row that is not finite, or 0, has none.

        Returns:
            For each view `(N,)` int64 the number of each person, unique inside a view.

        Raises:
            InputError: There are not as many entries as views, or they do not fit together; nothing has changed then.
        """
        corners, looks = self._read(boxes, embeddings)
        view = np.repeat(np.arange(self.views), [len(own) for own in corners])
        matched = [
            _match_in_time(tracks, own, look) for tracks, own, look in zip(self._tracks, corners, looks, strict=True)
        ]
        in_time = np.concatenate(
            [
                np.array([tracks[k].number if k >= 0 else -1 for k in found], dtype=np.int64)
                for tracks, found in zip(self._tracks, matched, strict=True)
            ]
        )
        width = max((look.shape[1] for look in looks if len(look)), default=0)
        groups = group_views(
            np.concatenate([look.reshape(len(look), width) for look in looks]), view, dustbin=self.dustbin
        )
        provisional = self._instant % self.reassociate_every == 0
        numbers, self._count = decide_numbers(view, groups, in_time, self._count, provisional=provisional)
        self._instant += 1
        result = tuple(np.split(numbers, np.cumsum([len(own) for own in corners])[:-1]))
        for number, own in enumerate(result):
            self._tracks[number] = self._renewed(
                self._tracks[number], matched[number], own, corners[number], looks[number]
            )
        return result

    def _read(self, boxes: Any, embeddings: Any) -> tuple[list[FloatArray], list[FloatArray]]:
        given = [
            entries(values, what, "one entry a view") for values, what in ((boxes, "boxes"), (embeddings, "embeddings"))
        ]
        if [len(values) for values in given] != [self.views] * 2:
            raise InputError(
                f"boxes and embeddings need one entry for each of {self.views} views, got {len(given[0])} and "
                f"{len(given[1])}"
            )
        corners = [read_boxes(own) for own in given[0]]
        looks = [
            normalised(read_table(look, f"embeddings of view {view}", len(own), None))
            for view, (look, own) in enumerate(zip(given[1], corners, strict=True))
        ]
        widths = {look.shape[1] for look in looks if len(look)}
        if len(widths) > 1:
            raise InputError(f"embeddings of all views need as many numbers, got {sorted(widths)}")
        return corners, looks

    def _renewed(
        self, tracks: list[_Track], matched: IntArray, numbers: IntArray, boxes: FloatArray, looks: FloatArray
    ) -> list[_Track]:
        """The tracks of a view after an instant: whoever changed numbers takes the place and leaves the look."""
        by_number = {track.number: track for track in tracks}
        seen = []
        for k, number, box, look in zip(matched, numbers.tolist(), boxes, looks, strict=True):
            own = by_number.get(number)  # what is known of the look of this number
            place = tracks[k] if k >= 0 else own  # what is known of the way of this box
            follows = place is not None and (k >= 0 or _overlaps(place, box))
            motion = place.motion.updated(box[None]) if place is not None and follows else begin_motion(box[None])
            gallery = own.gallery if own is not None else []
            if np.isfinite(look).all():
                gallery = [*gallery, look][-GALLERY:]
            seen.append(_Track(number, motion, gallery, (own.seen if own is not None else 0) + 1))
        # A number whose box has another one now is not at its place any more: nothing would be left there to find.
        known = set(numbers.tolist()) | {tracks[k].number for k in matched if k >= 0}
        left = [track for track in tracks if track.number not in known]
        for track in left:
            track.missed += 1
        return seen + [track for track in left if track.missed <= (self.most_missed if track.seen >= SURE_AFTER else 0)]


def decide_numbers(
    view: IntArray, groups: IntArray, in_time: IntArray, count: int, *, provisional: bool
) -> tuple[IntArray, int]:
    """The numbers of the boxes of one instant from what tracks say of them, and what the views say together.

    Args:
        view: `(N,)`.
        groups: `(N,)` from 0, at most one box of a view in each.
        in_time: `(N,)` number of the track that each box goes on with, unique inside a view, -1 where there is none.
        count: The next number that nobody has.
        provisional: Whether groups may override tracks. Otherwise they speak for boxes without a track alone.

    Returns:
        `(N,)` the numbers, unique inside a view, and the next one that is free.

    Example:
        >>> view, groups = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
        >>> decide_numbers(view, groups, np.array([4, 5, 5, -1]), 6, provisional=False)[0].tolist()
        [4, 5, 5, 6]
        >>> decide_numbers(view, groups, np.array([4, 5, 6, 5]), 7, provisional=True)[0].tolist()
        [4, 5, 4, 5]
    """
    known = np.unique(in_time[in_time >= 0])
    votes = np.zeros((int(groups.max(initial=-1)) + 1, len(known)))
    told = np.flatnonzero(in_time >= 0)
    np.add.at(votes, (groups[told], np.searchsorted(known, in_time[told])), 1.0)
    # Of equal votes, the older number.
    votes = np.where(votes > 0, votes - 1e-6 * np.arange(len(known)) / max(len(known), 1), 0.0)
    chosen = np.full(len(votes), -1, dtype=np.int64)
    if votes.size:
        columns = solve(np.where(votes > 0, -votes, np.inf), unmatched_cost=0.0).columns[0]
        chosen = np.where(columns >= 0, known[columns], -1)
    numbers = np.full(len(view), -1, dtype=np.int64)
    taken: set[tuple[int, int]] = set()
    fresh: dict[int, int] = {}
    by_groups, by_time = chosen[groups], in_time
    for proposal in (by_groups, by_time) if provisional else (by_time, by_groups):
        for box in np.flatnonzero((numbers < 0) & (proposal >= 0)):
            key = (int(view[box]), int(proposal[box]))
            if key not in taken:
                taken.add(key)
                numbers[box] = proposal[box]
    for box in np.flatnonzero(numbers < 0):  # one new number for all of a group
        if int(groups[box]) not in fresh:
            fresh[int(groups[box])], count = count, count + 1
        numbers[box] = fresh[int(groups[box])]
    return numbers, count


def _match_in_time(tracks: list[_Track], boxes: FloatArray, looks: FloatArray) -> IntArray:
    """`(N,)` the track that each box goes on with, -1 where there is none; moves all tracks one instant on."""
    for track in tracks:
        track.motion = track.motion.predicted(np.ones(1))
    result = np.full(len(boxes), -1, dtype=np.int64)
    if not tracks or not len(boxes):
        return result
    expected = np.concatenate([track.motion.boxes for track in tracks])
    cost = np.stack([_look_distances(track, looks) for track in tracks])
    cost[np.stack([_far(track.motion, boxes) for track in tracks])] = np.inf
    lately = np.array([track.missed == 0 for track in tracks])
    overlap = np.where(lately[:, None], 1 - intersection_over_union(expected, boxes), np.inf)
    for costs, most in ((cost, LARGEST_DISTANCE), (overlap, LARGEST_OVERLAP_COST)):
        rows = np.setdiff1d(np.arange(len(tracks)), result)
        columns = np.flatnonzero(result < 0)
        block = costs[np.ix_(rows, columns)]
        row, column = solve(np.where(block <= most, block, np.inf), unmatched_cost=most + 1e-9).matches(0).T
        result[columns[column]] = rows[row]
    return result


def _look_distances(track: _Track, looks: FloatArray) -> FloatArray:
    """`(N,)` smallest cosine distance to the gallery; infinite where there is no look."""
    if not track.gallery:
        return np.full(len(looks), np.inf)
    distances = 1.0 - (looks @ np.array(track.gallery).T).max(axis=1)
    return np.asarray(np.where(np.isfinite(distances), distances, np.inf))


def _far(motion: BoxMotion, boxes: FloatArray) -> Any:
    """`(N,)` which boxes the motion of a track rules out."""
    variance = motion.place_variance + (PLACE * np.maximum(motion.place[:, 3:], 1.0)) ** 2
    return ((to_centres(boxes) - motion.place) ** 2 / variance).sum(axis=1) > GATE


def _overlaps(track: _Track, box: FloatArray) -> bool:
    return bool(intersection_over_union(track.motion.boxes, box[None])[0, 0] > 0)
