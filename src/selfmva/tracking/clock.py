"""The time that passes between two instants of a stream: their numbers say it, unless the clock has jumped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.tracking.people import log_odds

if TYPE_CHECKING:
    from selfmva.tracking.instants import Instant
    from selfmva.tracking.motion import MotionModel
    from selfmva.tracking.people import People


class Clock:
    """Time as the people tell it.

    Where numbers of instants leap, either frames were lost, and people walked on, or the numbers jumped, and people are
    where they were to be expected one step later. What the boxes say decides.
    """

    def __init__(self) -> None:
        self._time = 0
        self._index: int | None = None
        self._usual = 0  # smallest difference of two numbers

    def tick(self, people: People, instant: Instant, model: MotionModel) -> int:
        """The time of the next instant.

        Args:
            people: Everybody known before it.
            instant: What is seen.
            model: How people move.
        """
        if self._index is not None:
            passed = instant.index - self._index
            self._usual = min(self._usual or passed, passed)
            times = [self._time + self._usual, self._time + passed]
            if passed > self._usual and len(people) and len(instant.boxes):
                told = [np.maximum(log_odds(people, instant, t, model).max(axis=1), 0.0).sum() for t in times]
                self._time = times[int(told[1] >= told[0])]
            else:
                self._time = times[1]
        self._index = instant.index
        return self._time
