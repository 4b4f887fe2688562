"""MOT text, one file per view: `frame, id, left, top, width, height[, confidence, ...]` in each line."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.messages import shown
from selfmva.core.paths import as_path, is_folder
from selfmva.core.view_names import both_sets, find_views, order_by_name
from selfmva.errors import DataError, InputError
from selfmva.io.boxes.mot_truth import IGNORED, ignore_distractors, people_of_truth
from selfmva.io.boxes.rows import Rows, corners, frames_from_rows, left_top_width_height, refuse, rows_from_frames
from selfmva.io.boxes.views import view_count, view_names
from selfmva.io.storage.atomic import atomic_write
from selfmva.io.storage.text import check_end, read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import FloatArray, Frame
    from selfmva.io.boxes.rows import Where
    from selfmva.io.boxes.views import Views

logger: logging.Logger = logging.getLogger(__name__)

_UNKNOWN = -1.0  # a score that is not known


def read_mot(
    source: str | Path | Sequence[str | Path], views: Views = None, *, on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    """Read MOT text files, one per view.

    Args:
        source: A folder of `.txt` files, one file, or the files in the order of the views. In a folder the files
            named after the views (`{view.name}.txt`) are taken where `views` gives names; where no file is called
            like a view, all files are, in natural order (`cam2` before `cam10`), and the log says which is which.
        views: The views or their number, to check the number of files by.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant in which somebody is seen. The numbering of the files is kept. The seventh column,
        where every file has it, gives the scores (-1 at all boxes of an instant = not known there); ids give
        `track_ids` where any is not -1. Of ground truth in the form of MOT16 to MOT20, where the seventh column says
        whether a row counts and the eighth its class, only the pedestrians that count are read, without scores.

    Raises:
        InputError: A path is none, or `views` are none.
        DataError: No file, not as many as views, some are called like views but not all views have one, or a line is
            damaged.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "left.txt").write_text("1,-1,10,20,30,40,0.9,-1,-1,-1")
        ...     _ = (Path(folder) / "right.txt").write_text("")
        ...     read_mot(folder)
        [Frame(index=1, boxes per view: 1, 0)]
    """
    return _read(source, views, on_bad_box, truth=False)


def read_mot_truth(
    source: str | Path | Sequence[str | Path], views: Views = None, *, on_bad_box: OnBadBox = "drop"
) -> list[Frame]:
    r"""Read ground truth of tracks from MOT text files, one per view, as MOTChallenge counts it.

    Args:
        source: As in `read_mot`.
        views: As in `read_mot`.
        on_bad_box: See `selfmva.io.read_boxes`.

    Returns:
        One frame per instant in which somebody is seen, with identities in `track_ids` and without scores. Rows whose
        seventh column is 0 don't count and are left out, unless it is 0 in all rows and so says nothing. In the form
        of MOT16 to MOT20, pedestrians alone count; what a tracker may find or not (people on vehicles, people who never
        move, distractors, reflections) has the identity -1.

    Raises:
        InputError: A path is none, or `views` are none.
        DataError: As in `read_mot`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "gt.txt").write_text("1,5,10,20,30,40,1,1,1\n1,6,70,20,30,40,0,12,1")
        ...     read_mot_truth(folder)[0].track_ids
        (array([ 5, -1]),)
    """
    return _read(source, views, on_bad_box, truth=True)


def _read(source: str | Path | Sequence[str | Path], views: Views, on_bad_box: OnBadBox, *, truth: bool) -> list[Frame]:
    expected = view_count(views)
    given: object = source
    if isinstance(given, str | os.PathLike):
        paths = _view_files(as_path(given, "the path of MOT text"), views)
    elif isinstance(given, Sequence) and given and not isinstance(given, bytes):
        paths = _listed_files([as_path(path, "the path of MOT text") for path in given], views)
    else:
        raise InputError(f"expected a path or a sequence of paths, one per view, got {shown(given)}")
    if expected not in (None, len(paths)):
        names = ", ".join(path.name for path in paths)
        raise DataError(f"{source}: {len(paths)} files for {expected} views; give one .txt file per view, got {names}")
    tables = [_read_table(path) for path in paths]
    starts = np.cumsum([0, *map(len, tables)])

    def where(row: int) -> str:
        view = int(np.searchsorted(starts, kept[row], side="right")) - 1
        return f"{paths[view]}:{_line_number(paths[view], int(kept[row] - starts[view]))}"

    people = [people_of_truth(table) for table in tables]
    counted = [_all_where(found, table) for found, table in zip(people, tables, strict=True)]
    if truth:
        tables = [ignore_distractors(table, found) for table, found in zip(tables, people, strict=True)]
        marked = any(table.shape[1] > 6 and table[:, 6].any() for table in tables)
        counted = [
            (table[:, 1] == IGNORED) | (found if table.shape[1] < 7 or not marked else found & (table[:, 6] != 0))
            for found, table in zip(counted, tables, strict=True)
        ]
    kept = np.flatnonzero(np.concatenate(counted))
    filled = [table for table in tables if len(table)] or [np.empty((0, 7))]
    scored = not truth and all(table.shape[1] > 6 for table in filled) and all(found is None for found in people)
    table = np.concatenate([table[:, : 6 + scored] for table in filled])[kept]
    rows = Rows(
        instants=table[:, 0],
        views=np.repeat(np.arange(len(paths)), np.diff(starts))[kept],
        boxes=corners(table[:, 2:6]),
        scores=_known_scores(table[:, 6], table[:, 0], where) if scored else None,
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
        InputError: A view's name cannot be a file's name, two are called the same, or the number of views is unknown or
            differs.
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
    names = view_names(views) or [f"view{v}" for v in range(V)]
    if V == 0 or view_count(views) not in (None, V):
        raise InputError(
            f"frames of {V} views cannot be written as {view_count(views)} views; give the views they have"
        )
    for name in names:
        if Path(name).name != name:
            raise InputError(f"view {shown(name)}: this name cannot be a file's name; give the view another")
    if len({name.casefold() for name in names}) < len(names):  # some file systems don't tell capitals apart
        raise InputError(f"views {', '.join(names)}: two differ in capitals alone, and would be one file; rename one")
    boxes = left_top_width_height(rows.boxes)
    ids = np.full(len(boxes), -1) if rows.track_ids is None else rows.track_ids
    scores = np.ones(len(boxes)) if rows.scores is None else np.where(np.isnan(rows.scores), _UNKNOWN, rows.scores)
    lines = np.array(
        [
            f"{instant},{track},{','.join(map(repr, box))},{score!r},-1,-1,-1\n"
            for instant, track, box, score in zip(
                rows.instants.tolist(), ids.tolist(), boxes.tolist(), scores.tolist(), strict=True
            )
        ],
        dtype=object,
    )
    target = as_path(folder, "the folder of MOT text")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (OSError, UnicodeEncodeError) as error:
        raise DataError(f"cannot make the folder {folder}: {getattr(error, 'strerror', None) or error}") from error
    for number, name in enumerate(names):
        with atomic_write(target / f"{name}.txt") as temporary:
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
    if not is_folder(source):
        return [source]
    try:
        files = sorted((path for path in source.iterdir() if _is_text(path)), key=natural_order)
    except OSError as error:
        raise DataError(f"cannot read the folder {source}: {error.strerror or error}") from error
    if not files:
        raise DataError(f"{source}: no .txt file in this folder; MOT text has one file per view")
    names = view_names(views)
    return files if names is None else _files_by_name(source, files, names)


def _listed_files(files: list[Path], views: Views) -> list[Path]:
    """Files in the order of the views, if they are called like these, or else in their own."""
    names = view_names(views)
    order = None if names is None or len(names) != len(files) else _order(files, names)
    return files if order is None else [files[number] for number in order]


def _order(files: list[Path], names: list[str]) -> list[int] | None:
    try:
        return order_by_name([path.stem for path in files], names, "files")
    except InputError as error:
        raise DataError(str(error)) from error


def _is_text(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and not path.name.startswith(".") and not is_folder(path)


def _files_by_name(source: Path, files: list[Path], names: list[str]) -> list[Path]:
    """The files that are called like the views; all in their order where none is."""
    stems = [path.stem for path in files]
    file_of = {place: path for place, path in zip(find_views(stems, names), files, strict=True) if place is not None}
    exact = {names.index(path.stem): path for path in files if path.stem in names}
    file_of |= exact
    if not file_of:
        if len(files) == len(names):
            taken = ", ".join(f"{path.name} for {name}" for path, name in zip(files, names, strict=True))
            logger.warning("%s: no file is called like a view, so they are taken in this order: %s", source, taken)
        return files
    if len(file_of) < len(names):
        missing = next(name for number, name in enumerate(names) if number not in file_of)
        raise DataError(
            f"{source}: {both_sets(stems, names, 'files')}: {missing}.txt is missing; call all files like the views "
            "(an empty one where a view shows nobody), or none"
        )
    return [file_of[number] for number in range(len(names))]


def _all_where(people: NDArray[np.bool_] | None, table: FloatArray) -> NDArray[np.bool_]:
    return np.ones(len(table), dtype=bool) if people is None else people


def _known_scores(scores: FloatArray, instants: FloatArray, where: Where) -> FloatArray:
    """The scores, NaN where an instant has none: -1 at all its boxes."""
    refuse(np.isnan(scores), where, lambda row: f"score {scores[row]} is not a finite number")
    given = np.isin(instants, instants[scores != _UNKNOWN])
    return np.where(given, scores, np.nan)


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
    check_end(text, str(path))
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
