"""Many cameras over a wide hall, each of which overlaps with a few: most pairs of views never meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.model import FittedModel
from selfmva.core.config import AssociatorConfig
from selfmva.core.packed_boxes import pack
from selfmva.core.types import View
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated, SimulationConfig
from selfmva.datasets.simulation.crowd import furnish
from selfmva.geometry.floor import Floor
from selfmva.geometry.floor_cameras import FOCAL, HEIGHT, PARAMETERS, TILT, YAW, X, Y
from selfmva.matching.posterior.fusion import FusedTable
from selfmva.training.pseudo_labels import floor_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

BODY = 1.7  # metres
SEEN_BY = 6.5  # cameras, every place of the floor, about
RANGE = 161.0  # square metres that a camera sees people of enough pixels on, about
LEAST_PIXELS = 90  # height of a box that is detected


class WideHall(Simulated):
    """Cameras on a jittered grid, each looking at a place some metres ahead of it; people far away have no box."""

    def __init__(self, views: int, people: int, instants: int, seed: int = 0) -> None:
        area = views * RANGE / SEEN_BY
        width = min(100.0, (1.5 * area) ** 0.5)
        config = SimulationConfig(
            people=people, instants=instants, seed=seed, floor_width=width, floor_depth=min(100.0, area / width)
        )
        self.config = config.model_copy(update={"views": views})  # more than the simulator hangs around its floor
        self.views = tuple(View(f"camera{v}", config.width, config.height) for v in range(views))
        self._floor = np.array([config.floor_width, config.floor_depth])
        cameras, crowd, detector, bodies, room = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(5))
        self._projections = self._hang_cameras(cameras)
        self._places, self._present, self._heights, self._radii = self._let_live(crowd, bodies)
        self._furniture = furnish(config.furniture, self._floor, room)
        self._boxes, self._identities, self._starts = self._detect(detector)
        self._features = None

    def _hang_cameras(self, rng: np.random.Generator) -> FloatArray:
        views, (width, depth) = self.config.views, self._floor
        across = max(round((views * width / depth) ** 0.5), 1)
        cell = np.array([width / across, depth / np.ceil(views / across)])
        place = (np.column_stack(np.divmod(np.arange(views), across)[::-1]) + 0.5) * cell
        place = place + rng.uniform(-0.3, 0.3, (views, 2)) * cell
        yaw, way = rng.uniform(0, 2 * np.pi, views), rng.uniform(5, 8, views)[:, None]
        target = place + way * np.column_stack([np.cos(yaw), np.sin(yaw)])
        outside = ((target < 0) | (target > self._floor)).any(axis=1)
        inwards = self._floor / 2 - place
        inwards /= np.linalg.norm(inwards, axis=1, keepdims=True)
        target[outside] = (place + way * inwards)[outside]
        centre = np.column_stack([place, rng.uniform(3, 4.5, views)])
        ahead = np.column_stack([target, rng.uniform(0.6, 1.2, views)]) - centre
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        right = np.cross(ahead, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right, axis=1, keepdims=True)
        intrinsics = np.zeros((views, 3, 3))
        focal = self.config.width / 2 / np.tan(np.radians(rng.uniform(65, 85, views)) / 2)
        intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal
        intrinsics[:, :, 2] = self.config.width / 2, self.config.height / 2, 1.0
        rotation = np.stack([right, np.cross(ahead, right), ahead], axis=1)
        return (intrinsics @ rotation @ np.concatenate([np.tile(np.eye(3), (views, 1, 1)), -centre[:, :, None]], 2))[
            None
        ]

    def _outlines(self, chunk: slice) -> tuple[FloatArray, IntArray, NDArray[np.bool_]]:
        boxes, present, seen = super()._outlines(chunk)
        return boxes, present, seen & (boxes[..., 3] - boxes[..., 1] >= LEAST_PIXELS)


def true_model(hall: WideHall) -> FittedModel:
    """What `fit` would make if it found the true cameras: a floor, and what distances on it mean."""
    cameras = []
    for view, projection in zip(hall.views, hall.projections, strict=True):
        ahead = projection[2, :3]
        place = -np.linalg.solve(projection[:, :3], projection[:, 3])
        camera = np.zeros(PARAMETERS)
        camera[FOCAL] = np.log(np.linalg.norm(projection[0, :3] - view.width / 2 * ahead) / view.width)
        camera[TILT], camera[YAW] = np.arcsin(-ahead[2]), np.arctan2(-ahead[0], ahead[1])
        camera[[X, Y]], camera[HEIGHT] = place[:2] / BODY, np.log(place[2] / BODY)
        cameras.append(camera)
    floor = Floor(hall.views, tuple(cameras), {}, BODY)
    table = floor_table(floor, pack([hall.frame(t) for t in range(len(hall))], len(hall.views)))
    tables = {pair: FusedTable({"floor": table}, {"floor": 1.0}, 0.0) for pair in view_pairs(len(hall.views))}
    return FittedModel(
        hall.views,
        AssociatorConfig(recipe={"name": "geometry"}),
        np.zeros(len(hall.views), np.int64),
        floor=floor,
        tables=tables,
    )
