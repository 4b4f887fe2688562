"""Write a video file: whole, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

import numpy as np

from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.scalars import real
from selfmva.core.types import View
from selfmva.errors import DataError, InputError
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.video.video_encoders import OPENCV_CODECS, open_encoder
from selfmva.io.video.video_index import index_video

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from selfmva.core.images import Image
    from selfmva.io.video.video_encoders import Encoder


class VideoWriter:
    """Write a video file, image by image; it appears when its block ends without an error.

    An `.mp4` is H.264, which browsers play, where PyAV is installed (`pip install 'selfmva[video]'`). Without it, it is
    MPEG-4, which players show, and the log says so.

    Args:
        path: The file: `.mp4` or `.avi` (Motion JPEG).
        rate: Images a second.
        size: Width and height of the images in pixels. Where a side is odd, the video repeats the last line or column:
            codecs take even sides alone.

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
        if self.path.suffix.lower() not in OPENCV_CODECS:
            raise InputError(f"{path}: cannot write this ending; use {' or '.join(OPENCV_CODECS)}")
        given: object = size
        if isinstance(given, str) or not isinstance(given, Sequence | np.ndarray) or len(given) != 2:
            raise InputError(f"{path}: size must be width and height in pixels, got {shown(given)}")
        view = View(self.path.stem, *size)  # checks it
        self.size: tuple[int, int] = (view.width, view.height)
        self._odd: tuple[int, int] = (view.width % 2, view.height % 2)
        self._count = 0
        self._stack = ExitStack()
        self._encoder: Encoder | None = None

    def __enter__(self) -> Self:
        (width, height), (odd_width, odd_height) = self.size, self._odd
        with ExitStack() as stack:
            self._temporary = stack.enter_context(atomic_write(self.path))
            try:
                self._encoder = open_encoder(self._temporary, self.rate, (width + odd_width, height + odd_height))
            except DataError as error:
                raise DataError(
                    f"cannot write {self.path} at {self.rate:g} images a second of {width} x {height}: {error}"
                ) from error
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        encoder, self._encoder = self._encoder, None
        if error is not None:
            with suppress(DataError):  # what went wrong first is what counts
                self._close(encoder)
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:  # which keeps the old file where this raises
            self._close(encoder)
            if not self._count:
                raise InputError(f"{self.path}: no image was written; a video needs one at least")
            arrived = self._arrived()
            if arrived != self._count:
                raise DataError(
                    f"cannot write {self.path}: {arrived} of {self._count} images arrived; is the disk full?"
                )

    def _arrived(self) -> int:
        """How many images are in the file; 0 where it is none."""
        try:
            return len(index_video(self._temporary).times)
        except DataError:
            return 0

    def _close(self, encoder: Encoder | None) -> None:
        try:
            if encoder is not None:
                encoder.close()
        except DataError as error:
            raise DataError(f"cannot write {self.path}: {error}; is the disk full?") from error

    def write(self, image: Image) -> None:
        """Append an image.

        Args:
            image: What `as_rgb` takes, of the size of the video.

        Raises:
            InputError: Another size or type, or the block is not open.
            DataError: The system refuses.
        """
        if self._encoder is None:
            raise InputError(f"{self.path} is not open; write inside `with VideoWriter(...) as writer:`")
        pixels = as_rgb(image)
        height, width = pixels.shape[:2]
        if (width, height) != self.size:
            raise InputError(f"{self.path} has images of {self.size[0]} x {self.size[1]}, got {width} x {height}")
        if any(self._odd):
            pixels = np.pad(pixels, ((0, self._odd[1]), (0, self._odd[0]), (0, 0)), mode="edge")
        try:
            self._encoder.write(pixels)
        except DataError as error:
            raise DataError(f"cannot write {self.path}: {error}; is the disk full?") from error
        self._count += 1
