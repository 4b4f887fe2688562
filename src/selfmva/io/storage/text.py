"""Read text and JSON files; what is wrong with them is said with file, line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file.

    Raises:
        DataError: The file is missing, a folder, not readable or not UTF-8.

    Example:
        >>> read_text("nowhere.txt")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: cannot read nowhere.txt: No such file or directory
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a UTF-8 text file (byte {error.start}: {error.reason})") from error


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        DataError: The file cannot be read, is cut short or damaged, or holds one key twice.

    Example:
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
    except json.JSONDecodeError as error:
        cut = " (the file seems cut short)" if error.pos >= len(text.rstrip()) else ""
        raise DataError(
            f"{path}, line {error.lineno}, column {error.colno}: {error.msg}{cut}; not valid JSON"
        ) from error
    except RecursionError as error:
        raise DataError(f"{path}: JSON nested too deeply to be a file of boxes") from error
