"""Write a file so that a reader sees the old one or the new one, never half of either."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from selfmva.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Lend a temporary path beside `path`, which takes its place when the block ends without an error.

    The temporary file has the ending of `path`, for writers that choose a format by it.

    Args:
        path: The file to be written; its folder must exist. A link is followed.

    Yields:
        The path to write to. It does not exist yet.

    Raises:
        DataError: The operating system refuses (no such folder, no permission, disk full); the old file is whole.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     target = Path(folder) / "note.txt"
        ...     with atomic_write(target) as temporary:
        ...         _ = temporary.write_text("all or nothing")
        ...     target.read_text()
        'all or nothing'
    """
    target = Path(path).resolve()
    temporary = target.with_name(f".{uuid4().hex[:8]}.{target.name}")
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        flush_to_disk(temporary)
        temporary.replace(target)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error}; what was there before is unchanged") from error
    finally:
        temporary.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Wait until a file is on the disk: else a power cut after a rename can leave an empty one under the new name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
