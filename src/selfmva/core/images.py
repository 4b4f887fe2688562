"""Images that a user gives: everything becomes `(H, W, 3)` uint8 RGB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]


def as_rgb(image: Any) -> Image:
    """Check an image that a user gives and turn it into RGB.

    Args:
        image: uint8 of shape `(H, W)` or `(H, W, 1)` grey, `(H, W, 3)` RGB or `(H, W, 4)` RGBA, whose transparency is
            left out.

    Returns:
        `(H, W, 3)` uint8 RGB in one piece; the array itself where it is that already.

    Raises:
        InputError: Another type or shape, or no pixels.

    Example:
        >>> as_rgb(np.full((2, 3), 7, np.uint8)).shape
        (2, 3, 3)
        >>> as_rgb(np.zeros((2, 3, 3)))
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: an image must be uint8, got float64; convert values in [0, 1] with
        (image * 255).round().astype(np.uint8)
    """
    expected = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
    if not isinstance(image, np.ndarray):
        raise InputError(f"an image must be a numpy array {expected} of uint8, got {type(image).__name__}")
    if np.issubdtype(image.dtype, np.floating):
        raise InputError(
            f"an image must be uint8, got {image.dtype}; convert values in [0, 1] with "
            "(image * 255).round().astype(np.uint8)"
        )
    if image.dtype != np.uint8:
        raise InputError(
            f"an image must be uint8, values 0 to 255, got {image.dtype}; scale its values to that range first"
        )
    pixels = image[:, :, None] if image.ndim == 2 else image
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3, 4}:
        raise InputError(f"an image must have the shape {expected}, channels last, got {image.shape}")
    if not pixels.size:
        raise InputError(f"an image needs pixels, got shape {image.shape}")
    if pixels.shape[2] != 3:
        pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[:, :, :3]
    return np.ascontiguousarray(pixels)
