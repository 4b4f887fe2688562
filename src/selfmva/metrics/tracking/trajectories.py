"""Where everybody is over a recording, in packed arrays: what scores of tracking are computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries, is_one_of
from selfmva.core.bad_boxes import bad_rows, problem_of
from selfmva.core.messages import shown
from selfmva.core.scalars import integer
from selfmva.core.values import integer_array, real_array
from selfmva.core.view_names import require_distinct
from selfmva.datasets.base import LabelledDataset
from selfmva.datasets.reading import frame_of, identities_of, is_dataset, splits_of, views_of
from selfmva.errors import InputError
from selfmva.io.boxes.mot import read_mot, read_mot_truth
from selfmva.io.boxes.views import MOST_VIEWS, view_names
from selfmva.metrics.tracking.columns import columns_of_frames, columns_of_table, ids_of_frames

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.types import FloatArray, Frame, IntArray
    from selfmva.io.boxes.views import Views

MOST_INSTANTS_OF_A_CLOCK = 10_000_000  # that are counted on where nobody is: a hundred days at one a second
LARGEST_COORDINATE = 1e12  # pixels, metres or body heights: products and sums of such stay exact enough


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Boxes, or points of a floor, over a recording: one row for each box, in any order.

    Make one from what you have with `from_frames`, `from_table`, `from_mot` or `from_dataset`.

    Args:
        frames: `(N,)` int64 number of the instant.
        views: `(N,)` int64 number of the view, from 0; 0 where there are no boxes.
        ids: `(N,)` int64 who it is, the same number over all views and instants; below 0 = not known.
        boxes: `(N, 4)` xyxy in pixels, NaN where a row has none; None where no row has one.
        floor: `(N, 2)` x and y of the person on the floor, NaN where not known; None where no row has any.
        instants: `(T,)` int64 numbers of all instants, those included at which nobody is. None: from the first to the
            last of `frames` in steps of what divides all of their differences.
        view_names: What the views are called, one name a view, where that is known.
        view_count: How many views there are, where that is known; one that shows nobody counts.

    Raises:
        InputError: They are no such arrays or of different lengths, a box is none, or a row belongs to no instant or
            view.

    Example:
        >>> Trajectories(frames=[1, 2], views=[0, 0], ids=[7, 7], floor=[[0, 0], [0.5, 0]])
        Trajectories(2 rows of 1 identity, 2 instants, on the floor)
    """

    frames: IntArray
    views: IntArray
    ids: IntArray
    boxes: FloatArray | None = None
    floor: FloatArray | None = None
    instants: IntArray | None = None
    view_names: tuple[str, ...] | None = None
    view_count: int | None = None

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {
            name: integer_array(getattr(self, name), name).reshape(-1) for name in ("frames", "views", "ids")
        }
        for name, width in (("boxes", 4), ("floor", 2)):
            columns[name] = _table(getattr(self, name), name, width)
        lengths = {name: len(column) for name, column in columns.items() if column is not None}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{count} of {name}" for name, count in lengths.items())
            raise InputError(f"trajectories have one row a box in each of their columns, got {said}")
        columns["ids"] = np.maximum(columns["ids"], -1)
        columns["instants"] = _instants(self.instants, columns["frames"])
        for name, column in columns.items():
            if column is not None:
                column.flags.writeable = False
            object.__setattr__(self, name, column)
        _check_views(self)
        _check_places(self)

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        people = len(np.unique(self.ids[self.ids >= 0]))
        parts = [f"{len(self)} rows of {people} {'identity' if people == 1 else 'identities'}"]
        parts.append(f"{len(self.all_instants)} instants")
        if self.boxes is not None:
            views = self.least_views
            parts.append(f"{views} {'view' if views == 1 else 'views'}")
        if self.floor is not None:
            parts.append("on the floor")
        return f"Trajectories({', '.join(parts)})"

    @property
    def all_instants(self) -> IntArray:
        """`(T,)` int64 numbers of all instants, increasing."""
        assert self.instants is not None  # noqa: S101  # filled when made
        return self.instants

    @property
    def least_views(self) -> int:
        """How many views there are, or are seen at least."""
        return int(self.views.max(initial=-1)) + 1 if self.view_count is None else self.view_count

    @property
    def is_placed(self) -> NDArray[np.bool_]:
        """`(N,)` whether a row has a box or a position."""
        columns = [~np.isnan(part).any(axis=1) for part in (self.boxes, self.floor) if part is not None]
        return np.asarray(np.logical_or.reduce(columns))

    @classmethod
    def from_frames(cls, frames: Sequence[Frame], ids: Sequence[Sequence[ArrayLike]]) -> Trajectories:
        """From frames, and who is in their boxes.

        Args:
            frames: One per instant, in any order; `Frame.index` is its number.
            ids: One entry per frame: one `(N,)` whole numbers per view, below 0 = not known.

        Raises:
            InputError: They do not fit together, two frames carry one instant, or frames have other views than others.

        Example:
            >>> from selfmva.core.types import Frame
            >>> box = [[0, 0, 5, 9]]
            >>> Trajectories.from_frames([Frame([box, box], index=t) for t in range(3)], [[[4], [4]]] * 3)
            Trajectories(6 rows of 1 identity, 3 instants, 2 views)
        """
        return cls(**columns_of_frames(frames, ids))

    @classmethod
    def from_table(cls, table: pd.DataFrame, views: Views = None, instants: ArrayLike | None = None) -> Trajectories:
        """From a tidy table, such as that of `Tracks.to_dataframe()`.

        Args:
            table: Columns frame, id (or identity, or track_id; missing = not known), and view, x1, y1, x2, y2 in
                pixels, or floor_x and floor_y, or both; view_name says what a view is called. Further columns are
                left alone.
            views: The views or their number; None: as many as the table shows.
            instants: Numbers of all instants; see the class.

        Raises:
            InputError: This is no table, a column is missing, or a row of it is damaged.
            DataError: A view is none.

        Example:
            >>> import pandas as pd
            >>> Trajectories.from_table(pd.DataFrame({"frame": [1, 2], "id": 7, "floor_x": [0, 1], "floor_y": 0}))
            Trajectories(2 rows of 1 identity, 2 instants, on the floor)
        """
        return cls(**columns_of_table(table, views), instants=None if instants is None else _numbers(instants))

    @classmethod
    def from_mot(
        cls,
        source: str | Path | Sequence[str | Path],
        views: Views = None,
        *,
        truth: bool = False,
        instants: ArrayLike | None = None,
    ) -> Trajectories:
        """From MOT text, one file per view.

        Args:
            source: A folder of `.txt` files, one file, or the files in the order of the views; see
                `selfmva.io.read_mot`.
            views: The views or their number.
            truth: Whether this is ground truth; see `selfmva.io.boxes.mot.read_mot_truth` for what counts then.
            instants: Numbers of all instants, `range(1, length + 1)` in MOTChallenge; see the class.

        Raises:
            InputError: A path is none.
            DataError: No file, not as many as views, or a line is damaged.
        """
        frames = (read_mot_truth if truth else read_mot)(source, views)
        columns = columns_of_frames(frames, ids_of_frames(frames))
        named = view_names(views)
        return cls(
            **{
                **columns,
                "instants": None if instants is None else _numbers(instants),
                "view_names": None if named is None else tuple(named),
            }
        )

    @classmethod
    def from_dataset(cls, dataset: LabelledDataset, split: str = "test") -> Trajectories:
        """From the labels of a dataset.

        Args:
            dataset: One with identities.
            split: Which of its splits.

        Raises:
            InputError: It has no identities, or no such split.
            PluginError: It breaks its contract.

        Example:
            >>> from selfmva.datasets.simulated import Simulated
            >>> Trajectories.from_dataset(Simulated(views=2, people=3, instants=20, seed=0)).least_views
            2
        """
        if not is_dataset(dataset) or not isinstance(dataset, LabelledDataset):
            raise InputError(f"a dataset with identities(index) is needed, got {shown(dataset)}")
        splits = splits_of(dataset)
        if not is_one_of(split, splits):
            raise InputError(f"there is no split {shown(split)}; known are {', '.join(sorted(splits)) or 'none'}")
        frames = [frame_of(dataset, index) for index in splits[split]]
        columns = columns_of_frames(frames, [identities_of(dataset, index) for index in splits[split]])
        names = tuple(view.name for view in views_of(dataset))
        return cls(**{**columns, "view_names": names, "view_count": len(names)})

    def of_views(self, views: Sequence[int]) -> Trajectories:
        """Some of the views alone, in their order.

        Args:
            views: Their numbers.

        Raises:
            InputError: One is no number of a view, or stands there twice.

        Example:
            >>> both = Trajectories(frames=[1, 1], views=[0, 1], ids=[7, 7], boxes=[[0, 0, 5, 5], [1, 1, 5, 5]])
            >>> both.of_views([1]).boxes
            array([[1., 1., 5., 5.]])
        """
        V = self.least_views
        chosen = [integer(view, "a view", least=0, most=V - 1) for view in entries(views, "views", "numbers of views")]
        if len(set(chosen)) < len(chosen):
            raise InputError(f"views must be different ones, got {shown(list(views))}")
        place = np.full(V, -1)
        place[chosen] = np.arange(len(chosen))
        names = None if self.view_names is None else tuple(self.view_names[view] for view in chosen)
        return self._rows(place[self.views] >= 0).in_views(place, names, len(chosen))

    def in_views(self, numbers: IntArray, names: tuple[str, ...] | None, count: int) -> Trajectories:
        """The same with other numbers for the views.

        Args:
            numbers: `(V,)` the new number of each view.
            names: What the views are called then.
            count: How many there are then.
        """
        return replace(self, views=numbers[self.views], view_names=names, view_count=count)

    def at(self, instants: ArrayLike) -> Trajectories:
        """Some instants alone; at those of them that are not known yet, nobody is.

        Args:
            instants: Their numbers, such as `range(5000, 6001)`.

        Example:
            >>> Trajectories(frames=[1, 2, 3], views=[0, 0, 0], ids=[7, 7, 7], floor=[[0, 0]] * 3).at(range(2, 10))
            Trajectories(2 rows of 1 identity, 8 instants, on the floor)
        """
        chosen = np.unique(_numbers(instants))
        return replace(self._rows(np.isin(self.frames, chosen)), instants=chosen)

    def without_duplicates(self) -> Trajectories:
        """The first row alone of an id that stands twice in one view at one instant."""
        keys = np.stack([self.frames, self.views, self.ids], axis=1)
        first = np.zeros(len(self), bool)
        first[np.unique(keys, axis=0, return_index=True)[1]] = True
        return self._rows(first | (self.ids < 0))

    def _rows(self, mask: NDArray[np.bool_]) -> Trajectories:
        """Some of the rows."""
        return replace(
            self,
            frames=self.frames[mask],
            views=self.views[mask],
            ids=self.ids[mask],
            boxes=None if self.boxes is None else self.boxes[mask],
            floor=None if self.floor is None else self.floor[mask],
        )


def _numbers(instants: ArrayLike) -> IntArray:
    if isinstance(instants, range):
        if len(instants) > MOST_INSTANTS_OF_A_CLOCK:
            raise InputError(f"instants must be at most {MOST_INSTANTS_OF_A_CLOCK:,}, got {len(instants):,}")
        return np.arange(instants.start, instants.stop, instants.step, dtype=np.int64)
    return integer_array(instants, "instants").reshape(-1)


def _table(values: Any, name: str, width: int) -> FloatArray | None:
    """A column of `width` numbers a row."""
    if values is None:
        return None
    array = real_array(values, name)
    if array.size == 0:
        array = array.reshape(0, width)
    if array.ndim != 2 or array.shape[1] != width:
        raise InputError(f"{name} must have shape (N, {width}), got {array.shape}")
    return array


def _instants(given: ArrayLike | None, frames: IntArray) -> IntArray:
    """All instants: those that are given, or every one that a regular clock has from the first to the last."""
    if given is not None:
        return np.unique(_numbers(given))
    seen = np.unique(frames)
    if len(seen) < 3:
        return seen
    step = int(np.gcd.reduce(np.diff(seen)))
    if (int(seen[-1]) - int(seen[0])) // step > MOST_INSTANTS_OF_A_CLOCK:  # these are times
        return seen
    return np.arange(seen[0], seen[-1] + 1, step)


def _check_views(given: Trajectories) -> None:
    names, count = given.view_names, given.view_count
    if names is not None:
        names = tuple(names)
        require_distinct(names)
        object.__setattr__(given, "view_names", names)
        if count not in (None, len(names)):
            raise InputError(f"there are {count} views, but {len(names)} names of views: {', '.join(names)}")
    wrong = (given.views < 0) | (given.views >= (MOST_VIEWS if count is None else count))
    if given.boxes is not None and wrong.any():
        raise InputError(f"row {np.argmax(wrong)}: there is no view {given.views[wrong][0]}; views count from 0")


def _check_places(given: Trajectories) -> None:
    """Every row has a box or a point, and an instant."""
    if given.boxes is None and given.floor is None:
        raise InputError("trajectories need boxes, points of a floor, or both")
    if given.boxes is not None:
        bad = bad_rows(given.boxes) & ~np.isnan(given.boxes).all(axis=1)
        if bad.any():
            raise InputError(f"row {np.argmax(bad)}: {problem_of(given.boxes[np.argmax(bad)])}")
    if given.floor is not None and np.isinf(given.floor).any():
        raise InputError("floor must be finite, or NaN where a position is not known")
    for name, numbers in (("boxes", given.boxes), ("floor", given.floor)):
        if numbers is not None and np.nanmax(np.abs(numbers), initial=0) > LARGEST_COORDINATE:
            raise InputError(f"{name} must be at most {LARGEST_COORDINATE:g}, got {np.nanmax(np.abs(numbers)):g}")
    lost = ~np.isin(given.frames, given.all_instants)
    if lost.any():
        raise InputError(
            f"{np.count_nonzero(lost)} of {len(given)} rows are at instants that are not among those given, the first "
            f"at {given.frames[lost][0]}"
        )
