"""What an image is known by: the same for the same content, whatever it is called."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import DataError
from selfmva.io.video.image_sources import ImageFiles
from selfmva.io.video.video import VideoFile

if TYPE_CHECKING:
    from pathlib import Path

    from selfmva.core.images import Image
    from selfmva.io.video.sources import ImageSource

DIGEST_BYTES = 20  # bytes: two images of all that one cache holds never meet by chance


def fingerprint(source: ImageSource, index: int) -> bytes:
    """What identifies an image of a camera by its content.

    Args:
        source: Images of one camera. Of video files and image files nothing is decoded; all others are asked for the
            image.
        index: Number of the image in its source.

    Returns:
        20 bytes; those of a file depend on the version of OpenCV, too, which decodes it.

    Raises:
        DataError: The file cannot be read.

    Example:
        >>> from selfmva.io import ImageArray
        >>> images = ImageArray(np.array([5, 6, 5], np.uint8)[:, None, None], rate=10)
        >>> fingerprint(images, 0) == fingerprint(images, 2), fingerprint(images, 0) == fingerprint(images, 1)
        (True, False)
    """
    return file_fingerprint(source, index) or pixel_fingerprint(source.read(index))


def file_fingerprint(source: ImageSource, index: int) -> bytes | None:
    """The fingerprint of an image in a file, which is not decoded; None where only its pixels tell.

    Classes that build on `VideoFile` or `ImageFiles` may change the pixels, so theirs tell.

    Raises:
        DataError: The file cannot be read.
    """
    if type(source) is VideoFile:
        return _digest(_version(), _content(source.path), str(index).encode())
    if type(source) is ImageFiles:
        return _digest(_version(), _content(source.files[index]))
    return None


def pixel_fingerprint(image: Image) -> bytes:
    """The fingerprint of an image in memory.

    Example:
        >>> pixel_fingerprint(np.zeros((2, 3, 3), np.uint8)) == pixel_fingerprint(np.zeros((3, 2, 3), np.uint8))
        False
    """
    return _digest(repr(image.shape).encode(), np.ascontiguousarray(image).data)


def _digest(*parts: bytes | memoryview) -> bytes:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest()


def _version() -> bytes:
    import cv2

    return str(cv2.__version__).encode()


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        return _content_of(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


@lru_cache(maxsize=4096)  # a video of hours is read through once, not for each image; a change shows in its time
def _content_of(path: Path, _size: int, _changed: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=DIGEST_BYTES)).digest()
