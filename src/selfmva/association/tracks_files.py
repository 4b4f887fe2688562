"""Tracks in the file formats of the field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.tracks_table import pack_tracks
from selfmva.core.messages import shown
from selfmva.core.types import Frame
from selfmva.core.values import integer_array
from selfmva.errors import InputError
from selfmva.io.boxes.coco import write_coco
from selfmva.io.boxes.mot import write_mot
from selfmva.io.boxes.rows import left_top_width_height
from selfmva.io.storage.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.association.tracks_parts import TracksParts
    from selfmva.core.types import IntArray


def write_people_mot(folder: str | Path, tracks: TracksParts) -> None:
    """Write MOT text; see `Tracks.to_mot`."""
    write_mot(folder, [_people_alone(f, ids) for f, ids in zip(tracks.frames, tracks.ids, strict=True)], tracks.views)


def write_people_coco(path: str | Path, tracks: TracksParts) -> None:
    """Write a COCO JSON; see `Tracks.to_coco`."""
    frames = [replace(f, track_ids=ids, features=None) for f, ids in zip(tracks.frames, tracks.ids, strict=True)]
    write_coco(path, frames, tracks.views)


def write_aicity(path: str | Path, tracks: TracksParts, cameras: Sequence[int] | None = None) -> None:
    """Write a submission of the AI City Challenge; see `Tracks.to_aicity`."""
    V = len(tracks.views)
    numbers = np.arange(1, V + 1) if cameras is None else integer_array(cameras, "cameras").reshape(-1)
    if len(numbers) != V or len(np.unique(numbers)) != V:
        raise InputError(f"cameras must be {V} different numbers, one a view, got {shown(cameras)}")
    packed = pack_tracks(tracks)
    known = packed.ids >= 0
    boxes = left_top_width_height(packed.boxes[known]).round().astype(np.int64)
    columns = [numbers[packed.view[known]], packed.ids[known], packed.instant[known], *boxes.T]
    rows = np.stack(columns, axis=1)
    rows = rows[np.lexsort((rows[:, 1], rows[:, 2], rows[:, 0]))]
    with atomic_write(path) as temporary:
        temporary.write_text("".join(f"{' '.join(map(str, row))} -1 -1\n" for row in rows.tolist()), encoding="utf-8")


def _people_alone(frame: Frame, ids: Sequence[IntArray]) -> Frame:
    """The boxes that are somebody's, with the ids as track ids."""
    kept = [numbers >= 0 for numbers in ids]
    bad = frame.bad or [np.zeros(count, bool) for count in frame.counts]
    kept = [rows & ~marks for rows, marks in zip(kept, bad, strict=True)]
    scores = None if frame.scores is None else [s[rows] for s, rows in zip(frame.scores, kept, strict=True)]
    return Frame(
        [boxes[rows] for boxes, rows in zip(frame.boxes, kept, strict=True)],
        frame.index,
        scores,
        [numbers[rows] for numbers, rows in zip(ids, kept, strict=True)],
    )
