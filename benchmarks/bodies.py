"""Cameras from the joints of people: what is trusted on simulated recordings, and whether it is right.

python benchmarks/bodies.py [--rows right mirrored ...] [--scenes 0 50]

"right": people who walk, stand and sit under 2 to 5 cameras, 2 to 25 instants a second. "unrelated": every camera films
a crowd of its own. "mirrored": one view shows the world as a mirror does, and its detector takes left for right.
"shifted": one view is of three seconds later. "standing": one person who never moves. "lockstep": everybody walks in
formation.

A pair of views is wrong where one of them has no place among the others, or where its cameras are turned against each
other by more than 10 degrees more or less than the true ones. "turn", "up" and "focal" are medians over the scenes of
the largest errors: of turns between two cameras, of the vertical (degrees), and of focal lengths (fractions).
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _machine import describe
from tabulate import tabulate

from selfmva import Frame
from selfmva.core.skeletons import Skeleton
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.bodies.calibration import BodyCalibration, calibrate_by_bodies

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from body_scenes import degrees_apart, true_cameras  # what the tests know of simulated people

ROWS = ("right", "unrelated", "mirrored", "shifted", "standing", "lockstep")
OPTIONS: dict[str, dict[str, object]] = {
    "unrelated": {"unrelated_views": True},
    "standing": {"standing": True, "people": 1},
    "lockstep": {"lockstep": True},
}
NOTHING_IS_RIGHT = ("unrelated", "standing")
LATER = 3.0  # seconds
TURN = 10.0  # degrees


@dataclass(frozen=True)
class Verdict:
    """One scene."""

    views: int
    placed: int
    trusted: int
    wrong: int
    turn: float
    up: float
    focal: float
    seconds: float


def draw(seed: int, **options: object) -> Simulated:
    """A room of its own."""
    rng = np.random.default_rng([seed, 91])
    chosen: dict[str, object] = {
        "views": int(rng.integers(2, 6)),
        "people": int(rng.integers(1, 9)),
        "instants": int(rng.integers(60, 300)),
        "interval_seconds": float(rng.choice([0.04, 0.1, 0.25, 0.5])),
        "floor_width": float(rng.uniform(4, 10)),
        "floor_depth": float(rng.uniform(4, 8)),
        "keypoint_noise": float(rng.uniform(0.005, 0.02)),
        "keypoint_miss_rate": float(rng.uniform(0.05, 0.2)),
        "sitting": float(rng.choice([0, 0.5])),
        "linger": float(rng.choice([1, 3])),
        "skeleton": str(rng.choice(["body25", "coco17", "panoptic15", "halpe26"])),
    }
    return Simulated(seed=seed, **(chosen | options))


def filmed(scene: Simulated, row: str, odd: int) -> list[Frame]:
    """What the cameras show; one of them is not what it seems."""
    every = [scene.frame(t).keypoints or () for t in range(len(scene))]
    if row == "mirrored":
        sides, width = list(Skeleton.named(scene.config.skeleton or "").mirrored), scene.views[odd].width
        every = [_with(part, odd, (part[odd][:, sides] - [width, 0, 0]) * [-1, 1, 1]) for part in every]
    if row == "shifted":
        late = max(5, int(LATER / scene.config.interval_seconds))
        every = [_with(part, odd, every[(t + late) % len(every)][odd]) for t, part in enumerate(every)]
    return [Frame(keypoints=part, index=t) for t, part in enumerate(every)]


def _with(part: tuple[np.ndarray, ...], view: int, keypoints: np.ndarray) -> tuple[np.ndarray, ...]:
    return (*part[:view], keypoints, *part[view + 1 :])


def judge(scene: Simulated, found: BodyCalibration, odd: set[int], seconds: float) -> Verdict:
    """Compare with the true cameras."""
    true, wrong, turns = true_cameras(scene), 0, [0.0]
    for i, j in found.matches:
        one, other = found.cameras[i], found.cameras[j]
        assert one is not None
        assert other is not None
        turn = degrees_apart(other.R @ one.R.T, true[j].R @ true[i].R.T)
        wrong += bool({i, j} & odd) or turn > TURN
        turns.append(turn)
    placed = [(camera, known) for camera, known in zip(found.cameras, true, strict=True) if camera is not None]
    return Verdict(
        len(true),
        len(placed),
        len(found.matches),
        wrong,
        max(turns),
        max((np.degrees(np.arccos(np.clip(c.R[:, 2] @ k.R[:, 2], -1, 1))) for c, k in placed), default=np.nan),
        max((abs(c.K[0, 0] / k.K[0, 0] - 1) for c, k in placed), default=np.nan),
        seconds,
    )


def measure(row: str, seed: int) -> Verdict:
    """One scene."""
    scene = draw(seed, **OPTIONS.get(row, {}))
    odd = seed % len(scene.views)
    frames = filmed(scene, row, odd)
    started = time.process_time()
    found = calibrate_by_bodies(scene.views, frames, Skeleton.named(scene.config.skeleton or ""))
    seconds = time.process_time() - started
    strange = (
        set(range(len(scene.views))) if row in NOTHING_IS_RIGHT else {odd} if row in {"mirrored", "shifted"} else set()
    )
    verdict = judge(scene, found, strange, seconds)
    print(f"{row}, seed {seed}: {verdict}", flush=True)
    return verdict


def summary(row: str, verdicts: list[Verdict]) -> dict[str, str]:
    """One row of the table."""
    right = [verdict for verdict in verdicts if verdict.placed]

    def median(name: str) -> str:
        return f"{np.median([getattr(verdict, name) for verdict in right]):.2f}" if right else "-"

    return {
        "": row,
        "scenes": str(len(verdicts)),
        "placed": f"{sum(verdict.placed for verdict in verdicts)} of {sum(verdict.views for verdict in verdicts)}",
        "trusted pairs": str(sum(verdict.trusted for verdict in verdicts)),
        "wrong": str(sum(verdict.wrong for verdict in verdicts)),
        "turn": median("turn"),
        "up": median("up"),
        "focal": median("focal"),
        "CPU s": f"{np.median([verdict.seconds for verdict in verdicts]):.1f}",
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--scenes", nargs=2, type=int, default=(0, 50))
    options = parser.parse_args()
    print(describe(), "\n")
    table = [summary(row, [measure(row, seed) for seed in range(*options.scenes)]) for row in options.rows]
    print(tabulate(table, headers="keys", tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
