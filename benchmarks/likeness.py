"""What appearance is worth: on simulated clothes, on MultiviewX, and on four real videos.

python benchmarks/likeness.py [simulated] [multiviewx] [videos FOLDER]

Without arguments, the first two. FOLDER holds the wheel of Pose2Sim 0.10.49, unpacked
(`pip download --no-deps pose2sim==0.10.49`, then `unzip`); its calibration says who is who.
"""

import itertools
import sys
import warnings
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from _machine import DATA, describe
from appearance import NETWORK, ROOT, labelled_frames
from tabulate import tabulate

from selfmva import Associator, Frame
from selfmva.association.appearance import as_table, learn_appearance, stack_blocks
from selfmva.association.appearance.within_views import own_distances
from selfmva.association.cues.appearance import AppearanceCue, cosine_distances
from selfmva.core.packed_boxes import pack, unit_length
from selfmva.core.types import clip_to_views
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated
from selfmva.detectors import open_detector
from selfmva.encoders import open_appearance
from selfmva.errors import SelfMVAWarning
from selfmva.io import SynchronizedReader
from selfmva.matching.posterior.fusion import FusedTable
from selfmva.metrics import evaluate
from selfmva.perception import observe

SEEDS = (0, 1, 2)
CLOTHES = (None, 0.0, 1.0, 3.0)
SCENES = {
    "4 views, 6 people, 600 instants": {"views": 4, "people": 6, "instants": 600},
    "3 views, 6 people, 25 instants": {"views": 3, "people": 6, "instants": 25},
    "4 views, 8 people, nobody moves": {"views": 4, "people": 8, "instants": 300, "standing": True},
}
MINIMUM_SHIFT = 5
DETECTOR = DATA / "weights" / "yolox_nano.onnx"
TRUE_ERROR = 0.12  # box heights by which the middle of a box may be off, for boxes to be one person
STAGE = 2.5  # metres from the middle of the mat: who is further away does not act


def simulated() -> None:
    """Clothes from uniforms to unique, with much geometry, with little, and with none."""
    rows = []
    for name, options in SCENES.items():
        for clothes in CLOTHES:
            scores = []
            for seed in SEEDS:
                scene = Simulated(seed=seed, clothes=clothes, **options)
                associator = Associator(seed=seed, recipe={"name": "batch", "steps": 300}).fit(scene)
                scores.append(evaluate(associator, scene))
            rows.append((name, "none" if clothes is None else clothes, *spread(scores)))
            print(tabulate(rows[-1:], tablefmt="plain"), flush=True)
    print(tabulate(rows, ("scene", "clothes", *MEASURES), tablefmt="github"))


def multiviewx() -> None:
    """Real labels: appearance alone, geometry alone, and both."""
    identities = people()
    with SynchronizedReader([ROOT / f"Image_subsets/C{view + 1}" for view in range(6)], rate=1.0) as reader:
        views = reader.views
        given = [clip_to_views(frame, views) for frame in labelled_frames()]
        frames = list(observe(reader, frames=given, appearance=open_appearance(f"onnx:{NETWORK}")))
    labelled = list(zip(frames, identities, strict=True))
    rows = {name: [] for name in ("geometry alone", "appearance alone", "both")}
    for seed in SEEDS:
        rows["geometry alone"].append(evaluate(Associator(seed=seed).fit(views, given), labelled))
        both = Associator(seed=seed).fit(views, frames)
        rows["both"].append(evaluate(both, labelled))
        rows["appearance alone"].append(evaluate(by_looks_alone(both, frames), labelled))
        print(seed, both.fit_report_, flush=True)
    print(tabulate([(name, *spread(scores)) for name, scores in rows.items()], ("", *MEASURES), tablefmt="github"))


def videos(folder: Path) -> None:
    """Real videos from end to end: which share of the instants is grouped as the calibration has it."""
    files = [folder / f"Pose2Sim/Demo_MultiPerson/videos/cam{k:02d}.mp4" for k in range(1, 5)]
    projections = read_projections(folder / "Pose2Sim/Demo_MultiPerson/calibration/Calib.qca.txt")
    detector, encoder = open_detector(f"onnx:{DETECTOR}"), open_appearance(f"onnx:{NETWORK}")
    with SynchronizedReader(files) as reader:
        views, frames = reader.views, list(observe(reader, detector=detector, appearance=encoder))
    subsets = [(0, 1, 2, 3), *itertools.combinations(range(4), 3)]
    rows = []
    for cameras in subsets:
        chosen = [taken(frame, cameras) for frame in frames]
        for seed in SEEDS if len(cameras) == 4 else SEEDS[:1]:
            associator = Associator(seed=seed).fit([views[camera] for camera in cameras], chosen)
            right = [
                is_grouped(actors, association.ids)
                for association in associator.associate_many(chosen)
                if len(actors := acting(association.frame.boxes, [projections[camera] for camera in cameras])) == 2
            ]
            cells = ", ".join(views[camera].name for camera in cameras), seed, len(right), f"{np.mean(right):.0%}"
            rows.append((*cells, "yes" if associator.fit_report_.geometry_found else "no"))
            print(tabulate(rows[-1:], tablefmt="plain"), flush=True)
    print(tabulate(rows, ("views", "seed", "instants", "grouped", "geometry"), tablefmt="github"))


MEASURES = ("AP", "precision", "recall", "F1", "calibration error")


def spread(scores) -> list[str]:
    """Mean of the seeds, and how far the furthest is from it."""
    names = ("average_precision", "precision", "recall", "f1", "calibration_error")
    table = np.array([[getattr(score, name) for name in names] for score in scores])
    mean = table.mean(axis=0)
    return [f"{m:.3f} ± {far:.3f}" for m, far in zip(mean, np.abs(table - mean).max(axis=0), strict=True)]


def people() -> list[list[np.ndarray]]:
    """Who is in the boxes of `labelled_frames`."""
    import json

    files = [json.loads((ROOT / f"annotations_positions/{k + 1:05d}.json").read_text()) for k in range(10)]
    return [
        [np.array([p["personID"] for p in entries if p["views"][view]["xmin"] != -1]) for view in range(6)]
        for entries in files
    ]


def by_looks_alone(associator: Associator, frames: list[Frame]) -> Associator:
    """The associator with tables of appearance alone, learnt as if there were no geometry."""
    own = own_distances(pack(frames, len(associator.views_)), associator.views_, MINIMUM_SHIFT)
    looks = [[unit_length(part) for part in frame.features] for frame in frames]
    evidence = {
        (i, j): stack_blocks([cosine_distances(parts[i], parts[j]) for parts in looks], None)
        for i, j in view_pairs(len(associator.views_))
    }
    verdict, name = learn_appearance(evidence, own), AppearanceCue.name
    tables = {
        pair: FusedTable({name: as_table(verdict.model, pair)}, {name: 1.0}, verdict.bias[pair]) for pair in evidence
    }
    associator.tables_ = tables
    return associator


def taken(frame: Frame, cameras) -> Frame:
    """Some views of a frame."""
    features, scores = ([values[camera] for camera in cameras] for values in (frame.features, frame.scores))
    return Frame([frame.boxes[camera] for camera in cameras], frame.index, scores=scores, features=features)


def read_projections(path: Path) -> list[np.ndarray]:
    """`(3, 4)` projections from metres to pixels; the file has its lengths in 1/64 pixel and millimetres."""
    found = []
    for camera in ET.parse(path).getroot().iter("camera"):  # noqa: S314  # a file of one's own choice
        outer, inner = camera.find("transform").attrib, camera.find("intrinsic").attrib
        turn = np.array([[float(outer[f"r{row}{column}"]) for column in "123"] for row in "123"])
        turn = np.diag([1.0, -1.0, -1.0]) @ turn
        focal = [float(inner[f"focalLength{axis}"]) / 64 for axis in "UV"]
        middle = [float(inner[f"centerPoint{axis}"]) / 64 for axis in "UV"]
        lens = np.array([[focal[0], 0, middle[0]], [0, focal[1], middle[1]], [0, 0, 1]])
        centre = np.array([float(outer[axis]) for axis in "xyz"]) / 1000
        found.append(lens @ np.column_stack([turn, -turn @ centre]))
    return found


def acting(boxes, projections) -> list[set[tuple[int, int]]]:
    """The two actors, where at least two views show each: their boxes as (view, row)."""
    found = []
    for choice in itertools.product(*(range(-1, len(part)) for part in boxes)):
        seen = [view for view, row in enumerate(choice) if row >= 0]
        if len(seen) >= 2:
            picked = np.array([boxes[view][choice[view]] for view in seen])
            place, error = triangulate([projections[view] for view in seen], (picked[:, :2] + picked[:, 2:]) / 2)
            relative = (error / (picked[:, 3] - picked[:, 1])).max()
            if relative < TRUE_ERROR:
                found.append((-len(seen), relative, {(view, choice[view]) for view in seen}, place))
    people, used = [], set()
    for _, _, members, place in sorted(found, key=lambda entry: entry[:2]):
        if not members & used:
            used |= members
            people += [members] if np.hypot(*place[:2]) < STAGE else []
    return sorted(people, key=len)[-2:]


def triangulate(projections, points) -> tuple[np.ndarray, np.ndarray]:
    """The place that points of several views show, and how far off each is in pixels."""
    rows = [x * p[2] - p[0] for p, (x, _) in zip(projections, points, strict=True)]
    rows += [y * p[2] - p[1] for p, (_, y) in zip(projections, points, strict=True)]
    rows = np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
    place = np.linalg.svd(rows)[2][-1]
    place /= place[3]
    images = np.array([p @ place for p in projections])
    error = np.linalg.norm(images[:, :2] / images[:, 2:] - points, axis=1)
    return place[:3], np.where(images[:, 2] > 0, error, np.inf)


def is_grouped(actors, ids) -> bool:
    """Whether all boxes of each actor share an id, and the actors don't."""
    one, other = ({int(ids[view][row]) for view, row in members} for members in actors)
    return len(one) == len(other) == 1 and one != other


if __name__ == "__main__":
    warnings.simplefilter("ignore", SelfMVAWarning)
    print(describe())
    asked = sys.argv[1:] or ["simulated", "multiviewx"]
    if "simulated" in asked:
        simulated()
    if "multiviewx" in asked:
        multiviewx()
    if "videos" in asked:
        videos(Path(asked[asked.index("videos") + 1]))
