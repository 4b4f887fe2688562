"""Hypothesis strategies for boxes and recordings, shared by tests."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from selfmva.core.types import Frame

# Sixteenths of a pixel: sums and differences are exact, so that round trips through x, y, width, height are too.
positions = st.integers(-16_000, 64_000).map(lambda value: value / 16)
sides = st.integers(1, 32_000).map(lambda value: value / 16)
sixteenths = st.integers(0, 16).map(lambda value: value / 16)
identifiers = st.integers(-1, 10**9)


@st.composite
def box_arrays(draw: st.DrawFn, most: int = 4) -> np.ndarray:
    """(N, 4) xyxy boxes of positive size."""
    rows = draw(st.lists(st.tuples(positions, positions, sides, sides), max_size=most))
    array = np.array(rows, dtype=np.float64).reshape(-1, 4)
    array[:, 2:] += array[:, :2]
    return array


@st.composite
def recordings(draw: st.DrawFn) -> list[Frame]:
    """Frames of one recording in the order of time; all have scores or none, all have track ids or none."""
    view_count = draw(st.integers(1, 4))
    instants = sorted(draw(st.sets(st.integers(0, 10**6), min_size=1, max_size=4)))
    scored, tracked = draw(st.booleans()), draw(st.booleans())
    frames = []
    for instant in instants:
        boxes = [draw(box_arrays()) for _ in range(view_count)]
        scores = [[draw(sixteenths) for _ in array] for array in boxes] if scored else None
        track_ids = [[draw(identifiers) for _ in array] for array in boxes] if tracked else None
        frames.append(Frame(boxes, index=instant, scores=scores, track_ids=track_ids))
    return frames


def assert_same_frames(actual: list[Frame], expected: list[Frame]) -> None:
    """Instants, boxes, scores and track ids are equal, bit by bit."""
    assert [frame.index for frame in actual] == [frame.index for frame in expected]
    for one, other in zip(actual, expected, strict=True):
        assert one.counts == other.counts
        for name in ("boxes", "scores", "track_ids"):
            left, right = getattr(one, name), getattr(other, name)
            assert (left is None) == (right is None), name
            if left is not None:
                assert all(map(np.array_equal, left, right)), name
