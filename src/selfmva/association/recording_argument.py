"""What `fit` is given, as views and frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.core.types import Frame, View, clip_to_views
from selfmva.datasets.base import MultiViewDataset
from selfmva.errors import InputError
from selfmva.io.boxes.argument import resolve_boxes
from selfmva.io.video.view_argument import resolve_views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.io.boxes.argument import BoxesLike
    from selfmva.io.video.view_argument import ViewLike


def read_recording(
    views: Sequence[ViewLike] | MultiViewDataset, boxes: BoxesLike | None
) -> tuple[tuple[View, ...], list[Frame]]:
    """Views and frames to learn from, clipped to the images.

    Args:
        views: One entry per camera, or a dataset, whose training split is read (everything, where it has none).
        boxes: See `selfmva.io.boxes.argument.resolve_boxes`; None with a dataset.

    Returns:
        At least two views, and frames that hold at least one box.

    Raises:
        InputError: Views or boxes are wrong, missing, or there is no box at all.
        DataError: A file is missing or damaged.
    """
    if isinstance(views, MultiViewDataset):
        if boxes is not None:
            raise InputError("fit(dataset) takes the boxes of the dataset: leave boxes out, or give views and boxes")
        cameras = resolve_views(views.views)
        indices = views.splits.get("train", range(len(views)))
        frames = [clip_to_views(views.frame(index), cameras) for index in indices]
    else:
        if boxes is None:
            raise InputError("fit(views, boxes) needs boxes; or give a dataset alone: fit(dataset)")
        cameras = resolve_views(views)
        frames = resolve_boxes(boxes, cameras)
    if not any(sum(frame.counts) for frame in frames):
        raise InputError(f"there is no box in any of the {len(frames)} instants: nothing to learn from")
    return cameras, frames
