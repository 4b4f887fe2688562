"""What smoothing and lengths of limbs are worth: simulated people, true cameras and identities, before and after.

python benchmarks/pose_motion.py [--scenes 20 28]

Distances of joints from the truth in centimetres: median, mean, and the worst twentieth; "filled" are joints that
nobody saw, in gaps of up to ten instants. "limbs" is the median error of lengths of limbs. Eight scenes each, four
cameras, three people, 15 seconds or 150 instants; "noisy" has keypoints that miss by three times as much, ten in a
hundred of them astray.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from _machine import describe
from tabulate import tabulate

from selfmva.association.poses import find_poses
from selfmva.association.tracks import TrackedFrame
from selfmva.pose import PoseTracks

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from body_scenes import people, true_cameras  # what the tests know of simulated people

NOISY = {"keypoint_noise": 0.03, "keypoint_astray_rate": 0.1, "keypoint_swap_rate": 0.05}
ROWS = {
    "25 a second": {"interval_seconds": 0.04, "instants": 375},
    "10 a second": {},
    "5 a second": {"interval_seconds": 0.2},
    "2.5 a second": {"interval_seconds": 0.4},
    "25 a second, noisy": {"interval_seconds": 0.04, "instants": 375, **NOISY},
    "10 a second, noisy": NOISY,
    "2.5 a second, noisy": {"interval_seconds": 0.4, **NOISY},
}
GAP = 10  # instants


def film(seed: int, options: dict[str, object]) -> tuple[PoseTracks, list[np.ndarray]]:
    """Poses by true cameras and identities, and the true joints of the same people."""
    scene = people(seed, 4, **options)
    cameras, poses, true = true_cameras(scene), [], []
    for t in range(len(scene)):
        ids = scene.identities(t)
        instant = TrackedFrame(scene.frame(t), scene.views, ids, tuple(np.ones(len(one)) for one in ids))
        poses.append(find_poses(instant, cameras, "coco17", "metres"))
        who, joints = scene.joints(t)
        row = {person: number for number, person in enumerate(who.tolist())}
        true.append(joints[[row[person] for person in poses[-1].ids.tolist()]])
    return PoseTracks.of(poses), true


def errors(tracks: PoseTracks, true: list[np.ndarray]) -> np.ndarray:
    """Centimetres."""
    away = [np.linalg.norm(one.joints - joints, axis=-1) for one, joints in zip(tracks, true, strict=True) if len(one)]
    return 100 * np.concatenate(away)


def limb_errors(tracks: PoseTracks, true: list[np.ndarray]) -> list[float]:
    """Centimetres, of limbs that 20 instants tell."""
    exact = PoseTracks.of(
        replace(one, joints=joints, uncertainties=None) if len(one) else one
        for one, joints in zip(tracks, true, strict=True)
    )
    keys = ["id", "start", "end"]
    both = tracks.limb_lengths().merge(exact.limb_lengths(), on=keys, suffixes=("", "_true"))
    both = both[both["instants"] >= 20]
    return (100 * (both["length"] - both["length_true"]).abs()).tolist()


def described(away: np.ndarray) -> str:
    known = away[np.isfinite(away)]
    return f"{np.median(known):.1f}, {known.mean():.1f}, {np.quantile(known, 0.95):.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", nargs=2, type=int, default=[20, 28])
    options = parser.parse_args()
    print(describe(), "\n")
    table = []
    for name, row in ROWS.items():
        before, after, gaps, lengths, worse, seconds, instants = [], [], [], [], 0, 0.0, 0
        for seed in range(*options.scenes):
            tracks, true = film(seed, row)
            started = time.process_time()
            refined = tracks.refined()
            seconds, instants = seconds + time.process_time() - started, instants + len(tracks)
            old, new = errors(tracks, true), errors(refined, true)
            filled = errors(tracks.refined(longest_gap=GAP), true)
            before.append(old.reshape(-1))
            after.append(new.reshape(-1))
            gaps.append(filled[np.isnan(old) & np.isfinite(filled)])
            lengths += limb_errors(refined, true)
            worse += int(np.nanmean(new) > np.nanmean(old))
        table.append(
            {
                "": name,
                "triangulated": described(np.concatenate(before)),
                "refined": described(np.concatenate(after)),
                "scenes that got worse": worse,
                "filled": described(np.concatenate(gaps)),
                "limbs": f"{np.median(lengths):.1f}",
                "ms an instant": f"{seconds / instants * 1e3:.1f}",
            }
        )
    print(tabulate(table, headers="keys", tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
