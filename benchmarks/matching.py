"""Assignment and grouping against their peers, each in the same run; lap and lapx in environments of their own.

python benchmarks/matching.py [--repeats 7] [--here] [--tables assignment crossovers grouping gpu]

Without --here, an environment is made for each of ENVIRONMENTS under build/, and the script runs in each of them.
CPU milliseconds on one thread: median (quartiles) of interleaved repeats; ratios are medians over the repeats.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
import venv
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

ENVIRONMENTS = {
    "lap": ("numpy", "scipy", "lap", "tabulate", "pygmtools", "torch-linear-assignment"),
    "lapx": ("numpy", "scipy", "lapx", "tabulate"),
}
TABLES = {"lap": ("assignment", "crossovers", "grouping", "gpu"), "lapx": ("assignment",)}
ROOT = Path(__file__).parents[1]
SIZES = ((5, 5), (20, 20), (30, 45), (40, 40))
PROBLEMS = 1000
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import numpy as np
    from torch import Tensor


def in_own_environments(arguments: list[str]) -> None:
    """Make the environments that are missing, and run this script in each."""
    for name, packages in ENVIRONMENTS.items():
        folder = ROOT / "build" / f"environment-{name}"
        python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        if not python.exists():
            venv.create(folder, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        print(f"\n# Environment {name}", flush=True)
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT / "src")}
        tables = ("--tables", *TABLES[name])
        subprocess.run([python, __file__, "--here", *tables, *arguments], check=True, env=environment)


def interleaved(contestants: dict[str, Callable[[], object]], repeats: int) -> dict[str, np.ndarray]:
    """CPU milliseconds of each repeat; one of each in turn, so that a slow spell of the machine hits all."""
    import numpy as np

    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(repeats + 1):
        for name, call in contestants.items():
            start = time.process_time()
            call()
            if repeat:  # the first one warms up
                taken[name].append(1e3 * (time.process_time() - start))
    return {name: np.array(values) for name, values in taken.items()}


def on_each(call: Callable[[Any], object], items: Sequence[Any]) -> None:
    for item in items:
        call(item)


def cell(values: np.ndarray) -> str:
    import numpy as np

    low, middle, high = np.percentile(values, [25, 50, 75])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def show(title: str, rows: list[list[object]], headers: list[str]) -> None:
    from tabulate import tabulate

    print(f"\n## {title}\n\n" + tabulate(rows, headers=headers, tablefmt="github"), flush=True)


def peers(costs: np.ndarray) -> dict[str, Callable[[], object]]:
    """Every solver that is installed, called as its users would, but for totals where they can be left out."""
    import lap
    from scipy.optimize import linear_sum_assignment

    calls: dict[str, Callable[[], object]] = {"scipy": lambda: [linear_sum_assignment(matrix) for matrix in costs]}
    if hasattr(lap, "lapjvh_batch"):
        calls["lapx, lapjvh_batch"] = lambda: lap.lapjvh_batch(costs, extend_cost=True, return_cost=False, n_threads=1)
    else:
        calls["lap, lapjv"] = lambda: [lap.lapjv(matrix, extend_cost=True, return_cost=False) for matrix in costs]
    if find_spec("torch_linear_assignment"):
        import torch
        from torch_linear_assignment import batch_linear_assignment

        torch.set_num_threads(1)
        tensor = torch.from_numpy(costs)
        calls["torch-linear-assignment"] = lambda: batch_linear_assignment(tensor)
    if find_spec("pygmtools"):
        import pygmtools

        pygmtools.set_backend("numpy")
        calls["pygmtools"] = lambda: pygmtools.hungarian(-costs)
    return calls


def uniform(rng: np.random.Generator, n: int, m: int) -> np.ndarray:
    return rng.random((PROBLEMS, n, m))


def people(rng: np.random.Generator, n: int, m: int) -> np.ndarray:
    """Distances of places that two views tell with errors, in the unit square: what assignments are about here."""
    import numpy as np

    place = rng.random((PROBLEMS, max(n, m), 2))
    seen = place + rng.normal(0, 0.03, place.shape)
    return np.linalg.norm(place[:, :n, None] - seen[:, None, :m], axis=-1)


def assignment(repeats: int) -> None:
    import lap
    import numpy as np

    from selfmva.matching.assignment import solve

    rng = np.random.default_rng(0)
    for title, draw in (("uniform costs", uniform), ("people", people)):
        rows = []
        for n, m in SIZES:
            costs = draw(rng, n, m)
            others = peers(costs)
            taken = interleaved({"solve": lambda costs=costs: solve(costs), **others}, repeats)
            fastest = min(others, key=lambda name: float(np.median(taken[name])))
            # Of the rounds: between them the machine may change its pace.
            ratio = np.median(taken[fastest] / taken["solve"])
            rows.append([f"{n} x {m}", *map(cell, taken.values()), f"{ratio:.2f}", fastest])
        show(f"{PROBLEMS} assignment problems, {title}: CPU ms", rows, ["size", *taken, "ratio", "of the fastest peer"])
    rows = []
    for n, m in SIZES:
        costs = rng.random((PROBLEMS, n, m))
        gated, mixed = costs, rng.integers(1, min(n, m) + 1, (2, PROBLEMS))
        taken = interleaved(
            {
                "plain": lambda costs=costs: solve(costs),
                "unmatched_cost=0.3": lambda costs=gated: solve(costs, unmatched_cost=0.3),
                "mixed sizes": lambda costs=costs, mixed=mixed: solve(costs, *mixed),
                "mixed sizes by SciPy": lambda costs=costs, mixed=mixed: solve(costs, *mixed, backend="scipy"),
            },
            repeats,
        )
        wall = {}
        for threads in (1, 2):
            start = time.perf_counter()
            for _ in range(repeats):
                solve(costs, threads=threads)
            wall[threads] = 1e3 * (time.perf_counter() - start) / repeats
        rows.append([f"{n} x {m}", *map(cell, taken.values()), f"{wall[1]:.2f}", f"{wall[2]:.2f}"])
    headers = ["size", *taken, "wall, 1 thread", "wall, 2 threads"]
    show(f"solve() with {'lapx' if hasattr(lap, 'lapjvh_batch') else 'lap'}: CPU ms", rows, headers)


def crossovers(repeats: int) -> None:
    """Where lap overtakes SciPy, for the constants of `selfmva.matching.solvers`."""
    import numpy as np

    from selfmva.matching.assignment import solve

    rng = np.random.default_rng(0)
    rows = []
    for n, m in [(n, n) for n in (8, 10, 12, 14)] + [(n, n * k // 4) for n in (16, 20, 24, 32, 40) for k in (5, 6, 8)]:
        row = [f"{n} x {m}"]
        for draw in (uniform, people):
            costs = draw(rng, n, m)
            taken = interleaved(
                {name: partial(solve, costs, backend=name) for name in ("scipy", "lap")},
                repeats,
            )
            different = np.mean([len(set(favourites)) / n for favourites in costs.argmin(axis=2).tolist()])
            row += [f"{np.median(taken['scipy'] / taken['lap']):.2f}", f"{different:.2f}"]
        rows.append(row)
    headers = ["size", "uniform", "favourites that differ", "people", "favourites that differ"]
    show("How much faster lap is than SciPy", rows, headers)
    rows = []
    for n in (5, 16, 32, 48, 64):
        row = [f"{n} x {n}"]
        for count in (1, 4, 8, 16):
            costs = uniform(rng, n, n)
            batches = [costs[first : first + count] for first in range(0, 160, count)]
            calls = {name: partial(solve, backend=name) for name in ("scipy", "lap", "auto")}
            taken = interleaved({name: partial(on_each, call, batches) for name, call in calls.items()}, repeats)
            row += [f"{np.median(taken['scipy'] / taken[name]):.2f}" for name in ("lap", "auto")]
        rows.append(row)
    headers = ["size", *(f"{name}, {count} at once" for count in (1, 4, 8, 16) for name in ("lap", "auto"))]
    show("Few at once: how much faster than SciPy", rows, headers)


def grouping(repeats: int) -> None:
    import numpy as np
    from _crowds import draw_crowd, padded, pair_f1, worth
    from _low_rank import low_rank_groups
    from scipy.sparse.csgraph import connected_components

    from selfmva.matching.assignment import solve
    from selfmva.matching.grouping.groups import group, group_frames

    def closure(crowd):
        joined = np.zeros_like(crowd.log_odds)
        for i in range(crowd.view.max()):
            for j in range(i + 1, crowd.view.max() + 1):
                one, other = np.flatnonzero(crowd.view == i), np.flatnonzero(crowd.view == j)
                match = solve(-crowd.log_odds[np.ix_(one, other)], unmatched_cost=0.0).matches(0)
                joined[one[match[:, 0]], other[match[:, 1]]] = 1
        return connected_components(joined, directed=False)[1]

    rng = np.random.default_rng(0)
    rows = []
    for noise in (1.0, 1.5, 2.0, 3.0):
        gaps = []
        for _ in range(1000):
            crowd = draw_crowd(int(rng.integers(2, 5)), int(rng.integers(1, 6)), noise, rng)
            best = worth(crowd, group(crowd.log_odds, crowd.view, solver="exact"))
            gaps.append(1 - worth(crowd, group(crowd.log_odds, crowd.view)) / best if best > 1e-9 else 0.0)
        optimal = np.mean(np.array(gaps) < 1e-9)
        rows.append([noise, f"{optimal:.1%}", f"{np.mean(gaps):.4%}", f"{np.max(gaps):.2%}"])
    show(
        "1000 frames of 2 to 4 views and 1 to 5 people, against the exact optimum",
        rows,
        ["noise", "optimal", "mean gap", "largest gap"],
    )

    methods = {
        "group": lambda crowd: group(crowd.log_odds, crowd.view),
        "transitive closure": closure,
        "low rank (mvpose)": lambda crowd: low_rank_groups(1 / (1 + np.exp(-crowd.log_odds)), crowd.view),
    }
    rows = []
    for noise in (1.0, 1.5, 2.0):
        crowds = [draw_crowd(7, 20, noise, rng) for _ in range(64)]
        log_odds, count = padded(crowds)
        taken = interleaved({name: partial(on_each, call, crowds[:16]) for name, call in methods.items()}, 3)
        together = interleaved({"all": partial(group_frames, log_odds, count)}, repeats)["all"] / len(crowds)
        for name, call in methods.items():
            score = np.mean([pair_f1(crowd, call(crowd)) for crowd in crowds[:16]])
            rows.append([noise, name, f"{score:.3f}", cell(taken[name] / 16)])
        rows.insert(-2, [noise, "group_frames, 64 frames at once", "the same", cell(together)])
    show("7 views x 20 people: pair F1 and CPU ms a frame", rows, ["noise", "method", "pair F1", "CPU ms"])

    rows = []
    for noise in (1.0, 2.0):
        crowd = draw_crowd(100, 50, noise, rng)
        ids = []
        taken = interleaved({"group": lambda crowd=crowd, ids=ids: ids.append(group(crowd.log_odds, crowd.view))}, 3)
        rows.append([noise, len(crowd.view), f"{pair_f1(crowd, ids[0]):.4f}", cell(taken["group"] / 1e3)])
    show("100 views x 50 people: CPU s", rows, ["noise", "boxes", "pair F1", "CPU s"])


def gpu(repeats: int) -> None:
    if not find_spec("torch"):
        return
    import numpy as np
    import torch

    if not torch.cuda.is_available():
        print("\nno GPU: the table of CUDA is left out")
        return
    from scipy.optimize import linear_sum_assignment
    from torch_linear_assignment import batch_linear_assignment

    from selfmva.matching.assignment import solve

    costs = torch.rand(4096, 40, 40, pin_memory=True)

    def ours() -> Tensor:
        return solve(costs.cuda(non_blocking=True)).columns.cpu()

    def peer() -> Tensor:
        return batch_linear_assignment(costs.cuda(non_blocking=True)).cpu()

    def reference() -> list[object]:
        return [linear_sum_assignment(matrix) for matrix in costs.numpy()]

    calls = {
        "solve, transfers included": ours,
        "torch-linear-assignment, transfers included": peer,
        "scipy, one thread": reference,
    }
    rows = []
    for name, call in calls.items():
        call()
        taken = []
        for _ in range(repeats):
            torch.cuda.synchronize()
            start = time.perf_counter()
            call()
            torch.cuda.synchronize()
            taken.append(1e3 * (time.perf_counter() - start))
        rows.append([name, cell(np.array(taken))])
    show(f"4096 problems of 40 x 40 on {torch.cuda.get_device_name()}: wall ms", rows, ["solver", "wall ms"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--here", action="store_true", help="in this environment, with the peers that it has")
    parser.add_argument("--tables", nargs="+", choices=TABLES["lap"], default=list(TABLES["lap"]))
    options = parser.parse_args()
    if not options.here:
        in_own_environments(["--repeats", str(options.repeats)])
        return
    from _machine import describe

    print(describe())
    for table in options.tables:
        {"assignment": assignment, "crossovers": crossovers, "grouping": grouping, "gpu": gpu}[table](options.repeats)


if __name__ == "__main__":
    main()
