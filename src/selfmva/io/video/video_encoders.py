"""What turns images into a video file: H.264 by PyAV where that is installed, else what OpenCV has."""

from __future__ import annotations

import logging
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from selfmva.errors import DataError
from selfmva.io.video.quiet_opencv import quiet_opencv
from selfmva.io.video.video_index import open_capture

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.core.images import Image

OPENCV_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
X264 = "libx264"
X264_OPTIONS = {"preset": "veryfast", "crf": "20"}  # crf: thin lines and small digits stay sharp (x264's default is 23)
KEY_SECONDS = 2.0  # between images that need no other one, as for streaming: players jump to them
LARGEST_DENOMINATOR = 1001  # of rates: 30000/1001 and its like are exact
BT_601 = 6  # of ITU-T H.273, MatrixCoefficients: what FFmpeg takes from RGB to YUV; without it players guess

_LOG = logging.getLogger(__name__)


class Encoder(Protocol):
    """Writes images of one size to a file."""

    def write(self, image: Image) -> None:
        """Append an image, `(H, W, 3)` uint8 RGB."""

    def close(self) -> None:
        """Write what is left."""


def open_encoder(path: Path, rate: float, size: tuple[int, int]) -> Encoder:
    """The best encoder there is for a file.

    Args:
        path: The file, `.mp4` or `.avi`.
        rate: Images a second.
        size: Width and height in pixels, even.

    Raises:
        DataError: No encoder takes this rate or size, or the system refuses.
    """
    if path.suffix.lower() != ".mp4":
        return OpenCVEncoder(path, rate, size)
    if has_h264():
        return H264Encoder(path, rate, size)
    _tell_of_h264()
    return OpenCVEncoder(path, rate, size)


@cache
def has_h264() -> bool:
    """Whether PyAV is installed, with x264 in it."""
    if find_spec("av") is None:
        return False
    import av

    return X264 in av.codecs_available


@cache
def _tell_of_h264() -> None:
    """Once: a video is written all the same, and the work before it is not lost."""
    _LOG.warning(
        "videos are written as MPEG-4, which players show but browsers don't: `pip install 'selfmva[video]'` for H.264"
    )


class H264Encoder:
    """H.264 in an MP4 file that browsers play, from its first bytes on.

    Args:
        path: The file.
        rate: Images a second.
        size: Width and height in pixels, even.

    Raises:
        DataError: x264 refuses the rate or size, or the system the file.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        import av

        # What is a number in Python may be 0 as a fraction of small numbers; such videos have no images a second.
        self._rate = Fraction(rate).limit_denominator(LARGEST_DENOMINATOR)
        self._count = 0
        self._error = av.FFmpegError
        self._container: Any = None
        try:
            self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
            stream = self._container.add_stream(X264, rate=self._rate, options=X264_OPTIONS)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            context = stream.codec_context
            context.time_base = 1 / self._rate
            context.gop_size = max(1, round(KEY_SECONDS * self._rate))
            context.max_b_frames = 0  # times in the file are then those of the images: no list of edits
            context.colorspace = BT_601
            self._container.start_encoding()
        except (av.FFmpegError, ValueError, ArithmeticError) as error:
            self._abandon()
            raise DataError(f"no H.264 at {rate:g} images a second of {size[0]} x {size[1]}: {error}") from error
        self._stream: Any = stream

    def write(self, image: Image) -> None:
        """Append an image."""
        from av import VideoFrame

        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = self._count, 1 / self._rate
        self._count += 1
        self._mux(frame)

    def close(self) -> None:
        """Write what is left, and the index in front of the images."""
        if self._container is None:
            return
        try:
            if self._count:
                self._mux(None)
            self._container.close()
        except self._error as error:
            raise DataError(f"the video could not be finished: {error}") from error
        finally:
            self._container = None

    def _mux(self, frame: Any) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except self._error as error:
            raise DataError(f"an image could not be written: {error}") from error

    def _abandon(self) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None


class OpenCVEncoder:
    """MPEG-4 in `.mp4`, Motion JPEG in `.avi`.

    Args:
        path: The file.
        rate: Images a second.
        size: Width and height in pixels, even.

    Raises:
        DataError: OpenCV refuses.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        import cv2

        codec = cv2.VideoWriter.fourcc(*OPENCV_CODECS[path.suffix.lower()])
        open_capture("")  # keeps FFmpeg quiet from its first use on
        writer: Any = None
        try:
            with quiet_opencv():
                writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, rate, size)
        except cv2.error:  # sizes that OpenCV cannot even count
            writer = None
        if writer is None or not writer.isOpened():
            raise DataError(f"OpenCV takes no {rate:g} images a second of {size[0]} x {size[1]}")
        self._writer = writer

    def write(self, image: Image) -> None:
        """Append an image."""
        import cv2

        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Write what is left."""
        self._writer.release()
