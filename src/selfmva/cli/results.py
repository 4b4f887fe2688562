"""The files in which `selfmva associate` leaves who is who."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from selfmva.association.association import Association
    from selfmva.core.types import Frame

TABLE = "people.csv"  # in a folder


def result_path(text: str) -> Path:
    """Read where the result goes: a file of a known ending, or a folder.

    Example:
        >>> result_path("people.csv").name, result_path("today/").name
        ('people.csv', 'today')
    """
    path = Path(text)
    if path.suffix.lower() not in {"", *FORMATS} and not text.endswith("/") and not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"expected a file that ends in {', '.join(FORMATS)}, or a folder, got {text!r}"
        )
    return path


def is_folder(path: Path) -> bool:
    """Whether a result goes into a folder."""
    return path.suffix.lower() not in FORMATS


def _pack_frame(association: Association) -> Frame:
    from selfmva.core.bad_box_frames import without_bad_boxes

    return without_bad_boxes(replace(association.frame, track_ids=association.ids, images=None, features=None))


def _write_frames(path: Path, frames: Sequence[Frame]) -> None:
    from selfmva.io.boxes.selfmva_json import write_selfmva

    write_selfmva(path, frames)


def _pack_table(association: Association) -> pd.DataFrame:
    return association.to_dataframe()


def write_table(path: Path, tables: Sequence[pd.DataFrame]) -> None:
    """Write tables below each other, as `.csv` or `.parquet`."""
    import pandas as pd

    from selfmva.io.storage.atomic import atomic_write

    table = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    with atomic_write(path) as temporary:
        if path.suffix.lower() == ".parquet":
            table.to_parquet(temporary, engine="pyarrow", index=False)
        else:
            table.to_csv(temporary, index=False)


# What is kept of an instant, which must be little, and how all of it is written.
FORMATS: dict[str, tuple[Callable[[Any], Any], Callable[[Path, Any], None]]] = {
    ".csv": (_pack_table, write_table),
    ".parquet": (_pack_table, write_table),
    ".json": (_pack_frame, _write_frames),
}
