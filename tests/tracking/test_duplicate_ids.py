"""An id that stands twice in one image: one box keeps it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.tracking.duplicates import resolve_duplicates

HERE, THERE = [0.0, 0, 10, 20], [50.0, 0, 60, 20]


@pytest.mark.parametrize("known", [[0], [9], [0, 9]])
@pytest.mark.parametrize("swapped", [False, True])
def test_who_stands_where_the_id_was_keeps_it(known: list[int], swapped: bool) -> None:
    """The score does not outweigh where the id was, or will be."""
    pair = [THERE, HERE] if swapped else [HERE, THERE]
    instants = [*known, 5, 5]
    ids = resolve_duplicates(
        instants, [0] * len(instants), [7] * len(instants), [HERE] * len(known) + pair, [0.2] * len(known) + [0.1, 0.9]
    )
    assert ids[len(known) :].tolist() == ([-1, 7] if swapped else [7, -1])
    assert (ids[: len(known)] == 7).all()


def test_score_then_size_then_order_decide_where_nothing_else_is_known() -> None:
    larger = [0.0, 0, 12, 24]
    assert resolve_duplicates([5, 5], [0, 0], [7, 7], [HERE, THERE], [0.2, 0.3]).tolist() == [-1, 7]
    assert resolve_duplicates([5, 5], [0, 0], [7, 7], [HERE, larger]).tolist() == [-1, 7]
    assert resolve_duplicates([5, 5, 5], [0] * 3, [7] * 3, [HERE] * 3).tolist() == [7, -1, -1]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(-1, 2), st.integers(0, 90)), min_size=0, max_size=30
    )
)
def test_never_all_deleted_and_never_twice(rows: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(rows).reshape(-1, 4)
    instants, views, ids, left = columns.T
    boxes = np.column_stack([left, left * 0, left + 10, left * 0 + 20])
    result = resolve_duplicates(instants, views, ids, boxes)
    before = {row for row in zip(instants, views, ids, strict=True) if row[2] >= 0}
    after = [row for row in zip(instants, views, result, strict=True) if row[2] >= 0]
    assert set(after) == before
    assert len(after) == len(before)
