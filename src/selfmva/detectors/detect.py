"""From images in step to frames: the boxes of every instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.types import Frame
from selfmva.errors import InputError, PluginError
from selfmva.io.video.synchronized import SynchronizedImages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selfmva.detectors.base import Detector


def detect(instants: Iterable[SynchronizedImages], detector: Detector, *, batch: int = 8) -> Iterator[Frame]:
    """Find the people of every instant, as the frames are asked for.

    Args:
        instants: A `SynchronizedReader`, or any other iterable of what all cameras saw at an instant; may be endless.
        detector: See `open_detector`.
        batch: Images to detect in at once, of several views and instants: at least 1. Whole instants are read until
            there are as many, which bounds the images in memory.

    Returns:
        An iterator over one frame per instant, in their order, with `boxes`, `scores` and `images`; its `index` is
        that of the instant. A view that is absent has no boxes.

    Raises:
        InputError: A batch smaller than 1, no detector, or nothing to go through.
        PluginError: The detector does not give one entry per image.

    Example:
        >>> import numpy as np
        >>> from selfmva.detectors import Detections
        >>> from selfmva.io import SynchronizedReader
        >>> class LeftHalf:
        ...     identity = "left half"
        ...
        ...     def __call__(self, images):
        ...         return [Detections(np.array([[0.0, 0, i.shape[1] / 2, i.shape[0]]]), np.ones(1)) for i in images]
        >>> with SynchronizedReader([np.zeros((2, 4, 6, 3), np.uint8)] * 2, rate=10) as reader:
        ...     list(detect(reader, LeftHalf()))
        [Frame(index=0, boxes per view: 1, 1), Frame(index=1, boxes per view: 1, 1)]
    """
    integer(batch, "batch", least=1)
    if not callable(detector):
        raise InputError(f"detector must be a Detector, see open_detector(), got {shown(detector)}")
    return _frames(stream(instants, "instants", "SynchronizedImages"), detector, batch)


def _frames(instants: Iterable[SynchronizedImages], detector: Detector, batch: int) -> Iterator[Frame]:
    waiting: list[SynchronizedImages] = []
    images = 0
    for instant in instants:
        if not isinstance(instant, SynchronizedImages):
            raise InputError(f"instants must be SynchronizedImages, as of a reader, got {shown(instant)}")
        waiting.append(instant)
        images += sum(image is not None for image in instant.images)
        if images >= batch:
            yield from _detected(waiting, detector)
            waiting, images = [], 0
    yield from _detected(waiting, detector)


def _detected(instants: list[SynchronizedImages], detector: Detector) -> list[Frame]:
    images = [image for instant in instants for image in instant.images if image is not None]
    found = detector(images) if images else []
    if len(found) != len(images):
        raise PluginError(
            f"{type(detector).__name__} must give one entry of Detections per image, got {len(found)} for "
            f"{len(images)} images"
        )
    people = iter(found)
    frames = []
    for instant in instants:
        views = [(None, None) if image is None else next(people) for image in instant.images]
        boxes, scores = [boxes for boxes, _ in views], [scores for _, scores in views]
        names = instant.view_names
        frames.append(Frame(boxes, index=instant.index, scores=scores, images=instant.images, view_names=names))
    return frames
