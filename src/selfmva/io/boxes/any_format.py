"""One door to every box format: which one it is, is told by the ending and the content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from selfmva.core.paths import as_path, is_folder, require_file
from selfmva.errors import DataError, InputError
from selfmva.io.boxes.coco import parse_coco, write_coco
from selfmva.io.boxes.mot import read_mot, write_mot
from selfmva.io.boxes.selfmva_json import parse_selfmva, write_selfmva
from selfmva.io.boxes.table import read_table, write_table
from selfmva.io.boxes.views import view_count
from selfmva.io.storage.text import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.core.bad_boxes import OnBadBox
    from selfmva.core.types import Frame
    from selfmva.io.boxes.views import Views

_FORMATS = "a .json file (Self-MVA or COCO), a .csv or .parquet table, a .txt file or a folder of them (MOT)"


def read_boxes(path: str | Path, views: Views = None, *, on_bad_box: OnBadBox = "drop") -> list[Frame]:
    """Read the boxes of a recording from a file in any of the formats of `selfmva.io`.

    Args:
        path: A Self-MVA or COCO `.json` file, a `.csv` or `.parquet` table, an MOT `.txt` file or a folder of one
            `.txt` file per view.
        views: The views, or their number; None: as many as the file shows. Whatever calls a view by its name belongs
            to the view of that name, also where names are numbers.
        on_bad_box: `"drop"` leaves out boxes that are not finite or without area, which `Frame.dropped` counts;
            `"raise"` makes the first of them an error.

    Returns:
        One frame per instant, in the order of instants; numbers may be missing in between.

    Raises:
        InputError: The path is none, or the views are none.
        DataError: No such file, none of these formats, a damaged file, one of other views, or most of its boxes are
            bad.

    Warns:
        BadBoxWarning: Boxes were left out, once a file.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "boxes.json"
        ...     _ = path.write_text('{"9": [[5, 5, 20, 40, -1, 1]]}')
        ...     read_boxes(path)
        [Frame(index=9, boxes per view: 0, 1)]
    """
    path = as_path(path, "the path of the boxes")
    view_count(views)  # what are no views is said first
    if is_folder(path):
        return read_mot(path, views, on_bad_box=on_bad_box)
    require_file(path, _FORMATS)
    ending = path.suffix.lower()
    if ending == ".txt":
        return read_mot(path, views, on_bad_box=on_bad_box)
    if ending in {".csv", ".parquet"}:
        return read_table(path, views, on_bad_box=on_bad_box)
    if ending != ".json":
        raise DataError(f"{path}: not a format known here; expected {_FORMATS}")
    data = read_json(path)
    parse = parse_coco if isinstance(data, Mapping) and {"images", "annotations"} & set(data) else parse_selfmva
    return parse(data, views, source=str(path), on_bad_box=on_bad_box)


def write_boxes(path: str | Path, frames: Sequence[Frame], views: Views = None) -> None:
    """Write the boxes of a recording; the ending chooses the format.

    Args:
        path: `.coco.json`: COCO; other `.json`: Self-MVA; `.csv`, `.parquet`: tidy table; `.txt`: MOT of a single
            view; no ending: a folder of MOT files.
        frames: One per instant.
        views: The views, or their number; see the writers of each format.

    Raises:
        InputError: No format has this ending, or the frames do not fit the format.
        DataError: The file cannot be written; what was there before is unchanged.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from selfmva.core.types import Frame
        >>> with TemporaryDirectory() as folder:
        ...     write_boxes(Path(folder) / "boxes.csv", [Frame([[[5, 5, 25, 45]]], index=9)])
        ...     read_boxes(Path(folder) / "boxes.csv")
        [Frame(index=9, boxes per view: 1)]
    """
    path = as_path(path, "the path of the boxes")
    ending = path.suffix.lower()
    if path.name.lower().endswith(".coco.json"):
        write_coco(path, frames, views)
    elif ending == ".json":
        write_selfmva(path, frames, views)
    elif ending in {".csv", ".parquet"}:
        write_table(path, frames, views)
    elif not ending:
        write_mot(path, frames, views)
    else:
        raise InputError(f"{path}: cannot write this ending; expected .json, .coco.json, .csv, .parquet or a folder")
