"""The people in an image as small images of one size, all boxes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.frame_columns import validate_boxes
from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray

    Level = Any  # an image at one of its resolutions: an array, or a tensor on a device

SIZE = (256, 128)  # height and width that re-ID networks take
FORM = "bilinear, halved, 1"  # part of what is cached; changes with the pixels of the crops
LARGEST_SIDE = 32767  # pixels that OpenCV's maps in whole numbers reach
LINES = 4096  # of crops at once: their maps fit into the processor's cache, and OpenCV's threads have enough to share
FRACTIONS = 32  # parts of a pixel in those maps


def cut_crops(image: Image, boxes: ArrayLike, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Cut boxes out of an image and bring them to one size.

    Bilinear, pixel centre by pixel centre, as `torchvision.ops.roi_align(aligned=True, sampling_ratio=1)`, to 1/32 of a
    pixel. What sticks out of the image repeats its border. Boxes at least twice as large as a crop come from the image
    halved as often as that goes, so that fine patterns are averaged, not skipped.

    Args:
        image: `(H, W, 3)` uint8 RGB, grey or RGBA (see `selfmva.io.as_rgb`); it is not changed. Sides below 32768.
        boxes: `(N, 4)` xyxy in pixels of the image; N may be 0.
        size: Height and width of a crop in pixels; below 32768.

    Returns:
        `(N, height, width, 3)` uint8 RGB, in the order of the boxes.

    Raises:
        InputError: The image or the boxes are wrong, or a side is out of range.

    Example:
        >>> image = np.arange(12, dtype=np.uint8).reshape(3, 4)
        >>> cut_crops(image, [[1, 0, 3, 2], [2.5, 1, 5.5, 4]], size=(2, 2))[..., 0].tolist()
        [[[1, 2], [5, 6]], [[8, 8], [11, 11]]]
    """
    pixels, checked = _checked(image, boxes, size)
    crops = np.empty((len(checked), *size, 3), np.uint8)
    piece = max(1, LINES // size[0])

    def sample(level: Image, rows: NDArray[np.int64], columns: FloatArray, lines: FloatArray) -> None:
        for start in range(0, len(rows), piece):
            part = slice(start, start + piece)
            crops[rows[part]] = _remap(level, columns[part], lines[part])

    _by_level(pixels, checked, size, _halved, sample)
    return crops


def crop_size(size: Any) -> tuple[int, int]:
    """Read the size of crops, height and width in pixels.

    Raises:
        InputError: It is not two whole numbers.

    Example:
        >>> crop_size([256, 128])
        (256, 128)
    """
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise InputError(f"the size of crops must be their height and width in pixels, got {shown(size)}")
    height, width = (integer(side, "a side of a crop in pixels") for side in size)
    return height, width


def cut_crops_on_device(
    image: Image, boxes: ArrayLike, size: tuple[int, int] = SIZE, *, device: str | torch.device = "cuda"
) -> torch.Tensor:
    """The same as `cut_crops`, computed and left on a device of torch, without its rounding to 1/32 of a pixel.

    Args:
        image: See `cut_crops`.
        boxes: See `cut_crops`.
        size: See `cut_crops`.
        device: Where to compute.

    Returns:
        `(N, height, width, 3)` uint8 RGB.

    Raises:
        InputError: See `cut_crops`.

    Example:
        >>> cut_crops_on_device(np.full((8, 4), 7, np.uint8), [[0, 0, 4, 8]], size=(1, 2), device="cpu").tolist()
        [[[[7, 7, 7], [7, 7, 7]]]]
    """
    import torch
    from torch.nn.functional import avg_pool2d

    pixels, checked = _checked(image, boxes, size)
    crops = torch.empty((len(checked), *size, 3), dtype=torch.uint8, device=device)
    whole = torch.tensor(pixels, device=device).permute(2, 0, 1)[None].float()

    def sample(level: torch.Tensor, rows: NDArray[np.int64], columns: FloatArray, lines: FloatArray) -> None:
        crops[torch.from_numpy(rows)] = _grid_sample(level, columns, lines)

    _by_level(whole, checked, size, lambda level: avg_pool2d(level, 2), sample)
    return crops


def _checked(image: Image, boxes: ArrayLike, size: tuple[int, int]) -> tuple[Image, FloatArray]:
    pixels = as_rgb(image)
    if not all(0 < side <= LARGEST_SIDE for side in (*crop_size(size), *pixels.shape[:2])):
        raise InputError(
            f"sides of images and crops must be 1 to {LARGEST_SIDE} pixels, got an image of {pixels.shape[:2]} and "
            f"crops of {size} (height, width)"
        )
    return pixels, validate_boxes(boxes)


def _by_level(
    level: Level,
    boxes: FloatArray,
    size: tuple[int, int],
    halve: Callable[[Level], Level],
    sample: Callable[[Level, NDArray[np.int64], FloatArray, FloatArray], None],
) -> None:
    """Call `sample` with each resolution that boxes come from, their numbers, and where their pixels lie in it."""
    columns, lines = _centres(boxes[:, 0], boxes[:, 2], size[1]), _centres(boxes[:, 1], boxes[:, 3], size[0])
    scales = np.minimum((boxes[:, 2] - boxes[:, 0]) / size[1], (boxes[:, 3] - boxes[:, 1]) / size[0])
    halvings = np.log2(np.maximum(scales, 1)).astype(np.int64)
    sides = level.shape[:2] if isinstance(level, np.ndarray) else level.shape[2:]
    halvings = np.minimum(halvings, int(np.log2(min(sides))))
    for number in range(halvings.max(initial=-1) + 1):
        level = halve(level) if number else level
        rows = np.flatnonzero(halvings == number)
        sample(level, rows, columns[rows] / 2**number, lines[rows] / 2**number)


def _centres(first: FloatArray, last: FloatArray, count: int) -> FloatArray:
    """`(N, count)`: the middles of `count` equal parts of each interval."""
    return first[:, None] + (last - first)[:, None] * ((np.arange(count) + 0.5) / count)


def _halved(image: Image) -> Image:
    """Each pixel the mean of 2 x 2; an odd line or column at the end is left out, so that the others stay in place."""
    import cv2

    height, width = image.shape[0] // 2, image.shape[1] // 2
    return np.asarray(
        cv2.resize(image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA), np.uint8
    )


def _remap(image: Image, columns: FloatArray, lines: FloatArray) -> NDArray[np.uint8]:
    """One call for all crops, one below the other. Maps in whole numbers are what OpenCV is fastest with."""
    import cv2

    def fixed(centres: FloatArray, side: int) -> NDArray[np.int32]:
        # The centre of pixel 0 lies at 0.5. Beyond the outer centres, the border repeats.
        return np.rint(np.clip(centres - 0.5, 0, side - 1) * FRACTIONS).astype(np.int32)

    x, y = fixed(columns, image.shape[1])[:, None, :], fixed(lines, image.shape[0])[:, :, None]
    count, height, width = len(columns), lines.shape[1], columns.shape[1]
    # x and y as two int16 side by side are one int32, which is written in half the time (bytes: the low one first).
    whole = (x // FRACTIONS + (y // FRACTIONS << 16)).astype("<i4", copy=False).view("<i2")
    part = (x % FRACTIONS).astype(np.uint16) + (y % FRACTIONS * FRACTIONS).astype(np.uint16)
    crops = cv2.remap(
        image,
        whole.reshape(count * height, width, 2),
        part.reshape(count * height, width),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crops, np.uint8).reshape(count, height, width, 3)


def _grid_sample(image: torch.Tensor, columns: FloatArray, lines: FloatArray) -> torch.Tensor:
    """The same for a `(1, 3, H, W)` float tensor."""
    import torch
    from torch.nn.functional import grid_sample

    def from_minus_one_to_one(centres: FloatArray, side: int) -> torch.Tensor:
        return torch.from_numpy(centres * 2 / side - 1).to(image)

    x, y = from_minus_one_to_one(columns, image.shape[3]), from_minus_one_to_one(lines, image.shape[2])
    count, height, width = len(columns), lines.shape[1], columns.shape[1]
    grid = torch.stack([x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1)
    pixels = grid_sample(image, grid.reshape(1, count * height, width, 2), padding_mode="border", align_corners=False)
    return pixels.reshape(3, count, height, width).permute(1, 2, 3, 0).round().to(torch.uint8)
