"""Motion against a Kalman filter in matrices, overlaps against torchvision's, joining against one assignment."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from selfmva.tracking.box_motion import PLACE, VELOCITY, begin_motion, to_centres
from selfmva.tracking.gap_law import learn_gaps
from selfmva.tracking.offline_links import _assign
from selfmva.tracking.overlaps import intersection_over_union


def test_motion_is_that_of_a_kalman_filter_in_matrices() -> None:
    """One axis of one box: its state has two numbers."""
    rng = np.random.default_rng(2)
    boxes = np.cumsum(rng.normal(1, 2, (6, 1)), axis=0) + np.array([10.0, 20, 50, 120])
    motion = begin_motion(boxes[:1])
    height = 100.0
    state, variance = (
        np.array([20.0 + boxes[0, 0], 0.0]),
        np.diag([(2 * PLACE * height) ** 2, (10 * VELOCITY * height) ** 2]),
    )
    for box, steps in zip(boxes[1:], (1.0, 1.0, 3.0, 1.0, 2.0), strict=True):
        motion = motion.predicted(np.array([steps]))
        move = np.array([[1, steps], [0, 1]])
        noise = steps * np.diag([(PLACE * height) ** 2, (VELOCITY * height) ** 2])
        state, variance = move @ state, move @ variance @ move.T + noise
        height = motion.place[0, 3]
        gain = variance[:, 0] / (variance[0, 0] + (PLACE * height) ** 2)
        state = state + gain * (to_centres(box[None])[0, 0] - state[0])
        variance = variance - np.outer(gain, variance[0])
        motion = motion.updated(box[None])
        height = motion.place[0, 3]
        np.testing.assert_allclose([motion.place[0, 0], motion.velocity[0, 0]], state)
        found = [values[0, 0] for values in (motion.place_variance, motion.covariance, motion.velocity_variance)]
        np.testing.assert_allclose(found, [variance[0, 0], variance[0, 1], variance[1, 1]])


def test_overlaps_are_torchvisions() -> None:
    rng = np.random.default_rng(0)
    one, other = (np.sort(rng.uniform(0, 50, (n, 2, 2)), axis=1).reshape(n, 4) for n in (7, 9))
    expected = box_iou(torch.from_numpy(one), torch.from_numpy(other)).numpy()
    np.testing.assert_allclose(intersection_over_union(one, other), expected)
    assert intersection_over_union(np.zeros((0, 4)), other).shape == (0, 9)


@pytest.mark.parametrize("seed", range(5))
def test_joining_part_by_part_is_as_good_as_all_at_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    odds = np.where(rng.random((12, 12)) < 0.15, rng.uniform(0.1, 5, (12, 12)), 0.0)
    ends, starts = np.nonzero(odds)
    row, column = _assign(ends, starts, odds[ends, starts], 12)
    best = odds[linear_sum_assignment(odds, maximize=True)].sum()
    assert len(set(row)) == len(row)
    assert len(set(column)) == len(column)
    assert odds[row, column].sum() == pytest.approx(best)


@pytest.mark.parametrize("shake", [1.0, 4.0])
def test_what_a_gap_may_be_off_is_learnt(shake: float) -> None:
    """People who walk straight, with boxes that shake: over any gap, they are off by about as much as boxes shake."""
    rng = np.random.default_rng(0)
    time = np.arange(120.0)
    walk = [
        np.column_stack([start + 2 * time, 0 * time, np.full(120, np.log(100.0))])
        + rng.normal(0, [shake, shake, 0.01], (120, 3))
        for start in range(0, 4000, 400)
    ]
    law = learn_gaps([time] * 10, walk)
    x = law.scales(np.array([2.0, 8.0]))[:, 0] * 100
    assert (x < 3 * max(shake, 2.5)).all()
    odds = law.log_odds(np.array([[0.02, 0, 0], [0.5, 0, 0], [8.0, 0, 0]]), np.full(3, 8.0))
    assert odds[0] > odds[1] > odds[2]
    assert odds[0] > 0 > odds[2]
