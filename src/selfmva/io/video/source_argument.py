"""What a synchronized reader takes for a camera: a video, images in files or in an array, or a source of one's own."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from glob import has_magic
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.paths import as_path, file_status, is_folder
from selfmva.core.view_names import both_sets, order_by_name
from selfmva.errors import InputError
from selfmva.io.boxes.views import view_names
from selfmva.io.video.image_sources import ImageArray, ImageFiles
from selfmva.io.video.sources import ImageSource
from selfmva.io.video.video import VideoFile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from selfmva.core.types import View

    SourceLike = str | Path | Sequence[str | Path] | NDArray[np.uint8] | ImageSource

logger: logging.Logger = logging.getLogger(__name__)


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
        path = as_path(entry, "a camera")
        if is_folder(path) or (file_status(path) is None and has_magic(str(path))):
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


def in_order_of(entries: Sequence[SourceLike], views: Sequence[View]) -> list[SourceLike]:
    """Put the cameras of a recording in the order of known views, by their names.

    A video file is called as without its ending, a folder as itself, images in files as their folder, an ImageSource as
    it says. Where nothing is called like a view, the order stays, and the log says which is taken for which.

    Args:
        entries: As for `open_source`, one per view.
        views: The views.

    Returns:
        The entries, one per view in the order of the views.

    Raises:
        InputError: Some are called like views and others are not, two are called the same, there are more or fewer than
            views, or the views are none.

    Example:
        >>> from selfmva.core.types import View
        >>> in_order_of(["today/hall.mp4", "today/door.mp4"], [View("door", 640, 480), View("hall", 640, 480)])
        ['today/door.mp4', 'today/hall.mp4']
    """
    names, known = [source_name(entry) for entry in entries], view_names(views)
    if known is None:
        raise InputError(f"views must be a sequence of View, got {shown(views)}")
    if len(names) != len(known):
        raise InputError(f"{len(names)} cameras for {len(known)} views: {both_sets(names, known, 'cameras')}")
    order = order_by_name(names, known, "cameras")
    if order is None:
        taken = ", ".join(f"{name or f'camera {k}'} for {known[k]}" for k, name in enumerate(names))
        logger.warning("no camera is called like a view, so they are taken in the order given: %s", taken)
        return list(entries)
    return [entries[number] for number in order]


def source_name(entry: SourceLike) -> str | None:
    """What a camera is called that is given as one of these; None for an array.

    Raises:
        InputError: A path is none.
        DataError: The operating system does not say whether a path is a folder.

    Example:
        >>> source_name("today/door.mp4"), source_name("today/hall/*.jpg")
        ('door', 'hall')
    """
    if isinstance(entry, np.ndarray):
        return None
    if isinstance(entry, str | os.PathLike):
        path = as_path(entry, "a camera")
        if is_folder(path):
            return path.resolve().name
        return path.parent.name if has_magic(str(path)) and file_status(path) is None else path.stem
    if isinstance(entry, ImageSource):
        return entry.name
    given: object = entry
    files = list(given) if isinstance(given, Sequence) else []
    return as_path(files[0], "the path of an image").parent.name if files else None
