"""View and Frame: what every module speaks. Boxes are xyxy in pixels of their view.

The result type lives in `selfmva.association.association`.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.bad_boxes import as_mask, bad_rows, check_on_bad_box, problem_of
from selfmva.core.images import as_rgb
from selfmva.core.view_checks import check_view_count
from selfmva.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.bad_boxes import BoolArray, OnBadBox
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


def validate_boxes(
    boxes: ArrayLike | None, *, instant: int = 0, view: int = 0, on_bad_box: OnBadBox = "raise"
) -> FloatArray:
    """Check the boxes of one view at one instant and return them as an array.

    Args:
        boxes: `(N, 4)` xyxy in pixels; N may be 0; None stands for a view that is absent.
        instant: Number of the instant, for the error message.
        view: Number of the view, for the error message.
        on_bad_box: `"drop"` lets boxes pass that are not finite or have no area, for `Frame` to mark.

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
    if on_bad_box == "raise":
        bad = bad_rows(array)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{where}, row {row}: {problem_of(array[row])}")
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


def _marks(
    given: Sequence[Any] | None, boxes: tuple[FloatArray, ...], on_bad_box: OnBadBox, index: int
) -> tuple[BoolArray, ...] | None:
    """Which boxes are none: those that were said to be, and those that are found to be where they may."""
    marks = _per_box(given, boxes, "bad", np.bool_, index) or tuple(np.zeros(len(box), bool) for box in boxes)
    found = tuple(map(bad_rows, boxes))
    for view, (box, own, mark) in enumerate(zip(boxes, found, marks, strict=True)):
        if on_bad_box == "raise" and (own & ~mark).any():
            validate_boxes(box[~mark], instant=index, view=view)
    return as_mask([own | mark for own, mark in zip(found, marks, strict=True)])


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


FRAME_COLUMNS = ("boxes", "scores", "track_ids", "images", "features", "clock_offsets", "bad")  # one entry a view


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
        bad: Marks of boxes that are none, `(N,)` bool per view, which may be NaN or without area; None where all are
            boxes. They keep their place, so that rows are those that were given, and nobody reads them.
        dropped: Number of boxes that were given for this instant and are not in it.
        on_bad_box: `"raise"`, or `"drop"` to mark boxes that are not finite or have no area as bad.

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
    bad: tuple[BoolArray, ...] | None = field(default=None)
    dropped: int = field(default=0)

    def __init__(  # noqa: PLR0913  # one for each column
        self,
        boxes: Sequence[ArrayLike | None],
        index: int = 0,
        scores: Sequence[Any] | None = None,
        track_ids: Sequence[Any] | None = None,
        images: Sequence[Any] | None = None,
        features: Sequence[Any] | None = None,
        clock_offsets: Sequence[int] | None = None,
        *,
        bad: Sequence[Any] | None = None,
        dropped: int = 0,
        on_bad_box: OnBadBox = "raise",
    ) -> None:
        if isinstance(boxes, str | bytes) or not isinstance(boxes, Sequence | np.ndarray):
            raise InputError(
                f"instant {index}: a frame needs a sequence with one (N, 4) array of boxes per view, "
                f"got {type(boxes).__name__}"
            )
        marked = check_on_bad_box(on_bad_box) == "drop" or bad is not None
        checked = tuple(
            validate_boxes(b, instant=index, view=v, on_bad_box="drop" if marked else "raise")
            for v, b in enumerate(boxes)
        )
        object.__setattr__(self, "boxes", checked)
        object.__setattr__(self, "bad", _marks(bad, checked, on_bad_box, index) if marked else None)
        object.__setattr__(self, "dropped", dropped)
        object.__setattr__(self, "index", int(index))
        object.__setattr__(self, "scores", _per_box(scores, checked, "scores", np.float64, index))
        object.__setattr__(self, "track_ids", _per_box(track_ids, checked, "track_ids", np.int64, index))
        object.__setattr__(self, "images", _images(images, len(checked), index))
        object.__setattr__(self, "features", _features(features, checked, index))
        moved = None if clock_offsets is None else tuple(int(offset) for offset in clock_offsets)
        object.__setattr__(self, "clock_offsets", moved)

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
    return _with(
        frame,
        **{name: None if part is None else tuple(part[view] for view in order) for name, part in columns.items()},
    )


def clip_to_views(frame: Frame, views: Sequence[View], on_bad_box: OnBadBox = "raise") -> Frame:
    """Clip the boxes of a frame to the images of its views, and check the size of those that it carries.

    Args:
        frame: Boxes of every view at one instant.
        views: As many views as the frame has.
        on_bad_box: `"raise"`, or `"drop"` to mark boxes wholly outside their image as bad; they stay as they are.

    Returns:
        The frame itself where nothing sticks out, a clipped copy otherwise.

    Raises:
        InputError: The number of views differs, a box lies wholly outside its image, or an image is of another size.

    Example:
        >>> clip_to_views(Frame([[[-5, 0, 10, 10]]]), [View("a", 100, 100)]).boxes[0]
        array([[ 0.,  0., 10., 10.]])
    """
    check_view_count(frame.index, len(frame), len(views), names=[view.name for view in views])
    _check_sizes(frame, views)
    if not views:
        return frame
    size = np.array([(view.width, view.height) for view in views], dtype=np.float64)
    boxes, count = np.concatenate(frame.boxes), list(frame.counts)
    clipped = np.clip(boxes, 0.0, np.repeat(np.tile(size, 2), count, axis=0))
    visible = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    cuts, marks = np.cumsum(count)[:-1], frame.bad
    if not visible.all() or marks is not None:
        known = np.zeros(len(boxes), bool) if marks is None else np.concatenate(marks)
        clipped = np.where((visible & ~known)[:, None], clipped, boxes)
        marks = as_mask(np.split(~visible | known, cuts))
        outside = as_mask(np.split(~visible & ~known, cuts))
        if on_bad_box == "raise" and outside is not None:
            raise InputError(first_bad(_with(frame, bad=outside), views))
    elif np.array_equal(clipped, boxes):
        return frame
    clipped.flags.writeable = False
    return _with(frame, boxes=tuple(np.split(clipped, cuts)), bad=marks)


def first_bad(frame: Frame, views: Sequence[View]) -> str:
    """Where the first bad box of a frame is, and why it is one."""
    assert frame.bad is not None  # noqa: S101  # asked of frames that have one alone
    number = next(view for view, bad in enumerate(frame.bad) if bad.any())
    row, view = int(np.argmax(frame.bad[number])), views[number]
    problem = problem_of(frame.boxes[number][row], view)
    return f"instant {frame.index}, view {number} ({view.name!r}), row {row}: {problem}"


def _with(frame: Frame, **columns: tuple[NDArray[Any], ...] | None) -> Frame:
    """The frame with other columns, which are known to be right."""
    changed = copy(frame)  # what was checked is not checked again
    for name, column in columns.items():
        object.__setattr__(changed, name, column)
    return changed


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
