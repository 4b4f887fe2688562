"""A simulated recording: people on a floor, cameras around it, and the boxes of an imperfect detector."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from pydantic import Field

from selfmva.core.config import SkeletonName, Stage, build
from selfmva.core.scalars import integer
from selfmva.core.skeletons import Skeleton
from selfmva.core.types import Frame, View
from selfmva.datasets.simulation.bodies import KeypointErrors, Motion, body_joints, detect_joints, motions
from selfmva.datasets.simulation.cameras import distort, place_cameras, project_bodies, sway
from selfmva.datasets.simulation.crowd import furnish, march, walk, with_children
from selfmva.datasets.simulation.detector import cut_feet, false_boxes, jitter_boxes, occlude, truncate
from selfmva.datasets.simulation.looks import looks
from selfmva.errors import ConfigError, InputError, OutOfRangeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

MOST_SIMULATED_BOXES = 50_000_000  # which take some gigabytes
CHUNK = 256  # instants projected at a time: bounds the memory, and is part of what a seed means


class SimulationConfig(Stage):
    """Everything that may be chosen about a simulated recording.

    Example:
        >>> SimulationConfig(views=3).people
        10
    """

    views: int = Field(4, ge=1, le=32, description="number of cameras")
    people: int = Field(10, ge=1, le=200, description="mean number of people present")
    instants: int = Field(600, ge=1, le=100_000, description="number of synchronized instants")
    seed: int = Field(0, ge=0, lt=2**64, description="source of every random choice")
    interval_seconds: float = Field(0.4, gt=0, le=60, description="time between two instants")
    width: int = Field(1280, ge=64, le=16384, description="width of every image in pixels")
    height: int = Field(720, ge=64, le=16384, description="height of every image in pixels")
    floor_width: float = Field(12.0, ge=3, le=100, description="width of the floor in metres")
    floor_depth: float = Field(9.0, ge=3, le=100, description="depth of the floor in metres")
    occlusion_threshold: float = Field(
        0.6, ge=0, le=1, description="largest hidden fraction of a body that still has a box; 1 = bodies of glass"
    )
    truncation_threshold: float = Field(
        0.5, ge=0, le=1, description="largest fraction of a body outside the image that still has a box"
    )
    miss_rate: float = Field(0.05, ge=0, le=1, description="fraction of visible bodies without a box")
    false_rate: float = Field(0.1, ge=0, le=100, description="mean number of false boxes in a view at an instant")
    jitter: float = Field(
        0.02, ge=0, le=0.5, description="standard deviation of a box's errors, as a fraction of its size"
    )
    cut_feet_rate: float = Field(0.05, ge=0, le=1, description="fraction of boxes that end above the feet")
    unrelated_views: bool = Field(default=False, description="every camera films a crowd of its own")
    moving_cameras: bool = Field(default=False, description="cameras pan and tilt")
    standing: bool = Field(default=False, description="nobody ever moves, enters or leaves")
    lockstep: bool = Field(default=False, description="everybody walks the same way at the same speed, in formation")
    linger: float = Field(1.0, ge=1, le=100, description="how many times longer than usual people stop, meet and stay")
    children: float = Field(0.0, ge=0, le=1, description="fraction of people who are children")
    furniture: int = Field(0, ge=0, le=100, description="number of things on the floor that hide feet")
    eye_level: int = Field(0, ge=0, le=32, description="how many cameras, the first ones, stand at the height of eyes")
    pixel_aspect: float = Field(1.0, ge=0.5, le=2, description="pixels of a metre upwards, against those sideways")
    distortion: float = Field(
        0.0, ge=-0.14, le=0.5, description="how far the lens moves a corner of the image, against half its diagonal"
    )
    clothes: float | None = Field(
        None,
        ge=0,
        le=100,
        description="how different people's clothes look, in standard deviations of what one person looks like; "
        "0 = uniforms; None: boxes have no features",
    )
    skeleton: SkeletonName | None = Field(None, description="which joints people have; None: boxes have no keypoints")
    keypoint_noise: float = Field(
        0.01, ge=0, le=0.5, description="standard deviation of a joint's errors, as a fraction of its box's height"
    )
    keypoint_miss_rate: float = Field(0.05, ge=0, le=1, description="fraction of visible joints that are not found")
    keypoint_swap_rate: float = Field(0.01, ge=0, le=1, description="fraction of bodies with left and right swapped")
    keypoint_astray_rate: float = Field(0.02, ge=0, le=1, description="fraction of joints that are found elsewhere")
    sitting: float = Field(0.0, ge=0, le=1, description="fraction of people who sit wherever they stop")


class SimulationOptions(TypedDict, total=False):
    """The fields of `SimulationConfig` as keyword arguments."""

    views: int
    people: int
    instants: int
    seed: int
    interval_seconds: float
    width: int
    height: int
    floor_width: float
    floor_depth: float
    occlusion_threshold: float
    truncation_threshold: float
    miss_rate: float
    false_rate: float
    jitter: float
    cut_feet_rate: float
    unrelated_views: bool
    moving_cameras: bool
    standing: bool
    lockstep: bool
    linger: float
    children: float
    furniture: int
    eye_level: int
    pixel_aspect: float
    distortion: float
    clothes: float | None
    skeleton: str | None
    keypoint_noise: float
    keypoint_miss_rate: float
    keypoint_swap_rate: float
    keypoint_astray_rate: float
    sitting: float


class Simulated:
    """A seeded, labelled recording without any file.

    Cameras hang around a rectangular floor and look roughly at its centre. People enter at its edge, walk, stop,
    meet and leave; nobody comes back: whoever enters is a new identity. A body is a narrow foot, a shoulder and a
    head; its box is exact until the detector's errors are added, in all splits alike: hidden lower parts are cut,
    well-hidden and well-truncated bodies have no box, and then come misses, cut feet, jitter and false boxes.
    The order of the boxes of a view carries no information. The same options give the same recording; other
    detector options under the same seed show the same people and cameras.

    Args:
        **options: The fields of `SimulationConfig`; among them `views` (4), `people` present on average (10),
            `instants` (600), `seed` (0), `interval_seconds` (0.4), `miss_rate`, `false_rate`, `jitter`, and for
            tests of failure `unrelated_views`, `moving_cameras`, `standing` and `lockstep`; `linger`, `children`,
            `furniture`, `eye_level`, `pixel_aspect` and `distortion` make it harder; `clothes` gives boxes an
            appearance; `skeleton` gives them keypoints, of people who walk, gesture, and sit (`sitting`).

    Raises:
        ConfigError: An option is unknown, of the wrong type or out of its range.

    Example:
        >>> recording = Simulated(views=3, people=5, instants=20)
        >>> len(recording), [len(split) for split in recording.splits.values()]
        (20, [14, 2, 4])
        >>> len(recording.frame(7)), [len(ids) for ids in recording.identities(7)] == list(recording.frame(7).counts)
        (3, True)
    """

    name = "simulated"
    similarity_threshold: float = 0.0  # no two instants are so alike that evaluation should skip one

    def __init__(self, **options: Unpack[SimulationOptions]) -> None:
        self.config: SimulationConfig = build(SimulationConfig, dict(options))
        config = self.config
        if config.views * config.people * config.instants > MOST_SIMULATED_BOXES:
            raise ConfigError(
                f"views x people x instants must be at most {MOST_SIMULATED_BOXES:,}, got {config.views} x "
                f"{config.people} x {config.instants}: simulate in parts, with other seeds"
            )
        self.views: tuple[View, ...] = tuple(
            View(f"camera{v}", config.width, config.height) for v in range(config.views)
        )
        self._floor = np.array([config.floor_width, config.floor_depth])
        sources = map(np.random.default_rng, np.random.SeedSequence(config.seed).spawn(6))
        cameras, crowd, detector, eyes, bodies, room = sources
        self._projections = self._hang_cameras(cameras)
        self._places, self._present, self._heights, self._radii = self._let_live(crowd, bodies)
        self._furniture = furnish(config.furniture, self._floor, room)
        self._boxes, self._identities, self._starts = self._detect(detector)
        view = np.repeat(np.arange(len(self._starts) - 1) % config.views, np.diff(self._starts))
        seen = config.clothes is not None
        self._features = looks(self._identities, view, config.clothes or 0.0, eyes) if seen else None
        self._skeleton = None if config.skeleton is None else Skeleton.named(config.skeleton)
        self._moves = self._let_move() if self._skeleton else None

    def __len__(self) -> int:
        return self.config.instants

    def __repr__(self) -> str:
        changed = {key: getattr(self.config, key) for key in sorted(self.config.model_fields_set)}
        return f"Simulated({', '.join(f'{key}={value!r}' for key, value in changed.items())})"

    @property
    def splits(self) -> Mapping[str, range]:
        """The first 70 % of the instants to train on, 10 % to validate, the last 20 % to test."""
        instants = len(self)
        validation, test = round(0.7 * instants), round(0.8 * instants)
        return {
            "train": range(validation),
            "validation": range(validation, test),
            "test": range(test, instants),
        }

    @property
    def projections(self) -> FloatArray:
        """`(V, 3, 4)` from metres (x, y, z up, 1) to pixels of an ideal lens; of instant 0 where cameras move."""
        return np.array(self._projections[0])

    @property
    def homographies(self) -> FloatArray:
        """`(V, 3, 3)` from metres on the floor (x, y, 1) to pixels, as `projections`."""
        return np.array(self._projections[0][:, :, [0, 1, 3]])

    def frame(self, index: int) -> Frame:
        """The boxes of all views at an instant.

        Args:
            index: 0 to `len(self) - 1`.

        Returns:
            A frame whose boxes lie inside the images.

        Raises:
            OutOfRangeError: There is no such instant.
        """
        rows = self._rows(index)
        features = None if self._features is None else [self._features[part] for part in rows]
        keypoints = None if self._skeleton is None else self._keypoints(index, rows)
        return Frame([self._boxes[part] for part in rows], index=index, features=features, keypoints=keypoints)

    def identities(self, index: int) -> tuple[IntArray, ...]:
        """The person of each box of `frame(index)`: one `(N,)` int64 array per view, -1 for a false box.

        Raises:
            OutOfRangeError: There is no such instant.
        """
        return tuple(self._identities[rows].copy() for rows in self._rows(index))

    def ground_positions(self, index: int) -> tuple[IntArray, FloatArray]:
        """Who is present at an instant, seen or not, and where.

        Args:
            index: 0 to `len(self) - 1`.

        Returns:
            `(P,)` int64 identities and `(P, 2)` float64 places in metres on the floor. With unrelated views,
            the crowds of all views one after the other, each on the floor of its view.

        Raises:
            OutOfRangeError: There is no such instant.
        """
        self._check_index(index)
        present = self._present[index] >= 0  # (G, S)
        return self._present[index][present], self._places[index][present]

    def joints(self, index: int) -> tuple[IntArray, FloatArray]:
        """Who is present at an instant, seen or not, and where their joints are.

        Args:
            index: 0 to `len(self) - 1`.

        Returns:
            `(P,)` int64 identities, as in `ground_positions`, and `(P, K, 3)` float64 x, y, z up in metres.

        Raises:
            InputError: The people have no joints: give `skeleton=`.
            OutOfRangeError: There is no such instant.
        """
        if self._skeleton is None or self._moves is None:
            raise InputError("people of this recording have no joints: give Simulated(skeleton='coco17')")
        identities, places = self.ground_positions(index)
        present = self._present[index] >= 0
        heading, phase, gait = (part[index][present] for part in self._moves[:3])
        temper, sits = (part[identities] for part in self._moves[3:])
        still = self.config.standing
        time = np.full(len(identities), index * self.config.interval_seconds)
        motion = Motion(heading, phase, gait, sits * (1.0 - gait), time, temper, still=still)
        return identities, body_joints(places, self._heights[identities], motion, self._skeleton)

    def _let_move(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
        """`(T, G, S)` headings, phases and gaits; `(P, 6)` tempers, and `(P,)` who sits."""
        rng = np.random.default_rng([self.config.seed, 6])
        crowds = range(self._present.shape[1])
        interval = self.config.interval_seconds
        parts = [motions(self._places[:, g], self._present[:, g], self._heights, interval, rng) for g in crowds]
        heading, phase, gait = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
        people = len(self._heights)
        sits = (rng.random(people) < self.config.sitting).astype(np.float64)
        return heading, phase, gait, rng.random((people, 6)), sits

    def _keypoints(self, index: int, rows: list[slice]) -> list[FloatArray]:
        """`(N, K, 3)` for every view, one body a box; those of false boxes are scattered in them."""
        assert self._skeleton is not None  # noqa: S101
        config = self.config
        identities, joints = self.joints(index)
        order = np.argsort(identities)
        rng = np.random.default_rng([config.seed, 7, index])
        errors = KeypointErrors(
            config.keypoint_noise, config.keypoint_miss_rate, config.keypoint_swap_rate, config.keypoint_astray_rate
        )
        nobody = KeypointErrors(0.0, 0.5, 0.0, 1.0)
        found = []
        for view, part in enumerate(rows):
            boxes, whose = self._boxes[part], self._identities[part]
            projection = self._projections[index if config.moving_cameras else 0][view]
            row = order[np.minimum(np.searchsorted(identities, whose, sorter=order), max(len(order) - 1, 0))]
            real = whose >= 0
            pixels = np.full((len(boxes), len(self._skeleton), 2), np.nan)
            pixels[real] = self._seen_joints(joints[row[real]], projection)
            detected = np.full((len(boxes), len(self._skeleton), 3), np.nan)
            for chosen, how in ((real, errors), (~real, nobody)):
                detected[chosen] = detect_joints(pixels[chosen], boxes[chosen], self._skeleton, how, rng)
            found.append(detected)
        return found

    def _seen_joints(self, joints: FloatArray, projection: FloatArray) -> FloatArray:
        """`(N, K, 2)` pixels of joints; NaN behind the camera and outside the image."""
        size = self.config.width, self.config.height
        homogeneous = joints @ projection[:, :3].T + projection[:, 3]
        depth = homogeneous[..., 2:]
        pixels = homogeneous[..., :2] / np.where(depth > 0, depth, np.nan)
        if self.config.distortion:
            pixels = distort(pixels, size, self.config.distortion)
        inside = np.asarray(((pixels >= 0) & (pixels <= size)).all(axis=-1))
        return np.where(inside[..., None], pixels, np.nan)

    def _check_index(self, index: int) -> None:
        try:
            integer(index, "an instant", least=0, most=len(self) - 1)
        except InputError as error:
            raise OutOfRangeError(f"of this recording, {error}") from None

    def _rows(self, index: int) -> list[slice]:
        """Where the boxes of every view at an instant lie in the flat arrays."""
        self._check_index(index)
        first = index * len(self.views)
        bounds = self._starts[first : first + len(self.views) + 1].tolist()
        return [slice(*pair) for pair in pairwise(bounds)]

    def _hang_cameras(self, rng: np.random.Generator) -> FloatArray:
        """`(T, V, 3, 4)` projections; T is 1 where cameras do not move."""
        config = self.config
        intrinsics, rotations, centres = place_cameras(
            config.views,
            (config.width, config.height),
            self._floor,
            rng,
            eye_level=config.eye_level,
            pixel_aspect=config.pixel_aspect,
        )
        rotations = rotations[None]
        if config.moving_cameras:
            rotations = sway(rotations[0], config.interval_seconds * np.arange(len(self), dtype=np.float64), rng)
        from_centre = np.concatenate([np.broadcast_to(np.eye(3), (config.views, 3, 3)), -centres[:, :, None]], axis=-1)
        projections: FloatArray = intrinsics @ rotations @ from_centre
        return projections

    def _let_live(
        self, rng: np.random.Generator, bodies: np.random.Generator
    ) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
        """`(T, G, S, 2)` places, `(T, G, S)` identities or -1, `(P,)` heights and radii; G crowds, 1 or V."""
        config = self.config
        live = march if config.lockstep else partial(walk, standing=config.standing, linger=config.linger)
        crowds = [
            live(
                people=config.people,
                instants=len(self),
                interval_seconds=config.interval_seconds,
                floor=self._floor,
                rng=rng,
            )
            for _ in range(config.views if config.unrelated_views else 1)
        ]
        if config.children:
            crowds = [with_children(crowd, config.children, bodies) for crowd in crowds]
        firsts = np.cumsum([0, *(len(crowd.heights) for crowd in crowds[:-1])])
        present = [
            np.where(crowd.identities >= 0, crowd.identities + first, -1)
            for crowd, first in zip(crowds, firsts, strict=True)
        ]
        return (
            np.stack([crowd.places for crowd in crowds], axis=1),
            np.stack(present, axis=1),
            np.concatenate([crowd.heights for crowd in crowds]),
            np.concatenate([crowd.radii for crowd in crowds]),
        )

    def _detect(self, rng: np.random.Generator) -> tuple[FloatArray, IntArray, IntArray]:
        """All boxes `(N, 4)` and identities `(N,)`, by instant and view, and `(T * V + 1,)` where each begins."""
        parts = [self._detect_chunk(slice(t, min(t + CHUNK, len(self))), rng) for t in range(0, len(self), CHUNK)]
        boxes, identities, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
        return boxes, identities, np.concatenate([[0], np.cumsum(counts)])

    def _detect_chunk(self, chunk: slice, rng: np.random.Generator) -> tuple[FloatArray, IntArray, IntArray]:
        """Boxes `(N, 4)`, identities `(N,)` and the number of boxes in each cell, instant by instant, view by view."""
        config = self.config
        size = (config.width, config.height)
        boxes, identities, seen = self._outlines(chunk)
        cells = np.broadcast_to(np.arange(seen[..., 0].size).reshape(*seen.shape[:2], 1), seen.shape)
        seen = seen & (rng.random(seen.shape) >= config.miss_rate)
        found = cut_feet(boxes[seen], config.cut_feet_rate, rng)
        found = jitter_boxes(found, config.jitter, size, rng)

        false_cells = np.repeat(np.arange(seen[..., 0].size), rng.poisson(config.false_rate, seen[..., 0].size))
        found = np.concatenate([found, false_boxes(len(false_cells), size, rng)])
        identities = np.concatenate([identities[seen], np.full(len(false_cells), -1)])
        cell = np.concatenate([cells[seen], false_cells])
        order = np.lexsort((rng.random(len(cell)), cell))
        return found[order], identities[order], np.bincount(cell, minlength=seen[..., 0].size)

    def _outlines(self, chunk: slice) -> tuple[FloatArray, IntArray, NDArray[np.bool_]]:
        """`(T, V, S, 4)` visible parts of bodies, `(T, V, S)` identities and whether there is enough to be seen."""
        config = self.config
        present = self._present[chunk]
        projections = self._projections[chunk] if config.moving_cameras else self._projections
        size = (config.width, config.height)
        lens = partial(distort, size=size, coefficient=config.distortion) if config.distortion else None
        places, heights, radii = self._places[chunk], self._heights[present], self._radii[present]
        there = present >= 0
        people = present.shape[-1]
        if config.furniture:  # bodies that hide others and are nobody
            shape = (*present.shape[:2], config.furniture)
            where, tall, wide = self._furniture
            places = np.concatenate([places, np.broadcast_to(where, (*shape, 2))], axis=2)
            heights, radii = (
                np.concatenate([known, np.broadcast_to(further, shape)], axis=2)
                for known, further in ((heights, tall), (radii, wide))
            )
            there = np.concatenate([there, np.ones(shape, dtype=bool)], axis=2)
        boxes, depths, in_front = project_bodies(projections, places, heights, radii, lens)
        boxes, inside = truncate(boxes, size, config.truncation_threshold)
        boxes, shown = occlude(boxes, depths, in_front & there, config.occlusion_threshold)
        boxes, shown, inside = boxes[:, :, :people], shown[:, :, :people], inside[:, :, :people]
        return boxes, np.broadcast_to(present, shown.shape), shown & inside
