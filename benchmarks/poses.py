"""Poses in three dimensions on Shelf: without calibration, and with the true cameras.

python benchmarks/poses.py [--rows uncalibrated true refined published] [--seeds 0 1 2]

"uncalibrated": fit() on the joints of all instants, nothing else; scored after one similarity of the whole recording.
"true": the true cameras are given to the model that told people apart. "refined": both, followed by `track`, smoothed,
with limbs that keep their lengths; "filled": and gaps of joints of half a second filled. "published": the poses of 4D
association, which come with the data. Median error and MPJPE are in metres, of the joints that truth and poses have;
PCP is the mean of the first three people of the truth, as far as they are in it. CPU seconds of fit(), and milliseconds
an instant of association and triangulation, or of refining.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np
from _machine import describe
from _shelf import SHELF, VIEWS, cameras, frames, truth
from tabulate import tabulate

from selfmva import Associator
from selfmva.association.poses import find_poses
from selfmva.core.skeletons import Skeleton
from selfmva.metrics.pose import as_shelf14, score
from selfmva.pose import Poses3D, PoseTracks

if TYPE_CHECKING:
    from selfmva import Frame
    from selfmva.metrics.pose import PoseScores

INSTANTS = range(200)  # that have truth
FIRST_PEOPLE = (0, 1, 2)
HALF_A_SECOND = 12  # instants


def line(name: str, found: list[Poses3D], alignment: str, **more: str) -> dict[str, str]:
    """One row of the table."""
    scores: PoseScores = score(truth(INSTANTS), found, alignment=alignment, people=FIRST_PEOPLE)
    by_person = ", ".join(f"{part['all']:.3f}" for who, part in scores.pcp_of_people.items() if who in FIRST_PEOPLE)
    return {
        "": name,
        "median error": f"{scores.median_error:.4f}",
        "MPJPE": f"{scores.mpjpe:.4f}",
        "PCP": f"{scores.pcp:.3f} ({by_person})",
        "AP .10, .15": f"{scores.average_precision[0.1]:.3f}, {scores.average_precision[0.15]:.3f}",
        "recall .5": f"{scores.recall[0.5]:.3f}",
        **more,
    }


def measure(seed: int, rows: list[str]) -> list[dict[str, str]]:
    """Fit on everything, then poses of the instants with truth."""
    recording = frames()
    started = time.process_time()
    associator = Associator(skeleton="body25", recipe="geometry", seed=seed).fit(VIEWS, recording)
    fit = time.process_time() - started
    assert associator.floor_ is not None
    trusted = f"{sum(support.trusted for support in associator.floor_.supports.values())} of 10"
    parts = [recording[t] for t in INSTANTS]
    started = time.process_time()
    found = [as_shelf14(poses) for poses in associator.poses_many(parts)]
    each = (time.process_time() - started) / len(parts) * 1e3
    table = []
    if "uncalibrated" in rows:
        more = {"pairs": trusted, "fit CPU s": f"{fit:.1f}", "ms": f"{each:.1f}"}
        table.append(line(f"uncalibrated, seed {seed}", found, "similarity", **more))
    if "true" in rows:
        given = [as_shelf14(find_poses(one, cameras(), "body25", "metres")) for one in associator.associate_many(parts)]
        table.append(line(f"true cameras, seed {seed}", given, "none"))
    if "refined" in rows:
        table += refined(associator, recording, seed)
    return table


def refined(associator: Associator, recording: list[Frame], seed: int) -> list[dict[str, str]]:
    """Two rows: of the cameras that were found, and of the true ones."""
    table, tracks = [], associator.track(recording)
    for name, given, alignment in (
        ("uncalibrated", list(associator.poses_many(tracks)), "similarity"),
        ("true cameras", [find_poses(one, cameras(), "body25", "metres") for one in tracks], "none"),
    ):
        for step, gap in (("followed", None), ("refined", 0), ("filled", HALF_A_SECOND)):
            started = time.process_time()
            poses = PoseTracks.of(given) if gap is None else PoseTracks.of(given).refined(longest_gap=gap)
            each = f"{(time.process_time() - started) / len(poses) * 1e3:.1f}"
            shown = [as_shelf14(one) for one in poses.poses[: len(INSTANTS)]]
            table.append(
                line(f"{name}, {step}, seed {seed}", shown, alignment, **({} if gap is None else {"ms": each}))
            )
    return table


def published() -> list[Poses3D]:
    """The poses of 4D association, of nineteen joints, as those of the truth."""
    # In the order that the joints of a detector near their projections say.
    names = (
        "mid_hip", "neck", "right_hip", "left_hip", "nose", "right_shoulder", "left_shoulder",
        "right_knee", "left_knee", "right_ear", "left_ear", "right_elbow", "left_elbow",
        "right_ankle", "left_ankle", "right_wrist", "left_wrist", "left_big_toe", "right_big_toe",
    )  # fmt: skip
    content, skeleton = np.load(SHELF / "published_4da.npz"), Skeleton("skel19", names)
    poses = []
    for t in INSTANTS:
        rows = content["frame"] == t
        joints = content["joints"][rows]
        places = np.where(joints[..., 3:] > 0, joints[..., :3], np.nan)
        one = Poses3D(places, joints[..., 3], content["identity"][rows], skeleton=skeleton, index=t, unit="metres")
        poses.append(as_shelf14(one))
    return poses


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=["uncalibrated", "true", "refined", "published"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    print(describe(), "\n")
    table = [row for seed in options.seeds for row in measure(seed, options.rows)]
    if "published" in options.rows:
        table.append(line("published, 4D association", published(), "none"))
    print(tabulate(table, headers="keys", tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
