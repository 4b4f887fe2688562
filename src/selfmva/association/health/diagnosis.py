"""Which change explains that a stream no longer fits: what would undo it is tried, and what restores most is named."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.association.health.changes import (
    DARK,
    KNOCKED,
    OTHER_PLACE,
    Change,
    detector_changes,
    of_boxes,
    simple_changes,
)
from selfmva.association.health.measure import measure
from selfmva.association.health.turned_camera import find_turns, turn_back
from selfmva.core.thinning import evenly_spaced
from selfmva.core.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selfmva.association.health.profile import Profile
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class DiagnosisSettings:
    """How much is looked at, and what counts as an explanation."""

    # From look to look: instants at most, boxes at them at most, and how many changes are left for the next look. The
    # first is at all changes.
    looks: tuple[tuple[int, int, int], ...] = ((8, 500, 24), (24, 1500, 6), (96, 5000, 1))
    fewest: int = 2  # instants of a look, of crowds
    suspects: int = 4  # views
    turned: int = 2  # of these, the most suspect, may be cameras that were turned
    suspicious: float = 0.95  # fraction of what is expected, below which a view may be one
    detector: float = 0.7  # of what is expected: where half of the views show less, it may be another detector
    dark: float = 0.05  # of the boxes that a view usually has
    missed: float = 10.0  # partners that a dark view should have had
    restored: float = 0.5  # of what is expected, with a change undone, and
    regained: float = 0.45  # of what was lost
    fits: float = 0.75  # of what is expected: views that fit each other
    lost: float = 0.5  # of what is expected: less, unexplained, is another place


DIAGNOSIS = DiagnosisSettings()


@dataclass(frozen=True, eq=False)
class Finding:
    """What happened.

    Attributes:
        change: What explains it.
        since: Position, among the frames that were looked at, of the first that is wrong.
        before: Fraction of what is expected that the views of the change show,
        after: and would show if it were undone.
    """

    change: Change
    since: int
    before: float
    after: float

    @property
    def explained(self) -> bool:
        """Whether it is more than that something is wrong."""
        return self.change.kind != OTHER_PLACE


class _Tried(NamedTuple):
    """What undoing a change wins an instant; and what its views show of what is expected, before and after."""

    gain: float
    before: float
    after: float


class Diagnosis:
    """Frames that don't fit, and what can be tried on them.

    Args:
        model: What was learnt.
        profile: What fit() saw.
        frames: Successive clipped frames, the last of which don't fit.
        bad: Position of a frame since when none fits, for sure.
        level: `(V, V)` by which what a stream showed before exceeds what is expected, if it does.
        known: Numbers of views that are known not to fit: nothing is expected of them.
    """

    def __init__(
        self,
        model: FittedModel,
        profile: Profile,
        frames: Sequence[Frame],
        bad: int,
        level: FloatArray | None = None,
        known: Sequence[int] = (),
    ) -> None:
        self.model, self.profile, self.frames = model, profile, frames
        self.rows = [_rows(frame) for frame in frames]
        self.bad = np.arange(bad, len(frames))
        tally = measure(model, frames, 1)
        self.level = np.ones_like(profile.clearness) if level is None else level.copy()
        self.level[list(known)] = 0.0
        self.level[:, list(known)] = 0.0
        self.expected, self.worth = profile.expected_of_pairs(tally) * self.level, tally.worth * (self.level > 0)
        self.boxes = tally.boxes.sum(axis=2)

    def explain(self) -> list[Finding]:
        """What happened, as far as it can be told; empty where nothing explains it."""
        dark = self._dark()
        if dark:
            return dark
        ratio = self.ratios(self.expected, self.worth, self.bad)
        suspects = [int(v) for v in np.argsort(ratio) if ratio[v] < DIAGNOSIS.suspicious][: DIAGNOSIS.suspects]
        if not suspects:
            return []
        found = self._best(suspects)
        return [found] if found is not None else self._elsewhere()

    @staticmethod
    def ratios(expected: FloatArray, worth: FloatArray, frames: IntArray) -> FloatArray:
        """`(V,)` what pairs of each view show, as a fraction of what is expected; NaN where nothing is."""
        means, found = expected[frames].sum(axis=(0, 2)), worth[frames].sum(axis=(0, 2))
        return np.asarray(np.where(means > 0, found / np.maximum(means, 1e-9), np.nan))

    def _dark(self) -> list[Finding]:
        """Views without boxes where others see people whom they should see."""
        found = []
        for view, usual in enumerate(self.profile.crowd):
            empty = self.boxes[self.bad, view].mean() <= DIAGNOSIS.dark * usual
            told = self.expected[self.bad][:, view].sum() * 2
            if empty and told > DIAGNOSIS.missed * self.profile.unit[view]:
                since = _last_change(-self.boxes[:, view] + DIAGNOSIS.dark * usual)
                change = Change(DARK, (view,), lambda frames, number: frames[number])
                found.append(Finding(change, since, 0.0, 0.0))
        return found

    def _best(self, suspects: Sequence[int]) -> Finding | None:
        """The change that restores most, where it restores enough."""
        crowd = max(float(self.boxes[self.bad].sum(axis=1).mean()), 1.0)
        many = self._some(*DIAGNOSIS.looks[-1][:2], crowd)
        changes = [*simple_changes(self.model.views, suspects), *self._turns(suspects[: DIAGNOSIS.turned], many)]
        if np.median(self.ratios(self.expected, self.worth, self.bad)) < DIAGNOSIS.detector:
            changes += detector_changes(range(len(self.model.views)))
        best = _Tried(0.0, 1.0, 0.0)
        for instants, boxes, left in DIAGNOSIS.looks:
            numbers = self._some(instants, boxes, crowd)
            tried = [(self._undone(change, numbers), number, change) for number, change in enumerate(changes)]
            tried.sort(key=lambda entry: (-entry[0].gain, entry[1]))
            changes = [change for *_, change in tried[:left]]
            best = tried[0][0]
        least = max(DIAGNOSIS.restored, best.before + DIAGNOSIS.regained * (1 - best.before))
        if best.gain <= 0 or best.after < least:
            return None
        return Finding(changes[0], self._since(changes[0]), best.before, best.after)

    def _some(self, instants: int, boxes: int, crowd: float) -> IntArray:
        """Some of the frames that don't fit, so that there are not too many boxes."""
        size = int(np.clip(boxes / crowd, DIAGNOSIS.fewest, instants))
        return self.bad[evenly_spaced(len(self.bad), size, to_nearest=True)]

    def _undone(self, change: Change, numbers: IntArray) -> _Tried:
        """What undoing a change does at some instants."""
        undone = [(n, change.undo(self.rows, n)) for n in numbers.tolist()]
        kept = np.array([n for n, rows in undone if rows is not None], dtype=np.int64)
        if not len(kept):
            return _Tried(0.0, 1.0, 0.0)
        tally = measure(self.model, [self._frame(rows) for _, rows in undone if rows is not None])
        views = list(change.views)
        worth = tally.worth * (self.level > 0)
        after = float(worth.sum(axis=0)[views].sum())
        told_after = self.profile.expected(tally) if change.kind == KNOCKED else self.profile.expected_of_pairs(tally)
        expected = float((told_after * self.level).sum(axis=0)[views].sum())
        as_is, told = (values[kept].sum(axis=0)[views].sum() for values in (self.worth, self.expected))
        gain = float(worth.sum() - self.worth[kept].sum()) / len(kept)
        return _Tried(gain, float(as_is / max(told, 1e-9)), after / max(expected, 1e-9))

    def _turns(self, suspects: Sequence[int], numbers: IntArray) -> Iterable[Change]:
        """Knocks of single views."""
        floor = self.model.floor
        for view in suspects if floor is not None else ():
            assert floor is not None  # noqa: S101
            if floor.cameras[view] is None:
                continue
            boxes = [[rows[:, :4] for rows in self.rows[n]] for n in numbers.tolist()]
            for turn in find_turns(floor, view, boxes):
                undo = of_boxes((view,), partial(turn_back, turn.back))
                yield Change(KNOCKED, (view,), undo, turn.degrees, turn.camera)

    def _since(self, change: Change) -> int:
        """Since when undoing a change wins more than it loses."""
        undone = [change.undo(self.rows, n) for n in range(len(self.rows))]
        tally = measure(self.model, [self._frame(new or old) for new, old in zip(undone, self.rows, strict=True)], 1)
        views = list(change.views)
        return _last_change((tally.worth - self.worth)[:, views].sum(axis=(1, 2)))

    def _elsewhere(self) -> list[Finding]:
        """The fewest views without which all others fit each other."""
        worth, expected = (values[self.bad].sum(axis=0) for values in (self.worth, self.expected))
        left = [v for v in range(len(worth)) if expected[v].sum() > 0]
        out: list[int] = []
        while len(left) > 1:
            pairs = np.ix_(left, left)
            ratio = worth[pairs].sum(axis=1) / np.maximum(expected[pairs].sum(axis=1), 1e-9)
            if ratio.min() >= DIAGNOSIS.fits:
                break
            out.append(left.pop(int(ratio.argmin())))
        if len(left) == 1:
            out += left
            left = []
        found = []
        for view in out:
            others = left or [v for v in out if v != view]
            before = float(worth[view, others].sum() / max(expected[view, others].sum(), 1e-9))
            if before < DIAGNOSIS.lost:
                middle = (self.expected - self.worth)[:, view][:, others].sum(axis=1)
                usual = self.expected[:, view][:, others].sum(axis=1) * (1 - before) / 2
                change = Change(OTHER_PLACE, (view,), lambda frames, number: frames[number])
                found.append(Finding(change, _last_change(middle - usual), before, before))
        return found

    def _frame(self, rows: Sequence[FloatArray]) -> Frame:
        features = [row[:, 4:].astype(np.float32) for row in rows] if rows[0].shape[1] > 4 else None
        return Frame([row[:, :4] for row in rows], features=features)


def _rows(frame: Frame) -> list[FloatArray]:
    """Boxes of each view, with their features as further columns."""
    if frame.features is None:
        return list(frame.boxes)
    return [np.hstack([boxes, own]) for boxes, own in zip(frame.boxes, frame.features, strict=True)]


def _last_change(for_it: FloatArray) -> int:
    """Position since when values `(F,)` sum up to most: the start of the best last part."""
    return len(for_it) - 1 - int(np.cumsum(for_it[::-1]).argmax())
