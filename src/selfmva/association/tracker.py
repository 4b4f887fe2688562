"""Who is who over time, live: ids that last."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.association import Association
from selfmva.association.associator import Associator
from selfmva.association.instants import as_instant, with_lasting_ids
from selfmva.core.bad_box_frames import BadBoxWatch
from selfmva.core.messages import shown
from selfmva.core.types import Frame
from selfmva.errors import InputError
from selfmva.matching.posterior.posterior import bounded_log_odds
from selfmva.tracking.clock import Clock
from selfmva.tracking.learning import learn_acceleration, learn_motion, learn_returns
from selfmva.tracking.motion import MotionModel
from selfmva.tracking.people import People
from selfmva.tracking.step import step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selfmva.core.types import IntArray
    from selfmva.io.boxes.argument import FrameLike
    from selfmva.tracking.instants import Instant

FIRST_LESSON = 16  # instants, after which motion is learnt for the first time; then whenever they have doubled
LAST_LESSON = 2**14  # instants: nothing new is learnt after that many
REMEMBERED = 256  # instants that are learnt from: bounds the memory


def with_ids_that_last(associator: Associator, associations: Iterable[Association]) -> Iterator[Association]:
    """Follow people through a stream of associations, where there are probabilities to follow them by.

    An instant that is not later than the one before begins another recording, in which everybody is somebody new.

    Args:
        associator: Of these associations.
        associations: Of successive instants.

    Yields:
        Each with the ids of a `Tracker`; as it is where the associator knows similarities alone (a converted checkpoint
        before `adapt`): ids then hold for one instant.
    """
    if associator.tables_ is None:
        yield from associations
    else:
        tracker, last, ids_before = Tracker(associator), -1, 0
        for association in associations:
            if association.index <= last:
                ids_before += tracker.people_so_far
                tracker = Tracker(associator)
            last = association.index
            found = tracker.follow(association)
            yield replace(found, ids=tuple(np.where(ids < 0, ids, ids + ids_before) for ids in found.ids))


class Tracker:
    """Follows people through a live stream: an id belongs to a person over all views and all times.

    How people move is learnt from the stream itself, first after some instants, then whenever their number has doubled.
    What is known is bounded: whoever is gone for longer than anybody comes back from is forgotten, and is somebody new
    when they do. For a recording that is there as a whole, `Associator.track` knows the future, too.

    Args:
        associator: A fitted one. It is not changed.

    Raises:
        InputError: It is something else.
        NotFittedError: It is not fitted.

    Example:
        >>> from selfmva.datasets.simulated import Simulated
        >>> scene = Simulated(views=3, people=4, instants=200, seed=0)
        >>> tracker = Tracker(Associator(recipe="geometry").fit(scene))
        >>> found = [tracker.update(scene.frame(t)) for t in range(100, 110)]
        >>> found[-1].ids[0].dtype
        dtype('int64')
    """

    def __init__(self, associator: Associator) -> None:
        if not isinstance(associator, Associator):
            raise InputError(f"Tracker needs a fitted Associator, got {shown(associator)}")
        views = len(associator.views_)
        self._associator = associator
        self._threshold = float(bounded_log_odds(np.array(associator.model_.config.association.threshold)))
        self._bad_boxes = BadBoxWatch(associator.views_)
        self._clock = Clock()
        self._model = MotionModel()
        self._people = People.new(np.zeros(0, np.int64), 0, views)
        self._following = 0
        self._index: int | None = None
        self._count = 0
        self._seen: deque[tuple[Instant, IntArray, IntArray, int]] = deque(maxlen=REMEMBERED)

    def update(self, frame: FrameLike) -> Association:
        """Say who is who at the next instant.

        Args:
            frame: As for `Associator.associate`; a `Frame` later than all before. Boxes without an index are of the
                instant after the last one.

        Returns:
            An association whose ids last; they need not count from 0. -1 for boxes that are nobody's: bad ones, and
            doubles.

        Raises:
            InputError: The frame is not later than the last one, or is none of these cameras; nothing is forgotten
                then.
        """
        following = 0 if self._index is None else self._index + 1
        if isinstance(frame, Frame):
            self._check_time(frame.index)
        return self.follow(self._associator.associate_numbered(frame, following, self._bad_boxes))

    def follow(self, association: Association) -> Association:
        """Say who is who at the next instant, of which it is known already which boxes are one person.

        With `associate_many`, which watches whether the cameras still fit: `map(tracker.follow,
        associator.associate_many(frames))`.

        Args:
            association: Of this associator, later than all before.

        Returns:
            The association with ids that last; see `update`.

        Raises:
            InputError: It is not later than the last one, or is none of these cameras; nothing is forgotten then.
            NotFittedError: It has similarities instead of probabilities: of a converted checkpoint before `adapt`.
        """
        if not isinstance(association, Association):
            raise InputError(f"follow() needs an Association, got {shown(association)}; update() takes frames")
        if association.views != self._associator.views_:
            raise InputError(f"instant {association.index} is of other cameras than this tracker")
        self._check_time(association.index)
        instant = as_instant(association)
        now = self._clock.tick(self._people, instant, self._model)
        found = step(self._people, instant, now, self._following, self._model, self._threshold)
        self._people, self._index = found.people, instant.index
        self._following += found.born
        if len(found.ids):
            self._seen.append((instant, found.ids, found.gaps, found.born))
            self._count += 1
            if FIRST_LESSON <= self._count <= LAST_LESSON and self._count & (self._count - 1) == 0:
                self._learn()
        return with_lasting_ids(association, found.ids)

    @property
    def people_so_far(self) -> int:
        """How many people there were until now; ids count from 0."""
        return self._following

    def _check_time(self, index: int) -> None:
        if self._index is not None and index <= self._index:
            what = "again" if index == self._index else "earlier"
            raise InputError(
                f"a tracker follows time: got instant {index} after instant {self._index}, which is {what}; give "
                "frames in their order, each once, or a new Tracker for another recording"
            )

    def _learn(self) -> None:
        """How people move, from the last instants."""
        instants, ids, gaps, born = zip(*self._seen, strict=True)
        model = learn_motion(instants, self._model)
        # Those of the first instant are new to the tracker alone.
        returns = learn_returns(np.concatenate(gaps[1:]), sum(born[1:]))
        self._model = learn_acceleration(instants, ids, replace(model, returns=returns))

    def __repr__(self) -> str:
        when = (
            "nothing seen yet" if self._index is None else f"at instant {self._index}, {len(self._people)} people known"
        )
        return f"Tracker({len(self._associator.views_)} views, {when})"
