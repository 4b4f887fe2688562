"""Lengths of limbs against medians, and joints that keep to them against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from selfmva.pose.limbs import LimbLengths, doubt_joints, keep_lengths, learn_lengths

LIMBS = ((0, 1), (1, 2))


def arms(instants: int = 41, noise: float = 0.01, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Shoulder, elbow and wrist of two people, 0.3 and 0.25 long, and whose they are."""
    rng = np.random.default_rng(seed)
    way = rng.normal(size=(2 * instants, 2, 3))
    way *= np.array([0.3, 0.25])[:, None] / np.linalg.norm(way, axis=-1, keepdims=True)
    joints = np.concatenate([np.zeros((2 * instants, 1, 3)), np.cumsum(way, axis=1)], axis=1)
    return joints + noise * rng.normal(size=joints.shape), np.repeat([0, 1], instants)


def test_lengths_are_medians() -> None:
    joints, person = arms()
    found = learn_lengths(joints, np.full((82, 3), 1e-4), person, 2, LIMBS)
    for one in range(2):
        for number, (start, end) in enumerate(LIMBS):
            lengths = np.linalg.norm(joints[person == one, end] - joints[person == one, start], axis=-1)
            assert found.lengths[one, number] == pytest.approx(np.median(lengths))
    assert found.lengths == pytest.approx(np.array([[0.3, 0.25]] * 2), abs=0.01)
    assert (found.counts == 41).all()
    assert (found.spreads < 0.01).all()  # the noise of joints explains it


def test_sure_instants_count_more() -> None:
    joints, person = np.zeros((6, 2, 3)), np.zeros(6, np.int64)
    joints[:, 1, 0] = [1, 1, 1, 2, 2, 2]
    variances = np.ones((6, 2))
    variances[3:] = 0.5
    assert learn_lengths(joints, variances, person, 1, [(0, 1)]).lengths[0, 0] == 2


def test_a_few_instants_tell_nothing() -> None:
    joints, person = arms(3)
    joints[0, 0] = np.nan
    found = learn_lengths(joints, np.full((6, 3), 1e-4), person, 3, LIMBS)
    assert np.isnan(found.lengths).all()
    assert found.counts.tolist() == [[2, 3], [3, 3], [0, 0]]


def test_joints_move_as_little_as_needed() -> None:
    joints, person = arms(3, 0.03)
    variances = np.random.default_rng(1).uniform(1e-4, 4e-4, (6, 3))
    limbs = LimbLengths(LIMBS, np.array([[0.3, 0.25]] * 2), np.full((2, 2), 0.002), np.full((2, 2), 3))

    def residuals(flat: np.ndarray, row: int) -> np.ndarray:
        moved = flat.reshape(3, 3)
        lengths = np.linalg.norm(np.diff(moved, axis=0), axis=-1)
        away = (moved - joints[row]) / np.sqrt(variances[row])[:, None]
        return np.concatenate([away.reshape(-1), (lengths - [0.3, 0.25]) / 0.002])

    found = keep_lengths(joints, variances, person, limbs)
    for row in range(6):
        expected = least_squares(residuals, joints[row].reshape(-1), args=(row,), xtol=1e-14).x.reshape(3, 3)
        assert np.allclose(found[row], expected, atol=1e-4)


def test_what_is_not_known_binds_nothing() -> None:
    joints, person = arms(5)
    joints[:, 1] = np.nan
    variances = np.where(np.isfinite(joints).all(axis=-1), 1e-4, np.inf)
    limbs = LimbLengths(LIMBS, np.array([[0.5, np.nan]] * 2), np.full((2, 2), 0.002), np.full((2, 2), 3))
    assert np.array_equal(keep_lengths(joints, variances, person, limbs), joints, equal_nan=True)
    nothing = LimbLengths((), np.zeros((2, 0)), np.zeros((2, 0)), np.zeros((2, 0), np.int64))
    assert np.allclose(keep_lengths(joints, variances, person, nothing), joints, equal_nan=True)


def test_a_joint_that_fits_no_limb_is_doubted() -> None:
    joints, person = arms()
    joints[7, 2] += 0.8
    variances = np.full((82, 3), 1e-4)
    doubted = doubt_joints(joints, variances, person, learn_lengths(joints, variances, person, 2, LIMBS)) / variances
    assert doubted[7, 2] > 20  # the wrist; the elbow still fits the upper arm
    assert doubted[7, :2].max() < 5
    assert np.median(doubted) == 1
    assert (doubt_joints(joints, variances, person, learn_lengths(joints, variances, person, 2, ())) == variances).all()
