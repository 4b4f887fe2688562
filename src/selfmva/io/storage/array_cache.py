"""Arrays on disk by key: computed once, found again by every process."""

from __future__ import annotations

import io
import os
import sqlite3
import time
import warnings
import zlib
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.paths import as_path, is_folder
from selfmva.errors import DataError, InputError
from selfmva.io.video.sources import Closing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NAME = "arrays-1.sqlite"  # the number is that of the format
SMALLEST_CACHE = 2**20  # bytes; sqlite's own pages want some
LARGEST_VALUE = 2**28  # bytes; sqlite holds a little more in one place
WRITTEN_AT_ONCE = 4 * 2**20  # bytes written together
LEFT_FREE = 0.1  # fraction of the largest size that is made free at once: to look for the oldest takes time
PATIENCE_SECONDS = 30.0  # for other processes that write
PAUSE_SECONDS = 0.01
CHECKSUM = 4  # bytes

SCHEMA = "CREATE TABLE IF NOT EXISTS arrays (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL, used INTEGER NOT NULL)"
OLDEST = """DELETE FROM arrays WHERE rowid IN (SELECT rowid FROM (
    SELECT rowid, length(value) AS size, SUM(length(value)) OVER (ORDER BY used, rowid) AS total FROM arrays
) WHERE total - size < ?)"""


class ArrayCache(Closing):
    """Keeps arrays in one file, by keys that say what they were computed from.

    Several processes and threads may use one file at once. After a crash, what was written last may be missing;
    nothing is half there. Where the disk is full or cannot be written to, nothing new is kept, after one warning, and
    the work goes on.

    Args:
        path: The file, or a folder for it; by default in the folder that the environment variable SELFMVA_CACHE names,
            else in `selfmva` in that of XDG_CACHE_HOME, else in `~/.cache/selfmva`.
        largest_bytes: Size up to which the file grows; beyond it, what was not used for longest goes. At least 1 MiB.

    Attributes:
        path: The file.

    Raises:
        InputError: A size that is too small, or the path is none.
        DataError: The file is damaged, or something else; it can be deleted.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, ArrayCache(folder) as cache:
        ...     cache.put(b"what it was computed from", np.arange(3))
        ...     cache.get(b"what it was computed from"), cache.get(b"something else")
        (array([0, 1, 2]), None)
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, largest_bytes: int = 2 * 2**30) -> None:
        if largest_bytes < SMALLEST_CACHE:
            raise InputError(f"largest_bytes must be at least {SMALLEST_CACHE} bytes (1 MiB), got {largest_bytes}")
        given = _default_folder() if path is None else as_path(path, "the path of a cache")
        self.path: Path = given / NAME if path is None or is_folder(given) else given
        self.largest_bytes: int = int(largest_bytes)
        self._lock = RLock()
        self._waiting: dict[bytes, bytes] = {}
        self._waiting_bytes = 0
        self._used: set[bytes] = set()
        self._refused = False
        self._connection: sqlite3.Connection | None = None
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connected(self.path)

    def get(self, key: bytes) -> NDArray[Any] | None:
        """The array of a key, None where there is none.

        Raises:
            DataError: The file is damaged; it can be deleted.
        """
        with self._lock, self._told():
            value = self._waiting.get(key)
            if value is None and self._connection is not None:
                row = self._connection.execute("SELECT value FROM arrays WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    value = row[0]
                    self._used.add(key)
            return None if value is None else self._unpacked(value)
        return None

    def put(self, key: bytes, array: NDArray[Any]) -> None:
        """Keep an array; it is written together with others, at the latest by `flush` or `close`.

        One that does not fit into the cache is not kept.

        Raises:
            InputError: An array of objects.
            DataError: The file is damaged; it can be deleted.
        """
        if array.dtype.hasobject:
            raise InputError(f"only arrays of numbers can be kept, got {array.dtype}")
        if self._refused or self._connection is None:
            return
        value = _packed(array)
        if len(value) > min(LARGEST_VALUE, self.largest_bytes * (1 - LEFT_FREE)):
            return
        with self._lock:
            self._waiting[key] = value
            self._waiting_bytes += len(value)
            if self._waiting_bytes >= min(WRITTEN_AT_ONCE, self.largest_bytes // 4):
                self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            DataError: The file is damaged; it can be deleted.
        """
        with self._lock:
            waiting, used = self._waiting, self._used
            self._waiting, self._waiting_bytes, self._used = {}, 0, set()
            if self._connection is None or self._refused or not (waiting or used):
                return
            now = time.time_ns()
            with self._told(), _transaction(self._connection) as connection:
                connection.executemany(
                    "UPDATE arrays SET used = ? WHERE key = ? AND used < ?", [(now, key, now) for key in used]
                )
                connection.executemany(
                    "INSERT OR REPLACE INTO arrays (key, value, used) VALUES (?, ?, ?)",
                    [(key, value, now) for key, value in waiting.items()],
                )
                self._make_room(connection)

    def close(self) -> None:
        """Write what waits, and let go of the file."""
        with self._lock:
            try:
                self.flush()
            finally:
                if self._connection is not None:
                    self._connection.close()
                self._connection = None

    def _make_room(self, connection: sqlite3.Connection) -> None:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        in_use = (pages - free) * size
        if in_use > self.largest_bytes:
            connection.execute(OLDEST, (in_use - self.largest_bytes * (1 - LEFT_FREE),))

    def _unpacked(self, value: bytes) -> NDArray[Any]:
        if zlib.crc32(value[CHECKSUM:]).to_bytes(CHECKSUM, "little") != value[:CHECKSUM]:
            raise sqlite3.DatabaseError("a checksum does not fit")
        array: NDArray[Any] = np.load(io.BytesIO(value[CHECKSUM:]), allow_pickle=False)
        return array

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Damage is an error; a disk that refuses is a warning, the first time."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            if not self._refused:
                self._refused = True
                warnings.warn(
                    f"nothing new is kept in the cache {self.path}: {error}; the work goes on without. "
                    "Free some space, or name another place by the environment variable SELFMVA_CACHE",
                    stacklevel=3,
                )
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"the cache {self.path} is damaged or something else ({error}); it can be deleted, what it held is "
                "computed anew"
            ) from error


def _default_folder() -> Path:
    named = os.environ.get("SELFMVA_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selfmva"


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        with closing(connection.cursor()) as cursor:
            _when_free(cursor, "PRAGMA journal_mode = WAL")  # readers and a writer do not wait for each other
            cursor.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last writes, not the file
            cursor.execute(f"PRAGMA journal_size_limit = {4 * WRITTEN_AT_ONCE}")
            cursor.execute(SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _when_free(cursor: sqlite3.Cursor, command: str) -> None:
    """Sqlite itself waits for other processes, but not where several change the journal of a new file at once."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            cursor.execute(command)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # sqlite itself goes back on some errors
            connection.execute("ROLLBACK")
        raise


def _packed(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    content = file.getvalue()
    return zlib.crc32(content).to_bytes(CHECKSUM, "little") + content
