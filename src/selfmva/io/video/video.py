"""The images of a video file: exact, each with its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.paths import as_path, file_status
from selfmva.errors import DataError
from selfmva.io.video.sources import Source
from selfmva.io.video.video_index import index_video, open_capture

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.core.images import Image

_STRIDE = 24  # images up to which decoding those in between is cheaper than a jump


class VideoFile(Source):
    """The images of a video file, with the times of its container.

    Each image that is decoded is known by its time, so jumps are exact and a damaged image never shifts what follows.
    Opening reads the times of all images, without decoding them. Not to be read by several threads at once.

    Args:
        path: A file in a format that OpenCV's FFmpeg reads.
        name: Of the camera; by default that of the file.

    Raises:
        DataError: The file is missing, or cannot be read as a video.

    Example:
        >>> VideoFile("nowhere.mp4")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: nowhere.mp4 does not exist; expected a video file
    """

    def __init__(self, path: str | Path, *, name: str | None = None) -> None:
        self.path: Path = as_path(path, "the path of a video")
        self._version = self._found_version()
        index = index_video(self.path)
        super().__init__(name or self.path.stem, (index.width, index.height), index.times, index.rate)
        self._timed, self._cut = index.timed, index.cut
        self._capture: Any = None
        self._current = -1  # number of the image that was grabbed last

    def read(self, index: int) -> Image:
        """Image number `index`, `(H, W, 3)` uint8 RGB; the one after the last that was read comes fastest.

        Raises:
            InputError: There is no such image.
            DataError: The image cannot be decoded, or the file ends before it. Other images can still be read. Or it is
                another file by now.
        """
        import cv2

        index = self.checked(index)
        if self._capture is None or not self._current <= index <= self._current + _STRIDE:
            self._jump(index)
        while self._current < index:
            if not self._grab():
                self.close()  # the next read looks for its own place
                break
        readable = self._current == index != self._cut
        image: Any = self._capture.retrieve()[1] if readable else None
        if image is None:
            raise DataError(
                f"{self.path}: cannot decode image {index} of {len(self)}, at {self.times[index]:.3f} s; "
                "the file is damaged or ends early"
            )
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def close(self) -> None:
        """Let go of the file; reading opens it anew."""
        if self._capture is not None:
            self._capture.release()
        self._capture, self._current = None, -1

    def _jump(self, index: int) -> None:
        """Go to an image or a little before it; OpenCV's own jumps may miss, so go back further until it is so."""
        import cv2

        margin = 0
        while self._timed and index - margin > _STRIDE:
            if self._capture is None:
                self._capture = self._opened()
            self._capture.set(cv2.CAP_PROP_POS_MSEC, self.times[index - margin] * 1000)
            if self._grab() and self._current <= index:
                return
            margin = max(8, 4 * margin)
        if self._current > index or self._capture is None or margin:
            self.close()
            self._capture = self._opened()

    def _opened(self) -> Any:
        """The file, opened anew, if it is still the one whose times are known."""
        if self._found_version() != self._version:
            raise DataError(f"{self.path} was replaced or changed since its times were read; open it anew")
        return open_capture(self.path)

    def _found_version(self) -> tuple[int, int, int] | None:
        status = file_status(self.path)
        return None if status is None else (status.st_ino, status.st_size, status.st_mtime_ns)

    def _grab(self) -> bool:
        """Decode the next image and find out which it is."""
        import cv2

        if not self._capture.grab():
            return False
        following = self._current + 1
        if self._timed:
            time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if following >= len(self) or abs(self.times[following] - time) > 0.25 / self.rate:
                following = int(np.abs(self.times - time).argmin())
        self._current = following
        return True
