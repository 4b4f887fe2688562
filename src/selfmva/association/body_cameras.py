"""Cameras from the keypoints of a recording, where they tell more than its boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfmva.core.packed_boxes import joint_count
from selfmva.core.skeletons import skeleton_of
from selfmva.geometry.camera_conversion import parameters_of_camera
from selfmva.geometry.floor import Floor
from selfmva.geometry.support import Support

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selfmva.association.given_cameras import GivenCamera
    from selfmva.core.types import Frame, View
    from selfmva.geometry.bodies.calibration import BodyCalibration
    from selfmva.geometry.bodies.track_pairs import ViewPairMatch
    from selfmva.geometry.cameras import Camera


@dataclass(frozen=True, eq=False)
class KnownCameras:
    """A floor, and the cameras over it where keypoints told them.

    Attributes:
        floor: The common floor; None where none was found.
        cameras: One a view, None where it is not known; None where the floor is one of boxes.
        mirrored: Numbers of the views whose bodies are mirror images; None where boxes are to tell.
        contradicted: Numbers of the views whose boxes contradict the cameras that were given.
        joints: How many joints a body has; None where the recording has no keypoints, or these tell nothing.
    """

    floor: Floor | None
    cameras: tuple[Camera | None, ...] | None = None
    joints: int | None = None
    mirrored: tuple[int, ...] | None = None
    contradicted: tuple[int, ...] = ()


def find_body_cameras(
    views: Sequence[View],
    frames: Sequence[Frame],
    floor: Floor | None,
    skeleton: str | None,
    progress: Callable[[int, int], None] | None = None,
) -> KnownCameras:
    """Look for cameras by the joints of people, and keep them where they hold as many views as the boxes' floor.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        floor: What their boxes told.
        skeleton: Name of the skeleton; None: as the number of joints tells.
        progress: See `calibrate_by_bodies`.

    Raises:
        InputError: Keypoints are of no known skeleton, or not all of one.
    """
    joints = joint_count(frames)
    if joints is None:
        return KnownCameras(floor)
    from selfmva.geometry.bodies.calibration import calibrate_by_bodies  # and OpenCV, which boxes need not

    found = calibrate_by_bodies(views, frames, skeleton_of(skeleton, joints), progress=progress)
    placed = sum(camera is not None for camera in found.cameras)
    if not placed or placed < (0 if floor is None else len(floor.views_on_floor)):
        return KnownCameras(floor)
    return KnownCameras(floor_of_bodies(views, found), found.cameras, joints, found.mirrored)


def take_cameras(
    views: Sequence[View], frames: Sequence[Frame], given: Sequence[GivenCamera], body_height: float | None
) -> KnownCameras:
    """A calibration that a user gave: its floor, in its unit; and the cameras in body heights, as models keep them.

    Args:
        views: The cameras.
        frames: Clipped frames in the order of time.
        given: A camera or a homography a view, see `resolve_cameras`.
        body_height: Mean height of the people in the unit of the cameras; None: as their boxes say.

    Raises:
        InputError: See `floor_of_cameras`; or keypoints are not all of one skeleton.
    """
    from selfmva.geometry.given_cameras import floor_of_cameras
    from selfmva.geometry.homographies import cameras_of_homographies

    cameras = cameras_of_homographies(views, given, frames, body_height)
    floor, contradicted = floor_of_cameras(views, cameras, frames, body_height)
    kept = tuple(None if camera is None else replace_unit(camera, 1.0 / floor.unit) for camera in cameras)
    return KnownCameras(floor, kept, joint_count(frames), (), contradicted)


def replace_unit(camera: Camera, scale: float) -> Camera:
    """The same camera, lengths multiplied."""
    from selfmva.geometry.cameras import Camera

    return Camera(camera.K, camera.R, camera.t * scale, camera.distortion, camera.size)


def floor_of_bodies(views: Sequence[View], found: BodyCalibration) -> Floor:
    """The floor under cameras that bodies told."""
    parameters = tuple(
        None if camera is None else parameters_of_camera(camera, view)
        for camera, view in zip(found.cameras, views, strict=True)
    )
    return Floor(tuple(views), parameters, {pair: _support(match) for pair, match in found.matches.items()})


def _support(match: ViewPairMatch) -> Support:
    """What the joints of a pair of views say, in the words of walks."""
    looked_at = match.joints / max(match.share, 1e-9)
    return Support(
        synchronous=float(match.joints),
        shifted=match.shifted * looked_at,
        largest=match.shifted * looked_at,
        walked=0.0,
        steadiness=1.0,
        residual=0.0,
        instants=0,
        known=True,
        margin=match.margin,
    )
