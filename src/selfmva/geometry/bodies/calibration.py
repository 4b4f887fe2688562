"""From the keypoints of people to cameras: matched tracks, cameras one by one, all of it adjusted, then the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.bodies.body_tracks import bodies_of_views
from selfmva.geometry.bodies.bundle import Observations, adjust
from selfmva.geometry.bodies.people import group_tracks, shared_bodies
from selfmva.geometry.bodies.rays import reproject, triangulate_linearly
from selfmva.geometry.bodies.registration import matrices_of, register_cameras
from selfmva.geometry.bodies.stature import rigidity
from selfmva.geometry.bodies.track_pairs import TRACK_PAIRS, judge_matrix, match_views
from selfmva.geometry.bodies.upright import find_world
from selfmva.geometry.cameras import Camera, fundamental_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from selfmva.core.skeletons import Skeleton
    from selfmva.core.types import FloatArray, Frame, View
    from selfmva.geometry.bodies.body_tracks import ViewBodies
    from selfmva.geometry.bodies.people import SharedBodies
    from selfmva.geometry.bodies.track_pairs import ViewPairMatch

    Pair = tuple[int, int]


@dataclass(frozen=True)
class BodyCalibrationSettings:
    """The search for cameras."""

    # Focal lengths in image widths from which it is begun: lenses of 71, 53 and 39 degrees.
    focals: tuple[float, ...] = (0.7, 1.0, 1.4)
    focals_of_two: tuple[float, ...] = (
        0.5,
        0.6,
        0.72,
        0.86,
        1.03,
        1.24,
        1.5,
        1.8,
    )  # the same, tried for two views alone
    most_points: int = 3000  # of the last adjustment
    few_points: int = 500  # of those that choose where to begin
    kept: tuple[float, ...] = (20.0, 8.0, 5.0)  # tolerances, of the joints that go into each adjustment


BODY_CALIBRATION = BodyCalibrationSettings()


@dataclass(frozen=True, eq=False)
class BodyCalibration:
    """Cameras that the bodies of people told.

    Attributes:
        cameras: One a view, in a world whose z points up and is 0 on the floor, in body heights; None where it could
            not be placed.
        matches: What speaks for every pair of them at synchronous and at shifted instants.
        mirrored: Numbers of the views that show mirror images; of two views of which one does, both.
        floor_seen: Whether ankles told where the floor is; otherwise it is under people of usual proportions.
        reprojection_error: Median distance in pixels of joints on which views agree from where they are seen.
    """

    cameras: tuple[Camera | None, ...]
    matches: Mapping[Pair, ViewPairMatch] = field(default_factory=dict)
    mirrored: tuple[int, ...] = ()
    floor_seen: bool = False
    reprojection_error: float = float("nan")


def calibrate_by_bodies(
    views: Sequence[View],
    frames: Sequence[Frame],
    skeleton: Skeleton,
    intrinsics: Sequence[FloatArray | None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> BodyCalibration:
    """Find cameras from keypoints alone.

    Args:
        views: The cameras.
        frames: Clipped frames with keypoints, in the order of time.
        skeleton: Which joints they are.
        intrinsics: `(3, 3)` by view, where they are known; the others are found, the principal point being the middle.
        progress: Called with the number of pairs of views that were looked at, and of all.

    Returns:
        The cameras of the largest group of views that hold each other; none where nothing does.
    """
    bodies, _ = bodies_of_views(frames, len(views))
    pairs = list(combinations(range(len(views)), 2))
    matches, in_a_mirror = {}, []
    for number, (i, j) in enumerate(pairs):
        found = match_views(bodies[i], bodies[j], skeleton.mirrored)
        if found is not None and found.mirrored:
            in_a_mirror.append((i, j))
        elif found is not None:
            matches[i, j] = found
        if progress is not None:
            progress(number + 1, len(pairs))
    none = BodyCalibration((None,) * len(views), mirrored=_mirrored_views(in_a_mirror, matches))
    if not matches:
        return none
    shared = shared_bodies(bodies, group_tracks(bodies, matches), len(skeleton))
    tolerances = TRACK_PAIRS.tolerance * np.array([view.size for view in bodies])
    cameras = _best_cameras(views, shared, matches, tolerances, intrinsics, skeleton)
    judged, cameras = _hold_each_other(bodies, cameras)
    if not judged:
        return none
    joints, error = _joints(shared, cameras, tolerances, len(views))
    world = find_world(joints, shared.person, skeleton)
    if world is None:
        return none
    placed = world.cameras(cameras)
    return BodyCalibration(
        tuple(placed.get(view) for view in range(len(views))), judged, none.mirrored, world.floor_seen, error
    )


def _mirrored_views(pairs: Sequence[Pair], matches: Mapping[Pair, ViewPairMatch]) -> tuple[int, ...]:
    """Views that are in a mirror for most of the views that see the same people."""
    views = {view for pair in pairs for view in pair}
    against = {view: sum(view in pair for pair in pairs) for view in views}
    without = {view: sum(view in pair for pair in matches) for view in views}
    return tuple(sorted(view for view in views if against[view] > without[view]))


def _best_cameras(
    views: Sequence[View],
    shared: SharedBodies,
    matches: Mapping[Pair, ViewPairMatch],
    tolerances: FloatArray,
    intrinsics: Sequence[FloatArray | None] | None,
    skeleton: Skeleton,
) -> dict[int, Camera]:
    """The cameras that explain most, of those found from several focal lengths to begin with."""
    given = intrinsics if intrinsics is not None else [None] * len(views)
    order = sorted(matches, key=lambda pair: -matches[pair].joints * matches[pair].margin)
    everything = all(matrix is not None for matrix in given)
    best: tuple[tuple[int, float], dict[int, Camera]] = (0, 0.0), {}
    for focal in (1.0,) if everything else BODY_CALIBRATION.focals:
        guessed = [_guess(view, focal) if matrix is None else matrix for view, matrix in zip(views, given, strict=True)]
        cameras, cost = _cameras_from(shared, order, guessed, tolerances, everything)
        if cameras and (len(cameras), -cost) > best[0]:
            best = (len(cameras), -cost), cameras
    cameras = best[1]
    if len(cameras) != 2 or everything:  # a pair
        return _adjusted(shared, cameras, tolerances, everything, BODY_CALIBRATION.most_points)[0]
    return _most_rigid(views, shared, order, tolerances, given, skeleton) or cameras


def _most_rigid(
    views: Sequence[View],
    shared: SharedBodies,
    order: Sequence[Pair],
    tolerances: FloatArray,
    given: Sequence[FloatArray | None],
    skeleton: Skeleton,
) -> dict[int, Camera]:
    """Two cameras whose focal lengths, of one kind, let people change their shapes least: little else tells them."""
    best: tuple[float, dict[int, Camera]] = np.inf, {}
    for focal in BODY_CALIBRATION.focals_of_two:
        fixed = [_guess(view, focal) if matrix is None else matrix for view, matrix in zip(views, given, strict=True)]
        cameras, _ = _cameras_from(shared, order, fixed, tolerances, keep_focal=True)
        if len(cameras) < 2:
            continue
        joints, _ = _joints(shared, cameras, tolerances, len(views))
        changing = rigidity(joints, shared.person, skeleton)
        if changing < best[0]:
            best = changing, cameras
    return best[1]


def _guess(view: View, focal: float) -> FloatArray:
    length = focal * max(view.width, view.height)
    return np.array([[length, 0, view.width / 2], [0, length, view.height / 2], [0, 0, 1.0]])


def _cameras_from(
    shared: SharedBodies,
    order: Sequence[Pair],
    intrinsics: Sequence[FloatArray],
    tolerances: FloatArray,
    keep_focal: bool,
) -> tuple[dict[int, Camera], float]:
    """Register and adjust, until no view is left that could be placed."""
    cameras: dict[int, Camera] = {}
    cost = np.inf
    for _ in range(len(intrinsics)):
        placed = register_cameras(shared, order, intrinsics, tolerances, cameras)
        if len(placed) == len(cameras):
            break
        cameras = placed
        cameras, cost = _adjusted(shared, cameras, tolerances, keep_focal, BODY_CALIBRATION.few_points)
        if not cameras:
            break
        intrinsics = [cameras[view].K if view in cameras else matrix for view, matrix in enumerate(intrinsics)]
    return cameras, cost


def _adjusted(
    shared: SharedBodies, cameras: Mapping[int, Camera], tolerances: FloatArray, keep_focal: bool, most: int
) -> tuple[dict[int, Camera], float]:
    """Cameras adjusted on joints that miss by less and less, and their robust cost; none where no joint is left."""
    adjusted, cost = dict(cameras), np.inf
    for wide in BODY_CALIBRATION.kept:
        points, seen = _observations(shared, adjusted, wide, tolerances, most)
        if not len(points):
            return {}, np.inf
        adjusted, _, cost = adjust(adjusted, points, seen, keep_focal=keep_focal)
    return adjusted, cost


def _observations(
    shared: SharedBodies, cameras: Mapping[int, Camera], wide: float, tolerances: FloatArray, most: int
) -> tuple[FloatArray, Observations]:
    """Points in space with what the cameras see of them, those that miss by far left out."""
    views = shared.joints.shape[1]
    pixels = shared.joints.transpose(0, 2, 1, 3).reshape(-1, views, 2)
    known = np.array([view in cameras for view in range(views)])
    pixels = np.where(known[:, None], pixels, np.nan)
    pixels = pixels[np.isfinite(pixels).all(axis=-1).sum(axis=1) >= 2]
    pixels = pixels[np.linspace(0, len(pixels) - 1, min(len(pixels), most)).astype(int)]
    matrices = matrices_of(cameras, views)
    points = triangulate_linearly(matrices, pixels)
    miss = np.linalg.norm(reproject(matrices, points) - pixels, axis=-1)
    seen = np.isfinite(pixels).all(axis=-1)
    kept = (np.where(seen, np.nan_to_num(miss, nan=np.inf), 0.0) <= wide * tolerances).all(axis=1)
    pixels, points = pixels[kept], points[kept]
    point, view = np.nonzero(np.isfinite(pixels).all(axis=-1))
    return points, Observations(point, view, pixels[point, view], tolerances[view])


def _hold_each_other(
    bodies: Sequence[ViewBodies], cameras: Mapping[int, Camera]
) -> tuple[dict[Pair, ViewPairMatch], dict[int, Camera]]:
    """The pairs of cameras whose geometry holds at synchronous instants alone, and the cameras of the largest group."""
    judged = {}
    for i, j in combinations(sorted(cameras), 2):
        found = judge_matrix(bodies[i], bodies[j], fundamental_matrix(cameras[i], cameras[j]))
        if found is not None:
            judged[i, j] = found
    groups = {view: {view} for view in cameras}
    for i, j in judged:
        if groups[i] is not groups[j]:
            groups[i] |= groups[j]
            for view in groups[j]:
                groups[view] = groups[i]
    largest = max(groups.values(), key=lambda group: (len(group), -min(group)), default=set())
    kept = {view: camera for view, camera in cameras.items() if view in largest}
    return {pair: found for pair, found in judged.items() if largest.issuperset(pair)}, kept


def _joints(
    shared: SharedBodies, cameras: Mapping[int, Camera], tolerances: FloatArray, views: int
) -> tuple[FloatArray, float]:
    """`(P, K, 3)` joints in space, NaN where cameras contradict each other; and the median miss in pixels."""
    matrices = matrices_of(cameras, views)
    pixels = shared.joints.transpose(0, 2, 1, 3)
    joints = triangulate_linearly(matrices, pixels)
    miss = np.linalg.norm(reproject(matrices, joints) - pixels, axis=-1)
    agree = (np.nan_to_num(miss) <= BODY_CALIBRATION.kept[-1] * tolerances).all(axis=-1)
    joints[~agree] = np.nan
    missed = miss[agree & np.isfinite(joints).all(axis=-1)]
    return joints, float(np.nanmedian(missed)) if np.isfinite(missed).any() else float("nan")
