"""The tidy table: one row per box, columns frame, view, x1, y1, x2, y2 and, where known, score and track_id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.errors import DataError, require
from selfmva.io.boxes.labels import number_views
from selfmva.io.boxes.rows import Rows, frames_from_rows, rows_from_frames
from selfmva.io.storage.atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame
    from selfmva.io.boxes.rows import Views, Where

_CORNER_COLUMNS = ["x1", "y1", "x2", "y2"]
_REQUIRED = ["frame", "view", *_CORNER_COLUMNS]


def frames_from_table(
    table: pd.DataFrame, views: Views = None, source: str = "table", *, on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    """Turn a tidy table into frames.

    Args:
        table: Columns frame (number of the instant), view, x1, y1, x2, y2 in pixels, and optionally score and
            track_id (missing = -1); further columns are left alone. A view is a number from 0 or a name; names are
            looked up in `views`, or numbered in the order of their first appearance.
        views: The views, or their number; None: as many as the table shows.
        source: Name of the table, for messages, which count rows from 0.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant in which somebody is seen, in the order of instants.

    Raises:
        DataError: A column is missing, or a row is damaged.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"frame": [3], "view": ["door"], "x1": [1], "y1": [2], "x2": [5], "y2": [9]})
        >>> frames_from_table(table)
        [Frame(index=3, boxes per view: 1)]
    """
    missing = [column for column in _REQUIRED if column not in table.columns]
    if missing:
        raise DataError(
            f"{source}: columns {', '.join(missing)} are missing; a table of boxes has {', '.join(_REQUIRED)} "
            f"and optionally score, track_id; got {', '.join(map(str, table.columns))}"
        )

    def where(row: int) -> str:
        return f"{source}, row {row}"

    by_number = table["view"].dtype.kind in "iuf"
    rows = Rows(
        instants=_numbers(table["frame"], where),
        views=_numbers(table["view"], where) if by_number else number_views(table["view"].tolist(), views, where),
        boxes=np.stack([_numbers(table[column], where).astype(np.float64) for column in _CORNER_COLUMNS], axis=1),
        scores=_numbers(table["score"], where) if "score" in table.columns else None,
        track_ids=_track_ids(table["track_id"], where) if "track_id" in table.columns else None,
    )
    return frames_from_rows(rows, views, where, on_bad_box=on_bad_box)


def table_from_frames(frames: Sequence[Frame]) -> pd.DataFrame:
    """Turn frames into a tidy table; views are numbers, so that reading it back needs no names.

    Raises:
        InputError: Two frames carry the same instant, or some have scores (or track ids) and others do not.

    Example:
        >>> from selfmva.core.types import Frame
        >>> print(table_from_frames([Frame([[[1, 2, 5, 9]]], index=3)]).to_csv(index=False), end="")
        frame,view,x1,y1,x2,y2
        3,0,1.0,2.0,5.0,9.0
    """
    import pandas as pd

    rows = rows_from_frames(frames)
    columns: dict[str, Any] = {"frame": rows.instants, "view": rows.views}
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
            return pd.read_parquet(path, engine="pyarrow")
        return pd.read_csv(path, encoding="utf-8-sig", skipinitialspace=True)
    except (OSError, ValueError) as error:
        # pandas and pyarrow derive their own errors (bad line, empty file, bad magic bytes) from these two.
        kind = "Parquet" if parquet else "CSV"
        raise DataError(f"cannot read {path} as a {kind} table: {error}") from error


def write_table(path: str | Path, frames: Sequence[Frame]) -> None:
    """Write a tidy table to a CSV or Parquet file, by its ending.

    Args:
        path: A `.csv` or `.parquet` file; replaced as a whole or not at all.
        frames: One per instant; an instant in which nobody is seen leaves no trace in this format.

    Raises:
        InputError: See `table_from_frames`.
        DataError: The file cannot be written.
        MissingDependencyError: Parquet without pyarrow.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame
        >>> with TemporaryDirectory() as folder:
        ...     write_table(Path(folder) / "boxes.csv", [Frame([[[1, 2, 5, 9]]], index=3)])
        ...     print((Path(folder) / "boxes.csv").read_text(), end="")
        frame,view,x1,y1,x2,y2
        3,0,1.0,2.0,5.0,9.0
    """
    parquet = _is_parquet(path)
    table = table_from_frames(frames)
    with atomic_write(path) as temporary:
        if parquet:
            table.to_parquet(temporary, engine="pyarrow", index=False)
        else:
            table.to_csv(temporary, index=False)


def _is_parquet(path: str | Path) -> bool:
    ending = Path(path).suffix.lower()
    if ending == ".parquet":
        require("pyarrow", "parquet")
    elif ending != ".csv":
        raise DataError(f"{path}: a table is a .csv or a .parquet file")
    return ending == ".parquet"


def _track_ids(column: pd.Series[Any], where: Where) -> NDArray[Any]:
    ids = _numbers(column, where)
    return np.where(np.isnan(ids), -1, ids)


def _numbers(column: pd.Series[Any], where: Where) -> NDArray[Any]:
    """The column as numbers; whole ones keep every digit. A word is an error that names its row."""
    import pandas as pd

    if column.dtype.kind in "iu" and not column.hasnans:
        return column.to_numpy()
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isnan(numbers) & column.notna().to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(f"{where(row)}, column {column.name}: {column.iloc[row]!r} is not a number")
    return numbers
