"""Many cameras over a wide hall, each of which overlaps with a few neighbours; and what a whole fit costs."""

from __future__ import annotations

import os
import resource
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
from _learnt import trusted_homographies, views_on_floor
from _measure import fit
from _simulations import Scene, judge
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from selfmva.core.types import Frame, View
from selfmva.datasets.simulated import Simulated
from selfmva.datasets.simulation.cameras import project_bodies
from selfmva.datasets.simulation.crowd import walk
from selfmva.datasets.simulation.detector import cut_feet, false_boxes, jitter_boxes, occlude, truncate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selfmva.core.types import FloatArray, IntArray

SIZE = (1280, 720)
LEAST_HEIGHT = 90.0  # pixels: lower bodies are too far to be detected
SEEN_AREA = 161.0  # square metres that such a camera sees of the floor, about
ASPECT = 3.0  # of the hall, length over width
COVER = 2.0  # cameras that see a place, on average
MANY = 100  # boxes of the same people at the same instants, from which a pair of views can be joined
CHUNK = 8  # instants projected at a time
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, eq=False)
class Hall:
    """A scene, and `(V, V)` how many boxes of the same people at the same instants each pair of views has."""

    scene: Scene
    shared: IntArray

    @property
    def joinable(self) -> int:
        """How many views the pairs with many such boxes can join."""
        return largest_group(len(self.shared), np.argwhere(np.triu(self.shared >= MANY, 1)))


def draw_hall(views: int, people: int, instants: int, seed: int = 0) -> Hall:
    """Cameras on a jittered grid over a hall, turned any way but out of it; people walk all over it.

    Args:
        views: Number of cameras V; the hall grows with it.
        people: Mean number of people present.
        instants: Two and a half of them a second.
        seed: Source of every random choice.
    """
    cameras, crowd_rng, detector = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(3))
    area = views * SEEN_AREA / COVER
    floor = np.array([(area * ASPECT) ** 0.5, (area / ASPECT) ** 0.5])
    projections = _hang(views, floor, cameras)
    crowd = walk(people=people, instants=instants, interval_seconds=0.4, floor=floor, standing=False, rng=crowd_rng)
    frames: list[Frame] = []
    cells: list[IntArray] = []  # view, and instant and person as one number, of every box of somebody
    for first in range(0, instants, CHUNK):
        chunk = slice(first, min(first + CHUNK, instants))
        who = crowd.identities[chunk][:, None]
        boxes, depths, ahead = project_bodies(
            projections[None], crowd.places[chunk][:, None], crowd.heights[who], crowd.radii[who]
        )
        near = boxes[..., 3] - boxes[..., 1] >= LEAST_HEIGHT
        boxes, inside = truncate(boxes, SIZE, 0.5)
        boxes, seen = occlude(boxes, depths, ahead & near & inside & (who >= 0), 0.6)
        seen = seen & (detector.random(seen.shape) >= 0.05)
        for t in range(chunk.stop - chunk.start):
            found = [_detected(boxes[t, v][seen[t, v]], detector) for v in range(views)]
            frames.append(Frame(found, first + t))
            view, slot = np.nonzero(seen[t])
            cells.append(np.stack([view, (first + t) * len(crowd.heights) + crowd.identities[first + t][slot]]))
    view, moment = np.concatenate(cells, axis=1)
    there = csr_array((np.ones(len(view), np.int64), (view, moment)), shape=(views, instants * len(crowd.heights)))
    places = crowd.places[crowd.identities >= 0][::20]
    names = tuple(View(f"camera{number}", *SIZE) for number in range(views))
    name = f"{views} views, {people} people, {instants} instants, hall of {floor[0]:.0f} m x {floor[1]:.0f} m"
    scene = Scene(name, names, frames, projections, places, least_height=LEAST_HEIGHT)
    return Hall(scene, (there @ there.T).toarray())


def measure_hall(views: int, people: int, instants: int, seed: int, options: dict[str, Any]) -> dict[str, str]:
    """One line on a whole fit of such a hall."""
    hall = draw_hall(views, people, instants, seed)
    joinable = np.triu(hall.shared >= MANY, 1)
    neighbours = (joinable | joinable.T).sum(axis=1)
    before = _peak()
    fitted = fit(hall.scene.views, hall.scene.frames, seed, **options)
    homographies = trusted_homographies(fitted.associator)
    verdict = judge(hall.scene, homographies)
    found = sum(bool(joinable[pair]) for pair in homographies)
    right = [pair for pair, matrix in homographies.items() if not judge(hall.scene, {pair: matrix}).wrong]
    return {
        "": hall.scene.name,
        "neighbours": "{:.0f} ({:.0f} to {:.0f})".format(*np.percentile(neighbours, [50, 10, 90])),
        "on floor": str(views_on_floor(fitted.associator)),
        "joined": f"{largest_group(views, right)} of {hall.joinable}",
        "trusted": f"{verdict.trusted}, and of those that share many boxes {found} of {joinable.sum()}",
        "wrong": str(verdict.wrong),
        "worst": f"{verdict.worst:.2f}",
        "CPU s": f"{fitted.cpu_seconds:.1f}",
        "wall s": f"{fitted.wall_seconds:.1f}",
        "GB": f"{_peak():.2f} ({before:.2f} before)",
    }


def measure_cost(views: int, people: int, instants: int, seed: int, options: dict[str, Any]) -> dict[str, str]:
    """One line on a whole fit of an ordinary simulated recording."""
    recording = Simulated(views=views, people=people, instants=instants, seed=seed)
    fitted = fit(recording.views, [recording.frame(t) for t in range(instants)], seed, **options)
    return {
        "": f"{views} views, {people} people, {instants} instants",
        "on floor": f"{views_on_floor(fitted.associator)} of {views}",
        "trusted": f"{fitted.trusted} of {views * (views - 1) // 2}",
        "CPU s": f"{fitted.cpu_seconds:.1f}",
        "wall s": f"{fitted.wall_seconds:.1f}",
        "GB": f"{_peak():.2f}",
    }


def in_a_fresh_process(function: Any, *arguments: Any) -> Any:
    """Call a function as a user's process would: no library's threads are limited by an environment variable."""
    with _without(THREAD_VARIABLES), ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def largest_group(views: int, pairs: Iterable[tuple[int, int]] | IntArray) -> int:
    """How many views the largest group has that pairs join."""
    ends = np.reshape(np.array(list(pairs), np.int64), (-1, 2)).T
    graph = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(views, views))
    return int(np.bincount(connected_components(graph, directed=False)[1]).max())


def _hang(views: int, floor: FloatArray, rng: np.random.Generator) -> FloatArray:
    """`(V, 3, 4)` projections."""
    columns = max(1, round((views * floor[0] / floor[1]) ** 0.5))
    rows = -(-views // columns)
    cell = floor / [columns, rows]
    place = (np.stack(np.divmod(np.arange(views), rows), axis=1) + 0.5 + rng.uniform(-0.3, 0.3, (views, 2))) * cell
    angle, ahead = rng.uniform(0, 2 * np.pi, views), rng.uniform(5, 8, (views, 1))
    target = place + ahead * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    outside = ((target < 0) | (target > floor)).any(axis=1)
    inwards = floor / 2 - place
    inwards /= np.linalg.norm(inwards, axis=1, keepdims=True)
    target[outside] = (place + ahead * inwards)[outside]
    centres = np.column_stack([place, rng.uniform(3, 4.5, views)])
    forward = np.column_stack([target, rng.uniform(0.6, 1.2, views)]) - centres
    forward /= np.linalg.norm(forward, axis=1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    rotations = np.stack([right, np.cross(forward, right), forward], axis=1)
    intrinsics = np.zeros((views, 3, 3))
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = SIZE[0] / 2 / np.tan(np.radians(rng.uniform(65, 85, views)) / 2)
    intrinsics[:, :, 2] = [SIZE[0] / 2, SIZE[1] / 2, 1.0]
    return intrinsics @ np.concatenate([rotations, -rotations @ centres[:, :, None]], axis=-1)


def _detected(boxes: FloatArray, rng: np.random.Generator) -> FloatArray:
    found = jitter_boxes(cut_feet(boxes, 0.05, rng), 0.02, SIZE, rng)
    return np.concatenate([found, false_boxes(int(rng.poisson(0.1)), SIZE, rng)])


def _peak() -> float:
    """Largest memory of this process so far, in gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@contextmanager
def _without(names: Iterable[str]) -> Iterator[None]:
    taken = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ |= taken
