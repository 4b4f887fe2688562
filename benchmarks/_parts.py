"""The parts of the recordings that calibration is measured on: for fit, for the labelled ceiling, for the test."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from _machine import DATA
from scipy.optimize import linear_sum_assignment

from selfmva import load_dataset
from selfmva.core.types import Frame, View
from selfmva.datasets.simulation import detector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.datasets.base import LabelledDataset

    Labelled = tuple[Frame, tuple[IntArray, ...]]

EPFL = {"10": "Basketball", "11": "Campus", "12": "Laboratory", "13": "Passageway"}
STRIDE = 10  # EPFL: 25 instants a second, 2.5 are kept
SAME_PERSON = 0.5  # IoU of a detection and an annotation


@dataclass(frozen=True)
class Part:
    """One line of a benchmark.

    Attributes:
        name: Of the recording.
        views: The cameras.
        train: What `fit` reads; no identity in it. `Frame.index` counts kept instants, with a gap where nobody is seen.
        labelled: Boxes with identities that the labelled ceiling reads, of the same kind as those of `test`.
        test: Boxes and who they are, -1 = not known.
        adapt: What `adapt` reads; empty where it has nothing to do.
    """

    name: str
    views: tuple[View, ...]
    train: list[Frame]
    labelled: list[Labelled]
    test: list[Labelled]
    adapt: list[Frame] = field(default_factory=list)


def epfl(scene: str) -> Part:
    """The first 70 % of the instants to train on, the last 20 % to test; annotated boxes throughout."""
    dataset = load_dataset("mvmhat", root=DATA / "epfl", scene=scene, stride=STRIDE)
    first = dataset.frame(0).index

    def counted(split: str) -> list[Labelled]:
        return [(Frame(f.boxes, (f.index - first) // STRIDE), ids) for f, ids in _of(dataset, dataset.splits[split])]

    train = counted("train")
    return Part(f"EPFL {EPFL[scene]} ({scene})", dataset.views, _frames(train), train, counted("test"))


def wildtrack_detected(unlabelled: Literal["drop", "keep"] = "drop") -> Part:
    """Detections 0 to 199 to train on, 200 to 287 to test, labelled by IoU with the annotations.

    `unlabelled` are detections without an annotation, mostly people outside the annotated square: drop them from the
    test, or keep them with identity -1.
    """
    dataset = load_dataset("wildtrack", root=DATA / "wildtrack")
    annotated = {f.index: (f, ids) for f, ids in _of(dataset, dataset.splits["annotated_train"])}
    detected = _frames(_of(dataset, dataset.splits["train"]))
    known = [label_by_iou(frame, *annotated[frame.index], dataset.views) for frame in detected]
    test = [known_only(*pair) if unlabelled == "drop" else pair for pair in known[200:288]]
    name = f"WILDTRACK, detector boxes 200 to 287, unlabelled ones {'dropped' if unlabelled == 'drop' else 'kept'}"
    return Part(name, dataset.views, detected[:200], known[:200], test)


def wildtrack_annotated() -> Part:
    """The same training part; annotated boxes 288 to 359 to test, those of 260 to 287 for `adapt`."""
    dataset = load_dataset("wildtrack", root=DATA / "wildtrack")
    annotated = _of(dataset, dataset.splits["annotated_train"])
    detected = _frames(_of(dataset, dataset.splits["train"]))
    test = _of(dataset, dataset.splits["validation"])
    name = "WILDTRACK, annotated boxes 288 to 359"
    return Part(name, dataset.views, detected[:200], annotated[:200], test, _frames(annotated[260:288]))


def mvor() -> Part:
    """The detections to train on, the annotated instants that they do not cover to test."""
    dataset = load_dataset("mvor", root=DATA / "mvor")
    splits, unseen = dataset.splits, set(dataset.splits["unseen"])
    covered = [k for name in ("annotated_train", "validation", "test") for k in splits[name] if k not in unseen]
    train, test = _of(dataset, splits["train"]), _of(dataset, splits["unseen"])
    return Part("MVOR, unseen instants", dataset.views, _frames(train), _of(dataset, covered), test)


def corrupted(part: Part, seed: int = 0) -> Part:
    """20 % of the boxes missing, 10 % false (identity -1), 5 % jitter, feet cut in 10 %; training and test alike."""
    rng = np.random.default_rng(seed)
    train = [_corrupt(*pair, part.views, rng) for pair in part.labelled]
    test = [_corrupt(*pair, part.views, rng) for pair in part.test]
    return replace(part, name=f"{part.name}, corrupted", train=_frames(train), labelled=train, test=test)


def shifted(part: Part, view: int, instants: int = 7) -> Part:
    """At instant t, one view shows what it saw at t + `instants`; training and test alike, the ends are cut."""
    offsets = np.zeros(len(part.views), np.int64)
    offsets[view] = instants
    train, test = shift(part.labelled, offsets), shift(part.test, offsets)
    name = f"{part.name}, view {view} shifted by {instants}"
    return replace(part, name=name, train=_frames(train), labelled=train, test=test)


def shift(labelled: Sequence[Labelled], offsets: Sequence[int] | IntArray) -> list[Labelled]:
    """Show in view v at instant t what it saw at t + `offsets[v]`; `shift(shift(x, o), -o)` is x without its ends."""
    seen = {frame.index: (frame.boxes, identities) for frame, identities in labelled}
    steps = np.asarray(offsets, np.int64).tolist()
    result = []
    for t in range(min(seen) - min(steps), max(seen) - max(steps) + 1):
        # An instant without a frame is one at which no view sees anybody.
        cells = [(v, seen.get(t + step)) for v, step in enumerate(steps)]
        boxes = [cell[0][v] if cell else np.zeros((0, 4)) for v, cell in cells]
        if any(map(len, boxes)):
            identities = tuple(cell[1][v] if cell else np.zeros(0, np.int64) for v, cell in cells)
            result.append((Frame(boxes, t), identities))
    return result


def label_by_iou(frame: Frame, annotated: Frame, identities: Sequence[IntArray], views: Sequence[View]) -> Labelled:
    """Give each box the identity of the annotation it is assigned to, one to one, where their IoU is 0.5 or more."""
    labels = tuple(np.full(count, -1, np.int64) for count in frame.counts)
    for label, boxes, truth, known, view in zip(labels, frame.boxes, annotated.boxes, identities, views, strict=True):
        overlap = _iou(_inside(boxes, view), _inside(truth, view))
        overlap[overlap < SAME_PERSON] = 0.0
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        good = overlap[rows, columns] > 0
        label[rows[good]] = known[columns[good]]
    return frame, labels


def _corrupt(frame: Frame, identities: Sequence[IntArray], views: Sequence[View], rng: np.random.Generator) -> Labelled:
    boxes, labels = [], []
    for found, known, view in zip(frame.boxes, identities, views, strict=True):
        size = (view.width, view.height)
        seen = rng.random(len(found)) >= 0.2
        kept = detector.jitter_boxes(detector.cut_feet(found[seen], 0.1, rng), 0.05, size, rng)
        false = detector.false_boxes(rng.binomial(len(found), 0.1), size, rng)
        order = rng.permutation(len(kept) + len(false))
        boxes.append(np.concatenate([kept, false])[order])
        labels.append(np.concatenate([known[seen], np.full(len(false), -1)])[order])
    return Frame(boxes, frame.index), tuple(labels)


def _of(dataset: LabelledDataset, indices: Iterable[int]) -> list[Labelled]:
    return [(dataset.frame(k), dataset.identities(k)) for k in indices]


def _frames(labelled: Iterable[Labelled]) -> list[Frame]:
    return [frame for frame, _ in labelled]


def known_only(frame: Frame, identities: Sequence[IntArray]) -> Labelled:
    """Drop the boxes of which nobody knows who they are."""
    known = [ids >= 0 for ids in identities]
    boxes = [array[keep] for array, keep in zip(frame.boxes, known, strict=True)]
    scores = frame.scores and [array[keep] for array, keep in zip(frame.scores, known, strict=True)]
    return Frame(boxes, frame.index, scores), tuple(ids[keep] for ids, keep in zip(identities, known, strict=True))


def _inside(boxes: FloatArray, view: View) -> FloatArray:
    return np.clip(boxes, 0, [view.width, view.height] * 2)


def _iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """`(N, M)` intersections over unions of `(N, 4)` and `(M, 4)` boxes."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) for boxes in (first, second)]
    return common / np.maximum(areas[0][:, None] + areas[1][None, :] - common, 1e-9)
