"""Keypoints in frames: what is taken, what is refused, and the boxes made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from selfmva.core.types import Frame, View, clip_to_views, reorder_views, select_boxes
from selfmva.errors import InputError

PERSON = [[10, 20, 0.9], [30, 80, 1.03], [0, 0, 0], [5, np.nan, 0.7]]


def test_missing_joints_are_nan_and_scores_end_at_one() -> None:
    frame = Frame(keypoints=[[PERSON], None])
    assert frame.keypoints is not None
    assert np.array_equal(
        frame.keypoints[0][0], [[10, 20, 0.9], [30, 80, 1], [np.nan, np.nan, 0], [np.nan, np.nan, 0]], equal_nan=True
    )
    assert frame.keypoints[1].shape == (0, 4, 3)
    assert frame.counts == (1, 0)
    assert not frame.keypoints[0].flags.writeable


def test_boxes_are_made_where_none_are_given() -> None:
    frame = Frame(keypoints=[np.array([PERSON, np.zeros((4, 3))])])
    assert frame.boxes[0][0].tolist() == [10, 20, 30, 80]
    assert frame.bad is not None
    assert frame.bad[0].tolist() == [False, True]  # nobody: padding of an array


def test_keypoints_go_with_their_boxes() -> None:
    other = np.array(PERSON) + [[1, 1, 0]] * 4
    frame = Frame([[[0, 0, 50, 90], [1, 1, 51, 91]], []], keypoints=[[PERSON, other], []])
    kept = select_boxes(frame, [np.array([False, True]), np.zeros(0, bool)])
    assert kept.keypoints is not None
    assert kept.keypoints[0][0, 0].tolist() == [11, 21, 0.9]
    turned = reorder_views(kept, [1, 0])
    assert turned.keypoints is not None
    assert len(turned.keypoints[1]) == 1


def test_joints_outside_of_their_image() -> None:
    views, frame = [View("a", 100, 100)], Frame(keypoints=[[[[10, 20, 0.9], [30, 120, 0.8], [60, 70, 0.5]]]])
    with pytest.raises(InputError, match=r"view 0 \('a'\), row 0, joint 1: \(30, 120\) lies outside"):
        clip_to_views(frame, views)
    clipped = clip_to_views(frame, views, "drop")
    assert clipped.keypoints is not None
    assert np.isnan(clipped.keypoints[0][0, 1, :2]).all()
    assert clipped.boxes[0].tolist() == [[10, 20, 60, 100]]
    many = Frame(keypoints=[np.full((3, 17, 3), 0.5) + np.arange(51).reshape(3, 17, 1) * [8, 8, 0]])
    with pytest.raises(InputError, match="images of the size of their view"):
        clip_to_views(many, views, "drop")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"keypoints": [[[1, 2, 3]]]}, r"shape \(N, K, 3\)"),
        ({"keypoints": [[[[1, 2, 2.0]]]]}, "flags of visibility"),
        ({"keypoints": [[[[1, 2, -0.1]]]]}, "row 0, joint 0"),
        ({"keypoints": [[[[1, np.inf, 0.5]]]]}, "finite"),
        ({"keypoints": [np.zeros((1, 4, 3)), np.zeros((1, 5, 3))]}, "5 joints, those of other views have 4"),
        ({"boxes": [[]], "keypoints": [np.zeros((1, 4, 3))]}, "1 for 0 boxes"),
        ({"boxes": [[], []], "keypoints": [np.zeros((0, 4, 3))]}, "have 1 views, boxes have 2"),
        ({"keypoints": "abc"}, "must be a sequence"),
        ({}, "boxes must be a sequence"),
    ],
)
def test_errors(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Frame(**arguments)
