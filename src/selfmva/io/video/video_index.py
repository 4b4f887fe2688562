"""When each image of a video file was taken, from its container: no image is decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.paths import require_file
from selfmva.errors import DataError
from selfmva.io.video.mp4_edit_list import edited_seconds, lost_its_end
from selfmva.io.video.quiet_opencv import quiet_opencv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.core.types import FloatArray

_MP4 = frozenset({".mp4", ".m4v", ".mov"})  # their index says when the video ends; others may mean its sound
_MOST_LOST = 10**7  # images, four days at 25 a second: beyond that, the promise is what is damaged
_WHOLE = frozenset({0, ord("I"), ord("?")})  # kinds of image that need no other one; 0 and ? are unknown


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """The images of a video.

    Args:
        times: `(T,)` float64 seconds since the first image, ascending.
        rate: Images a second, apart from gaps.
        timed: Whether the times are those of the container; else they are counted at its rate.
        width: Of the images, in pixels.
        height: Of the images, in pixels.
        cut: Number of the image after which the file lost something, and which may be damaged itself; else -1.
    """

    times: FloatArray
    rate: float
    timed: bool
    width: int
    height: int
    cut: int = -1


def open_capture(path: str | Path, parameters: Sequence[int] = ()) -> Any:
    """A `cv2.VideoCapture` of a file, quietly; `isOpened()` may be false."""
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # quiet: what goes wrong is raised as an error
    with quiet_opencv():
        return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, list(parameters))


def mean_rate(times: FloatArray) -> float | None:
    """Images a second apart from gaps; None where fewer than two times differ.

    The median step alone would carry the rounding of containers that count milliseconds.

    Example:
        >>> mean_rate(np.array([0.0, 0.1, 0.2, 0.5, 0.6]))  # two images are missing
        10.0
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not steps.size:
        return None
    return float(np.rint(steps / np.median(steps)).clip(1).sum() / steps.sum())


def index_video(path: Path) -> VideoIndex:
    """Read the times of all images.

    A file that lost its end keeps the images that it promises, so that reading them fails in their turn.

    Raises:
        DataError: The file is missing, or no video.
    """
    import cv2

    require_file(path, "a video file")
    capture = open_capture(path)
    try:
        width, height = (int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate, promised = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
        packets = _times(open_capture(path, [cv2.CAP_PROP_FORMAT, -1]))  # -1: packets as they are, not decoded
        if width <= 0 or height <= 0 or not packets.size:
            raise DataError(f"cannot read {path} as a video; is it damaged, or in a format that OpenCV lacks?")
        begins_whole = capture.grab() and capture.get(cv2.CAP_PROP_FRAME_TYPE) in _WHOLE
    finally:
        capture.release()
    rate = rate if np.isfinite(rate) and rate > 0 else 25.0
    if path.suffix.lower() == ".avi" and promised > len(packets):
        raise DataError(
            f"{path} is damaged: it holds {len(packets)} images of {promised:.0f}, and an AVI file does not say "
            "which; copy it again, or repair it with a video tool"
        )
    if len(packets) > 1 and not np.ptp(packets):
        return VideoIndex(np.arange(len(packets)) / rate, rate, timed=False, width=width, height=height)
    end = (edited_seconds(path) or promised / rate) if path.suffix.lower() in _MP4 else np.inf
    # Where an edit list leaves out images that are in the file, only decoding tells which.
    trimmed = not begins_whole or packets.max() > end - 0.25 / rate
    times = np.sort(_times(open_capture(path)) if trimmed else packets)
    whole, cut = len(times), -1
    if np.isfinite(end) and lost_its_end(path):
        times = _with_lost_end(times, end, int(promised) - len(packets), path)
        cut = -1 if len(times) == whole else int(np.searchsorted(times, packets[-1]))
    return VideoIndex(times, mean_rate(times) or rate, timed=True, width=width, height=height, cut=cut)


def _times(capture: Any) -> FloatArray:
    """Seconds of all that a capture gives, in its order."""
    import cv2

    times = []
    while capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    capture.release()
    return np.array(times, dtype=np.float64)


def _with_lost_end(times: FloatArray, end: float, lost: int, path: Path) -> FloatArray:
    """Append the times of the images that are missing up to `end` in seconds, at most as many as the file lost.

    An edit list may show less of the last image than its time, or promise more than there ever was.
    """
    rate = mean_rate(times)
    missing = 0 if rate is None else min(int((end - times[-1]) * rate - 0.5), max(lost, 0))
    if missing > _MOST_LOST:
        raise DataError(f"{path} is damaged: it promises {missing} images more than it holds; copy it again")
    return np.concatenate([times, times[-1] + np.arange(1, missing + 1) / (rate or 1.0)])
