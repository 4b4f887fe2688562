"""What an MP4 or QuickTime file says of its length: its edit list may leave out a beginning or an end of the video."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def edited_seconds(path: Path) -> float | None:
    """Seconds that the video track plays after its edits; None where the file has no edit list, or is none of these.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     text = Path(folder) / "text.mp4"
        ...     _ = text.write_text("no video")
        ...     print(edited_seconds(text))
        None
    """
    try:
        movie = _movie(path)
        header = next(_boxes(movie, b"mvhd"))
        scale: int = struct.unpack_from(">I", header, 20 if header[0] else 12)[0]
        for track in _boxes(movie, b"trak"):
            handler = next(_boxes(next(_boxes(track, b"mdia")), b"hdlr"))
            if handler[8:12] == b"vide":
                return _length(next(_boxes(next(_boxes(track, b"edts")), b"elst"))) / scale
    except (StopIteration, struct.error, IndexError, ZeroDivisionError):  # no such box, or a damaged one
        return None
    return None


def lost_its_end(path: Path) -> bool:
    """Whether the parts of an MP4 or QuickTime file reach beyond its end, or, rarely, don't say how far they reach.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     cut = Path(folder) / "cut.mp4"
        ...     _ = cut.write_bytes(struct.pack(">I4s", 16, b"mdat") + b"half")
        ...     lost_its_end(cut)
        True
    """
    with path.open("rb") as file:
        whole, start = file.seek(0, 2), 0
        while start + 8 <= whole:
            file.seek(start)
            size, kind = struct.unpack(">I4s", file.read(8))
            if size == 1:
                size = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
            if size < 8:
                return bool(kind == b"mdat")
            start += size
    return start > whole


def _movie(path: Path) -> bytes:
    """The content of the box `moov`, which describes all tracks."""
    with path.open("rb") as file:
        while True:
            size, kind = struct.unpack(">I4s", file.read(8))
            rest = (struct.unpack(">Q", file.read(8))[0] - 16) if size == 1 else size - 8
            if kind == b"moov" or rest < 0:  # a box without a size is the last one
                return file.read(max(rest, 0))
            file.seek(rest, 1)


def _boxes(data: bytes, wanted: bytes) -> Iterator[bytes]:
    """The contents of the boxes of one kind that lie side by side in `data`."""
    start = 0
    while start + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        if kind == wanted:
            yield data[start + 8 : start + size]
        start += max(size, 8)


def _length(edits: bytes) -> int:
    """Sum of the edits that show images, in units of the movie; those at time -1 show nothing."""
    layout = ">Qq4x" if edits[0] else ">Ii4x"
    (count,) = struct.unpack_from(">I", edits, 4)
    size = struct.calcsize(layout)
    entries = (struct.unpack_from(layout, edits, 8 + size * number) for number in range(count))
    return sum(length for length, start in entries if start >= 0)
