"""From the keypoints of one instant to people: where, which bodies of which views, and what is seen of each joint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.networks.evidence import Observations, place_joints
from selfmva.pose.networks.matching import FARTHEST_JOINTS, match_bodies
from selfmva.pose.networks.root import SPREAD
from selfmva.pose.voxels.peaks import find_peaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.core.types import IntArray
    from selfmva.pose.learned.model import PoseModel
    from selfmva.pose.learned.rig import Bodies, PoseRig

MOST_FOUND = 30  # people in a scene whose peaks are looked at
ROUGH = (
    2.0 * FARTHEST_JOINTS
)  # body heights: how far poses out of a cube may be from bodies, before they are triangulated


@dataclass(frozen=True, eq=False)
class FoundPeople:
    """People of one instant.

    Attributes:
        rows: `(P, V)` which body of each known camera is whose; -1 where there is none.
        observed: What is seen of them.
        start: `(P, J, 3)` triangulated joints, NaN where fewer than two views see one.
        scores: `(P,)` in [0, 1]: heights of their peaks, 1 where it was told who is who.
        ids: `(P,)` as they were told, or 0, 1, 2 ...
    """

    rows: IntArray
    observed: Observations
    start: Tensor
    scores: Tensor
    ids: IntArray


def find_people(model: PoseModel, rig: PoseRig, bodies: Bodies) -> FoundPeople:
    """People by the networks alone: nobody is told who is who."""
    volume = model.root(rig.root_maps(bodies)[None], rig.cells)
    places, heights = find_peaks(volume, rig.space.grid, MOST_FOUND, SPREAD * rig.body_height)
    kept = heights[0] > model.threshold
    centres, scores = places[0][kept], heights[0][kept].clamp(max=1.0)
    joints = poses_in_cubes(
        model, rig, rig.heatmaps(bodies)[None], centres, torch.zeros(len(centres), dtype=torch.long)
    )
    rows = match_views(rig, bodies, joints, ROUGH)
    for _ in range(2):  # what is triangulated fits its bodies better, and those of others worse
        observed = observe(rig, bodies, rows, float(model.noise))
        start = place_joints(observed)
        rows = match_views(rig, bodies, torch.where(torch.isnan(start), joints, start), FARTHEST_JOINTS)
    return keep_people(rig, bodies, rows, float(model.noise), scores, np.arange(len(rows)))


def told_people(rig: PoseRig, bodies: Bodies, ids: Sequence[IntArray], noise: float) -> FoundPeople:
    """People as they are told: one id per body of each view, bodies of one id are one person, -1 is nobody."""
    names = sorted({int(name) for view in rig.known for name in ids[view] if name >= 0})
    rows = np.full((len(names), len(rig.known)), -1)
    for column, view in enumerate(rig.known):
        for person, name in enumerate(names):
            own = np.flatnonzero(np.asarray(ids[view]) == name)
            rows[person, column] = own[0] if len(own) else -1
    scores = torch.ones(len(names), device=rig.matrices.device)
    return keep_people(rig, bodies, rows, noise, scores, np.array(names, dtype=np.int64))


def keep_people(
    rig: PoseRig, bodies: Bodies, rows: IntArray, noise: float, scores: Tensor, ids: IntArray
) -> FoundPeople:
    """Those of whom two views know two joints or more."""
    observed = observe(rig, bodies, rows, noise)
    start = place_joints(observed)
    some = (~torch.isnan(start[..., 0])).sum(dim=1) >= 2
    kept = some.cpu().numpy()
    return FoundPeople(rows[kept], observed.select(some), start[some], scores[some], ids[kept])


def poses_in_cubes(model: PoseModel, rig: PoseRig, heatmaps: Tensor, centres: Tensor, sample: Tensor) -> Tensor:
    """`(P, J, 3)` joints that the pose network sees in the cubes around people; see `PoseNetwork`."""
    if not len(centres):
        return centres.new_zeros((0, len(rig.skeleton), 3))
    result: Tensor = model.pose(heatmaps, rig.space.cameras, centres, sample.to(centres.device), rig.body_height)
    return result


def match_views(rig: PoseRig, bodies: Bodies, joints: Tensor, farthest: float) -> IntArray:
    """`(P, V)` rows of the bodies that people `(P, J, 3)` are in each view, -1 where there is none."""
    nothing = bodies.straight.new_zeros((1,))
    pixels, depth = Observations(rig.matrices, nothing, nothing, 1.0).project(joints)
    focal = torch.linalg.vector_norm(torch.linalg.cross(rig.matrices[:, 0, :3], rig.matrices[:, 2, :3]), dim=-1)
    scale = (rig.body_height * focal / depth.mean(dim=-1)).cpu().numpy()
    places, straight, weight = (array.detach().cpu().numpy() for array in (pixels, bodies.straight, bodies.weight))
    columns = [
        match_bodies(places[:, view], scale[:, view], straight[view], weight[view], farthest)
        for view in range(len(rig.known))
    ]
    return np.stack(columns, axis=1).astype(np.int64)


def observe(rig: PoseRig, bodies: Bodies, rows: IntArray, noise: float) -> Observations:
    """What is seen of people whose bodies are `rows` `(P, V)`."""
    index = torch.from_numpy(np.maximum(rows, 0)).to(rig.matrices.device)
    there = torch.from_numpy(rows >= 0).to(rig.matrices.device)
    views = torch.arange(len(rig.known), device=rig.matrices.device).expand_as(index)
    if not bodies.weight.shape[1]:
        shape = (*rows.shape, len(rig.skeleton))
        return Observations(rig.matrices, rig.matrices.new_zeros((*shape, 2)), rig.matrices.new_zeros(shape), noise)
    pixels, weight = bodies.straight[views, index], bodies.weight[views, index]
    return Observations(rig.matrices, pixels, torch.where(there[..., None], weight, 0.0), noise)
