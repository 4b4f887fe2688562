"""One similarity that lays a world that was found on the true one: what no camera can know is not held against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray
    from selfmva.pose.poses import Poses3D

LEAST_POINTS = 4  # that determine a similarity beyond chance
CANDIDATES = 300  # pairs of a true and a found person that propose one
ROUNDS = 10  # of matching people and fitting again


@dataclass(frozen=True, eq=False)
class Similarity:
    """x -> scale * rotation x + translation.

    Attributes:
        scale: Above 0.
        rotation: `(3, 3)`.
        translation: `(3,)`.
    """

    scale: float
    rotation: FloatArray
    translation: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """Points `(..., 3)` where they are laid."""
        return np.asarray(self.scale * points @ self.rotation.T + self.translation)


def fit_similarity(source: FloatArray, target: FloatArray) -> Similarity:
    """The similarity of least squares from points to points (Umeyama, 1991, equations 40 to 42).

    Args:
        source: `(N, 3)`; rows with NaN in either are left out.
        target: `(N, 3)`.

    Raises:
        InputError: Fewer than three points, or all in one.

    Example:
        >>> points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
        >>> found = fit_similarity(points, 2 * points + [1, 1, 1])
        >>> round(found.scale, 6), found(points)[1].round(6).tolist()
        (2.0, [3.0, 1.0, 1.0])
    """
    known = np.isfinite(source).all(axis=1) & np.isfinite(target).all(axis=1)
    ours, theirs = source[known], target[known]
    if len(ours) < 3:  # noqa: PLR2004  # in space
        raise InputError(f"a similarity needs three points that are known on both sides, got {len(ours)}")
    middle, goal = ours.mean(axis=0), theirs.mean(axis=0)
    spread = ((ours - middle) ** 2).sum()
    if spread <= 0:
        raise InputError("a similarity needs points that are apart, got the same one each time")
    left, sizes, right = np.linalg.svd((theirs - goal).T @ (ours - middle))
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float((sizes * signs).sum() / spread)
    return Similarity(scale, rotation, goal - scale * rotation @ middle)


def find_similarity(truth: Sequence[Poses3D], found: Sequence[Poses3D], near: float) -> Similarity:
    """The similarity that brings most found joints near true ones, whoever is who.

    Every pair of a true and a found person of one instant proposes a similarity; the one that lays most joints of
    other instants right is taken, and fitted to all joints that it brings near.

    Args:
        truth: The people of every instant.
        found: The same, in another world; the same joints.
        near: Distance in the unit of the truth.

    Raises:
        InputError: Nobody is there in both.
    """
    pairs = [
        (t, a, b)
        for t, (true, seen) in enumerate(zip(truth, found, strict=True))
        for a in range(len(true))
        for b in range(len(seen))
        if (np.isfinite(true.joints[a]).all(axis=1) & np.isfinite(seen.joints[b]).all(axis=1)).sum() >= LEAST_POINTS
    ]
    if not pairs:
        raise InputError("no instant shows four joints of one person in the truth and in what was found")
    chosen = [pairs[k] for k in np.linspace(0, len(pairs) - 1, min(len(pairs), CANDIDATES)).astype(int)]
    sample = sorted({t for t, _, _ in chosen})[:: max(len({t for t, _, _ in chosen}) // 20, 1)]
    best, most = None, -1.0
    for t, a, b in chosen:
        tried = fit_similarity(found[t].joints[b], truth[t].joints[a])
        rows = [nearest_joints(truth[s].joints, tried(found[s].joints), near) for s in sample]
        count = sum(float(np.clip(1 - away / near, 0, None).sum()) for _, _, away in rows)
        if count > most:
            best, most = tried, count
    assert best is not None  # noqa: S101
    for _ in range(ROUNDS):
        source, target = [np.zeros((0, 3))], [np.zeros((0, 3))]
        for true, seen in zip(truth, found, strict=True):
            people, others, away = nearest_joints(true.joints, best(seen.joints), near)
            kept = away < near
            source.append(seen.joints[others][kept])
            target.append(true.joints[people][kept])
        if sum(map(len, source)) < LEAST_POINTS:
            break
        best = fit_similarity(np.concatenate(source), np.concatenate(target))
    return best


def nearest_joints(truth: FloatArray, found: FloatArray, near: float) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """True people `(M,)` with the found ones `(M,)` nearest to each, and `(M, K)` distances of their joints.

    A joint that is not known is infinitely far.
    """
    if not len(truth) or not len(found):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, truth.shape[1]))
    away = np.linalg.norm(truth[:, None] - found[None], axis=-1)
    cost = mean_errors(away)
    best = cost.argmin(axis=1)
    people = np.flatnonzero(cost.min(axis=1) < max(near * 2, near))
    distances = away[people, best[people]]
    return people, best[people], np.where(np.isfinite(distances), distances, np.inf)


def mean_errors(away: FloatArray) -> FloatArray:
    """`(...)` mean of distances `(..., K)` over the joints that both have; infinity without any."""
    known = np.isfinite(away)
    count = known.sum(axis=-1)
    return np.where(count > 0, np.where(known, away, 0.0).sum(axis=-1) / np.maximum(count, 1), np.inf)
