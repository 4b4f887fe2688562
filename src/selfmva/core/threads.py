"""How many CPU threads libraries use, for a while; and work on several threads at once."""

from __future__ import annotations

import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from selfmva.core.scalars import integer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST_THREADS = 1024  # more than machines have; libraries make room for each of them
# Modules that bring threads along: those of products of matrices, loops of their own, or both.
THREADED_MODULES = ("numpy", "scipy.linalg", "torch", "cv2", "sklearn")


class _Pool(NamedTuple):
    """Threads of one library: how many there are, and how to change that.

    Attributes:
        name: Of the library.
        read: Tells how many there are.
        change: Sets it; without effect where another of Python's threads did, and has not released it.
        release: Lets other threads change it again.
        of_thread: True where each of Python's threads has a number of its own.
    """

    name: str
    read: Callable[[], int]
    change: Callable[[int], None]
    release: Callable[[], None]
    of_thread: bool


def _nothing() -> None:
    """There is nothing to release."""


class _State:
    """Of all threads of this process."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.imported: frozenset[str] = frozenset()  # threaded modules, when pools were looked for
        self.pools: list[_Pool] = []
        self.open = 0  # blocks
        self.first: dict[str, int] = {}  # what the first of them found, by the name of the pool


_state = _State()


@contextmanager
def limited_threads(count: int, *, shared_only: bool = False) -> Iterator[None]:
    """Let the libraries that are imported use `count` CPU threads inside the block, and as many as before after it.

    Those of NumPy's and SciPy's products of matrices (BLAS), of OpenMP, torch and OpenCV; no environment variable is
    needed. Steps and frames are small: threads that wait for each other cost several times what they save, and on a
    machine with other work ten times. A library that is imported inside the block is limited by the next one, so open
    another after an import. Blocks may be open on several threads at once: the last to close restores what the first
    one found. What a library shares among all threads is in the hands of the block that came first, so that a block
    around a pool of threads holds for them. A block costs some ten microseconds.

    Args:
        count: At least 1.
        shared_only: Leave alone what each of Python's threads has for itself (OpenMP, torch), for a block in which a
            user's own code runs, too.

    Example:
        >>> import torch
        >>> with limited_threads(1):
        ...     torch.get_num_threads()
        1
    """
    with _state.lock:
        found = [(pool, pool.read()) for pool in _pools() if not (shared_only and pool.of_thread)]
        if not _state.open:
            _state.first = {pool.name: threads for pool, threads in found}
        _state.open += 1
        for pool, _ in found:
            pool.change(count)
    try:
        yield
    finally:
        with _state.lock:
            _state.open -= 1
            for pool, threads in found:
                pool.change(threads if _state.open else _state.first.get(pool.name, threads))
                pool.release()


def _pools() -> list[_Pool]:
    """Threads of all libraries that are imported; found anew, in some milliseconds, where others are."""
    imported = frozenset(name for name in THREADED_MODULES if name in sys.modules)
    if imported != _state.imported:
        from threadpoolctl import ThreadpoolController

        _state.imported = imported
        _state.pools = [
            _Pool(
                library.filepath,
                library.get_num_threads,
                library.set_num_threads,
                getattr(library, "clear_controlling_thread", _nothing),
                "openmp" in {library.user_api, getattr(library, "threading_layer", "")},
            )
            for library in ThreadpoolController().lib_controllers
        ]
        if "cv2" in imported:
            import cv2

            _state.pools.append(_Pool("cv2", cv2.getNumThreads, cv2.setNumThreads, _nothing, of_thread=False))
        if "torch" in imported:
            import torch

            _state.pools.append(_Pool("torch", torch.get_num_threads, torch.set_num_threads, _nothing, of_thread=True))
    return _state.pools


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """`map`, on several threads; results come in the order of the items.

    Args:
        function: Called once for each item; of use on several threads where it spends its time outside the interpreter.
        items: Read as they are needed, at most `threads + 1` ahead of what was taken; may be endless.
        threads: At least 1; 1 is plain `map`.

    Yields:
        The results. An error of an item, or of its function, comes in its turn.

    Raises:
        InputError: `threads` is no whole number from 1 to 1024.

    Example:
        >>> list(map_in_order(abs, [-1, 2, -3], threads=2))
        [1, 2, 3]
    """
    if integer(threads, "threads", least=1, most=MOST_THREADS) == 1:
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
        while not ended and len(waiting) < depth:
            submit_next()
        yield results()
    finally:
        pool.shutdown(cancel_futures=True)
