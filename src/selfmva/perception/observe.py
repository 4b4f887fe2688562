"""One pass over a recording: the boxes of each instant and how they look, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.types import Frame
from selfmva.core.view_checks import check_view_count, check_view_names
from selfmva.errors import InputError
from selfmva.io.video.fingerprints import file_fingerprint, pixel_fingerprint
from selfmva.perception.steps import Detection, Encoding, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from selfmva.detectors.base import Detector
    from selfmva.encoders.appearance.base import AppearanceEncoder
    from selfmva.io.storage.array_cache import ArrayCache
    from selfmva.io.video.synchronized import SynchronizedReader


def observe(
    reader: SynchronizedReader,
    *,
    frames: Iterable[Frame] | None = None,
    detector: Detector | None = None,
    appearance: AppearanceEncoder | None = None,
    cache: ArrayCache | None = None,
    images: bool = False,
    progress: Callable[[int, int], None] | None = None,
    batch: int = 16,
) -> Iterator[Frame]:
    """Go once through a recording, as the frames are asked for.

    Each image is decoded at most once, ahead of time, and not at all where the cache has all that is asked of it. With
    a cache or without, the frames are the same; where other instants were computed together, to the rounding of the
    networks.

    Args:
        reader: What all cameras saw.
        frames: Boxes of those instants of the reader that are to be visited; the `index` of a frame says which.
        detector: Finds the boxes of all instants; see `open_detector`. Give frames or a detector, not both.
        appearance: Adds features of the boxes; see `open_appearance`.
        cache: Where boxes and features are looked up and kept. It stays open.
        images: Whether frames keep their images, which are then decoded in any case. A recording of these fills
            the memory, so let each frame go before the next.
        progress: Called with the number of instants that are done, and of all.
        batch: Images to compute with at once, of several views and instants; at least 1.

    Returns:
        An iterator over frames, in the order of `frames` or of the instants. A detector gives no boxes to a view that
        is absent; boxes given to it have features of NaN.

    Raises:
        InputError: Neither frames nor a detector, or both; a frame with another number of views than the reader or of
            an instant that it does not have; or a batch smaller than 1.
        PluginError: The detector or the encoder does not give one entry per image, or per box.
        DataError: An image cannot be decoded, or the cache is damaged.

    Example:
        >>> from selfmva.io import SynchronizedReader
        >>> class Brightness:
        ...     identity = "brightness"
        ...
        ...     def __call__(self, images, boxes):
        ...         return [np.full((len(b), 1), i.mean(), np.float32) for i, b in zip(images, boxes)]
        >>> film = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((8, 8, 3), np.uint8)
        >>> boxes = [Frame([[[0, 0, 4, 8]], []], index=2)]
        >>> with SynchronizedReader([film, film], rate=10) as reader:
        ...     [frame.features[0] for frame in observe(reader, frames=boxes, appearance=Brightness())]
        [array([[2.]], dtype=float32)]
    """
    if (frames is None) == (detector is None):
        raise InputError(f"observe needs frames or a detector, got {'neither' if frames is None else 'both'}")
    integer(batch, "batch", least=1)
    for name, value in (("detector", detector), ("appearance", appearance), ("progress", progress)):
        if value is not None and not callable(value):
            raise InputError(f"{name} must be called with images, or be None, got {shown(value)}")
    given = None if frames is None else _checked(frames, reader)
    detection = None if detector is None else Detection(detector)
    encoding = None if appearance is None else Encoding(appearance)
    return _Pass(reader, given, detection, encoding, cache, images).run(batch, progress)


def _checked(given: object, reader: SynchronizedReader) -> list[Frame]:
    frames = list(stream(given, "frames", "Frame"))
    for frame in frames:
        if not isinstance(frame, Frame):
            raise InputError(f"frames must be an iterable of Frame, got one of {shown(frame)}")
        check_view_count(frame.index, len(frame), len(reader.sources), "the reader has")
        if frame.view_names is not None:
            check_view_names(frame.index, frame.view_names, [source.name for source in reader.sources])
        if not 0 <= frame.index < len(reader):
            raise InputError(
                f"there are boxes of instant {frame.index}, but the reader has {len(reader)} instants, numbered from "
                "0; does the recording end early, or do the boxes count from another number?"
            )
    return frames


@dataclass(frozen=True)
class _Pass:
    """What a pass is made of."""

    reader: SynchronizedReader
    frames: list[Frame] | None
    detection: Detection | None
    encoding: Encoding | None
    cache: ArrayCache | None
    images: bool

    def __len__(self) -> int:
        return len(self.reader) if self.frames is None else len(self.frames)

    @property
    def steps(self) -> list[Detection | Encoding]:
        """What to compute, one after the other."""
        return [step for step in (self.detection, self.encoding) if step is not None]

    def run(self, batch: int, progress: Callable[[int, int], None] | None) -> Iterator[Frame]:
        done = 0
        for group in _grouped(self.reader.each_view(self.look, range(len(self))), batch):
            self.complete([seen for views in group for seen in views if seen is not None])
            for views in group:
                frame = self.frame(done, views)
                done += 1
                if progress is not None:
                    progress(done, len(self))
                yield frame

    def look(self, view: int, position: int) -> Seen | None:
        """Ask the cache about a view, and read its image where that is not enough; None for a view that is absent.

        This runs ahead, on the threads of the reader.
        """
        frame = None if self.frames is None else self.frames[position]
        index = position if frame is None else frame.index
        number = self.reader.number(view, index)
        if number < 0:
            return None
        boxes = np.zeros((0, 4)) if frame is None else frame.boxes[view]
        seen = Seen(b"", boxes, np.zeros(0), has_boxes=frame is not None)
        image = None
        if self.cache is not None and self.steps:
            known = file_fingerprint(self.reader.sources[view], number)
            if known is None:  # only the pixels tell
                image = self.reader.read(view, index)
                known = pixel_fingerprint(np.asarray(image))
            seen.fingerprint = known
        if self.images or not all(step.known(seen, self.cache) for step in self.steps):
            seen.image = self.reader.read(view, index) if image is None else image
        return seen

    def complete(self, group: list[Seen]) -> None:
        """Compute what is not known, for all views and instants of a group together."""
        for step in self.steps:
            unknown = [seen for seen in group if not step.known(seen, self.cache)]
            for seen, rows in zip(unknown, step.compute(unknown) if unknown else [], strict=True):
                if self.cache is not None:
                    self.cache.put(step.key(seen), rows)
                step.accept(seen, rows)
        if self.cache is not None:
            self.cache.flush()

    def frame(self, position: int, views: Sequence[Seen | None]) -> Frame:
        """The frame of an instant that is complete."""
        if self.frames is None:
            boxes = [None if seen is None else seen.boxes for seen in views]
            frame = Frame(boxes, index=position, scores=[None if seen is None else seen.scores for seen in views])
        else:
            frame = replace(self.frames[position], images=None)
        frame = replace(frame, view_names=tuple(source.name for source in self.reader.sources))
        if self.images:
            frame = replace(frame, images=tuple(None if seen is None else seen.image for seen in views))
        if self.encoding is not None:
            pairs = zip(frame.boxes, views, strict=True)
            missing = self.encoding.absent
            features = tuple(missing(len(b)) if s is None or s.features is None else s.features for b, s in pairs)
            frame = replace(frame, features=features)
        return frame


def _grouped(instants: Iterator[tuple[Seen | None, ...]], batch: int) -> Iterator[list[tuple[Seen | None, ...]]]:
    """Whole instants, until they have as many images; what the cache knows changes no group."""
    group: list[tuple[Seen | None, ...]] = []
    images = 0
    for views in instants:
        group.append(views)
        images += sum(seen is not None for seen in views)
        if images >= batch:
            yield group
            group, images = [], 0
    if group:
        yield group
