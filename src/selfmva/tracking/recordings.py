"""Who is who over a whole recording: how people move is learnt first, and past and future decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from selfmva.tracking.clock import Clock
from selfmva.tracking.consensus import reconcile
from selfmva.tracking.learning import learn_acceleration, learn_motion, learn_returns
from selfmva.tracking.people import People
from selfmva.tracking.step import step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.tracking.instants import Instant
    from selfmva.tracking.motion import MotionModel

LESSON = 2000  # instants, along which it is learnt how people come and go
LESSONS = 2  # of that


@dataclass(frozen=True, eq=False)
class Pass:
    """A recording followed once.

    Attributes:
        ids: For each instant `(M,)` id of every box.
        log_odds: For each instant `(M,)`, see `selfmva.tracking.step.Step`.
        gaps: `(K,)` instants between sightings of people.
        born: Number of people who were new after the first instant.
    """

    ids: list[IntArray]
    log_odds: list[FloatArray]
    gaps: IntArray
    born: int


def track_recording(
    instants: Sequence[Instant], threshold: float = 0.0, told: Callable[[int, int], None] = lambda *_: None
) -> tuple[Pass, MotionModel]:
    """Follow everybody through a recording.

    Args:
        instants: Their indices increasing.
        threshold: See `selfmva.tracking.step.step`.
        told: Called with the number of instants done, and of all.

    Returns:
        Who is who, and how people move.
    """
    lesson = instants[:LESSON]
    model, total = learn_motion(instants), LESSONS * len(lesson) + len(instants)
    for number in range(LESSONS):
        found = follow_through(lesson, model, threshold, partial(_told_of, told, number * len(lesson), total))
        model = replace(model, returns=learn_returns(found.gaps, found.born))
        if number == 0:
            model = learn_acceleration(lesson, found.ids, model)
    last = follow_through(instants, model, threshold, partial(_told_of, told, LESSONS * len(lesson), total))
    return replace(last, ids=reconcile(instants, last.ids)), model


def follow_through(
    instants: Sequence[Instant],
    model: MotionModel,
    threshold: float = 0.0,
    told: Callable[[int], None] = lambda _: None,
) -> Pass:
    """Follow everybody once, from the first instant to the last."""
    views = len(instants[0].count) if instants else 0
    people, following, born, clock = People.new(np.zeros(0, np.int64), 0, views), 0, -1, Clock()
    ids, log_odds, gaps = [], [], [np.zeros(0, np.int64)]
    for number, instant in enumerate(instants):
        done = step(people, instant, clock.tick(people, instant, model), following, model, threshold)
        people, following = done.people, following + done.born
        if len(done.ids):
            born = 0 if born < 0 else born + done.born
        ids.append(done.ids)
        log_odds.append(done.log_odds)
        gaps.append(done.gaps)
        told(number + 1)
    return Pass(ids, log_odds, np.concatenate(gaps), max(born, 0))


def _told_of(told: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    told(before + done, total)
