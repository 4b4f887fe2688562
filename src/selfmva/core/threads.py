"""How many CPU threads libraries use, for a while; and work on several threads at once."""

from __future__ import annotations

import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")
# Modules that bring threads along: those of products of matrices, loops of their own, or both.
THREADED_MODULES = ("numpy", "scipy.linalg", "torch", "cv2", "sklearn")


class _Pool(NamedTuple):
    """Threads of one library."""

    read: Callable[[], int]
    change: Callable[[int], None]


_lock = Lock()
_pools_of: dict[frozenset[str], list[_Pool]] = {}  # what was found, by the modules that were imported; of one of them
_before: list[list[tuple[_Pool, int]]] = []  # what to go back to, one entry for every block that is open


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let the libraries that are imported use `count` CPU threads inside the block, and as many as before after it.

    Those of NumPy's and SciPy's products of matrices (BLAS), of OpenMP, torch and OpenCV; no environment variable is
    needed. Steps and frames are small: threads that wait for each other cost several times what they save, and on a
    machine with other work ten times. A library that is imported inside the block is limited by the next one, so open
    another after an import. Blocks may be open on several threads at once: the last to close restores what the first
    one found. It costs some ten microseconds.

    Args:
        count: At least 1.

    Example:
        >>> import torch
        >>> with limited_threads(1):
        ...     torch.get_num_threads()
        1
    """
    with _lock:
        now = [(pool, pool.read()) for pool in _pools()]
        _before.append(now)
        for pool, _ in now:
            pool.change(count)
    try:
        yield
    finally:
        with _lock:
            for pool, threads in _before.pop():
                pool.change(threads)


def _pools() -> list[_Pool]:
    """Threads of all libraries that are imported; found anew, in some milliseconds, where others are."""
    imported = frozenset(name for name in THREADED_MODULES if name in sys.modules)
    if imported not in _pools_of:
        from threadpoolctl import ThreadpoolController

        found = [
            _Pool(library.get_num_threads, library.set_num_threads)
            for library in ThreadpoolController().lib_controllers
        ]
        if "cv2" in imported:
            import cv2

            found.append(_Pool(cv2.getNumThreads, cv2.setNumThreads))
        if "torch" in imported:
            import torch

            found.append(_Pool(torch.get_num_threads, torch.set_num_threads))
        _pools_of.clear()
        _pools_of[imported] = found
    return _pools_of[imported]


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """`map`, on several threads; results come in the order of the items.

    Args:
        function: Called once for each item; of use on several threads where it spends its time outside the interpreter.
        items: Read as they are needed, at most `threads + 1` ahead of what was taken; may be endless.
        threads: At least 1; 1 is plain `map`.

    Yields:
        The results. An error of an item, or of its function, comes in its turn.

    Raises:
        InputError: Fewer threads than 1.

    Example:
        >>> list(map_in_order(abs, [-1, 2, -3], threads=2))
        [1, 2, 3]
    """
    if threads < 1:
        raise InputError(f"threads must be at least 1, got {threads}")
    if threads == 1:
        yield from map(function, items)
        return
    with calling_ahead(function, items, depth=threads, threads=threads) as results:
        yield from results


@contextmanager
def calling_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], *, depth: int, threads: int = 1
) -> Iterator[Iterator[Result]]:
    """Lend an iterator over what a function makes of each item, which threads keep ahead of.

    They begin with the block, and end with it, after what they are doing at that moment.

    Args:
        function: Called once for each item, in their order; at the same time for several where there are several
            threads.
        items: Read as they are needed, at most `depth` ahead of the result that is asked for; may be endless.
        depth: How far to be ahead; at least 1.
        threads: At least 1.

    Yields:
        An iterator over the results, in the order of the items. An error of an item, or of its function, comes in its
        turn.

    Example:
        >>> with calling_ahead(abs, [-1, 2, -3], depth=2) as results:
        ...     list(results)
        [1, 2, 3]
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="selfmva-read-ahead")
    source = iter(items)
    waiting: deque[Future[Result]] = deque()
    ended: list[Exception | None] = []  # why no item is read any more: an error, or None where there is none left

    def submit_next() -> None:
        try:
            if not ended:
                waiting.append(pool.submit(function, next(source)))
        except StopIteration:
            ended.append(None)
        except Exception as error:  # noqa: BLE001  # of whatever kind: what was submitted before comes first
            ended.append(error)

    def results() -> Iterator[Result]:
        while waiting:
            future = waiting.popleft()
            submit_next()
            yield future.result()
        if ended and ended[0] is not None:
            raise ended[0]

    try:
        for _ in range(depth):
            submit_next()
        yield results()
    finally:
        pool.shutdown(cancel_futures=True)
