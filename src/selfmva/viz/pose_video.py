"""Poses that turn: pictures all around an instant, and videos of a recording in space."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import stream
from selfmva.core.paths import as_path
from selfmva.core.scalars import integer, real
from selfmva.errors import InputError
from selfmva.io.video.video_writer import VideoWriter
from selfmva.viz.space import Space, draw_space

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from selfmva.core.images import Image
    from selfmva.geometry.cameras import Camera
    from selfmva.pose.poses import Poses3D

MOST_PICTURES = 720  # of one turn


def draw_orbit(
    poses: Poses3D,
    count: int = 24,
    *,
    elevation: float = 20.0,
    size: tuple[int, int] = (480, 360),
    cameras: Sequence[Camera | None] = (),
) -> Iterator[Image]:
    """Draw an instant from all around.

    Args:
        poses: Of an instant.
        count: How many pictures, a whole turn.
        elevation: Degrees above the horizon.
        size: Width and height of a picture in pixels.
        cameras: Those of the recording, drawn too.

    Yields:
        `(height, width, 3)` uint8 RGB.

    Raises:
        InputError: An argument is wrong.

    Example:
        >>> from selfmva.pose import Poses3D
        >>> one = Poses3D(np.zeros((1, 1, 3)), np.ones((1, 1)), np.array([0]))
        >>> len(list(draw_orbit(one, 6, size=(160, 160))))
        6
    """
    count, space = integer(count, "count", least=1, most=MOST_PICTURES), Space.around([poses])
    for azimuth in np.arange(count) * 360.0 / count:
        yield draw_space(poses, azimuth=azimuth, elevation=elevation, size=size, space=space, cameras=cameras)


def write_pose_video(
    path: str | Path,
    poses: Iterable[Poses3D],
    *,
    rate: float,
    azimuth: float = 30.0,
    elevation: float = 20.0,
    turning: float = 12.0,
    size: tuple[int, int] = (960, 720),
    cameras: Sequence[Camera | None] = (),
) -> None:
    """Write a video of people in space, seen by a camera that walks around them.

    Args:
        path: The file, `.mp4` or `.avi`; it appears when all is written.
        poses: Of successive instants, such as `PoseTracks`.
        rate: Instants a second.
        azimuth: Degrees around the vertical at the beginning, see `draw_space`.
        elevation: Degrees above the horizon.
        turning: Degrees a second; 0: the camera stands.
        size: Width and height in pixels, even numbers.
        cameras: Those of the recording, drawn too.

    Raises:
        InputError: There is no instant, or an argument is wrong.
        DataError: The file cannot be written.
    """
    path, rate = as_path(path, "the path of a video"), real(rate, "rate", above=0)
    instants = list(stream(poses, "poses", "one Poses3D per instant"))
    if not instants:
        raise InputError(f"{path}: there is no instant; a video needs one at least")
    turning, space = real(turning, "turning"), Space.around(instants)
    with ExitStack() as stack:
        writer = None
        for number, one in enumerate(instants):
            side = azimuth + turning * number / rate
            picture = draw_space(one, azimuth=side, elevation=elevation, size=size, space=space, cameras=cameras)
            height, width = picture.shape[:2]
            writer = writer or stack.enter_context(VideoWriter(path, rate, (width, height)))
            writer.write(picture)
