"""Scores and ids that are known at some instants alone: detectors see nobody for a moment, trackers need a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from box_strategies import assert_same_frames

from selfmva.core.types import LARGEST_INDEX, Frame
from selfmva.errors import DataError, InputError
from selfmva.io import frames_from_table, read_boxes, table_from_frames, write_boxes
from selfmva.io.boxes.coco import parse_coco

if TYPE_CHECKING:
    from pathlib import Path

BOX, OTHER = [1.0, 2.0, 4.0, 9.0], [3.0, 2.0, 8.0, 9.0]
FRAMES = [
    Frame([[BOX], [BOX, OTHER]], 0, scores=[[0.5], [0.75, 0.25]]),
    Frame([[], []], 1),
    Frame([[BOX], []], 2, track_ids=[[7], []]),
    Frame([[OTHER], [BOX]], 4, scores=[[0.5], [1.0]], track_ids=[[7], [8]]),
    Frame([[], [OTHER]], 5),
]


def expected(*, empty: bool, scores: bool) -> list[Frame]:
    """What comes back: ids in every frame, because some have one; scores where they were."""
    return [
        Frame(
            frame.boxes,
            frame.index,
            frame.scores if scores else None,
            frame.track_ids or [np.full(count, -1) for count in frame.counts],
        )
        for frame in FRAMES
        if empty or sum(frame.counts)
    ]


@pytest.mark.parametrize(
    ("name", "empty", "scores"),
    [
        ("b.json", True, False),
        ("b.coco.json", True, True),
        ("b.csv", False, True),
        ("b.parquet", False, True),
        ("mot", False, True),
    ],
)
def test_what_is_known_comes_back(tmp_path: Path, name: str, empty: bool, scores: bool) -> None:
    write_boxes(tmp_path / name, FRAMES)
    wanted = expected(empty=empty, scores=scores)
    back = read_boxes(tmp_path / name, 2)
    if name == "b.coco.json":  # where somebody has a score, nobody at an instant is no reason to have none
        back = [Frame(f.boxes, f.index, f.scores if sum(f.counts) else None, f.track_ids) for f in back]
    assert_same_frames(back, wanted)
    write_boxes(tmp_path / name, read_boxes(tmp_path / name, 2))
    assert_same_frames(
        [f for f in read_boxes(tmp_path / name, 2) if sum(f.counts)], [f for f in wanted if sum(f.counts)]
    )


def test_half_a_frame_is_damage() -> None:
    """Not of COCO, where detections and what a person added stand side by side: there, the frame has none."""
    table = table_from_frames(FRAMES[:1])
    table.loc[1, "score"] = np.nan
    with pytest.raises(DataError, match="row 1: score nan is not a finite number"):
        frames_from_table(table)
    images = [{"id": 1, "view": 0, "frame": 0}, {"id": 2, "view": 0, "frame": 1}]
    boxes = [{"image_id": 1, "bbox": [1, 2, 3, 4], "score": s} for s in (0.5, None)]
    boxes.append({"image_id": 2, "bbox": [1, 2, 3, 4], "score": 0.25})
    first, second = parse_coco({"images": images, "annotations": boxes})
    assert first.scores is None
    assert second.scores[0].tolist() == [0.25]


@pytest.mark.parametrize("frames", [None, 3, "ab", [[[BOX]]], [Frame([[]]), None], (Frame([[]]) for _ in range(1))])
@pytest.mark.parametrize("name", ["b.json", "b.csv", "b.coco.json", "mot"])
def test_what_are_no_frames(tmp_path: Path, frames: object, name: str) -> None:
    with pytest.raises(InputError, match="frames must be a sequence of Frame"):
        write_boxes(tmp_path / name, frames)  # type: ignore[arg-type]  # on purpose
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("index", [LARGEST_INDEX + 1, -LARGEST_INDEX - 1, 2**63, -(2**63) - 1, 10**30])
def test_an_instant_that_no_file_holds(tmp_path: Path, index: int) -> None:
    with pytest.raises(InputError, match="the index of a frame must be a whole number"):
        Frame([[BOX]], index=index)
    write_boxes(tmp_path / "b.csv", [Frame([[BOX]], index=LARGEST_INDEX)])
    assert read_boxes(tmp_path / "b.csv")[0].index == LARGEST_INDEX
    text = (tmp_path / "b.csv").read_text().replace(str(LARGEST_INDEX), str(index))
    (tmp_path / "b.csv").write_text(text)
    with pytest.raises(DataError, match="row 0: instant .* is (too large|not a whole number)"):
        read_boxes(tmp_path / "b.csv")
