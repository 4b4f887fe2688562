"""Who is nearest to whom both ways, with and without those that are equally near."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.geometry.mutual_nearest import mutually_nearest


@pytest.mark.parametrize("one_to_one", [False, True])
def test_the_least_of_row_and_column(one_to_one: bool) -> None:
    distances = np.array([[1.0, 2.0, 9.0], [3.0, 2.5, 0.5]])
    assert np.argwhere(mutually_nearest(distances, one_to_one=one_to_one)).tolist() == [[0, 0], [1, 2]]


def test_one_to_one_takes_the_first_of_equally_near_ones() -> None:
    assert mutually_nearest(np.ones((2, 2))).all()
    assert mutually_nearest(np.ones((2, 2)), one_to_one=True).astype(int).tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("unknown", [np.nan, np.inf])
def test_one_to_one_leaves_out_what_is_unknown(unknown: float) -> None:
    assert not mutually_nearest(np.full((2, 2), unknown), one_to_one=True).any()
    assert mutually_nearest(np.array([[unknown, 5.0]]), one_to_one=True).tolist() == [[False, True]]
