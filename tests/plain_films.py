"""Films as OpenCV writes them, MPEG-4 or Motion JPEG: tests damage them on purpose, and know where their bytes lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from selfmva.io.video.quiet_opencv import quiet_opencv
from selfmva.io.video.video_index import open_capture

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

CODECS = {".mp4": "mp4v", ".avi": "MJPG"}


def write_plain_film(path: Path, rate: float, size: tuple[int, int], images: Iterable[NDArray]) -> Path:
    """Write uint8 RGB images of an even width and height."""
    open_capture("")  # keeps FFmpeg quiet from its first use on
    with quiet_opencv():
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODECS[path.suffix]), rate, size)
    assert writer.isOpened()
    for image in images:
        writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    writer.release()
    return path
