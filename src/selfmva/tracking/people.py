"""The people whom a tracker knows: their last box in every view, and where they walk on the floor."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.geometry.floor_likelihood import LIKELIHOOD, FloorReadings, distances_of_pairs_on_floor
from selfmva.tracking.image_distance import image_distances, moved
from selfmva.tracking.motion import MOTION

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.tracking.instants import Instant
    from selfmva.tracking.motion import MotionModel

NEVER = -(2**40)  # an instant before all others


@dataclass(frozen=True)
class StateSettings:
    """How fast a state follows what is seen."""

    horizon: int = 8  # instants over which a velocity in the image holds
    follow: float = 0.4  # weight of what was seen last, in a velocity
    first_follow: float = 0.7  # the same where it was seen once
    trusted_covariance: float = 0.3  # of a place that boxes tell: their errors are common to neighbouring instants


STATE = StateSettings()


@dataclass(frozen=True, eq=False)
class People:
    """States of P people seen by V views.

    Attributes:
        ids: `(P,)`.
        unseen: `(P,)` number of the last instants at which nobody saw them; an instant without a frame is none.
        boxes: `(P, V, 4)` last box in every view.
        velocity: `(P, V, 2)` pixels an instant.
        box_seen: `(P, V)` its instant; NEVER where there is none.
        moving: `(P, V)` whether the velocity was measured.
        state: `(P, 4)` place and velocity on the floor.
        covariance: `(P, 4, 4)`.
        on_floor: `(P,)` whether these are known.
        floor_seen: `(P,)` their instant.
    """

    ids: IntArray
    unseen: IntArray
    boxes: FloatArray
    velocity: FloatArray
    box_seen: IntArray
    moving: np.ndarray
    state: FloatArray
    covariance: FloatArray
    on_floor: np.ndarray
    floor_seen: IntArray

    @classmethod
    def new(cls, ids: IntArray, now: int, views: int) -> Self:
        """People of whom nothing is known yet."""
        size = len(ids)
        return cls(
            np.asarray(ids, np.int64),
            np.zeros(size, np.int64),
            np.zeros((size, views, 4)),
            np.zeros((size, views, 2)),
            np.full((size, views), NEVER, np.int64),
            np.zeros((size, views), bool),
            np.zeros((size, 4)),
            np.zeros((size, 4, 4)),
            np.zeros(size, bool),
            np.full(size, now, np.int64),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: IntArray | np.ndarray) -> People:
        return People(*(getattr(self, column.name)[rows] for column in fields(self)))

    def joined(self, *others: People) -> People:
        """These and others."""
        parts = (self, *others)
        return People(*(np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(self)))


def expected_places(people: People, now: int, model: MotionModel) -> tuple[FloatArray, FloatArray]:
    """`(P, 4)` states on the floor at an instant and `(P, 4, 4)` their covariances, for a walk of random acceleration.

    See Bar-Shalom et al., "Estimation with Applications to Tracking and Navigation", 2001, section 6.2.2.
    """
    passed = (now - people.floor_seen).astype(np.float64)
    step = np.tile(np.eye(4), (len(people), 1, 1))
    step[:, 0, 2] = step[:, 1, 3] = passed
    noise = np.zeros((len(people), 4, 4))
    for axis in (0, 1):
        noise[:, axis, axis] = passed**3 / 3
        noise[:, axis, axis + 2] = noise[:, axis + 2, axis] = passed**2 / 2
        noise[:, axis + 2, axis + 2] = passed
    state = (step @ people.state[..., None])[..., 0]
    return state, step @ people.covariance @ step.transpose(0, 2, 1) + model.acceleration * noise


def log_odds(
    people: People, instant: Instant, now: int, model: MotionModel, rows: IntArray | None = None
) -> FloatArray:
    """How well boxes go with people, by their motion alone: `(P, M)` log-ratios against a box of somebody else.

    Args:
        people: P of them.
        instant: What is seen.
        now: Its time, in the direction in which the people are followed.
        model: How people move.
        rows: Which boxes are asked, `(M,)`; None: all.
    """
    rows = np.arange(len(instant.boxes)) if rows is None else rows
    view, boxes = instant.view[rows], instant.boxes[rows]
    lag = now - people.box_seen[:, view]
    known = people.box_seen[:, view] > NEVER
    way = people.velocity[:, view] * np.minimum(lag, STATE.horizon)[..., None]
    distance = image_distances(people.boxes[:, view] + way[..., [0, 1, 0, 1]], boxes)
    by_image = np.where(known, model.of_image(np.where(known, distance, 0.0), np.where(known, lag, 1)), 0.0)
    if instant.readings is None:
        return MOTION.image_alone * by_image
    state, covariance = expected_places(people, now, model)
    distance = distances_of_pairs_on_floor(
        _as_readings(people, state[:, :2], covariance[:, :2, :2])[:, None], instant.readings[rows]
    )
    there = np.isfinite(distance)
    by_floor = model.of_floor(LIKELIHOOD.nearest - np.where(there, distance, 0.0) ** 2 / 2)
    both = MOTION.both[0] * by_image + MOTION.both[1] * by_floor
    alone = np.where(there, MOTION.floor_alone * by_floor, MOTION.image_alone * by_image)
    return np.where(known & there, both, alone)


def follow(people: People, instant: Instant, now: int, person: IntArray, model: MotionModel) -> People:
    """People after an instant.

    Args:
        people: Those known.
        instant: What is seen.
        now: Its time.
        person: `(M,)` row of the person in each box, -1 = nobody.
        model: How people move.
    """
    rows = np.flatnonzero(person >= 0)
    who, view, seen = person[rows], instant.view[rows], instant.boxes[rows]
    people = replace(people, **{c.name: getattr(people, c.name).copy() for c in fields(people)})
    lag = now - people.box_seen[who, view]
    recent = (people.box_seen[who, view] > NEVER) & (lag <= STATE.horizon)
    way = moved(people.boxes[who, view], seen) / np.maximum(lag, 1)[:, None]
    weight = np.where(people.moving[who, view], STATE.follow, STATE.first_follow)[:, None]
    velocity = (1 - weight) * people.velocity[who, view] + weight * way
    people.velocity[who, view] = np.where(recent[:, None], velocity, 0.0)
    people.moving[who, view] = recent
    people.boxes[who, view] = seen
    people.box_seen[who, view] = now
    people.unseen[:] += 1
    people.unseen[who] = 0
    if instant.readings is not None:
        _follow_on_floor(people, instant, now, person, model)
    return people


def told_places(
    instant: Instant, person: IntArray, people: int, model: MotionModel
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Where the boxes of each person put them.

    Args:
        instant: What is seen, on a floor.
        person: `(M,)` row of the person in each box, -1 = nobody.
        people: How many there are.
        model: How people move.

    Returns:
        `(K,)` rows of the people of whom boxes tell the place, `(K, 2)` places, and `(K, 2, 2)` their covariances.
    """
    place, weight = instant.places
    rows = np.flatnonzero((person >= 0) & (np.linalg.det(weight) > 0) & np.isfinite(place).all(axis=1))
    information, weighted = np.zeros((people, 2, 2)), np.zeros((people, 2))
    np.add.at(information, person[rows], weight[rows])
    np.add.at(weighted, person[rows], (weight[rows] @ place[rows, :, None])[..., 0])
    who = np.unique(person[rows])
    who = who[np.linalg.det(information[who]) > LIKELIHOOD.smallest_determinant]
    covariance = np.linalg.inv(information[who])
    told = (covariance @ weighted[who, :, None])[..., 0]
    return who, told, STATE.trusted_covariance * covariance + model.place_noise * np.eye(2)


def _follow_on_floor(people: People, instant: Instant, now: int, person: IntArray, model: MotionModel) -> None:
    """Kalman update of the places, by all boxes of a person at once."""
    who, told, covariance = told_places(instant, person, len(people), model)
    if not len(who):
        return
    state, expected = expected_places(people[who], now, model)
    old = people.on_floor[who, None]
    gain = expected[:, :, :2] @ np.linalg.inv(expected[:, :2, :2] + covariance)
    off = told - state[:, :2]
    fresh = np.zeros((len(who), 4, 4))
    fresh[:, :2, :2] = covariance
    fresh[:, [2, 3], [2, 3]] = model.speed
    people.state[who] = np.where(
        old, state + (gain @ off[..., None])[..., 0], np.concatenate([told, np.zeros_like(told)], axis=1)
    )
    people.covariance[who] = np.where(old[..., None], expected - gain @ expected[:, :2, :], fresh)
    people.on_floor[who] = True
    people.floor_seen[who] = now


def _as_readings(people: People, place: FloatArray, covariance: FloatArray) -> FloorReadings:
    """Expected places in the form of readings of boxes whose feet are seen."""
    one = np.ones(len(people))
    return FloorReadings(
        place, covariance, place, covariance, one, people.on_floor, np.zeros(len(people)), people.on_floor
    )
