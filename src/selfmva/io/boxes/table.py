"""The tidy table: one row per box, columns frame, view, x1, y1, x2, y2 and, where known, score and track_id."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.paths import as_path, require_file
from selfmva.errors import DataError, InputError, require
from selfmva.io.boxes.labels import number_views
from selfmva.io.boxes.rows import Rows, frames_from_rows, require_view_count, rows_from_frames
from selfmva.io.boxes.table_file import parse_csv
from selfmva.io.boxes.views import view_names
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame
    from selfmva.io.boxes.rows import Where
    from selfmva.io.boxes.views import Views

_CORNER_COLUMNS = ["x1", "y1", "x2", "y2"]
_REQUIRED = ["frame", "view", *_CORNER_COLUMNS]
_READ = [*_REQUIRED, "view_name", "score", "track_id"]


def frames_from_table(
    table: pd.DataFrame, views: Views = None, source: str = "table", *, on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    """Turn a tidy table into frames.

    Args:
        table: Columns frame (number of the instant), view, x1, y1, x2, y2 in pixels, and optionally view_name, score
            (missing at all boxes of an instant = not known there) and track_id (missing = -1); further columns are
            left alone. Where `views` has names, view_name says which view a row belongs to, whatever its number is; or
            the column view does, where anything in it is a name of a view: numbers that are names are names. Else a
            view is a number from 0; or names are numbered in the order of their first appearance.
        views: The views, or their number; None: as many as the table shows.
        source: Name of the table, for messages, which count rows from 0.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant in which somebody is seen, in the order of instants.

    Raises:
        InputError: This is no table, or the views are none.
        DataError: A column is missing, or a row is damaged.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"frame": [3], "view": ["door"], "x1": [1], "y1": [2], "x2": [5], "y2": [9]})
        >>> frames_from_table(table)
        [Frame(index=3, boxes per view: 1)]
    """
    _check_columns(table, source)

    def where(row: int) -> str:
        return f"{source}, row {row}"

    rows = Rows(
        instants=_numbers(table["frame"], where),
        views=_views(table, views, where),
        boxes=np.stack([_numbers(table[column], where).astype(np.float64) for column in _CORNER_COLUMNS], axis=1),
        scores=_numbers(table["score"], where) if "score" in table.columns else None,
        track_ids=_track_ids(table["track_id"], where) if "track_id" in table.columns else None,
    )
    return frames_from_rows(rows, views, where, on_bad_box=on_bad_box)


def table_from_frames(frames: Sequence[Frame], views: Views = None) -> pd.DataFrame:
    """Turn frames into a tidy table; views are numbers, so that reading it back needs no names.

    Args:
        frames: One per instant.
        views: The views, whose names go to a column view_name, by which they are found again whatever the order; or
            their number.

    Raises:
        InputError: Two frames carry the same instant, or have another number of views.

    Example:
        >>> from selfmva.core.types import Frame
        >>> print(table_from_frames([Frame([[[1, 2, 5, 9]]], index=3)]).to_csv(index=False), end="")
        frame,view,x1,y1,x2,y2
        3,0,1.0,2.0,5.0,9.0
    """
    import pandas as pd

    rows = rows_from_frames(frames)
    require_view_count(frames, views)
    columns: dict[str, Any] = {"frame": rows.instants, "view": rows.views}
    names = view_names(views)
    if names is not None:
        columns["view_name"] = np.array(names, dtype=object)[rows.views]
    columns |= dict(zip(_CORNER_COLUMNS, rows.boxes.T, strict=True))
    if rows.scores is not None:
        columns["score"] = rows.scores
    if rows.track_ids is not None:
        columns["track_id"] = rows.track_ids
    return pd.DataFrame(columns)


def read_table(path: str | Path, views: Views = None, *, on_bad_box: OnBadBox = "drop") -> list[Frame]:
    r"""Read a tidy table from a CSV or Parquet file, by its ending.

    Args:
        path: A `.csv` file, or a `.parquet` file (needs `pip install 'selfmva[parquet]'`).
        views: As in `frames_from_table`.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant in which somebody is seen.

    Raises:
        DataError: The file cannot be read, or a row of it is damaged.
        MissingDependencyError: Parquet without pyarrow.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "boxes.csv"
        ...     _ = path.write_text("frame,view,x1,y1,x2,y2\n3,0,1,2,5,9\n")
        ...     read_table(path)
        [Frame(index=3, boxes per view: 1)]
    """
    return frames_from_table(load_table(path), views, source=str(path), on_bad_box=on_bad_box)


def load_table(path: str | Path) -> pd.DataFrame:
    """Load a CSV or Parquet file, by its ending, whatever its columns are.

    Raises:
        DataError: The file cannot be read.
        MissingDependencyError: Parquet without pyarrow.
    """
    import pandas as pd

    parquet = _is_parquet(path)
    try:
        if parquet:
            require_file(as_path(path, "the path of a table"), "a Parquet table")
            return pd.read_parquet(path, engine="pyarrow")
        return parse_csv(read_text(path), str(path))
    except (DataError, InputError):
        raise
    except (OSError, ValueError) as error:
        # pandas and pyarrow derive their own errors (bad line, empty file, bad magic bytes) from these two.
        kind = "Parquet" if parquet else "CSV"
        raise DataError(f"cannot read {path} as a {kind} table: {error}") from error


def write_table(path: str | Path, frames: Sequence[Frame], views: Views = None) -> None:
    """Write a tidy table to a CSV or Parquet file, by its ending.

    Args:
        path: A `.csv` or `.parquet` file; replaced as a whole or not at all.
        frames: One per instant; an instant in which nobody is seen leaves no trace in this format.
        views: As in `table_from_frames`.

    Raises:
        InputError: See `table_from_frames`.
        DataError: The file cannot be written.
        MissingDependencyError: Parquet without pyarrow.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame
        >>> with TemporaryDirectory() as folder:
        ...     write_table(Path(folder) / "boxes.csv", [Frame([[[1, 2, 5, 9]]], index=3)])
        ...     print((Path(folder) / "boxes.csv").read_text(), end="")
        frame,view,x1,y1,x2,y2
        3,0,1.0,2.0,5.0,9.0
    """
    parquet = _is_parquet(path)
    table = table_from_frames(frames, views)
    with atomic_write(path) as temporary:
        if parquet:
            table.to_parquet(temporary, engine="pyarrow", index=False)
        else:
            table.to_csv(temporary, index=False)


def _is_parquet(path: str | Path) -> bool:
    ending = as_path(path, "the path of a table").suffix.lower()
    if ending == ".parquet":
        require("pyarrow", "parquet")
    elif ending != ".csv":
        raise DataError(f"{path}: a table is a .csv or a .parquet file")
    return ending == ".parquet"


def _check_columns(table: pd.DataFrame, source: str) -> None:
    import pandas as pd

    given: object = table
    if not isinstance(given, pd.DataFrame):
        raise InputError(f"{source}: expected a pandas DataFrame, got {type(given).__name__}")
    if table.columns.nlevels > 1:
        raise DataError(f"{source}: columns have {table.columns.nlevels} levels; give a table with plain column names")
    columns = list(table.columns)
    missing = [column for column in _REQUIRED if column not in columns and not _stands_for(column, columns)]
    if missing:
        raise DataError(
            f"{source}: columns {', '.join(missing)} are missing; a table of boxes has {', '.join(_REQUIRED)} "
            f"and optionally view_name, score, track_id; got {', '.join(map(str, columns))}"
        )
    twice = [column for column in _READ if columns.count(column) > 1]
    if twice:
        raise DataError(
            f"{source}: the column {twice[0]} stands there {columns.count(twice[0])} times; keep one of them"
        )


def _stands_for(column: str, columns: Sequence[Any]) -> bool:
    return column == "view" and "view_name" in columns


def _views(table: pd.DataFrame, views: Views, where: Where) -> NDArray[Any]:
    """The number of the view of each row."""
    named = "view_name" in table.columns and (view_names(views) is not None or "view" not in table.columns)
    column = table["view_name" if named else "view"]
    codes, labels = column.factorize()
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise DataError(f"{where(row)}: the view is missing (view nan is not a finite number)")
    numbers = number_views(list(labels), views, lambda label: where(int(np.argmax(codes == label))))
    return np.asarray(numbers[codes])


def _track_ids(column: pd.Series[Any], where: Where) -> NDArray[Any]:
    ids = _numbers(column, where)
    return np.where(np.isnan(ids), -1, ids)


def _numbers(column: pd.Series[Any], where: Where) -> NDArray[Any]:
    """The column as numbers; whole ones keep every digit. A word is an error that names its row."""
    import pandas as pd

    kind = getattr(column.dtype, "kind", "O")
    if kind in "iu" and not column.hasnans:
        return column.to_numpy()
    if kind in "bcmMSUV":  # of these, pandas makes numbers that mean nothing
        raise DataError(f"{where(0)}, column {column.name}: {column.dtype} is no type of number; convert it first")
    present = column.notna().to_numpy()
    if kind not in "iuf":
        _require_numbers(present & ~column.map(_may_be_number).to_numpy(dtype=bool), column, where)
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    _require_numbers(present & np.isnan(numbers), column, where)
    return numbers


def _require_numbers(wrong: NDArray[np.bool_], column: pd.Series[Any], where: Where) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"{where(row)}, column {column.name}: {shown(column.iloc[row])} is not a number")


def _may_be_number(value: Any) -> bool:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool) and abs(int(value)) < 2**1023
    return whole or isinstance(value, str | float | np.floating | Decimal)
