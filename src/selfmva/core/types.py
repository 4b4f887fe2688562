"""View and Frame: what every module speaks. Boxes are xyxy in pixels of their view.

The result type lives in `selfmva.association.association`.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.values import integer_array, real_array
from selfmva.core.view_checks import check_view_count, check_view_names
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.images import Image

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

LARGEST_IMAGE_SIDE = 100_000  # pixels, of an image: of the largest sensors, and more
LONGEST_VIEW_NAME = 200  # bytes, of a view: files are called by it
LARGEST_INDEX = 2**62 - 1  # of an instant: differences of two fit into int64


@dataclass(frozen=True, slots=True)
class View:
    """One fixed camera: its name and the size of its images in pixels.

    Raises:
        InputError: The name is empty, too long or holds half a letter, or a side is not a whole number from 1 to
            100,000.

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
            raise InputError(f"a view needs a name that is not empty, got {shown(name)}")
        plain = name.encode(errors="ignore").decode() == name and "\0" not in name
        if not plain or len(name.encode()) > LONGEST_VIEW_NAME:
            raise InputError(f"a view needs a name of at most {LONGEST_VIEW_NAME} bytes of UTF-8, got {shown(name)}")
        for side in ("width", "height"):
            what = f"view {shown(name)}: {side} in pixels"
            object.__setattr__(self, side, integer(getattr(self, side), what, least=1, most=LARGEST_IMAGE_SIDE))


def validate_boxes(boxes: ArrayLike | None, *, instant: int = 0, view: int = 0) -> FloatArray:
    """Check the boxes of one view at one instant and return them as an array.

    Args:
        boxes: `(N, 4)` xyxy in pixels; N may be 0; None stands for a view that is absent.
        instant: Number of the instant, for the error message.
        view: Number of the view, for the error message.

    Returns:
        `(N, 4)` float64, a read-only copy.

    Raises:
        InputError: No real numbers, wrong shape, NaN or infinity, or x2 <= x1 or y2 <= y1.

    Example:
        >>> validate_boxes([[10, 20, 30, 80]])
        array([[10., 20., 30., 80.]])
        >>> validate_boxes([]).shape
        (0, 4)
    """
    where = f"instant {instant}, view {view}"
    array = real_array([] if boxes is None else boxes, f"{where}: boxes")
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


def _one_a_view(values: Any, views: int, name: str, index: int) -> Sequence[Any]:
    """Check that there is one entry per view; what these are is not looked at."""
    given = entries(values, f"instant {index}: {name}", "one entry per view")
    if len(given) != views:
        raise InputError(
            f"instant {index}: {name} has {len(given)} views, boxes have {views}; None where one is absent"
        )
    return given


def _per_box(
    values: Any, boxes: tuple[FloatArray, ...], name: str, index: int, read: Callable[[Any, str], NDArray[Any]]
) -> tuple[NDArray[Any], ...] | None:
    """Check one value per box (scores, track ids) in every view."""
    if values is None:
        return None
    columns = []
    for view, (given, box) in enumerate(zip(_one_a_view(values, len(boxes), name, index), boxes, strict=True)):
        where = f"instant {index}, view {view}: {name}"
        column = read([] if given is None else given, where)
        if not column.size:
            column = column.reshape(0)
        if column.ndim != 1:
            raise InputError(f"{where} must have shape (N,), one entry per box, got {column.shape}")
        if len(column) != len(box):
            raise InputError(f"{where} must have one entry per box, got {len(column)} for {len(box)} boxes")
        column.flags.writeable = False
        columns.append(column)
    return tuple(columns)


def _finite(values: Any, what: str) -> FloatArray:
    numbers: FloatArray = real_array(values, what)
    if not np.isfinite(numbers).all():
        raise InputError(f"{what} must be finite, got {numbers[~np.isfinite(numbers)].flat[0]}")
    return numbers


def _features(values: Any, boxes: tuple[FloatArray, ...], index: int) -> tuple[NDArray[np.float32], ...] | None:
    """Check one vector per box in every view, all of one length."""
    if values is None:
        return None
    given = [
        real_array([] if array is None else array, f"instant {index}, view {view}: features", np.float32)
        for view, array in enumerate(_one_a_view(values, len(boxes), "features", index))
    ]
    width = next((array.shape[1] for array in given if array.ndim == 2 and array.shape[0]), 0)
    arrays = tuple(array if array.size else np.zeros((0, width), np.float32) for array in given)
    for view, (array, box) in enumerate(zip(arrays, boxes, strict=True)):
        where = f"instant {index}, view {view}: features"
        if array.shape != (len(box), width):
            raise InputError(
                f"{where} must be (N, D), one row per box and as long in all views, got shape {array.shape} for "
                f"{len(box)} boxes, expected {(len(box), width)}"
            )
        if np.isinf(array).any():
            raise InputError(f"{where} must be finite in float32, or NaN where they are not known")
        array.flags.writeable = False
    return arrays


def _images(values: Any, views: int, index: int) -> tuple[Image | None, ...] | None:
    """Check one image, or None, per view."""
    if values is None:
        return None
    images = []
    for view, value in enumerate(_one_a_view(values, views, "images", index)):
        try:
            images.append(None if value is None else as_rgb(value))
        except InputError as error:
            raise InputError(f"instant {index}, view {view}: {error}") from None
    return tuple(images)


def _names(values: Any, views: int, index: int) -> tuple[str, ...] | None:
    """Check one name per view."""
    if values is None:
        return None
    given = _one_a_view(values, views, "view_names", index)
    if not all(isinstance(name, str) for name in given):
        raise InputError(f"instant {index}: view_names must be names, got {shown(values)}")
    return tuple(given)


def _offsets(values: Any, views: int, index: int) -> tuple[int, ...] | None:
    """Check one whole number per view."""
    if values is None:
        return None
    given = _one_a_view(values, views, "clock_offsets", index)
    return tuple(integer(value, f"instant {index}: clock_offsets") for value in given)


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
        index: Number of the instant in its recording, a whole number.
        scores: Optional detector confidences in [0, 1], `(N,)` per view.
        track_ids: Optional ids of a tracker inside each view, `(N,)` whole numbers per view, -1 = no track.
        images: Optional images, one per view: `(H, W, 3)` uint8 RGB, grey or RGBA (see `selfmva.io.as_rgb`); None
            where a camera gave none.
        features: Optional appearance of the boxes, `(N, D)` float32 per view, such as the features of a re-ID model;
            boxes that look alike are near each other. NaN where it is not known.
        clock_offsets: Instants by which the views were moved to bring them in line, one a view; None where they are as
            the cameras gave them. See `selfmva.geometry.align_frames.align_frames`.
        view_names: What the cameras are called that the frame comes from, one a view, where that is known: frames of
            videos say it. Such a frame is refused by a model that knows some of these names in another order.

    Raises:
        InputError: See `validate_boxes`; or the index, scores, track ids, images, features, clock offsets or names are
            none, or do not fit the boxes.

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
        instant = integer(index, "the index of a frame", least=-LARGEST_INDEX, most=LARGEST_INDEX)
        given = entries(boxes, f"instant {instant}: boxes", "one (N, 4) array of boxes per view")
        checked = tuple(validate_boxes(b, instant=instant, view=v) for v, b in enumerate(given))
        object.__setattr__(self, "boxes", checked)
        object.__setattr__(self, "index", instant)
        object.__setattr__(self, "scores", _per_box(scores, checked, "scores", instant, _finite))
        object.__setattr__(self, "track_ids", _per_box(track_ids, checked, "track_ids", instant, integer_array))
        object.__setattr__(self, "images", _images(images, len(checked), instant))
        object.__setattr__(self, "features", _features(features, checked, instant))
        object.__setattr__(self, "clock_offsets", _offsets(clock_offsets, len(checked), instant))
        object.__setattr__(self, "view_names", _names(view_names, len(checked), instant))

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
