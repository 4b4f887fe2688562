"""From an association of bodies to their joints in space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from selfmva.core.skeletons import skeleton_of
from selfmva.errors import InputError, NotFittedError
from selfmva.geometry.bodies.body_tracks import JOINT_TOLERANCE, body_sizes
from selfmva.geometry.camera_conversion import camera_of_parameters
from selfmva.geometry.cameras import Camera
from selfmva.pose.poses import Poses3D
from selfmva.pose.triangulation import triangulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.model import FittedModel
    from selfmva.core.types import Frame, IntArray


class WhoIsWho(Protocol):
    """The ids of the boxes of an instant: an association, or an instant of tracks."""

    @property
    def frame(self) -> Frame:
        """The boxes."""
        ...

    @property
    def ids(self) -> tuple[IntArray, ...]:
        """One `(N,)` array a view; -1 = nobody's."""
        ...


def cameras_of_model(model: FittedModel) -> tuple[Camera | None, ...]:
    """The cameras of a model in the unit of its floor; None where they are not known."""
    floor = model.floor
    unit = 1.0 if floor is None else floor.unit
    if model.cameras is not None:
        return tuple(
            None if camera is None else Camera(camera.K, camera.R, camera.t * unit, camera.distortion, camera.size)
            for camera in model.cameras
        )
    if floor is None:
        return (None,) * len(model.views)
    lenses = floor.lenses or (None,) * len(floor.views)
    return tuple(
        None if camera is None else _with_lens(camera_of_parameters(camera, view, unit), lens)
        for camera, view, lens in zip(floor.cameras, floor.views, lenses, strict=True)
    )


def _with_lens(camera: Camera, lens: Camera | None) -> Camera:
    """A camera of straight images with the lens that it has, where that was given."""
    if lens is None:
        return camera
    return Camera(lens.K, camera.R, camera.t, lens.distortion, lens.size)


def require_cameras(model: FittedModel) -> tuple[Camera | None, ...]:
    """The same, where two cameras or more are known.

    Raises:
        NotFittedError: Fewer are.
    """
    cameras = cameras_of_model(model)
    if sum(camera is not None for camera in cameras) < 2:
        raise NotFittedError(
            "poses need the cameras of two views, and fit() found none: film longer, let people move, or give cameras"
        )
    return cameras


def find_poses(
    found: WhoIsWho, cameras: Sequence[Camera | None], skeleton: str | None = None, unit: str = "body heights"
) -> Poses3D:
    """Triangulate the people of an instant.

    Args:
        found: Who is who among the bodies.
        cameras: One a view; None where not known.
        skeleton: Name of the skeleton; None: as the number of joints tells.
        unit: What cameras are measured in.

    Returns:
        The people whom two views with cameras or more show, in the order of their ids.

    Raises:
        InputError: The frame has no keypoints, or these are of no known skeleton.
    """
    frame = found.frame
    if frame.keypoints is None:
        if sum(frame.counts):
            raise InputError(f"instant {frame.index}: poses need keypoints: give Frame(keypoints=[...])")
        return Poses3D(np.zeros((0, 0, 3)), np.zeros((0, 0)), np.zeros(0, np.int64), index=frame.index, unit=unit)
    joints = max(part.shape[1] for part in frame.keypoints)
    ids = np.concatenate([np.zeros(0, np.int64), *found.ids])
    view = np.repeat(np.arange(len(frame)), frame.counts)
    known = np.array([camera is not None for camera in cameras])
    people, times = np.unique(ids[(ids >= 0) & known[view]], return_counts=True)
    people = people[times >= 2]
    row = np.flatnonzero(np.isin(ids, people) & known[view])
    person = np.searchsorted(people, ids[row])
    every = np.concatenate(
        [np.zeros((0, joints, 3)), *(p if len(p) else np.zeros((0, joints, 3)) for p in frame.keypoints)]
    )
    bodies = np.full((len(people), joints, len(frame), 3), np.nan)
    bodies[person, :, view[row]] = every[row]
    tolerance = np.ones((len(people), joints, len(frame)))
    sizes = np.maximum(JOINT_TOLERANCE * body_sizes(every[row][..., :2]), 1.0)
    tolerance[person, :, view[row]] = sizes[:, None]
    placed = triangulate(cameras, bodies, tolerance)
    kept = np.isfinite(placed.joints).any(axis=(1, 2))
    return Poses3D(
        placed.joints[kept],
        placed.scores[kept],
        people[kept],
        placed.uncertainties[kept],
        placed.errors[kept],
        placed.used[kept],
        skeleton_of(skeleton, joints) if joints else None,
        frame.index,
        unit,
    )
