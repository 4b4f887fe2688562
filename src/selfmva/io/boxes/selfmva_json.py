"""The detection JSON of Self-MVA: `{instant: [[x, y, width, height, track_id or -1, view], ...]}`."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.errors import DataError
from selfmva.io.boxes.rows import (
    Rows,
    corners,
    frames_from_rows,
    left_top_width_height,
    require_view_count,
    rows_from_frames,
)
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame
    from selfmva.io.boxes.views import Views

_INSTANT = re.compile(r"-?\d{1,18}")
_ENTRY = "[x, y, width, height, track_id or -1, view]"


def read_selfmva(path: str | Path, views: Views = None, *, on_bad_box: OnBadBox = "drop") -> list[Frame]:
    """Read a Self-MVA detection JSON.

    Args:
        path: The file. Instants are put in the order of their numbers, whatever the order of the keys; views count
            from 0.
        views: The number of views, or the views; None: one more than the largest view in the file.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant, `track_ids` where any is not -1.

    Raises:
        DataError: The file cannot be read, is damaged, or an entry of it is.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "detections.json"
        ...     _ = path.write_text('{"10": [], "9": [[5, 5, 20, 40, -1, 1]]}')
        ...     read_selfmva(path)
        [Frame(index=9, boxes per view: 0, 1), Frame(index=10, boxes per view: 0, 0)]
    """
    return parse_selfmva(read_json(path), views, source=str(path), on_bad_box=on_bad_box)


def parse_selfmva(
    data: Any, views: Views = None, source: str = "detections", *, on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    """Turn the content of a Self-MVA detection JSON into frames; see `read_selfmva`.

    Args:
        data: What the JSON holds.
        views: As in `read_selfmva`.
        source: Name of the file, for messages.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant.

    Raises:
        DataError: An entry is damaged.

    Example:
        >>> parse_selfmva({"0": [[5, 5, 20, 40, 7, 0]]})[0].track_ids
        (array([7]),)
    """
    if not isinstance(data, dict):
        raise DataError(f"{source}: expected an object {{instant: [{_ENTRY}, ...]}}, got {type(data).__name__}")
    for key, entries in data.items():
        if not _INSTANT.fullmatch(key):
            raise DataError(f"{source}, key {shown(key)}: expected the number of an instant")
        if not isinstance(entries, list):
            raise DataError(f"{source}, instant {key}: expected a list of {_ENTRY}, got {type(entries).__name__}")
    instants = [int(key) for key in data]
    if len(set(instants)) < len(instants):
        twice = next(number for number in instants if instants.count(number) > 1)
        raise DataError(f"{source}: instant {twice} stands there twice under different spellings; keep one of them")
    counts = [len(entries) for entries in data.values()]
    starts = np.cumsum([0, *counts])

    def where(row: int) -> str:
        key = int(np.searchsorted(starts, row, side="right")) - 1
        return f"{source}, instant {instants[key]}, entry {row - starts[key]}"

    table = _table(list(chain.from_iterable(data.values())), where)
    rows = Rows(
        instants=np.repeat(np.array(instants, dtype=np.int64), counts),
        views=table[:, 5],
        boxes=corners(table[:, :4]),
        track_ids=table[:, 4],
    )
    return frames_from_rows(rows, views, where, instants, on_bad_box)


def write_selfmva(path: str | Path, frames: Sequence[Frame], views: Views = None) -> None:
    """Write a Self-MVA detection JSON. The format has no place for scores.

    Args:
        path: The file; replaced as a whole or not at all.
        frames: One per instant, in any order. An instant with nobody in it is kept; a last view in which nobody is
            ever seen is not, unless the reader is told the number of views.
        views: The views or their number, which the frames have to have.

    Raises:
        InputError: Two frames carry the same instant, or their numbers of views differ.
        DataError: The file cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "detections.json"
        ...     write_selfmva(path, [Frame([[], [[5, 5, 25, 45]]], index=9)])
        ...     path.read_text()
        '{"9": [[5, 5, 20, 40, -1, 1]]}'
    """
    rows = rows_from_frames(frames)
    require_view_count(frames, views)
    table = np.empty((len(rows.boxes), 6))
    table[:, :4] = left_top_width_height(rows.boxes)
    table[:, 4] = -1 if rows.track_ids is None else rows.track_ids
    table[:, 5] = rows.views
    content: dict[str, list[list[float]]] = {str(number): [] for number in sorted(frame.index for frame in frames)}
    for instant, entry in zip(rows.instants.tolist(), table.tolist(), strict=True):
        content[str(instant)].append([int(value) if value.is_integer() else value for value in entry])
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _table(entries: list[Any], where: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The entries as an `(R, 6)` array; one that is not six numbers is named."""
    for row, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) != 6:
            raise DataError(f"{where(row)}: expected {_ENTRY}, got {shown(entry)}")
    if not {type(value) for entry in entries for value in entry} <= {int, float}:
        strange = next(row for row, entry in enumerate(entries) if not {type(value) for value in entry} <= {int, float})
        raise DataError(f"{where(strange)}: expected six numbers {_ENTRY}, got {shown(entries[strange])}")
    try:
        return np.array(entries, dtype=np.float64).reshape(-1, 6)
    except OverflowError as error:
        huge = next(row for row, entry in enumerate(entries) if any(abs(value) >= 2**1024 for value in entry))
        raise DataError(f"{where(huge)}: a number is too large ({error})") from error
