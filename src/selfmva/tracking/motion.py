"""How people move, and how they come and go, learnt from the recording itself: one more cue with its own tables.

In the image, the distance of a box to where its person is expected is compared with the distances of two people of one
instant, by the two-groups model of `selfmva.matching.posterior.distance_table`, for each lag. On the floor, people walk
with a velocity that changes at random (white noise of acceleration), and the likelihood of a place is compared with the
density of people. Both count against somebody new coming in:

    log-odds = w_image log f1(d) / f0(d) + w_floor log p(x) / (s / n) + log P(gap) / b,

s people a square body height around a person, n people an instant, P(gap) the chance to be seen again after so many
instants, and b that a person is new. (A standard track score, Blackman and Popoli, "Design and Analysis of Modern
Tracking Systems", 1999, section 6.2; here nothing of it is told.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, DistanceTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from selfmva.core.types import FloatArray, IntArray


@dataclass(frozen=True)
class MotionSettings:
    """What does not depend on the recording."""

    lags: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)  # instants, of tables
    # Weights of image and floor where both tell, of what independent cues would be worth: they share the person.
    both: tuple[float, float] = (0.3, 0.7)
    image_alone: float = 0.7
    floor_alone: float = 1.0
    floor_bounds: tuple[float, float] = (-12.0, 8.0)  # log-odds
    longest_memory: int = 400  # instants
    forgotten: float = -9.0  # log-odds of a return that no likelihood makes up for


MOTION = MotionSettings()
# What distances mean before anything was seen: a quarter of a height is near, a height is far.
ROUGHLY = DistanceTable(np.array([0.0, 0.25, 1.0, 3.0]), np.array([5.0, 1.0, -4.0, -LARGEST_LOG_ODDS]), 0.5)
LAGS = np.array(MOTION.lags)


def lag_number(lag: IntArray) -> IntArray:
    """Number of the table for lags of at least 1 instant.

    Example:
        >>> lag_number(np.array([1, 5, 1000])).tolist()
        [0, 3, 15]
    """
    return np.asarray(np.searchsorted(LAGS, lag, side="right") - 1)


@dataclass(frozen=True)
class Returns:
    """How often people who are gone come back, and new ones come.

    Attributes:
        missed: Fraction of the steps of a person at which nobody sees them.
        decay: Exponent of the power law of the length of such gaps.
        new: Fraction of the people of an instant who are new.
    """

    missed: float = 0.1
    decay: float = 1.5
    new: float = 0.1

    def log_odds(self, gap: IntArray) -> FloatArray:
        """Log-odds that somebody is who was last seen so many instants ago, against somebody new.

        Example:
            >>> Returns().log_odds(np.array([1, 2, 20])).round(1).tolist()
            [2.2, -0.9, -5.4]
        """
        gap = np.asarray(gap, dtype=np.float64)
        total = (np.arange(1.0, 2000.0) ** -self.decay).sum()
        away = self.missed * np.maximum(gap - 1.0, 1.0) ** -self.decay / total
        return np.asarray(np.log(np.where(gap <= 1, 1.0 - self.missed, away) / self.new))

    @property
    def memory(self) -> int:
        """Instants after which nobody is expected back."""
        gaps = np.arange(1, MOTION.longest_memory + 1)
        return int(gaps[self.log_odds(gaps) > MOTION.forgotten].max(initial=1))


@dataclass(frozen=True, eq=False)
class MotionModel:
    """What was learnt of people's motion.

    Attributes:
        image: What distances in the image mean, by number of the lag: the log-ratio of both densities.
        returns: How people come and go.
        acceleration: Spectral density of the noise of acceleration, square body heights per cubed instant.
        place_noise: Variance of a place on the floor that boxes don't tell, square body heights.
        people: Mean number of people an instant.
        density: Of other people around a person, people a square body height.
    """

    image: Mapping[int, DistanceTable] = field(default_factory=lambda: {0: ROUGHLY})
    returns: Returns = Returns()
    acceleration: float = 0.003
    place_noise: float = 0.0025
    speed: float = 0.25  # variance of an unknown velocity, square body heights per square instant
    people: float = 1.0
    density: float = 0.1

    def of_image(self, distances: FloatArray, lag: IntArray) -> FloatArray:
        """Log-ratio of densities of distances, of any shape, at lags."""
        result = np.zeros(distances.shape)
        known = np.array(sorted(self.image))
        number = lag_number(np.maximum(lag, 1))
        nearest = known[np.abs(known - number[..., None]).argmin(axis=-1)]
        for table in np.unique(nearest).tolist():
            chosen = nearest == table
            found = self.image[table]
            odds = np.log(found.true_fraction) - np.log1p(-found.true_fraction)
            result[chosen] = np.clip(found(distances[chosen]) - odds, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)
        return result

    def of_floor(self, log_likelihood: FloatArray) -> FloatArray:
        """Log-ratio of densities of places on the floor."""
        return np.asarray(np.clip(log_likelihood - np.log(self.density / self.people), *MOTION.floor_bounds))
