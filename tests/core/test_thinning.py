"""Some of many: evenly spaced, at most as many as are asked for, each once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.thinning import evenly_spaced, evenly_spaced_blocks, stride

COUNTS = st.integers(0, 5000)
MOST = st.integers(1, 6000)


@given(count=COUNTS, most=MOST, to_nearest=st.booleans())
def test_positions_are_different_and_reach_from_end_to_end(count: int, most: int, to_nearest: bool) -> None:
    found = evenly_spaced(count, most, to_nearest=to_nearest)
    assert found.dtype == np.int64
    assert len(found) == min(count, most)
    assert (np.diff(found) > 0).all()
    if len(found) > 1:
        assert (found[0], found[-1]) == (0, count - 1)
        assert np.ptp(np.diff(found)) <= 1


@given(count=COUNTS, most=MOST)
def test_where_all_are_wanted_all_are_taken(count: int, most: int) -> None:
    if count <= most:
        np.testing.assert_array_equal(evenly_spaced(count, most), np.arange(count))
        np.testing.assert_array_equal(evenly_spaced_blocks(count, most, 1), np.arange(count))


@given(count=COUNTS, blocks=st.integers(2, 60), length=st.integers(1, 50))
def test_blocks_are_whole_and_reach_from_end_to_end(count: int, blocks: int, length: int) -> None:
    found = evenly_spaced_blocks(count, blocks * length, length)
    assert len(found) == min(count, blocks * length)
    assert (np.diff(found) > 0).all()
    if count > blocks * length:
        assert (found[:length] == np.arange(length)).all()
        assert (found.reshape(blocks, length) == found[::length, None] + np.arange(length)).all()
        assert found[-1] == count - 1


@given(count=COUNTS, most=MOST)
def test_a_stride_takes_at_most_so_many_and_no_smaller_one_does(count: int, most: int) -> None:
    step = stride(count, most)
    assert len(range(0, count, step)) <= most
    assert step == 1 or len(range(0, count, step - 1)) > most
