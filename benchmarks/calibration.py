"""Calibrated accuracy with no calibration: unseen instants, against homographies fitted on labelled people.

python benchmarks/calibration.py [--rows epfl wildtrack ...] [--seeds 0 1 2] [--threads 2] [--scenes 0 50]
Cells are medians of the seeds, the worst of them in brackets; "worst" is the seed of the least AP.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from _ceiling import ceiling
from _learnt import clock_offsets, with_cue_alone
from _machine import describe
from _measure import Fit, Table, fit, score, timed
from _parts import corrupted, epfl, mvor, shift, shifted, wildtrack_annotated, wildtrack_detected
from _simulations import draw, judge_floor, nothing_to_learn, summary, to_learn_from
from tabulate import tabulate

from selfmva import evaluate
from selfmva.datasets.simulated import Simulated

if TYPE_CHECKING:
    from argparse import Namespace

    from _parts import Part


CLEAN = ("11", "12", "13")
OFFSET = 7  # instants
CLOCK_BOUND = 10  # what a user would give
NOTHING_SEEDS = 10


def against_ceiling(title: str, parts: list[Part], options: Namespace) -> None:
    """One fit and one test each; the share is that of the labelled ceiling."""
    table = Table(title)
    for part in parts:
        best = _ceiling(part)
        for seed in options.seeds:
            table.add(part.name, seed, score(_fit(part, seed, options), part.test, best))
    table.show()


def row_mvor(options: Namespace) -> None:
    """All cues, and each of them alone."""
    table, part = Table("MVOR"), mvor()
    best = _ceiling(part)
    for seed in options.seeds:
        fitted = _fit(part, seed, options)
        table.add(part.name, seed, score(fitted, part.test, best))
        for cue in ("embedding", "head lines"):
            alone = replace(fitted, associator=with_cue_alone(fitted.associator, part.train, cue))
            table.add(f"{part.name}, {cue} alone", seed, score(alone, part.test, best))
    table.show()


def row_wildtrack(options: Namespace) -> None:
    """One fit on detections, three tests, then `adapt` and a fourth; the seconds of that line are those of `adapt`."""
    table = Table("WILDTRACK, fitted on detections 0 to 199")
    annotated = wildtrack_annotated()
    parts = [wildtrack_detected("drop"), wildtrack_detected("keep"), annotated]
    best = [_ceiling(part) for part in parts]
    for seed in options.seeds:
        fitted = _fit(annotated, seed, options)
        for part, reference in zip(parts, best, strict=True):
            table.add(part.name, seed, score(fitted, part.test, reference))
        adapted = timed(lambda fitted=fitted: fitted.associator.adapt(annotated.adapt))
        table.add(f"{annotated.name}, adapted on 260 to 287", seed, score(adapted, annotated.test, best[-1]))
    table.show()


def row_corrupted(options: Namespace) -> None:
    """Worse boxes; the share is that of the same seed's AP on clean boxes."""
    table = Table("Corrupted boxes, share of the clean result")
    for scene in CLEAN:
        clean = epfl(scene)
        for seed in options.seeds:
            part = corrupted(clean, seed)
            reference = evaluate(_clean_fit(scene, seed, options.threads).associator, clean.test).average_precision
            table.add(part.name, seed, score(_fit(part, seed, options), part.test, reference))
        _ceiling(part)
    table.show()


def row_offset(options: Namespace) -> None:
    """A late view, another one for every seed; the share is that of the same seed's AP on aligned views."""
    table = Table(f"One view shifted by {OFFSET} instants, share of the aligned result")
    for scene in CLEAN:
        aligned = epfl(scene)
        for seed in options.seeds:
            view = seed % len(aligned.views)
            part, true = shifted(aligned, view, OFFSET), OFFSET * (np.arange(len(aligned.views)) == view)
            clean = _clean_fit(scene, seed, options.threads).associator
            reference = evaluate(clean, shift(part.test, -true)).average_precision  # the same instants, aligned
            clock = {"clock_bound": CLOCK_BOUND, "correct_clock": True}
            fitted = fit(part.views, part.train, seed, threads=options.threads, geometry=clock)
            found = clock_offsets(fitted.associator)
            in_line = tuple(found.tolist())
            test = [(replace(frame, clock_offsets=in_line), who) for frame, who in shift(part.test, -found)]
            exact = np.array_equal(found, true - true[0])
            values = score(fitted, test, reference) | {"offset found": float(exact)}
            table.add(f"{aligned.name}, one view shifted", seed, values)
    table.show()


def row_simulated(options: Namespace) -> None:
    """Scenes drawn at random: the floor alone, judged against the truth."""
    print("\n## Simulated recordings")
    verdicts = []
    for seed in range(*options.scenes):
        name, verdict, seconds = judge_floor(lambda seed: to_learn_from(draw(seed)), seed, options.threads)
        verdicts.append(verdict)
        print(f"seed {seed}: {name}; {verdict}; {seconds:.0f} CPU s", flush=True)
    print("\n" + summary(verdicts))


def row_load(options: Namespace) -> None:
    """A crowd in ten views, all on one floor: many pairs of boxes for every pair of views."""
    table = Table("Load")
    for seed in options.seeds:
        scene = Simulated(views=10, people=80, instants=200, seed=seed, floor_width=30.0, floor_depth=22.0)
        frames = [scene.frame(t) for t in scene.splits["train"]]
        test = [(scene.frame(t), scene.identities(t)) for t in scene.splits["test"]]
        boxes = float(np.mean([frame.counts for frame in frames]))
        fitted = fit(scene.views, frames, seed, threads=options.threads)
        table.add(f"10 views, {boxes:.0f} boxes a view", seed, score(fitted, test, 1.0))
    table.show()


def row_nothing(options: Namespace) -> None:
    """Recordings with nothing to learn: nothing may be trusted, and fit must say so."""
    print("\n## Nothing to learn")
    counts: dict[str, list[tuple[int, bool]]] = {}
    for name, seed, scene in nothing_to_learn(NOTHING_SEEDS):
        fitted = fit(scene.views, [scene.frame(t) for t in scene.splits["train"]], seed, threads=options.threads)
        trusted = sum(pair.trusted for pair in fitted.associator.fit_report_.pairs)  # by a floor or by head lines
        counts.setdefault(name, []).append((trusted, fitted.warned))
        print(f"{name}, seed {seed}: trusted {counts[name][-1][0]}, warned {fitted.warned}", flush=True)
    rows = [[name, len(seeds), *np.sum(seeds, axis=0).tolist()] for name, seeds in counts.items()]
    print("\n" + tabulate(rows, headers=["", "recordings", "trusted pairs", "warnings"], tablefmt="github"))


@cache
def _clean_fit(scene: str, seed: int, threads: int) -> Fit:
    part = epfl(scene)
    return fit(part.views, part.train, seed, threads=threads)


def _fit(part: Part, seed: int, options: Namespace) -> Fit:
    return fit(part.views, part.train, seed, threads=options.threads)


def _ceiling(part: Part) -> float:
    precision, f1 = ceiling(part)
    print(f"{part.name}: labelled ceiling AP {precision:.3f}, F1 at its best threshold {f1:.3f}", flush=True)
    return precision


ROWS = {
    "epfl": lambda options: against_ceiling("EPFL", [epfl(scene) for scene in CLEAN], options),
    "wildtrack": row_wildtrack,
    "mvor": row_mvor,
    "corrupted": row_corrupted,
    "offset": row_offset,
    "basketball": lambda options: against_ceiling("Bent bodies, jumps", [epfl("10")], options),
    "simulated": row_simulated,
    "nothing": row_nothing,
    "load": row_load,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scenes", type=int, nargs=2, default=[0, 50], help="first simulated seed, one past the last")
    options = parser.parse_args()
    print(describe())
    for row in options.rows:
        ROWS[row](options)


if __name__ == "__main__":
    main()
