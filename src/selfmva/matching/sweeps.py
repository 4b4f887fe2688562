"""Groups by local search: views in turn, each matched anew with all others, for many frames at once."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.matching.assignment import solve

if TYPE_CHECKING:
    from selfmva.types import FloatArray, IntArray

MOST_SWEEPS = 20  # over all views; three or four are common
MOST_ORDERS = 24  # of views
BOXES_OF_ALL_ORDERS = 400  # boxes of a frame times its orders: large frames have fewer
GAIN = 1e-9  # of a total; less is rounding


def search(log_odds: FloatArray, count: IntArray) -> IntArray:
    """Maximise the summed log-odds inside groups, one box of a view at most, by coordinate ascent over views.

    Given the groups of all other views, the best places of the boxes of one view are an assignment problem: a box may
    join any group, or stay alone. Solving it for view after view never lowers the total. When no view changes any more,
    groups without a common view whose total log-odds is positive are joined. The end depends on the order of the views,
    so the search runs from several, and the best end counts.

    Orders begin with the view that has the most to say, so that neither the order of cameras nor that of boxes matters.

    Args:
        log_odds: `(F, V, K, V, K)` symmetric, of box k of view v and box l of view w; above 0 speaks for one person.
            What lies inside a view or in the padding is not read.
        count: `(F, V)` number of boxes, at most K.

    Returns:
        `(F, V, K)` int64 number of the group of each box within its frame; -1 in the padding.

    Raises:
        InputError: A value is NaN.

    Example:
        >>> odds = np.zeros((1, 2, 2, 2, 2))
        >>> odds[0, 0, :, 1, :] = [[-3.0, 2.0], [4.0, -3.0]]
        >>> search(odds + odds.transpose(0, 3, 4, 1, 2), np.array([[2, 2]]))
        array([[[0, 1],
                [1, 0]]])
    """
    frames, views, width = log_odds.shape[:3]
    if not frames * views * width:
        return np.full((frames, views, width), -1, dtype=np.int64)
    links = _between_views(log_odds, count)
    if np.isnan(links).any():
        raise InputError("log_odds must not be NaN")
    orders = _orders(views)
    # By the boxes of each frame alone: what else is in the batch must not matter.
    tries = np.clip(BOXES_OF_ALL_ORDERS // np.maximum(count.sum(axis=1), 1), 1, len(orders))
    frame, begin = np.repeat(np.arange(frames), tries), np.cumsum(tries) - tries
    order = orders[np.arange(len(frame)) - begin[frame]]
    climb = _Climb(links, count, frame, np.take_along_axis(_strongest_first(links)[frame], order, axis=1))
    slot, total = climb.run(), climb.totals()
    highest = np.maximum.reduceat(total, begin)[frame]
    as_good = total >= highest - GAIN * (1.0 + highest)  # but for rounding
    first = np.minimum.reduceat(np.where(as_good, np.arange(len(frame)), len(frame)), begin)
    return np.asarray(slot[first])


def _between_views(log_odds: FloatArray, count: IntArray) -> FloatArray:
    """`(F, V, K, V, K)` with 0 inside views and in the padding."""
    views, width = log_odds.shape[1:3]
    real = np.arange(width) < count[:, :, None]
    links = np.where(real[:, :, :, None, None] & real[:, None, None], log_odds, 0.0)
    same = np.arange(views)
    links[:, same, :, same] = 0.0
    return links


def _strongest_first(links: FloatArray) -> IntArray:
    """`(F, V)` views by the sum of what speaks for their boxes; rounded, so that the order of boxes does not matter."""
    return np.argsort(-np.maximum(links, 0.0).sum(axis=(2, 3, 4)).round(6), axis=1, kind="stable")


def _orders(views: int) -> IntArray:
    """Orders to start from, of at least one view; the plain one first, the others as different as chance makes them."""
    rng = np.random.default_rng(0)
    plain = np.arange(views)
    if views <= 4:
        every = np.array(list(permutations(range(views))))
        return np.concatenate([every[:1], rng.permutation(every[1:])])
    return np.stack([plain, *(rng.permutation(views) for _ in range(MOST_ORDERS - 1))])


class _Climb:
    """Groups of R starts, each of one frame and one order of its views, and what every group says of every box."""

    def __init__(self, links: FloatArray, count: IntArray, frame: IntArray, order: IntArray) -> None:
        """Links `(F, V, K, V, K)` and counts of all frames; frame `(R,)` and order of views `(R, V)` of the starts."""
        frames, self.views, self.width = links.shape[:3]
        self.links = links.reshape(frames, self.views * self.width, self.views * self.width)
        self.count, self.frame, self.order = count[frame], frame, order
        self.slot = np.full((len(frame), self.views * self.width), -1, dtype=np.int64)  # group of every box
        self.size = np.zeros((len(frame), 0), dtype=np.int64)  # of every group
        self.said = np.zeros((len(frame), 0, self.views * self.width))  # sum of a group's links to every box
        self._grow(2 * self.width)

    def run(self) -> IntArray:
        """Climb to the top; `(R, V, K)` groups."""
        live = np.arange(len(self.frame))
        quiet = np.full(len(live), -1)  # views in a row that did not change, less one before all had their turn
        for step in range(MOST_SWEEPS * self.views):
            changed = self._match_view(live, self.order[live, step % self.views])
            quiet[live] = np.where(changed, 0, quiet[live] + 1)
            settled = live[quiet[live] >= self.views - 1]  # the view that changed last is matched best already
            if len(settled):
                quiet[settled[self._join_groups(settled)]] = -1
                live = live[quiet[live] < self.views - 1]
                if not len(live):
                    break
        return self.slot.reshape(len(self.frame), self.views, self.width)

    def totals(self) -> FloatArray:
        """`(R,)` sum of the links inside groups."""
        own = np.take_along_axis(self.said, np.maximum(self.slot, 0)[:, None], axis=1)[:, 0]
        return np.asarray(np.where(self.slot >= 0, own, 0.0).sum(axis=1) / 2)

    def _match_view(self, live: IntArray, view: IntArray) -> IntArray:
        """Give the boxes of one view of each live start their best places; returns which starts changed."""
        rows, count = live[:, None], self.count[live, view]
        box = view[:, None] * self.width + np.arange(self.width)  # (L, K)
        real = np.arange(self.width) < count[:, None]
        said = self.said.reshape(len(self.said), -1, self.views, self.width)[live, :, view]  # (L, G, K)
        inviting = np.flatnonzero((said > 0.0).any(axis=(0, 2)))  # groups that anybody gains by joining
        chosen = solve(-said[:, inviting].swapaxes(1, 2), rows=count, unmatched_cost=0.0).columns
        chosen = np.where(chosen < 0, chosen, inviting[chosen]) if len(inviting) else chosen
        old = self.slot[rows, box]
        was_alone = (old >= 0) & (self.size[rows, old] == 1)
        new = np.where((chosen < 0) & was_alone, old, chosen)
        lost = real & (new < 0)
        if lost.any():
            rank = np.cumsum(lost, axis=1) - 1
            self._grow(int((rank[:, -1] + 1 + (self.size[live] > 0).sum(axis=1)).max()))
            which, empty = np.nonzero(self.size[live] == 0)
            first = np.searchsorted(which, np.arange(len(live)))
            new = np.where(lost, empty[first[:, None] + rank], new)
        which, k = np.nonzero(real & (new != old))
        self._move(live[which], box[which, k], old[which, k], new[which, k])
        changed = np.zeros(len(live), dtype=bool)
        changed[which] = True
        return changed

    def _move(self, start: IntArray, box: IntArray, old: IntArray, new: IntArray) -> None:
        """Move boxes, of one view of each start, so that no group is left or joined twice."""
        links = self.links[self.frame[start], box]
        leaving = old >= 0
        self.said[start[leaving], old[leaving]] -= links[leaving]
        self.size[start[leaving], old[leaving]] -= 1
        emptied = leaving & (self.size[start, old] == 0)
        self.said[start[emptied], old[emptied]] = 0.0  # no rounding stays behind
        self.said[start, new] += links
        self.size[start, new] += 1
        self.slot[start, box] = new

    def _grow(self, groups: int) -> None:
        """Make room for more groups."""
        more = groups - self.size.shape[1]
        if more > 0:
            more = max(more, self.size.shape[1])  # at least twice as many: growing little by little copies too often
            self.size = np.pad(self.size, ((0, 0), (0, more)))
            self.said = np.pad(self.said, ((0, 0), (0, more), (0, 0)))

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
            self.slot[start] = np.where(self.slot[start] == other[:, None], one[:, None], self.slot[start])
            changed[waiting] = True
        return changed
