"""Recordings that nobody has tuned on: small crowded rooms, low and moving cameras; and what is true of each."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from _ceiling import feet, fit_homography, pair_errors, shared, transfer
from _machine import DATA
from _parts import Part, known_only, label_by_iou
from _simulations import misses

from selfmva import load_dataset
from selfmva.core.types import Frame, View
from selfmva.core.view_pairs import view_pairs
from selfmva.io.boxes.rows import Rows, corners, frames_from_rows
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _parts import Labelled

    from selfmva.core.types import FloatArray, IntArray

LEAST_SCORES = {"fairmot": 0.4, "fasterrcnn": 0.7, "cstrack": 0.0}
LEAST_SHARED = 30  # boxes of the same people at the same instants: fewer tell nothing of a pair of views
MVMHAT_STRIDE = 5
MVMHAT_SIZES = {"2": (2704, 1520), "7": (1920, 1080), "9": (1920, 1080)}
PUBLISHED_VIEWS = {"10": 3, "12": 4, "13": 4}
PUBLISHED_LATE = 1  # instants by which published boxes lag behind the labels: their overlap is largest there
CORNERS = ("xmin", "ymin", "xmax", "ymax")
SHELF_FLOOR = -0.14  # metres: ankles of the truth lie at -0.06 in the median, and an ankle is 0.08 above the ground


@dataclass(frozen=True)
class Rig:
    """A recording and its truth.

    Attributes:
        part: What is fitted and scored: the same boxes, since no identity is read; `test` is empty where none is known.
        cameras: `(V, 3, 4)` true projections from metres, z = 0 on the floor, to pixels; None where identities tell.
    """

    part: Part
    cameras: FloatArray | None = None


def cmc(room: int, detector: str = "fairmot", least_score: float | None = None) -> Rig:
    """A room of 14 square metres, four cameras, four instants a second.

    Identities are known of FairMOT's boxes in rooms 1 and 2; boxes of other detectors get those of the boxes that they
    overlap. Boxes without an identity are not scored.

    Args:
        room: 1, 2 or 4.
        detector: `"fairmot"`, `"fasterrcnn"` or `"cstrack"`.
        least_score: Boxes up to that are dropped; None: the usual for the detector.
    """
    folder = DATA / "cmc"
    truth = read_json(folder / "cameras.json")
    views = tuple(View(f"camera{number}", *truth["image_size"]) for number in range(4))
    known = folder / f"identity_CMC{room}.csv"
    identities = np.loadtxt(known, delimiter=",", skiprows=1, dtype=np.int64)[:, 1] if known.exists() else None
    bound = LEAST_SCORES[detector] if least_score is None else least_score
    of_known = bound if detector == "fairmot" else LEAST_SCORES["fairmot"]
    scored = _cmc_boxes(folder / f"fairmot_CMC{room}.npz", views, identities, of_known)
    if detector != "fairmot":
        boxes = _cmc_boxes(folder / f"{detector}_CMC{room}.npz", views, None, bound)
        if identities is None:
            scored = boxes
        else:
            by_instant = {frame.index: (frame, who) for frame, who in scored}
            scored = [label_by_iou(frame, *by_instant[frame.index], views) for frame, _ in boxes]
    name = f"CMC{room}, {detector}, score above {bound:g}"
    part = _part(name, views, scored, known=identities is not None)
    return Rig(part, np.array(truth["scenes_1_to_4"]))


def mvmhat(scene: str) -> Rig:
    """Labelled boxes, every fifth instant: hand-held cameras (2), cameras that drift (7), cameras at eye level (9)."""
    with TemporaryDirectory() as folder:
        for path in (DATA / "mvmhat").glob(f"{scene}_*.txt.gz"):
            (Path(folder) / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        dataset = load_dataset("mvmhat", folder, scene=scene, stride=MVMHAT_STRIDE, size=MVMHAT_SIZES[scene])
    labelled = [
        (replace(dataset.frame(k), index=dataset.frame(k).index // MVMHAT_STRIDE), dataset.identities(k))
        for k in range(len(dataset))
    ]
    return Rig(_part(f"MvMHAT {scene}", dataset.views, labelled))


def published(scene: str) -> Rig:
    """The boxes that MvMHAT published for an EPFL scene, 25 instants a second; labels by overlap with annotations."""
    dataset = load_dataset("mvmhat", DATA / "mvmhat_published", scene=scene, stride=1)
    labels = load_dataset("mvmhat", DATA / "epfl", scene=scene, stride=1)
    count = PUBLISHED_VIEWS[scene]
    views = dataset.views[:count]
    annotated = {labels.frame(k).index: (labels.frame(k), labels.identities(k)) for k in range(len(labels))}
    labelled = []
    for frame in map(dataset.frame, range(len(dataset))):
        truth, who = annotated[frame.index + PUBLISHED_LATE]
        inside = [boxes[_visible(boxes, [view] * len(boxes))] for boxes, view in zip(frame.boxes, views, strict=False)]
        seen, there = Frame(inside, frame.index), Frame(truth.boxes[:count], frame.index)
        labelled.append(label_by_iou(seen, there, who[:count], views))
    return Rig(_part(f"EPFL {scene}, published boxes", views, labelled))


def multiviewx() -> Rig:
    """Ten instants of 26 people in six views."""
    views = tuple(View(f"C{number}", 1920, 1080) for number in range(1, 7))
    rows = [
        (
            int(path.stem) - 1,
            box["viewNum"],
            person["personID"],
            *(box[key] for key in ("xmin", "ymin", "xmax", "ymax")),
        )
        for path in sorted((DATA / "multiviewx" / "annotations_positions").glob("*.json"))
        for person in read_json(path)
        for box in person["views"]
    ]
    table = np.array(rows, dtype=np.float64)
    return Rig(_part("MultiviewX, boxes", views, _labelled(table[:, 0], table[:, 1], table[:, 3:], table[:, 2], views)))


def shelf() -> Rig:
    """Four people who stand around a table, 12 seconds at 25 instants a second; boxes around joints."""
    folder = DATA / "shelf"
    truth = read_json(folder / "calibration.json")
    views = tuple(View(f"camera{name}", *truth[name]["imgSize"]) for name in sorted(truth))
    people = np.load(folder / "persons2d.npz")
    joints, found = people["keypoints"][:, :, :2].astype(np.float64), people["keypoints"][:, :, 2:] > 0
    low, high = (
        extreme(np.where(found, joints, fill), axis=1) for extreme, fill in ((np.min, np.inf), (np.max, -np.inf))
    )
    labelled = _labelled(people["frame"], people["view"], np.hstack([low, high]), np.full(len(low), -1), views)
    to_floor = np.eye(4)
    to_floor[2, 3] = SHELF_FLOOR
    cameras = [
        np.reshape(truth[name]["K"], (3, 3)) @ np.reshape(truth[name]["RT"], (3, 4)) @ to_floor
        for name in sorted(truth)
    ]
    return Rig(_part("Shelf, boxes", views, labelled, known=False), np.array(cameras))


def pair_misses(rig: Rig, homographies: Mapping[tuple[int, int], FloatArray]) -> dict[tuple[int, int], float]:
    """How far trusted homographies are off, in heights of a body, in the median, by the larger of both directions.

    With true cameras: at all feet that were found in one view of a pair, where the other view sees their place.
    Otherwise: between boxes of the same people. A pair that nobody is seen by is infinitely off: nothing spoke for it.
    """
    return {
        (i, j): label_miss(rig.part.labelled, i, j, found) if rig.cameras is None else _camera_miss(rig, i, j, found)
        for (i, j), found in homographies.items()
    }


def label_miss(labelled: Sequence[Labelled], i: int, j: int, homography: FloatArray | None) -> float:
    """Median over boxes of the same people of the larger transfer error, in heights; infinite below 8 such boxes."""
    pairs = [shared(pair, i, j) for pair in labelled]
    errors = [np.diag(pair_errors(homography, *pair)) for pair in pairs if len(pair[0])]
    return float(np.median(np.concatenate(errors))) if sum(map(len, errors)) >= 8 else np.inf


def worst_fifth(labelled: Sequence[Labelled], i: int, j: int, homography: FloatArray) -> float:
    """The largest `label_miss` of the fifths of a recording: large where a camera moves; infinite where none tells."""
    parts = np.array_split(np.arange(len(labelled)), 5)
    errors = [label_miss([labelled[k] for k in part], i, j, homography) for part in parts]
    return max((error for error in errors if np.isfinite(error)), default=np.inf)


def reachable(rig: Rig) -> dict[tuple[int, int], float]:
    """By view pair with enough boxes of the same people: how far the homography fitted on these misses, in heights."""
    labelled = rig.part.labelled
    overlapping = [pair for pair in view_pairs(len(rig.part.views)) if pair in overlap(labelled)]
    return {(i, j): label_miss(labelled, i, j, fit_homography(list(labelled), i, j)) for i, j in overlapping}


def overlap(labelled: Sequence[Labelled]) -> set[tuple[int, int]]:
    """View pairs with enough boxes of the same people."""
    views = len(labelled[0][1]) if labelled else 0
    return {
        (i, j) for i, j in view_pairs(views) if sum(len(shared(pair, i, j)[0]) for pair in labelled) >= LEAST_SHARED
    }


def true_homographies(cameras: FloatArray) -> dict[tuple[int, int], FloatArray]:
    """Of every view pair (i, j), from pixels of view i to pixels of view j, on the floor."""
    floor = cameras[:, :, [0, 1, 3]]
    return {(i, j): floor[j] @ np.linalg.inv(floor[i]) for i, j in view_pairs(len(cameras))}


def _camera_miss(rig: Rig, i: int, j: int, homography: FloatArray) -> float:
    places = np.concatenate([_places(rig, i), _places(rig, j)])
    cameras, views = rig.cameras, rig.part.views
    there = misses((cameras[i], cameras[j]), (views[i], views[j]), places, homography)
    back = misses((cameras[j], cameras[i]), (views[j], views[i]), places, np.linalg.inv(homography))
    return float(np.median(np.maximum(there, back))) if len(there) else np.inf


def _places(rig: Rig, view: int) -> FloatArray:
    """`(N, 2)` metres on the true floor of all feet that were found in a view."""
    boxes = np.concatenate([frame.boxes[view] for frame in rig.part.train])
    return transfer(np.linalg.inv(rig.cameras[view][:, [0, 1, 3]]), feet(boxes))


def _cmc_boxes(path: Path, views: Sequence[View], identities: IntArray | None, least_score: float) -> list[Labelled]:
    table = np.load(path)
    kept = table["score"] > least_score
    who = np.full(len(kept), -1) if identities is None else identities
    boxes = corners(table["ltwh"][kept])
    return _labelled(table["frame"][kept], table["camera"][kept], boxes, who[kept], views)


def _labelled(
    instants: np.ndarray, view: np.ndarray, boxes: FloatArray, identities: np.ndarray, views: Sequence[View]
) -> list[Labelled]:
    """Frames and identities from one row a box; boxes wholly outside their image are dropped."""
    seen = _visible(boxes, [views[number] for number in view.astype(np.int64)])
    rows = Rows(instants[seen], view[seen], boxes[seen])
    frames = frames_from_rows(rows, views, lambda row: f"row {row}", np.unique(instants).astype(np.int64).tolist())
    by_cell: dict[tuple[int, int], list[int]] = {}
    for instant, number, who in zip(instants[seen], view[seen], identities[seen], strict=True):
        by_cell.setdefault((int(instant), int(number)), []).append(int(who))
    return [
        (f, tuple(np.array(by_cell.get((f.index, number), []), np.int64) for number in range(len(views))))
        for f in frames
    ]


def _visible(boxes: FloatArray, views: Sequence[View]) -> np.ndarray:
    """`(N,)` which of `(N, 4)` boxes are inside the images of their N views, if only in part."""
    inside = np.clip(boxes, 0, np.array([[view.width, view.height] * 2 for view in views]).reshape(-1, 4))
    return (inside[:, 2:] > inside[:, :2]).all(axis=1)


def _part(name: str, views: Sequence[View], labelled: list[Labelled], *, known: bool = True) -> Part:
    test = [known_only(*pair) for pair in labelled] if known else []
    return Part(name, tuple(views), [frame for frame, _ in labelled], labelled, test)
