"""View and Frame: what every module speaks. Boxes are xyxy in pixels of their view.

The result type lives in `selfmva.association.association`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.images import as_rgb
from selfmva.core.view_checks import check_view_count, check_view_names
from selfmva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.images import Image

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class View:
    """One fixed camera: its name and the size of its images in pixels.

    Raises:
        InputError: The name is empty or a side is not a positive whole number.

    Example:
        >>> View("entrance", width=1920, height=1080)
        View(name='entrance', width=1920, height=1080)
    """

    name: str
    width: int
    height: int

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise InputError(f"a view needs a name that is not empty, got {self.name!r}")
        for side in ("width", "height"):
            value = getattr(self, side)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value <= 0:
                raise InputError(f"view {self.name!r}: {side} must be a positive whole number of pixels, got {value!r}")
            object.__setattr__(self, side, int(value))


def validate_boxes(boxes: ArrayLike | None, *, instant: int = 0, view: int = 0) -> FloatArray:
    """Check the boxes of one view at one instant and return them as an array.

    Args:
        boxes: `(N, 4)` xyxy in pixels; N may be 0; None stands for a view that is absent.
        instant: Number of the instant, for the error message.
        view: Number of the view, for the error message.

    Returns:
        `(N, 4)` float64, a read-only copy.

    Raises:
        InputError: Wrong shape, NaN or infinity, or x2 <= x1 or y2 <= y1.

    Example:
        >>> validate_boxes([[10, 20, 30, 80]])
        array([[10., 20., 30., 80.]])
        >>> validate_boxes([]).shape
        (0, 4)
    """
    where = f"instant {instant}, view {view}"
    try:
        array = np.array([] if boxes is None else boxes, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{where}: boxes must be numbers in an (N, 4) array of x1, y1, x2, y2, got {type(boxes).__name__} "
            f"that numpy cannot read ({error})"
        ) from error
    if array.size == 0:
        array = array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise InputError(
            f"{where}: boxes must have shape (N, 4), columns x1, y1, x2, y2 in pixels, got shape {array.shape}"
        )
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InputError(f"{where}, row {row}: box {array[row].tolist()} is not finite; drop it or repair it")
    ordered = (array[:, 2] > array[:, 0]) & (array[:, 3] > array[:, 1])
    if not ordered.all():
        row = int(np.argmin(ordered))
        raise InputError(
            f"{where}, row {row}: box {array[row].tolist()} needs x2 > x1 and y2 > y1; "
            "boxes are corners (x1, y1, x2, y2), not (x, y, width, height)"
        )
    array.flags.writeable = False
    return array


def _per_box(
    values: Sequence[Any] | None, boxes: tuple[FloatArray, ...], name: str, dtype: type, index: int
) -> tuple[NDArray[Any], ...] | None:
    """Check one value per box (scores, track ids) in every view."""
    if values is None:
        return None
    if len(values) != len(boxes):
        raise InputError(f"instant {index}: {name} has {len(values)} views, boxes have {len(boxes)}")
    columns: tuple[NDArray[Any], ...] = tuple(np.array([] if v is None else v, dtype=dtype).reshape(-1) for v in values)
    for view, (column, box) in enumerate(zip(columns, boxes, strict=True)):
        if len(column) != len(box):
            raise InputError(
                f"instant {index}, view {view}: {name} must have one entry per box, "
                f"got {len(column)} for {len(box)} boxes"
            )
        column.flags.writeable = False
    return columns


def _features(
    values: Sequence[Any] | None, boxes: tuple[FloatArray, ...], index: int
) -> tuple[NDArray[np.float32], ...] | None:
    """Check one vector per box in every view, all of one length."""
    if values is None:
        return None
    if len(values) != len(boxes):
        raise InputError(f"instant {index}: features have {len(values)} views, boxes have {len(boxes)}")
    given = [np.array([] if v is None else v, dtype=np.float32) for v in values]
    width = next((array.shape[1] for array in given if array.ndim == 2 and array.shape[0]), 0)
    arrays = tuple(array if array.size else np.zeros((0, width), np.float32) for array in given)
    for view, (array, box) in enumerate(zip(arrays, boxes, strict=True)):
        if array.shape != (len(box), width):
            raise InputError(
                f"instant {index}, view {view}: features must be (N, D), one row per box and as long in all views, "
                f"got shape {array.shape} for {len(box)} boxes, expected {(len(box), width)}"
            )
        array.flags.writeable = False
    return arrays


def _images(values: Sequence[Any] | None, views: int, index: int) -> tuple[Image | None, ...] | None:
    """Check one image, or None, per view."""
    if values is None:
        return None
    if len(values) != views:
        raise InputError(f"instant {index}: there are {len(values)} images for {views} views; None where one is absent")
    images = []
    for view, value in enumerate(values):
        try:
            images.append(None if value is None else as_rgb(value))
        except InputError as error:
            raise InputError(f"instant {index}, view {view}: {error}") from None
    return tuple(images)


def _names(values: Sequence[str] | None, views: int, index: int) -> tuple[str, ...] | None:
    """Check one name per view."""
    if values is None:
        return None
    given: object = values
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise InputError(f"instant {index}: view_names must be a sequence of names, got {given!r}")
    if len(given) != views:
        raise InputError(f"instant {index}: there are {len(given)} view_names for {views} views")
    return tuple(given)


FRAME_COLUMNS = (  # of a frame: one entry a view
    "boxes",
    "scores",
    "track_ids",
    "images",
    "features",
    "clock_offsets",
    "view_names",
)


@dataclass(frozen=True, eq=False)
class Frame:
    """The boxes of all views at one synchronized instant.

    Args:
        boxes: One `(N, 4)` array per view, xyxy in pixels; None or an empty list where a view shows nobody.
            Boxes may stick out of the image; they are clipped where they meet a `View` (see `clip_to_views`).
        index: Number of the instant in its recording.
        scores: Optional detector confidences in [0, 1], `(N,)` per view.
        track_ids: Optional ids of a tracker inside each view, `(N,)` int64 per view, -1 = no track.
        images: Optional images, one per view: `(H, W, 3)` uint8 RGB, grey or RGBA (see `selfmva.io.as_rgb`); None
            where a camera gave none.
        features: Optional appearance of the boxes, `(N, D)` float32 per view, such as the features of a re-ID model;
            boxes that look alike are near each other. NaN where it is not known.
        clock_offsets: Instants by which the views were moved to bring them in line, one a view; None where they are as
            the cameras gave them. See `selfmva.geometry.align_frames.align_frames`.
        view_names: What the cameras are called that the frame comes from, one a view, where that is known: frames of
            videos say it. Such a frame is refused by a model that knows some of these names in another order.

    Raises:
        InputError: See `validate_boxes`; or scores, track ids, images or features that do not fit the boxes.

    Example:
        >>> frame = Frame([[[10, 20, 30, 80]], []], index=7)
        >>> frame
        Frame(index=7, boxes per view: 1, 0)
        >>> len(frame), frame.counts
        (2, (1, 0))
    """

    boxes: tuple[FloatArray, ...]
    index: int = 0
    scores: tuple[FloatArray, ...] | None = field(default=None)
    track_ids: tuple[IntArray, ...] | None = field(default=None)
    images: tuple[Image | None, ...] | None = field(default=None)
    features: tuple[NDArray[np.float32], ...] | None = field(default=None)
    clock_offsets: tuple[int, ...] | None = field(default=None)
    view_names: tuple[str, ...] | None = field(default=None)

    def __init__(
        self,
        boxes: Sequence[ArrayLike | None],
        index: int = 0,
        scores: Sequence[Any] | None = None,
        track_ids: Sequence[Any] | None = None,
        images: Sequence[Any] | None = None,
        features: Sequence[Any] | None = None,
        clock_offsets: Sequence[int] | None = None,
        view_names: Sequence[str] | None = None,
    ) -> None:
        if isinstance(boxes, str | bytes) or not isinstance(boxes, Sequence | np.ndarray):
            raise InputError(
                f"instant {index}: a frame needs a sequence with one (N, 4) array of boxes per view, "
                f"got {type(boxes).__name__}"
            )
        checked = tuple(validate_boxes(b, instant=index, view=v) for v, b in enumerate(boxes))
        object.__setattr__(self, "boxes", checked)
        object.__setattr__(self, "index", int(index))
        object.__setattr__(self, "scores", _per_box(scores, checked, "scores", np.float64, index))
        object.__setattr__(self, "track_ids", _per_box(track_ids, checked, "track_ids", np.int64, index))
        object.__setattr__(self, "images", _images(images, len(checked), index))
        object.__setattr__(self, "features", _features(features, checked, index))
        moved = None if clock_offsets is None else tuple(int(offset) for offset in clock_offsets)
        object.__setattr__(self, "clock_offsets", moved)
        object.__setattr__(self, "view_names", _names(view_names, len(checked), index))

    def __len__(self) -> int:
        return len(self.boxes)

    def __repr__(self) -> str:
        return f"Frame(index={self.index}, boxes per view: {', '.join(map(str, self.counts)) or 'no view'})"

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of boxes in each view."""
        return tuple(map(len, self.boxes))


def reorder_views(frame: Frame, order: Sequence[int]) -> Frame:
    """The same instant with its views in another order.

    Args:
        frame: Boxes of every view at one instant.
        order: Numbers of all its views.

    Returns:
        A frame whose view k is the view `order[k]`.

    Example:
        >>> reorder_views(Frame([[[0, 0, 1, 1]], []]), [1, 0]).counts
        (0, 1)
    """
    columns = {name: getattr(frame, name) for name in FRAME_COLUMNS}
    turned = copy(frame)  # what was checked is not checked again
    for name, column in columns.items():
        object.__setattr__(turned, name, None if column is None else tuple(column[view] for view in order))
    return turned


def clip_to_views(frame: Frame, views: Sequence[View]) -> Frame:
    """Clip the boxes of a frame to the images of its views, and check the size of those that it carries.

    Args:
        frame: Boxes of every view at one instant.
        views: As many views as the frame has.

    Returns:
        The frame itself where nothing sticks out, a clipped copy otherwise.

    Raises:
        InputError: The number of views differs, a box lies wholly outside its image, an image is of another size, or
            the frame says that it comes from these views in another order, or from some of them alone.

    Example:
        >>> clip_to_views(Frame([[[-5, 0, 10, 10]]]), [View("a", 100, 100)]).boxes[0]
        array([[ 0.,  0., 10., 10.]])
    """
    check_view_count(frame.index, len(frame), len(views), names=[view.name for view in views])
    if frame.view_names is not None:
        check_view_names(frame.index, frame.view_names, [view.name for view in views])
    _check_sizes(frame, views)
    if not views:
        return frame
    size = np.array([(view.width, view.height) for view in views], dtype=np.float64)
    boxes, count = np.concatenate(frame.boxes), list(frame.counts)
    clipped = np.clip(boxes, 0.0, np.repeat(np.tile(size, 2), count, axis=0))
    visible = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    if not visible.all():
        place = int(np.argmin(visible))
        number = int(np.searchsorted(np.cumsum(count), place, side="right"))
        row, view = place - sum(count[:number]), views[number]
        raise InputError(
            f"instant {frame.index}, view {number} ({view.name!r}), row {row}: box {boxes[place].tolist()} lies "
            f"outside the image of {view.width} x {view.height} pixels; check the view's size and the box units"
        )
    if np.array_equal(clipped, boxes):
        return frame
    clipped.flags.writeable = False
    ends = np.cumsum(count).tolist()
    inside = copy(frame)  # what was checked is not checked again
    parts = tuple(clipped[end - length : end] for end, length in zip(ends, count, strict=True))
    object.__setattr__(inside, "boxes", parts)
    return inside


def _check_sizes(frame: Frame, views: Sequence[View]) -> None:
    if frame.images is None:
        return
    for number, (image, view) in enumerate(zip(frame.images, views, strict=True)):
        if image is not None and image.shape[:2] != (view.height, view.width):
            height, width = image.shape[:2]
            raise InputError(
                f"instant {frame.index}, view {number} ({view.name!r}): the image has {width} x {height} pixels, the "
                f"view {view.width} x {view.height}; resize the image and scale its boxes, or fit() anew"
            )
