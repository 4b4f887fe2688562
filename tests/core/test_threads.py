"""Work on several threads: the same results, in order, errors in their turn."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from itertools import count
from threading import get_ident
from typing import TYPE_CHECKING

import cv2
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from selfmva.core.threads import calling_ahead, limited_threads, map_in_order
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@given(st.lists(st.integers(), max_size=20), st.integers(1, 4))
def test_results_come_in_order(items: list[int], threads: int) -> None:
    assert list(map_in_order(str, items, threads)) == [str(item) for item in items]


def test_several_threads_work() -> None:
    def where(_: int) -> int:
        time.sleep(0.01)
        return get_ident()

    assert len(set(map_in_order(where, range(8), threads=2))) == 2
    assert set(map_in_order(where, range(3), threads=1)) == {get_ident()}


@pytest.mark.parametrize("threads", [1, 3])
def test_an_endless_stream_is_read_as_it_is_needed(threads: int) -> None:
    taken = []

    def stream() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    results = map_in_order(abs, stream(), threads)
    assert [next(results) for _ in range(10)] == list(range(10))
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 10 + threads + 1


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_an_error_comes_in_its_turn(threads: int) -> None:
    """Of an item, or of what is done with it: what came before is not lost, and nothing comes after."""

    def stream() -> Iterator[int]:
        yield from (1, 2, 3)
        raise ValueError("the film is torn")

    got = []
    with pytest.raises(ValueError, match="the film is torn"):
        got.extend(map_in_order(abs, stream(), threads))
    assert got == [1, 2, 3]
    got.clear()
    with pytest.raises(ZeroDivisionError):
        got.extend(map_in_order(lambda number: 1 / number, [1, 2, 0, 4, 0, 6], threads))
    assert got == [1.0, 0.5]


@pytest.mark.parametrize("depth", [1, 3])
def test_calls_run_ahead_by_a_depth_and_end_with_the_block(depth: int) -> None:
    called = []
    with calling_ahead(called.append, count(), depth=depth) as results:
        while len(called) < depth:  # before anything is asked for
            time.sleep(0.001)
        for _ in range(5):
            next(results)
    done = len(called)
    assert 5 <= done <= 5 + depth
    assert called == list(range(done))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("selfmva-read-ahead")]


def test_an_error_of_the_first_item_is_not_raised_before_it_is_asked_for() -> None:
    with calling_ahead(lambda number: 1 / number, [0, 1], depth=2) as results, pytest.raises(ZeroDivisionError):
        next(results)


def test_no_thread_does_nothing() -> None:
    with pytest.raises(InputError, match="threads must be a whole number from 1 to 1024, got -1"):
        list(map_in_order(abs, [1], threads=-1))


def test_threads_of_torch_are_given_back() -> None:
    before = torch.get_num_threads()

    def inside(_: int) -> int:
        with limited_threads(1):
            time.sleep(0.005)
            return torch.get_num_threads()

    with limited_threads(2):
        assert torch.get_num_threads() == 2
        assert set(map_in_order(inside, range(12), threads=3)) == {1}
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def pools() -> list[int]:
    """Threads of products of matrices (NumPy, SciPy, OpenCV) and of OpenMP, as they say themselves."""
    return [cv2.getNumThreads(), *(pool["num_threads"] for pool in threadpool_info())]


def test_threads_of_every_library_are_limited_and_given_back() -> None:
    assert {"blas", "openmp"} <= {pool["user_api"] for pool in threadpool_info()}
    with threadpool_limits(2):
        before = pools()
        assert max(before) == 2
        with limited_threads(1):
            assert set(pools()) == {1}
            with limited_threads(2):
                assert set(pools()) == {2}
            assert set(pools()) == {1}
        assert pools() == before


def test_blocks_of_several_threads_may_overlap() -> None:
    """The last to close restores what the first one found."""
    with threadpool_limits(2):
        before, opened, closed = pools(), threading.Event(), threading.Event()

        def other() -> None:
            with limited_threads(1):
                opened.set()
                closed.wait(timeout=30)

        thread = threading.Thread(target=other)
        with limited_threads(1):
            thread.start()
            opened.wait(timeout=30)
        closed.set()
        thread.join()
        assert pools() == before


def test_a_block_around_a_pool_holds_for_its_threads() -> None:
    """But what the thread that opened it has for itself is left alone: a user's own code may run there."""

    def shared(_: int) -> set[int]:
        with limited_threads(1):
            time.sleep(0.002)
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2), limited_threads(1, shared_only=True):
        own = torch.get_num_threads()
        assert all(found == {1} for found in map_in_order(shared, range(12), threads=3))
        assert torch.get_num_threads() == own == 2


LATE = """
import sys
import numpy, scipy.linalg
from threadpoolctl import threadpool_info
from selfmva.core.threads import limited_threads
with limited_threads(1):
    assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert "torch" not in sys.modules
    import torch
    with limited_threads(1):
        assert torch.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
"""


def test_a_library_that_comes_later_is_limited_by_the_next_block() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
