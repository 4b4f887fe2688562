"""Is it noticed when a rig no longer fits? Streams on right models that go wrong, and streams that do not.

    python benchmarks/health.py faults [--seeds 20] [--first 1000] [--rigs simulated epfl wildtrack]
    python benchmarks/health.py alarms [--seeds 20] [--rigs simulated outdoors epfl epfl-12-1 wildtrack cmc-1-fairmot]
    python benchmarks/health.py cost

`faults`: a change after 100 instants of a stream; right where kind and views are named within 100 instants. Counted
wherever F1 falls by more than .05 in these 100. `alarms`: right streams, in stretches of 200 instants. `cost`: the
share of `associate_many` that the watch takes.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _faults import KINDS, draw
from _machine import DATA, describe
from _parts import EPFL, STRIDE

from selfmva import Associator, evaluate, load_dataset
from selfmva.association.health import changes
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _faults import Labelled


FIT, BEFORE, AFTER = 300, 100, 100  # instants to learn from, right ones of a stream, and wrong ones
FALL = 0.05  # of F1: less need not be noticed
STRETCH = 200  # instants
NAMES = {
    "half": changes.SCALED,
    "normalized": changes.NORMALIZED,
    "swapped": changes.SWAPPED,
    "mirrored": changes.MIRRORED,
    "knocked": changes.KNOCKED,
    "clock": changes.CLOCK_OFF,
    "drift": changes.CLOCK_OFF,
    "dark": changes.DARK,
    "elsewhere": changes.OTHER_PLACE,
}


@dataclass(frozen=True, eq=False)
class Rig:
    """A model, right streams for it, and people of another place."""

    name: str
    associator: Associator
    stream: list[Labelled]
    other: list[Labelled]


def simulated(seed: int, instants: int, **harder: Any) -> Rig | None:
    """3 to 5 views, 3 to 12 people, 40 to 150 square metres; None where fit() does not bring all views on a floor."""
    rng = np.random.default_rng([seed, 54])
    views, people, area = int(rng.integers(3, 6)), int(rng.integers(3, 13)), rng.uniform(40, 150)
    options: dict[str, Any] = {"floor_width": float((area * 1.3) ** 0.5), "floor_depth": float((area / 1.3) ** 0.5)}
    options |= harder
    scenes = [
        Simulated(views=views, people=people, instants=length, seed=number, **options)
        for number, length in ((seed, FIT + instants), (seed + 500_000, 200))
    ]
    parts = [[(scene.frame(t), scene.identities(t)) for t in range(len(scene))] for scene in scenes]
    associator = Associator(recipe="geometry").fit(scenes[0].views, [frame for frame, _ in parts[0][:FIT]])
    floor = associator.floor_
    if floor is None or len(floor.views_on_floor) < views:
        return None
    return Rig(f"{views} views, {people} people, {area:.0f} m2", associator, _numbered(parts[0][FIT:]), parts[1])


def recorded(labelled: list[Labelled], views: Any, fit: int, name: str) -> Rig:
    """The first so many instants to learn from, all that come after them as a stream; and what was as another place."""
    associator = Associator(recipe="geometry").fit(views, [frame for frame, _ in labelled[:fit]])
    return Rig(name, associator, _numbered(labelled[fit:]), _numbered(labelled[:fit]))


def epfl_rig(scene: str, stride: int = STRIDE, fraction: float = 0.4) -> Rig:
    """Annotated boxes of EPFL, 25 instants a second or fewer."""
    dataset = load_dataset("mvmhat", root=DATA / "epfl", scene=scene, stride=stride)
    labelled = [(dataset.frame(k), dataset.identities(k)) for k in range(len(dataset))]
    name = f"EPFL {EPFL[scene]} ({scene}), every {stride}."
    return recorded(labelled, dataset.views, round(fraction * len(labelled)), name)


def wildtrack_rig() -> Rig:
    """Annotated boxes of WILDTRACK: 160 instants to learn from, 200 as a stream."""
    dataset = load_dataset("wildtrack", root=DATA / "wildtrack")
    indices = sorted({*dataset.splits["annotated_train"], *dataset.splits["validation"]})
    labelled = [(dataset.frame(k), dataset.identities(k)) for k in indices]
    return recorded(labelled, dataset.views, 160, "WILDTRACK, annotated")


def faults(seeds: range, rigs: list[str]) -> None:
    """Print what became of every kind of change."""
    told: dict[tuple[str, str], list[tuple[bool, bool, bool, bool, float]]] = defaultdict(list)
    fixed = {"epfl": lambda: epfl_rig("12"), "wildtrack": wildtrack_rig}
    for name in rigs:
        rig = None if name == "simulated" else fixed[name]()
        for seed in seeds:
            if name == "simulated":
                rig = simulated(seed, BEFORE + AFTER + 10)
            if rig is None:
                print(f"{name} {seed}: not all views on a floor", flush=True)
                continue
            for kind in KINDS:
                told[name, kind].append(_one(name, rig, kind, seed))
    print("\n| rig | change | streams | F1 falls | noticed | kind | views | median delay |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, kind), results in told.items():
        counted = [entry for entry in results if entry[0]] or results
        noticed, right_kind, right_view = (sum(entry[k] for entry in counted) for k in (1, 2, 3))
        delay = np.median([entry[4] for entry in counted if entry[1]] or [np.nan])
        falls = sum(entry[0] for entry in results)
        print(
            f"| {name} | {kind} | {len(results)} | {falls} | {noticed} of {len(counted)} | {right_kind} | {right_view} "
            f"| {delay:.0f} |"
        )


def _one(name: str, rig: Rig, kind: str, seed: int) -> tuple[bool, bool, bool, bool, float]:
    """Whether F1 falls, it is noticed, kind and views are right, and after how many instants."""
    model = rig.associator.model_
    rng = np.random.default_rng([seed, 55])
    since = min(BEFORE, len(rig.stream) - AFTER - 5)
    stream = draw(kind, rng, rig.stream, since, model, rig.other)
    labelled = stream.labelled[: since + AFTER]
    scores = [
        evaluate(rig.associator, [entries[t] for t in range(since, min(since + AFTER, len(entries)))]).f1
        for entries in (rig.stream, labelled)
    ]
    started, delay = time.perf_counter(), np.inf
    problems: tuple[Any, ...] = ()
    taken = 0

    def taking() -> Iterator[Frame]:
        nonlocal taken
        for taken, (frame, _) in enumerate(labelled, start=1):  # noqa: B007
            yield frame

    for found in rig.associator.associate_many(taking()):
        if found.problems and not problems:
            problems, delay = found.problems, taken - since
    if not problems and rig.associator.health_.problems:
        problems, delay = rig.associator.health_.problems, taken - since
    seconds = time.perf_counter() - started
    names = {model.views[view].name for view in stream.views}
    right_kind = bool(problems) and {p.kind for p in problems} == {NAMES[kind.split(maxsplit=1)[0]]}
    right_view = {p.view for p in problems} == names
    falls = scores[0] - scores[1] > FALL
    verdict = "ok" if right_kind and right_view else "WRONG" if falls else "-"
    print(
        f"{name} {seed} ({rig.name}) {kind} {stream.views}: F1 {scores[0]:.3f} -> {scores[1]:.3f}, {verdict}: "
        f"{[(p.view, p.kind, p.since - since) for p in problems]} after {delay}, {seconds:.1f} s",
        flush=True,
    )
    return falls, bool(problems), right_kind, right_view, float(delay)


def alarms(streams: range, rigs: list[str], instants: int) -> None:
    """Print how many stretches of right streams have a false alarm: each by itself, and in one stream."""
    for name in rigs:
        stretches = wrong = in_streams = 0
        for rig in _right(name, streams, instants):
            frames = [frame for frame, _ in rig.stream]
            for first in range(0, max(len(frames) - STRETCH // 2, 1), STRETCH):
                problems = _problems(rig, frames[first : first + STRETCH])
                stretches += 1
                wrong += bool(problems)
                if problems:
                    print(f"FALSE ALARM {name} ({rig.name}) at {first}: {problems}", flush=True)
            problems = _problems(rig, frames)
            in_streams += len({problem.since for problem in problems})
            if problems:
                print(f"FALSE ALARM {name} ({rig.name}) in one stream: {problems}", flush=True)
        print(
            f"{name}: {wrong} false alarms in {stretches} stretches of up to {STRETCH} instants, {in_streams} in "
            "the same as whole streams",
            flush=True,
        )


def _problems(rig: Rig, frames: list[Frame]) -> tuple[Any, ...]:
    for _found in rig.associator.associate_many(frames):
        pass
    return rig.associator.health_.problems


def _right(  # noqa: C901
    name: str, streams: range, instants: int
) -> Iterator[Rig]:
    if name == "simulated":
        for seed in streams:
            rig = simulated(seed, instants)
            if rig is not None:
                yield rig
    elif name == "wildtrack":
        yield wildtrack_rig()
    elif name.startswith("epfl"):  # epfl, epfl-12, epfl-12-1: all, one scene, with a stride
        _, *parts = name.split("-")
        for scene in parts[:1] or EPFL:
            yield epfl_rig(scene, *map(int, parts[1:]))
    elif name.startswith("cmc"):  # cmc-1-fairmot
        from _rigs import cmc

        _, room, detector = name.split("-")
        part = cmc(int(room), detector).part
        yield recorded(part.labelled, part.views, len(part.labelled) // 2, part.name)
    elif name == "outdoors":  # as PETS 2009: a low resolution, a wide place, a bad detector
        for seed in streams:
            rig = simulated(
                seed,
                instants,
                width=768,
                height=576,
                floor_width=20.0,
                floor_depth=16.0,
                linger=2.0,
                jitter=0.05,
                miss_rate=0.15,
                false_rate=0.4,
                cut_feet_rate=0.15,
            )
            if rig is not None:
                yield rig


def cost(seed: int = 1, repeats: int = 15) -> None:
    """Print the share of `associate_many` that the watch takes, on a right stream."""
    from dataclasses import replace

    rig = simulated(seed, 1000)
    assert rig is not None
    frames = [frame for frame, _ in rig.stream]
    model = rig.associator.model_
    blind = Associator.from_model(replace(model, profile=None))
    times: dict[str, list[float]] = {"watched": [], "not watched": []}
    for _ in range(repeats):
        for title, associator in (("watched", rig.associator), ("not watched", blind)):
            started = time.process_time()
            for _found in associator.associate_many(frames):
                pass
            times[title].append(time.process_time() - started)
    best = {title: min(values) for title, values in times.items()}
    ratios = np.array(times["watched"]) / np.array(times["not watched"])
    print(
        f"{rig.name}: {1e3 * best['watched'] / len(frames):.4f} ms an instant watched, "
        f"{1e3 * best['not watched'] / len(frames):.4f} ms not; best of {repeats}: "
        f"{best['watched'] / best['not watched'] - 1:+.1%}, median of ratios {np.median(ratios) - 1:+.1%}"
    )


def _numbered(labelled: list[Labelled]) -> list[Labelled]:
    return [(Frame(frame.boxes, number), ids) for number, (frame, ids) in enumerate(labelled)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["faults", "alarms", "cost"], help="faults, alarms, cost: all three")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--instants", type=int, default=2000, help="of a right stream")
    parser.add_argument("--rigs", nargs="+", default=["simulated", "epfl", "wildtrack"])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(describe())
    seeds = range(args.first, args.first + args.seeds)
    for what in args.what:
        {
            "faults": lambda: faults(seeds, args.rigs),
            "alarms": lambda: alarms(seeds, args.rigs, args.instants),
            "cost": cost,
        }[what]()


if __name__ == "__main__":
    main()
