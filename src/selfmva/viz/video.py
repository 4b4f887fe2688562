"""Videos of who is who: one mosaic of all views, or one video of each."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from selfmva.association.associations_argument import each_association
from selfmva.core.arguments import offers
from selfmva.core.messages import shown
from selfmva.core.paths import as_path
from selfmva.core.scalars import real
from selfmva.core.view_checks import check_same_sizes
from selfmva.errors import InputError
from selfmva.io.video.video_writer import VideoWriter
from selfmva.viz.blur import check_part
from selfmva.viz.draw import draw_boxes
from selfmva.viz.instant import backdrop, draw_association, seen_once
from selfmva.viz.tiles import LARGEST_PICTURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from selfmva.association.associations_argument import Identified
    from selfmva.core.images import Image
    from selfmva.core.types import View
    from selfmva.io.video.synchronized import SynchronizedImages
    from selfmva.viz.blur import Part


@runtime_checkable
class InstantImages(Protocol):
    """Where the images of an instant come from, by its number: a `selfmva.io.SynchronizedReader`, or the like."""

    @property
    def views(self) -> tuple[View, ...]:
        """The cameras."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> SynchronizedImages: ...


def write_mosaic_video(
    path: str | Path,
    associations: Iterable[Identified],
    images: InstantImages | None = None,
    *,
    rate: float,
    width: int = 1600,
    blur: Part | None = None,
) -> None:
    """Write a video of all views side by side, every id in a colour of its own.

    A person keeps number and colour where ids last: those of `selfmva.Tracker` and `Associator.track` do, those of
    `associate_many` hold for one instant. Instants are drawn one after the other: memory does not grow with the length
    of the video.

    Args:
        path: The file, `.mp4` or `.avi`; it appears when all is written.
        associations: Of successive instants of the same cameras, such as `map(tracker.update, frames)`, or
            `selfmva.Tracks`.
        images: Where the images come from, by the number of the instant, such as a `SynchronizedReader`; by default
            those that the frames carry. Dark canvases where there are none at all.
        rate: Instants a second.
        width: Of the video in pixels; an odd side gets another line.
        blur: `"faces"` or `"people"`, see `blur_people`.

    Raises:
        InputError: There is no instant, images don't have it or are of other cameras, or an argument is wrong.
        DataError: The file cannot be written, or an image not be read.

    Example:
        >>> import numpy as np
        >>> from selfmva.association.association import Association
        >>> from selfmva.io import VideoFile
        >>> from selfmva.core.types import Frame, View
        >>> from tempfile import TemporaryDirectory
        >>> view = View("door", 160, 90)
        >>> still = [Association(Frame([[[9, 9, 40, 80]]], t), (view,), (np.array([0]),), {}) for t in range(3)]
        >>> with TemporaryDirectory() as folder:
        ...     write_mosaic_video(f"{folder}/all.mp4", still, rate=10, width=320)
        ...     VideoFile(f"{folder}/all.mp4")
        VideoFile('all', 3 images of 320 x 188 at 10 a second)
    """
    path = as_path(path, "the path of a video")
    with ExitStack() as stack:
        writer = None
        for association in _checked(associations, rate, blur):
            shown, ids = images_of(association, images), association.ids
            picture = draw_association(association.frame, ids, association.views, shown, width=width, blur=blur)
            writer = writer or stack.enter_context(VideoWriter(path, rate, _size(picture)))
            writer.write(picture)
        if writer is None:
            raise InputError(f"{path}: there is no instant; a video needs one at least")


def write_view_videos(
    folder: str | Path,
    associations: Iterable[Identified],
    images: InstantImages | None = None,
    *,
    rate: float,
    blur: Part | None = None,
) -> list[Path]:
    """Write one annotated video of each view, in the size of its images.

    Args:
        folder: Where `{view}.mp4` is written for each view; it must exist. Signs that don't belong into the name of a
            file become `_`.
        associations: As in `write_mosaic_video`.
        images: As in `write_mosaic_video`.
        rate: Instants a second.
        blur: `"faces"` or `"people"`, see `blur_people`.

    Returns:
        The files, in the order of views; they appear when all is written.

    Raises:
        InputError: See `write_mosaic_video`.
        DataError: See `write_mosaic_video`.
    """
    folder = as_path(folder, "the folder of the videos")
    writers: list[VideoWriter] = []
    with ExitStack() as stack:
        for association in _checked(associations, rate, blur):
            for view, panel in enumerate(_draw_views(association, images_of(association, images), blur)):
                if view == len(writers):
                    path = folder / f"{file_names(association.views)[view]}.mp4"
                    writers.append(stack.enter_context(VideoWriter(path, rate, _size(panel))))
                writers[view].write(panel)
        if not writers:
            raise InputError(f"{folder}: there is no instant; a video needs one at least")
    return [writer.path for writer in writers]


def images_of(association: Identified, images: InstantImages | None) -> Sequence[Image | None] | None:
    """The images of an instant: of a reader, or those that the frame carries.

    Raises:
        InputError: It is no reader, is of other cameras, or has no such instant.
    """
    if images is None:
        return association.frame.images
    if not offers(images, InstantImages):
        raise InputError(f"images must be a selfmva.io.SynchronizedReader, or the like, got {shown(images)}")
    check_same_sizes(association.views, "the people are of cameras of", images.views, "the images of cameras of")
    if not 0 <= association.index < len(images):
        raise InputError(
            f"there are no images of instant {association.index}: the cameras have instants 0 to {len(images) - 1}"
        )
    return images[association.index].images


def file_names(views: Sequence[View]) -> list[str]:
    """A name for a file of each view, no two the same.

    Example:
        >>> from selfmva.core.types import View
        >>> file_names([View("hall/left", 9, 9), View("hall left", 9, 9), View("door", 9, 9)])
        ['0_hall_left', '1_hall_left', 'door']
    """
    names = [re.sub(r"[^\w.-]+|^\.", "_", view.name) for view in views]
    lowered = [name.lower() for name in names]  # some file systems don't tell capitals apart
    return [f"{k}_{name}" if lowered.count(name.lower()) > 1 else name for k, name in enumerate(names)]


def _checked(associations: Iterable[Identified], rate: float, blur: Part | None) -> Iterator[Identified]:
    """The instants; what is wrong beside them is found before the first one."""
    if blur is not None:
        check_part(blur)
    real(rate, "rate", above=0)
    return each_association(associations)


def _draw_views(association: Identified, images: Sequence[Image | None] | None, blur: Part | None) -> Iterator[Image]:
    ids = association.ids
    alone = seen_once(ids)
    for number, view in enumerate(association.views):
        if max(view.width, view.height) > LARGEST_PICTURE:
            raise InputError(
                f"view {view.name!r} has {view.width} x {view.height} pixels, a video at most {LARGEST_PICTURE} across "
                "or down: write_mosaic_video() writes smaller ones"
            )
        boxes, image = association.frame.boxes[number], None if images is None else images[number]
        canvas = backdrop(image, (view.width, view.height), boxes, blur, absent=images is not None)
        yield draw_boxes(canvas, boxes, ids[number], alone=alone)


def _size(image: Image) -> tuple[int, int]:
    return image.shape[1], image.shape[0]
