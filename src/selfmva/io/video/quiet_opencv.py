"""OpenCV prints what goes wrong; here it is raised as an error, so the printing is off for a while."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SILENT = 0  # of OpenCV's levels

_lock = Lock()
_before: list[int] = []  # what to go back to, one entry for every block that is open


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Turn OpenCV's log off inside the block.

    Blocks may be open on several threads at once: the last to close restores what the first one found.

    Example:
        >>> import cv2, numpy as np
        >>> with quiet_opencv():
        ...     print(cv2.imdecode(np.zeros(9, np.uint8), cv2.IMREAD_COLOR))
        None
    """
    import cv2

    log: Any = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging  # OpenCV 4, OpenCV 5
    with _lock:
        _before.append(log.getLogLevel())
        log.setLogLevel(SILENT)
    try:
        yield
    finally:
        with _lock:
            log.setLogLevel(_before.pop())
