"""The climb of the local search: views in turn, each matched anew with the groups of all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.matching.solvers import largest_sum

if TYPE_CHECKING:
    from selfmva.types import FloatArray, IntArray

MOST_SWEEPS = 20  # over all views; three or four are common
GAIN = 1e-9  # of a total; less is rounding
LEFT = GAIN / 2  # lure of a group that everybody left; see _lures
FEW = 12  # starts that climb faster one after the other, by plain slices, than all together, by gathering


class Climb:
    """Groups of R starts, each of one frame and one order of its views, and what every group says of every box.

    There are always so many empty groups that a whole view finds places in them: to be alone is to join an empty group,
    which says 0 of everybody.
    """

    def __init__(self, links: FloatArray, count: IntArray, frame: IntArray, order: IntArray) -> None:
        """Links `(F, V, K, V, K)` and counts of all frames; frame `(R,)` and order of views `(R, V)` of the starts."""
        frames, self.views, self.width = links.shape[:3]
        boxes = self.views * self.width
        self.links = links.reshape(frames, boxes, boxes)
        self.count, self.frame, self.order = count[frame], frame, order
        self.slot = np.full((len(frame), boxes), -1, dtype=np.int64)  # group of every box
        self.size = np.zeros((len(frame), 3 * self.width), dtype=np.int64)  # of every group
        self.said = np.zeros((len(frame), 3 * self.width, boxes))  # sum of a group's links to every box
        self.lure = _lures(self.size)  # see there
        self.box = np.arange(self.width)
        self.places = self.width  # groups that are looked at: at least as many are empty as a view has boxes

    def run(self) -> IntArray:
        """Climb to the top; `(R, V, K)` groups."""
        if len(self.frame) <= FEW:
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
        order, quiet = self.order[start].tolist(), 0  # views in a row that did not change
        for step in range(MOST_SWEEPS * self.views):
            view = order[step % self.views]
            quiet = 0 if self._match_one(start, view) or step < self.views else quiet + 1
            if quiet >= self.views - 1:  # the view that changed last is matched best already
                if not self._join_groups(np.array([start]))[0]:
                    break
                quiet = -1

    def _climb_together(self) -> None:
        """All starts, step by step."""
        live = np.arange(len(self.frame))
        quiet = np.zeros(len(live), dtype=np.int64)
        for step in range(MOST_SWEEPS * self.views):
            changed = self._match_views(live, self.order[live, step % self.views])
            quiet[live] = np.where(changed | (step < self.views), 0, quiet[live] + 1)
            settled = live[quiet[live] >= self.views - 1]
            if len(settled):
                quiet[settled[self._join_groups(settled)]] = -1
                live = live[quiet[live] < self.views - 1]
                if not len(live):
                    break

    def _match_one(self, start: int, view: int) -> bool:
        """Give the boxes of one view of one start their best places; returns whether that changed anything."""
        first, count = view * self.width, int(self.count[start, view])
        if not count:
            return False
        old = self.slot[start, first : first + count]
        placed = bool(old[0] >= 0)  # all boxes of a view or none
        groups = _Groups(self.said[start], self.size[start], self.lure[start])
        gain = groups.said[: self.places, first : first + count] + groups.lure[: self.places, None]  # (G, N)
        if placed:
            gain[old, self.box[:count]] += GAIN  # who gains nothing by moving stays
        new = gain.argmax(axis=0)  # of each box alone
        if len(set(new.tolist())) < count:  # not everybody can have what is best
            new = largest_sum(gain.T)
        (moved,) = (new != old).nonzero()
        if not len(moved):
            return False
        links = self.links[self.frame[start]][first + moved]
        if placed:
            groups.leave(old[moved], links)
        groups.join(new[moved], links)
        old[:] = new
        self._keep_room(max(new.tolist()))
        return True

    def _match_views(self, live: IntArray, view: IntArray) -> IntArray:
        """As `_match_one`, for one view of each live start; returns which starts changed."""
        place = view[:, None] * self.width + self.box  # (L, K)
        real = self.box < self.count[live, view][:, None]
        old = self.slot[live[:, None], place]
        said = self.said.reshape(len(self.said), -1, self.views, self.width)
        gain = said[live, : self.places, view] + self.lure[live, : self.places, None]  # (L, G, K)
        gain[np.arange(len(live))[:, None], old, self.box] += np.where(old >= 0, GAIN, 0.0)
        new = np.where(real, gain.argmax(axis=1), -1 - self.box)
        twice = (np.diff(np.sort(new, axis=1), axis=1) == 0).any(axis=1)
        new = np.where(real, new, old)
        for start in np.flatnonzero(twice).tolist():
            count = self.count[live[start], view[start]]
            new[start, :count] = largest_sum(gain[start, :, :count].T)
        which, k = (new != old).nonzero()
        start, source, target = live[which], old[which, k], new[which, k]
        links = self.links[self.frame[start], place[which, k]]
        of_all = _Groups(self.said.reshape(-1, self.said.shape[2]), self.size.reshape(-1), self.lure.reshape(-1))
        first, placed = start * self.size.shape[1], source >= 0
        of_all.leave((first + source)[placed], links[placed])
        of_all.join(first + target, links)
        self.slot[start, place[which, k]] = target
        self._keep_room(int(new.max()))
        return np.asarray((new != old).any(axis=1))

    def _keep_room(self, highest: int) -> None:
        """Empty groups for a whole view, behind those that are taken: low numbers are taken first."""
        self.places = max(self.places, highest + 1 + self.width)
        groups = self.size.shape[1]
        if self.places > groups:
            more = max(self.places - groups, groups // 2)  # growing little by little copies too often
            self.size = np.pad(self.size, ((0, 0), (0, more)))
            self.said = np.pad(self.said, ((0, 0), (0, more), (0, 0)))
            self.lure = _lures(self.size)

    def _join_groups(self, live: IntArray) -> IntArray:
        """Join groups that share no view and gain by it, the best first; returns which starts changed.

        Groups of one box are left out: when no view changes any more, none of them gains by joining.
        """
        changed = np.zeros(len(live), dtype=bool)
        waiting = np.arange(len(live))
        while len(waiting):
            start = live[waiting]
            groups = np.flatnonzero((self.size[start] > 1).any(axis=0))
            members = self.slot[start][:, None] == groups[:, None]  # (W, H, V * K)
            inside = members.reshape(*members.shape[:2], self.views, self.width).any(axis=3).astype(np.float64)
            gain = self.said[start][:, groups] @ members.swapaxes(1, 2).astype(np.float64)
            possible = (gain > GAIN) & (inside @ inside.swapaxes(1, 2) == 0)
            gain = np.where(possible, gain, 0.0).reshape(len(start), -1)
            gains = gain.max(axis=1, initial=0.0) > 0
            if not gains.any():
                break
            waiting, start = waiting[gains], start[gains]
            one, other = groups[np.array(np.divmod(gain[gains].argmax(axis=1), len(groups)))]
            for numbers in (self.said, self.size):
                numbers[start, one] += numbers[start, other]
                numbers[start, other] = 0
            self.lure[start, other] = LEFT
            self.slot[start] = np.where(self.slot[start] == other[:, None], one[:, None], self.slot[start])
            changed[waiting] = True
        return changed


def _lures(size: IntArray) -> FloatArray:
    """`(R, G)` added to what groups say, too small to decide much: an empty one beats one that says 0.

    Low numbers are preferred, and those above all that were left: so places are used again.
    """
    return np.where(size > 0, 0.0, GAIN / (2.0 + np.arange(size.shape[1])))


class _Groups(NamedTuple):
    """Groups of one start, or of all, one after the other: what `(G, M)` says, `(G,)` sizes and lures."""

    said: FloatArray
    size: IntArray
    lure: FloatArray

    def leave(self, group: IntArray, links: FloatArray) -> None:
        """Take boxes out of their groups, from each at most one; links `(N, M)` are theirs."""
        self.said[group] -= links
        self.size[group] -= 1
        emptied = group[self.size[group] == 0]
        if len(emptied):
            self.said[emptied] = 0.0  # no rounding stays behind
            self.lure[emptied] = LEFT

    def join(self, group: IntArray, links: FloatArray) -> None:
        """Put boxes into groups, into each at most one."""
        self.said[group] += links
        self.size[group] += 1
        self.lure[group] = 0.0
