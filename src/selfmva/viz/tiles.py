"""Lay images side by side as the tiles of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.scalars import integer
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.images import Image

BACKGROUND = (14, 15, 18)
GAP = 8  # pixels between tiles
SMALLEST_TILE = 16  # pixels, width of a tile
LARGEST_PICTURE = 8192  # pixels, width or height: 200 MB, and several times as much while it is drawn


@dataclass(frozen=True)
class Tiles:
    """Where each image lies in a mosaic. Sides and corners in pixels, (x, y).

    Args:
        columns: Tiles in a row.
        cell: Room for one tile.
        sizes: Size of each image in the mosaic, fitted into its cell.
        corners: Upper left corner of each.
        factors: From pixels of an image to pixels of the mosaic.
    """

    columns: int
    cell: tuple[int, int]
    sizes: tuple[tuple[int, int], ...]
    corners: tuple[tuple[int, int], ...]
    factors: tuple[float, ...]

    def neighbours(self) -> list[tuple[int, int]]:
        """Pairs of tiles that share a side."""
        count = len(self.sizes)
        right = [(tile, tile + 1) for tile in range(count - 1) if (tile + 1) % self.columns]
        below = [(tile, tile + self.columns) for tile in range(count - self.columns)]
        return right + below


def lay_tiles(sizes: Sequence[tuple[int, int]], width: int, columns: int | None = None) -> Tiles:
    """Find room for images of several sizes.

    Args:
        sizes: Width and height of each image.
        width: Width of the mosaic in pixels.
        columns: Tiles in a row; None: as many as down, or more where images are upright.

    Returns:
        The layout.

    Raises:
        InputError: There is no image, no room for a tile, or the mosaic is too large.

    Example:
        >>> lay_tiles([(1280, 720)] * 3, 824, 2).corners
        ((8, 8), (416, 8), (8, 241))
    """
    if not sizes:
        raise InputError("a mosaic needs at least one image, got none")
    width = integer(width, "the width of a picture in pixels", least=1, most=LARGEST_PICTURE)
    if columns is not None:
        columns = integer(columns, "columns")
    ratios = [height / width for width, height in sizes]
    # A cell suits most images; a few upright ones among flat ones share the height of a square.
    shape = min(max(1.0, median(ratios)), max(ratios))
    across = _columns(len(sizes), shape) if columns is None else min(columns, len(sizes))
    if across < 1 or (width - GAP * (across + 1)) // across < SMALLEST_TILE:
        raise InputError(
            f"a mosaic {width} pixels wide has no room for {across} columns of {SMALLEST_TILE} pixels or more; "
            "change width or columns"
        )
    cell_width = (width - GAP * (across + 1)) // across
    cell_height = max(1, round(min(cell_width * shape, width)))
    factors = tuple(min(cell_width / w, cell_height / h) for w, h in sizes)
    fitted = tuple((max(1, round(w * f)), max(1, round(h * f))) for (w, h), f in zip(sizes, factors, strict=True))
    corners = tuple(
        (
            GAP + tile % across * (cell_width + GAP) + (cell_width - w) // 2,
            GAP + tile // across * (cell_height + GAP) + (cell_height - h) // 2,
        )
        for tile, (w, h) in enumerate(fitted)
    )
    return Tiles(across, (cell_width, cell_height), fitted, corners, factors)


def _columns(count: int, shape: float) -> int:
    """Tiles in a row: as many as down, or more until the mosaic is no higher than wide."""
    nearly_square = ceil(sqrt(count))
    fitting = (columns for columns in range(nearly_square, count) if ceil(count / columns) * shape <= columns)
    return next(fitting, count)


def paste(images: Sequence[Image], tiles: Tiles, width: int) -> Image:
    """Copy images into their tiles: `(H, width, 3)` uint8 RGB."""
    rows = -(-len(images) // tiles.columns)
    picture = np.full((GAP + rows * (tiles.cell[1] + GAP), width, 3), BACKGROUND, dtype=np.uint8)
    for image, (w, h), (x, y) in zip(images, tiles.sizes, tiles.corners, strict=True):
        picture[y : y + h, x : x + w] = resized(image, (w, h))
    return picture


def resized(image: Image, size: tuple[int, int]) -> Image:
    """The image at another width and height; itself where they are the same."""
    import cv2

    if image.shape[1::-1] == size:
        return image
    method = cv2.INTER_AREA if size[0] < image.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)
