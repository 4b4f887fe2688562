"""Who is who over a whole recording: identity scores, online and offline, and what it costs.

Nobody labelled, nothing calibrated, defaults of the tracker. All views are scored as one sequence, IoU 0.5.

python benchmarks/tracking.py [--rows epfl12 published12 ...] [--recipe geometry] [--seeds 0]
"""

import argparse
import time

import numpy as np
from _machine import DATA, describe
from _parts import STRIDE, label_by_iou, wildtrack_annotated, wildtrack_detected
from _rigs import PUBLISHED_VIEWS, cmc
from tabulate import tabulate

from selfmva import Associator, Frame, Tracker, load_dataset
from selfmva.metrics.tracking import score

TEST = 0.7  # fraction of an EPFL recording that is fitted; the rest is followed
FITTED = {"10": 5000, "12": 1500, "13": 1500}  # instants before the test intervals of MvMHAT
TESTED = {"10": (5000, 6000), "12": (1500, 2000), "13": (1500, 2000)}


def epfl(scene, stride):
    """Labels: fitted at 2.5 instants a second on the first part, followed on the rest."""
    views, every = _epfl(scene, 1)
    coarse = [pair for pair in every if (pair[0].index - every[0][0].index) % STRIDE == 0]
    cut = FITTED["10"] if scene == "10" else coarse[int(TEST * len(coarse))][0].index
    last = TESTED["10"][1] if scene == "10" else every[-1][0].index
    train = [Frame(frame.boxes, frame.index // STRIDE) for frame, _ in coarse if frame.index < cut]
    chosen = every if stride == 1 else coarse
    test = [(Frame(frame.boxes, frame.index // stride), who) for frame, who in chosen if cut <= frame.index <= last]
    return views, train, test, test


def published(scene):
    """Boxes that were published, ids dropped, at 25 instants a second; fitted on earlier labels."""
    count = PUBLISHED_VIEWS[scene]
    _, every = _epfl(scene, 1)
    dataset = load_dataset("mvmhat", DATA / "mvmhat_published", scene=scene, stride=1)
    low, high = TESTED[scene]
    found = {dataset.frame(k).index: dataset.frame(k) for k in range(len(dataset))}
    boxes = [Frame(found[k].boxes[:count], k) if k in found else Frame([[]] * count, k) for k in range(low, high + 1)]
    labels = {frame.index: (frame, who) for frame, who in every}
    truth = [(Frame(labels[k][0].boxes[:count], k), labels[k][1][:count]) for k in range(low, high + 1) if k in labels]
    train = [Frame(f.boxes[:count], f.index // STRIDE) for f, _ in every if f.index < low and f.index % STRIDE == 0]
    return dataset.views[:count], train, [(frame, None) for frame in boxes], truth


def wildtrack(kind):
    """Annotated people, or boxes of a detector that an annotation covers; fitted on detections before."""
    part = wildtrack_annotated() if kind == "annotated" else wildtrack_detected()
    if kind == "annotated":
        return part.views, part.train, part.test, part.test
    dataset = load_dataset("wildtrack", root=DATA / "wildtrack")
    annotated = {dataset.frame(k).index: k for k in dataset.splits["annotated_train"]}
    truth = [(dataset.frame(annotated[f.index]), dataset.identities(annotated[f.index])) for f, _ in part.test]
    return part.views, part.train, part.test, truth


def curtin(room):
    """Boxes of a detector whose identity is known; fitted on the same boxes, identities unread."""
    part = cmc(room).part
    return part.views, part.train, part.labelled, part.labelled


def _epfl(scene, stride):
    dataset = load_dataset("mvmhat", root=DATA / "epfl", scene=scene, stride=stride)
    return dataset.views, [(dataset.frame(k), dataset.identities(k)) for k in range(len(dataset))]


ROWS = {
    **{f"epfl{scene}": (lambda scene=scene: epfl(scene, STRIDE)) for scene in ("11", "12", "13")},
    **{f"epfl{scene}fast": (lambda scene=scene: epfl(scene, 1)) for scene in ("10", "11", "12", "13")},
    **{f"published{scene}": (lambda scene=scene: published(scene)) for scene in ("10", "12", "13")},
    **{f"wildtrack-{kind}": (lambda kind=kind: wildtrack(kind)) for kind in ("annotated", "detected")},
    **{f"cmc{room}": (lambda room=room: curtin(room)) for room in (1, 2)},
}


def ceiling(views, frames, truth):
    """The ids of the annotations that boxes overlap: the best that any ids can reach."""
    known = {frame.index: (frame, who) for frame, who in truth}
    nobody = Frame([[]] * len(views)), tuple(np.zeros(0, np.int64) for _ in views)
    return [label_by_iou(frame, *known.get(frame.index, nobody), views)[1] for frame in frames]


def measure(views, train, boxes, truth, seed, recipe):
    """One line of the table."""
    associator = Associator(seed=seed, recipe=recipe).fit(views, train)
    frames = [frame for frame, _ in boxes]
    known = [frame for frame, _ in truth], [who for _, who in truth]
    instants = [frame.index for frame, _ in truth]
    started = time.process_time()
    offline = associator.track(frames).ids
    seconds = time.process_time() - started
    tracker, cost, online = Tracker(associator), [], []
    for frame in frames:
        started = time.process_time()
        associator.associate(frame)
        between = time.process_time()
        online.append(tracker.update(frame).ids)
        cost.append(time.process_time() - between - (between - started))
    scores = [
        score(known, (frames, ids), instants=instants) for ids in (offline, online, ceiling(views, frames, truth))
    ]
    return [
        *(one.union.idf1 for one in scores),
        scores[0].union.mota,
        scores[0].union.id_switches,
        scores[0].pairs.f1,
        seconds,
        1000 * float(np.median(cost)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--recipe", default="geometry")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    print(describe())
    rows = []
    for name in arguments.rows:
        for seed in arguments.seeds:
            rows.append([name, seed, *measure(*ROWS[name](), seed, arguments.recipe)])
            print(*(f"{cell:.3f}" if isinstance(cell, float) else cell for cell in rows[-1]), flush=True)
    headers = [
        "recording",
        "seed",
        "IDF1 offline",
        "online",
        "ceiling",
        "MOTA",
        "switches",
        "pair F1",
        "CPU s",
        "ms more",
    ]
    print(tabulate(rows, headers=headers, tablefmt="github", floatfmt=".3f"))


if __name__ == "__main__":
    main()
