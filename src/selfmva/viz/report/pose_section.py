"""The section of a report about poses: one instant from all around and in all views, and how long limbs are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.poses import cameras_of_model, find_poses
from selfmva.viz.pose_video import draw_orbit
from selfmva.viz.report.sections import PICTURE_WIDTH, embedded
from selfmva.viz.skeletons import draw_poses

if TYPE_CHECKING:
    from selfmva.association.associator import Associator
    from selfmva.pose.poses import Poses3D
    from selfmva.viz.report.findings import Findings

ORBIT, ORBIT_SIZE = 24, (560, 420)  # pictures of a turn, and their size in pixels


def describe_poses(associator: Associator, findings: Findings) -> dict[str, Any] | None:
    """What there is to say and to show of the poses of the last instants; None where there are none.

    Shown is the instant that has most joints.
    """
    recent = [one for one in findings.recent if one.frame.keypoints is not None]
    if not recent:
        return None
    model = associator.model_
    cameras = cameras_of_model(model)
    if sum(camera is not None for camera in cameras) < 2:
        return None
    poses = [find_poses(one, cameras, model.config.skeleton, model.unit) for one in recent]
    best = int(np.argmax([_known(one) for one in poses]))
    chosen = poses[best]
    if not _known(chosen):
        return None
    people = sum(map(len, poses))
    misses = np.concatenate([_misses(one) for one in poses])
    return {
        "text": f"{people:,} poses of {len(poses):,} instants; joints are {np.median(misses):.1f} pixels (median) from "
        "where the views that agree see them.",
        "instant": chosen.index,
        "strip": embedded(np.vstack(list(draw_orbit(chosen, ORBIT, size=ORBIT_SIZE, cameras=cameras)))),
        "count": ORBIT,
        "width": ORBIT_SIZE[0],
        "height": ORBIT_SIZE[1],
        "views": embedded(draw_poses(chosen, cameras, model.views, frame=recent[best].frame, width=PICTURE_WIDTH)),
    }


def _known(poses: Poses3D) -> int:
    return int(np.isfinite(poses.joints).all(axis=-1).sum())


def _misses(poses: Poses3D) -> np.ndarray:
    errors = np.zeros(0) if poses.reprojection_errors is None else poses.reprojection_errors
    return np.asarray(errors[np.isfinite(errors)])
