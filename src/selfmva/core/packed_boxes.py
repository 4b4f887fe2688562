"""A recording as flat arrays: what training and calibration read, without identities."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import Frame, IntArray


ORDER_INSTANTS = 4000  # that decide the order of the views; cameras that differ do so sooner


@dataclass(frozen=True, eq=False)
class PackedBoxes:
    """All boxes of a recording, instant by instant and view by view.

    Attributes:
        boxes: `(M, 4)` float32 xyxy in pixels.
        view: `(M,)` int64, the view of each box.
        start: `(T, V)` int64, the first row of each instant and view.
        count: `(T, V)` int64, the number of boxes of each instant and view.
        features: `(M, D)` float32, what the boxes look like, of length 1; NaN where it is not known. None where no
            frame has any.
        keypoints: `(M, K, 3)` float32 joints: x, y in pixels, score; NaN where not seen. None where no frame has any.
    """

    boxes: NDArray[np.float32]
    view: IntArray
    start: IntArray
    count: IntArray
    features: NDArray[np.float32] | None = None
    keypoints: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.count)

    @property
    def views(self) -> int:
        """Number of views."""
        return int(self.count.shape[1])

    def rows(self, instant: int, view: int) -> slice:
        """Rows of the boxes of one view at one instant."""
        first = int(self.start[instant, view])
        return slice(first, first + int(self.count[instant, view]))


def pack(frames: Sequence[Frame], views: int, *, features: bool = True) -> PackedBoxes:
    """Flatten frames. Boxes of an image are sorted, so that their order in the frame changes nothing.

    Args:
        frames: T frames of `views` views, in the order of time.
        views: Number of views.
        features: Whether features and keypoints are packed, too.

    Returns:
        The packed boxes.

    Example:
        >>> from selfmva.core.types import Frame
        >>> packed = pack([Frame([[[0, 0, 1, 2]], []]), Frame([[], [[5, 5, 6, 7]]])], views=2)
        >>> packed.count.tolist(), packed.view.tolist()
        ([[1, 0], [0, 1]], [0, 1])
    """
    count = np.array([frame.counts for frame in frames], dtype=np.int64).reshape(-1, views)
    flat = [boxes for frame in frames for boxes in frame.boxes]
    boxes = np.concatenate(flat).astype(np.float32) if flat else np.zeros((0, 4), np.float32)
    image = np.repeat(np.arange(count.size), count.reshape(-1))
    sort = _order(boxes, image)
    end = np.cumsum(count.reshape(-1)).reshape(count.shape)
    described = stack_features(frames) if features else None
    joints = stack_keypoints(frames) if features else None
    return PackedBoxes(
        boxes[sort],
        image % views,
        end - count,
        count,
        None if described is None else unit_length(described[sort]),
        None if joints is None else joints[sort].astype(np.float32),
    )


def _order(boxes: NDArray[np.float32], image: IntArray) -> IntArray:
    """`(M,)` rows by image, and within an image by their four numbers, the last first."""
    sort = np.lexsort((boxes[:, 3], image))
    # Few boxes of an image end in one row: what takes several times as long is done for their images alone.
    alike = (np.diff(image[sort]) == 0) & (np.diff(boxes[sort, 3]) == 0)
    rows = np.flatnonzero(np.isin(image, image[sort[1:][alike]]))
    sort[rows] = rows[np.lexsort((*boxes[rows].T, image[rows]))]
    return sort


def stack_features(frames: Sequence[Frame]) -> NDArray[np.float32] | None:
    """`(M, D)` features of all boxes, frame after frame and view after view; NaN in frames without, None if all are.

    Raises:
        InputError: Not all are as long.
    """
    width = feature_length(frames)
    if width is None:
        return None
    parts = [
        frame.features[view] if frame.features and len(frame.features[view]) else np.full((n, width), np.nan, "f4")
        for frame in frames
        for view, n in enumerate(frame.counts)
    ]
    return np.concatenate(parts)


def feature_length(frames: Sequence[Frame]) -> int | None:
    """How many numbers a feature has; None where no frame has any.

    Raises:
        InputError: Not all have as many.

    Example:
        >>> from selfmva.core.types import Frame
        >>> feature_length([Frame([[[0, 0, 9, 9]]], features=[[[1.0, 2.0]]]), Frame([[]])])
        2
    """
    lengths = {part.shape[1] for frame in frames if frame.features for part in frame.features if len(part)}
    if len(lengths) > 1:
        raise InputError(f"features of all frames must be as long, got {sorted(lengths)} numbers; use one encoder")
    return lengths.pop() if lengths else None


def stack_keypoints(frames: Sequence[Frame]) -> NDArray[np.float64] | None:
    """`(M, K, 3)` joints of all boxes, frame after frame and view after view; NaN in frames without, None if all are.

    Raises:
        InputError: Not all have as many joints.
    """
    joints = joint_count(frames)
    if joints is None:
        return None
    parts = [
        frame.keypoints[view] if frame.keypoints and len(frame.keypoints[view]) else np.full((n, joints, 3), np.nan)
        for frame in frames
        for view, n in enumerate(frame.counts)
    ]
    return np.concatenate(parts)


def joint_count(frames: Sequence[Frame]) -> int | None:
    """How many joints a body has; None where no frame has keypoints.

    Raises:
        InputError: Not all have as many.

    Example:
        >>> from selfmva.core.types import Frame
        >>> joint_count([Frame(keypoints=[[[[1, 2, 0.5], [3, 4, 0.5]]]]), Frame([[]])])
        2
    """
    counts = {part.shape[1] for frame in frames if frame.keypoints for part in frame.keypoints if len(part)}
    if len(counts) > 1:
        raise InputError(f"keypoints of all frames must have as many joints, got {sorted(counts)}; use one skeleton")
    return counts.pop() if counts else None


def unit_length(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors `(M, D)` scaled to length 1; a vector without a direction becomes NaN.

    Example:
        >>> unit_length(np.array([[3, 4], [0, 0]], np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929], [nan, nan]]
    """
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(np.divide(features, length, out=np.full_like(features, np.nan), where=length > 0))


def gather(recording: PackedBoxes, instants: IntArray) -> PackedBoxes:
    """The boxes of some instants of a recording.

    Args:
        recording: T instants.
        instants: `(B,)` int64 numbers of instants.

    Returns:
        A recording of these B instants, in their order.
    """
    count = recording.count[instants]
    start = np.cumsum(count.reshape(-1)).reshape(count.shape) - count
    offset = np.repeat((recording.start[instants] - start).reshape(-1), count.reshape(-1))
    rows = np.arange(len(offset)) + offset
    features = None if recording.features is None else recording.features[rows]
    keypoints = None if recording.keypoints is None else recording.keypoints[rows]
    return PackedBoxes(recording.boxes[rows], recording.view[rows], start, count, features, keypoints)


def jitter(recording: PackedBoxes, amount: float, rng: np.random.Generator) -> PackedBoxes:
    """Boxes as another detector may have drawn them: corners moved by a fraction of the box's size.

    Args:
        recording: Any recording.
        amount: Standard deviation as a fraction of the box's width and height.
        rng: Source of the noise.

    Returns:
        The recording with moved corners.
    """
    if amount == 0:
        return recording
    boxes = recording.boxes
    noise = rng.standard_normal(boxes.shape, dtype=np.float32)
    size = np.tile(boxes[:, 2:] - boxes[:, :2], (1, 2))
    return replace(recording, boxes=boxes + np.float32(amount) * size * noise)


def canonical_view_order(frames: Sequence[Frame], views: int) -> list[int]:
    """An order of the views that depends on what they saw alone, not on the order in which they came.

    All that is learnt is learnt in this order (`selfmva.association.recording`), so that listing the cameras
    differently changes nothing but their numbers.

    Args:
        frames: T frames of `views` views.
        views: Number of views.

    Returns:
        Numbers of the views; views that saw exactly the same keep their order. Of a long recording, a sample is read.
    """
    sample = [frames[t] for t in evenly_spaced(len(frames), ORDER_INSTANTS)]
    packed = pack(sample, views, features=False)
    keys = []
    for view in range(views):
        boxes = packed.boxes[packed.view == view]
        keys.append(hashlib.sha256(packed.count[:, view].tobytes() + boxes.tobytes()).digest())
    return sorted(range(views), key=keys.__getitem__)
