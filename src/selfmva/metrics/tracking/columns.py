"""The columns of trajectories, from frames and from tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.messages import shown
from selfmva.core.types import Frame
from selfmva.core.values import integer_array, real_array
from selfmva.core.view_checks import check_view_count
from selfmva.errors import InputError
from selfmva.io.boxes.labels import number_views
from selfmva.io.boxes.views import view_count, view_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.io.boxes.views import Views

_IDS = ("id", "identity", "track_id")
_CORNERS = ("x1", "y1", "x2", "y2")
_FLOOR = ("floor_x", "floor_y")


def columns_of_frames(frames: Sequence[Frame], ids: Sequence[Sequence[ArrayLike]]) -> dict[str, Any]:
    """What `Trajectories` needs of frames, and of who is in their boxes.

    Raises:
        InputError: They do not fit together, two frames carry one instant, or frames have other views than others.
    """
    given = entries(frames, "frames", "one Frame per instant")
    who = entries(ids, "ids", "one entry per frame")
    if len(given) != len(who):
        raise InputError(f"ids must have one entry per frame, got {len(who)} for {len(given)} frames")
    strange = next((frame for frame in given if not isinstance(frame, Frame)), None)
    if strange is not None:
        raise InputError(f"frames must be Frame, got {shown(strange)}")
    instants = np.array([frame.index for frame in given], dtype=np.int64)
    numbers, times = np.unique(instants, return_counts=True)
    if (times > 1).any():
        twice = numbers[times > 1][0]
        raise InputError(f"two frames carry the instant {twice}; number them with Frame(boxes, index=t)")
    V = len(given[0]) if len(given) else 0
    for frame in given:
        check_view_count(frame.index, len(frame), V, f"instant {instants[0]} has")
    people = [part for frame, one in zip(given, who, strict=True) for part in _ids_of(frame, one)]
    counts = np.array([frame.counts for frame in given], dtype=np.int64).reshape(len(given), V)
    good = ~np.concatenate([np.zeros(0, bool), *(mark for frame in given for mark in _marks(frame))])
    return {
        "frames": np.repeat(instants, counts.sum(axis=1))[good],
        "views": np.repeat(np.tile(np.arange(V), len(given)), counts.reshape(-1))[good],
        "ids": np.concatenate([np.zeros(0, np.int64), *people])[good],
        "boxes": np.concatenate([np.zeros((0, 4)), *(boxes for frame in given for boxes in frame.boxes)])[good],
        "instants": instants,
        "view_names": next((frame.view_names for frame in given if frame.view_names is not None), None),
        "view_count": V,
    }


def ids_of_frames(frames: Sequence[Frame]) -> list[Sequence[IntArray]]:
    """The track ids that frames carry, -1 where they carry none."""
    nobody = [[np.full(count, -1, dtype=np.int64) for count in frame.counts] for frame in frames]
    return [none if frame.track_ids is None else frame.track_ids for frame, none in zip(frames, nobody, strict=True)]


def columns_of_table(table: pd.DataFrame, views: Views = None) -> dict[str, Any]:
    """What `Trajectories` needs of a tidy table.

    Raises:
        InputError: This is no table, a column is missing or damaged.
        DataError: A view is none.
    """
    import pandas as pd

    given: object = table
    if not isinstance(given, pd.DataFrame):
        raise InputError(f"expected a pandas DataFrame, got {shown(given)}")
    names = [str(name) for name in table.columns]
    people = next((name for name in _IDS if name in names), "id")
    boxed, standing = set(_CORNERS) <= set(names), set(_FLOOR) <= set(names)
    needed = ["frame", people]
    if boxed:
        needed += [] if "view_name" in names else ["view"]
    elif not standing:
        needed += ["view", *_CORNERS]
    missing = [name for name in needed if name not in names]
    if missing or len(set(needed) & set(names)) < len(needed):
        raise InputError(
            f"the table has no column {', '.join(missing)}; tracks have frame, id, and view, x1, y1, x2, y2 or "
            f"floor_x, floor_y; got {', '.join(names) or 'none'}"
        )
    twice = next((name for name in (*needed, *_CORNERS, *_FLOOR, "view_name") if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"the column {twice} stands there {names.count(twice)} times; keep one of them")
    where = _views(table, views) if boxed else {"views": np.zeros(len(table), np.int64)}
    return {
        "frames": integer_array(table["frame"].to_numpy(), "the column frame"),
        "ids": _known(table[people]),
        "boxes": np.stack([_reals(table[name]) for name in _CORNERS], axis=1) if boxed else None,
        "floor": np.stack([_reals(table[name]) for name in _FLOOR], axis=1) if standing else None,
        **where,
    }


def _ids_of(frame: Frame, ids: Sequence[ArrayLike]) -> list[IntArray]:
    """Who is in the boxes of a frame: one array per view."""
    what = f"instant {frame.index}: ids"
    arrays = [integer_array(part, what).reshape(-1) for part in entries(ids, what, "one array per view")]
    if tuple(map(len, arrays)) != frame.counts:
        raise InputError(
            f"{what} must have one entry per box, got {[len(part) for part in arrays]} for {list(frame.counts)} boxes"
        )
    return arrays


def _marks(frame: Frame) -> Sequence[NDArray[np.bool_]]:
    """Which boxes are none."""
    return [np.zeros(count, bool) for count in frame.counts] if frame.bad is None else frame.bad


def _views(table: pd.DataFrame, views: Views) -> dict[str, Any]:
    """The view of each row, and what is known of the views."""
    known = view_names(views)
    named = "view_name" in table.columns and (known is not None or "view" not in table.columns)
    column = table["view_name" if named else "view"]
    codes, labels = column.factorize()
    if (codes < 0).any():
        raise InputError(f"row {np.argmax(codes < 0)}: the view is missing")
    of_label = number_views(list(labels), views, lambda label: f"row {np.argmax(codes == label)}")
    numbers = of_label[codes] if len(codes) else np.zeros(0, np.int64)
    if known is None and "view_name" in table.columns:
        known = _names(numbers, table["view_name"].to_numpy())
    elif known is None and any(isinstance(label, str) and not label.strip().lstrip("-").isdigit() for label in labels):
        known = _names(numbers, column.to_numpy())
    return {
        "views": numbers,
        "view_names": None if known is None else tuple(known),
        "view_count": view_count(views),
    }


def _names(numbers: IntArray, names: NDArray[Any]) -> list[str] | None:
    """What the views are called; None where one of them shows nobody, so that its name is not known."""
    seen, first = np.unique(numbers, return_index=True)
    found = [str(name) for name in names[first]]
    complete = len(seen) and int(seen[-1]) == len(seen) - 1 and len(set(found)) == len(found)
    return found if complete else None


def _known(column: pd.Series[Any]) -> IntArray:
    """Identities, -1 where one is missing."""
    present = column.notna().to_numpy()
    ids = np.full(len(column), -1, dtype=np.int64)
    ids[present] = integer_array(column[present].to_numpy(), f"the column {column.name}")
    return ids


def _reals(column: pd.Series[Any]) -> FloatArray:
    """Numbers, NaN where one is missing."""
    present = column.notna().to_numpy()
    numbers = np.full(len(column), np.nan)
    numbers[present] = real_array(column[present].to_numpy(), f"the column {column.name}")
    return numbers
