"""Learning how people move from instants of a recording, without labels."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import zeta

from selfmva.geometry.floor_likelihood import LIKELIHOOD, FloorReadings, density_of_strangers
from selfmva.matching.posterior.distance_table import fit_distance_table
from selfmva.tracking.image_distance import image_distances
from selfmva.tracking.motion import LAGS, MotionModel, Returns
from selfmva.tracking.people import People, expected_places, follow, told_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.tracking.instants import Instant


@dataclass(frozen=True)
class MotionLearningSettings:
    """How much is looked at, and what is tried."""

    instants: int = 200  # from which pairs of boxes at each lag are taken
    least_pairs: int = 50
    # Of all pairs of boxes of a view at a lag, those of one person are fewer than half where more than one is there.
    largest_fraction: float = 0.5
    followed: int = 300  # instants, along which the noise of acceleration is tried
    accelerations: tuple[float, ...] = tuple(10.0 ** np.arange(-5.0, -0.9, 0.5))
    freedom: float = 4.0  # of the Student density: people stop and turn more often than a normal law allows
    # What returns count before anything was seen: of ten steps, one missed, and one person new.
    prior_steps: float = 10.0
    decays: tuple[float, float] = (1.1, 3.0)


MOTION_LEARNING = MotionLearningSettings()


def learn_motion(instants: Sequence[Instant], before: MotionModel | None = None) -> MotionModel:
    """Tables of the image, and how densely people stand; the rest as before.

    Args:
        instants: Of a recording, their indices increasing.
        before: What was learnt already; None: nothing.
    """
    model = MotionModel() if before is None else before
    instants = [instant for instant in instants if len(instant.boxes)]
    if not instants:
        return model
    people = float(np.mean([instant.group.max() + 1 for instant in instants]))
    image = _image_tables(instants)
    return replace(model, image=image or model.image, people=max(people, 1.0), density=_density(instants))


def learn_acceleration(instants: Sequence[Instant], ids: Sequence[IntArray], model: MotionModel) -> MotionModel:
    """The noise of acceleration under which people, followed by their ids, are most often where they are expected."""
    if all(instant.readings is None for instant in instants):
        return model
    pairs = [(instant, found) for instant, found in zip(instants, ids, strict=True) if len(found)]
    pairs = pairs[: MOTION_LEARNING.followed]
    tried = [replace(model, acceleration=value) for value in MOTION_LEARNING.accelerations]
    return min(tried, key=lambda candidate: _surprise(pairs, candidate))


def learn_returns(gaps: IntArray, born: int) -> Returns:
    """How people come and go.

    Somebody new may be somebody who is back: half of them count as such, so that what was taken for new at first can
    become a return.

    Args:
        gaps: `(K,)` instants since people who were seen were last seen.
        born: Number of those who were new.
    """
    away = gaps[gaps > 1].astype(np.float64) - 1.0
    steps = len(gaps) + MOTION_LEARNING.prior_steps
    missed = (len(away) + born / 2 + 1.0) / (steps + born)
    return Returns(min(missed, 0.5), _decay(away), (born / 2 + 1.0) / (len(gaps) + MOTION_LEARNING.prior_steps))


def _decay(away: FloatArray) -> float:
    """Exponent of the power law of whole numbers: the zeta distribution of largest likelihood.

    (Clauset et al., "Power-law distributions in empirical data", SIAM Review 2009, eq. 3.5.) Two gaps more, of one and
    of four instants, stand for what was known before.
    """
    count, logs = len(away) + 2, float(np.log(away).sum() + np.log(4.0))
    found = minimize_scalar(
        lambda decay: count * np.log(zeta(decay)) + decay * logs, bounds=MOTION_LEARNING.decays, method="bounded"
    )
    return float(found.x)


def _image_tables(instants: Sequence[Instant]) -> dict[int, DistanceTable]:
    """For each lag: distances of all boxes of a view at that lag, against those of two boxes of one instant."""
    stride = max(len(instants) // MOTION_LEARNING.instants, 1)
    chosen = range(0, len(instants), stride)
    place = {instant.index: number for number, instant in enumerate(instants)}
    null = np.concatenate([_within_views(instants[k], instants[k], others=True) for k in chosen])
    tables = {}
    for number, lag in enumerate(LAGS.tolist()):
        later = [(k, place.get(instants[k].index + lag)) for k in chosen]
        found = [_within_views(instants[k], instants[after]) for k, after in later if after is not None]
        mixed = np.concatenate([np.zeros(0), *found])
        if min(len(mixed), len(null)) < MOTION_LEARNING.least_pairs:
            continue
        table = fit_distance_table(mixed, null, largest_fraction=MOTION_LEARNING.largest_fraction)
        if table.true_fraction > 0:
            tables[number] = table
    return tables


def _within_views(one: Instant, other: Instant, *, others: bool = False) -> FloatArray:
    """Distances of all boxes of two instants, view by view; of one instant, without those of one person."""
    same = one.view[:, None] == other.view
    if others:
        same &= one.group[:, None] != other.group
    first, second = np.nonzero(same)
    return image_distances(one.boxes[first], other.boxes[second])


def _density(instants: Sequence[Instant]) -> float:
    """Other people around a person, people a square body height."""
    stride = max(len(instants) // MOTION_LEARNING.instants, 1)
    chosen = [(k, instant.readings) for k, instant in enumerate(instants[::stride]) if instant.readings is not None]
    if not chosen:
        return LIKELIHOOD.least_density
    readings = FloorReadings(
        *(np.concatenate([getattr(part, column.name) for _, part in chosen]) for column in fields(FloorReadings))
    )
    views = len(instants[0].count)
    image = np.concatenate([instants[::stride][k].view + views * k for k, _ in chosen])
    return density_of_strangers(readings, image) / LIKELIHOOD.strangers


def _surprise(pairs: Sequence[tuple[Instant, IntArray]], model: MotionModel) -> float:
    """Mean negative log-likelihood of the places of people one step after they were seen, by a Student density."""
    people, total, count = People.new(np.zeros(0, np.int64), 0, len(pairs[0][0].count)), 0.0, 0
    for instant, ids in pairs:
        now = instant.index
        people = people.joined(People.new(np.setdiff1d(ids, people.ids), now, len(instant.count)))
        order = np.argsort(people.ids)
        person = order[np.searchsorted(people.ids[order], ids)]
        if instant.readings is not None:
            who, told, noise = told_places(instant, person, len(people), model)
            old = people.on_floor[who]
            expected, covariance = expected_places(people[who[old]], now, model)
            spread, off = covariance[:, :2, :2] + noise[old], told[old] - expected[:, :2]
            square = np.einsum("ni,nij,nj->n", off, np.linalg.inv(spread), off)
            value = (MOTION_LEARNING.freedom / 2 + 1) * np.log1p(square / MOTION_LEARNING.freedom)
            total += float((value + 0.5 * np.linalg.slogdet(spread)[1]).sum())
            count += int(old.sum())
        after = follow(people, instant, now, person, model)
        people = after[after.unseen < model.returns.memory]
    return total / max(count, 1)
