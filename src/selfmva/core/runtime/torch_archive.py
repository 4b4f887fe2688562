"""A file of `torch.save`, opened with care: it comes from anywhere, and a checkpoint may be made to do harm."""

from __future__ import annotations

import pickle
import re
import string
import warnings
import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from selfmva.errors import CheckpointError

if TYPE_CHECKING:
    import os

_ZIP_START = b"PK\x03\x04"
_PRINTABLE = frozenset(string.printable.encode())
_CODE = re.compile(r"GLOBAL (\S+)")  # in what torch says of a class or function that it does not load
_TORCHSCRIPT = "constants.pkl"  # a record that programs have and weights don't


def read_torch_archive(path: str | os.PathLike[str]) -> Any:
    """Read tensors and plain values from a file of `torch.save`; see `load_torch_archive`.

    Args:
        path: Of the file.

    Raises:
        CheckpointError: The file is missing, no such archive, cut short, or built to do harm; names it and the reason.
    """
    try:
        with Path(path).open("rb") as file:
            return load_torch_archive(file, path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist") from error
    except OSError as error:
        raise CheckpointError(f"{path} {what_is_wrong(error)}") from error


def load_torch_archive(file: IO[bytes], name: str | os.PathLike[str], *, known: bool = False) -> Any:
    """Load tensors and plain values that `torch.save` wrote, by torch's restricted loader (`weights_only=True`).

    Only zip archives are opened, which is what `torch.save` writes since 1.6: older formats lead around that loader in
    torch below 2.6 (CVE-2025-32434). It has a hole of its own in torch below 2.10 (CVE-2026-24747), which only a newer
    torch closes. Nothing is unpacked on the disk.

    Args:
        file: Open, at its beginning.
        name: Of the file, for messages.
        known: Whether its content is known by its hash: then older formats are loaded, too.

    Returns:
        What was saved, its tensors on the CPU. A tensor can still claim any shape: look at it before computing with it.

    Raises:
        CheckpointError: It is no such archive, cut short, or built to do harm; names it and the reason.

    Example:
        >>> import io
        >>> load_torch_archive(io.BytesIO(b"<html>not found"), "weights.pt")
        Traceback (most recent call last):
        ...
        selfmva.errors.CheckpointError: weights.pt is text ('<html>not found'...), no checkpoint: did its download fail?
    """
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle protocol of what is no checkpoint
            if not known:
                _check_archive(file, name)
                file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # on a file of anything, the unpickler fails in any way
        raise CheckpointError(f"{name} {what_is_wrong(error)}") from error


def what_is_wrong(error: Exception) -> str:
    """Why a file was not loaded, in our words: those of torch advise to load it without a shield.

    Args:
        error: What torch raised.

    Example:
        >>> what_is_wrong(EOFError("Ran out of input"))
        'cannot be read as weights (Ran out of input): is it cut short or damaged?'
    """
    code = _CODE.search(str(error))
    if code is not None:
        return f"is refused: it holds more than tensors, {code[1]}, which could run code; expected weights alone"
    kind = type(error).__name__ if isinstance(error, pickle.UnpicklingError) else str(error).partition("\n")[0]
    return f"cannot be read as weights ({kind}): is it cut short or damaged?"


def _check_archive(file: IO[bytes], path: str | os.PathLike[str]) -> None:
    """Refuse by the directory of the archive what torch would only find out while reading it."""
    start = file.read(64)
    if start and _PRINTABLE.issuperset(start):
        opening = start.decode("ascii").strip()[:40]
        raise CheckpointError(f"{path} is text ({opening!r}...), no checkpoint: did its download fail?")
    if not start.startswith(_ZIP_START):  # torch looks here, zipfile at the end of the file: both must see an archive
        raise CheckpointError(
            f"{path} is no archive as torch.save writes it since 1.6: it is cut short, or of an older format, which "
            "can run code; load it where it was made and save it anew"
        )
    try:
        with zipfile.ZipFile(file) as archive:
            records = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CheckpointError(f"{path} is cut short or damaged: its directory cannot be read ({error})") from error
    names = [record.orig_filename for record in records]
    climbing = [name for name in names if _leaves_its_folder(name)]
    if climbing:
        raise CheckpointError(f"{path} is refused: its record {climbing[0]!r} points out of the archive")
    if any(name.endswith(_TORCHSCRIPT) for name in names):
        raise CheckpointError(f"{path} is refused: it is a TorchScript program, expected weights alone")
    packed = [record.orig_filename for record in records if record.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise CheckpointError(f"{path} is refused: its record {packed[0]!r} is compressed, which torch.save never does")
    claimed, size = sum(record.file_size for record in records), file.seek(0, 2)
    if claimed > size:
        raise CheckpointError(f"{path} is refused: its records claim {claimed} bytes, the file has {size}")


def _leaves_its_folder(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or not parts[0] or ":" in parts[0]
