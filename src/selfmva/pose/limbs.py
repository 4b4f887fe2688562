"""How long the limbs of a person are, learnt over time; and joints that keep to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class LimbSettings:
    """Lengths of limbs."""

    fewest: int = 5  # instants that show both ends: fewer tell no length
    steps: int = 4  # of Gauss-Newton
    freedom: float = 4.0  # of Student's t for lengths (Lange, Little and Taylor, 1989, section 6)
    stiffest: float = 1e-3  # of a limb's length: the least spread, where the noise of joints explains all of it


LIMBS_OVER_TIME = LimbSettings()
TO_DEVIATION = 1.4826  # from the median absolute deviation of a normal distribution to its standard deviation


@dataclass(frozen=True, eq=False)
class LimbLengths:
    """How long limbs are.

    Attributes:
        limbs: The L limbs, as pairs of numbers of joints.
        lengths: `(G, L)` of G people, in the unit of the joints; NaN where too few instants tell.
        spreads: `(G, L)` standard deviation of a length over time, of what the noise of joints does not explain.
        counts: `(G, L)` instants that tell.
    """

    limbs: tuple[tuple[int, int], ...]
    lengths: FloatArray
    spreads: FloatArray
    counts: IntArray


def learn_lengths(
    joints: FloatArray, variances: FloatArray, person: IntArray, people: int, limbs: Sequence[tuple[int, int]]
) -> LimbLengths:
    """Lengths of limbs as weighted medians over time.

    Args:
        joints: `(M, K, 3)` of people at instants; NaN where not known.
        variances: `(M, K)` of a joint along each axis.
        person: `(M,)` whose they are, numbers below `people`.
        people: How many there are.
        limbs: Pairs of numbers of joints.

    Example:
        >>> joints = np.zeros((5, 2, 3))
        >>> joints[:, 1, 2] = [0.5, 0.5, 0.5, 0.51, 3]
        >>> learn_lengths(joints, np.ones((5, 2)), np.zeros(5, np.int64), 1, [(0, 1)]).lengths.tolist()
        [[0.5]]
    """
    measured, noise = measure_limbs(joints, variances, limbs)
    known = np.isfinite(measured) & np.isfinite(noise)
    row, limb = np.nonzero(known)
    group, groups, shape = person[row] * len(limbs) + limb, people * len(limbs), (people, len(limbs))
    length, variance = measured[known], noise[known]
    counts = np.bincount(group, minlength=groups)
    lengths = _medians(length, 1.0 / variance, group, groups)
    spreads = TO_DEVIATION * _medians(np.abs(length - lengths[group]), np.ones(len(length)), group, groups)
    left = spreads**2 - _medians(variance, np.ones(len(variance)), group, groups)
    lengths = np.where(counts >= LIMBS_OVER_TIME.fewest, lengths, np.nan)
    spreads = np.sqrt(np.maximum(left, (LIMBS_OVER_TIME.stiffest * lengths) ** 2))
    return LimbLengths(tuple(limbs), lengths.reshape(shape), spreads.reshape(shape), counts.reshape(shape))


def measure_limbs(
    joints: FloatArray, variances: FloatArray, limbs: Sequence[tuple[int, int]]
) -> tuple[FloatArray, FloatArray]:
    """`(M, L)` lengths of limbs at instants, and the variances that come of those of their joints."""
    start, end = np.array(limbs, dtype=np.int64).reshape(-1, 2).T
    length = np.linalg.norm(joints[:, end] - joints[:, start], axis=-1)
    return length, variances[:, start] + variances[:, end]


def doubt_joints(joints: FloatArray, variances: FloatArray, person: IntArray, limbs: LimbLengths) -> FloatArray:
    """`(M, K)` variances of joints, larger where every limb of a joint has a length that the person hasn't.

    By the weights of Student's t of that limb which fits best: a hand that was mistaken for another one's is where it
    makes the arm too long, however it moves. A joint without limbs is not doubted.
    """
    measured, noise = measure_limbs(joints, variances, limbs.limbs)
    error = np.abs(measured - limbs.lengths[person]) / np.sqrt(limbs.spreads[person] ** 2 + noise)
    error = np.where(np.isfinite(error), error, np.inf)
    best = np.full(variances.shape, np.inf)
    rows = np.arange(len(joints))[:, None]
    for ends in np.array(limbs.limbs, dtype=np.int64).reshape(-1, 2).T:
        np.minimum.at(best, (rows, ends), error)
    weight = (LIMBS_OVER_TIME.freedom + 1.0) / (LIMBS_OVER_TIME.freedom + np.where(np.isfinite(best), best, 0.0) ** 2)
    return np.asarray(variances / np.minimum(weight, 1.0))


def noise_scale(joints: FloatArray, variances: FloatArray, person: IntArray, limbs: LimbLengths) -> float:
    """By how much the errors of joints are larger than they were said to be, as the lengths of limbs show.

    By the median over limbs of the median over instants: it needs no smooth motion. 1 where no length is known.
    """
    measured, noise = measure_limbs(joints, variances, limbs.limbs)
    row, limb = np.nonzero(np.isfinite(measured) & np.isfinite(noise) & np.isfinite(limbs.lengths[person]))
    error = np.abs(measured - limbs.lengths[person])[row, limb] / np.sqrt(noise[row, limb])
    medians = _medians(error, np.ones(len(error)), limb, len(limbs.limbs))
    known = np.isfinite(medians)
    return TO_DEVIATION * float(np.median(medians[known])) if known.any() else 1.0


def keep_lengths(joints: FloatArray, variances: FloatArray, person: IntArray, limbs: LimbLengths) -> FloatArray:
    """Joints moved as little as is needed so that limbs have their lengths, within their spreads.

    Least squares of the distances from where joints were, in their deviations, and of the errors of lengths, in
    theirs; by Gauss-Newton. A limb that is not known at an instant binds nothing.

    Args:
        joints: `(M, K, 3)`; NaN where not known.
        variances: `(M, K)` of a joint along each axis.
        person: `(M,)` rows of the lengths.
        limbs: The lengths.

    Returns:
        `(M, K, 3)`; NaN where it was.
    """
    start, end = np.array(limbs.limbs, dtype=np.int64).reshape(-1, 2).T
    rows, K = np.arange(len(joints))[:, None], joints.shape[1]
    known = np.isfinite(joints).all(axis=-1) & np.isfinite(variances)
    wanted, spread = limbs.lengths[person], limbs.spreads[person]
    both = known[:, start] & known[:, end] & np.isfinite(wanted)
    weight = np.where(both, 1.0 / np.where(both, spread, 1.0) ** 2, 0.0)
    own = np.where(known, 1.0 / np.where(known, variances, 1.0), 1.0)
    given = np.where(known[..., None], joints, 0.0)
    moved = given.copy()
    for _ in range(LIMBS_OVER_TIME.steps):
        along = moved[:, end] - moved[:, start]
        length = np.linalg.norm(along, axis=-1)
        along = along / np.maximum(length, 1e-12)[..., None]
        pull = weight[..., None, None] * along[..., :, None] * along[..., None, :]
        normal = np.zeros((len(joints), K, K, 3, 3))
        normal[:, np.arange(K), np.arange(K)] += own[..., None, None] * np.eye(3)
        for sign, one, other in ((1, start, start), (1, end, end), (-1, start, end), (-1, end, start)):
            np.add.at(normal, (rows, one, other), sign * pull)
        push = (weight * (np.where(both, wanted, length) - length))[..., None] * along
        right = own[..., None] * (given - moved)
        np.add.at(right, (rows, end), push)
        np.add.at(right, (rows, start), -push)
        square = normal.transpose(0, 1, 3, 2, 4).reshape(-1, 3 * K, 3 * K)
        moved = moved + np.linalg.solve(square, right.reshape(-1, 3 * K, 1)).reshape(moved.shape)
    return np.where(known[..., None], moved, joints)


def _medians(values: FloatArray, weights: FloatArray, group: IntArray, groups: int) -> FloatArray:
    """`(groups,)` weighted medians of values `(N,)` by group; NaN of an empty one."""
    order = np.lexsort((values, group))
    values, weights, group = values[order], weights[order], group[order]
    total = np.bincount(group, weights, groups)
    # Counted over everything, in units of each group's own total: group g lies between g and g + 1.
    place = group + (np.cumsum(weights) - (np.cumsum(total) - total)[group]) / total[group]
    found = np.minimum(np.searchsorted(place, np.arange(groups) + 0.5 - 1e-9), max(len(values) - 1, 0))
    empty = np.bincount(group, minlength=groups) == 0
    return np.where(empty, np.nan, values[found] if len(values) else np.nan)
