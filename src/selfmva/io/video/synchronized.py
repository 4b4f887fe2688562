"""The images of several cameras in step: one entry per instant of a common clock."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.scalars import integer, real
from selfmva.core.threads import calling_ahead
from selfmva.core.types import View
from selfmva.core.values import real_array
from selfmva.errors import InputError, MissingInstantError
from selfmva.io.video.common_clock import common_instants, nearest_images
from selfmva.io.video.source_argument import in_order_of, open_source
from selfmva.io.video.sources import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray
    from selfmva.io.video.source_argument import SourceLike
    from selfmva.io.video.sources import ImageSource

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False, slots=True)
class SynchronizedImages:
    """What all cameras saw at one instant.

    Args:
        index: Number of the instant.
        time: Seconds on the common clock.
        images: One `(H, W, 3)` uint8 RGB a view; None where the camera gave no image.
        view_names: What the cameras are called, where that is known.
    """

    index: int
    time: float
    images: tuple[Image | None, ...]
    view_names: tuple[str, ...] | None = None


class SynchronizedReader(Closing):
    """Read several cameras in step.

    The common clock ticks evenly, with the camera of the lowest rate, from the first image of any camera to the last
    of any. Each view gives the image nearest in time to the instant: an image that a camera dropped is an absent view
    (None), and nothing shifts. Each image is used once at most. Iterating reads ahead, with one thread a camera;
    an error comes in its turn, and the threads end with the iterator. Also a sequence: `len(reader)`, `reader[index]`.

    Args:
        sources: One entry per camera: a video file; a folder, pattern or list of images; a `(T, H, W, 3)` uint8
            array; or an ImageSource.
        start_offsets_seconds: One per camera: when its time 0 is on the common clock; 0 by default. The clap of
            hands seen at 2.5 s in one camera and at 4 s in the other is put in step by `(1.5, 0)`.
        max_skew_seconds: How far from the instant an image may be; by default half the interval between instants.
        rate: Instants a second; also the rate of entries that have none of their own (images in files, arrays).
        read_ahead: Instants to read ahead, which bounds the images in memory; at least 1.
        views: Those of a model, such as `associator.views_`: sources that are called like these come in their order,
            see `selfmva.io.video.source_argument.in_order_of`. Offsets stay with their sources.

    Raises:
        InputError: No source, a rate that is missing, another argument that is wrong, more than a million instants of
            which most have no image, or sources of which only some are called like views.
        DataError: A file is missing or cannot be read. Images that cannot be decoded raise when their turn comes.

    Example:
        >>> door = np.zeros((4, 2, 3, 3), np.uint8)
        >>> hall = np.ones((2, 2, 3, 3), np.uint8)
        >>> with SynchronizedReader([door, hall], rate=10, start_offsets_seconds=(0, 0.1)) as reader:
        ...     for instant in reader:
        ...         print(f"{instant.time:.1f}", [image is not None for image in instant.images])
        0.0 [True, False]
        0.1 [True, True]
        0.2 [True, True]
        0.3 [True, False]
    """

    def __init__(
        self,
        sources: Sequence[SourceLike],
        *,
        start_offsets_seconds: Sequence[float] | None = None,
        max_skew_seconds: float | None = None,
        rate: float | None = None,
        read_ahead: int = 8,
        views: Sequence[View] | None = None,
    ) -> None:
        given: object = sources
        if isinstance(given, str | bytes) or not isinstance(given, Sequence | np.ndarray) or not len(given):
            raise InputError(f"sources must be a sequence with one entry per camera, got {shown(given)}")
        self.read_ahead: int = integer(read_ahead, "read_ahead", least=1)
        rate = None if rate is None else real(rate, "rate", above=0)
        skew = None if max_skew_seconds is None else real(max_skew_seconds, "max_skew_seconds", above=0)
        offsets = _checked_offsets(start_offsets_seconds, len(sources))
        if views is not None:
            pairs = in_order_of(list(sources), views)
            offsets = [offsets[next(k for k, entry in enumerate(sources) if entry is chosen)] for chosen in pairs]
            sources = pairs
        with ExitStack() as stack:  # a source that fails closes those before it
            opened: list[ImageSource] = []
            for number, entry in enumerate(sources):
                source = open_source(entry, rate=rate, name=f"view{number}")
                if source is not entry:  # what the user opened stays open
                    stack.callback(source.close)
                opened.append(source)
            self._owned = stack.pop_all()
        self.sources: tuple[ImageSource, ...] = tuple(opened)
        slowest = int(np.argmin([source.rate for source in opened]))
        self.rate: float = rate or opened[slowest].rate
        times = [source.times + offset for source, offset in zip(opened, offsets, strict=True)]
        interval = 1 / self.rate
        try:
            self.times: FloatArray = common_instants(times, self.rate, slowest)
        except InputError:
            self.close()
            raise
        self._numbers = [nearest_images(t, self.times, skew or interval / 2, interval) for t in times]
        self._names = tuple(source.name for source in opened)
        self._locks = [Lock() for _ in opened]

    @property
    def views(self) -> tuple[View, ...]:
        """Name and size of each camera."""
        return tuple(View(source.name, source.width, source.height) for source in self.sources)

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        names = ", ".join(source.name for source in self.sources)
        return f"SynchronizedReader({len(self)} instants at {self.rate:g} a second of {names})"

    def __getitem__(self, index: int) -> SynchronizedImages:
        index = integer(index, "an instant")
        if not -len(self) <= index < len(self):
            raise MissingInstantError(f"there are {len(self)} instants, got {index}")
        index = range(len(self))[index]
        return self._instant(index, tuple(self.read(view, index) for view in range(len(self.sources))))

    def __iter__(self) -> Iterator[SynchronizedImages]:
        for index, images in enumerate(self.each_view(self.read, range(len(self)))):
            yield self._instant(index, images)

    def number(self, view: int, index: int) -> int:
        """Which image of its source a view gives at an instant; -1 where it gives none.

        Args:
            view: Number of the view.
            index: Number of the instant, from 0.

        Raises:
            InputError: There is no such view or instant.
        """
        _require_number(view, len(self.sources), "view")
        _require_number(index, len(self), "instant")
        return int(self._numbers[view][index])

    def read(self, view: int, index: int) -> Image | None:
        """The image of one view at an instant, `(H, W, 3)` uint8 RGB; None where it gives none.

        Raises:
            InputError: There is no such view or instant.
            DataError: The image cannot be decoded.
        """
        number = self.number(view, index)
        if number < 0:
            return None
        with self._locks[view]:  # one iterator may run while instants are asked for by number
            return self.sources[view].read(number)

    def each_view(self, function: Callable[[int, int], Result], indices: Sequence[int]) -> Iterator[tuple[Result, ...]]:
        """Call a function for every view at some instants, ahead of time, on one thread a view.

        Args:
            function: Called with the number of a view and that of an instant; at most `read_ahead` instants ahead.
            indices: Numbers of the instants, in their order.

        Yields:
            For each instant, what the function gave, one entry a view. An error comes in its turn.

        Example:
            >>> reader = SynchronizedReader([np.zeros((4, 2, 3, 3), np.uint8)] * 2, rate=10)
            >>> list(reader.each_view(lambda view, index: 10 * view + index, [1, 3]))
            [(1, 11), (3, 13)]
        """
        with ExitStack() as stack:
            ahead = [
                stack.enter_context(calling_ahead(partial(function, view), indices, depth=self.read_ahead))
                for view in range(len(self.sources))
            ]
            yield from zip(*ahead, strict=True)

    def close(self) -> None:
        """Close the sources that were opened here."""
        self._owned.close()

    def _instant(self, index: int, images: tuple[Image | None, ...]) -> SynchronizedImages:
        return SynchronizedImages(index, float(self.times[index]), images, self._names)


def _require_number(value: object, count: int, what: str) -> None:
    try:
        integer(value, f"a {what}", least=0, most=count - 1)
    except InputError:
        raise MissingInstantError(f"there are {count} {what}s, numbered from 0, got {shown(value)}") from None


def _checked_offsets(offsets: Sequence[float] | None, count: int) -> list[float]:
    if offsets is None:
        return [0.0] * count
    values = real_array(offsets, "start_offsets_seconds")
    if values.shape != (count,) or not np.isfinite(values).all():
        raise InputError(f"start_offsets_seconds must be {count} finite seconds, one per camera, got {shown(offsets)}")
    return [float(value) for value in values]
