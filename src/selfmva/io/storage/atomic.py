"""Write a file so that a reader sees the old one or the new one, never half of either."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from selfmva.core.paths import as_path, file_status
from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY_NAME = r"\.[0-9a-f]{8}"  # of files that are being written, before their ending


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Lend a temporary path beside `path`, which takes its place when the block ends without an error.

    The temporary file has the ending of `path`, for writers that choose a format by it.

    Args:
        path: The file to be written; its folder must exist. A link is followed.

    Yields:
        The path to write to. It does not exist yet.

    Raises:
        InputError: The path is none, or its name is too long.
        DataError: The operating system refuses (no such folder, no permission, disk full), a text cannot be encoded, or
            there is a device or a folder by this name; the old file is whole.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     target = Path(folder) / "note.txt"
        ...     with atomic_write(target) as temporary:
        ...         _ = temporary.write_text("all or nothing")
        ...     target.read_text()
        'all or nothing'
    """
    target = _resolved(as_path(path, "the path of a file to write"))
    temporary = target.with_name(f".{uuid4().hex[:8]}{target.suffix}")  # short: names have a greatest length
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        flush_to_disk(temporary)
        temporary.replace(target)
    except (OSError, UnicodeEncodeError) as error:
        raise DataError(f"cannot write {path}: {error}; what was there before is unchanged") from error
    finally:
        with suppress(OSError):  # it says nothing that was not said
            temporary.unlink(missing_ok=True)


def _resolved(path: Path) -> Path:
    """The file that a path leads to."""
    try:
        target = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a name that cannot be encoded
        raise DataError(f"cannot write {path!r}: {error}") from error
    try:
        status = file_status(target)
    except DataError as error:
        raise DataError(f"cannot write: {error}") from error
    if status is not None and not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
        raise DataError(f"cannot write {path}: it is {kind}; choose another name")
    return target


def flush_to_disk(path: Path) -> None:
    """Wait until a file is on the disk: else a power cut after a rename can leave an empty one under the new name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
