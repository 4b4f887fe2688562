"""Draw all views of one instant as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.bad_box_frames import without_bad_boxes
from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.types import Frame, View
from selfmva.errors import InputError
from selfmva.viz.blur import blur_people, check_part
from selfmva.viz.draw import CANVAS, GRID_LINE, INK, blend, checked_ids, colour_of, draw_boxes, scale_of, write
from selfmva.viz.tiles import lay_tiles, paste, resized

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.viz.blur import Part
    from selfmva.viz.tiles import Tiles

LINE_OPACITY = 0.4
NO_IMAGE = "no image"


def draw_association(
    frame: Frame,
    ids: Sequence[ArrayLike],
    views: Sequence[View],
    images: Sequence[Image | None] | None = None,
    *,
    width: int = 1600,
    blur: Part | None = None,
    crossed: Sequence[ArrayLike] | None = None,
) -> Image:
    """Draw all views of an instant as one picture, the same person in the same colour.

    Args:
        frame: Boxes of V views.
        ids: One `(N,)` array of whole numbers per view, as in `Association.ids`; below 0 = nobody known.
        views: The V cameras.
        images: What each camera saw, `(H, W, 3)` uint8 RGB, None where it gave no image. By default those that the
            frame carries; a dark canvas with a faint grid where it carries none.
        width: Width of the picture in pixels.
        blur: `"faces"` or `"people"`, see `blur_people`.
        crossed: Boxes to strike out, such as wrong matches: one `(N,)` bool array per view.

    Returns:
        `(H, width, 3)` uint8 RGB. A person whom one view alone shows is grey; faint lines join a person's boxes
        in tiles that share a side.

    Raises:
        InputError: The numbers of views, boxes and ids do not fit together, or an image is wrong.

    Example:
        >>> from selfmva.core.types import Frame, View
        >>> frame = Frame([[[10, 10, 40, 90]], [[50, 20, 70, 95]]])
        >>> draw_association(frame, [[0], [0]], [View("a", 160, 100), View("b", 160, 100)], width=424).shape
        (141, 424, 3)
    """
    if blur is not None:
        check_part(blur)
    _check_kinds(frame, views, ids=ids, images=images, crossed=crossed)
    if frame.bad is not None and len(frame) == len(ids):
        kept = [~bad for bad in frame.bad]  # the others are nowhere
        ids = [np.asarray(own)[rows] for own, rows in zip(ids, kept, strict=True)]
        crossed = None if crossed is None else [np.asarray(c)[rows] for c, rows in zip(crossed, kept, strict=True)]
        frame = without_bad_boxes(frame)
    given = frame.images if images is None else images
    pictures: Sequence[Image | None] = [None] * len(views) if given is None else given
    struck = [np.zeros(count, bool) for count in frame.counts] if crossed is None else crossed
    if not len(frame) == len(ids) == len(views) == len(pictures) == len(struck):
        raise InputError(
            f"a picture needs boxes, ids, views, images and crosses of the same cameras, got {len(frame)}, {len(ids)}, "
            f"{len(views)}, {len(pictures)} and {len(struck)}"
        )
    numbers = [checked_ids(i, count) for i, count in zip(ids, frame.counts, strict=True)]
    tiles = lay_tiles([(view.width, view.height) for view in views], width)
    boxes = [b * factor for b, factor in zip(frame.boxes, tiles.factors, strict=True)]
    alone = seen_once(numbers)
    scale = scale_of(tiles.cell[0])
    panels = []
    for tile, (view, image) in enumerate(zip(views, pictures, strict=True)):
        canvas = backdrop(image, tiles.sizes[tile], boxes[tile], blur, absent=given is not None)
        canvas = _with_crosses(canvas, boxes[tile], struck[tile], scale)
        panel = draw_boxes(canvas, boxes[tile], numbers[tile], alone=alone, scale=scale)
        panels.append(_write_name(panel, view.name, scale))
    return _join(paste(panels, tiles, width), boxes, numbers, tiles)


def _check_kinds(frame: object, views: object, **one_a_view: object) -> None:
    if not isinstance(frame, Frame):
        raise InputError(f"a picture is drawn of a Frame, got {shown(frame)}")
    for name, values in {"views": views, **one_a_view}.items():
        if values is not None or name not in {"images", "crossed"}:
            entries(values, name, "one entry per view")
    if not isinstance(views, Sequence) or not all(isinstance(view, View) for view in views):
        raise InputError(f"views must be a sequence of selfmva.View, got {shown(views)}")


def backdrop(
    image: Image | None, size: tuple[int, int], boxes: ArrayLike, blur: Part | None, *, absent: bool = True
) -> Image:
    """What boxes are drawn on: the image at another size, or a dark canvas.

    Args:
        image: `(H, W, 3)` uint8 RGB, or None.
        size: Width and height of the result in pixels.
        boxes: `(N, 4)` xyxy in pixels of the result.
        blur: What to blur of the people in them.
        absent: Whether to say of a missing image that it is missing.

    Returns:
        `(height, width, 3)` uint8 RGB.
    """
    if image is not None:
        fitted = resized(as_rgb(image), size)
        return fitted if blur is None else blur_people(fitted, boxes, blur)
    canvas = np.full((size[1], size[0], 3), CANVAS, dtype=np.uint8)
    step = max(size[0] // 16, 8)
    canvas[::step] = GRID_LINE
    canvas[:, ::step] = GRID_LINE
    scale = scale_of(size[0])
    middle = (round(size[0] / 2 - 52 * scale), size[1] // 2)
    return write(canvas, NO_IMAGE, middle, scale) if absent else canvas


def seen_once(numbers: Sequence[IntArray]) -> list[int]:
    """The people whom one view alone shows."""
    people, views = np.unique(np.concatenate([np.unique(n) for n in numbers]), return_counts=True)
    return [int(person) for person in people[views == 1]]


def _join(picture: Image, boxes: Sequence[FloatArray], numbers: Sequence[IntArray], tiles: Tiles) -> Image:
    """Join the boxes of a person in tiles that share a side; all lines at once would be a web."""
    import cv2

    lines = picture.copy()
    middles = [
        ((b[:, :2] + b[:, 2:]) / 2 + corner).round().astype(int) for b, corner in zip(boxes, tiles.corners, strict=True)
    ]
    thickness = max(1, round(scale_of(tiles.cell[0])))
    for one, other in tiles.neighbours():
        shared, rows, columns = np.intersect1d(numbers[one], numbers[other], return_indices=True)
        starts, ends = middles[one][rows].tolist(), middles[other][columns].tolist()
        for number, start, end in zip(shared.tolist(), starts, ends, strict=True):
            if number >= 0:
                cv2.line(lines, start, end, colour_of(number), thickness, cv2.LINE_AA)
    return blend(picture, lines, LINE_OPACITY)


def _with_crosses(canvas: Image, boxes: FloatArray, struck: ArrayLike, scale: float) -> Image:
    """A copy with a cross in some boxes, with a dark rim that any image lets show."""
    import cv2

    chosen = np.asarray(struck).reshape(-1)
    if len(chosen) != len(boxes) or (len(boxes) and chosen.dtype != np.bool_):
        raise InputError(f"crosses must be one bool per box, got {shown(struck)} for {len(boxes)} boxes")
    crossed = canvas.copy()
    corners = boxes[chosen.astype(bool)].round().astype(np.int32)
    diagonals = [*corners.reshape(-1, 2, 2), *corners[:, [0, 3, 2, 1]].reshape(-1, 2, 2)]
    for colour, thickness in ((CANVAS, round(4 * scale) + 1), (INK, max(1, round(1.5 * scale)))):
        cv2.polylines(crossed, diagonals, False, colour, thickness, cv2.LINE_AA)
    return crossed


def _write_name(panel: Image, name: str, scale: float) -> Image:
    """Write the name of a view into the lower left corner."""
    return write(panel, name, (round(12 * scale), panel.shape[0] - round(14 * scale)), scale)
