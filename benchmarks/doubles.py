"""People whom a detector draws twice in a view: 30 % of the boxes of known people get a double.

python benchmarks/doubles.py [--recordings simulated epfl-12 ...] [--kinds none jittered ...] [--seeds 0 1 2]

Kinds: the same box again (exact), one moved by 3 % of its sides (jittered) or by 10 % (shaken), its upper 45 to 80 %
(part), and none. Fit, geometry recipe, and test see the same kind. "one label" scores the same answers where labels
know one of the two boxes alone, as labels by overlap do.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from _machine import describe
from _measure import fit
from _parts import epfl, wildtrack_annotated
from tabulate import tabulate

from selfmva import evaluate
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _parts import Labelled

    from selfmva.core.types import View

JITTER = {"none": 0.0, "exact": 0.0, "jittered": 0.03, "shaken": 0.1, "part": 0.02}  # of the sides of a box
LEFT = (0.45, 0.8)  # of the height of half a body
FRACTION = 0.3
LEARNT = 200


def double(labelled: Sequence[Labelled], kind: str, seed: int, *, labels: bool = True) -> list[Labelled]:
    """Some boxes of known people twice; `labels` of both boxes, or of the first alone."""
    rng = np.random.default_rng([seed, len(labelled)])
    result = []
    for frame, identities in labelled:
        boxes, who = [], []
        for own, known in zip(frame.boxes, identities, strict=True):
            chosen = (rng.random(len(own)) < FRACTION) & (known >= 0) & (kind != "none")
            more = own[chosen].copy()
            sides = np.tile(more[:, 2:] - more[:, :2], 2)
            if kind == "part":
                more[:, 3] = more[:, 1] + sides[:, 1] * rng.uniform(*LEFT, len(more))
            more = np.maximum(more + JITTER[kind] * sides * rng.standard_normal(more.shape), 0.0)
            left = (more[:, 2:] > more[:, :2]).all(axis=1)  # at the border, some are wholly outside
            chosen[np.flatnonzero(chosen)[~left]] = False
            more = more[left]
            order = rng.permutation(len(own) + len(more))
            boxes.append(np.concatenate([own, more])[order])
            who.append(np.concatenate([known, known[chosen] if labels else np.full(len(more), -1)])[order])
        result.append((Frame(boxes, frame.index), tuple(who)))
    return result


def recording(name: str, seed: int) -> tuple[Sequence[View], list[Labelled], list[Labelled]]:
    """Views, what is learnt from, and what is scored."""
    if name.startswith("epfl"):
        part = epfl(name.removeprefix("epfl-"))
        return part.views, part.labelled, part.test
    if name == "wildtrack":
        part = wildtrack_annotated()
        return part.views, part.labelled, part.test
    scene = Simulated(views=4, people=6, instants=LEARNT + 60, seed=100 + seed)
    labelled = [(scene.frame(t), scene.identities(t)) for t in range(len(scene))]
    return scene.views, labelled[:LEARNT], labelled[LEARNT:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", nargs="+", default=["simulated", "epfl-11", "epfl-12", "epfl-13", "wildtrack"])
    parser.add_argument("--kinds", nargs="+", choices=JITTER, default=list(JITTER))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    print(describe())
    lines = []
    for name in options.recordings:
        for kind in options.kinds:
            found = []
            for seed in options.seeds:
                views, learnt, scored = recording(name, seed)
                frames = [frame for frame, _ in double(learnt, kind, seed)]
                associator = fit(views, frames, 0, recipe="geometry").associator
                both = evaluate(associator, double(scored, kind, seed))
                one = evaluate(associator, double(scored, kind, seed, labels=False))
                report = associator.fit_report_
                added = sum(sum(frame.counts) for frame in frames) - sum(sum(frame.counts) for frame, _ in learnt)
                found.append((both.f1, both.average_precision, one.f1, report.doubled_boxes / max(added, 1)))
            middle, worst = np.median(found, axis=0), np.min(found, axis=0)
            cells = [f"{m:.3f} ({w:.3f})" for m, w in zip(middle, worst, strict=True)]
            columns = ("", "doubles", "F1", "AP", "F1, one label", "left out")
            lines.append(dict(zip(columns, (name, kind, *cells), strict=True)))
            print(", ".join(f"{key} {value}".strip() for key, value in lines[-1].items()), flush=True)
    print("\n" + tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
