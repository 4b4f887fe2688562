"""Recordings as flat arrays: nothing is lost, and no order of boxes or cameras is left in them."""

from __future__ import annotations

import numpy as np
import pytest
from box_strategies import box_arrays
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.packed_boxes import PackedBoxes, canonical_view_order, gather, pack
from selfmva.core.types import Frame


@st.composite
def clips(draw: st.DrawFn) -> tuple[list[Frame], int]:
    views = draw(st.integers(1, 4))
    instants = draw(st.integers(0, 5))
    return [Frame([draw(box_arrays()) for _ in range(views)], index=t) for t in range(instants)], views


def ordered(boxes: np.ndarray) -> list[list[float]]:
    return sorted(boxes.astype(np.float32).tolist())


def assert_equal(one: PackedBoxes, other: PackedBoxes) -> None:
    np.testing.assert_array_equal(one.boxes, other.boxes)
    np.testing.assert_array_equal(one.view, other.view)
    np.testing.assert_array_equal(one.start, other.start)
    np.testing.assert_array_equal(one.count, other.count)


@given(clips())
def test_nothing_is_lost(clip: tuple[list[Frame], int]) -> None:
    frames, views = clip
    packed = pack(frames, views)
    assert (len(packed), packed.views) == (len(frames), views)
    assert (packed.boxes.dtype, packed.view.dtype) == (np.float32, np.int64)
    assert packed.boxes.shape == (int(packed.count.sum()), 4)
    for t, frame in enumerate(frames):
        for v, boxes in enumerate(frame.boxes):
            rows = packed.rows(t, v)
            assert ordered(packed.boxes[rows]) == ordered(boxes)
            assert (packed.view[rows] == v).all()


@pytest.mark.parametrize("grid", [3, 1000])
def test_boxes_are_sorted_by_their_numbers(grid: int) -> None:
    """Many that agree in some of them, and few; the last number first."""
    rng = np.random.default_rng(0)
    corners = rng.integers(0, grid, (30, 2, 9, 2))
    frames = [Frame([np.concatenate([c, c + rng.integers(1, 3, c.shape)], axis=1) for c in views]) for views in corners]
    packed = pack(frames, 2)
    for t in range(30):
        for v in range(2):
            found = packed.boxes[packed.rows(t, v)].tolist()
            assert found == sorted(found, key=lambda box: box[::-1])


@given(clips(), st.integers(0, 99))
def test_the_order_of_boxes_is_forgotten(clip: tuple[list[Frame], int], seed: int) -> None:
    frames, views = clip
    rng = np.random.default_rng(seed)
    shuffled = [Frame([rng.permutation(boxes) for boxes in frame.boxes], frame.index) for frame in frames]
    assert_equal(pack(frames, views), pack(shuffled, views))


@given(clips(), st.integers(0, 99))
def test_gathered_instants_are_those_instants(clip: tuple[list[Frame], int], seed: int) -> None:
    frames, views = clip
    chosen = np.random.default_rng(seed).permutation(len(frames))[: len(frames) // 2 + 1]
    assert_equal(gather(pack(frames, views), chosen), pack([frames[t] for t in chosen], views))


def test_an_instant_may_be_gathered_twice() -> None:
    packed = pack([Frame([[[0, 0, 1, 1]], [[2, 2, 3, 3], [4, 4, 5, 5]]])], 2)
    twice = gather(packed, np.array([0, 0]))
    assert twice.view.tolist() == [0, 1, 1, 0, 1, 1]
    np.testing.assert_array_equal(twice.boxes[:3], twice.boxes[3:])


@given(clips(), st.randoms(use_true_random=False))
def test_the_order_of_cameras_is_forgotten(clip: tuple[list[Frame], int], random: object) -> None:
    frames, views = clip
    order = list(range(views))
    random.shuffle(order)  # type: ignore[attr-defined]
    reordered = [Frame([frame.boxes[v] for v in order], frame.index) for frame in frames]

    def canonical(clip: list[Frame]) -> PackedBoxes:
        found = canonical_view_order(clip, views)
        assert sorted(found) == list(range(views))
        return pack([Frame([frame.boxes[v] for v in found]) for frame in clip], views)

    assert_equal(canonical(frames), canonical(reordered))


def test_the_canonical_order_does_not_depend_on_the_order_of_boxes() -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 50, (4, 3, 5, 2))
    boxes = np.concatenate((corner, corner + 10), axis=-1)
    frames = [Frame(list(instant)) for instant in boxes]
    reversed_boxes = [Frame([view[::-1] for view in instant]) for instant in boxes]
    assert canonical_view_order(frames, 3) == canonical_view_order(reversed_boxes, 3)


@pytest.mark.parametrize("views", [1, 3])
def test_an_empty_recording(views: int) -> None:
    packed = pack([], views)
    assert (len(packed), packed.views, packed.boxes.shape) == (0, views, (0, 4))
    assert_equal(gather(packed, np.zeros(0, np.int64)), packed)
