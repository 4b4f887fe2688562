"""Folders of images named `{instant}_{view}.jpg`: which views and instants they show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from selfmva.core.types import View
from selfmva.errors import DataError
from selfmva.io.video.images import image_files, image_size

if TYPE_CHECKING:
    from pathlib import Path

_IMAGE = re.compile(r"(\d{1,18})_(\d{1,4})\.\w+")


def recorded_views(folder: Path) -> tuple[View, ...]:
    """The views of a folder of images `{instant}_{view}.jpg`, each of the size of its first image.

    Args:
        folder: The folder; views are numbered from 0.

    Returns:
        Views named `view0`, `view1`, ...

    Raises:
        DataError: No such image, an image that cannot be read, or a view in between without images.

    Example:
        >>> from pathlib import Path
        >>> recorded_views(Path("nowhere"))
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: no images {instant}_{view}.jpg in nowhere; give the sizes of the views
    """
    first: dict[int, Path] = {}
    for path in image_files(folder) if folder.is_dir() else []:
        match = _IMAGE.fullmatch(path.name)
        if match:
            first.setdefault(int(match[2]), path)
    if not first:
        raise DataError(f"no images {{instant}}_{{view}}.jpg in {folder}; give the sizes of the views")
    missing = sorted(set(range(max(first) + 1)) - set(first))
    if missing:
        raise DataError(f"{folder}: views are numbered from 0, but there is no image of view {missing[0]}")
    return tuple(View(f"view{number}", *image_size(first[number])) for number in sorted(first))


def recorded_instants(folder: Path) -> list[int]:
    """The instants of which a folder holds an image, in ascending order.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for name in ("10_0.jpg", "2_0.jpg", "2_1.jpg"):
        ...         (Path(folder) / name).touch()
        ...     recorded_instants(Path(folder))
        [2, 10]
    """
    matches = (_IMAGE.fullmatch(path.name) for path in image_files(folder))
    return sorted({int(match[1]) for match in matches if match})
