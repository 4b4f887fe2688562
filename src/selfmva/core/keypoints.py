"""Keypoints of people at the border: what a frame takes, and the boxes around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.skeletons import with_missing
from selfmva.core.values import real_array
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.view_checks import NamedImage

    FloatArray = NDArray[np.float64]

MOST_OUTSIDE, LEAST_SEEN = 0.5, 20  # fraction of so many joints that may lie outside of their images
HIGHEST_PEAK = 1.5  # of a score: peaks of heatmaps that were enlarged exceed 1 a little; COCO's flags are 2


def read_keypoints(values: Any, index: int) -> tuple[FloatArray, ...] | None:
    """Check one array of keypoints per view.

    Args:
        values: One `(N, K, 3)` array per view: x, y in pixels and a score in [0, 1] of K joints, as many in all views;
            missing joints have score 0 or are NaN. None or an empty list where a view shows nobody.
        index: Number of the instant, for the error message.

    Returns:
        One `(N, K, 3)` float64 array per view, read-only; missing joints are NaN with score 0.

    Raises:
        InputError: No such arrays, joints at infinity, or scores that are none.

    Example:
        >>> person = [[10, 20, 0.9], [0, 0, 0]]
        >>> read_keypoints([[person], []], 0)[0].tolist()
        [[[10.0, 20.0, 0.9], [nan, nan, 0.0]]]
    """
    if values is None:
        return None
    given = entries(values, f"instant {index}: keypoints", "one (N, K, 3) array of keypoints per view")
    arrays = [
        real_array([] if array is None else array, f"instant {index}, view {view}: keypoints")
        for view, array in enumerate(given)
    ]
    joints = next((array.shape[1] for array in arrays if array.ndim == 3), 0)
    return tuple(_read_view(array, joints, f"instant {index}, view {view}") for view, array in enumerate(arrays))


def boxes_of_keypoints(keypoints: FloatArray) -> FloatArray:
    """Boxes around the joints that are seen.

    Args:
        keypoints: `(N, K, 3)`, missing joints NaN.

    Returns:
        `(N, 4)` xyxy in pixels; all NaN, a placeholder for nobody, where fewer than two joints are seen or all of them
        lie on a line along an image side.

    Example:
        >>> boxes_of_keypoints(np.array([[[10.0, 20, 1], [30, 50, 1], [np.nan, np.nan, 0]]])).tolist()
        [[10.0, 20.0, 30.0, 50.0]]
    """
    if not keypoints.size:
        return np.full((len(keypoints), 4), np.nan)
    seen = np.isfinite(keypoints[..., :2])
    low = np.where(seen, keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(seen, keypoints[..., :2], -np.inf).max(axis=1)
    return np.where((high > low).all(axis=1, keepdims=True), np.hstack([low, high]), np.nan)


def keypoints_inside(
    keypoints: Sequence[FloatArray], views: Sequence[NamedImage], index: int, *, raising: bool
) -> tuple[FloatArray, ...] | None:
    """Joints outside of their images are missing: no camera saw them.

    Args:
        keypoints: `(N, K, 3)` per view.
        views: Whose images these are.
        index: Number of the instant, for the error message.
        raising: Whether such a joint is an error.

    Returns:
        The same without them; None where all are inside.

    Raises:
        InputError: A joint is outside and must not be, or most are: they are of images of another size.
    """
    outside = [
        np.asarray(((part[..., :2] < 0) | (part[..., :2] > (view.width, view.height))).any(axis=-1))
        for part, view in zip(keypoints, views, strict=True)
    ]
    seen = sum(int(np.isfinite(part[..., 0]).sum()) for part in keypoints)
    lost = sum(int(part.sum()) for part in outside)
    if not lost:
        return None
    number = next(view for view, part in enumerate(outside) if part.any())
    row, joint = np.argwhere(outside[number])[0]
    where = f"instant {index}, view {number} ({views[number].name!r}), row {row}, joint {joint}"
    x, y = keypoints[number][row, joint, :2]
    size = f"the image of {views[number].width} x {views[number].height} pixels"
    if lost > MOST_OUTSIDE * seen and seen >= LEAST_SEEN:
        raise InputError(
            f"{lost} of {seen} joints lie outside of their images, the first: {where} at ({x:.0f}, {y:.0f}), {size}; "
            "keypoints are pixels of images of the size of their view"
        )
    if raising:
        raise InputError(f"{where}: ({x:.0f}, {y:.0f}) lies outside of {size}; give it score 0, or on_bad_box='drop'")
    return tuple(
        np.where(lost_ones[..., None], np.array([np.nan, np.nan, 0.0]), part)
        for part, lost_ones in zip(keypoints, outside, strict=True)
    )


def check_keypoints_fit(keypoints: Sequence[FloatArray], boxes: Sequence[FloatArray], index: int) -> None:
    """Check that there is one body for every box.

    Raises:
        InputError: Another number of views, or of bodies in a view.
    """
    if len(keypoints) != len(boxes):
        raise InputError(f"instant {index}: keypoints have {len(keypoints)} views, boxes have {len(boxes)}")
    for view, (bodies, box) in enumerate(zip(keypoints, boxes, strict=True)):
        if len(bodies) != len(box):
            raise InputError(
                f"instant {index}, view {view}: keypoints must have one body per box, got {len(bodies)} for "
                f"{len(box)} boxes; give boxes=None to have them made of the keypoints"
            )


def _read_view(array: FloatArray, joints: int, where: str) -> FloatArray:
    if array.size == 0:
        array = array.reshape(0, joints, 3)
    if array.ndim != 3 or array.shape[2] != 3:
        raise InputError(
            f"{where}: keypoints must have shape (N, K, 3), columns x, y in pixels and score, got shape {array.shape}"
        )
    if array.shape[1] != joints:
        raise InputError(f"{where}: keypoints have {array.shape[1]} joints, those of other views have {joints}")
    if np.isinf(array).any():
        raise InputError(f"{where}: keypoints must be finite, or NaN where they are missing")
    scores = array[..., 2]
    wrong = (scores < 0) | (scores > HIGHEST_PEAK)
    if wrong.any():
        row, joint = np.argwhere(wrong)[0]
        raise InputError(
            f"{where}, row {row}, joint {joint}: scores of keypoints must be in [0, 1], got {scores[row, joint]:g}; "
            "flags of visibility (0, 1, 2) are no scores: give np.minimum(flag, 1)"
        )
    array = with_missing(array)
    array[..., 2] = np.minimum(array[..., 2], 1.0)
    array.flags.writeable = False
    return array
