"""Poses of many instants as packed columns, one row per person and instant, and as paths of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.pose.smoothing import Paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.pose.poses import Poses3D

MOST_PLACES = 1_000_000  # of joints at instants that are worked on at once: some hundred megabytes


@dataclass(frozen=True, eq=False)
class PoseColumns:
    """People at instants, M rows by person and instant.

    Attributes:
        people: `(G,)` ids, increasing.
        person: `(M,)` rows of `people`.
        instant: `(M,)` numbers of instants.
        source: `(M,)` which of the poses it is in.
        row: `(M,)` row in it.
        joints: `(M, K, 3)`; NaN where not known.
        scores: `(M, K)`.
        variances: `(M, K)` of a joint along each axis; infinite where not known.
    """

    people: IntArray
    person: IntArray
    instant: IntArray
    source: IntArray
    row: IntArray
    joints: FloatArray
    scores: FloatArray
    variances: FloatArray


def pack_poses(poses: Sequence[Poses3D], joints: int) -> PoseColumns:
    """Pack poses of K joints.

    Args:
        poses: In the order of time; instants with nobody may have no joints at all.
        joints: How many joints people have.
    """
    somebody = [one for one in poses if len(one)]
    counts = np.array([len(one) for one in poses], dtype=np.int64)
    source = np.repeat(np.arange(len(poses)), counts)
    row = np.arange(len(source)) - np.repeat(np.cumsum(counts) - counts, counts)
    ids = np.concatenate([np.zeros(0, np.int64), *(one.ids for one in somebody)])
    order = np.lexsort((source, ids))
    places = np.concatenate([np.zeros((0, joints, 3)), *(one.joints for one in somebody)])[order]
    errors = np.concatenate([np.zeros((0, joints)), *(_uncertainties(one) for one in somebody)])[order]
    people, person = np.unique(ids[order], return_inverse=True)
    known = np.isfinite(places).all(axis=-1) & (errors > 0)
    return PoseColumns(
        people,
        person.reshape(-1),
        np.array([one.index for one in poses], dtype=np.int64)[source][order],
        source[order],
        row[order],
        places,
        np.concatenate([np.zeros((0, joints)), *(one.scores for one in somebody)])[order],
        np.where(known, errors**2 / 3.0, np.inf),  # an uncertainty is that of three axes together
    )


def each_paths(columns: PoseColumns) -> Iterator[tuple[IntArray, Paths]]:
    """The paths of people, some at a time, those of like lengths together.

    Yields:
        `(G, S)` rows of the columns, -1 behind the end of a path, and the paths.
    """
    lengths = np.bincount(columns.person, minlength=len(columns.people))
    starts = np.cumsum(lengths) - lengths
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        longest = int(lengths[order[first]])
        several = max(1, MOST_PLACES // max(1, longest * columns.joints.shape[1]))
        chosen, first = order[first : first + several], first + several
        steps = np.arange(longest)
        inside = steps < lengths[chosen][:, None]
        rows = starts[chosen][:, None] + np.minimum(steps, lengths[chosen][:, None] - 1)
        variances = np.where(inside[..., None], columns.variances[rows], np.inf)
        paths = Paths(columns.instant[rows].astype(np.float64), np.nan_to_num(columns.joints[rows]), variances)
        yield np.where(inside, rows, -1), paths


def _uncertainties(poses: Poses3D) -> FloatArray:
    """`(P, K)`; where poses don't say how sure they are, all joints are equally sure."""
    if poses.uncertainties is None:
        return np.where(np.isfinite(poses.joints).all(axis=-1), 1.0, np.nan)
    return poses.uncertainties
