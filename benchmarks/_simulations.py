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
    from collections.abc import Iterator, Mapping

    from selfmva.core.types import FloatArray, Frame, View

INTERVAL = 0.4  # seconds between two instants
BODY = 1.7  # metres
WRONG = 0.5  # heights: a homography that misses by more in the median
NOTHING: dict[str, dict[str, Any]] = {
    "unrelated views": {"unrelated_views": True},
    "moving cameras": {"moving_cameras": True},
    "one person standing": {"standing": True, "people": 1},
}


@dataclass(frozen=True, eq=False)
class Scene:
    """What the floor is learnt from, and what is true of it.

    Attributes:
        name: What it is, for a line of the output.
        views: The cameras.
        frames: To learn from.
        projections: `(V, 3, 4)` true cameras, from metres (x, y, z up, 1) to pixels of the images as they are given.
        places: `(P, 2)` metres, where people were.
        elsewhere: Views of another place: a pair with one of them has no homography.
    """

    name: str
    views: tuple[View, ...]
    frames: list[Frame]
    projections: FloatArray
    places: FloatArray
    elsewhere: frozenset[int] = frozenset()


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


def to_learn_from(scene: Simulated) -> Scene:
    """The training part, judged where people were at every 20th instant of it; of a short one, at all."""
    train = scene.splits["train"]
    places = np.concatenate([scene.ground_positions(t)[1] for t in train[:: 20 if len(train) >= 300 else 1]])
    minutes = len(train) * scene.config.interval_seconds / 60
    name = f"{len(scene.views)} views, {scene.config.people} people, {len(train)} instants, {minutes:.1f} min"
    return Scene(name, scene.views, [scene.frame(t) for t in train], scene.projections, places)


def nothing_to_learn(seeds: int) -> Iterator[tuple[str, int, Simulated]]:
    """Recordings in which no view pair has a ground homography that could be found."""
    for name, options in NOTHING.items():
        for seed in range(seeds):
            yield name, seed, Simulated(**options, seed=seed)


def judge(scene: Scene, homographies: Mapping[tuple[int, int], FloatArray]) -> Judgement:
    """Compare trusted homographies with the true ones, at the places where people were."""
    errors = {pair: _median_error(scene, *pair, found) for pair, found in homographies.items()}
    return judgement(len(scene.views), errors)


def judgement(views: int, errors: Mapping[tuple[int, int], float]) -> Judgement:
    """What trusted pairs of a number of views are worth; by pair the median error in heights."""
    right = [pair for pair, error in errors.items() if error <= WRONG]
    graph = coo_array((np.ones(len(right)), np.reshape(right, (-1, 2)).T.astype(int)), shape=(views, views))
    return Judgement(
        pairs=len(list(combinations(range(views), 2))),
        trusted=len(errors),
        wrong=len(errors) - len(right),
        worst=max(errors.values(), default=0.0),
        connected=connected_components(graph, directed=False)[0] == 1,
    )


def misses(
    cameras: tuple[FloatArray, FloatArray], views: tuple[View, View], places: FloatArray, homography: FloatArray
) -> FloatArray:
    """How far a homography from a first view to a second misses, in heights of a body in the second.

    Args:
        cameras: `(3, 4)` projections of both, from metres to pixels.
        views: Both.
        places: `(P, 2)` metres on the floor.
        homography: `(3, 3)` from pixels of the first to pixels of the second.

    Returns:
        One number for each place that is inside both images.
    """
    seen = np.logical_and(*(_inside(*which, places) for which in zip(cameras, views, strict=True)))
    feet_i, feet_j = (_project(camera, places[seen], 0.0) for camera in cameras)
    heads_j = _project(cameras[1], places[seen], BODY)
    missed = np.linalg.norm(transfer(homography, feet_i) - feet_j, axis=1)
    return missed / np.linalg.norm(heads_j - feet_j, axis=1)


def _median_error(scene: Scene, i: int, j: int, homography: FloatArray) -> float:
    """In heights of a body in view j; infinite where nobody is ever seen by both views, or one shows another place."""
    if {i, j} & scene.elsewhere:
        return np.inf
    cameras, views = (scene.projections[i], scene.projections[j]), (scene.views[i], scene.views[j])
    missed = misses(cameras, views, scene.places, homography)
    return float(np.median(missed)) if len(missed) else np.inf


def _inside(camera: FloatArray, view: View, places: FloatArray) -> np.ndarray:
    """Whose feet are in front of the camera and inside its image."""
    ahead = np.column_stack([places, np.ones(len(places))]) @ camera[2, [0, 1, 3]] > 0
    feet = _project(camera, places, 0.0)
    return ahead & ((feet >= 0) & (feet <= (view.width, view.height))).all(axis=1)


def _project(camera: FloatArray, places: FloatArray, height: float) -> FloatArray:
    points = np.column_stack([places, np.full(len(places), height), np.ones(len(places))]) @ camera.T
    return points[:, :2] / points[:, 2:]
