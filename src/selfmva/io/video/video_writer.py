"""Write a video file: whole, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.scalars import real
from selfmva.core.types import View
from selfmva.errors import DataError, InputError
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.video.quiet_opencv import quiet_opencv
from selfmva.io.video.video_index import index_video, open_capture

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from selfmva.core.images import Image

_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}


class VideoWriter:
    """Write a video file, image by image; it appears when its block ends without an error.

    Args:
        path: The file: `.mp4` (MPEG-4) or `.avi` (Motion JPEG).
        rate: Images a second.
        size: Width and height in pixels.

    Raises:
        InputError: Another ending, rate or size; or no image was written.
        DataError: The folder does not exist, or the system refuses.

    Example:
        >>> import numpy as np
        >>> from selfmva.io import VideoFile
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with VideoWriter(f"{folder}/door.mp4", rate=10, size=(64, 48)) as writer:
        ...         for _ in range(3):
        ...             writer.write(np.zeros((48, 64, 3), np.uint8))
        ...     VideoFile(f"{folder}/door.mp4")
        VideoFile('door', 3 images of 64 x 48 at 10 a second)
    """

    def __init__(self, path: str | Path, rate: float, size: tuple[int, int]) -> None:
        self.path: Path = as_path(path, "the path of a video")
        self.rate: float = real(rate, "rate", above=0)
        if self.path.suffix.lower() not in _CODECS:
            raise InputError(f"{path}: cannot write this ending; use {' or '.join(_CODECS)}")
        given: object = size
        if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray) or len(given) != 2:
            raise InputError(f"{path}: size must be width and height in pixels, got {shown(given)}")
        view = View(self.path.stem, *size)  # checks it
        self.size: tuple[int, int] = (view.width, view.height)
        if view.width % 2 or view.height % 2:
            raise InputError(f"{path}: width and height must be even, or the codec cuts a line off; got {size!r}")
        self._count = 0
        self._stack = ExitStack()
        self._writer: Any = None

    def __enter__(self) -> Self:
        import cv2

        with ExitStack() as stack:
            self._temporary = stack.enter_context(atomic_write(self.path))
            codec = cv2.VideoWriter.fourcc(*_CODECS[self.path.suffix.lower()])
            open_capture("")  # keeps FFmpeg quiet from its first use on
            try:
                with quiet_opencv():
                    self._writer = cv2.VideoWriter(str(self._temporary), cv2.CAP_FFMPEG, codec, self.rate, self.size)
            except cv2.error:  # sizes that OpenCV cannot even count
                self._writer = None
            if self._writer is None or not self._writer.isOpened():
                width, height = self.size
                raise DataError(f"cannot write {self.path} at {self.rate:g} images a second of {width} x {height}")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.release()
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:  # which keeps the old file where this raises
            if not self._count:
                raise InputError(f"{self.path}: no image was written; a video needs one at least")
            arrived = len(index_video(self._temporary).times)
            if arrived != self._count:
                raise DataError(
                    f"cannot write {self.path}: {arrived} of {self._count} images arrived; is the disk full?"
                )

    def write(self, image: Image) -> None:
        """Append an image.

        Args:
            image: What `as_rgb` takes, of the size of the video.

        Raises:
            InputError: Another size or type, or the block is not open.
        """
        import cv2

        if self._writer is None or not self._writer.isOpened():
            raise InputError(f"{self.path} is not open; write inside `with VideoWriter(...) as writer:`")
        pixels = as_rgb(image)
        height, width = pixels.shape[:2]
        if (width, height) != self.size:
            raise InputError(f"{self.path} has images of {self.size[0]} x {self.size[1]}, got {width} x {height}")
        self._writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        self._count += 1
