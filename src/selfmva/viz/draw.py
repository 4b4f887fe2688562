"""Draw boxes and who is who, as pure functions on uint8 RGB images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import stream
from selfmva.core.frame_columns import validate_boxes
from selfmva.core.images import as_rgb
from selfmva.core.scalars import integer, real
from selfmva.core.values import integer_array
from selfmva.errors import InputError
from selfmva.io.video.images import write_image
from selfmva.viz.tiles import lay_tiles, paste

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.images import Image
    from selfmva.core.types import IntArray

    Colour = tuple[int, int, int]

# Okabe and Ito (2008): colours that colour-blind readers tell apart; their black would not show on dark images.
OKABE_ITO = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
SHADES = ((255, 0.0), (255, 0.5), (0, 0.3))  # as they are, half way to white, a third of the way to black
COLOURS = len(OKABE_ITO) * len(SHADES)
MOST_COLOURS = 10**6  # that are asked for at once
LARGEST_SCALE = 100.0
SUITED_WIDTH = 800  # pixels, of an image that a scale of 1 suits
SMALLEST_SCALE = 0.8  # below that, digits cannot be read
GREY = (150, 150, 150)
CANVAS = (30, 33, 38)
GRID_LINE = (40, 44, 50)
INK = (228, 230, 234)
FILL_OPACITY = 0.12
LETTERS = 0.7  # times the scale: the size of a font that suits it


def palette(count: int) -> Image:
    """Colours that stay apart for colour-blind readers: Okabe and Ito's, then lighter, then darker ones.

    Args:
        count: How many; from the 22nd on they repeat.

    Returns:
        `(count, 3)` uint8 RGB.

    Example:
        >>> palette(2).tolist()
        [[230, 159, 0], [86, 180, 233]]
    """
    base = np.array(OKABE_ITO, dtype=np.float64)
    shades = np.concatenate([base + fraction * (end - base) for end, fraction in SHADES]).round().astype(np.uint8)
    return shades[np.arange(integer(count, "count", least=0, most=MOST_COLOURS)) % COLOURS]


def draw_boxes(
    image: Image, boxes: ArrayLike, ids: ArrayLike, *, alone: Sequence[int] = (), scale: float | None = None
) -> Image:
    """Draw boxes and their ids on a copy of an image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        boxes: `(N, 4)` xyxy in pixels.
        ids: `(N,)` whole numbers; an id has the same colour in every image. Below 0 = grey, without a number.
        alone: Ids drawn thin and grey, because no other view has them.
        scale: Size of lines and text; 1 suits an image 800 pixels wide. None: what suits this image.

    Returns:
        `(H, W, 3)` uint8 RGB.

    Raises:
        InputError: The image, the boxes, the ids or the scale have a wrong shape, type or range.

    Example:
        >>> drawn = draw_boxes(np.zeros((90, 160, 3), np.uint8), [[20, 20, 60, 80]], [4])
        >>> drawn[50, 20].tolist() == palette(5)[4].tolist()
        True
    """
    import cv2

    canvas = as_rgb(image).copy()
    scale = scale_of(canvas.shape[1]) if scale is None else real(scale, "scale", above=0, most=LARGEST_SCALE)
    alone = integer_array(alone, "alone").tolist()
    corners = validate_boxes(boxes)
    numbers = checked_ids(ids, len(corners))
    grey = np.isin(numbers, alone) | (numbers < 0)
    order = np.lexsort((corners[:, 3], ~grey))  # matched ones over the grey, near ones over far ones
    limit = np.array(canvas.shape[1::-1] * 2) - 1
    pixels = np.clip(corners[order].round(), 0, limit).astype(int).tolist()
    colours = [GREY if grey[row] else colour_of(int(numbers[row])) for row in order]

    filled = canvas.copy()
    for (x1, y1, x2, y2), colour in zip(pixels, colours, strict=True):
        cv2.rectangle(filled, (x1, y1), (x2, y2), colour, cv2.FILLED)
    canvas = blend(canvas, filled, FILL_OPACITY)
    for (x1, y1, x2, y2), colour in zip(pixels, colours, strict=True):
        thickness = max(1, round((1 if colour == GREY else 2) * scale))
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, thickness)
    for (x1, y1, _, _), colour, number in zip(pixels, colours, numbers[order].tolist(), strict=True):
        if number >= 0:
            write_id(canvas, str(number), (x1, y1), colour, scale)
    return canvas


def mosaic(images: Sequence[Image], *, width: int = 1600, columns: int | None = None) -> Image:
    """Lay images side by side, each as large as its tile allows.

    Args:
        images: `(H, W, 3)` uint8 RGB each; sizes may differ.
        width: Width of the result in pixels.
        columns: Tiles in a row; chosen nearly square where None.

    Returns:
        `(H, width, 3)` uint8 RGB.

    Raises:
        InputError: There is no image, a wrong one, or no room for a tile.

    Example:
        >>> mosaic([np.zeros((720, 1280, 3), np.uint8)] * 4, width=824).shape
        (474, 824, 3)
    """
    checked = [as_rgb(image) for image in stream(images, "images", "image")]
    sizes = [(image.shape[1], image.shape[0]) for image in checked]
    return paste(checked, lay_tiles(sizes, width, columns), width)


def save_image(path: str | os.PathLike[str], image: Image) -> None:
    """Write an image; a reader never sees half of it.

    Args:
        path: File to write; its ending (.png, .jpg, ...) chooses the format.
        image: `(H, W, 3)` uint8 RGB.

    Raises:
        InputError: The image is wrong, or the path is none.
        DataError: The ending is unknown, the folder does not exist, or the disk refuses.

    Example:
        >>> save_image("picture.unknown", np.zeros((8, 8, 3), np.uint8))
        Traceback (most recent call last):
            ...
        selfmva.errors.DataError: cannot write picture.unknown: no image format ends in '.unknown'; use .png or .jpg
    """
    write_image(path, image)


def scale_of(width: float) -> float:
    """Size of lines and text that suits an image of a width in pixels: it grows with it, and a small one can be read.

    Example:
        >>> scale_of(1920), scale_of(360)
        (2.4, 0.8)
    """
    return max(SMALLEST_SCALE, width / SUITED_WIDTH)


def blend(below: Image, above: Image, opacity: float) -> Image:
    """Lay one image over another, translucently: `(H, W, 3)` uint8 RGB."""
    blended = opacity * above.astype(np.float32) + (1 - opacity) * below.astype(np.float32)
    return blended.round().astype(np.uint8)


def write(canvas: Image, text: str, origin: tuple[int, int], scale: float) -> Image:
    """Write on a canvas, with a dark rim that any image lets show.

    Args:
        canvas: `(H, W, 3)` uint8 RGB, changed.
        text: ASCII.
        origin: Lower left corner of the text, x and y in pixels.
        scale: 1 gives letters about 15 pixels high.

    Returns:
        The canvas.
    """
    import cv2

    for colour, thickness in ((CANVAS, round(4 * scale) + 1), (INK, max(1, round(scale)))):
        cv2.putText(canvas, text, origin, cv2.FONT_HERSHEY_SIMPLEX, LETTERS * scale, colour, thickness, cv2.LINE_AA)
    return canvas


def checked_ids(ids: ArrayLike, count: int) -> IntArray:
    """Check ids of boxes: `(count,)` int64.

    Raises:
        InputError: They are not whole numbers, or not as many as boxes.
    """
    numbers = integer_array(ids, "ids").reshape(-1)
    if len(numbers) != count:
        raise InputError(f"ids must be one whole number per box, got {numbers.tolist()} for {count} boxes")
    return numbers


def colour_of(number: int) -> Colour:
    """The colour of an id, the same in every picture."""
    red, green, blue = palette(COLOURS)[number % COLOURS].tolist()
    return red, green, blue


def write_id(canvas: Image, text: str, corner: tuple[int, int], colour: Colour, scale: float) -> None:
    """Write an id on a plate of its colour, above the corner or, at the image's border, below it."""
    import cv2

    font, size, thickness = cv2.FONT_HERSHEY_SIMPLEX, 0.5 * scale, max(1, round(scale))
    (width, height), _ = cv2.getTextSize(text, font, size, thickness)
    margin = max(2, round(3 * scale))
    tall, wide = height + 2 * margin, width + 2 * margin
    x = max(0, min(corner[0], canvas.shape[1] - wide))
    y = corner[1] if corner[1] >= tall else corner[1] + tall
    bright = np.dot(colour, (0.299, 0.587, 0.114)) > 110
    cv2.rectangle(canvas, (x, y - tall), (x + wide, y), colour, cv2.FILLED)
    ink = (0, 0, 0) if bright else (255, 255, 255)
    cv2.putText(canvas, text, (x + margin, y - margin), font, size, ink, thickness, cv2.LINE_AA)
