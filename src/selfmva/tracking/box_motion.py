"""Kalman filters of many boxes at once: centre, width and height, each with a velocity of its own.

The four numbers of a box are filtered apart from each other, as in DeepSORT and its successors, whose covariances have
no entry between them, either; so that a covariance has three numbers and no matrix is inverted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

# Standard deviations as fractions of the height of a box: of where it is, and of its velocity an instant. Those of
# DeepSORT (Wojke et al., ICIP 2017, published implementation), which ByteTrack and BoT-SORT keep.
PLACE, VELOCITY = 1 / 20, 1 / 160


@dataclass(frozen=True, eq=False)
class BoxMotion:
    """States of M boxes.

    Attributes:
        place: `(M, 4)` centre x and y, width, height, in pixels.
        velocity: `(M, 4)` a step of the clock.
        place_variance: `(M, 4)`.
        covariance: `(M, 4)` of place and velocity.
        velocity_variance: `(M, 4)`.
    """

    place: FloatArray
    velocity: FloatArray
    place_variance: FloatArray
    covariance: FloatArray
    velocity_variance: FloatArray

    def __len__(self) -> int:
        return len(self.place)

    @property
    def boxes(self) -> FloatArray:
        """`(M, 4)` xyxy."""
        half = self.place[:, 2:] / 2
        return np.concatenate([self.place[:, :2] - half, self.place[:, :2] + half], axis=1)

    def rows(self, chosen: IntArray) -> BoxMotion:
        """Some of the states."""
        return BoxMotion(*(values[chosen] for values in vars(self).values()))

    def joined(self, other: BoxMotion) -> BoxMotion:
        """These states, then others."""
        return BoxMotion(
            *(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    def predicted(self, steps: FloatArray) -> BoxMotion:
        """Where the boxes are after `(M,)` steps of the clock."""
        dt, height = steps[:, None], np.maximum(self.place[:, 3:], 1.0)
        return replace(
            self,
            place=self.place + dt * self.velocity,
            place_variance=self.place_variance
            + 2 * dt * self.covariance
            + dt**2 * self.velocity_variance
            + dt * (PLACE * height) ** 2,
            covariance=self.covariance + dt * self.velocity_variance,
            velocity_variance=self.velocity_variance + dt * (VELOCITY * height) ** 2,
        )

    def updated(self, boxes: FloatArray) -> BoxMotion:
        """After `(M, 4)` boxes xyxy were seen, one for each state."""
        measured = to_centres(boxes)
        total = self.place_variance + (PLACE * np.maximum(self.place[:, 3:], 1.0)) ** 2
        gain, velocity_gain = self.place_variance / total, self.covariance / total
        off = measured - self.place
        return BoxMotion(
            place=self.place + gain * off,
            velocity=self.velocity + velocity_gain * off,
            place_variance=(1 - gain) * self.place_variance,
            covariance=(1 - gain) * self.covariance,
            velocity_variance=self.velocity_variance - velocity_gain * self.covariance,
        )


def begin_motion(boxes: FloatArray) -> BoxMotion:
    """States of `(M, 4)` boxes xyxy that were seen once: they may move, and how is not known.

    Example:
        >>> motion = begin_motion(np.array([[0.0, 0, 10, 20]])).predicted(np.ones(1))
        >>> seen = motion.updated(np.array([[2.0, 0, 12, 20]]))
        >>> bool(0 < seen.velocity[0, 0] <= 2)
        True
    """
    place = to_centres(boxes)
    height = np.maximum(place[:, 3:], 1.0)
    one = np.ones((1, 4))
    return BoxMotion(
        place=place,
        velocity=np.zeros_like(place),
        place_variance=(2 * PLACE * height) ** 2 * one,  # twice and ten times what a step adds: as published
        covariance=np.zeros_like(place),
        velocity_variance=(10 * VELOCITY * height) ** 2 * one,
    )


def to_centres(boxes: FloatArray) -> FloatArray:
    """`(M, 4)` centre x and y, width, height of boxes xyxy."""
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
