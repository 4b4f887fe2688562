"""The text of a CSV file as a table, and what its form says of damage before any number is looked at."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from selfmva.errors import DataError
from selfmva.io.storage.text import check_end

if TYPE_CHECKING:
    import pandas as pd

_NAMES = ("view", "view_name")  # read as they are written: "01" stays one, and a camera may be called NA
_MISSING = ["", "NA", "N/A", "n/a", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "None"]


def parse_csv(text: str, source: str) -> pd.DataFrame:
    r"""Turn the text of a CSV file into a table, whatever its columns are.

    Args:
        text: Of the file.
        source: Its name, for messages.

    Raises:
        DataError: A column stands there twice, rows have more fields than the header, or the end is missing.
        ValueError: pandas finds no table.

    Example:
        >>> parse_csv("view,x1\n01,5\n", "boxes.csv").to_dict("list")
        {'view': ['01'], 'x1': [5]}
    """
    import pandas as pd

    header = [name.strip() for name in next(csv.reader(StringIO(text), skipinitialspace=True), [])]
    for name in header:
        if name and header.count(name) > 1:
            raise DataError(f"{source}: the column {name} stands there {header.count(name)} times; keep one of them")
    table = pd.read_csv(
        StringIO(text),
        skipinitialspace=True,
        dtype=dict.fromkeys(_NAMES, str),
        keep_default_na=False,
        na_values={name: [""] if name in _NAMES else _MISSING for name in header},
    )
    if not isinstance(table.index, pd.RangeIndex):
        raise DataError(f"{source}, row 0: more fields than the {len(header)} columns of the header")
    check_end(text, source, columns=len(header))
    return table
