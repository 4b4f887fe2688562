"""Fill short gaps of tracks: where a view lost a person, boxes between those before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.tracks_table import pack_tracks
from selfmva.core.types import Frame
from selfmva.tracking.columns import Rows
from selfmva.tracking.interpolation import between, find_gaps

if TYPE_CHECKING:
    from selfmva.association.tracks_parts import TracksParts
    from selfmva.core.types import FloatArray, IntArray


def fill_gaps(tracks: TracksParts, most_gap: int) -> dict[str, Any]:
    """Put boxes into gaps; see `Tracks.filled`.

    Args:
        tracks: Of a recording.
        most_gap: Instants that are filled at most.

    Returns:
        The parts that change (frames, ids, confidences, filled_boxes): further boxes are behind those that were there.
    """
    packed = pack_tracks(tracks)
    instants = np.array([frame.index for frame in tracks.frames], dtype=np.int64)
    rows = Rows(packed.instant, packed.view, packed.ids)
    number = np.searchsorted(instants, packed.instant)
    gaps = find_gaps(rows, packed.boxes, number, most_gap)
    place = number[gaps.before] + gaps.step
    new = _New(
        place=place,
        view=packed.view[gaps.before],
        ids=packed.ids[gaps.before],
        boxes=between(packed.instant, packed.boxes, gaps, instants[place]),
        scores=np.minimum(packed.scores[gaps.before], packed.scores[gaps.after]),
        confidences=np.minimum(packed.confidences[gaps.before], packed.confidences[gaps.after]),
    )
    return _with_boxes(tracks, new)


class _New:
    """Boxes to be put into the instants of these places."""

    def __init__(self, **columns: Any) -> None:
        self.place: IntArray = columns["place"]
        self.view: IntArray = columns["view"]
        self.ids: IntArray = columns["ids"]
        self.boxes: FloatArray = columns["boxes"]
        self.scores: FloatArray = columns["scores"]
        self.confidences: FloatArray = columns["confidences"]


def _with_boxes(tracks: TracksParts, new: _New) -> dict[str, Any]:
    frames, ids = list(tracks.frames), [list(part) for part in tracks.ids]
    sure = [list(part) for part in tracks.confidences]
    old = tracks.filled_boxes
    filled = [
        [np.zeros(count, bool) if old is None else old[t][v] for v, count in enumerate(frame.counts)]
        for t, frame in enumerate(frames)
    ]
    V = len(tracks.views)
    cell = new.place * V + new.view
    order = np.lexsort((new.ids, cell))
    bounds = np.flatnonzero(np.diff(cell[order])) + 1
    added: dict[int, dict[int, IntArray]] = {}
    for rows in np.split(order, bounds) if len(order) else []:
        t, v = divmod(int(cell[rows[0]]), V)
        added.setdefault(t, {})[v] = rows
        ids[t][v] = np.concatenate([ids[t][v], new.ids[rows]])
        sure[t][v] = np.concatenate([sure[t][v], new.confidences[rows]])
        filled[t][v] = np.concatenate([filled[t][v], np.ones(len(rows), bool)])
    for t, rows_of in added.items():
        frames[t] = _longer(frames[t], rows_of, new)
    parts = {"frames": frames, "ids": map(tuple, ids), "confidences": map(tuple, sure)}
    return {name: tuple(part) for name, part in {**parts, "filled_boxes": map(tuple, filled)}.items()}


def _longer(frame: Frame, rows_of: dict[int, IntArray], new: _New) -> Frame:
    """The frame with further boxes; what nobody knows of these, such as features, is left out for all."""
    nobody = np.zeros(0, np.int64)
    rows = [rows_of.get(view, nobody) for view in range(len(frame))]

    def joined(column: Any, added: Any) -> list[Any] | None:
        return None if column is None else [np.concatenate(pair) for pair in zip(column, added, strict=True)]

    return Frame(
        [np.concatenate([boxes, new.boxes[own]]) for boxes, own in zip(frame.boxes, rows, strict=True)],
        frame.index,
        scores=joined(frame.scores, [np.nan_to_num(new.scores[own]) for own in rows]),
        track_ids=joined(frame.track_ids, [np.full(len(own), -1) for own in rows]),
        images=frame.images,
        clock_offsets=frame.clock_offsets,
        view_names=frame.view_names,
        bad=joined(frame.bad, [np.zeros(len(own), bool) for own in rows]),
        dropped=frame.dropped,
    )
