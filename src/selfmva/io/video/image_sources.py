"""Images of one camera from an array, or from image files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.paths import as_path, is_folder
from selfmva.core.scalars import real
from selfmva.errors import DataError, InputError
from selfmva.io.boxes.mot import natural_order
from selfmva.io.video.images import IMAGE_ENDINGS, image_files, image_size, read_image
from selfmva.io.video.sources import Source
from selfmva.io.video.video_index import mean_rate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray


class ImageArray(Source):
    """Images in memory.

    Args:
        images: `(T, H, W)` grey or `(T, H, W, C)`, C = 1, 3 or 4, uint8; see `as_rgb`.
        rate: Images a second; may be left out where there are times.
        times: `(T,)` seconds, strictly ascending, where images do not follow each other evenly.
        name: Of the camera.

    Raises:
        InputError: Another shape or type, no image, times that do not fit, or neither rate nor times.

    Example:
        >>> source = ImageArray(np.zeros((5, 4, 6, 3), np.uint8), rate=10, name="door")
        >>> source
        ImageArray('door', 5 images of 6 x 4 at 10 a second)
        >>> source.times.tolist(), source.read(4).shape
        ([0.0, 0.1, 0.2, 0.3, 0.4], (4, 6, 3))
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        rate: float | None = None,
        *,
        times: ArrayLike | None = None,
        name: str = "array",
    ) -> None:
        given: object = images
        if not isinstance(given, np.ndarray) or given.ndim not in {3, 4} or not len(given):
            got = f"shape {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
            raise InputError(f"{name}: expected a (T, H, W, 3) uint8 array with an image at least, got {got}")
        height, width = as_rgb(images[0]).shape[:2]
        super().__init__(name, (width, height), *_times_and_rate(len(images), rate, times, name))
        self._images = images

    def read(self, index: int) -> Image:
        """Image number `index`, `(H, W, 3)` uint8 RGB.

        Raises:
            InputError: There is no such image.
        """
        return as_rgb(self._images[self.checked(index)])


class ImageFiles(Source):
    """A folder of images, a glob pattern or a list of files.

    Args:
        files: A folder or a pattern (`"cam1/*.jpg"`), both taken in natural order; or files in their order.
        rate: Images a second; may be left out where there are times.
        times: `(T,)` seconds, strictly ascending, where images do not follow each other evenly.
        name: Of the camera; by default that of the folder.

    Raises:
        InputError: Times that do not fit, or neither rate nor times.
        DataError: No image, or the first cannot be read.

    Example:
        >>> from selfmva.io import write_image
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for number in range(3):
        ...         write_image(f"{folder}/{number}.png", np.full((2, 3, 3), number, np.uint8))
        ...     ImageFiles(folder, rate=25, name="door").read(2)[0, 0].tolist()
        [2, 2, 2]
    """

    def __init__(
        self,
        files: str | Path | Sequence[str | Path],
        rate: float | None = None,
        *,
        times: ArrayLike | None = None,
        name: str | None = None,
    ) -> None:
        self.files: list[Path] = _image_paths(files)
        if not self.files:
            raise DataError(f"no image in {files}; expected {', '.join(sorted(IMAGE_ENDINGS))}")
        name = name or self.files[0].parent.resolve().name or "images"
        times_and_rate = _times_and_rate(len(self.files), rate, times, name)
        super().__init__(name, image_size(self.files[0]), *times_and_rate)

    def read(self, index: int) -> Image:
        """Image number `index`, `(H, W, 3)` uint8 RGB.

        Raises:
            InputError: There is no such image.
            DataError: The file cannot be decoded, or is of another size than the first.
        """
        path = self.files[self.checked(index)]
        image = read_image(path)
        height, width = image.shape[:2]
        if (width, height) != (self.width, self.height):
            raise DataError(
                f"{path} has {width} x {height} pixels, {self.files[0]} has {self.width} x {self.height}; "
                "one camera gives images of one size"
            )
        return image


def _image_paths(files: str | Path | Sequence[str | Path]) -> list[Path]:
    given: object = files
    if not isinstance(given, str | os.PathLike):
        if isinstance(given, bytes) or not isinstance(given, Sequence):
            raise InputError(f"expected a folder, a pattern or a list of images, got {shown(given)}")
        return [as_path(path, "the path of an image") for path in given]
    path = as_path(given, "the folder or pattern of images")
    if is_folder(path):
        return image_files(path)
    found = map(Path, glob(str(files), recursive=True))  # noqa: PTH207  # folders of it may have wildcards, too
    return sorted((path for path in found if path.suffix.lower() in IMAGE_ENDINGS), key=natural_order)


def _times_and_rate(count: int, rate: float | None, times: ArrayLike | None, name: str) -> tuple[FloatArray, float]:
    if rate is not None:
        rate = real(rate, f"{name}: rate", above=0)
    if times is None:
        if rate is None:
            raise InputError(f"{name}: images without times need their number a second; give rate=...")
        return np.arange(count) / rate, rate
    try:
        given = np.array(times, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        given = np.empty(0)
    if given.shape != (count,) or not np.isfinite(given).all() or (np.diff(given) <= 0).any():
        raise InputError(
            f"{name}: times must be {count} finite seconds, one for each image, strictly ascending; "
            f"got shape {given.shape}"
        )
    return given, rate or mean_rate(given) or 1.0
