"""Joints over time: a velocity that changes at random, filtered forwards and smoothed backwards.

Places have errors of a known relative size, and the velocity is driven by white noise of acceleration, as that of
people on the floor. Both are learnt from the recording:

1. How large the errors are: every place is predicted from all others of its joint, which a linear smoother gives at
   once (the residual r over one minus the leverage h); where the prediction is best, it tells the size of errors. It is
   no larger than what is known without time, lest joints that are too fast to be predicted are taken for noise.
2. How much to smooth: with errors of that size, s, as much as has the least risk, the sum of r^2 / s^2 + 2 d h in d = 3
   dimensions (Mallows, 1973; Stein, 1981). Prediction alone would smooth even where there is nothing to gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class SmoothingSettings:
    """What does not depend on the recording."""

    # Of the noise of acceleration, in variances of a place a cubed instant: from a straight line to no smoothing.
    strengths: tuple[float, ...] = tuple(4.0**power for power in range(-10, 7))
    unknown_place: float = 1e4  # variance before anything is seen, square units
    unknown_velocity: float = 1e2  # square units per square instant
    smallest_scale: float = 1e-2  # of errors: below, it is the arithmetic that errs
    largest_leverage: float = 0.999  # of a place that nothing else tells
    learnt_from: int = 200_000  # places of joints, the longest paths first


SMOOTHING = SmoothingSettings()
MEDIAN_OF_CHI_SQUARE = 2.365973884375338  # of three degrees of freedom


@dataclass(frozen=True, eq=False)
class Paths:
    """Where joints are, G paths of at most S instants each; shorter ones end with times of their last instant, unseen.

    Attributes:
        times: `(G, S)` in instants, not decreasing.
        places: `(G, S, K, 3)`; anything where not seen.
        variances: `(G, S, K)` of a place along each axis; infinite where not seen.
    """

    times: FloatArray
    places: FloatArray
    variances: FloatArray


@dataclass(frozen=True, eq=False)
class Smoothed:
    """What a smoother makes of paths.

    Attributes:
        places: `(G, S, K, 3)`.
        variances: `(G, S, K)` of them along each axis, as large as those of the places were said to be.
    """

    places: FloatArray
    variances: FloatArray


@dataclass(frozen=True, eq=False)
class JointMotion:
    """What was learnt of how joints move.

    Attributes:
        strengths: `(K,)` spectral density of the noise of acceleration, square units per cubed instant.
        scales: `(K,)` by which errors of places are larger than they were said to be.
    """

    strengths: FloatArray
    scales: FloatArray


def smooth(paths: Paths, strengths: FloatArray) -> Smoothed:
    """Where joints most likely were, given all places of their path.

    Args:
        paths: The paths.
        strengths: `(K,)` spectral density of the noise of acceleration, square units per cubed instant.

    Example:
        >>> times, places = np.arange(5.0)[None], np.zeros((1, 5, 1, 3))
        >>> places[0, :, 0, 0] = [0, 1, 9, 3, 4]
        >>> variances = np.array([0.01, 0.01, np.inf, 0.01, 0.01]).reshape(1, 5, 1)
        >>> smooth(Paths(times, places, variances), np.array([1e-9])).places[0, :, 0, 0].round(3).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    steps = np.diff(paths.times, axis=1, prepend=paths.times[:, :1])[..., None]
    state, seen = _start(paths), []
    for s in range(steps.shape[1]):
        state, news = state.after(steps[:, s], strengths).seeing(paths.places[:, s], paths.variances[:, s])
        seen.append((state, news))
    later = _Later.nothing(state)
    places, variances = np.empty(paths.places.shape), np.empty(paths.variances.shape)
    for s in range(steps.shape[1] - 1, -1, -1):
        places[:, s], variances[:, s] = later.told(seen[s][0])
        later = later.before(seen[s][1], steps[:, s])
    return Smoothed(places, variances)


def learn_motion(paths: Paths, largest_scale: float = 1.0) -> JointMotion:
    """How strongly joints accelerate, and how large the errors of their places are.

    The mean distance decides which prediction is best: a few places that are quite wrong change it little, and those
    of swift limbs count.

    Args:
        paths: The paths.
        largest_scale: How much larger than they were said to be the errors are at most.
    """
    sample = _longest(paths, SMOOTHING.learnt_from)
    typical, candidates = _typical(sample.variances), np.array(SMOOTHING.strengths)
    misses = np.stack([_mean_miss(sample, smooth(sample, candidate * typical)) for candidate in candidates])
    scales = _scales(sample, smooth(sample, candidates[misses.argmin(axis=0)] * typical))
    scales = np.clip(scales, SMOOTHING.smallest_scale, max(largest_scale, SMOOTHING.smallest_scale))
    sample = scaled(sample, scales)
    typical = typical * scales**2
    risks = np.stack([_risk(sample, smooth(sample, candidate * typical)) for candidate in candidates])
    return JointMotion(candidates[risks.argmin(axis=0)] * typical, scales)


def scaled(paths: Paths, scales: FloatArray) -> Paths:
    """The same with errors that are larger by factors `(K,)`."""
    return Paths(paths.times, paths.places, paths.variances * scales**2)


@dataclass(frozen=True, eq=False)
class _State:
    """Places and velocities `(G, K, 3)`, and their covariances `(G, K)`, the same along each axis."""

    place: FloatArray
    velocity: FloatArray
    xx: FloatArray
    xv: FloatArray
    vv: FloatArray

    def after(self, step: FloatArray, strengths: FloatArray) -> _State:
        """What is to be expected `(G, 1)` instants later."""
        return _State(
            self.place + step[..., None] * self.velocity,
            self.velocity,
            self.xx + step * (2 * self.xv + step * self.vv) + strengths * step**3 / 3,
            self.xv + step * self.vv + strengths * step**2 / 2,
            self.vv + strengths * step,
        )

    def seeing(self, places: FloatArray, variances: FloatArray) -> tuple[_State, _News]:
        """What is known once places are seen, and what was new."""
        seen = np.isfinite(variances)
        errors = np.where(seen, variances, 1.0)
        inverse = np.where(seen, 1.0 / (self.xx + errors), 0.0)
        kept = np.where(seen, errors * inverse, 1.0)  # 1 - gain has too few digits while little is known
        gain, swing = self.xx * inverse, self.xv * inverse
        surprise = np.where(seen[..., None], places - self.place, 0.0)
        state = _State(
            self.place + gain[..., None] * surprise,
            self.velocity + swing[..., None] * surprise,
            self.xx * kept,
            self.xv * kept,
            self.vv - swing * self.xv,
        )
        return state, _News(surprise, inverse, kept, swing)


@dataclass(frozen=True, eq=False)
class _News:
    """What of places was not expected `(G, K, 3)`, the inverse of its variance `(G, K)`, and what it changed."""

    surprise: FloatArray
    inverse: FloatArray
    kept: FloatArray
    swing: FloatArray


@dataclass(frozen=True, eq=False)
class _Later:
    """What later places say of a state, as the adjoint variables of Bryson and Frazier (Bierman, 1973): no inverse."""

    place: FloatArray
    velocity: FloatArray
    xx: FloatArray
    xv: FloatArray
    vv: FloatArray

    @classmethod
    def nothing(cls, state: _State) -> _Later:
        """Of the last state."""
        none = np.zeros(state.xx.shape)
        return cls(np.zeros(state.place.shape), np.zeros(state.place.shape), none, none, none)

    def told(self, state: _State) -> tuple[FloatArray, FloatArray]:
        """Place and its variance, by what was known up to then and by what came later."""
        place = state.place - state.xx[..., None] * self.place - state.xv[..., None] * self.velocity
        less = state.xx * (state.xx * self.xx + 2 * state.xv * self.xv) + state.xv**2 * self.vv
        return place, state.xx - less

    def before(self, news: _News, step: FloatArray) -> _Later:
        """What these places, and one more, say of the state before, `(G, 1)` instants earlier."""
        kept, swing = news.kept[..., None], news.swing[..., None]
        place = kept * self.place - swing * self.velocity - news.inverse[..., None] * news.surprise
        xx = news.kept * (news.kept * self.xx - 2 * news.swing * self.xv) + news.swing**2 * self.vv + news.inverse
        xv = news.kept * self.xv - news.swing * self.vv
        return _Later(
            place,
            self.velocity + step[..., None] * place,
            xx,
            xv + step * xx,
            self.vv + step * (2 * xv + step * xx),
        )


def _start(paths: Paths) -> _State:
    """Nothing is known; counted from where the joint is seen first, so that no digits are lost."""
    seen = np.asarray(np.isfinite(paths.variances))
    first = np.take_along_axis(paths.places, seen.argmax(axis=1)[:, None, :, None], axis=1)[:, 0]
    first = np.where(np.asarray(seen.any(axis=1))[..., None], first, 0.0)
    shape = first.shape[:2]
    return _State(
        first,
        np.zeros(first.shape),
        np.full(shape, SMOOTHING.unknown_place),
        np.zeros(shape),
        np.full(shape, SMOOTHING.unknown_velocity),
    )


def _leverage(paths: Paths, found: Smoothed) -> tuple[FloatArray, np.ndarray]:
    """`(G, S, K)` by how much each place draws what is found to itself, and which ones others tell, too."""
    leverage = found.variances / paths.variances
    return leverage, np.isfinite(paths.variances) & (leverage < SMOOTHING.largest_leverage)


def _mean_miss(paths: Paths, found: Smoothed) -> FloatArray:
    """`(K,)` mean distance of places from what all others of their joint say; infinite where nothing is known."""
    leverage, told = _leverage(paths, found)
    away = np.linalg.norm(paths.places - found.places, axis=-1)
    away = np.where(told, away / np.where(told, 1.0 - leverage, 1.0), 0.0)
    count = told.sum(axis=(0, 1))
    return np.where(count > 0, away.sum(axis=(0, 1)) / np.maximum(count, 1), np.inf)


def _risk(paths: Paths, found: Smoothed) -> FloatArray:
    """`(K,)` expected sum of squared errors of what is found, in variances, but for a constant."""
    seen = np.isfinite(paths.variances)
    errors = np.where(seen, paths.variances, 1.0)
    squares = ((paths.places - found.places) ** 2).sum(axis=-1)
    return np.asarray(np.where(seen, (squares + 6.0 * found.variances) / errors, 0.0).sum(axis=(0, 1)))


def _scales(paths: Paths, found: Smoothed) -> FloatArray:
    """`(K,)` by which errors are larger than they were said to be, by their median; 1 where nothing tells."""
    leverage, told = _leverage(paths, found)
    squares = ((paths.places - found.places) ** 2).sum(axis=-1)
    errors = np.where(told, squares / np.where(told, (1.0 - leverage) * paths.variances, 1.0), np.nan)
    scales = np.sqrt(_medians_of_joints(errors) / MEDIAN_OF_CHI_SQUARE)
    return np.where(np.isfinite(scales) & (scales > 0), scales, 1.0)


def _typical(variances: FloatArray) -> FloatArray:
    """`(K,)` median variance of places that are seen; 1 where none is."""
    medians = _medians_of_joints(np.where(np.isfinite(variances), variances, np.nan))
    return np.where(np.isfinite(medians), medians, 1.0)


def _medians_of_joints(values: FloatArray) -> FloatArray:
    """`(K,)` medians of values `(G, S, K)` that are known; NaN without any."""
    ordered = np.sort(values.reshape(-1, values.shape[-1]), axis=0)  # NaN come last
    count = np.isfinite(ordered).sum(axis=0)
    middle = np.maximum(np.stack([(count - 1) // 2, count // 2]), 0)
    found = np.take_along_axis(ordered, middle, axis=0).mean(axis=0) if len(ordered) else np.full(len(count), np.nan)
    return np.where(count > 0, found, np.nan)


def _longest(paths: Paths, most: int) -> Paths:
    """The paths with most places, as many as do."""
    seen = np.isfinite(paths.variances).sum(axis=(1, 2))
    order = np.argsort(-seen, kind="stable")
    kept = order[: max(1, int(np.searchsorted(np.cumsum(seen[order]), most)))]
    return Paths(paths.times[kept], paths.places[kept], paths.variances[kept])
