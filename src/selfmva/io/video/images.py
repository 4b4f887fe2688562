"""Image files: everything becomes `(H, W, 3)` uint8 RGB."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.images import as_rgb
from selfmva.core.paths import as_path, file_status, require_file
from selfmva.errors import DataError
from selfmva.io.boxes.mot import natural_order
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.video.quiet_opencv import quiet_opencv

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from selfmva.core.images import Image

IMAGE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})


def image_files(folder: str | Path) -> list[Path]:
    """The images of a folder in natural order (`2.jpg` before `10.jpg`).

    Raises:
        InputError: The path is none.
        DataError: There is no such folder, or it cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     (Path(folder) / "10.jpg").touch()
        ...     (Path(folder) / "2.jpg").touch()
        ...     [path.name for path in image_files(folder)]
        ['2.jpg', '10.jpg']
    """
    try:
        entries = as_path(folder, "the folder of images").iterdir()
        found = [path for path in entries if path.suffix.lower() in IMAGE_ENDINGS]
    except (OSError, UnicodeError) as error:
        raise DataError(f"cannot read the folder {folder}: {getattr(error, 'strerror', None) or error}") from error
    return sorted(found, key=natural_order)


def image_size(path: str | Path) -> tuple[int, int]:
    """Width and height of an image file in pixels.

    Raises:
        DataError: The file cannot be read as an image.

    Example:
        >>> image_size("nowhere.jpg")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: cannot read nowhere.jpg as an image
    """
    height, width = read_image(path).shape[:2]
    return width, height


def read_image(path: str | Path) -> Image:
    """Read an image file.

    Args:
        path: A file in a format that OpenCV decodes: JPEG, PNG, BMP, TIFF, WebP and others. It is turned upright where
            it says how it was held. Grey becomes RGB, transparency is left out, 16 bits become 8.

    Returns:
        `(H, W, 3)` uint8 RGB.

    Raises:
        InputError: The path is none.
        DataError: No such file, no regular one, or it cannot be decoded.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_image(f"{folder}/red.png", np.full((2, 4, 3), (255, 0, 0), np.uint8))
        ...     read_image(f"{folder}/red.png")[0, 0].tolist()
        [255, 0, 0]
    """
    import cv2

    place = as_path(path, "the path of an image")
    status = file_status(place)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        require_file(place, "an image file")
    try:  # cv2.imread takes no path with letters like ä on Windows
        data = np.fromfile(place, dtype=np.uint8)
    except OSError:
        data = np.empty(0, dtype=np.uint8)
    try:
        with quiet_opencv():
            image: Any = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:  # a header that asks for more pixels than OpenCV allows
        image = None
    if image is None or not image.size:
        raise DataError(f"cannot read {path} as an image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def write_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write an image file; readers see the old file or the new one, never half of either.

    Args:
        path: The file; its ending (.png, .jpg, ...) chooses the format.
        image: What `as_rgb` takes.

    Raises:
        InputError: The image is wrong.
        DataError: The ending is that of no image format, the folder does not exist, or the disk refuses.

    Example:
        >>> write_image("picture.unknown", np.zeros((8, 8, 3), np.uint8))
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: cannot write picture.unknown: no image format ends in '.unknown'; use .png or .jpg
    """
    import cv2

    pixels = cv2.cvtColor(as_rgb(image), cv2.COLOR_RGB2BGR)
    target = as_path(path, "the path of an image")
    ending = target.suffix
    try:
        done, encoded = cv2.imencode(ending, pixels)
    except (cv2.error, UnicodeError):
        done = False
    if not done:
        raise DataError(f"cannot write {path}: no image format ends in {ending!r}; use .png or .jpg")
    with atomic_write(target) as temporary:
        temporary.write_bytes(encoded.tobytes())
