"""Simulated people: they enter at the edge of a floor, walk, stop, meet, and leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

# Adults; walking speeds in rooms and halls. Only the mean number of people present is the caller's.
BODY_HEIGHTS = (1.5, 2.0)  # metres
CHILD_HEIGHTS = (0.9, 1.4)  # metres
RADII = (0.21, 0.27)  # metres at the shoulder
SPEEDS = (0.5, 1.6)  # metres per second
VISIT_SECONDS = 60.0  # mean
STOP_SECONDS = 5.0  # mean
MEETING_SECONDS = 10.0  # mean
STOP_PROBABILITY = 0.4  # at a goal
MEETING_PROBABILITY = 0.25  # that the next goal is another person
MEETING_DISTANCE = 0.8  # metres
PERSONAL_SPACE = 0.6  # metres between two people who pass each other
ARRIVED = 0.5  # metres to a goal that count as having reached it
INERTIA_SECONDS = 0.5  # how long a walker keeps its old velocity
TABLE_HEIGHTS = (0.7, 1.1)  # metres: what hides feet
TABLE_RADII = (0.5, 1.0)  # metres
FORMATION_SPACING = 1.2  # metres between two people who march beside each other, or one behind the other


@dataclass(frozen=True)
class Crowd:
    """Who is where, and when.

    Args:
        places: `(T, S, 2)` metres on the floor; S slots, each of them one person at a time.
        identities: `(T, S)` int64 from 0 to P - 1; -1 where the slot is empty.
        heights: `(P,)` metres.
        radii: `(P,)` metres at the shoulder.
    """

    places: FloatArray
    identities: IntArray
    heights: FloatArray
    radii: FloatArray


def walk(
    *,
    people: int,
    instants: int,
    interval_seconds: float,
    floor: FloatArray,
    standing: bool,
    rng: np.random.Generator,
    linger: float = 1.0,
) -> Crowd:
    """Let a crowd live on a floor.

    Args:
        people: Mean number of people present.
        instants: Number of instants T.
        interval_seconds: Time between two instants.
        floor: `(2,)` width and depth in metres.
        standing: Whether the people of the first instant stay where they are, for ever.
        rng: Source of every random choice.
        linger: How many times longer than usual they stop, meet, and stay.

    Returns:
        The crowd. Nobody comes back: whoever enters is a new identity.

    Example:
        >>> crowd = walk(people=3, instants=50, interval_seconds=0.4, floor=np.array([8.0, 6.0]), standing=False,
        ...              rng=np.random.default_rng(0))
        >>> crowd.places.shape, int((crowd.identities[0] >= 0).sum())
        ((50, 5, 2), 3)
    """
    walkers = _Walkers(people, interval_seconds, floor, rng, linger)
    places = np.empty((instants, *walkers.place.shape))
    identities = np.empty(places.shape[:2], dtype=np.int64)
    for instant in range(instants):
        places[instant] = walkers.place
        identities[instant] = np.where(walkers.inside, walkers.identity, -1)
        if not standing:
            walkers.step()
    bodies = np.random.default_rng(rng.integers(2**63))
    heights = bodies.uniform(*BODY_HEIGHTS, walkers.entered)
    return Crowd(places, identities, heights, bodies.uniform(*RADII, walkers.entered))


def march(*, people: int, instants: int, interval_seconds: float, floor: FloatArray, rng: np.random.Generator) -> Crowd:
    """Let everybody walk the same way at the same speed, in rows and files, over a floor and back.

    Args:
        people: Number of people in the formation.
        instants: Number of instants T.
        interval_seconds: Time between two instants.
        floor: `(2,)` width and depth in metres.
        rng: Source of every random choice.

    Returns:
        The crowd; whoever is off the floor is not present for that time.

    Example:
        >>> crowd = march(people=6, instants=50, interval_seconds=0.4, floor=np.array([8.0, 6.0]),
        ...               rng=np.random.default_rng(0))
        >>> steps = np.diff(crowd.places, axis=0)
        >>> bool(np.allclose(steps, steps[:, :1]))
        True
    """
    angle, speed = rng.uniform(0, 2 * np.pi), rng.uniform(*SPEEDS)
    ahead = np.array([np.cos(angle), np.sin(angle)])
    files = int(np.ceil(people**0.5))
    grid = np.stack(np.divmod(np.arange(people), files), axis=1).astype(np.float64)
    grid = FORMATION_SPACING * (grid - grid.mean(axis=0)) @ np.array([ahead, [-ahead[1], ahead[0]]])
    reach = float(np.min(floor / 2 / np.maximum(np.abs(ahead), 1e-9)))  # from the middle to the edge
    walked = speed * interval_seconds * np.arange(instants) + rng.uniform(0, 4 * reach)
    along = np.abs(walked % (4 * reach) - 2 * reach) - reach  # there and back again
    places = floor / 2 + along[:, None, None] * ahead + grid
    inside = ((places >= 0) & (places <= floor)).all(axis=-1)
    identities = np.where(inside, np.arange(people), -1)
    return Crowd(places, identities, rng.uniform(*BODY_HEIGHTS, people), rng.uniform(*RADII, people))


def with_children(crowd: Crowd, share: float, rng: np.random.Generator) -> Crowd:
    """Make some people of a crowd children, as wide for their height as they were.

    Example:
        >>> adults = Crowd(np.zeros((1, 2, 2)), np.array([[0, 1]]), np.full(2, 1.8), np.full(2, 0.25))
        >>> bool((with_children(adults, 1.0, np.random.default_rng(0)).heights < 1.41).all())
        True
    """
    child = rng.random(len(crowd.heights)) < share
    heights = np.where(child, rng.uniform(*CHILD_HEIGHTS, len(child)), crowd.heights)
    return replace(crowd, heights=heights, radii=crowd.radii * heights / crowd.heights)


def furnish(count: int, floor: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Put things on a floor that hide the feet of those behind them.

    Args:
        count: Number of things F.
        floor: `(2,)` width and depth in metres.
        rng: Source of every random choice.

    Returns:
        `(F, 2)` places, `(F,)` heights and `(F,)` radii in metres.

    Example:
        >>> [part.shape for part in furnish(3, np.array([8.0, 6.0]), np.random.default_rng(0))]
        [(3, 2), (3,), (3,)]
    """
    places = floor * rng.uniform(0.1, 0.9, (count, 2))
    return places, rng.uniform(*TABLE_HEIGHTS, count), rng.uniform(*TABLE_RADII, count)


class _Walkers:
    """The state of all slots at one instant. Half as many slots again as people, so that their number varies."""

    def __init__(
        self, people: int, interval_seconds: float, floor: FloatArray, rng: np.random.Generator, linger: float
    ) -> None:
        slots = people + people // 2 + 1
        self.rng = rng
        self.floor = floor
        self.interval = interval_seconds
        self.linger = linger
        # Arrivals balance departures when `people` are present.
        self.arrival = min(1.0, people / (slots - people) * interval_seconds / (linger * VISIT_SECONDS))
        self.inertia = np.exp(-interval_seconds / INERTIA_SECONDS)
        self.entered = 0
        self.inside = np.zeros(slots, dtype=bool)
        self.identity = np.full(slots, -1)
        self.place, self.goal, self.exit, self.velocity = np.zeros((4, slots, 2))
        self.speed = np.ones(slots)
        self.stay, self.remaining = np.zeros((2, slots))  # seconds at the goal, seconds of the visit
        self._enter(np.arange(people))
        self.place[:people] = self._anywhere(people)

    def step(self) -> None:
        self._enter(np.flatnonzero(~self.inside & (self.rng.random(len(self.inside)) < self.arrival)))
        self.remaining -= self.interval
        to_exit = _length(self.exit - self.place)
        leaving = self.remaining <= to_exit / self.speed
        self.goal[leaving] = self.exit[leaving]
        self.inside &= ~(leaving & (to_exit < ARRIVED))
        arrived = self.inside & ~leaving & (_length(self.goal - self.place) < ARRIVED)
        self.stay[arrived] -= self.interval
        self._choose_goals(np.flatnonzero(arrived & (self.stay <= 0)), np.flatnonzero(self.inside & ~leaving))
        self._move()

    def _enter(self, who: IntArray) -> None:
        if not len(who):
            return
        self.inside[who] = True
        self.identity[who] = self.entered + np.arange(len(who))
        self.entered += len(who)
        self.place[who] = self._at_edge(len(who))
        self.exit[who] = self._at_edge(len(who))
        self.goal[who] = self._anywhere(len(who))
        self.velocity[who] = 0.0
        self.speed[who] = self.rng.uniform(*SPEEDS, len(who))
        self.stay[who] = 0.0
        self.remaining[who] = self.rng.exponential(self.linger * VISIT_SECONDS, len(who))

    def _choose_goals(self, who: IntArray, company: IntArray) -> None:
        if not len(who):
            return
        rng, count = self.rng, len(who)
        self.goal[who] = self._anywhere(count)
        self.speed[who] = rng.uniform(*SPEEDS, count)
        self.stay[who] = rng.exponential(self.linger * STOP_SECONDS, count) * (rng.random(count) < STOP_PROBABILITY)
        partner = rng.choice(company, count)
        meets = (rng.random(count) < MEETING_PROBABILITY) & ~np.isin(partner, who)
        who, partner = who[meets], partner[meets]
        angle = rng.uniform(0, 2 * np.pi, len(who))
        beside = MEETING_DISTANCE * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        self.goal[who] = np.clip(self.goal[partner] + beside, 0.0, self.floor)
        self.stay[who] = rng.exponential(self.linger * MEETING_SECONDS, len(who))
        walk_seconds = _length(self.goal[who] - self.place[who]) / self.speed[who]
        self.stay[partner] = self.stay[who] + walk_seconds  # the other waits

    def _move(self) -> None:
        towards = self.goal - self.place
        distance = _length(towards)
        pace = np.minimum(self.speed, distance / self.interval) / np.maximum(distance, 1e-9)
        self.velocity = self.inertia * self.velocity + (1 - self.inertia) * pace[:, None] * towards
        self.place += self.velocity * self.interval
        offset = self.place[:, None] - self.place
        gap = _length(offset)
        close = (gap < PERSONAL_SPACE) & self.inside & self.inside[:, None]
        push = np.where(close, (PERSONAL_SPACE - gap) / 2 / np.maximum(gap, 1e-9), 0.0)
        self.place += (offset * push[..., None]).sum(axis=1)
        np.clip(self.place, 0.0, self.floor, out=self.place)

    def _anywhere(self, count: int) -> FloatArray:
        return self.floor * self.rng.uniform(0.05, 0.95, (count, 2))

    def _at_edge(self, count: int) -> FloatArray:
        """Points on the four sides, all sides alike."""
        point = self.floor * self.rng.random((count, 2))
        axis, end = self.rng.integers(0, 2, (2, count))
        point[np.arange(count), axis] = end * self.floor[axis]
        return point


def _length(vectors: FloatArray) -> FloatArray:
    lengths: FloatArray = np.hypot(vectors[..., 0], vectors[..., 1])
    return lengths
