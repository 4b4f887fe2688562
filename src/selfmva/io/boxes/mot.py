"""MOT text, one file per view: `frame, id, left, top, width, height[, confidence, ...]` in each line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.types import View
from selfmva.errors import DataError, InputError
from selfmva.io.boxes.rows import Rows, corners, frames_from_rows, left_top_width_height, rows_from_frames, view_count
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import read_text

if TYPE_CHECKING:
    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import FloatArray, Frame
    from selfmva.io.boxes.rows import Views


def read_mot(
    source: str | Path | Sequence[str | Path], views: Views = None, *, on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    """Read MOT text files, one per view.

    Args:
        source: A folder of `.txt` files, one file, or the files in the order of the views. In a folder the files
            named after the views (`{view.name}.txt`) are taken where `views` gives names and all are there; else
            all files, in natural order (`cam2` before `cam10`).
        views: The views or their number, to check the number of files by.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant in which somebody is seen. The numbering of the files is kept. The seventh column,
        where every file has it, gives the scores; ids give `track_ids` where any is not -1.

    Raises:
        DataError: No file, not as many as views, or a line is damaged.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "left.txt").write_text("1,-1,10,20,30,40,0.9,-1,-1,-1")
        ...     _ = (Path(folder) / "right.txt").write_text("")
        ...     read_mot(folder)
        [Frame(index=1, boxes per view: 1, 0)]
    """
    paths = _view_files(Path(source), views) if isinstance(source, str | Path) else [Path(p) for p in source]
    expected = view_count(views)
    if expected not in (None, len(paths)):
        names = ", ".join(path.name for path in paths)
        raise DataError(f"{source}: {len(paths)} files for {expected} views; give one .txt file per view, got {names}")
    tables = [_read_table(path) for path in paths]
    counts = [len(table) for table in tables]
    starts = np.cumsum([0, *counts])

    def where(row: int) -> str:
        view = int(np.searchsorted(starts, row, side="right")) - 1
        return f"{paths[view]}:{_line_number(paths[view], row - int(starts[view]))}"

    filled = [table for table in tables if len(table)] or [np.empty((0, 7))]
    width = min(7, *(table.shape[1] for table in filled))
    table = np.concatenate([table[:, :width] for table in filled])
    rows = Rows(
        instants=table[:, 0],
        views=np.repeat(np.arange(len(paths)), counts),
        boxes=corners(table[:, 2:6]),
        scores=table[:, 6] if width == 7 else None,
        track_ids=table[:, 1],
    )
    return frames_from_rows(rows, views if isinstance(views, Sequence) else len(paths), where, on_bad_box=on_bad_box)


def write_mot(folder: str | Path, frames: Sequence[Frame], views: Views = None) -> None:
    r"""Write MOT text files, one per view: `{view.name}.txt`, or `view{number}.txt` where views have no names.

    Args:
        folder: The folder; made where it is missing. Each file is replaced as a whole or not at all.
        frames: One per instant; an instant in which nobody is seen leaves no trace in this format.
        views: The views or their number.

    Raises:
        InputError: A view's name cannot be a file's name, the number of views is unknown or differs.
        DataError: A file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame
        >>> with TemporaryDirectory() as folder:
        ...     write_mot(folder, [Frame([[[10, 20, 40, 60]], []], index=1)])
        ...     (Path(folder) / "view0.txt").read_text()
        '1,-1,10.0,20.0,30.0,40.0,1.0,-1,-1,-1\n'
    """
    rows = rows_from_frames(frames)
    V = len(frames[0]) if frames else view_count(views) or 0
    names = [view.name for view in views] if isinstance(views, Sequence) else [f"view{v}" for v in range(V)]
    if V == 0 or view_count(views) not in (None, V):
        raise InputError(
            f"frames of {V} views cannot be written as {view_count(views)} views; give the views they have"
        )
    for name in names:
        if Path(name).name != name or "\0" in name:
            raise InputError(f"view {name!r}: this name cannot be a file's name; give the view another")
    boxes = left_top_width_height(rows.boxes)
    ids = np.full(len(boxes), -1) if rows.track_ids is None else rows.track_ids
    scores = np.ones(len(boxes)) if rows.scores is None else rows.scores
    lines = np.array(
        [
            f"{instant},{track},{','.join(map(repr, box))},{score!r},-1,-1,-1\n"
            for instant, track, box, score in zip(
                rows.instants.tolist(), ids.tolist(), boxes.tolist(), scores.tolist(), strict=True
            )
        ],
        dtype=object,
    )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        with atomic_write(Path(folder) / f"{name}.txt") as temporary:
            temporary.write_text("".join(lines[rows.views == number]), encoding="utf-8")


def natural_order(path: Path) -> list[tuple[bool, int, str]]:
    """Sort key that puts `cam2` before `cam10`.

    Example:
        >>> sorted([Path("cam10"), Path("cam2")], key=natural_order)[0].name
        'cam2'
    """
    parts = re.findall(r"\d+|\D+", path.name)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _view_files(source: Path, views: Views) -> list[Path]:
    if not source.is_dir():
        return [source]
    if isinstance(views, Sequence) and all(isinstance(view, View) for view in views):
        named = [source / f"{view.name}.txt" for view in views]
        if all(path.is_file() for path in named):
            return named
    files = sorted((path for path in source.glob("*.txt") if path.is_file()), key=natural_order)
    if not files:
        raise DataError(f"{source}: no .txt file in this folder; MOT text has one file per view")
    return files


def _read_table(path: Path) -> FloatArray:
    """The numbers of a file, one row per line that is not blank."""
    text = read_text(path)
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return np.empty((0, 7))
    try:
        table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    except ValueError as error:
        raise DataError(_first_problem(path, lines, len(lines[0].split(",")))) from error
    if table.shape[1] < 6:
        raise DataError(_first_problem(path, lines, 6))
    return table


def _first_problem(path: Path, lines: list[str], columns: int) -> str:
    """What is wrong with the first line that is."""
    for row, line in enumerate(lines):
        fields = line.split(",")
        place = f"{path}:{_line_number(path, row)}"
        if len(fields) < 6 or len(fields) != columns:
            return (
                f"{place}: expected {max(columns, 6)} columns (frame,id,left,top,width,height,...), got {len(fields)}"
            )
        for field in fields:
            try:
                float(field)
            except ValueError:
                return f"{place}: {field.strip()!r} is not a number"
    return f"{path}: not a file of numbers separated by commas"


def _line_number(path: Path, row: int) -> int:
    """The number, from 1, of the `row`-th line that is not blank."""
    filled = (number for number, line in enumerate(read_text(path).splitlines(), start=1) if line.strip())
    return next(islice(filled, row, None))
