"""Paths that a user gives, checked before they come to the system, which says little of what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from selfmva.core.messages import shown
from selfmva.errors import InputError

LONGEST_PATH = 4095  # bytes
LONGEST_NAME = 255  # bytes, of every file system in use
ROOM_FOR_WRITING = 10  # bytes that a name is longer by while the file is being written


def as_path(value: Any, what: str, *, written: bool = False) -> Path:
    """Read a path.

    Args:
        value: A text or a `Path`.
        what: It is, for messages, such as `"checkpoint"`.
        written: Whether a file or a folder of that name is to be written.

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
    if len(encoded) > LONGEST_PATH or longest > LONGEST_NAME - written * ROOM_FOR_WRITING:
        raise InputError(f"{what} must be a path, got one that is too long: {shown(text)}")
    return Path(text)
