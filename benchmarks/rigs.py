"""Any rig: what is trusted on recordings that nobody has tuned on, and whether it is right.

python benchmarks/rigs.py [--rows cmc2 mvmhat9 ...] [--seeds 0 1 2] [--recipe geometry|default]
python benchmarks/rigs.py --rows short mirrored ... [--scenes 0 50] [--jobs 2]
python benchmarks/rigs.py --rows cost wide [--views 4 8 16] [--seeds 0] [--recipe geometry|default]

One line a recording and seed. "trusted" counts pairs of views on a trusted floor, "wrong" those that are off by more
than half a height in the median, "worst" is the largest such error: against true cameras where these are known, between
boxes of the same people otherwise. "on people" is the largest error between boxes of the same people in any case,
"worst fifth" the same in the fifth of the recording where it is largest (cameras that move), and "best" the largest of
homographies fitted on identities. "beyond best" counts wrong pairs that miss by more than theirs does, since at eye
level even that misses by far. AP and F1 are those of labelled boxes, on the same instants, of all view pairs and of
those that share people.

Rows of --scenes are simulated, and judge the floor alone: one line a scene, in processes of one thread each. There, a
homography is compared with the true one of the images as they are given: a pair with a mirrored or upside-down view is
right only if its homography mirrors or turns too; a pair with a view of another place is never right.

"cost" and "wide" are whole fits of simulated recordings, each in a process of its own without any variable that limits
threads: people in one room, and a hall under many cameras. "joined" counts the views of the largest group that right
trusted pairs join, of those that pairs with many boxes of the same people could join.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
from _learnt import trusted_homographies, views_on_floor
from _machine import describe
from _measure import fit
from _rigs import (
    Rig,
    cmc,
    label_miss,
    multiviewx,
    mvmhat,
    overlap,
    pair_misses,
    published,
    reachable,
    shelf,
    worst_fifth,
)
from _simulations import (
    HARDER,
    WRONG,
    crowded_room,
    harder,
    judge_floor,
    judgement,
    lockstep,
    mirrored,
    other_place,
    people_who_stand,
    short,
    summary,
    upside_down,
)
from _wide import THREAD_VARIABLES, in_a_fresh_process, measure_cost, measure_hall
from tabulate import tabulate

from selfmva.metrics.association import score_pairs
from selfmva.metrics.evaluate import calibrated_pairs

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from _parts import Labelled
    from _simulations import Scene

    from selfmva import Associator
    from selfmva.metrics.association import PairResult

SIMULATED: dict[str, tuple[Callable[[int], Scene], int]] = {
    "short": (short, 200),
    "crowded-room": (crowded_room, 50),
    "mirrored": (mirrored, 50),
    "upside-down": (upside_down, 50),
    "other-place": (other_place, 50),
    "lockstep": (lockstep, 50),
    "standing": (people_who_stand, 50),
    **{kind: (partial(harder, kind), 50) for kind in HARDER},
}
COSTS: dict[str, tuple[Callable[..., dict[str, str]], tuple[int, ...], int, int]] = {
    "cost": (measure_cost, (4, 8, 16), 10, 400),
    "wide": (measure_hall, (100,), 50, 600),
}
RECIPES = {"geometry": {"recipe": "geometry"}, "default": {}}

RIGS: dict[str, Callable[[], Rig]] = {
    "cmc1": lambda: cmc(1),
    "cmc2": lambda: cmc(2),
    "cmc4": lambda: cmc(4),
    "cmc1-fasterrcnn": lambda: cmc(1, "fasterrcnn"),
    "cmc2-fasterrcnn": lambda: cmc(2, "fasterrcnn"),
    "cmc2-fasterrcnn-all": lambda: cmc(2, "fasterrcnn", 0.0),
    "cmc4-fasterrcnn": lambda: cmc(4, "fasterrcnn"),
    "cmc1-cstrack": lambda: cmc(1, "cstrack"),
    "cmc4-cstrack": lambda: cmc(4, "cstrack"),
    "mvmhat2": lambda: mvmhat("2"),
    "mvmhat7": lambda: mvmhat("7"),
    "mvmhat9": lambda: mvmhat("9"),
    "multiviewx": multiviewx,
    "shelf": shelf,
    "published10": lambda: published("10"),
    "published12": lambda: published("12"),
    "published13": lambda: published("13"),
}


def measure(rig: Rig, seed: int, options: Namespace) -> dict[str, str]:
    """One line: fitted on all instants, scored on the same, since no identity is read."""
    part = rig.part
    fitted = fit(part.views, part.train, seed, threads=options.threads, **RECIPES[options.recipe])
    trusted = trusted_homographies(fitted.associator)
    misses = pair_misses(rig, trusted)
    verdict = judgement(len(part.views), misses)
    shared, best = overlap(part.labelled), reachable(rig)
    on_people = [label_miss(part.labelled, *pair, found) for pair, found in trusted.items() if pair in shared]
    fifths = [worst_fifth(part.labelled, *pair, found) for pair, found in trusted.items() if pair in shared]
    results = _results(fitted.associator, part.test)
    by_lines = sum(pair.trusted for pair in fitted.associator.fit_report_.pairs) - len(trusted)
    return {
        "": part.name,
        "seed": str(seed),
        "on floor": f"{views_on_floor(fitted.associator)} of {len(part.views)}",
        "trusted": f"{verdict.trusted} of {verdict.pairs}",
        "by lines": str(by_lines),
        "wrong": str(verdict.wrong),
        "beyond best": str(sum(miss > max(WRONG, best.get(pair, 0.0)) for pair, miss in misses.items())),
        "worst": _number(verdict.worst) if trusted else "-",
        "on people": _number(max(on_people)) if on_people else "-",
        "worst fifth": _number(max(fifths)) if fifths else "-",
        "best": _number(max(best.values())) if best else "-",
        **_scores("", [result for pairs in results for result in pairs.values()]),
        **_scores(" shared", [result for pairs in results for pair, result in pairs.items() if pair in shared]),
        "CPU s": f"{fitted.cpu_seconds:.1f}",
        "warned": "yes" if fitted.warned else "no",
    }


def simulate(row: str, options: Namespace) -> str:
    """Judge many scenes of a kind, a line each."""
    draw_scene, count = SIMULATED[row]
    seeds = range(*(options.scenes or (0, count)))
    os.environ |= dict.fromkeys(THREAD_VARIABLES, "1")  # read by the libraries of the processes that start below
    verdicts, total = [], 0.0
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        done = pool.map(judge_floor, repeat(draw_scene), seeds)
        for seed, (name, verdict, seconds) in zip(seeds, done, strict=True):
            verdicts.append(verdict)
            total += seconds
            print(f"{row}, seed {seed}: {name}; {verdict}; {seconds:.1f} CPU s", flush=True)
    return f"{row}: {summary(verdicts)}; {total:.0f} CPU s"


def show_cost(row: str, options: Namespace) -> None:
    """A line and a process for each number of views and seed."""
    function, usual, people, instants = COSTS[row]
    settings = RECIPES[options.recipe] | {"threads": options.threads}
    lines = []
    for views in options.views or usual:
        for seed in options.seeds:
            lines.append(in_a_fresh_process(function, views, people, instants, seed, settings))
            print(f"{row}, seed {seed}: " + ", ".join(f"{key} {value}".strip() for key, value in lines[-1].items()))
    print("\n" + tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True), flush=True)


def _results(associator: Associator, test: list[Labelled]) -> list[dict[tuple[int, int], PairResult]]:
    associations = associator.associate_many(frame for frame, _ in test)
    return [calibrated_pairs(found, who) for found, (_, who) in zip(associations, test, strict=True)]


def _scores(which: str, results: list[PairResult]) -> dict[str, str]:
    if not results:
        return {f"AP{which}": "-", f"F1{which}": "-"}
    scores = score_pairs(results)
    return {f"AP{which}": f"{scores.average_precision:.3f}", f"F1{which}": f"{scores.f1:.3f}"}


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "nobody shared"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=[*RIGS, *SIMULATED, *COSTS], default=[*RIGS, *SIMULATED])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipe", choices=RECIPES, default="default")
    parser.add_argument("--threads", type=int, default=1, help="of a fit of a real recording")
    parser.add_argument("--scenes", type=int, nargs=2, help="first simulated seed, one past the last")
    parser.add_argument("--jobs", type=int, default=2, help="simulated scenes at the same time")
    parser.add_argument("--views", type=int, nargs="+", help="of the rows cost and wide, instead of the usual numbers")
    options = parser.parse_args()
    print(describe())
    lines = []
    for row in filter(RIGS.get, options.rows):
        rig = RIGS[row]()
        for seed in options.seeds:
            lines.append(measure(rig, seed, options))
            print(", ".join(f"{key} {value}".strip() for key, value in lines[-1].items()), flush=True)
    if lines:
        print("\n" + tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True))
    for row in filter(COSTS.get, options.rows):
        show_cost(row, options)
    summaries = [simulate(row, options) for row in filter(SIMULATED.get, options.rows)]
    print("", *summaries, sep="\n")


if __name__ == "__main__":
    main()
