"""Simulated recordings whose true geometry is known: was it found, and is anything wrong called trusted?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from _ceiling import transfer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from selfmva.datasets.simulated import Simulated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selfmva.core.types import FloatArray

INTERVAL = 0.4  # seconds between two instants
BODY = 1.7  # metres
WRONG = 0.5  # heights: a homography that misses by more in the median
NOTHING: dict[str, dict[str, Any]] = {
    "unrelated views": {"unrelated_views": True},
    "moving cameras": {"moving_cameras": True},
    "one person standing": {"standing": True, "people": 1},
}


@dataclass(frozen=True)
class Judgement:
    """What became of one simulated recording.

    Attributes:
        pairs: Number of view pairs.
        trusted: How many of them are called trusted.
        wrong: How many of these are off by more than half a body in the median.
        worst: Largest median error of a trusted pair, in heights; 0 without one.
        connected: The trusted pairs that are right join all views.
    """

    pairs: int
    trusted: int
    wrong: int
    worst: float
    connected: bool

    @property
    def found(self) -> bool:
        """All views are joined, and nothing wrong is trusted."""
        return self.connected and not self.wrong

    def __str__(self) -> str:
        verdict = "found" if self.found else "NOT FOUND"
        return f"trusted {self.trusted} of {self.pairs}, wrong {self.wrong}, worst {self.worst:.2f} heights, {verdict}"


def draw(seed: int) -> Simulated:
    """3 to 8 views, 2 to 40 people, 2 to 20 minutes to train on (both evenly on a log scale), room for everybody."""
    rng = np.random.default_rng([seed, 50])
    views, people = int(rng.integers(3, 9)), round(2 * 20 ** rng.random())
    minutes = 2 * 10 ** rng.random()
    side = float(np.clip((people / 10) ** 0.5, 0.6, 2.0))  # of the floor, against 12 m x 9 m for 10 people
    return Simulated(
        views=views,
        people=people,
        instants=round(minutes * 60 / INTERVAL / 0.7),  # the training split is the first 70 %
        floor_width=12.0 * side,
        floor_depth=9.0 * side,
        interval_seconds=INTERVAL,
        seed=seed,
    )


def nothing_to_learn(seeds: int) -> Iterator[tuple[str, int, Simulated]]:
    """Recordings in which no view pair has a ground homography that could be found."""
    for name, options in NOTHING.items():
        for seed in range(seeds):
            yield name, seed, Simulated(**options, seed=seed)


def judge(scene: Simulated, homographies: dict[tuple[int, int], FloatArray]) -> Judgement:
    """Compare trusted homographies with the true ones, at the places where people were."""
    places = np.concatenate([scene.ground_positions(t)[1] for t in scene.splits["train"][::20]])
    errors = {pair: _median_error(scene, places, *pair, found) for pair, found in homographies.items()}
    right = [pair for pair, error in errors.items() if error <= WRONG]
    views = len(scene.views)
    graph = coo_array((np.ones(len(right)), np.reshape(right, (-1, 2)).T.astype(int)), shape=(views, views))
    return Judgement(
        pairs=len(list(combinations(range(views), 2))),
        trusted=len(errors),
        wrong=len(errors) - len(right),
        worst=max(errors.values(), default=0.0),
        connected=connected_components(graph, directed=False)[0] == 1,
    )


def _median_error(scene: Simulated, places: FloatArray, i: int, j: int, homography: FloatArray) -> float:
    """In heights of a body in view j; infinite where nobody is ever seen by both views."""
    seen = _inside(scene, places, i) & _inside(scene, places, j)
    if not seen.any():
        return np.inf
    feet_i, feet_j, heads_j = (_project(scene, places[seen], *which) for which in ((i, 0.0), (j, 0.0), (j, BODY)))
    missed = np.linalg.norm(transfer(homography, feet_i) - feet_j, axis=1)
    return float(np.median(missed / np.linalg.norm(heads_j - feet_j, axis=1)))


def _inside(scene: Simulated, places: FloatArray, view: int) -> np.ndarray:
    """Whose feet are in front of the camera and inside its image."""
    size = (scene.views[view].width, scene.views[view].height)
    ahead = np.column_stack([places, np.ones(len(places))]) @ scene.homographies[view][2] > 0
    feet = _project(scene, places, view, 0.0)
    return ahead & ((feet >= 0) & (feet <= size)).all(axis=1)


def _project(scene: Simulated, places: FloatArray, view: int, height: float) -> FloatArray:
    points = np.column_stack([places, np.full(len(places), height), np.ones(len(places))]) @ scene.projections[view].T
    return points[:, :2] / points[:, 2:]
