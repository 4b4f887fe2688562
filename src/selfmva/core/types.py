"""View and Frame: what every module speaks. Boxes are xyxy in pixels of their view.

The result type lives in `selfmva.association.association`.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.bad_boxes import as_mask, check_on_bad_box, problem_of
from selfmva.core.frame_columns import (
    read_features,
    read_images,
    read_marks,
    read_names,
    read_offsets,
    read_scores,
    read_track_ids,
    validate_boxes,
)
from selfmva.core.keypoints import boxes_of_keypoints, check_keypoints_fit, keypoints_inside, read_keypoints
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.view_checks import check_view_count, check_view_names
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.bad_boxes import BoolArray, OnBadBox
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


FRAME_COLUMNS = (  # of a frame: one entry a view
    "boxes",
    "scores",
    "track_ids",
    "images",
    "features",
    "keypoints",
    "clock_offsets",
    "view_names",
    "bad",
)
PER_BOX = ("boxes", "scores", "track_ids", "features", "keypoints")  # columns of a frame with one entry a box


@dataclass(frozen=True, eq=False)
class Frame:
    """The boxes of all views at one synchronized instant.

    Args:
        boxes: One `(N, 4)` array per view, xyxy in pixels; None or an empty list where a view shows nobody. None
            altogether where there are keypoints: boxes around the joints that are seen are made, and bodies without
            any are marked as bad. Boxes may stick out of the image; they are clipped where they meet a `View` (see
            `clip_to_views`).
        index: Number of the instant in its recording, a whole number.
        scores: Optional detector confidences in [0, 1], `(N,)` per view.
        track_ids: Optional ids of a tracker inside each view, `(N,)` whole numbers per view, -1 = no track.
        images: Optional images, one per view: `(H, W, 3)` uint8 RGB, grey or RGBA (see `selfmva.io.as_rgb`); None
            where a camera gave none.
        features: Optional appearance of the boxes, `(N, D)` float32 per view, such as the features of a re-ID model;
            boxes that look alike are near each other. NaN where it is not known.
        keypoints: Optional joints of the bodies in the boxes, `(N, K, 3)` per view: x, y in pixels and a score in
            [0, 1]; missing joints have score 0 or are NaN. Which joints they are says `Associator(skeleton=)`, see
            `selfmva.pose.Skeleton`.
        clock_offsets: Instants by which the views were moved to bring them in line, one a view; None where they are as
            the cameras gave them. See `selfmva.geometry.align_frames.align_frames`.
        view_names: What the cameras are called that the frame comes from, one a view, where that is known: frames of
            videos say it. Such a frame is refused by a model that knows some of these names in another order.
        bad: Marks of boxes that are none, `(N,)` bool per view, which may be NaN or without area; None where all are
            boxes. They keep their place, so that rows are those that were given, and nobody reads them.
        dropped: Number of boxes that were given for this instant and are not in it.
        on_bad_box: `"raise"`, or `"drop"` to mark boxes that are not finite or have no area as bad.

    Raises:
        InputError: See `validate_boxes` and `selfmva.core.keypoints.read_keypoints`; or the index, scores, track ids,
            images, features, clock offsets, names or marks are none, or do not fit the boxes.

    Example:
        >>> frame = Frame([[[10, 20, 30, 80]], []], index=7)
        >>> frame
        Frame(index=7, boxes per view: 1, 0)
        >>> len(frame), frame.counts
        (2, (1, 0))
        >>> Frame(keypoints=[[[[10, 20, 0.9], [30, 80, 0.8]]]]).boxes[0].tolist()
        [[10.0, 20.0, 30.0, 80.0]]
    """

    boxes: tuple[FloatArray, ...]
    index: int = 0
    scores: tuple[FloatArray, ...] | None = field(default=None)
    track_ids: tuple[IntArray, ...] | None = field(default=None)
    images: tuple[Image | None, ...] | None = field(default=None)
    features: tuple[NDArray[np.float32], ...] | None = field(default=None)
    keypoints: tuple[FloatArray, ...] | None = field(default=None)
    clock_offsets: tuple[int, ...] | None = field(default=None)
    view_names: tuple[str, ...] | None = field(default=None)
    bad: tuple[BoolArray, ...] | None = field(default=None)
    dropped: int = field(default=0)

    def __init__(  # noqa: PLR0913  # one for each column
        self,
        boxes: Sequence[ArrayLike | None] | None = None,
        index: int = 0,
        scores: Sequence[Any] | None = None,
        track_ids: Sequence[Any] | None = None,
        images: Sequence[Any] | None = None,
        features: Sequence[Any] | None = None,
        clock_offsets: Sequence[int] | None = None,
        view_names: Sequence[str] | None = None,
        *,
        keypoints: Sequence[Any] | None = None,
        bad: Sequence[Any] | None = None,
        dropped: int = 0,
        on_bad_box: OnBadBox = "raise",
    ) -> None:
        instant = integer(index, "the index of a frame", least=-LARGEST_INDEX, most=LARGEST_INDEX)
        bodies = read_keypoints(keypoints, instant)
        if boxes is None and bodies is not None:
            made = tuple(map(boxes_of_keypoints, bodies))
            nobody = tuple(np.isnan(box).any(axis=1) for box in made)
            boxes = made
            if bad is None and any(part.any() for part in nobody):
                bad = nobody
        given = entries(boxes, f"instant {instant}: boxes", "one (N, 4) array of boxes per view")
        marked = check_on_bad_box(on_bad_box) == "drop" or bad is not None
        checked = tuple(
            validate_boxes(b, instant=instant, view=v, on_bad_box="drop" if marked else "raise")
            for v, b in enumerate(given)
        )
        marks = read_marks(bad, checked, on_bad_box, instant) if marked else None
        if bodies is not None:
            check_keypoints_fit(bodies, checked, instant)
        object.__setattr__(self, "boxes", checked)
        object.__setattr__(self, "index", instant)
        object.__setattr__(self, "scores", read_scores(scores, checked, marks, instant))
        object.__setattr__(self, "track_ids", read_track_ids(track_ids, checked, instant))
        object.__setattr__(self, "images", read_images(images, len(checked), instant))
        object.__setattr__(self, "features", read_features(features, checked, instant))
        object.__setattr__(self, "keypoints", bodies)
        object.__setattr__(self, "clock_offsets", read_offsets(clock_offsets, len(checked), instant))
        object.__setattr__(self, "view_names", read_names(view_names, len(checked), instant))
        object.__setattr__(self, "bad", marks)
        object.__setattr__(self, "dropped", integer(dropped, f"instant {instant}: dropped", least=0))

    def __len__(self) -> int:
        return len(self.boxes)

    def __repr__(self) -> str:
        return f"Frame(index={self.index}, boxes per view: {', '.join(map(str, self.counts)) or 'no view'})"

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of boxes in each view."""
        return tuple(map(len, self.boxes))


def select_boxes(frame: Frame, kept: Sequence[NDArray[np.bool_]]) -> Frame:
    """The same instant with some of its boxes.

    Args:
        frame: Boxes of every view at one instant.
        kept: One `(N,)` mask per view.

    Example:
        >>> select_boxes(Frame([[[0, 0, 1, 1], [0, 0, 2, 2]]]), [np.array([False, True])]).boxes[0].tolist()
        [[0.0, 0.0, 2.0, 2.0]]
    """
    columns: dict[str, tuple[NDArray[Any], ...] | None] = {}
    for name in PER_BOX:
        column = getattr(frame, name)
        if column is not None:
            columns[name] = tuple(part[rows] for part, rows in zip(column, kept, strict=True))
            for part in columns[name] or ():
                part.flags.writeable = False
    return _with(frame, **columns)


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
        on_bad_box: `"raise"`, or `"drop"` to mark boxes wholly outside their image as bad; they stay as they are. And
            joints outside of their image are missing then.

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
    if frame.keypoints is not None:
        inside = keypoints_inside(frame.keypoints, views, frame.index, raising=on_bad_box == "raise")
        frame = frame if inside is None else _with(frame, keypoints=inside)
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
