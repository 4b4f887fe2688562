"""Bridges between frames and what detectors give: supervision, torchvision and Ultralytics, one entry per view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.scalars import integer, real
from selfmva.core.types import Frame
from selfmva.core.values import real_array
from selfmva.core.view_checks import check_view_count
from selfmva.errors import InputError, require
from selfmva.io.boxes.views import view_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.types import View


class _Boxes(NamedTuple):
    """The boxes of one view, one row each; None for what is not known of them."""

    boxes: NDArray[Any]
    scores: NDArray[Any] | None
    classes: NDArray[Any] | None
    track_ids: NDArray[Any] | None


def frame_from_supervision(detections: Sequence[Any | None], index: int = 0, *, class_id: int | None = None) -> Frame:
    """Make a frame of `supervision.Detections`.

    Args:
        detections: One `supervision.Detections` per view, of one instant; None where a view is absent.
        index: Number of the instant.
        class_id: Keep boxes of this class alone; None: all. The number of the class of people is the detector's:
            0 with Ultralytics, 1 with torchvision.

    Returns:
        The frame, `confidence` as scores and `tracker_id` as track ids, each only where all views with boxes have it.
        Boxes without area, which detectors leave at the edge of an image, are dropped.

    Raises:
        InputError: Another type, no classes to choose from, or boxes that `Frame` does not take.

    Example:
        >>> import supervision
        >>> door = supervision.Detections(np.array([[10.0, 20, 30, 80]]), class_id=np.array([0]))
        >>> frame_from_supervision([door, None], index=7)
        Frame(index=7, boxes per view: 1, 0)
    """

    def read(entry: Any) -> _Boxes:
        return _Boxes(np.asarray(entry.xyxy), entry.confidence, entry.class_id, entry.tracker_id)

    views = [_read(entry, view, read, "supervision.Detections") for view, entry in _views(detections)]
    return _frame(views, index, class_id)


def frame_from_torchvision(
    outputs: Sequence[Any | None], index: int = 0, *, class_id: int | None = 1, least_score: float = 0.5
) -> Frame:
    """Make a frame of the outputs of a detection model of torchvision.

    Args:
        outputs: One dict per view, of one instant, with tensors `boxes`, `labels` and `scores` on any device; None
            where a view is absent.
        index: Number of the instant.
        class_id: Keep boxes of this class alone; None: all. 1 is the person of COCO in torchvision.
        least_score: Boxes with less are dropped; in [0, 1].

    Returns:
        The frame, with scores. Boxes without area are dropped.

    Raises:
        InputError: Another type, or boxes that `Frame` does not take.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[10.0, 20, 30, 80], [0, 0, 5, 5]])
        >>> output = {"boxes": boxes, "labels": torch.tensor([1, 3]), "scores": torch.tensor([0.75, 0.9])}
        >>> frame_from_torchvision([output, None]).scores
        (array([0.75]), array([], dtype=float64))
    """
    real(least_score, "least_score", least=0, most=1)

    def read(entry: Any) -> _Boxes:
        boxes, labels, scores = (_array(entry[key]) for key in ("boxes", "labels", "scores"))
        likely = scores >= least_score
        return _Boxes(boxes[likely], scores[likely], labels[likely], None)

    views = [_read(entry, view, read, "a dict of boxes, labels and scores") for view, entry in _views(outputs)]
    return _frame(views, index, class_id)


def frame_from_ultralytics(results: Sequence[Any | None], index: int = 0, *, class_id: int | None = 0) -> Frame:
    """Make a frame of the results of an Ultralytics model.

    Args:
        results: One `Results` per view, of one instant, of `predict` or of `track`; None where a view is absent.
        index: Number of the instant.
        class_id: Keep boxes of this class alone; None: all. 0 is the person of COCO in Ultralytics.

    Returns:
        The frame, with scores, and with track ids where all views with boxes have them. Boxes without area, which
        clipping leaves, are dropped.

    Raises:
        InputError: Another type, results without boxes, or boxes that `Frame` does not take.

    Example:
        >>> from types import SimpleNamespace
        >>> boxes = SimpleNamespace(xyxy=[[10, 20, 30, 80]], conf=[0.9], cls=[0], id=None)  # as a model gives them
        >>> frame_from_ultralytics([SimpleNamespace(boxes=boxes), None])
        Frame(index=0, boxes per view: 1, 0)
    """

    def read(entry: Any) -> _Boxes:
        boxes = entry.boxes
        return _Boxes(_array(boxes.xyxy), *(_optional(column) for column in (boxes.conf, boxes.cls, boxes.id)))

    views = [_read(entry, view, read, "Ultralytics Results with boxes") for view, entry in _views(results)]
    return _frame(views, index, class_id)


def frame_to_supervision(
    frame: Frame, views: Sequence[View] | None = None, ids: Sequence[ArrayLike] | None = None
) -> list[Any]:
    """Make `supervision.Detections` of a frame, which supervision draws, filters and writes.

    Args:
        frame: The boxes.
        views: The cameras; their names go to `data["view"]`. None: the numbers of the views do.
        ids: One `(N,)` array of whole numbers per view for `tracker_id`, such as `Association.ids`; None: the track
            ids of the frame, if it has any.

    Returns:
        One `supervision.Detections` per view, boxes in the order of the frame, scores as `confidence`.

    Raises:
        MissingDependencyError: supervision is not installed.
        InputError: Views or ids that do not fit the frame.

    Example:
        >>> (door,) = frame_to_supervision(Frame([[[10, 20, 30, 80]]]), ids=[[4]])
        >>> door.tracker_id, door.data
        (array([4]), {'view': array([0])})
    """
    require("supervision", "supervision")
    import supervision

    given: object = frame
    if not isinstance(given, Frame):
        raise InputError(f"expected a Frame, got {type(given).__name__}")
    names: Sequence[Any] = view_names(views) or range(len(frame))
    check_view_count(frame.index, len(frame), len(names))
    trackers = Frame(frame.boxes, frame.index, track_ids=frame.track_ids if ids is None else ids).track_ids
    return [
        supervision.Detections(
            xyxy=boxes.astype(np.float32),
            confidence=None if frame.scores is None else frame.scores[view].astype(np.float32),
            tracker_id=None if trackers is None else trackers[view].copy(),
            data={"view": np.full(len(boxes), names[view])},
        )
        for view, boxes in enumerate(frame.boxes)
    ]


def _views(entries: Any) -> enumerate[Any]:
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InputError(
            f"expected a list with one entry per view, None where a view is absent, got {type(entries).__name__}"
        )
    return enumerate(entries)


def _read(entry: Any, view: int, read: Any, expected: str) -> _Boxes:
    if entry is None:
        return _Boxes(np.zeros((0, 4)), None, None, None)
    try:
        found: _Boxes = read(entry)
        boxes = np.asarray(found.boxes)
    except (AttributeError, KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
        raise InputError(f"view {view}: expected {expected}, got {type(entry).__name__} ({error})") from error
    boxes = boxes if boxes.size else boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or boxes.dtype.kind not in "iuf":
        raise InputError(f"view {view}: boxes must be (N, 4) numbers, got shape {boxes.shape}, {boxes.dtype}")
    return _Boxes(boxes, *(_per_box(getattr(found, name), name, len(boxes), view) for name in _Boxes._fields[1:]))


def _per_box(values: Any, name: str, count: int, view: int) -> NDArray[Any] | None:
    """One number for each box; ids are whole."""
    if values is None:
        return None
    column = np.asarray(values)
    if column.shape != (count,) or (count and column.dtype.kind not in "iuf"):
        raise InputError(
            f"view {view}: {name} must be a number for each of {count} boxes, got {column.dtype} {column.shape}"
        )
    if name == "track_ids" and not ((np.abs(column) < 2**53) & (column == np.floor(column))).all():
        raise InputError(f"view {view}: track_ids must be whole numbers, got {shown(column.tolist())}")
    return column


def _optional(values: Any) -> NDArray[Any] | None:
    return None if values is None else _array(values)


def _array(values: Any) -> NDArray[Any]:
    """Numbers of a tensor of any type on any device, or of an array."""
    return real_array(values, "what a detector says")


def _frame(views: list[_Boxes], index: int, class_id: int | None) -> Frame:
    if class_id is not None:
        integer(class_id, "class_id, where it is not None,")
    kept = [_kept(found, view, class_id) for view, found in enumerate(views)]
    return Frame(
        [found.boxes for found in kept],
        index,
        scores=_column([(found.boxes, found.scores) for found in kept]),
        track_ids=_column([(found.boxes, found.track_ids) for found in kept]),
    )


def _kept(found: _Boxes, view: int, class_id: int | None) -> _Boxes:
    """Those with an area, of one class."""
    boxes, classes = found.boxes, found.classes
    keep = ~((boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1]))  # NaN stays, for Frame to complain
    if class_id is not None and len(boxes):
        if classes is None:
            raise InputError(f"view {view}: boxes have no classes to choose {class_id} from; give class_id=None")
        keep &= classes == class_id
    return _Boxes(boxes[keep], *(None if column is None else column[keep] for column in found[1:]))


def _column(views: list[tuple[NDArray[Any], NDArray[Any] | None]]) -> list[NDArray[Any] | None] | None:
    """One value per box, where all views with boxes have it."""
    known = [values is not None for boxes, values in views if len(boxes)]
    return [values for _, values in views] if known and all(known) else None
