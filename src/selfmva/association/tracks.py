"""Who is who over a whole recording: what tracking returns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.people import group_boxes, places_of_groups
from selfmva.association.tracks_check import check_tracks
from selfmva.association.tracks_files import write_aicity, write_people_coco, write_people_mot
from selfmva.association.tracks_gaps import fill_gaps
from selfmva.association.tracks_table import pack_tracks, table_of_tracks
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.errors import InputError
from selfmva.io.boxes.detections import frame_to_supervision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from selfmva.core.bad_boxes import BoolArray
    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.floor import Floor

MOST_SHOWN = 20  # people, in a message or a notebook


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """One instant of `Tracks`.

    Attributes:
        frame: The boxes.
        views: The cameras.
        ids: One `(N,)` int64 array per view, of people over the whole recording; -1 = nobody's box.
        confidences: One `(N,)` float64 array per view: how sure each id is.
        floor: The common floor, None where there is none.
    """

    frame: Frame
    views: tuple[View, ...]
    ids: tuple[IntArray, ...]
    confidences: tuple[FloatArray, ...]
    floor: Floor | None = None

    @property
    def index(self) -> int:
        """Number of the instant."""
        return self.frame.index

    def groups(self) -> list[dict[int, int]]:
        """The people: for each, in the order of ids, the box in every view that sees them, as `{view: box}`."""
        return group_boxes(self.ids)

    def ids_of_people(self) -> tuple[IntArray, ...]:
        """The ids, as `Association.ids_of_people` has them."""
        return self.ids

    def floor_positions(self) -> FloatArray:
        """Where the people are on the floor, in the order of `groups()`; see `Association.floor_positions`."""
        return places_of_groups(self.floor, self.frame, self.ids)


@dataclass(frozen=True, eq=False, repr=False)
class Tracks:
    """Which boxes of a recording are the same person, over all views and all times.

    Attributes:
        views: The cameras.
        frames: The instants, in the order of their numbers.
        ids: For each instant one `(N,)` int64 array per view. An id belongs to one person over the whole recording;
            two boxes of one view at one instant never share it; -1 = nobody's box.
        confidences: For each instant one `(N,)` float64 array per view, in [0, 1]: how sure each id is.
        floor: The common floor, None where none was found.
        filled_boxes: For each instant one `(N,)` bool array per view: which boxes nobody saw, but `filled` put there;
            None where none are.

    Raises:
        InputError: The parts do not fit together, instants are out of order, or two boxes of a view share an id.

    Example:
        >>> from selfmva.core.types import Frame, View
        >>> frames = tuple(Frame([[[x, 9, x + 40, 90]]], index=t) for t, x in enumerate((9, 12, 15)))
        >>> ids, sure = (tuple((np.array([value]),) for _ in frames) for value in (7, 0.9))
        >>> tracks = Tracks((View("door", 160, 100),), frames, ids, sure)
        >>> tracks
        Tracks(3 instants, 1 view, 1 person, 3 boxes)
        >>> tracks.to_dataframe()["id"].tolist(), tracks.people
        ([7, 7, 7], (7,))
    """

    views: tuple[View, ...]
    frames: tuple[Frame, ...]
    ids: tuple[tuple[IntArray, ...], ...]
    confidences: tuple[tuple[FloatArray, ...], ...]
    floor: Floor | None = None
    filled_boxes: tuple[tuple[BoolArray, ...], ...] | None = None

    def __post_init__(self) -> None:
        check_tracks(self.views, self.frames, self.ids, self.confidences, self.filled_boxes)

    def __len__(self) -> int:
        """Number of instants."""
        return len(self.frames)

    def __iter__(self) -> Iterator[TrackedFrame]:
        """Instant by instant, as pictures and videos take them."""
        parts = zip(self.frames, self.ids, self.confidences, strict=True)
        return (TrackedFrame(frame, self.views, ids, sure, self.floor) for frame, ids, sure in parts)

    @property
    def people(self) -> tuple[int, ...]:
        """The ids, increasing."""
        numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(part for one in self.ids for part in one)]))
        return tuple(numbers[numbers >= 0].tolist())

    def to_dataframe(self, *, frames_per_second: float | None = None) -> pd.DataFrame:
        """A tidy table, one row per box, by instant, then view, then box. Boxes that are none are not in it.

        Args:
            frames_per_second: Instants a second, in the numbering of the frames. Where it is given, there is a column
                time in seconds, and speed is that of a second.

        Returns:
            Columns frame, view (its number), view_name, box (its row in the frame), id (-1 = nobody's), x1, y1, x2, y2
            in pixels, score (NaN where none is known), confidence; and of the person, not of the box, floor_x, floor_y
            (all boxes of the instant together; NaN where nothing tells) and speed, in the unit of the floor an instant:
            from where the person was seen last to where they are seen next. A column filled follows where gaps were
            filled.

        Raises:
            InputError: `frames_per_second` is no number above 0.
        """
        return table_of_tracks(self, frames_per_second)

    def positions(self, person: int) -> pd.DataFrame:
        """Where a person stands on the floor: columns frame, x, y in its unit, one row per instant that shows them.

        Raises:
            InputError: There is nobody of this id.
        """
        import pandas as pd

        person = self._known(person)
        columns = pack_tracks(self, only=person)
        instants, first = np.unique(columns.instant, return_index=True)
        x, y = columns.places[columns.person[first]].T
        return pd.DataFrame({"frame": instants, "x": x, "y": y})

    def where(self, person: int) -> pd.DataFrame:
        """In which boxes a person is: columns frame, view, view_name, box.

        Raises:
            InputError: There is nobody of this id.
        """
        import pandas as pd

        columns = pack_tracks(self, only=self._known(person))
        names = np.array([view.name for view in self.views], dtype=object)[columns.view]
        return pd.DataFrame({"frame": columns.instant, "view": columns.view, "view_name": names, "box": columns.box})

    def filled(self, most_gap: int = 19) -> Tracks:
        """The same with short gaps filled: where a view lost a person for a while, boxes are drawn in between.

        Args:
            most_gap: Number of successive instants, of those there are, that are filled at most.

        Returns:
            New tracks; `filled_boxes` and the column filled of its table say which boxes were put there. Their scores
            and confidences are the lower ones of the two ends. Longer gaps stay.

        Raises:
            InputError: `most_gap` is no whole number of at least 1.
        """
        return replace(self, **fill_gaps(self, integer(most_gap, "most_gap", least=1)))

    def to_mot(self, folder: str | Path) -> None:
        """Write MOT text, one file per view, without nobody's boxes; instants keep their numbers.

        Raises:
            InputError: A view's name cannot be a file's name.
            DataError: A file cannot be written.
        """
        write_people_mot(folder, self)

    def to_aicity(self, path: str | Path, *, cameras: Sequence[int] | None = None) -> None:
        """Write a submission of the AI City Challenge: camera, id, frame, x, y, width, height, -1, -1 a line.

        Args:
            path: The text file; replaced as a whole or not at all.
            cameras: Numbers of the cameras, one a view; None: 1, 2, ... in the order of views.

        Raises:
            InputError: The numbers are none, or not one a view.
            DataError: The file cannot be written.
        """
        write_aicity(path, self, cameras)

    def to_coco(self, path: str | Path) -> None:
        """Write a COCO JSON; an annotation has the id of its person as `track_id`.

        Raises:
            DataError: The file cannot be written.
        """
        write_people_coco(path, self)

    def to_supervision(self) -> list[list[Any]]:
        """For each instant one `supervision.Detections` per view, with the id in `tracker_id`.

        Raises:
            MissingDependencyError: supervision is not installed.
        """
        return [frame_to_supervision(frame, self.views, ids) for frame, ids in zip(self.frames, self.ids, strict=True)]

    def __repr__(self) -> str:
        boxes = sum(int(np.count_nonzero(part >= 0)) for one in self.ids for part in one)
        parts = [
            _counted(len(self), "instant", "instants"),
            _counted(len(self.views), "view", "views"),
            _counted(len(self.people), "person", "people"),
            _counted(boxes, "box", "boxes"),
        ]
        if self.filled_boxes is not None:
            parts[-1] += f", {sum(int(part.sum()) for one in self.filled_boxes for part in one)} of them filled"
        return f"Tracks({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """A table for notebooks: who is seen from when to when, and in how many boxes of each view."""
        columns = pack_tracks(self)
        people = np.unique(columns.ids[columns.ids >= 0])
        head = "".join(f"<th>{escape(view.name)}</th>" for view in self.views)
        rows = ""
        for identity in people[:MOST_SHOWN].tolist():
            own = columns.ids == identity
            times = np.bincount(columns.view[own], minlength=len(self.views))
            instants = columns.instant[own]
            cells = "".join(f"<td>{count or ''}</td>" for count in times.tolist())
            rows += f"<tr><th>{identity}</th><td>{instants.min()}</td><td>{instants.max()}</td>{cells}</tr>"
        more = "" if len(people) <= MOST_SHOWN else f"<p>and {len(people) - MOST_SHOWN} more</p>"
        return (
            f"<p>{escape(repr(self))}</p><table><tr><th>person</th><th>first</th><th>last</th>{head}</tr>"
            f"{rows}</table>{more}"
        )

    def _known(self, person: Any) -> int:
        """The id of a person of these tracks."""
        people = self.people
        try:
            number = integer(person, "the id of a person")
        except InputError:
            number = -1
        if number not in people:
            listed = ", ".join(map(str, people[:MOST_SHOWN])) + (", ..." if len(people) > MOST_SHOWN else "")
            raise InputError(f"there is no person {shown(person)} in these tracks; the ids are {listed or 'none'}")
        return number


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
