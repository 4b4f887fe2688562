"""What a synchronized reader takes for a camera: a video, images in files or in an array, or a source of one's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.io.video.image_sources import ImageArray, ImageFiles
from selfmva.io.video.sources import ImageSource
from selfmva.io.video.video import VideoFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    SourceLike = str | Path | Sequence[str | Path] | NDArray[np.uint8] | ImageSource


def open_source(entry: SourceLike, *, rate: float | None = None, name: str = "array") -> ImageSource:
    """Turn what a user gives for a camera into its images.

    Args:
        entry: An ImageSource; a video file; a folder, a glob pattern or a list of images; or a `(T, H, W, 3)` array.
        rate: Images a second of what has no times of its own: images in files and arrays.
        name: Of an array.

    Raises:
        InputError: The entry is none of these, or its rate is missing.
        DataError: A file is missing or cannot be read.

    Example:
        >>> open_source(np.zeros((5, 4, 6, 3), np.uint8), rate=10, name="door")
        ImageArray('door', 5 images of 6 x 4 at 10 a second)
    """
    if isinstance(entry, np.ndarray):
        return ImageArray(entry, rate, name=name)
    if isinstance(entry, str | os.PathLike):
        path = Path(entry)
        if path.is_dir() or (not path.exists() and has_magic(str(path))):
            return ImageFiles(path, rate)
        return VideoFile(path)
    if isinstance(entry, ImageSource):
        return entry
    given: object = entry
    if isinstance(given, Sequence) and all(isinstance(path, str | os.PathLike) for path in given):
        return ImageFiles(given, rate)
    raise InputError(
        f"expected a video file, a folder, pattern or list of images, a (T, H, W, 3) uint8 array or an ImageSource, "
        f"got {type(entry).__name__}"
    )
