"""Paths that users give: what is none is refused first, and what the operating system says is said in our words."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from selfmva.core.messages import shown
from selfmva.errors import DataError, InputError

LONGEST_PATH = 4095  # bytes
LONGEST_NAME = 255  # bytes, of every file system in use


def as_path(value: Any, what: str) -> Path:
    """Read a path.

    Args:
        value: A text or a `Path`.
        what: It is, for messages, such as `"checkpoint"`.

    Returns:
        The path; whether there is anything is not looked at.

    Raises:
        InputError: It is neither, empty, or no system has such a name: too long, a NUL, half a character.

    Example:
        >>> as_path("models/rig", "folder").name
        'rig'
        >>> as_path("", "folder")
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: folder must be a path, got an empty text; the folder that you are in is '.'
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str):
        raise InputError(f"{what} must be a path (str or Path), got {shown(value)}")
    if not text:
        raise InputError(f"{what} must be a path, got an empty text; the folder that you are in is '.'")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise InputError(f"{what} must be a path, got {shown(text)}, which holds what no name of a file may hold")
    longest = max(map(len, encoded.replace(os.fsencode(os.sep), b"/").split(b"/")))
    if len(encoded) > LONGEST_PATH or longest > LONGEST_NAME:
        raise InputError(f"{what} must be a path, got one that is too long: {shown(text)}")
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
