"""The smoother against dense least squares, its leave-one-out errors against leaving one out, and what it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from selfmva.pose.smoothing import SMOOTHING, Paths, learn_motion, scaled, smooth

STRENGTH = 0.3


def paths(seed: int = 0, people: int = 2, instants: int = 12, joints: int = 3) -> Paths:
    """Random places at irregular times, some of them not seen."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.integers(1, 4, (people, instants)), axis=1).astype(float)
    variances = rng.uniform(0.5, 2.0, (people, instants, joints))
    variances[rng.random(variances.shape) < 0.3] = np.inf
    return Paths(times, rng.normal(size=(people, instants, joints, 3)), variances)


def dense(times: np.ndarray, places: np.ndarray, variances: np.ndarray, strength: float) -> np.ndarray:
    """Places of the same model by least squares over all places and velocities at once."""
    rows, values = [], []
    for s, (place, variance) in enumerate(zip(places, variances, strict=True)):
        if np.isfinite(variance):
            row = np.zeros(2 * len(times))
            row[2 * s] = 1 / np.sqrt(variance)
            rows.append(row)
            values.append(place / np.sqrt(variance))
    for s, step in enumerate(np.diff(times)):
        noise = strength * np.array([[step**3 / 3, step**2 / 2], [step**2 / 2, step]])
        block = np.zeros((2, 2 * len(times)))
        block[:, 2 * s : 2 * s + 2], block[:, 2 * s + 2 : 2 * s + 4] = [[1, step], [0, 1]], -np.eye(2)
        rows.extend(np.linalg.solve(np.linalg.cholesky(noise), block))
        values.extend(np.zeros((2, 3)))
    # Nothing is known of the first place and velocity, all but.
    seen = np.flatnonzero(np.isfinite(variances))
    for number, spread, value in (
        (0, SMOOTHING.unknown_place, places[seen[0]]),
        (1, SMOOTHING.unknown_velocity, np.zeros(3)),
    ):
        row = np.zeros(2 * len(times))
        row[number] = spread**-0.5
        rows.append(row)
        values.append(value * spread**-0.5)
    return np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0][::2]


def test_it_is_the_least_squares_solution() -> None:
    given = paths()
    found = smooth(given, np.full(3, STRENGTH))
    for g in range(2):
        for k in range(3):
            expected = dense(given.times[g], given.places[g, :, k], given.variances[g, :, k], STRENGTH)
            assert np.allclose(found.places[g, :, k], expected, atol=1e-8)


def test_variances_are_the_effect_of_a_place_on_itself() -> None:
    """For a linear smoother, the derivative of what is found by what is seen is the leverage."""
    given = paths(1)
    moved = given.places.copy()
    seen = np.argwhere(np.isfinite(given.variances))
    for g, s, k in seen[::7]:
        moved = given.places.copy()
        moved[g, s, k, 0] += 1.0
        change = (
            smooth(replace(given, places=moved), np.full(3, STRENGTH)).places
            - smooth(given, np.full(3, STRENGTH)).places
        )
        leverage = smooth(given, np.full(3, STRENGTH)).variances[g, s, k] / given.variances[g, s, k]
        assert change[g, s, k, 0] == pytest.approx(leverage, abs=1e-3)


def test_instants_behind_the_end_change_nothing() -> None:
    given = paths(2, people=1)
    longer = Paths(
        np.concatenate([given.times, given.times[:, -1:].repeat(4, axis=1)], axis=1),
        np.concatenate([given.places, np.zeros((1, 4, 3, 3))], axis=1),
        np.concatenate([given.variances, np.full((1, 4, 3), np.inf)], axis=1),
    )
    short, long = smooth(given, np.full(3, STRENGTH)), smooth(longer, np.full(3, STRENGTH))
    assert np.allclose(long.places[:, :12], short.places)
    assert np.allclose(long.variances[:, :12], short.variances)


def swings(noise: float, speed: float, seed: int = 3) -> tuple[Paths, np.ndarray]:
    """A joint that swings, seen with errors that are said to be one centimetre, and where it is."""
    rng, times = np.random.default_rng(seed), np.arange(400.0)
    true = np.stack([np.sin(speed * times), np.cos(0.7 * speed * times), 0.2 * np.sin(1.3 * speed * times)], axis=-1)
    true = true[None, :, None]
    return Paths(times[None], true + noise * rng.normal(size=true.shape), np.full((1, 400, 1), 0.01**2)), true


def rms(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(((found - true) ** 2).sum(axis=-1).mean()))


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.05])
def test_errors_and_strength_are_learnt(noise: float) -> None:
    given, true = swings(noise, 0.05)
    motion = learn_motion(given, largest_scale=10)
    assert motion.scales[0] == pytest.approx(noise / 0.01, rel=0.25)
    found = rms(smooth(scaled(given, motion.scales), motion.strengths).places, true)
    assert found < 0.6 * rms(given.places, true)
    tried = [
        rms(smooth(scaled(given, motion.scales), motion.strengths * 4.0**power).places, true) for power in range(-6, 7)
    ]
    assert found < 1.1 * min(tried)  # no other strength would have been much better


def test_where_joints_are_too_fast_nothing_is_smoothed() -> None:
    given, true = swings(0.01, 2.5)
    motion = learn_motion(given)
    assert rms(smooth(scaled(given, motion.scales), motion.strengths).places, true) < 1.1 * rms(given.places, true)


def test_nothing_seen_is_no_error() -> None:
    given = replace(paths(), variances=np.full((2, 12, 3), np.inf))
    motion = learn_motion(given)
    assert np.isfinite(smooth(given, motion.strengths).places).all()
    assert (motion.scales == 1).all()
