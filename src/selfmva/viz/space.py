"""Draw poses in space, from any side: a floor with a grid, people and their shadows, and the cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries, stream
from selfmva.core.messages import shown
from selfmva.core.scalars import integer, real
from selfmva.errors import InputError
from selfmva.geometry.cameras import Camera
from selfmva.pose.poses import Poses3D
from selfmva.viz.draw import CANVAS, palette, write
from selfmva.viz.skeletons import draw_skeletons
from selfmva.viz.tiles import LARGEST_PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray

SMALLEST_SPACE = 160  # pixels, width and height
STAGE_FIELD = 0.6  # radians, of the camera that looks at the stage: that of a normal lens
SHADOW, FLOOR_LINE = (52, 56, 63), (58, 63, 71)
NEARLY_EVERYBODY = (1.0, 99.0)  # percentiles of joints, so that a few wrong ones don't stretch the stage
ROOM = 1.05  # of the stage around people
LENGTH_OF_CAMERA = 0.12  # of the reach of the stage


@dataclass(frozen=True, eq=False)
class Space:
    """What part of the world is drawn.

    Attributes:
        centre: `(3,)` what is in the middle.
        reach: How far around it people are, in the unit of the poses.
    """

    centre: FloatArray
    reach: float

    @classmethod
    def around(cls, poses: Iterable[Poses3D]) -> Space:
        """Around everybody of some instants, so that pictures of all of them have one frame.

        Example:
            >>> joints = np.array([[[0, 0, 0], [2, 0, 2.0]]])
            >>> Space.around([Poses3D(joints, np.ones((1, 2)), np.zeros(1, np.int64))]).centre.round(1).tolist()
            [1.0, 0.0, 1.0]
        """
        known = [one.joints[np.isfinite(one.joints).all(axis=-1)] for one in stream(poses, "poses", "Poses3D")]
        joints = np.concatenate([np.zeros((0, 3)), *known])
        if not len(joints):
            return cls(np.array([0.0, 0.0, 0.5]), 1.0)
        low, high = np.percentile(joints, NEARLY_EVERYBODY, axis=0)
        low[2] = min(low[2], 0.0)
        return cls((low + high) / 2, ROOM * float(np.linalg.norm(high - low)) / 2)

    def seen_from(self, azimuth: float, elevation: float, size: tuple[int, int]) -> Camera:
        """A camera that shows all of it.

        Args:
            azimuth: Degrees around the vertical from where the camera looks along y; growing, it walks to its right.
            elevation: Degrees above the horizon.
            size: Width and height of the picture in pixels.
        """
        turn, tilt = np.radians([azimuth, elevation])
        ahead = np.array([-np.sin(turn) * np.cos(tilt), np.cos(turn) * np.cos(tilt), -np.sin(tilt)])
        right = np.array([np.cos(turn), np.sin(turn), 0.0])
        rotation = np.stack([right, np.cross(ahead, right), ahead])
        place = self.centre - ahead * self.reach / np.sin(STAGE_FIELD / 2)
        focal = min(size) / 2 / np.tan(STAGE_FIELD / 2)
        intrinsic = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
        return Camera(intrinsic, rotation, -rotation @ place)


def draw_space(
    poses: Poses3D,
    *,
    azimuth: float = 30.0,
    elevation: float = 20.0,
    size: tuple[int, int] = (900, 700),
    space: Space | None = None,
    cameras: Sequence[Camera | None] = (),
) -> Image:
    """Draw the people of an instant in space, from any side.

    Args:
        poses: Of an instant, z up, 0 on the floor.
        azimuth: Degrees around the vertical, see `Space.seen_from`.
        elevation: Degrees above the horizon; 90 looks straight down.
        size: Width and height of the picture in pixels.
        space: What to show; None: everybody of this instant.
        cameras: Cameras of the recording, drawn where the picture shows them.

    Returns:
        `(height, width, 3)` uint8 RGB. The grid has lines a unit apart, and people have shadows right below them.

    Raises:
        InputError: An argument is wrong.

    Example:
        >>> joints = np.array([[[0, 0, 0.0], [0, 0, 1]]])
        >>> draw_space(Poses3D(joints, np.ones((1, 2)), np.array([2])), size=(320, 240)).shape
        (240, 320, 3)
    """
    if not isinstance(poses, Poses3D):
        raise InputError(f"draw_space() draws Poses3D, as associator.poses() gives, got {shown(poses)}")
    azimuth, elevation = real(azimuth, "azimuth"), real(elevation, "elevation", least=-90, most=90)
    width, height = _checked_size(size)
    space = Space.around([poses]) if space is None else space
    eye, scale = space.seen_from(azimuth, elevation, (width, height)), max(0.5, min(width, height) / 800)
    canvas = np.full((height, width, 3), CANVAS, dtype=np.uint8)
    _draw_lines(canvas, eye, _grid(space), FLOOR_LINE, 1)
    limbs = () if poses.skeleton is None else poses.skeleton.limbs
    shadows = [poses.joints[:, list(limb)] * (1, 1, 0) for limb in limbs]
    _draw_lines(canvas, eye, np.concatenate([np.zeros((0, 2, 3)), *shadows]), SHADOW, max(2, round(5 * scale)))
    for number, camera in enumerate(entries(cameras, "cameras", "one Camera or None per view")):
        if camera is not None:
            red, green, blue = palette(number + 1)[number].tolist()
            marks = _camera_mark(camera, LENGTH_OF_CAMERA * space.reach)
            _draw_lines(canvas, eye, marks, (red, green, blue), max(1, round(1.5 * scale)))
    depth = eye.project(poses.joints)[1] if len(poses) else np.zeros((0, 1))
    nearest_last = np.argsort(-np.nan_to_num(np.nanmean(np.where(np.isfinite(depth), depth, 1e9), axis=1)))
    for person in nearest_last.tolist():
        pixels = eye.project(poses.joints[person])[0]
        canvas = draw_skeletons(canvas, pixels[None], poses.ids[person : person + 1], limbs, scale=scale)
    text = f"grid: {'1 m' if poses.unit == 'metres' else '1 body height'}"
    return write(canvas, text, (round(14 * scale), height - round(16 * scale)), scale)


def _checked_size(size: Any) -> tuple[int, int]:
    if len(entries(size, "the size of a picture", "its width and height in pixels")) != 2:
        raise InputError(f"the size of a picture must be its width and height in pixels, got {shown(size)}")
    width, height = (
        integer(side, "a side of a picture in pixels", least=SMALLEST_SPACE, most=LARGEST_PICTURE) for side in size
    )
    return width, height


def _grid(space: Space) -> FloatArray:
    """`(N, 2, 3)` lines of the floor a unit apart, in pieces, so that one that leaves the picture is still drawn."""
    reach = max(1, int(np.ceil(space.reach)))
    middle = np.round(space.centre[:2])
    steps = np.arange(-reach, reach + 1.0)
    across, along = (grid.reshape(-1) for grid in np.meshgrid(steps, steps[:-1], indexing="ij"))
    starts = np.stack([across, along, 0 * across], axis=1)
    lines = np.stack([starts, starts + np.array([0.0, 1.0, 0.0])], axis=1)
    return np.asarray(np.concatenate([lines, lines[..., [1, 0, 2]]]) + np.append(middle, 0.0))


def _camera_mark(camera: Camera, length: float) -> FloatArray:
    """`(8, 2, 3)` a small pyramid: the place of a camera, and what its image shows so far away."""
    x, y = camera.K[0, 2] / camera.K[0, 0], camera.K[1, 2] / camera.K[1, 1]
    corners = np.array([[-x, -y, 1], [x, -y, 1], [x, y, 1], [-x, y, 1]]) * length @ camera.R + camera.centre
    tips = np.broadcast_to(camera.centre, (4, 3))
    return np.concatenate(
        [np.stack([tips, corners], axis=1), np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)]
    )


def _draw_lines(canvas: Image, eye: Camera, lines: FloatArray, colour: tuple[int, int, int], width: int) -> None:
    """Lines `(N, 2, 3)` of the world, where both ends are in front of the eye."""
    import cv2

    if not len(lines):
        return
    pixels, _ = eye.project(lines)
    far = np.nan_to_num(np.abs(pixels), nan=np.inf).max(axis=(1, 2))
    drawn = pixels[far < 8 * max(canvas.shape)].round().astype(np.int32)
    cv2.polylines(canvas, list(drawn), False, colour, width, cv2.LINE_AA)
