"""Simulated recordings whose true geometry is known: was it found, and is anything wrong called trusted?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from _ceiling import transfer
from _learnt import floor_homographies
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from selfmva.core.threads import limited_threads
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.datasets.simulation.cameras import distort
from selfmva.geometry.calibration import calibrate_floor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from selfmva.core.types import FloatArray, View

INTERVAL = 0.4  # seconds between two instants
BODY = 1.7  # metres
WRONG = 0.5  # heights: a homography that misses by more in the median
HARDER: dict[str, dict[str, Any]] = {
    "lens": {"distortion": -0.1},
    "furniture": {"furniture": 6},
    "lingering": {"linger": 8.0},
    "eye-level": {"eye_level": 2},
    "children": {"children": 0.3},
    "pixel-aspect": {"pixel_aspect": 1.2},
    "all-of-it": {
        "distortion": -0.1,
        "furniture": 6,
        "linger": 4.0,
        "eye_level": 1,
        "children": 0.2,
        "pixel_aspect": 1.1,
    },
}
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
        distortion: Of all lenses, see `selfmva.datasets.simulation.cameras.distort`.
        least_height: Pixels of a body, below which no view has a box of it: nobody is judged where nobody is seen.
    """

    name: str
    views: tuple[View, ...]
    frames: list[Frame]
    projections: FloatArray
    places: FloatArray
    elsewhere: frozenset[int] = frozenset()
    distortion: float = 0.0
    least_height: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """What became of one simulated recording.

    Attributes:
        pairs: Number of view pairs.
        trusted: How many of them are called trusted.
        wrong: How many of these are off by more than half a body in the median.
        worst: Largest median error of a trusted pair, in heights; 0 without one.
        connected: The trusted pairs that are right join all views of the place.
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


def draw_short(seed: int) -> Simulated:
    """2 to 6 views, 6 to 36 people, 8 to 80 instants to train on, 2 to 10 a second, 14 to 400 square metres."""
    rng = np.random.default_rng([seed, 51])
    views, people = int(rng.integers(2, 7)), round(6 * 6 ** rng.random())
    instants, rate = round(8 * 10 ** rng.random()), 2 * 5 ** rng.random()
    smallest = max(14.0, 1.4 * people)  # square metres: as crowded as ten people in a room of 14
    area, aspect = smallest * (400 / smallest) ** rng.random(), rng.uniform(1.0, 1.5)
    return _room(seed, views, people, instants, area, aspect, interval_seconds=1 / rate)


def short(seed: int) -> Scene:
    """Of `draw_short`."""
    return to_learn_from(draw_short(seed))


def crowded_room(seed: int) -> Scene:
    """4 views, 8 to 15 people on 14 square metres who stop for long, 180 instants to train on, 4 a second."""
    people = int(np.random.default_rng([seed, 53]).integers(8, 16))
    return to_learn_from(_room(seed, 4, people, 180, 14.0, 1.25, interval_seconds=0.25, linger=3.0))


def mirrored(seed: int) -> Scene:
    """One view shows the world as a mirror does."""
    scene, view = to_learn_from(_draw_rig(seed)), _odd_one(seed)
    width = scene.views[view].width
    return _seen_through(scene, view, np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]]))


def upside_down(seed: int) -> Scene:
    """One camera hangs upside down: its image is turned by 180 degrees, so that feet are at the top of boxes."""
    scene, view = to_learn_from(_draw_rig(seed)), _odd_one(seed)
    width, height = scene.views[view].width, scene.views[view].height
    return _seen_through(scene, view, np.array([[-1.0, 0, width], [0, -1, height], [0, 0, 1]]))


def other_place(seed: int) -> Scene:
    """One view is of another place, with other people, under the same clock."""
    simulated, view = _draw_rig(seed), _odd_one(seed)
    scene = to_learn_from(simulated)
    options = {key: getattr(simulated.config, key) for key in simulated.config.model_fields_set}
    other = to_learn_from(Simulated(**options | {"seed": seed + 100_000}))
    frames = [
        Frame([theirs.boxes[v] if v == view else ours.boxes[v] for v in range(len(ours))], ours.index)
        for ours, theirs in zip(scene.frames, other.frames, strict=True)
    ]
    return replace(scene, frames=frames, elsewhere=frozenset({view}))


def lockstep(seed: int) -> Scene:
    """Everybody walks the same way at the same speed, in formation."""
    return to_learn_from(_draw_rig(seed, lockstep=True))


def people_who_stand(seed: int) -> Scene:
    """Nobody moves, the whole time."""
    return to_learn_from(_draw_rig(seed, standing=True))


def harder(kind: str, seed: int) -> Scene:
    """Of a kind in `HARDER`: what real rooms have and plain scenes have not."""
    return to_learn_from(_draw_rig(seed, **HARDER[kind]))


def _draw_rig(seed: int, **options: Any) -> Simulated:
    """3 to 5 views, 6 to 20 people, 60 to 300 instants to train on, 30 to 150 square metres."""
    rng = np.random.default_rng([seed, 52])
    views, people, instants = int(rng.integers(3, 6)), int(rng.integers(6, 21)), round(60 * 5 ** rng.random())
    area, aspect = 30 * 5 ** rng.random(), rng.uniform(1.0, 1.5)
    return _room(seed, views, people, instants, area, aspect, interval_seconds=INTERVAL, **options)


def _room(seed: int, views: int, people: int, instants: int, area: float, aspect: float, **options: Any) -> Simulated:
    width, depth = (area * aspect) ** 0.5, (area / aspect) ** 0.5
    return Simulated(
        views=views,
        people=people,
        instants=round(instants / 0.7),  # the training split is the first 70 %
        floor_width=float(width),
        floor_depth=float(depth),
        seed=seed,
        **options,
    )


def _odd_one(seed: int) -> int:
    """Which view is not what it seems; every scene has three or more."""
    return seed % 3


def _seen_through(scene: Scene, view: int, matrix: FloatArray) -> Scene:
    """The same scene with the image of one view mapped by a `(3, 3)` matrix of turns by 180 degrees and mirrors."""
    frames = []
    for frame in scene.frames:
        boxes = list(frame.boxes)
        corners = np.concatenate([transfer(matrix, boxes[view][:, :2]), transfer(matrix, boxes[view][:, 2:])], axis=1)
        low, high = np.minimum(corners[:, :2], corners[:, 2:]), np.maximum(corners[:, :2], corners[:, 2:])
        boxes[view] = np.hstack([low, high])
        frames.append(Frame(boxes, frame.index))
    projections = scene.projections.copy()
    projections[view] = matrix @ projections[view]
    return replace(scene, frames=frames, projections=projections)


def to_learn_from(scene: Simulated) -> Scene:
    """The training part, judged where people were at every 20th instant of it; of a short one, at all."""
    train = scene.splits["train"]
    places = np.concatenate([scene.ground_positions(t)[1] for t in train[:: 20 if len(train) >= 300 else 1]])
    minutes = len(train) * scene.config.interval_seconds / 60
    name = f"{len(scene.views)} views, {scene.config.people} people, {len(train)} instants, {minutes:.1f} min"
    frames, distortion = [scene.frame(t) for t in train], scene.config.distortion
    return Scene(name, scene.views, frames, scene.projections, places, distortion=distortion)


def nothing_to_learn(seeds: int) -> Iterator[tuple[str, int, Simulated]]:
    """Recordings in which no view pair has a ground homography that could be found."""
    for name, options in NOTHING.items():
        for seed in range(seeds):
            yield name, seed, Simulated(**options, seed=seed)


def judge_floor(draw_scene: Callable[[int], Scene], seed: int, threads: int = 1) -> tuple[str, Judgement, float]:
    """Find the floor of a scene alone: what the scene is, what became of it, and the CPU seconds that took."""
    scene = draw_scene(seed)
    start = time.process_time()
    with limited_threads(threads):
        floor = calibrate_floor(scene.views, scene.frames)
    seconds = time.process_time() - start
    return scene.name, judge(scene, floor_homographies(floor)), seconds


def summary(verdicts: Sequence[Judgement]) -> str:
    """One line on many recordings."""
    counts = np.sum([(v.pairs, v.trusted, v.wrong, v.wrong > 0, v.found) for v in verdicts], axis=0).tolist()
    pairs, trusted, wrong, spoilt, found = counts
    worst = max((v.worst for v in verdicts if not v.wrong), default=0.0)
    return (
        f"{len(verdicts)} recordings, {pairs} pairs: trusted {trusted}, wrong {wrong} (in {spoilt} recordings), worst "
        f"of the others {worst:.2f} heights; all views joined, and nothing wrong, in {found}"
    )


def judge(scene: Scene, homographies: Mapping[tuple[int, int], FloatArray]) -> Judgement:
    """Compare trusted homographies with the true ones, at the places where people were."""
    errors = {pair: _median_error(scene, *pair, found) for pair, found in homographies.items()}
    return judgement(len(scene.views), errors, scene.elsewhere)


def judgement(
    views: int, errors: Mapping[tuple[int, int], float], elsewhere: frozenset[int] = frozenset()
) -> Judgement:
    """What trusted pairs of a number of views are worth; by pair the median error in heights."""
    right = [pair for pair, error in errors.items() if error <= WRONG]
    graph = coo_array((np.ones(len(right)), np.reshape(right, (-1, 2)).T.astype(int)), shape=(views, views))
    return Judgement(
        pairs=len(list(combinations(range(views), 2))),
        trusted=len(errors),
        wrong=len(errors) - len(right),
        worst=max(errors.values(), default=0.0),
        connected=connected_components(graph, directed=False)[0] == 1 + len(elsewhere),
    )


def misses(
    cameras: tuple[FloatArray, FloatArray],
    views: tuple[View, View],
    places: FloatArray,
    homography: FloatArray,
    distortion: float = 0.0,
) -> FloatArray:
    """How far a homography from a first view to a second misses, in heights of a body in the second.

    Args:
        cameras: `(3, 4)` projections of both, from metres to pixels.
        views: Both.
        places: `(P, 2)` metres on the floor.
        homography: `(3, 3)` from pixels of the first to pixels of the second.
        distortion: Of both lenses.

    Returns:
        One number for each place that is inside both images.
    """
    feet = [_project(*which, places, 0.0, distortion) for which in zip(cameras, views, strict=True)]
    seen = np.logical_and(*map(_inside, cameras, views, [places, places], feet))
    heads = _project(cameras[1], views[1], places[seen], BODY, distortion)
    missed = np.linalg.norm(transfer(homography, feet[0][seen]) - feet[1][seen], axis=1)
    return missed / np.linalg.norm(heads - feet[1][seen], axis=1)


def _median_error(scene: Scene, i: int, j: int, homography: FloatArray) -> float:
    """In heights of a body in view j; infinite where nobody is ever seen by both views, or one shows another place."""
    if {i, j} & scene.elsewhere:
        return np.inf
    cameras, views = (scene.projections[i], scene.projections[j]), (scene.views[i], scene.views[j])
    tall = np.logical_and(*(_tall(scene, view) for view in (i, j)))
    missed = misses(cameras, views, scene.places[tall], homography, scene.distortion)
    return float(np.median(missed)) if len(missed) else np.inf


def _tall(scene: Scene, view: int) -> np.ndarray:
    """Which of its places are so near to a view that it has boxes of people there, a tenth lower ones included."""
    feet, heads = (
        _project(scene.projections[view], scene.views[view], scene.places, height, scene.distortion)
        for height in (0.0, BODY)
    )
    return np.asarray(np.linalg.norm(feet - heads, axis=1) >= 0.9 * scene.least_height)


def _inside(camera: FloatArray, view: View, places: FloatArray, feet: FloatArray) -> np.ndarray:
    """Whose feet are in front of the camera and inside its image."""
    ahead = np.column_stack([places, np.ones(len(places))]) @ camera[2, [0, 1, 3]] > 0
    return ahead & ((feet >= 0) & (feet <= (view.width, view.height))).all(axis=1)


def _project(camera: FloatArray, view: View, places: FloatArray, height: float, distortion: float) -> FloatArray:
    points = np.column_stack([places, np.full(len(places), height), np.ones(len(places))]) @ camera.T
    return distort(points[:, :2] / points[:, 2:], (view.width, view.height), distortion)
