"""Any rig: what is trusted on recordings that nobody has tuned on, and whether it is right.

python benchmarks/rigs.py [--rows cmc2 mvmhat9 ...] [--seeds 0 1 2] [--recipe geometry|default]

One line a recording and seed. "trusted" counts pairs of views on a trusted floor, "wrong" those that are off by more
than half a height in the median, "worst" is the largest such error: against true cameras where these are known, between
boxes of the same people otherwise. "on people" is the largest error between boxes of the same people in any case, and
"best" what homographies fitted on identities leave of it. AP and F1 are those of labelled boxes, on the same instants, of
all view pairs and of those that share people.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from _learnt import trusted_homographies, views_on_floor
from _machine import describe
from _measure import fit
from _rigs import Rig, cmc, judge_rig, label_miss, multiviewx, mvmhat, overlap, published, reachable, shelf
from tabulate import tabulate

from selfmva.metrics.association import score_pairs
from selfmva.metrics.evaluate import calibrated_pairs

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from _parts import Labelled

    from selfmva import Associator
    from selfmva.metrics.association import PairResult

RECIPES = {"geometry": {"recipe": "geometry"}, "default": {}}

RIGS: dict[str, Callable[[], Rig]] = {
    "cmc1": lambda: cmc(1),
    "cmc2": lambda: cmc(2),
    "cmc4": lambda: cmc(4),
    "cmc1-fasterrcnn": lambda: cmc(1, "fasterrcnn"),
    "cmc2-fasterrcnn": lambda: cmc(2, "fasterrcnn"),
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
    verdict = judge_rig(rig, trusted)
    shared = overlap(part.labelled)
    on_people = [label_miss(part.labelled, *pair, found) for pair, found in trusted.items() if pair in shared]
    results = _results(fitted.associator, part.test)
    by_lines = sum(pair.trusted for pair in fitted.associator.fit_report_.pairs) - len(trusted)
    return {
        "": part.name,
        "seed": str(seed),
        "on floor": f"{views_on_floor(fitted.associator)} of {len(part.views)}",
        "trusted": f"{verdict.trusted} of {verdict.pairs}",
        "by lines": str(by_lines),
        "wrong": str(verdict.wrong),
        "worst": _number(verdict.worst) if trusted else "-",
        "on people": _number(max(on_people)) if on_people else "-",
        "best": _number(max(reachable(rig).values())) if shared else "-",
        **_scores("", [result for pairs in results for result in pairs.values()]),
        **_scores(" shared", [result for pairs in results for pair, result in pairs.items() if pair in shared]),
        "CPU s": f"{fitted.cpu_seconds:.1f}",
        "warned": "yes" if fitted.warned else "no",
    }


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
    parser.add_argument("--rows", nargs="+", choices=RIGS, default=list(RIGS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--recipe", choices=RECIPES, default="default")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(describe())
    lines = []
    for row in options.rows:
        rig = RIGS[row]()
        for seed in options.seeds:
            lines.append(measure(rig, seed, options))
            print(", ".join(f"{key} {value}".strip() for key, value in lines[-1].items()), flush=True)
    print("\n" + tabulate(lines, headers="keys", tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
