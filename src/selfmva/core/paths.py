"""Paths that users give: what is none is refused first, and what the operating system says is said in our words."""

from __future__ import annotations

import os
import reprlib
import stat
from pathlib import Path

from selfmva.errors import DataError, InputError


def as_path(value: object, what: str = "a path") -> Path:
    """Check that something is a path that the operating system could know.

    Args:
        value: A `str` or an `os.PathLike[str]`.
        what: What is expected, for the message.

    Returns:
        The path; it need not exist.

    Raises:
        InputError: Another type, an empty text, or one with a NUL in it.

    Example:
        >>> as_path("boxes.csv").suffix
        '.csv'
        >>> as_path("")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: expected a path as text or pathlib.Path, got ''
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"expected {what} as text or pathlib.Path, got {reprlib.repr(value)}")
    return Path(text)


def file_status(path: Path) -> os.stat_result | None:
    """What the operating system says of a file, links followed; None where there is none.

    Raises:
        DataError: It does not say: no permission, a name that is too long or cannot be encoded, a circle of links.

    Example:
        >>> file_status(Path("nowhere.csv")) is None
        True
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {_shown(path)}: {getattr(error, 'strerror', None) or error}") from error


def is_folder(path: Path) -> bool:
    """Whether there is a folder by this name.

    Raises:
        DataError: See `file_status`.
    """
    status = file_status(path)
    return status is not None and stat.S_ISDIR(status.st_mode)


def require_file(path: Path, expected: str) -> None:
    """Refuse what is no regular file: a device or a pipe may never end.

    Args:
        path: Of the file.
        expected: What it is to be, for the message, such as `"a video file"`.

    Raises:
        DataError: There is no such file, it is a folder, or no regular file.

    Example:
        >>> require_file(Path("nowhere.mp4"), "a video file")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: nowhere.mp4 does not exist; expected a video file
    """
    status = file_status(path)
    if status is None:
        raise DataError(f"{_shown(path)} does not exist; expected {expected}")
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{path} does not exist as a file (Is a directory); expected {expected}")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path} is no regular file but a device, pipe or socket; expected {expected}")


def _shown(path: Path) -> str:
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 200 else f"{text[:80]}...{text[-40:]}"  # a longer one hides what is said of it
