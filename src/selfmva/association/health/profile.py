"""What fit() saw: how often boxes have a partner, by where they are, how clear it is, and how much that varies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.health.tally import Tally
    from selfmva.core.types import FloatArray


@dataclass(frozen=True)
class ProfileSettings:
    """How a profile is learnt."""

    prior_boxes: float = 10.0  # of a pair of views, that a cell starts with
    parts: int = 4  # of the recording, each of which is foretold by the others
    windows: tuple[int, ...] = (1, 3, 6)  # slices over which spread is measured: people who are hidden stay so a while
    least_spread: float = 2.0  # variance over that of independent boxes
    # Of a ratio, from one part of a recording to another. Where few people come, a part tells little: then the spread
    # of independent boxes counts for more.
    least_drift: float = 0.05
    largest_drift: float = 0.12
    drift_of_one: float = 0.08  # where there is one part


PROFILE = ProfileSettings()


@dataclass(frozen=True, eq=False)
class Profile:
    """What is expected.

    Attributes:
        rates: `(V, IMAGE_CELLS, V)` mean posterior mass that a box in a cell of one view has in another view.
        clearness: `(V, V)` worth of a partner: log-odds of a pair, mean.
        spread: Variance of sums over that of independent boxes.
        drift: `(V,)` standard deviation of a view's ratio from one part of the recording to another.
        crowd: `(V,)` boxes an instant.
        apart: `(V,)` median distance of partners on the floor, in body heights; NaN where there is none.
        height: `(V,)` median height of boxes as a fraction of what their feet ask for; NaN as well.
    """

    rates: FloatArray
    clearness: FloatArray
    spread: float
    drift: FloatArray
    crowd: FloatArray
    apart: FloatArray
    height: FloatArray

    @cached_property
    def unit(self) -> FloatArray:
        """`(V,)` worth of one partner, at most."""
        return np.asarray(np.maximum(self.clearness.max(axis=1), 1e-9))

    def noise(self, expected: FloatArray) -> FloatArray:
        """Standard deviation `(..., V)` of the worth of all partners of each view where so much is expected."""
        variance = self.spread * self.unit * np.maximum(expected, self.unit)
        return np.asarray(np.sqrt(variance + (self.drift * expected) ** 2))

    def reordered(self, order: Sequence[int]) -> Profile:
        """The same with its views in another order: view k is the old view `order[k]`."""
        rows = list(order)
        return Profile(
            self.rates[rows][..., rows],
            self.clearness[np.ix_(rows, rows)],
            self.spread,
            self.drift[rows],
            self.crowd[rows],
            self.apart[rows],
            self.height[rows],
        )

    def expected(self, tally: Tally) -> FloatArray:
        """`(S, V, V)` worth of partners that the boxes of the first view should have in the second."""
        return np.asarray(np.einsum("svc,vcw->svw", tally.boxes, self.rates) * self.clearness)

    def expected_of_pairs(self, tally: Tally) -> FloatArray:
        """`(S, V, V)` the same, as boxes of both views have it in the mean; symmetric."""
        expected = self.expected(tally)
        return np.asarray((expected + expected.swapaxes(1, 2)) / 2)


def rates_of(boxes: FloatArray, mass: FloatArray) -> FloatArray:
    """`(V, C, V)` partners a box, from sums over cells: `(V, C)` boxes and `(V, C, V)` partners."""
    mean = mass.sum(axis=1) / np.maximum(boxes.sum(axis=1), 1.0)[:, None]
    counted = (boxes + PROFILE.prior_boxes)[..., None]
    return np.asarray((mass + PROFILE.prior_boxes * mean[:, None]) / counted)


def learn_profile(tally: Tally, mass: FloatArray, apart: FloatArray, height: FloatArray) -> Profile:
    """Learn what is expected from a recording.

    Args:
        tally: S slices of it.
        mass: `(S, V, IMAGE_CELLS, V)` posterior mass of the boxes in each cell, by partner's view.
        apart: See `Profile`.
        height: See `Profile`.

    Returns:
        The profile; what it varies by is measured on parts of the recording that the others foretell.
    """
    part = np.arange(len(tally)) * PROFILE.parts // max(len(tally), 1)
    ratios, sizes = [], []
    variance, scale = np.zeros((2, len(PROFILE.windows)))
    for number in range(PROFILE.parts):
        here = part == number
        if not here.any() or here.all():
            continue
        others = _expectations(tally[~here], mass[~here])
        means = others.expected_of_pairs(tally[here]).sum(axis=2) / others.unit
        found = tally.worth[here].sum(axis=2) / others.unit
        level = found.sum(axis=0) / np.maximum(means.sum(axis=0), 1e-9)
        for place, window in enumerate(PROFILE.windows):
            starts = np.arange(0, len(means), window)
            variance[place] += float((np.add.reduceat(found - level * means, starts) ** 2).sum())
            scale[place] += float(means.sum())
        ratios.append(np.where(means.sum(axis=0) > 0, level, 1.0))
        sizes.append(np.maximum(means.sum(axis=0), 1.0))
    spread = max(float((variance / np.maximum(scale, 1e-9)).max()), PROFILE.least_spread)
    drift = np.full(len(apart), PROFILE.drift_of_one)
    if ratios:  # what parts differ by, less what so few boxes would differ by anyway
        drift = np.sqrt(np.maximum(np.var(ratios, axis=0) - np.mean(spread / np.array(sizes), axis=0), 0.0))
    return replace(
        _expectations(tally, mass),
        spread=spread,
        drift=np.clip(drift, PROFILE.least_drift, PROFILE.largest_drift),
        crowd=tally.boxes.sum(axis=(0, 2)) / max(int(tally.instants.sum()), 1),
        apart=apart,
        height=height,
    )


def _expectations(tally: Tally, mass: FloatArray) -> Profile:
    """A profile that knows what to expect, and not yet how much that varies."""
    met, worth = tally.met.sum(axis=0), tally.worth.sum(axis=0)
    rates = rates_of(tally.boxes.sum(axis=0), mass.sum(axis=0))
    zero = np.zeros(len(met))
    return Profile(rates, worth / np.maximum(met, 1e-9), 1.0, zero, zero, zero, zero)
