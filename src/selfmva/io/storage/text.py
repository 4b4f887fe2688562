"""Read text and JSON files; what is wrong with them is said with file, line and column."""

from __future__ import annotations

import json
import re
import stat
from typing import TYPE_CHECKING, Any

from selfmva.core.paths import as_path, file_status, require_file
from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LAST_NUMBER = re.compile(r"\d+\.(\d+)[ \t]*$")
_LEAST_LINES, _MOST_LINES = 20, 1000  # to compare the last one with


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file.

    Raises:
        InputError: The path is none.
        DataError: The file is missing, a folder, no regular file, not readable, larger than the memory or not UTF-8.

    Example:
        >>> read_text("nowhere.txt")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: cannot read nowhere.txt: No such file or directory
    """
    place = as_path(path, "the path of a text file")
    status = file_status(place)
    if status is not None and not stat.S_ISDIR(status.st_mode):
        require_file(place, "a text file")
    try:
        return place.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise DataError(f"cannot read {path}: it does not fit into the memory") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a UTF-8 text file (byte {error.start}: {error.reason})") from error


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: The file cannot be read, is cut short or damaged, or holds one key twice.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "boxes.json"
        ...     _ = path.write_text('{"0": []}')
        ...     read_json(path)
        {'0': []}
    """
    text = read_text(path)

    def refuse_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DataError(f"{path}: the key {twice!r} stands twice in one object; keep one of them")
        return found

    try:
        return json.loads(text, object_pairs_hook=refuse_duplicates)
    except DataError:
        raise
    except json.JSONDecodeError as error:
        cut = " (the file seems cut short)" if error.pos >= len(text.rstrip()) else ""
        raise DataError(
            f"{path}, line {error.lineno}, column {error.colno}: {error.msg}{cut}; not valid JSON"
        ) from error
    except ValueError as error:
        raise DataError(f"{path}: a number is too long to be one ({error})") from error
    except RecursionError as error:
        raise DataError(f"{path}: JSON is nested too deeply to be read") from error


def check_end(text: str, source: str, columns: int = 0) -> None:
    r"""Refuse lines of numbers of which the last was cut off, as far as its form tells.

    A whole file ends with a line break, as a rule; where it does not, the last line has to look like those before.

    Args:
        text: Of the file.
        source: Its name, for messages.
        columns: How many fields each line has at least.

    Raises:
        DataError: The last line ends without a line break, and too early: fields are missing, or its last number has
            fewer decimals than those before.

    Example:
        >>> check_end("frame,score\n1,0.5\n2", "boxes.csv", columns=2)
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: boxes.csv seems cut short: it ends within its last line, '2'; copy it again or, if ...
    """
    lines = text.splitlines()
    if text.endswith(("\n", "\r")) or len(lines) < 2:
        return
    decimals = sorted(len(found[1]) for found in map(_LAST_NUMBER.search, lines[1:-1][-_MOST_LINES:]) if found)
    found = _LAST_NUMBER.search(lines[-1])
    usual = decimals[len(decimals) // 100] if len(decimals) >= _LEAST_LINES else 0  # all but one in a hundred have it
    shorter = (0 if found is None else len(found[1])) < usual
    if lines[-1].count(",") + 1 < columns or lines[-1].endswith((".", "-")) or shorter:
        raise DataError(
            f"{source} seems cut short: it ends within its last line, {lines[-1][-60:]!r}; copy it again or, if "
            "nothing is missing, end it with a line break"
        )
