"""How far the joints of two bodies are from each other's epipolar lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.bodies.body_tracks import body_sizes

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

LEAST_COMMON_JOINTS = 3  # that two bodies show, from which a distance is told


@dataclass(frozen=True, eq=False)
class BodyReadings:
    """Joints of M bodies.

    Attributes:
        joints: `(M, K, 2)` in pixels of a lens without distortion; NaN where not seen.
        size: `(M,)` of the body in pixels.
        view: `(M,)` number of its view.
    """

    joints: FloatArray
    size: FloatArray
    view: IntArray

    @classmethod
    def of(cls, joints: FloatArray, view: IntArray) -> BodyReadings:
        """Readings of joints `(M, K, 2)` of views `(M,)`."""
        return cls(joints, body_sizes(joints), view)

    def __getitem__(self, rows: slice | IntArray) -> BodyReadings:
        """Some of the bodies."""
        return BodyReadings(self.joints[rows], self.size[rows], self.view[rows])


def body_line_distances(
    matrix: FloatArray, first: FloatArray, first_size: FloatArray, second: FloatArray, second_size: FloatArray
) -> FloatArray:
    """Distances of joints from the lines of their partners, in sizes of a body.

    Args:
        matrix: `(3, 3)` fundamental matrix from the first view to the second.
        first: `(..., K, 2)` joints in the first view; NaN where not seen.
        first_size: `(...)` sizes of these bodies in pixels.
        second: `(..., K, 2)` joints in the second view.
        second_size: `(...)` of these.

    Returns:
        `(...)` the geometric mean of 1 + d over all joints that both show, less 1, so that a joint that a detector put
        elsewhere counts little; the larger d of both images. NaN where both show fewer than three.

    Example:
        >>> sideways = np.array([[0, 0, 0], [0, 0, -1.0], [0, 1, 0]])  # lines are rows of the image
        >>> body = np.array([[10.0, 20.0], [12.0, 40.0], [9.0, 60.0]])
        >>> float(body_line_distances(sideways, body, np.array(50.0), body + [30, 5], np.array(50.0)).round(6))
        0.1
    """
    lines = first @ matrix[:, :2].T + matrix[:, 2]
    others = second @ matrix[:2] + matrix[2]
    algebraic = np.abs((second * lines[..., :2]).sum(axis=-1) + lines[..., 2])
    near = algebraic / np.linalg.norm(others[..., :2], axis=-1) / first_size[..., None]
    far = algebraic / np.linalg.norm(lines[..., :2], axis=-1) / second_size[..., None]
    logs = np.log1p(np.maximum(near, far))
    seen = np.isfinite(logs)
    count = seen.sum(axis=-1)
    mean = np.where(seen, logs, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count >= LEAST_COMMON_JOINTS, np.expm1(mean), np.nan)
