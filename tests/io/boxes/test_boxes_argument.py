"""What `fit` takes for boxes: every kind gives the same frames, clipped, or an error that names the place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from box_strategies import assert_same_frames, recordings
from hypothesis import given, settings

from selfmva.core.types import Frame, View
from selfmva.errors import DataError, InputError
from selfmva.io import table_from_frames, write_boxes
from selfmva.io.boxes.argument import resolve_boxes

if TYPE_CHECKING:
    from pathlib import Path

VIEWS = (View("door", 100, 100), View("window", 200, 100))
NESTED = [
    [[[-5, 0, 10, 10]], None],
    [[], [[150, 50, 250, 90], [0, 0, 1, 1]]],
]
CLIPPED = [
    Frame([[[0, 0, 10, 10]], []], index=0),
    Frame([[], [[150, 50, 200, 90], [0, 0, 1, 1]]], index=1),
]


def test_every_kind_gives_the_same(tmp_path: Path) -> None:
    frames = [Frame(entry, index=t) for t, entry in enumerate(NESTED)]
    write_boxes(tmp_path / "boxes.json", frames)
    table = table_from_frames(frames)
    named = table.assign(view=table["view"].map({0: "door", 1: "window"}))
    arrays = [[np.array(b or np.empty((0, 4))) for b in entry] for entry in NESTED]
    unnumbered = [Frame(entry) for entry in NESTED]
    for boxes in (NESTED, tuple(NESTED), frames, unnumbered, arrays, table, named, tmp_path / "boxes.json"):
        assert_same_frames(resolve_boxes(boxes, VIEWS), CLIPPED)
    assert_same_frames(resolve_boxes(str(tmp_path / "boxes.json"), VIEWS), CLIPPED)


def test_an_array_of_all_boxes() -> None:
    boxes = np.tile([1.0, 2.0, 3.0, 4.0], (5, 2, 3, 1))
    assert [frame.counts for frame in resolve_boxes(boxes, VIEWS)] == [(3, 3)] * 5


@given(recordings())
@settings(deadline=None)
def test_frames_keep_all_they_carry(frames: list[Frame]) -> None:
    shifted = [
        Frame([b + [1000, 1000, 1000, 1000] for b in f.boxes], f.index, f.scores, f.track_ids)  # noqa: RUF005
        for f in frames
    ]
    views = [View(f"view{v}", 10_000, 10_000) for v in range(len(frames[0]))]
    assert_same_frames(resolve_boxes(shifted, views), shifted)


@pytest.mark.parametrize("boxes", [[], (), np.empty((0, 2, 3, 4))])
def test_nothing(boxes: Any) -> None:
    assert resolve_boxes(boxes, VIEWS) == []


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[[], []], [[], [], []]], r"instant 1 has 3 views, but there are 2 \(door, window\)"),
        ([Frame([[]], index=7)], "instant 7 has 1 views, but there are 2"),
        ([[[], []], [[], [[1, 2, 3]]]], r"instant 1, view 1: boxes must have shape \(N, 4\)"),
        ([[[[101, 0, 110, 10]], []]], r"instant 0, view 0 \('door'\), row 0: .* outside the image"),
        ([Frame([[], []], index=3), Frame([[], []], index=3)], "each instant once: 3 follows 3"),
        ([Frame([[], []], index=3), Frame([[], []], index=2)], "in the order of time, each instant once: 2 follows 3"),
        ([3], "instant 0: boxes must be a sequence"),
        (3, r"boxes must be boxes\[t\]\[v\]"),
        (None, r"boxes must be boxes\[t\]\[v\]"),
        ({"0": []}, r"boxes must be boxes\[t\]\[v\]"),
    ],
)
def test_what_are_no_boxes(boxes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_boxes(boxes, VIEWS, on_bad_box="raise")


def test_a_table_is_an_argument_and_a_file_is_data(tmp_path: Path) -> None:
    table = table_from_frames(CLIPPED).assign(view=5)
    with pytest.raises(InputError, match="table, row 0: view 5 is not one of the 2 views"):
        resolve_boxes(table, VIEWS)
    table.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match=r"b\.csv, row 0: view 5 is not one of the 2 views"):
        resolve_boxes(tmp_path / "b.csv", VIEWS)
