"""What `fit` takes for boxes: nested arrays, frames, a tidy table or a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.bad_box_frames import without_bad_boxes_of_all
from selfmva.core.box_units import check_units
from selfmva.core.types import Frame, View, clip_to_views
from selfmva.core.view_names import both_sets, find_views
from selfmva.errors import DataError, InputError
from selfmva.io.boxes.any_format import read_boxes
from selfmva.io.boxes.table import frames_from_table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import ArrayLike

    from selfmva.core.bad_boxes import OnBadBox

    FrameLike = Frame | Sequence[ArrayLike | None] | Mapping[str, ArrayLike | None]
    BoxesLike = Sequence[FrameLike] | pd.DataFrame | str | Path


def resolve_boxes(boxes: BoxesLike, views: Sequence[View], on_bad_box: OnBadBox = "drop") -> list[Frame]:
    """Turn what a user gives for boxes into frames, clipped to the images.

    Args:
        boxes: `boxes[t][v]`, an `(N, 4)` array, list or None of xyxy pixels, where `boxes[t]` may also be a dictionary
            `{name of the view: boxes}`, in which views that saw nobody may be missing; or a sequence of Frames in the
            order of time (Frames that all carry the default instant 0 are numbered by their position); or a tidy
            pandas table; or a path that `read_boxes` reads.
        views: The views, in the order of the boxes.
        on_bad_box: See `clipped_frames`.

    Returns:
        One frame per instant, in the order of instants; empty where there are none.

    Raises:
        InputError: None of these, another number of views, instants that do not increase, or see `clipped_frames`.
        DataError: A file is missing or damaged.

    Warns:
        BadBoxWarning: Boxes were dropped.
        BoxUnitsWarning: See `selfmva.core.box_units.check_units`.

    Example:
        >>> views = [View("door", 640, 480), View("window", 640, 480)]
        >>> resolve_boxes([[[[0, 0, 9, 9]], None], [[], [[5, 5, 700, 9]]]], views)
        [Frame(index=0, boxes per view: 1, 0), Frame(index=1, boxes per view: 0, 1)]
    """
    if isinstance(boxes, str | os.PathLike):
        frames = read_boxes(boxes, views, on_bad_box=on_bad_box)
    elif _is_table(boxes):
        try:
            frames = frames_from_table(boxes, views, on_bad_box=on_bad_box)  # type: ignore[arg-type]  # _is_table has looked
        except DataError as error:
            raise InputError(str(error)) from error
    elif isinstance(boxes, Sequence | np.ndarray):
        frames = _frames_from_sequence(entries(boxes, "boxes", "one entry per instant"), views, on_bad_box)
    else:
        raise InputError(
            "boxes must be boxes[t][v] (one (N, 4) array per instant and view, or for each instant a dictionary "
            "{name of the view: boxes}), a sequence of Frame, a table with "
            f"columns frame, view, x1, y1, x2, y2, or a path to a file of boxes; got {type(boxes).__name__}"
        )
    return clipped_frames(frames, views, on_bad_box)


def clipped_frames(frames: Sequence[Frame], views: Sequence[View], on_bad_box: OnBadBox = "drop") -> list[Frame]:
    """A recording whose boxes are inside its images.

    Args:
        frames: In the order of time.
        views: The cameras.
        on_bad_box: `"drop"` leaves out boxes that are not finite, without area or wholly outside their image, counts
            them in `Frame.dropped`, and warns once; `"raise"` makes them errors.

    Returns:
        As many frames.

    Raises:
        InputError: Another number of views, most boxes are bad, one is and `on_bad_box` is `"raise"`, or boxes are in
            units in which nothing can be learnt.
    """
    check_units(frames, views)
    return without_bad_boxes_of_all([clip_to_views(frame, views, on_bad_box) for frame in frames], views)


def as_frame(entry: FrameLike, views: Sequence[View], index: int, on_bad_box: OnBadBox = "raise") -> Frame:
    """Turn what a user gives for the boxes of one instant into a frame.

    Args:
        entry: A Frame; one `(N, 4)` array per view; or a dictionary `{name of the view: boxes}`. A view that is missing
            in a dictionary showed nobody.
        views: The views.
        index: Number of the instant, where the entry has none.
        on_bad_box: See `Frame`.

    Raises:
        InputError: A name is not that of a view, or see `Frame`.

    Example:
        >>> views = [View("door", 640, 480), View("window", 640, 480)]
        >>> as_frame({"window": [[0, 0, 9, 9]]}, views, 7)
        Frame(index=7, boxes per view: 0, 1)
    """
    if isinstance(entry, Frame):
        return entry
    boxes = _in_order(entry, views, index) if isinstance(entry, Mapping) else entry
    return Frame(boxes, index=index, on_bad_box=on_bad_box)


def _in_order(entry: Mapping[str, ArrayLike | None], views: Sequence[View], index: int) -> list[ArrayLike | None]:
    """The boxes of a dictionary in the order of the views."""
    found: list[object] = list(entry)
    names = [view.name for view in views]
    places = find_views([name if isinstance(name, str) else None for name in found], names)
    if None in places or len(set(places)) < len(places):
        said = both_sets([str(name) for name in found], names, "boxes")
        raise InputError(f"instant {index}: {said}: give each view its boxes once, under its name")
    boxes = dict(zip(places, entry.values(), strict=True))
    return [boxes.get(number) for number in range(len(views))]


def _frames_from_sequence(boxes: Sequence[Any], views: Sequence[View], on_bad_box: OnBadBox) -> list[Frame]:
    frames = [as_frame(entry, views, t, on_bad_box) for t, entry in enumerate(boxes)]
    if all(frame.index == 0 for frame in frames):
        return [replace(frame, index=t) for t, frame in enumerate(frames)]
    for before, after in pairwise(frames):
        if after.index <= before.index:
            raise InputError(
                f"frames must be in the order of time, each instant once: {after.index} follows {before.index}; "
                "sort them by Frame.index, or number them with Frame(boxes, index=t)"
            )
    return frames


def _is_table(boxes: Any) -> bool:
    pandas = sys.modules.get("pandas")  # whoever holds a table has imported it
    return pandas is not None and isinstance(boxes, pandas.DataFrame)
