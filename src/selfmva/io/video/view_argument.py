"""What `fit` takes for a camera: a View, a size, a folder of images, a video file or an array of images."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import entries as read_entries
from selfmva.core.messages import shown
from selfmva.core.paths import as_path, is_folder, require_file
from selfmva.core.types import View
from selfmva.core.view_names import require_distinct
from selfmva.errors import DataError, InputError
from selfmva.io.video.images import IMAGE_ENDINGS, image_files, image_size
from selfmva.io.video.video_index import open_capture

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    ViewLike = View | tuple[int, int] | str | Path | NDArray[np.uint8]

_ACCEPTED = "a View, a (width, height), a folder of images, a video file or a (T, H, W, 3) uint8 array"


def resolve_view(entry: ViewLike, number: int) -> View:
    """Turn what a user gives for a camera into a View.

    Args:
        entry: A View; a bare `(width, height)`; a folder of images, whose first gives the size and which gives the
            name; a video file; or an array `(T, H, W, 3)` uint8.
        number: Number of the view; a size or an array is named `view{number}`.

    Returns:
        The view, with its name and size in pixels.

    Raises:
        InputError: The entry is none of these.
        DataError: A file is missing or cannot be read.

    Example:
        >>> resolve_view((1920, 1080), 0)
        View(name='view0', width=1920, height=1080)
    """
    if isinstance(entry, View):
        return entry
    if isinstance(entry, str | os.PathLike):
        return _view_of_path(as_path(entry, f"view {number}"), number)
    if isinstance(entry, np.ndarray) and entry.ndim == 4 and entry.shape[3] == 3 and entry.dtype == np.uint8:
        return View(f"view{number}", width=entry.shape[2], height=entry.shape[1])
    if isinstance(entry, Sequence) and len(entry) == 2:
        return View(f"view{number}", *entry)
    got = f"an array of shape {entry.shape}, {entry.dtype}" if isinstance(entry, np.ndarray) else shown(entry)
    raise InputError(f"view {number}: expected {_ACCEPTED}, got {got}")


def resolve_views(entries: Sequence[ViewLike]) -> tuple[View, ...]:
    """Turn what a user gives for the cameras into views.

    Args:
        entries: One entry per camera, see `resolve_view`.

    Returns:
        At least two views with names of their own.

    Raises:
        InputError: Fewer than two, two of the same name, or an entry that is none.
        DataError: A file is missing or cannot be read.

    Example:
        >>> [view.name for view in resolve_views([(640, 480), View("door", 1920, 1080)])]
        ['view0', 'door']
    """
    given = read_entries(entries, "views", f"one entry per camera, each {_ACCEPTED}")
    views = tuple(resolve_view(entry, number) for number, entry in enumerate(given))
    if len(views) < 2:
        raise InputError(f"at least two views are needed to associate people between them, got {len(views)}")
    require_distinct([view.name for view in views])
    return views


def _view_of_path(path: Path, number: int) -> View:
    if is_folder(path):
        images = image_files(path)
        if not images:
            raise DataError(
                f"view {number}: no image in the folder {path}; expected {', '.join(sorted(IMAGE_ENDINGS))}"
            )
        width, height = image_size(images[0])
        return View(path.resolve().name or f"view{number}", width, height)
    try:
        require_file(path, "a folder of images or a video file")
    except DataError as error:
        raise DataError(f"view {number}: {error}") from error
    width, height = _video_size(path)
    return View(path.stem, width, height)


def _video_size(path: Path) -> tuple[int, int]:
    import cv2

    capture = open_capture(path)
    try:
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    finally:
        capture.release()
    if width <= 0 or height <= 0:
        raise DataError(f"cannot read {path} as a video; is it damaged, or in a format that OpenCV lacks?")
    return width, height
