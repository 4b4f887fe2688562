"""Low-rank multi-view matching, for comparison alone.

Written from the paper: Dong, Jiang, Huang, Bao and Zhou, "Fast and Robust Multi-Person 3D Pose Estimation from Multiple
Views" (CVPR 2019, arXiv 1901.04111), section 3.1. With the affinities A of all boxes, the matrix P of who is who
minimises -<A, P> + lambda ||P||_* under doubly stochastic blocks, by alternating directions: singular values are
shrunk, then P is brought back to the constraints by Dykstra's alternating projections. The weights below are the
best of a few for these crowds, in favour of this method.
"""

import numpy as np
from scipy.sparse.csgraph import connected_components

SHRINKAGE = 5.0  # lambda
PENALTY = 8.0  # of the first round
ROUNDS = 50
TOLERANCE = 1e-3


def low_rank_groups(affinity: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Group boxes by the cycle-consistent part of their affinities.

    Args:
        affinity: `(M, M)` symmetric, in [0, 1].
        view: `(M,)` the view of each box, in runs.

    Returns:
        `(M,)` groups; pairs are those of P above one half, joined.
    """
    size = len(view)
    count = np.bincount(view)
    edges = np.concatenate([[0], np.cumsum(count)])
    same = view[:, None] == view
    score = np.where(same, 0.0, affinity)
    p = score.copy()
    multiplier = np.zeros_like(p)
    penalty = PENALTY
    for _ in range(ROUNDS):
        before = p
        u, values, v = np.linalg.svd(p + multiplier / penalty, full_matrices=False)
        low = (u * np.maximum(values - SHRINKAGE / penalty, 0.0)) @ v
        p = low - (multiplier - score) / penalty
        p = np.where(same, np.eye(size), p)
        for i in range(len(count)):
            for j in range(i + 1, len(count)):
                rows, columns = slice(edges[i], edges[i + 1]), slice(edges[j], edges[j + 1])
                p[rows, columns] = _at_most_one(p[rows, columns])
                p[columns, rows] = p[rows, columns].T
        multiplier = multiplier + penalty * (p - low)
        primal = np.linalg.norm(p - low) / size
        dual = penalty * np.linalg.norm(p - before) / size
        if primal < TOLERANCE and dual < TOLERANCE:
            break
        if primal > 10 * dual:
            penalty *= 2
        elif dual > 10 * primal:
            penalty /= 2
    return connected_components((p > 0.5) & ~same, directed=False)[1]


def _at_most_one(block: np.ndarray, rounds: int = 10) -> np.ndarray:
    """The nearest matrix with entries in [0, 1] whose rows and columns sum to at most 1 (Dykstra)."""
    x, corrections = block, [0.0, 0.0, 0.0]
    for _ in range(rounds):
        for number, project in enumerate((_rows_at_most_one, lambda m: _rows_at_most_one(m.T).T, _unit_interval)):
            y = x + corrections[number]
            x = project(y)
            corrections[number] = y - x
    return x


def _unit_interval(matrix: np.ndarray) -> np.ndarray:
    return np.clip(matrix, 0.0, 1.0)


def _rows_at_most_one(matrix: np.ndarray) -> np.ndarray:
    """Rows whose positive entries sum to more than 1 onto the simplex."""
    positive = np.maximum(matrix, 0.0)
    descending = -np.sort(-positive, axis=1)
    above = (np.cumsum(descending, axis=1) - 1.0) / np.arange(1, matrix.shape[1] + 1)
    last = np.maximum((descending > above).sum(axis=1), 1) - 1
    shift = above[np.arange(len(matrix)), last]
    return np.where(positive.sum(axis=1, keepdims=True) > 1.0, np.maximum(positive - shift[:, None], 0.0), positive)
