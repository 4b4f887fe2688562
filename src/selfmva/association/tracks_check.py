"""Whether the parts of tracks fit together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.messages import shown
from selfmva.core.types import Frame, View
from selfmva.core.view_checks import check_view_count
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_tracks(views: Any, frames: Any, ids: Any, confidences: Any, filled: Any) -> None:
    """Find out whether frames, ids and confidences are of the same boxes.

    Args:
        views: The cameras.
        frames: The instants.
        ids: For each instant one array per view.
        confidences: The same.
        filled: The same, or None.

    Raises:
        InputError: They are not, instants are out of order or there twice, or two boxes of a view share an id.
    """
    for name, values, one, kind in (
        ("views", views, "one View per camera", View),
        ("frames", frames, "one Frame per instant", Frame),
    ):
        strange = next((entry for entry in entries(values, name, one) if not isinstance(entry, kind)), None)
        if strange is not None:
            raise InputError(f"{name} must be {kind.__name__}, got {shown(strange)}")
    _check_order([frame.index for frame in frames])
    columns = {"ids": ids, "confidences": confidences} | ({} if filled is None else {"filled_boxes": filled})
    for name, values in columns.items():
        if len(entries(values, name, "one entry per instant")) != len(frames):
            raise InputError(f"{name} must have one entry per frame, got {len(values)} for {len(frames)} frames")
    for number, frame in enumerate(frames):
        check_view_count(frame.index, len(frame), len(views), names=[view.name for view in views])
        for name, values in columns.items():
            counts = tuple(np.shape(part) for part in entries(values[number], name, "one array per view"))
            if counts != tuple((count,) for count in frame.counts):
                raise InputError(
                    f"instant {frame.index}: {name} must have one entry per box, got shapes {list(counts)} for "
                    f"{list(frame.counts)} boxes"
                )
        _check_distinct(frame.index, ids[number], views)


def _check_order(instants: Sequence[int]) -> None:
    for before, after in pairwise(instants):
        if after <= before:
            problem = "is there twice" if after == before else f"comes after instant {before}"
            raise InputError(f"instant {after} {problem}; give frames in the order of time, each once")


def _check_distinct(instant: int, ids: Sequence[Any], views: Sequence[View]) -> None:
    for view, numbers in zip(views, ids, strict=True):
        known = np.sort(np.asarray(numbers))
        twice = known[1:][(known[1:] == known[:-1]) & (known[1:] >= 0)]
        if len(twice):
            raise InputError(f"instant {instant}: two boxes of view {view.name!r} have the id {twice[0]}")
