"""From images in step to frames: order, absent views, batches, and how much is read."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest

from selfmva.detectors import Detections, detect
from selfmva.errors import InputError, PluginError
from selfmva.io import SynchronizedImages, SynchronizedReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Pixel:
    """Finds one box, as wide as the first pixel is bright; nothing in a black image."""

    identity = "pixel"

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, images: Sequence[np.ndarray]) -> list[Detections]:
        self.calls.append(len(images))
        values = [int(image[0, 0, 0]) for image in images]
        return [
            Detections(np.array([[0.0, 0, v, 1]]), np.array([v / 255]))
            if v
            else Detections(np.empty((0, 4)), np.empty(0))
            for v in values
        ]


def endless(taken: list[int]) -> Iterator[SynchronizedImages]:
    for index in count(5):
        taken.append(index)
        images = [np.full((2, 300, 3), 10 * view + index % 10, np.uint8) for view in range(3)]
        yield SynchronizedImages(index, index / 10, (images[0], None if index % 2 else images[1], images[2]))


@pytest.mark.parametrize("batch", [1, 2, 4, 100])
def test_every_batch_gives_the_same_frames(batch: int) -> None:
    detector, instants = Pixel(), endless([])
    frames = list(detect([next(instants) for _ in range(12)], detector, batch=batch))
    assert [frame.index for frame in frames] == list(range(5, 17))
    for frame in frames:
        widths = [boxes[:, 2].tolist() for boxes in frame.boxes]
        value = frame.index % 10
        expected = [[value] if value else [], [] if frame.index % 2 else [10 + value], [20 + value]]
        assert widths == expected
        assert [(255 * scores).round().tolist() for scores in frame.scores] == expected
        assert [image is None for image in frame.images] == [False, bool(frame.index % 2), False]
    assert sum(detector.calls) == 30
    assert max(detector.calls) <= batch + 2


def test_frames_come_as_they_are_asked_for() -> None:
    taken: list[int] = []
    frames = detect(endless(taken), Pixel(), batch=6)
    assert taken == []
    next(frames)
    assert len(taken) <= 3
    for _ in range(20):
        next(frames)
    assert len(taken) <= 24


def test_reader_with_a_camera_that_starts_later() -> None:
    door, hall = np.full((3, 4, 6, 3), 5, np.uint8), np.full((2, 8, 9, 3), 7, np.uint8)
    with SynchronizedReader([door, hall], rate=10, start_offsets_seconds=(0, 0.1)) as reader:
        frames = list(detect(reader, Pixel()))
    assert [frame.counts for frame in frames] == [(1, 0), (1, 1), (1, 1)]
    assert frames[2].images[1].shape == (8, 9, 3)


def test_nothing_to_detect() -> None:
    detector = Pixel()
    assert list(detect([], detector)) == []
    assert [frame.counts for frame in detect([SynchronizedImages(3, 0.3, (None, None))], detector)] == [(0, 0)]
    assert detector.calls == []


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match="batch must be a whole number of at least 1, got 0"):
        detect([], Pixel(), batch=0)

    class Short(Pixel):
        def __call__(self, images: Sequence[np.ndarray]) -> list[Detections]:
            return []

    with pytest.raises(PluginError, match="Short must give one entry of Detections per image, got 0 for 2 images"):
        next(detect(endless([]), Short(), batch=1))
