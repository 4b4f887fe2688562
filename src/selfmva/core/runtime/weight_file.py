"""A file of weights: read whole, and known by its hash."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from selfmva.core.messages import shown
from selfmva.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from pathlib import Path


def read_weight_file(path: Path, sha256: str | None, expected: str, otherwise: str = "") -> tuple[bytes, str]:
    """The content of a file and its SHA-256, 64 hexadecimal digits.

    Args:
        path: Of the file.
        sha256: What it must hash to; None: any file will do.
        expected: What the file should be, for the message where it cannot be read.
        otherwise: What else to do where it is another file, for the message.

    Raises:
        CheckpointError: The file cannot be read, or is another one.
        InputError: `sha256` is no such hash.

    Example:
        >>> from pathlib import Path
        >>> read_weight_file(Path("nowhere.pt"), None, "the weights of a network")
        Traceback (most recent call last):
        ...
        selfmva.errors.CheckpointError: nowhere.pt cannot be read: No such file or directory; expected the weights ...
    """
    given: object = sha256
    if given is not None and not (isinstance(given, str) and re.fullmatch("[0-9a-fA-F]{64}", given)):
        raise InputError(f"sha256 must be 64 hexadecimal digits, got {shown(sha256)}")
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path} cannot be read: it is no regular file; expected {expected}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}; expected {expected}") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise CheckpointError(
            f"{path} is another file than expected: its SHA-256 is {found}, expected {sha256.lower()}; download it "
            f"anew{otherwise}"
        )
    return content, found
