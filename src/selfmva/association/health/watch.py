"""The watch over a stream: what is seen against what is expected, slice by slice, by a test that does not cry wolf."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.health.diagnosis import Diagnosis
from selfmva.association.health.health import Health, Problem, ViewHealth
from selfmva.association.health.tally import IMAGE_CELLS, Tally
from selfmva.association.health.wording import problems_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.health.diagnosis import Finding
    from selfmva.association.health.profile import Profile
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame


@dataclass(frozen=True)
class WatchSettings:
    """When a stream is suspect."""

    windows: tuple[int, ...] = (48, 96)  # instants, the last so many
    # Standard deviations below what is expected, from which on it is asked what happened. Right streams come to -4.4 in
    # some hundred windows; what costs more than .05 of F1 comes to -6 and less.
    suspicious: float = -4.75
    often: int = 24  # instants from look to look, at least
    calm: float = -2.0  # deviations, above which a longer window says nothing else
    largest: float = 0.9  # of what is expected, whatever the deviations: less is not asked about
    doubtful: float = -3.0  # standard deviations: views that tell since when
    unexplained: float = -6.0  # standard deviations, from where on it matters that nothing explains it
    unexplained_for: int = 40  # instants, at least: with more of them, there may be an explanation
    buffer: int = 200  # instants that are kept for a diagnosis
    least: int = 12  # instants since the change, before it is asked
    patience: int = 32  # instants until the next question where nothing was found; doubled each time, unless
    worse: float = 2.0  # it deviates so much more
    recovered: float = 0.85  # of what is expected: a problem is over
    waiting: int = 16  # chunks that are summed up at once
    prior: float = 40.0  # partners as expected, that a stream starts with where it shows more


WATCH = WatchSettings()


class Watch:
    """Compares a stream with what fit() saw; memory does not grow with its length.

    Args:
        model: What was learnt, its profile among it.

    Attributes:
        problems: What was noticed so far.
        findings: The same, as the diagnosis has it.
    """

    def __init__(self, model: FittedModel) -> None:
        assert model.profile is not None  # noqa: S101
        self._model, self._profile = model, model.profile
        self._views = len(model.views)
        self._frames: deque[Frame] = deque(maxlen=WATCH.buffer)
        self._instants: list[int] = []  # of the last slices, with their sums
        self._expected: list[FloatArray] = []
        self._worth: list[FloatArray] = []
        self._before = np.zeros((2, self._views, self._views))  # expected and seen, of all earlier slices that fitted
        self._total = _Totals(self._views)
        self._new = 0
        self._deviation = 0.0  # of the view that fits least, when it was last looked
        self._next = 0  # instant from which on it may be asked again
        self._patience = WATCH.patience
        self._asked = 0.0  # deviation at the last question
        self._wrong: dict[int, Problem] = {}  # views that are known not to fit
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []

    @property
    def seen(self) -> int:
        """Instants so far."""
        return self._total.instants

    def add(self, frames: Sequence[Frame], tally: Tally) -> list[Problem]:
        """Look at the next frames of the stream.

        Args:
            frames: Clipped.
            tally: What they show.

        Returns:
            What is new.
        """
        # Images of so many instants would fill the memory.
        self._frames.extend(frame if frame.images is None else replace(frame, images=None) for frame in frames)
        expected = self._profile.expected_of_pairs(tally)
        self._instants += tally.instants.tolist()
        self._expected += list(expected)
        self._worth += list(tally.worth)
        self._total.add(tally)
        self._new += len(frames)
        return self.look() if self._new >= WATCH.often else []

    def look(self) -> list[Problem]:
        """Whether what was seen last still fits.

        Returns:
            What is new.
        """
        self._new = 0
        if not self._instants:
            return []
        self._recover()
        found: list[Problem] = []
        for window in WATCH.windows:
            found = self._look_at(window)
            if found or self._deviation > WATCH.calm:
                break
        self._forget()
        return found

    def health(self) -> Health:
        """What is known so far."""
        return self._total.health(self._model, self._profile, tuple(self.problems))

    def _look_at(self, window: int) -> list[Problem]:
        first = self._window(window)
        expected, worth = self._sums(first)
        level = self._level
        expected = expected * level
        known = list(self._wrong)
        expected[known], worth[known] = 0.0, 0.0
        expected[:, known], worth[:, known] = 0.0, 0.0
        means, seen = expected.sum(axis=1), worth.sum(axis=1)
        deviation = (seen - means) / self._profile.noise(means)
        worst = int(deviation.argmin())
        self._deviation = float(deviation[worst])
        if self._deviation > WATCH.calm and self.seen >= self._next:
            self._patience, self._asked = WATCH.patience, 0.0
        if deviation[worst] > WATCH.suspicious or seen[worst] > WATCH.largest * means[worst]:
            return []
        if self.seen < self._next and self._deviation > self._asked - WATCH.worse:
            return []
        doubtful = [view for view in np.flatnonzero(deviation < WATCH.doubtful).tolist() if view not in known]
        bad = self._bad_since(first, doubtful, level, known)
        if bad is None:
            return []
        frames = list(self._frames)
        findings = Diagnosis(self._model, self._profile, frames, bad, level, known).explain()
        if deviation[worst] > WATCH.unexplained or len(frames) - bad < WATCH.unexplained_for:
            findings = [finding for finding in findings if finding.explained]
        fresh = problems_of(findings, self._model.views, [frame.index for frame in frames])
        numbers = {view.name: number for number, view in enumerate(self._model.views)}
        fresh = [problem for problem in fresh if numbers[problem.view] not in self._wrong]
        if not fresh:
            self._next, self._patience = self.seen + self._patience, 2 * self._patience
            self._asked = self._deviation
            return []
        self._wrong |= {numbers[problem.view]: problem for problem in fresh}
        self.problems += fresh
        self.findings += findings
        return fresh

    def _bad_since(self, first: int, doubtful: Sequence[int], level: FloatArray, known: Sequence[int]) -> int | None:
        """Position in the buffer since when doubtful views don't fit, for sure; None where that is too short a time."""
        pairs = np.ix_(doubtful, [view for view in range(self._views) if view not in known])
        expected = np.array([(part * level)[pairs].sum() for part in self._expected[first:]])
        worth = np.array([part[pairs].sum() for part in self._worth[first:]])
        middle = (1 + worth.sum() / max(expected.sum(), 1e-9)) / 2
        start = len(expected) - 1 - int(np.cumsum((middle * expected - worth)[::-1]).argmax())
        if start > 0 and sum(self._instants[first + start + 1 :]) >= WATCH.least:
            start += 1  # it may have begun in the middle of a slice
        last = sum(self._instants[first + start :])
        return None if last < WATCH.least else max(len(self._frames) - last, 0)

    @property
    def _level(self) -> FloatArray:
        """`(V, V)` by which this stream showed more than is expected, where it did; another detector may."""
        prior = WATCH.prior * self._profile.unit[:, None]
        return np.asarray(np.maximum((self._before[1] + prior) / (self._before[0] + prior), 1.0))

    def _window(self, instants: int) -> int:
        """Number of the first of the last slices that are so many instants together."""
        first = len(self._instants)
        while first and instants > 0:
            first -= 1
            instants -= self._instants[first]
        return first

    def _sums(self, first: int) -> tuple[FloatArray, FloatArray]:
        zero = np.zeros((self._views, self._views))  # a few arrays are added faster one by one
        return sum(self._expected[first:], start=zero), sum(self._worth[first:], start=zero)

    def _recover(self) -> None:
        """Forget that views don't fit where they do again."""
        if not self._wrong:
            return
        expected, worth = self._sums(self._window(WATCH.windows[-1]))
        wrong = list(self._wrong)
        others = [v for v in range(self._views) if v not in wrong] if len(wrong) < self._views else []
        for view in wrong:
            partners = others or [v for v in wrong if v != view]
            means, seen = expected[view, partners].sum(), worth[view, partners].sum()
            if means > WATCH.least * self._profile.unit[view] and seen >= WATCH.recovered * means:
                del self._wrong[view]

    def _forget(self) -> None:
        """Keep the slices of the longest window; what is older says what this stream usually shows, if it fits."""
        first = self._window(WATCH.windows[-1])
        for expected, worth in zip(self._expected[:first], self._worth[:first], strict=True) if not self._wrong else ():
            self._before[0] += expected
            self._before[1] += worth
        for values in (self._instants, self._expected, self._worth):
            del values[:first]


class _Totals:
    """Sums over the whole stream, for the table."""

    def __init__(self, views: int) -> None:
        self.instants = 0
        self.boxes = np.zeros((views, IMAGE_CELLS))
        self.met, self.worth = np.zeros((2, views, views))
        self._waiting: list[Tally] = []  # is summed up some at a time

    def add(self, tally: Tally) -> None:
        self.instants += int(tally.instants.sum())
        self._waiting.append(tally)
        if len(self._waiting) >= WATCH.waiting:
            self._sum_up()

    def _sum_up(self) -> None:
        if self._waiting:
            together = Tally.joined(self._waiting)
            self._waiting = []
            self.boxes += together.boxes.sum(axis=0)
            self.met += together.met.sum(axis=0)
            self.worth += together.worth.sum(axis=0)

    def health(self, model: FittedModel, profile: Profile, problems: tuple[Problem, ...]) -> Health:
        """The table so far."""
        self._sum_up()
        others = max(len(self.boxes) - 1, 1)
        partners = np.einsum("vc,vcw->vw", self.boxes, profile.rates)
        expected = partners * profile.clearness
        means = (expected + expected.T).sum(axis=1) / 2
        boxes, weight = self.boxes.sum(axis=1), partners.sum(axis=1)
        known = means > WATCH.least * profile.unit
        with np.errstate(invalid="ignore", divide="ignore"):
            clearness = self.worth.sum(axis=1) / self.met.sum(axis=1)
            usual = expected.sum(axis=1) / weight
            columns = np.column_stack(
                [
                    boxes / self.instants,
                    profile.crowd,
                    self.met.sum(axis=1) / boxes / others,
                    weight / boxes / others,
                    clearness,
                    usual,
                    np.where(known, self.worth.sum(axis=1) / means, np.nan),
                ]
            )
        rows = [ViewHealth(view.name, *row) for view, row in zip(model.views, columns.tolist(), strict=True)]
        wrong = {problem.view for problem in problems}
        unknown = tuple(row.view for row, good in zip(rows, known, strict=True) if not good and row.view not in wrong)
        return Health(problems, tuple(rows), self.instants, unknown)
