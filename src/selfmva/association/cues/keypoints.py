"""Keypoints: the joints of a person are on the epipolar lines of the same joints in another view."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.association.cues.base import Cue
from selfmva.geometry.body_lines import BodyReadings, body_line_distances
from selfmva.geometry.cameras import fundamental_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.association.cues.base import BoxBatch
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.geometry.cameras import Camera


@dataclass(frozen=True, eq=False)
class KeypointsCue(Cue):
    """How far joints are from each other's epipolar lines; see `selfmva.geometry.body_lines`.

    Attributes:
        cameras: One a view, None where it is not known.
        matrices: Fundamental matrices of the pairs of views (i, j), i < j, whose cameras are known.
    """

    name = "keypoints"
    cameras: tuple[Camera | None, ...]
    matrices: Mapping[ViewPair, FloatArray]

    @classmethod
    def of(cls, model: FittedModel) -> Self | None:
        """See `Cue`."""
        if model.cameras is None or model.joints is None:
            return None
        known = [(view, camera) for view, camera in enumerate(model.cameras) if camera is not None]
        return cls(
            model.cameras,
            {(i, j): fundamental_matrix(one, other) for (i, one), (j, other) in combinations(known, 2)},
        )

    def read(self, batch: BoxBatch) -> BodyReadings:
        """The joints, as a lens without distortion would show them."""
        if batch.keypoints is None:
            return BodyReadings.of(np.full((len(batch.view), 1, 2), np.nan), batch.view)
        joints = batch.keypoints[..., :2].astype(np.float64)
        for view, camera in enumerate(self.cameras):
            if camera is not None and len(camera.distortion):
                rows = batch.view == view
                joints[rows] = camera.undistort(joints[rows])
        return BodyReadings.of(joints, batch.view)

    def distances(self, first: BodyReadings, second: BodyReadings) -> FloatArray:
        """See `Cue`; NaN unless the first body is of view i, the second of view j > i, and both cameras are known."""
        result = np.full((len(first.view), len(second.view)), np.nan)
        views, others = set(first.view.tolist()), set(second.view.tolist())
        for (i, j), matrix in self.matrices.items():
            if i in views and j in others:
                rows, columns = np.flatnonzero(first.view == i), np.flatnonzero(second.view == j)
                one, other = first[rows], second[columns]
                result[np.ix_(rows, columns)] = body_line_distances(
                    matrix, one.joints[:, None], one.size[:, None], other.joints[None], other.size[None]
                )
        return result

    def distances_of_pairs(self, readings: BodyReadings, first: IntArray, second: IntArray) -> FloatArray:
        """See `Cue`."""
        result = np.full(len(first), np.nan)
        views, others = readings.view[first], readings.view[second]
        for (i, j), matrix in self.matrices.items():
            pairs = np.flatnonzero((views == i) & (others == j))
            if len(pairs):
                one, other = readings[first[pairs]], readings[second[pairs]]
                result[pairs] = body_line_distances(matrix, one.joints, one.size, other.joints, other.size)
        return result
