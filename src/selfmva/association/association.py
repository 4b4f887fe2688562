"""The result of association: who is who at one instant, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.association.people import group_boxes, places_of_groups
from selfmva.core.bad_box_frames import count_bad
from selfmva.core.view_checks import view_number
from selfmva.io.boxes.detections import frame_to_supervision
from selfmva.matching.grouping.groups import confidence
from selfmva.matching.posterior.posterior import bounded_log_odds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from selfmva.association.health.health import Problem
    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.floor import Floor


@dataclass(frozen=True, eq=False, repr=False)
class Association:
    """Which boxes of one instant are the same person.

    Attributes:
        frame: The boxes, clipped to the images; `frame.bad` marks those that are none, where any is.
        views: The cameras.
        ids: One int64 array per view, `(N,)`: boxes of one person share an id; two boxes of one view never do. Ids
            count from 0 and hold for this instant alone; -1 for a box that was left out because it is none.
        probabilities: `(N_i, N_j)` posterior for every pair of views i < j.
        calibrated: True where probabilities were learnt from the recording; False where they are only similarities
            (a converted checkpoint before `adapt`).
        floor: The common floor, None where none was found.
        problems: What the watch over the stream had noticed by then, see `selfmva.Associator.health_`; empty of a
            single instant.
        doubles: One int64 array per view, `(N,)`: the number of the box of the same view whose person a box shows once
            more, -1 for all others. Of several boxes of one person in a view, one has the id that other views share.
            The others have ids of their own, behind all others, and are not in `groups()`. Empty where no view shows
            anybody twice.
    """

    frame: Frame
    views: tuple[View, ...]
    ids: tuple[IntArray, ...]
    probabilities: Mapping[tuple[int, int], FloatArray]
    calibrated: bool = True
    floor: Floor | None = None
    problems: tuple[Problem, ...] = ()
    doubles: tuple[IntArray, ...] = ()

    @property
    def index(self) -> int:
        """Number of the instant."""
        return self.frame.index

    @property
    def dropped_boxes(self) -> int:
        """How many boxes were left out because they are none (`frame.bad`): id -1, probability 0, in no group."""
        return count_bad(self.frame)

    def probability(self, i: int, j: int) -> FloatArray:
        """Posterior that two boxes are the same person.

        Args:
            i: Number of a view.
            j: Number of a view.

        Returns:
            `(N_i, N_j)` float64 in [0, 1]; the identity matrix for i = j. 0 for boxes that were left out.

        Raises:
            InputError: There is no such view.
        """
        i, j = view_number(i, len(self.views)), view_number(j, len(self.views))
        if i == j:
            return np.diag(1.0 - self.frame.bad[i]) if self.frame.bad else np.eye(len(self.ids[i]))
        return self.probabilities[i, j] if i < j else self.probabilities[j, i].T

    def matches(self, i: int, j: int) -> IntArray:
        """Boxes of two views that are the same person.

        Args:
            i: Number of a view.
            j: Number of a view.

        Returns:
            `(K, 2)` int64 indices of boxes of view i and view j, those of view i increasing.

        Raises:
            InputError: There is no such view.
        """
        i, j = view_number(i, len(self.views)), view_number(j, len(self.views))
        return np.argwhere((self.ids[i][:, None] == self.ids[j][None, :]) & (self.ids[i] >= 0)[:, None])

    def groups(self) -> list[dict[int, int]]:
        """The people: for each, in the order of ids, the box in every view that sees them, as `{view: box}`."""
        return group_boxes(self.ids_of_people())

    def confidences(self) -> tuple[FloatArray, ...]:
        """How sure each box is of its id, against any other person of the instant and against being alone.

        Returns:
            One `(N,)` float64 array per view, in [0, 1]; see `selfmva.matching.grouping.groups.confidence`. 0 for boxes
            that were left out; for doubles that of the box that they double.
        """
        count = self.frame.counts
        start = np.cumsum([0, *count])
        odds = np.zeros((start[-1], start[-1]))
        for (i, j), block in self.probabilities.items():
            odds[start[i] : start[i + 1], start[j] : start[j + 1]] = bounded_log_odds(block)
        view, ids = np.repeat(np.arange(len(count)), count), np.concatenate(self.ids)
        known, result = np.flatnonzero(np.concatenate(self.ids_of_people()) >= 0), np.zeros(len(ids))
        result[known] = confidence((odds + odds.T)[np.ix_(known, known)], view[known], ids[known])
        if self.doubles:
            doubled = np.concatenate(self.doubles)
            result = np.where(doubled >= 0, result[start[view] + doubled], result)
        return tuple(np.split(result, start[1:-1]))

    def floor_positions(self) -> FloatArray:
        """Where the people are on the common floor, in the order of `groups()`.

        All boxes of a person are weighed by how well each one tells the place.

        Returns:
            `(G, 2)` float64 in body heights, or in the user's unit (see `Floor.with_length`); NaN for a person whom
            only views off the floor see, and everywhere where `floor` is None.
        """
        return places_of_groups(self.floor, self.frame, self.ids_of_people())

    def to_dataframe(self) -> pd.DataFrame:
        """A tidy table, one row per box: frame, view, box, id, x1, y1, x2, y2 and, where known, score and track_id.

        Where a box shows a person once more, there is a column `doubles` (see there).

        Boxes that were left out are not in it; `box` counts them all.
        The column `view` holds the number of the view, `view_name` its name.
        """
        import pandas as pd

        counts = self.frame.counts
        numbers = np.repeat(np.arange(len(self.views)), counts)
        corners = np.concatenate(self.frame.boxes) if self.frame.boxes else np.zeros((0, 4))
        columns: dict[str, Any] = {
            "frame": np.full(len(numbers), self.index),
            "view": numbers,
            "view_name": [self.views[number].name for number in numbers],
            "box": np.concatenate([np.arange(count) for count in counts]).astype(np.int64),
            "id": np.concatenate(self.ids),
        }
        columns |= {name: corners[:, k] for k, name in enumerate(("x1", "y1", "x2", "y2"))}
        optional = ("score", self.frame.scores), ("track_id", self.frame.track_ids), ("doubles", self.doubles or None)
        for name, values in optional:
            if values is not None:
                columns[name] = np.concatenate(values)
        table = pd.DataFrame(columns)
        if self.frame.bad is None:
            return table
        return table[~np.concatenate(self.frame.bad)].reset_index(drop=True)

    def ids_of_people(self) -> tuple[IntArray, ...]:
        """The ids, -1 for boxes that were left out and for doubles."""
        if not self.doubles:
            return self.ids
        return tuple(np.where(doubled < 0, ids, -1) for ids, doubled in zip(self.ids, self.doubles, strict=True))

    def to_supervision(self) -> list[Any]:
        """One `supervision.Detections` per view: the id in `tracker_id`, the name of the view in `data["view"]`.

        A box that was left out has the id -1.

        Raises:
            MissingDependencyError: supervision is not installed.
        """
        return frame_to_supervision(self.frame, self.views, self.ids)

    def __repr__(self) -> str:
        people = self.groups()
        shared = sum(len(person) > 1 for person in people)
        note = "" if self.calibrated else ", similarities instead of probabilities"
        if self.dropped_boxes:
            note += f", {_counted(self.dropped_boxes, 'box', 'boxes')} left out"
        if self.doubles:
            many = sum(np.count_nonzero(part >= 0) for part in self.doubles)
            note += f", {_counted(int(many), 'double', 'doubles')}"
        return (
            f"Association(instant {self.index}: {_counted(sum(self.frame.counts), 'box', 'boxes')} "
            f"in {len(self.views)} views, {_counted(len(people), 'person', 'people')}, "
            f"{shared} of them in several views{note})"
        )

    def _repr_html_(self) -> str:
        """A table for notebooks: one row per person, one column per view, the number of the box in each."""
        head = "".join(f"<th>{escape(view.name)}</th>" for view in self.views)
        rows = "".join(
            f"<tr><th>{number}</th>"
            + "".join(f"<td>{person.get(view, '')}</td>" for view in range(len(self.views)))
            + "</tr>"
            for number, person in enumerate(self.groups())
        )
        return f"<p>{escape(repr(self))}</p><table><tr><th>person</th>{head}</tr>{rows}</table>"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
