"""The images of the cameras that `--views` names."""

from __future__ import annotations

import argparse
import math
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from selfmva.cli.arguments import camera
from selfmva.cli.common import UsageError
from selfmva.errors import DataError, MissingInstantError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from selfmva.cli.arguments import CameraSpec
    from selfmva.core.types import View
    from selfmva.io.video.synchronized import SynchronizedImages, SynchronizedReader

RATE = 10.0  # instants a second where no camera has images


def add_camera_options(parser: argparse._ActionsContainer, *, required: bool) -> None:
    """Add `--views`, `--rate` and `--blur`."""
    parser.add_argument(
        "--views",
        metavar="CAMERA",
        nargs="+",
        required=required,
        type=camera,
        help="one per camera, as for `selfmva fit`: a video file, a folder of images, or a size such as "
        "door:1920x1080 for a dark canvas",
    )
    parser.add_argument(
        "--rate",
        metavar="R",
        type=rate,
        help="instants a second, where folders of images need it (default: that of the videos)",
    )
    parser.add_argument("--blur", choices=("faces", "people"), help="make them unrecognizable")


def rate(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


class Recording:
    """What the cameras saw, instant by instant, see `selfmva.io.SynchronizedReader`; a camera may be a mere size.

    Args:
        specs: One per camera.
        instants_a_second: None: those of the videos.

    Raises:
        UsageError: A folder of images, and nobody says how many are a second.
        DataError: A file cannot be read.
    """

    def __init__(self, specs: Sequence[CameraSpec], instants_a_second: float | None) -> None:
        from selfmva.core.types import View
        from selfmva.io.video.synchronized import SynchronizedReader

        paths = [spec for spec in specs if isinstance(spec, Path)]
        if instants_a_second is None and any(path.is_dir() for path in paths):
            raise UsageError("folders of images don't say how many are a second: give --rate")
        self._stack = ExitStack()
        self._reader = self._stack.enter_context(SynchronizedReader(paths, rate=instants_a_second)) if paths else None
        filmed = iter(() if self._reader is None else self._reader.views)
        self.views: tuple[View, ...] = tuple(
            next(filmed) if isinstance(spec, Path) else View(spec[0] or f"view{number}", *spec[1:])
            for number, spec in enumerate(specs)
        )
        self._filmed = [isinstance(spec, Path) for spec in specs]
        self.rate: float = (instants_a_second or RATE) if self._reader is None else self._reader.rate

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def has_images(self) -> bool:
        """False where all cameras are mere sizes."""
        return self._reader is not None

    @property
    def reader(self) -> SynchronizedReader | None:
        """What all cameras saw; None where one of them is a mere size."""
        return self._reader if all(self._filmed) else None

    def __len__(self) -> int:
        return 0 if self._reader is None else len(self._reader)

    def __getitem__(self, index: int) -> SynchronizedImages:
        from dataclasses import replace

        if self._reader is None:
            raise MissingInstantError("there are no images: all cameras are mere sizes")
        instant = self._reader[index]
        images = iter(instant.images)
        shown = tuple(next(images) if filmed else None for filmed in self._filmed)
        return replace(instant, images=shown, view_names=tuple(view.name for view in self.views))

    def check_instants(self, first: int, last: int, source: str) -> None:
        """Find out before the work whether there are images of all instants.

        Raises:
            DataError: There are not.
        """
        if self.has_images and not 0 <= first <= last < len(self):
            raise DataError(
                f"{source} has instants {first} to {last}, the images of the cameras are instants 0 to "
                f"{len(self) - 1} at {self.rate:g} a second; give the images of these boxes, or another --rate"
            )
