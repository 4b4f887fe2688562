"""Gaps of tracks are filled by the rule, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva.errors import InputError
from selfmva.tracking.interpolation import fill_gaps

BOX = np.array([100.0, 50.0, 140.0, 150.0])


def with_gap(gap: int, jump: float = 0.0) -> tuple[list[int], np.ndarray]:
    """Six boxes of one id, `gap` instants from the third one to the fourth."""
    instants = [0, 1, 2, 2 + gap, 3 + gap, 4 + gap]
    return instants, np.array([BOX] * 3 + [BOX + np.array([jump, 0, jump, 0])] * 3)


@pytest.mark.parametrize(("gap", "filled"), [(1, 0), (2, 1), (19, 18), (20, 0), (300, 0)])
def test_gap_of_19_is_filled_and_of_20_is_not(gap: int, filled: int) -> None:
    instants, boxes = with_gap(gap)
    result = fill_gaps(instants, [3] * 6, [7] * 6, boxes)
    assert result.filled.sum() == filled == len(result) - 6
    assert sorted(result.instants) == (list(range(5 + gap)) if filled else instants)
    assert set(result.views) == {3}
    assert set(result.ids) == {7}


@pytest.mark.parametrize(("jump", "filled"), [(0, 4), (200, 4), (200.01, 0), (-200.01, 0)])
def test_jump_of_more_than_200_pixels_is_not_filled(jump: float, filled: int) -> None:
    instants, boxes = with_gap(5, jump)
    result = fill_gaps(instants, [0] * 6, [7] * 6, boxes)
    assert result.filled.sum() == filled
    if filled:
        expected = np.interp([3, 4, 5, 6], [2, 7], [100, 100 + jump])
        np.testing.assert_allclose(result.boxes[6:, 0], expected)
        np.testing.assert_allclose(result.boxes[6:, 2], expected + 40)
        assert (result.boxes[6:, [1, 3]] == [50, 150]).all()


def test_short_tracks_stay_as_they_are() -> None:
    instants, boxes = with_gap(5)
    assert not fill_gaps(instants[1:], [0] * 5, [7] * 5, boxes[1:]).filled.any()
    assert fill_gaps(instants[1:], [0] * 5, [7] * 5, boxes[1:], least_boxes=5).filled.sum() == 4


def test_views_ids_and_nobody_are_kept_apart() -> None:
    """One id in two views, another between its boxes, and boxes of nobody: only the gap of each is filled."""
    instants = np.repeat([0, 1, 2, 5, 6, 7], 3)
    views, ids = np.tile([0, 1, 0], 6), np.tile([7, 7, -1], 6)
    boxes = BOX + np.repeat(np.tile([0, 300, 20], 6)[:, None], 4, axis=1)
    shuffled = np.random.default_rng(0).permutation(18)
    result = fill_gaps(instants[shuffled], views[shuffled], ids[shuffled], boxes[shuffled])
    new = {(t, v): x for t, v, x in zip(result.instants[18:], result.views[18:], result.boxes[18:, 0], strict=True)}
    assert new == {(3, 0): 100, (4, 0): 100, (3, 1): 400, (4, 1): 400}
    np.testing.assert_array_equal(result.boxes[:18], boxes[shuffled])


def test_nothing_and_what_is_wrong() -> None:
    assert len(fill_gaps([], [], [], np.zeros((0, 4)))) == 0
    with pytest.raises(InputError, match="stands 2 times in view 0 at instant 1: see"):
        fill_gaps([1, 1], [0, 0], [7, 7], [BOX, BOX])
    with pytest.raises(InputError, match=r"shape \(1, 4\)"):
        fill_gaps([1], [0], [7], [BOX, BOX])
    with pytest.raises(InputError, match="finite x1 < x2"):
        fill_gaps([1], [0], [7], [[0, 0, 0, 5]])
