"""Bundle adjustment: all cameras and all joints at once, robustly (Triggs et al., "Bundle adjustment", 2000).

Levenberg-Marquardt on normal equations from which the points are eliminated (the Schur complement), with weights of a
Cauchy cost, so that joints that a detector put elsewhere count little.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from selfmva.geometry.cameras import Camera

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.types import FloatArray, IntArray

OWN_NUMBERS = 7  # of a camera: turn, shift, log of the focal length
NEAREST_JOINT = 1e-3  # of the distance of the first two cameras: what is nearer to a lens is kept there


@dataclass(frozen=True)
class BundleSettings:
    """Bundle adjustment."""

    most_steps: int = 60
    stop: float = 1e-5  # relative change of the cost
    damping: float = 1e-3  # at the beginning, of the diagonal of the normal equations
    largest_damping: float = 1e8  # beyond which no step makes it better
    patience: int = 3  # steps of little change that end it
    # Standard deviation of the log of a focal length around the one that it began with, as if so many observations told
    # one thing: two views alone hardly tell focal lengths, and several tell them well.
    focal_spread: float = 0.3
    observations_alike: float = 100.0
    focal_difference: float = 0.03  # the same of the two focal lengths of two cameras alone: most are of one kind


BUNDLE = BundleSettings()


@dataclass(frozen=True, eq=False)
class Observations:
    """What cameras see of points, one entry an observation.

    Attributes:
        point: `(O,)` number of the point.
        view: `(O,)` number of the view.
        pixels: `(O, 2)`.
        tolerance: `(O,)` pixels: what misses by more counts little.
    """

    point: IntArray
    view: IntArray
    pixels: FloatArray
    tolerance: FloatArray


@dataclass(frozen=True, eq=False)
class _State:
    """Cameras and points as arrays: `(C, 3, 3)` turns, `(C, 3)` shifts, `(C,)` factors of focal lengths, points."""

    turns: FloatArray
    shifts: FloatArray
    focals: FloatArray
    points: FloatArray

    def moved(self, own: FloatArray, points: FloatArray) -> _State:
        turns = np.stack([cv2.Rodrigues(step)[0] for step in own[:, :3]]) @ self.turns
        return _State(turns, self.shifts + own[:, 3:6], self.focals * np.exp(own[:, 6]), self.points + points)


def adjust(
    cameras: Mapping[int, Camera], points: FloatArray, seen: Observations, *, keep_focal: bool = False
) -> tuple[dict[int, Camera], FloatArray, float]:
    """Move cameras and points until the points are where they are seen.

    Args:
        cameras: By view; principal points and pixel aspects stay, and lenses are taken to be without distortion.
        points: `(N, 3)`.
        seen: What these cameras see of them.
        keep_focal: Whether focal lengths stay as well.

    Returns:
        Cameras, points, and the robust cost an observation.
    """
    views = sorted(cameras)
    problem = _Problem(np.stack([cameras[view].K for view in views]), np.searchsorted(views, seen.view), seen)
    state = _State(
        np.stack([cameras[view].R for view in views]),
        np.stack([cameras[view].t for view in views]),
        np.ones(len(views)),
        points,
    )
    cost, damping, small = problem.cost(state), BUNDLE.damping, 0
    for _ in range(BUNDLE.most_steps):
        equations = problem.linearized(state, keep_focal)
        while damping <= BUNDLE.largest_damping:
            tried = state.moved(*equations.step(damping))
            new = problem.cost(tried)
            if new < cost:
                break
            damping *= 10
        else:
            break
        small = small + 1 if cost - new < BUNDLE.stop * cost else 0
        state, cost, damping = tried, new, damping / 10
        if small == BUNDLE.patience:
            break
    found = {
        view: Camera(_longer(cameras[view].K, factor), turn, shift)
        for view, turn, shift, factor in zip(views, state.turns, state.shifts, state.focals, strict=True)
    }
    return found, state.points, cost / max(len(seen.point), 1)


class _Equations:
    """Normal equations of one step, `(C, 7)` numbers of cameras and `(N, 3)` of points."""

    def __init__(self, own: FloatArray, mixed: FloatArray, inner: FloatArray, right: FloatArray, left: FloatArray):
        self._own, self._mixed, self._inner = own, mixed, inner  # (7C, 7C), (N, 7C, 3), (N, 3, 3)
        self._right, self._left = right, left  # gradients: (7C,), (N, 3)

    def step(self, damping: float) -> tuple[FloatArray, FloatArray]:
        """The step of cameras and of points."""
        own, inner = self._own.copy(), self._inner.copy()
        diagonal = np.arange(len(own))
        own[diagonal, diagonal] *= 1.0 + damping
        own[diagonal, diagonal] += 1e-12
        inner[:, range(3), range(3)] *= 1.0 + damping
        inner[:, range(3), range(3)] += 1e-12
        solved = self._mixed @ np.linalg.inv(inner)  # (N, 7C, 3)
        flat = solved.transpose(1, 0, 2).reshape(len(own), -1)
        reduced = own - flat @ self._mixed.transpose(1, 0, 2).reshape(len(own), -1).T
        moved = np.linalg.lstsq(reduced, -(self._right - flat @ self._left.reshape(-1)), rcond=None)[0]
        rest = self._left + np.einsum("nai,a->ni", self._mixed, moved)
        inwards = np.asarray(np.linalg.solve(inner, rest[..., None])[..., 0], np.float64)
        return np.asarray(moved, np.float64).reshape(-1, OWN_NUMBERS), -inwards


class _Problem:
    """Residuals of a bundle and their derivatives."""

    def __init__(self, intrinsic: FloatArray, own: IntArray, seen: Observations) -> None:
        self._intrinsic, self._own, self._seen = intrinsic, own, seen
        # Half of one over the variance, since the robust cost of a small residual is its square, not half of it.
        self._stiffness = len(seen.point) / BUNDLE.observations_alike / BUNDLE.focal_spread**2 / 2
        alike = len(seen.point) / BUNDLE.observations_alike / BUNDLE.focal_difference**2 / 2
        self._likeness = alike if len(intrinsic) == 2 else 0.0

    def cost(self, state: _State) -> float:
        """The robust cost."""
        found = float(np.log1p((self._residuals(state, self._local(state)) ** 2).sum(axis=1)).sum())
        logs = np.log(state.focals)
        return found + float(self._stiffness * (logs**2).sum() + self._likeness * np.ptp(logs) ** 2)

    def linearized(self, state: _State, keep_focal: bool) -> _Equations:
        """The weighted normal equations where the state is."""
        local = self._local(state)
        residuals = self._residuals(state, local)
        weights = 1.0 / (1.0 + (residuals**2).sum(axis=1))
        by_own, by_point = self._derivatives(state, local, keep_focal)
        cameras, points, point = len(state.shifts), len(state.points), self._seen.point
        weighted = by_own * weights[:, None, None]
        own = np.zeros((cameras, cameras, OWN_NUMBERS, OWN_NUMBERS))
        right = np.zeros((cameras, OWN_NUMBERS))
        for camera in range(cameras):
            rows = self._own == camera
            own[camera, camera] = np.einsum("oia,oib->ab", weighted[rows], by_own[rows])
            right[camera] = np.einsum("oia,oi->a", weighted[rows], residuals[rows])
        if not keep_focal:
            own[range(cameras), range(cameras), 6, 6] += self._stiffness
            right[:, 6] += self._stiffness * np.log(state.focals)
            if self._likeness:
                own[[0, 1, 0, 1], [0, 1, 1, 0], 6, 6] += self._likeness * np.array([1, 1, -1, -1])
                right[:, 6] += self._likeness * np.log(state.focals / state.focals[::-1])
        inner, left = np.zeros((points, 3, 3)), np.zeros((points, 3))
        np.add.at(inner, point, np.einsum("oia,oib,o->oab", by_point, by_point, weights))
        np.add.at(left, point, np.einsum("oia,oi,o->oa", by_point, residuals, weights))
        mixed = np.zeros((points, cameras, OWN_NUMBERS, 3))
        mixed[point, self._own] = np.einsum("oia,oib->oab", weighted, by_point)
        size = cameras * OWN_NUMBERS
        return _Equations(
            own.transpose(0, 2, 1, 3).reshape(size, size),
            mixed.reshape(points, size, 3),
            inner,
            right.reshape(-1),
            left,
        )

    def _derivatives(self, state: _State, local: FloatArray, keep_focal: bool) -> tuple[FloatArray, FloatArray]:
        """`(O, 2, 7)` of residuals by the numbers of their camera, `(O, 2, 3)` by their point."""
        depth, ray = local[:, 2], local[:, :2] / local[:, 2:]
        scale = state.focals[self._own] / self._seen.tolerance
        matrix = self._intrinsic[self._own, :2, :2] * scale[:, None, None]
        by_ray = np.zeros((len(depth), 2, 3))
        by_ray[:, 0, 0] = by_ray[:, 1, 1] = 1.0 / depth
        by_ray[:, :, 2] = -ray / depth[:, None]
        by_local = matrix @ by_ray
        arm = local - state.shifts[self._own]  # the turned point; a small turn w on top moves it by w x arm
        cross = np.zeros((len(depth), 3, 3))
        cross[:, 0, 1], cross[:, 0, 2], cross[:, 1, 2] = arm[:, 2], -arm[:, 1], arm[:, 0]
        cross -= np.swapaxes(cross, 1, 2)
        by_focal = np.zeros((len(depth), 2, 1)) if keep_focal else matrix @ ray[..., None]
        return np.concatenate([by_local @ cross, by_local, by_focal], axis=2), by_local @ state.turns[self._own]

    def _local(self, state: _State) -> FloatArray:
        """`(O, 3)` points as their cameras see them."""
        local = np.einsum("oij,oj->oi", state.turns[self._own], state.points[self._seen.point])
        local += state.shifts[self._own]
        local[:, 2] = np.maximum(local[:, 2], NEAREST_JOINT)
        return np.asarray(local)

    def _residuals(self, state: _State, local: FloatArray) -> FloatArray:
        ray = local[:, :2] / local[:, 2:] * state.focals[self._own][:, None]
        image = np.einsum("oij,oj->oi", self._intrinsic[self._own, :2, :2], ray) + self._intrinsic[self._own, :2, 2]
        return np.asarray((image - self._seen.pixels) / self._seen.tolerance[:, None])


def _longer(intrinsic: FloatArray, factor: float) -> FloatArray:
    """An intrinsic matrix with a focal length so many times as long."""
    return np.asarray(intrinsic * np.array([[factor, factor, 1], [factor, factor, 1], [1, 1, 1.0]]))
