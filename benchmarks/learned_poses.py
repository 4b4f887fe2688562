"""Learnt poses against triangulation, on people of simulations and on Shelf, with the true cameras.

python benchmarks/learned_poses.py [--rows simulated found shelf] [--seeds 0 1 2]

"simulated": who is who is told, to both; the networks learn from the first part of a recording with the detector's
usual errors, and are scored on its last part, with those, with none, and with half of the joints missing in each view.
"found": the same, but the networks also find out who is who. "shelf": ids of `fit` without calibration, poses with the
true cameras, learnt from instants without truth (200 on) and scored on those with truth, as the mean of the first three
people. Errors are in millimetres, over the joints that triangulation knows, and over those that it does not.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from _machine import describe
from scipy.optimize import linear_sum_assignment
from tabulate import tabulate

from selfmva.association.poses import find_poses
from selfmva.datasets.simulated import Simulated
from selfmva.geometry.cameras import Camera
from selfmva.training.poses import SelfSupervisedPoseTrainer

if TYPE_CHECKING:
    from selfmva import Frame
    from selfmva.pose import Poses3D
    from selfmva.pose.learned import MultiViewPoseEstimator

SCENE = {"views": 5, "people": 4, "floor_width": 5.0, "floor_depth": 4.0, "interval_seconds": 0.2, "sitting": 0.3}
SKELETON, STATURE = "panoptic15", 1.7
LEARNT, JUDGED = 150, 60  # instants
CONDITIONS = {  # of the detector, where it is scored; the first is as it is learnt from
    "usual errors": {},
    "nothing missing, nothing astray": {
        "keypoint_miss_rate": 0.0,
        "keypoint_astray_rate": 0.0,
        "keypoint_swap_rate": 0.0,
        "occlusion_threshold": 1.0,
    },
    "half missing": {"keypoint_miss_rate": 0.5},
    "half missing, nothing astray": {
        "keypoint_miss_rate": 0.5,
        "keypoint_astray_rate": 0.0,
        "keypoint_swap_rate": 0.0,
    },
}


class Told:
    """Who is who, as an association says it."""

    def __init__(self, frame: Frame, ids: tuple[np.ndarray, ...]) -> None:
        self.frame, self.ids = frame, ids


def true_cameras(scene: Simulated) -> list[Camera]:
    """The cameras of a simulation, in metres."""
    found = []
    for matrix in scene.projections:
        intrinsic, rotation, centre = cv2.decomposeProjectionMatrix(matrix)[:3]
        signs = np.diag(np.sign(np.diag(intrinsic)))
        rotation = signs @ rotation
        rotation = rotation * np.sign(np.linalg.det(rotation))
        intrinsic = np.abs(np.triu(intrinsic @ signs / intrinsic[2, 2]))
        found.append(Camera(intrinsic, rotation, -rotation @ (centre[:3, 0] / centre[3, 0])))
    return found


def compare(truth: np.ndarray, names: np.ndarray, poses: Poses3D, other: Poses3D | None) -> tuple[np.ndarray, ...]:
    """Errors `(P, K)` of poses for the people of an instant, of others by the same ids; NaN where not known."""
    learnt, plain = np.full(truth.shape[:2], np.nan), np.full(truth.shape[:2], np.nan)
    if other is None:
        away = np.linalg.norm(truth[:, None] - poses.joints[None], axis=-1)
        rows, columns = linear_sum_assignment(np.minimum(away.mean(-1), 0.5)) if len(poses) else ([], [])
        for row, column in zip(rows, columns, strict=True):
            if away[row, column].mean() < 0.5:
                learnt[row] = away[row, column]
        return learnt, plain
    for row, name in enumerate(names):
        for found, errors in ((poses, learnt), (other, plain)):
            own = np.flatnonzero(found.ids == name)
            if len(own):
                errors[row] = np.linalg.norm(found.joints[own[0]] - truth[row], axis=-1)
    return learnt, plain


def train(seed: int, told: bool) -> tuple[MultiViewPoseEstimator, list[Camera], float]:
    """Learn from the first part of a recording."""
    scene = Simulated(seed=seed, instants=LEARNT, skeleton=SKELETON, **SCENE)
    cameras = true_cameras(scene)
    frames = [scene.frame(t) for t in range(LEARNT)]
    ids = [scene.identities(t) for t in range(LEARNT)] if told else None
    started = time.process_time()
    estimator = SelfSupervisedPoseTrainer(seed=seed).fit(
        scene.views, frames, cameras, skeleton=SKELETON, body_height=STATURE, ids=ids
    )
    return estimator, cameras, time.process_time() - started


def simulated(seed: int, told: bool) -> list[dict[str, str]]:
    """Rows of one seed: the same rig and people, filmed longer, by detectors with other errors."""
    estimator, cameras, seconds = train(seed, told)
    table = []
    for condition, errors in CONDITIONS.items():
        scene = Simulated(seed=seed, instants=LEARNT + JUDGED, skeleton=SKELETON, **SCENE, **errors)
        learnt, plain, false = [], [], 0
        started = time.process_time()
        for t in range(LEARNT, LEARNT + JUDGED):
            frame, ids = scene.frame(t), scene.identities(t)
            names, joints = scene.joints(t)
            # People whom two cameras show: nobody else can be found.
            often = np.bincount(np.concatenate(ids)[np.concatenate(ids) >= 0], minlength=names.max() + 1)
            names, joints = names[often[names] >= 2], joints[often[names] >= 2]
            poses = estimator.poses(frame, ids if told else None)
            other = find_poses(Told(frame, ids), cameras, SKELETON, "metres")
            by_learnt, by_plain = compare(joints, names, poses, other if told else None)
            if not told:
                by_plain = compare(joints, names, other, other)[1]
                false += len(poses) - int(np.isfinite(by_learnt).any(1).sum())
            learnt.append(by_learnt)
            plain.append(by_plain)
        each = (time.process_time() - started) / JUDGED * 1e3
        table.append(row(f"{condition}, seed {seed}", np.concatenate(learnt), np.concatenate(plain), false))
        table[-1] |= {"fit CPU s": f"{seconds:.0f}", "ms": f"{each:.0f}"}
    return table


def row(name: str, learnt: np.ndarray, plain: np.ndarray, false: int) -> dict[str, str]:
    """One line of the table."""
    both, only = np.isfinite(plain) & np.isfinite(learnt), np.isnan(plain) & np.isfinite(learnt)
    ours, theirs = learnt[both].mean() * 1e3, plain[both].mean() * 1e3
    return {
        "": name,
        "triangulated": f"{theirs:.1f}",
        "learnt": f"{ours:.1f}",
        "difference": f"{100 * (ours / theirs - 1):+.1f} %",
        "medians": f"{np.median(plain[both]) * 1e3:.1f}, {np.median(learnt[both]) * 1e3:.1f}",
        "not triangulated": f"{100 * np.isnan(plain).mean():.1f} %",
        "learnt there": f"{learnt[only].mean() * 1e3:.0f}" if only.any() else "-",
        "PCK .1": ", ".join(f"{(np.nan_to_num(part, nan=np.inf) < 0.1).mean():.3f}" for part in (plain, learnt)),
        "missed, false": f"{int(np.isnan(learnt).all(1).sum())}, {false} of {len(learnt)}",
    }


def shelf(seed: int) -> list[dict[str, str]]:
    """Shelf with the true cameras."""
    from _shelf import VIEWS, cameras, frames, truth

    from selfmva import Associator
    from selfmva.metrics.pose import as_shelf14, score

    recording = frames()
    associator = Associator(skeleton="body25", recipe="geometry", seed=seed).fit(VIEWS, recording)
    found = list(associator.associate_many(recording))
    started = time.process_time()
    estimator = SelfSupervisedPoseTrainer(seed=seed).fit(
        VIEWS,
        recording[200:],
        cameras(),
        skeleton="body25",
        body_height=STATURE,
        ids=[one.ids for one in found[200:]],
    )
    seconds = time.process_time() - started
    table = []
    rows = {
        "triangulated": [find_poses(one, cameras(), "body25", "metres") for one in found[:200]],
        "learnt": [estimator.poses(one.frame, one.ids) for one in found[:200]],
    }
    for name, poses in rows.items():
        scores = score(truth(range(200)), [as_shelf14(one) for one in poses], people=(0, 1, 2))
        by_person = ", ".join(f"{scores.pcp_of_people[who]['all']:.3f}" for who in (0, 1, 2))
        table.append(
            {
                "": f"{name}, seed {seed}",
                "median error": f"{scores.median_error:.4f}",
                "MPJPE": f"{scores.mpjpe:.4f}",
                "PCP": f"{scores.pcp:.4f} ({by_person})",
                "AP .10, .15": f"{scores.average_precision[0.1]:.3f}, {scores.average_precision[0.15]:.3f}",
                "fit CPU s": f"{seconds:.0f}",
                "strength, noise": f"{float(estimator.model.strength):.1f}, {float(estimator.model.noise):.1f} px",
            }
        )
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", default=["simulated", "found", "shelf"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(describe(), "\n")
    for name in options.rows:
        table = []
        for seed in options.seeds:
            table += shelf(seed) if name == "shelf" else simulated(seed, told=name == "simulated")
            print(f"\n{name}\n" + tabulate(table, headers="keys", tablefmt="github", disable_numparse=True), flush=True)


if __name__ == "__main__":
    main()
