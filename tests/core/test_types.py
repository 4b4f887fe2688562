"""View, Frame, validate_boxes, clip_to_views: what they accept, what they refuse, what they promise."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from box_strategies import box_arrays, positions
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.frame_columns import validate_boxes
from selfmva.core.types import Frame, View, clip_to_views, reorder_views
from selfmva.errors import InputError

sizes = st.integers(1, 4000)
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50)


class TestView:
    @given(names, sizes, sizes)
    def test_values(self, name: str, width: int, height: int) -> None:
        view = View(name, width, height)
        assert (view.name, view.width, view.height) == (name, width, height)
        assert view == View(name, np.int32(width), np.int64(height))
        assert type(View(name, np.int32(width), height).width) is int

    @pytest.mark.parametrize(
        "arguments", [("", 1, 1), (None, 1, 1), ("a", 0, 1), ("a", 1, -1), ("a", 1.5, 1), ("a", True, 1), ("a", "1", 1)]
    )
    def test_errors(self, arguments: tuple) -> None:
        with pytest.raises(InputError):
            View(*arguments)


class TestValidateBoxes:
    @given(box_arrays())
    def test_a_valid_array_comes_back_as_a_read_only_copy(self, boxes: np.ndarray) -> None:
        before = boxes.copy()
        checked = validate_boxes(boxes)
        assert checked.dtype == np.float64
        assert checked.shape == (len(boxes), 4)
        assert np.array_equal(checked, before)
        boxes += 1  # the caller goes on with his own array
        assert np.array_equal(checked, before)
        with pytest.raises(ValueError, match="read-only"):
            checked[...] = 0
        assert np.array_equal(validate_boxes(checked.tolist()), checked)

    @pytest.mark.parametrize("empty", [None, [], np.empty((0, 4)), np.empty(0), [[]]])
    def test_nobody(self, empty: object) -> None:
        assert validate_boxes(empty).shape == (0, 4)

    @given(box_arrays(most=6).filter(len), st.data())
    def test_the_first_bad_row_is_named(self, boxes: np.ndarray, data: st.DataObject) -> None:
        row = data.draw(st.integers(0, len(boxes) - 1))
        kind = data.draw(st.sampled_from(["nan", "inf", "flat", "swapped"]))
        if kind == "nan":
            boxes[row, data.draw(st.integers(0, 3))] = np.nan
        elif kind == "inf":
            boxes[row, 2] = np.inf
        elif kind == "flat":
            boxes[row, 3] = boxes[row, 1]
        else:
            boxes[row] = boxes[row][[2, 1, 0, 3]]
        with pytest.raises(InputError, match=rf"instant 7, view 2, row {row}: "):
            validate_boxes(boxes, instant=7, view=2)

    @pytest.mark.parametrize("boxes", [[1, 2, 3, 4], [[1, 2, 3]], [[[1, 2, 3, 4]]], "box", [["a", 1, 2, 3]], {}])
    def test_other_shapes_and_kinds(self, boxes: object) -> None:
        with pytest.raises(InputError, match="instant 0, view 0"):
            validate_boxes(boxes)


class TestFrame:
    @given(st.lists(box_arrays(), max_size=4), st.integers(0, 10**9))
    def test_values(self, boxes: list[np.ndarray], index: int) -> None:
        frame = Frame(
            boxes, index=index, scores=[np.ones(len(b)) for b in boxes], track_ids=[range(len(b)) for b in boxes]
        )
        assert len(frame) == len(boxes)
        assert frame.counts == tuple(map(len, boxes))
        assert frame.index == index
        assert all(ids.dtype == np.int64 for ids in frame.track_ids)
        assert all(map(np.array_equal, frame.boxes, boxes))

    def test_per_box_values_are_copies_that_cannot_change(self) -> None:
        scores = np.array([0.5])
        frame = Frame([[[0, 0, 1, 1]]], scores=[scores])
        scores[0] = 0.0
        assert frame.scores[0].tolist() == [0.5]
        with pytest.raises(ValueError, match="read-only"):
            frame.scores[0][0] = 1.0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"scores": [[0.5]]}, "scores has 1 views, boxes have 2"),
            ({"scores": [[0.5, 0.5], []]}, "instant 3, view 0: scores must have one entry per box, got 2 for 1"),
            ({"track_ids": [[1], [1]]}, "instant 3, view 1: track_ids must have one entry per box, got 1 for 0"),
        ],
    )
    def test_errors(self, arguments: dict, message: str) -> None:
        with pytest.raises(InputError, match=message):
            Frame([[[0, 0, 1, 1]], []], index=3, **arguments)

    @pytest.mark.parametrize("boxes", ["path.json", None, 3, {0: []}])
    def test_not_a_sequence_of_views(self, boxes: object) -> None:
        with pytest.raises(InputError, match="one \\(N, 4\\) array of boxes per view"):
            Frame(boxes)


class TestClipToViews:
    @given(st.lists(box_arrays(), min_size=1, max_size=3), st.data())
    def test_clipped_boxes_lie_inside_and_clipping_again_changes_nothing(
        self, boxes: list[np.ndarray], data: st.DataObject
    ) -> None:
        views = [View(f"view{v}", data.draw(sizes), data.draw(sizes)) for v in range(len(boxes))]
        touching = [
            b[(b[:, 0] < v.width) & (b[:, 1] < v.height) & (b[:, 2:] > 0).all(axis=1)]
            for b, v in zip(boxes, views, strict=True)
        ]
        frame = Frame(touching, index=5, scores=[np.full(len(b), 0.5) for b in touching])
        clipped = clip_to_views(frame, views)
        assert clip_to_views(clipped, views) is clipped
        assert clipped.index == 5
        assert all(map(np.array_equal, clipped.scores, frame.scores))
        for before, after, view in zip(frame.boxes, clipped.boxes, views, strict=True):
            assert (after[:, :2] >= 0).all()
            assert (after[:, 2:] <= [view.width, view.height]).all()
            assert (after[:, 2:] > after[:, :2]).all()
            assert (after[:, :2] >= before[:, :2]).all()  # a clipped box is a part of the box
            assert (after[:, 2:] <= before[:, 2:]).all()
            within = (before >= 0).all(axis=1) & (before[:, 2:] <= [view.width, view.height]).all(axis=1)
            assert np.array_equal(after[within], before[within])

    @given(positions, positions)
    def test_a_box_outside_is_refused_wherever_it_is(self, x: float, y: float) -> None:
        view = View("small", 10, 10)
        frame = Frame([[[1, 1, 2, 2], [x, y, x + 3, y + 3]]], index=4)
        if x < 10 and y < 10 and x + 3 > 0 and y + 3 > 0:
            assert clip_to_views(frame, [view]).counts == (2,)
        else:
            with pytest.raises(InputError, match=r"instant 4, view 0 \('small'\), row 1: .* 10 x 10"):
                clip_to_views(frame, [view])

    def test_another_number_of_views(self) -> None:
        with pytest.raises(InputError, match=r"instant 4 has 2 views, but there are 1 \(a\)"):
            clip_to_views(Frame([[], []], index=4), [View("a", 1, 1)])

    def test_the_frame_itself_where_nothing_sticks_out(self) -> None:
        frame = Frame([[[0, 0, 10, 10]]])
        assert clip_to_views(frame, [View("a", 10, 10)]) is frame


def test_images_become_rgb_and_features_fit_the_boxes() -> None:
    grey = np.full((40, 60), 7, np.uint8)
    frame = Frame([[[0, 0, 9, 9]], []], images=[grey, None], features=[[[1.0, 2.0, 3.0]], None])
    assert frame.images is not None
    assert frame.features is not None
    assert frame.images[0] is not None
    assert frame.images[0].shape == (40, 60, 3)
    assert frame.images[1] is None
    assert [part.shape for part in frame.features] == [(1, 3), (0, 3)]
    assert {part.dtype for part in frame.features} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": [np.zeros((4, 4, 3), np.uint8)]}, "images has 1 views, boxes have 2"),
        ({"images": [np.zeros((4, 4, 3)), None]}, "view 0: an image must be uint8"),
        ({"features": [[[1.0]]]}, "features has 1 views, boxes have 2"),
        ({"features": [[[1.0], [2.0]], None]}, "got shape \\(2, 1\\) for 1 boxes"),
        ({"features": [[1.0], None]}, "features must be \\(N, D\\)"),
    ],
)
def test_images_and_features_that_do_not_fit(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Frame([[[0, 0, 9, 9]], []], **given)


def test_image_of_another_size_than_the_view() -> None:
    views = [View("door", 60, 40), View("hall", 60, 40)]
    frame = Frame([[[0, 0, 90, 9]], []], images=[np.zeros((40, 60, 3), np.uint8), None])
    kept = clip_to_views(frame, views).images
    assert kept is not None
    assert frame.images is not None
    assert kept[0] is frame.images[0]
    with pytest.raises(InputError, match=r"view 0 \('door'\): the image has 90 x 40 pixels, the view 60 x 40"):
        clip_to_views(replace(frame, images=[np.zeros((40, 90, 3), np.uint8), None]), views)


COLUMNS = ("boxes", "scores", "track_ids", "images", "features")
PER_VIEW = [[10], [20, 21], [], [40]]  # four views: no other order of them looks the same


def full_frame() -> Frame:
    """Every value says which box of which view it is of."""
    return Frame(
        [[[k, v, k + 5, v + 9] for k in numbers] for v, numbers in enumerate(PER_VIEW)],
        index=7,
        scores=[[k / 100 for k in numbers] for numbers in PER_VIEW],
        track_ids=PER_VIEW,
        images=[None if v == 1 else np.full((4, 6, 3), v, np.uint8) for v in range(len(PER_VIEW))],
        features=[[[k, -k] for k in numbers] for numbers in PER_VIEW],
    )


@given(st.permutations(range(len(PER_VIEW))))
def test_everything_of_a_view_follows_it(order: list[int]) -> None:
    frame = full_frame()
    turned = reorder_views(frame, order)
    assert turned.index == 7
    assert turned.counts == tuple(len(PER_VIEW[view]) for view in order)
    for name in COLUMNS:
        before, after = getattr(frame, name), getattr(turned, name)
        assert isinstance(after, tuple)
        assert all(after[place] is before[view] for place, view in enumerate(order)), name
    places = [order.index(view) for view in range(len(order))]
    back = reorder_views(turned, places)
    for name in COLUMNS:
        assert all(map(operator.is_, getattr(back, name), getattr(frame, name))), name


@given(st.permutations(range(3)))
def test_clock_offsets_follow_their_views(order: list[int]) -> None:
    """One a view, like everything else."""
    offsets = (0, 3, -2)
    turned = reorder_views(Frame([[], [], []], clock_offsets=offsets), order)
    assert turned.clock_offsets == tuple(offsets[view] for view in order)


def test_columns_that_a_frame_does_not_have_stay_away() -> None:
    frame = Frame([[[0, 0, 1, 1]], []], index=3)
    turned = reorder_views(frame, [1, 0])
    assert turned.counts == (0, 1)
    assert frame.counts == (1, 0)  # the frame itself stays as it was
    assert all(getattr(turned, name) is None for name in (*COLUMNS[1:], "clock_offsets"))
