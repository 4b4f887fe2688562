"""Show views by another clock: frames and sightings, moved in time.

Offsets are as everywhere: view v shows at instant t what view 0 shows at instant t + offsets[v].
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.messages import shown
from selfmva.core.types import Frame
from selfmva.core.values import integer_array
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import IntArray
    from selfmva.geometry.sightings import Sightings

WHOLE = (
    "starts",
    "camera",
    "image_height",
    "upside_down",
    "doubtful",
    "lens_known",
)  # of a view's sightings; the rest is one value a box


def count_instants(frames: Sequence[Frame]) -> IntArray:
    """Times of frames in instants, from 0: `Frame.index` over the largest step that divides all differences.

    Args:
        frames: In the order of time.

    Returns:
        `(T,)` int64, increasing.

    Raises:
        InputError: Frames are not in the order of time, each instant once.

    Example:
        >>> count_instants([Frame([[]], index) for index in (10, 15, 30)]).tolist()
        [0, 1, 4]
    """
    index = np.array([frame.index for frame in frames], dtype=np.int64)
    late = np.flatnonzero(np.diff(index) <= 0)
    if len(late):
        raise InputError(
            f"frames must be in the order of time, each instant once: instant {index[late[0] + 1]} follows "
            f"{index[late[0]]}; number them with Frame(boxes, index=t)"
        )
    return np.asarray((index - index[:1]) // _step(index), dtype=np.int64)


def align_frames(frames: Sequence[Frame], offsets: Sequence[int] | IntArray) -> list[Frame]:
    """Show all views by the clock of view 0; scores and track ids go with their boxes.

    Args:
        frames: In the order of time; an instant without a frame is one at which nobody is seen.
        offsets: `(V,)` whole numbers of instants; where that of view 0 is not 0, instants are numbered by a clock
            that is ahead of it by so much.

    Returns:
        Frames that carry the instants of view 0, without the ends at which some view has no recording.

    Raises:
        InputError: There is not one whole offset a view, or frames are none or not in the order of time.

    Example:
        >>> ahead = [Frame([[[t, 0, t + 1, 9]], [[t + 2, 0, t + 3, 9]]], t) for t in range(4)]  # view 1, by 2 instants
        >>> [(frame.index, *(boxes[0, 0].item() for boxes in frame.boxes)) for frame in align_frames(ahead, [0, 2])]
        [(2, 2.0, 2.0), (3, 3.0, 3.0)]
    """
    if not all(isinstance(frame, Frame) for frame in entries(frames, "frames", "selfmva.Frame")):
        raise InputError(f"frames must be a sequence with selfmva.Frame, got {shown(frames)}")
    offsets = integer_array(offsets, "offsets").reshape(-1)
    count_instants(frames)
    wrong = next((frame for frame in frames if len(frame) != len(offsets)), None)
    if wrong is not None:
        raise InputError(
            f"instant {wrong.index} has {len(wrong)} views, but there are {len(offsets)} offsets; give one a view"
        )
    if not len(frames) or not len(offsets):
        return list(frames)
    by_index = {frame.index: frame for frame in frames}
    step = _step(np.array(list(by_index), dtype=np.int64))
    delays = [int(offset) * step for offset in offsets]
    first, last = frames[0].index + max(delays), frames[-1].index + min(delays)
    instants = sorted({t for index in by_index for delay in delays if first <= (t := index + delay) <= last})
    in_line = tuple(int(offset) for offset in offsets)
    return [_gathered([by_index.get(t - delay) for delay in delays], t, in_line) for t in instants]


def shift_view(view: Sightings, time: IntArray, offset: int) -> Sightings:
    """What one view saw, so many instants later."""
    now = time[view.instant] + offset
    instant = np.minimum(np.searchsorted(time, now), len(time) - 1)
    kept = time[instant] == now
    per_box = {field.name: getattr(view, field.name)[kept] for field in fields(view) if field.name not in WHOLE}
    starts = np.searchsorted(instant[kept], np.arange(len(time) + 1))
    return replace(view, **per_box | {"instant": instant[kept], "starts": starts})


def _step(index: IntArray) -> int:
    return int(np.gcd.reduce(np.diff(index))) if len(index) > 1 else 1


def _gathered(cells: Sequence[Frame | None], index: int, clock_offsets: tuple[int, ...]) -> Frame:
    """One frame of what every view shows at an instant of its own; None where nobody is seen."""

    def column(name: str) -> list[np.ndarray] | None:
        """One value a box of every view; None where a frame has none."""
        values = [None if cell is None else getattr(cell, name) for cell in cells]
        if any(cell is not None and value is None for cell, value in zip(cells, values, strict=True)):
            return None
        return [np.zeros(0) if value is None else value[view] for view, value in enumerate(values)]

    boxes = [np.zeros((0, 4)) if cell is None else cell.boxes[view] for view, cell in enumerate(cells)]
    images = [None if cell is None or cell.images is None else cell.images[view] for view, cell in enumerate(cells)]
    given = images if any(image is not None for image in images) else None
    return Frame(
        boxes,
        index,
        column("scores"),
        column("track_ids"),
        given,
        column("features"),
        clock_offsets,
        keypoints=column("keypoints"),
    )
