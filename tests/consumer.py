"""A program that uses selfmva as the README does: `nox -s typing` checks its types against the installed package.

It is not run. `assert_type` fails where a public name lost its type, or where a lazily imported one is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_type

import numpy as np

import selfmva
from selfmva import (
    Association,
    Associator,
    Frame,
    NotFittedError,
    SelfMVAError,
    View,
    check_adapter,
    evaluate,
    list_datasets,
    load_dataset,
)
from selfmva.datasets import MultiViewDataset, PluginEntry
from selfmva.datasets.simulated import Simulated
from selfmva.detectors import Detector, list_detectors, open_detector
from selfmva.encoders import AppearanceEncoder
from selfmva.hub import convert_upstream
from selfmva.io import VideoFile, frame_to_supervision, read_boxes, write_boxes
from selfmva.matching import Assignment, group, solve
from selfmva.metrics import AssociationScores
from selfmva.viz import draw_association, write_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

Image = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


class TwoCameras:
    """An adapter of a data set; that it keeps the protocol is checked, too."""

    def __init__(self, views: Sequence[View], frames: Sequence[Frame]) -> None:
        self.views: Sequence[View] = views
        self.splits: Mapping[str, Sequence[int]] = {"train": range(len(frames))}
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> Frame:
        return self._frames[index]


class MeanColour:
    """An encoder of appearance."""

    identity = "mean colour"

    def __call__(self, images: Sequence[Image], boxes: Sequence[ArrayLike]) -> list[NDArray[np.float32]]:
        colours = [image.mean(axis=(0, 1), dtype=np.float32) for image in images]
        return [np.tile(colour, (len(np.asarray(each)), 1)) for colour, each in zip(colours, boxes, strict=True)]


def learn(scene: Simulated) -> Associator:
    views = [View(name, 1280, 720) for name in ("door", "window", "hall")]
    boxes = [scene.frame(t).boxes for t in range(400)]
    associator = Associator(seed=0, geometry={"floor": False}).fit(views, boxes)
    assert_type(associator, Associator)
    assert_type(associator.fit_report_.summary(), str)
    return associator.fit(scene).adapt(boxes)


def use(associator: Associator, frames: Sequence[Frame]) -> None:
    association = associator.associate(frames[0].boxes)
    assert_type(association, Association)
    assert_type(association.ids, tuple[NDArray[np.int64], ...])
    assert_type(association.matches(0, 1), NDArray[np.int64])
    assert_type(association.probability(0, 1), NDArray[np.float64])
    assert_type(association.groups(), list[dict[int, int]])
    for each in associator.associate_many(frames, threads=2):
        assert_type(each, Association)
    assert_type(associator.embed(0, [[1, 2, 3, 4]]), NDArray[np.float32])
    associator.save_pretrained("my-rig", card={"license": "MIT"})
    draw_association(frames[0], association.ids, associator.views_)
    write_report("day.html", associator, frames)


def load(folder: Path) -> list[Associator]:
    try:
        found = Associator.from_pretrained(folder)
    except SelfMVAError as error:
        assert_type(str(error), str)
        raise NotFittedError("there is no model") from error
    return [
        assert_type(found, Associator),
        Associator.from_pretrained("wildtrack", device="cpu", local_files_only=True),
        assert_type(convert_upstream(folder / "published.pth.tar", found.views_), Associator),
    ]


def measure(associator: Associator, frames: Sequence[Frame]) -> AssociationScores:
    adapter: MultiViewDataset = TwoCameras(associator.views_, frames)
    check_adapter(adapter)
    assert_type(list_datasets(), list[PluginEntry])
    scores = evaluate(associator, load_dataset("mvor", "data/mvor"), split="test", protocol="calibrated")
    assert_type(scores.average_precision, float)
    return scores


def by_themselves(costs: NDArray[np.float64], detector: Detector) -> None:
    encoder: AppearanceEncoder = MeanColour()
    assert_type(encoder.identity, str)
    assert_type(detector.identity, str)
    assert_type(list_detectors(), list[PluginEntry])
    assert_type(open_detector("onnx:yolox.onnx", least_score=0.5), Detector)
    assert_type(solve(costs), Assignment[NDArray[Any]])
    assert_type(solve(costs).matches(0), NDArray[np.int64])
    assert_type(group(costs, np.zeros(3, dtype=np.int64)), NDArray[np.int64])
    with VideoFile("door.mp4") as video:
        assert_type(video.times, NDArray[np.float64])
        assert_type((video.name, video.width, video.rate), tuple[str, int, float])
    frames = read_boxes("boxes.csv", [View("door", 1280, 720), View("hall", 1280, 720)])
    write_boxes("boxes.json", frames, [View("door", 1280, 720), View("hall", 1280, 720)])
    frame_to_supervision(frames[0])
    assert_type(selfmva.__version__, str)
