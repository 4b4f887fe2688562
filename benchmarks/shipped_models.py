"""The models that ship: how they are made, what they reach on unseen instants, and how fast they answer.

python benchmarks/shipped_models.py [--models wildtrack mvor] [--write | --shipped | --profiles]

With --write, the models take the place of those in src/selfmva/association/pretrained/models/; with --shipped, those
are measured and none is made; with --profiles, those learn what the detections show that they were trained on, for the
watch over streams, and stay what they were otherwise. Nothing labelled is read in training.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from _machine import DATA, describe
from _measure import Fit, fit
from _parts import mvor, wildtrack_annotated, wildtrack_detected
from tabulate import tabulate

from selfmva import Associator, evaluate, load_dataset
from selfmva.association.health.measure import look_at, profile_of
from selfmva.association.pretrained.aliases import SHIPPED
from selfmva.core.types import Frame

if TYPE_CHECKING:
    from _parts import Labelled

LICENSE = "CC-BY-NC-SA-4.0"
COLUMNS = ("average_precision", "precision", "recall", "f1", "calibration_error")
ANSWERED = ("import and load", "first frame", "later frames", "slowest of all")
HEAD = ("trained on", "recipe", "tested on", *COLUMNS, "trusted pairs", "CPU s a fit")
# A process of its own: what a user waits for, from the import to the first answer, and then a frame.
ANSWER = """
import json, sys, time
start = time.perf_counter()
from selfmva import Associator, Frame
associator = Associator.from_pretrained(sys.argv[1])
frames = [Frame(boxes, index) for index, boxes in enumerate(json.load(sys.stdin))]
read = time.perf_counter()
associator.associate(frames[0])
first, times = time.perf_counter(), []
for frame in frames[1:]:
    begin = time.perf_counter()
    associator.associate(frame)
    times.append(time.perf_counter() - begin)
print(json.dumps([read - start, first - read, sorted(times)[len(times) // 2], max(times)]))
"""


def wildtrack(rows: list[list[Any]]) -> tuple[Associator, dict[str, Any], list[Frame]]:
    """Detections and annotated boxes, so that the floor knows both kinds of feet; without an embedding."""
    detected, annotated = wildtrack_detected("drop"), wildtrack_annotated()
    views, boxes = detected.views, [frame for frame, _ in annotated.labelled]
    for recipe in ("geometry", "batch"):
        for name, frames in (("detections 0 to 199", []), ("the same, and annotated boxes 0 to 199", boxes)):
            fitted = fit(views, detected.train + _later(frames), 0, recipe=recipe)
            rows += [_row(name, recipe, part.name, fitted, part.test) for part in (detected, annotated)]
    dataset = load_dataset("wildtrack", root=DATA / "wildtrack")
    every = [[dataset.frame(k) for k in dataset.splits[split]] for split in ("train", "annotated_train")]
    fitted = fit(views, every[0] + _later(every[1]), 0, recipe="geometry")
    rows.append(_row("detections and annotated boxes 0 to 287", "geometry", annotated.name, fitted, annotated.test))
    card = {
        "title": "WILDTRACK: seven cameras over a square",
        "training_data": "WILDTRACK (EPFL, Idiap and ETH Zurich; Chavdarova et al., CVPR 2018), instants 0 to 287 of "
        "400: the detections that the authors of Self-MVA published, and the annotated boxes, whose identities were "
        "not read, so that the floor knows the feet of both. No image was read.",
        "data_license": "CC BY-NC-SA 4.0 (the detections); WILDTRACK itself is free for research, see its homepage",
        "license": LICENSE,
        "evaluated_on": "the annotated boxes of instants 288 to 359, protocol `calibrated`",
        "metrics": _metrics(fitted, annotated.test),
        "notes": "There is no embedding in this model: on the floor of this square it adds nothing. Boxes of another "
        "detector: `adapt` learns their feet in seconds, without labels.",
    }
    return fitted.associator, card, [frame for frame, _ in annotated.test]


def mvor_model(rows: list[list[Any]]) -> tuple[Associator, dict[str, Any], list[Frame]]:
    """The detections; the floor is hidden, so the embedding is half of what there is."""
    part = mvor()
    fitted = fit(part.views, part.train, 0)
    rows.append(_row("detections of 512 instants", "batch", part.name, fitted, part.test))
    card = {
        "title": "MVOR: three cameras in an operating room",
        "training_data": "MVOR (CAMMA, University of Strasbourg; Srivastav et al., 2018): the detections of 512 "
        "instants that the authors of Self-MVA published. No image was read.",
        "data_license": "CC BY-NC-SA 4.0",
        "license": LICENSE,
        "evaluated_on": "the annotated boxes of the 200 instants that training did not see, protocol `calibrated`",
        "metrics": _metrics(fitted, part.test),
        "notes": "Feet are hidden here and no floor was found: geometry rests on lines of heads. People on a stool "
        "or a table, and patients, are outside of what it knows.",
    }
    return fitted.associator, card, [frame for frame, _ in part.test]


def _later(frames: list[Frame]) -> list[Frame]:
    """As if they had been filmed long after the detections."""
    return [Frame(frame.boxes, frame.index + 1000) for frame in frames]


def _scores(associator: Associator, test: list[Labelled]) -> list[float]:
    found = evaluate(associator, test)
    return [getattr(found, column) for column in COLUMNS]


def _metrics(fitted: Fit, test: list[Labelled]) -> dict[str, float]:
    names = (column.replace("_", " ") for column in COLUMNS)
    return {name: round(value, 4) for name, value in zip(names, _scores(fitted.associator, test), strict=True)}


def _row(name: str, recipe: str, tested: str, fitted: Fit, test: list[Labelled]) -> list[Any]:
    figures = [f"{value:.3f}" for value in _scores(fitted.associator, test)]
    row = [name, recipe, tested, *figures, fitted.trusted, f"{fitted.cpu_seconds:.0f}"]
    print(*row, sep=" | ", flush=True)
    return row


def answer(folder: Path | str, frames: list[Frame]) -> list[str]:
    """Seconds until the model is there, of the first frame, of the median frame and of the slowest, on one thread."""
    boxes = json.dumps([[array.tolist() for array in frame.boxes] for frame in frames])
    runs = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", ANSWER, str(folder)], input=boxes, capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout))
    loaded, first, median, slowest = (sorted(column) for column in zip(*runs, strict=True))
    cells = [f"{loaded[2]:.2f} ({loaded[-1]:.2f}) s", f"{first[2] * 1e3:.0f} ({first[-1] * 1e3:.0f}) ms"]
    return [*cells, f"{median[2] * 1e3:.1f} ({median[-1] * 1e3:.1f}) ms", f"{slowest[-1] * 1e3:.1f} ms"]


def shipped(name: str) -> None:
    """The model of the package on unseen instants, and how long it takes to answer."""
    part = {"wildtrack": wildtrack_annotated, "mvor": mvor}[name]()
    figures = [f"{value:.3f}" for value in _scores(Associator.from_pretrained(name), part.test)]
    row = [name, f"{_megabytes(SHIPPED / name):.2f} MB", *figures, *answer(name, [frame for frame, _ in part.test])]
    print(tabulate([row], headers=("model", "size", *COLUMNS, *ANSWERED), tablefmt="github"), flush=True)


def with_profile(name: str) -> None:
    """The model of the package with a profile, written in its place.

    Of the detections alone: annotated boxes meet their partners more clearly, and more than is expected is no fault.
    """
    model = replace(Associator.from_pretrained(name).model_, profile=None)
    if name == "wildtrack":
        dataset = load_dataset(name, root=DATA / name)
        frames = [dataset.frame(k) for k in dataset.splits["train"]]
    else:
        frames = mvor().train
    profile = profile_of(model, look_at(model, frames))
    Associator.from_model(replace(model, profile=profile)).save_pretrained(SHIPPED / name, precision=MODELS[name][1])
    print(name, Associator.from_pretrained(name).check(frames), sep="\n", flush=True)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


MODELS = {"wildtrack": (wildtrack, "float32"), "mvor": (mvor_model, "float16")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--write", action="store_true", help="replace the models of the package")
    parser.add_argument("--shipped", action="store_true", help="measure the models of the package")
    parser.add_argument("--profiles", action="store_true", help="give those of the package a profile")
    arguments = parser.parse_args()
    print(describe())
    if arguments.shipped:
        for name in arguments.models:
            shipped(name)
        return
    if arguments.profiles:
        for name in arguments.models:
            with_profile(name)
        return
    rows: list[list[Any]] = []
    answers = []
    with TemporaryDirectory() as temporary:
        for name in arguments.models:
            make, precision = MODELS[name]
            associator, card, frames = make(rows)
            folder = (SHIPPED if arguments.write else Path(temporary)) / name
            associator.save_pretrained(folder, card=card, precision=precision)
            answers.append([name, f"{_megabytes(folder):.2f} MB", *answer(folder, frames)])
    print("\n" + tabulate(rows, headers=HEAD, tablefmt="github"))
    print("\n" + tabulate(answers, headers=("model", "size", *ANSWERED), tablefmt="github"))


if __name__ == "__main__":
    main()
