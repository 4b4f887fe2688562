"""Tracks as packed columns and as a tidy table: where everybody is, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.people import places_of_people
from selfmva.core.scalars import real

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from selfmva.association.tracks_parts import TracksParts
    from selfmva.core.bad_boxes import BoolArray
    from selfmva.core.types import FloatArray, Frame, IntArray


@dataclass(frozen=True, eq=False)
class TrackColumns:
    """Boxes of tracks, M rows by instant, view and box; without those that are none.

    Attributes:
        instant: `(M,)` number of the instant.
        view: `(M,)` number of the view.
        box: `(M,)` row in its frame.
        ids: `(M,)` whose it is, -1 = nobody's.
        boxes: `(M, 4)` xyxy in pixels.
        scores: `(M,)`, NaN = not known.
        confidences: `(M,)`.
        filled: `(M,)` bool.
        person: `(M,)` row of `places`: of a person at an instant; -1 = nobody's.
        places: `(G, 2)` where they stand on the floor, NaN where nothing tells.
        who: `(G,)` their ids.
        when: `(G,)` number of the instant.
    """

    instant: IntArray
    view: IntArray
    box: IntArray
    ids: IntArray
    boxes: FloatArray
    scores: FloatArray
    confidences: FloatArray
    filled: BoolArray
    person: IntArray
    places: FloatArray
    who: IntArray
    when: IntArray


def pack_tracks(tracks: TracksParts, *, only: int | None = None) -> TrackColumns:
    """Pack tracks into columns.

    Args:
        tracks: The tracks.
        only: Id of the one person whose boxes are wanted; None: all boxes.
    """
    frames, V = tracks.frames, len(tracks.views)
    counts = np.array([frame.counts for frame in frames], dtype=np.int64).reshape(len(frames), V)
    ids = _joined(tracks.ids, np.int64)
    kept = ~_joined([_marks(frame) for frame in frames], bool)
    if only is not None:
        kept &= ids == only
    sizes = counts.reshape(-1)
    starts = np.cumsum(sizes) - sizes
    instants = np.array([frame.index for frame in frames], dtype=np.int64)
    instant = np.repeat(instants, counts.sum(axis=1))[kept]
    view = np.repeat(np.tile(np.arange(V), len(frames)), sizes)[kept]
    boxes = np.concatenate([np.zeros((0, 4)), *(part for frame in frames for part in frame.boxes)])[kept]
    ids = ids[kept]
    known = ids >= 0
    people, rank = np.unique(ids[known], return_inverse=True)
    moment = np.searchsorted(instants, instant[known])
    keys, person = np.unique(moment * max(1, len(people)) + rank.reshape(-1), return_inverse=True)
    row = np.full(len(ids), -1, dtype=np.int64)
    row[known] = person.reshape(-1)
    filled = tracks.filled_boxes
    return TrackColumns(
        instant=instant,
        view=view,
        box=(np.arange(len(kept)) - np.repeat(starts, sizes))[kept],
        ids=ids,
        boxes=boxes,
        scores=_joined([_scores(frame) for frame in frames], np.float64)[kept],
        confidences=_joined(tracks.confidences, np.float64)[kept],
        filled=np.zeros(len(ids), bool) if filled is None else _joined(filled, bool)[kept],
        person=row,
        places=places_of_people(tracks.floor, frames, np.flatnonzero(kept)[known], row[known], len(keys)),
        who=people[keys % max(1, len(people))],
        when=instants[keys // max(1, len(people))],
    )


def table_of_tracks(tracks: TracksParts, frames_per_second: float | None = None) -> pd.DataFrame:
    """The tidy table; see `Tracks.to_dataframe`."""
    import pandas as pd

    rate = None if frames_per_second is None else real(frames_per_second, "frames_per_second", above=0)
    packed = pack_tracks(tracks)
    speed = speeds(packed.who, packed.when, packed.places) * (rate or 1.0)
    columns: dict[str, Any] = {"frame": packed.instant}
    if rate is not None:
        columns["time"] = packed.instant / rate
    columns |= {
        "view": packed.view,
        "view_name": np.array([view.name for view in tracks.views], dtype=object)[packed.view],
        "box": packed.box,
        "id": packed.ids,
    }
    columns |= dict(zip(("x1", "y1", "x2", "y2"), packed.boxes.T, strict=True))
    columns |= {"score": packed.scores, "confidence": packed.confidences}
    of_person = np.vstack([np.column_stack([packed.places, speed]), np.full((1, 3), np.nan)])[packed.person]
    columns |= dict(zip(("floor_x", "floor_y", "speed"), of_person.T, strict=True))
    if tracks.filled_boxes is not None:
        columns["filled"] = packed.filled
    return pd.DataFrame(columns)


def speeds(who: IntArray, when: IntArray, places: FloatArray) -> FloatArray:
    """How fast people are: from where each was seen last to where they are seen next.

    Args:
        who: `(G,)` ids.
        when: `(G,)` numbers of instants, increasing for each id.
        places: `(G, 2)` where they stand; NaN where not known, which is passed over.

    Returns:
        `(G,)` an instant; NaN where the place is not known, or no other one is.

    Example:
        >>> places = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [4.0, 0.0]])
        >>> speeds(np.array([7, 7, 8, 7]), np.array([0, 1, 1, 2]), places).tolist()
        [1.0, 2.0, nan, 3.0]
    """
    result = np.full(len(who), np.nan)
    rows = np.flatnonzero(np.isfinite(places).all(axis=1))
    rows = rows[np.lexsort((when[rows], who[rows]))]
    if not len(rows):
        return result
    same = who[rows][1:] == who[rows][:-1]
    number = np.arange(len(rows))
    before = rows[number - np.concatenate([[False], same])]
    after = rows[number + np.concatenate([same, [False]])]
    time = when[after] - when[before]
    distance = np.hypot(*(places[after] - places[before]).T)
    result[rows] = np.divide(distance, time, out=np.full(len(rows), np.nan), where=time > 0)
    return result


def _joined(parts: Sequence[Sequence[Any]], dtype: type[Any]) -> Any:
    """One array of those of all instants and views."""
    return np.concatenate([np.zeros(0, dtype), *(part for one in parts for part in one)]).astype(dtype)


def _marks(frame: Frame) -> Sequence[BoolArray]:
    return [np.zeros(count, bool) for count in frame.counts] if frame.bad is None else frame.bad


def _scores(frame: Frame) -> Sequence[FloatArray]:
    return [np.full(count, np.nan) for count in frame.counts] if frame.scores is None else frame.scores
