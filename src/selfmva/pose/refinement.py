"""Poses of a recording, smoothed over time, with limbs as long as the person's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.pose.columns import each_paths
from selfmva.pose.limbs import doubt_joints, keep_lengths, learn_lengths, noise_scale
from selfmva.pose.smoothing import learn_motion, scaled, smooth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.pose.columns import PoseColumns


def refine(columns: PoseColumns, limbs: Sequence[tuple[int, int]], longest_gap: int = 0) -> PoseColumns:
    """Smooth joints over time, keep limbs as long as they are, and fill gaps of joints.

    Joints that make every one of their limbs too long or too short count less. How much to smooth is learnt, see
    `selfmva.pose.smoothing`; lengths are learnt from what was smoothed, see `selfmva.pose.limbs`.

    Args:
        columns: People at instants.
        limbs: Pairs of numbers of joints that are joined by a rigid part of the body.
        longest_gap: Instants for which a joint may be missing between two that show it, to be filled.

    Returns:
        The same rows. Variances stay those of the joints that were seen: what a detector misses lasts from instant to
        instant, and doesn't average out. Those of filled joints are larger by what may have happened meanwhile.
    """
    if not len(columns.person):
        return columns
    lengths = learn_lengths(columns.joints, columns.variances, columns.person, len(columns.people), limbs)
    doubted = replace(columns, variances=doubt_joints(columns.joints, columns.variances, columns.person, lengths))
    paths = list(each_paths(doubted))
    motion = learn_motion(
        max((path for _, path in paths), key=lambda path: int(np.isfinite(path.variances).sum())),
        noise_scale(columns.joints, columns.variances, columns.person, lengths),
    )
    joints, variances = np.full(columns.joints.shape, np.nan), np.full(columns.variances.shape, np.inf)
    for rows, path in paths:
        found, inside = smooth(scaled(path, motion.scales), motion.strengths), rows >= 0
        joints[rows[inside]], variances[rows[inside]] = found.places[inside], found.variances[inside]
    seen = np.isfinite(columns.variances)
    filled = _gaps(columns, longest_gap) if longest_gap else np.zeros(seen.shape, bool)
    joints = np.where((seen | filled)[..., None], joints, np.nan)
    lengths = learn_lengths(joints, variances, columns.person, len(columns.people), limbs)
    joints = keep_lengths(joints, variances, columns.person, lengths)
    return _filled(columns, joints, variances, filled)


def _gaps(columns: PoseColumns, longest: int) -> np.ndarray:
    """`(M, K)` which joints are missing between two instants that are no more than `longest` + 1 apart."""
    before, after = _seen_before(columns), _seen_after(columns)
    there = (before >= 0) & (after >= 0)
    apart = columns.instant[after] - columns.instant[before]
    return np.asarray(~np.isfinite(columns.variances) & there & (apart <= longest + 1))


def _seen_before(columns: PoseColumns) -> IntArray:
    """`(M, K)` the last row of the same person up to each that shows the joint; -1 where there is none."""
    seen = np.isfinite(columns.variances)
    rows = np.maximum.accumulate(np.where(seen, np.arange(len(seen))[:, None], -1), axis=0)
    return np.where((rows >= 0) & (columns.person[rows] == columns.person[:, None]), rows, -1)


def _seen_after(columns: PoseColumns) -> IntArray:
    """`(M, K)` the same, the first row from each on."""
    seen, last = np.isfinite(columns.variances), len(columns.person)
    rows = np.minimum.accumulate(np.where(seen, np.arange(last)[:, None], last)[::-1], axis=0)[::-1]
    safe = np.minimum(rows, last - 1)
    return np.where((rows < last) & (columns.person[safe] == columns.person[:, None]), safe, -1)


def _filled(columns: PoseColumns, joints: FloatArray, variances: FloatArray, filled: np.ndarray) -> PoseColumns:
    """Filled joints have the lower score of the two ends, and the variances of ends and gap together."""
    if not filled.any():
        return replace(columns, joints=joints)
    before, after = _seen_before(columns), _seen_after(columns)
    joint = np.arange(joints.shape[1])
    scores = np.minimum(columns.scores[before, joint], columns.scores[after, joint])
    ends = np.maximum(columns.variances[before, joint], columns.variances[after, joint])
    return replace(
        columns,
        joints=joints,
        scores=np.where(filled, scores, columns.scores),
        variances=np.where(filled, ends + variances, columns.variances),
    )
