"""The climb of the local search: views in turn, each matched anew with the groups of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.solvers import largest_sum

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class ClimbSettings:
    """The climb of the local search."""

    most_sweeps: int = 20  # over all views; three or four are common
    gain: float = 1e-9  # of a total; less is rounding
    few: int = 7  # starts that climb faster one after the other, by plain slices, than all together, by gathering


CLIMB = ClimbSettings()


class Climb:
    """Groups of R starts, each of one frame and one order of its views, and what every group says of every box.

    What a group says of a box is the sum of its links to it. Something tiny settles what is equal: a link counts
    `CLIMB.gain` less than it is, a box says half of that of itself, and an empty group a quarter or less, the lower its
    number the more. So nobody is with those who say nothing of him, other moves need a gain, and low numbers are used
    again.

    There are always so many empty groups that a whole view finds places in them: to be alone is to join an empty group.
    """

    def __init__(self, links: FloatArray, count: IntArray, frame: IntArray, order: IntArray) -> None:
        """Links `(F, V, K, V, K)` and counts of all frames; frame `(R,)` and order of views `(R, V)` of the starts.

        Links are 0 inside views and in the padding; they are used up.
        """
        frames = len(links)
        self.views: int = links.shape[1]
        self.width: int = links.shape[2]
        boxes = self.views * self.width
        self.box: IntArray = np.arange(self.width)  # within its view
        self.first: IntArray = self.width * np.arange(self.views)  # box of a view
        self.view_of_box: FloatArray = np.repeat(np.eye(self.views), self.width, axis=0)  # (V * K, V)
        view, box = np.arange(self.views), np.arange(boxes)
        links -= CLIMB.gain
        links[:, view, :, view] = 0.0
        self.links: FloatArray = links.reshape(frames, boxes, boxes)
        self.links[:, box, box] = CLIMB.gain / 2
        self.count: IntArray = count[frame]
        self.frame: IntArray = frame
        self.order: IntArray = order
        self.slot: IntArray = np.full((len(frame), boxes), -1, dtype=np.int64)  # group of every box
        self.said: FloatArray = self._empty_groups(0, 3 * self.width)  # (R, G, V * K)
        self.places: int = self.width  # groups that are looked at: at least as many are empty as a view has boxes

    def run(self) -> IntArray:
        """Climb to the top; `(R, V, K)` groups."""
        if len(self.frame) <= CLIMB.few:
            for start in range(len(self.frame)):
                self._climb_alone(start)
        else:
            self._climb_together()
        return self.slot.reshape(len(self.frame), self.views, self.width)

    def totals(self) -> FloatArray:
        """`(R,)` sum of the links inside groups."""
        own = np.take_along_axis(self.said, np.maximum(self.slot, 0)[:, None], axis=1)[:, 0]
        return np.asarray(np.where(self.slot >= 0, own, 0.0).sum(axis=1) / 2)

    def _climb_alone(self, start: int) -> None:
        """One start to its top."""
        links, order, quiet = self.links[self.frame[start]], self.order[start].tolist(), 0
        boxes = list(map(slice, self.first.tolist(), (self.first + self.count[start]).tolist()))
        for step in range(CLIMB.most_sweeps * self.views):
            changed = self._match_one(start, boxes[order[step % self.views]], links)
            quiet = 0 if changed or step < self.views else quiet + 1  # views in a row that did not change
            if quiet >= self.views - 1:  # the view that changed last is matched best already
                if not self._join_groups(np.array([start]))[0]:
                    break
                quiet = -1

    def _climb_together(self) -> None:
        """All starts, step by step."""
        live = np.arange(len(self.frame))
        quiet = np.zeros(len(live), dtype=np.int64)
        for step in range(CLIMB.most_sweeps * self.views):
            changed = self._match_views(live, self.order[live, step % self.views])
            quiet[live] = np.where(changed | (step < self.views), 0, quiet[live] + 1)
            settled = live[quiet[live] >= self.views - 1]
            if len(settled):
                quiet[settled[self._join_groups(settled)]] = -1
                live = live[quiet[live] < self.views - 1]
                if not len(live):
                    break

    def _match_one(self, start: int, boxes: slice, links: FloatArray) -> bool:
        """Give the boxes of one view of one start their best places; returns whether that changed anything."""
        said, old = self.said[start], self.slot[start, boxes]
        if not len(old):
            return False
        gain = said[: self.places, boxes]  # (G, N)
        new = gain.argmax(axis=0)  # of each box alone
        if len(set(new.tolist())) < len(new):  # not everybody can have what is best
            new = largest_sum(gain.T)
        (moved,) = (new != old).nonzero()
        if not len(moved):
            return False
        source, target, says = old[moved], new[moved], links.take(boxes.start + moved, axis=0)
        if source[0] >= 0:  # all boxes of a view have a place or none
            said[source] -= says
        said[target] += says
        old[:] = new
        self._keep_room(max(target.tolist()))
        return True

    def _match_views(self, live: IntArray, view: IntArray) -> IntArray:
        """As `_match_one`, for one view of each live start; returns which starts changed."""
        place = self.first[view][:, None] + self.box  # (L, K)
        real = self.box < self.count[live, view][:, None]
        old = self.slot[live[:, None], place]
        gain = self.said.reshape(len(self.said), -1, self.views, self.width)[live, : self.places, view]  # (L, G, K)
        new = np.where(real, gain.argmax(axis=1), -1 - self.box)
        twice = (np.diff(np.sort(new, axis=1), axis=1) == 0).any(axis=1)
        new = np.where(real, new, old)
        for start in np.flatnonzero(twice).tolist():
            count = self.count[live[start], view[start]]
            new[start, :count] = largest_sum(gain[start, :, :count].T)
        which, k = (new != old).nonzero()
        if not len(which):
            return np.zeros(len(live), dtype=bool)
        start, source, target = live[which], old[which, k], new[which, k]
        links = self.links[self.frame[start], place[which, k]]
        placed = source >= 0
        self.said[start[placed], source[placed]] -= links[placed]
        self.said[start, target] += links
        self.slot[start, place[which, k]] = target
        self._keep_room(int(target.max()))
        return np.asarray((new != old).any(axis=1))

    def _empty_groups(self, first: int, end: int) -> FloatArray:
        """`(R, G, V * K)`, what the groups of some numbers say while they are empty."""
        said = np.empty((len(self.frame), end - first, self.slot.shape[1]))
        said[:] = _lure(np.arange(first, end))[:, None]
        return said

    def _keep_room(self, highest: int) -> None:
        """Empty groups for a whole view, behind those that are taken: low numbers are taken first."""
        self.places = max(self.places, highest + 1 + self.width)
        groups = self.said.shape[1]
        if self.places > groups:
            more = max(self.places, groups + groups // 2)  # growing little by little copies too often
            self.said = np.concatenate([self.said, self._empty_groups(groups, more)], axis=1)

    def _join_groups(self, live: IntArray) -> IntArray:
        """Join groups that share no view and gain by it, the best first; returns which starts changed.

        Groups of one box are left out: when no view changes any more, none of them gains by joining.
        """
        changed = np.zeros(len(live), dtype=bool)
        waiting = np.arange(len(live))
        while len(waiting):
            start = live[waiting]
            slot = self.slot[start]
            numbers = slot + self.places * np.arange(len(start))[:, None]
            size = np.bincount(numbers[slot >= 0], minlength=self.places * len(start)).reshape(len(start), -1)
            (groups,) = (size.max(axis=0) > 1).nonzero()
            members = (slot[:, None] == groups[:, None]).astype(np.float64)  # (W, H, V * K)
            inside = members @ self.view_of_box
            gain = self.said[start[:, None], groups] @ members.swapaxes(1, 2)
            gain[inside @ inside.swapaxes(1, 2) > 0] = 0.0
            gain = gain.reshape(len(start), -1)
            gains = gain.max(axis=1, initial=0.0) > self.views * CLIMB.gain  # more than empty groups say
            if not gains.any():
                break
            waiting, start = waiting[gains], start[gains]
            one, other = groups[np.array(np.divmod(gain[gains].argmax(axis=1), len(groups)))]
            self.said[start, one] += self.said[start, other]
            self.said[start, other] = _lure(other)[:, None]
            self.slot[start] = np.where(self.slot[start] == other[:, None], one[:, None], self.slot[start])
            changed[waiting] = True
        return changed


def _lure(number: IntArray) -> FloatArray:
    """What the empty group of a number says."""
    return np.asarray(CLIMB.gain / (4.0 + number))
