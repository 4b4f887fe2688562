"""Frames and sightings by another clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError
from selfmva.geometry.align_frames import align_frames, count_instants, shift_view
from selfmva.geometry.calibration import sightings_of_recording


def stamped(instants, offsets, step=1, scores=True):
    """View v shows at instant t one box that says t + offsets[v], in its corner, its score and its track."""

    def frame(t):
        moments = [t + offset for offset in offsets]
        return Frame(
            [[[moment, 0, moment + 1, 9]] for moment in moments],
            step * t,
            [[moment / 1000] for moment in moments] if scores else None,
            [[moment] for moment in moments],
        )

    return [frame(t) for t in instants]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=4), st.integers(1, 10))
def test_everything_at_one_instant_is_of_one_moment(offsets, step):
    offsets = np.array(offsets) - offsets[0]
    frames = align_frames(stamped(range(100, 130), offsets, step), offsets)
    assert [f.index for f in frames] == [step * t for t in range(100 + max(offsets), 130 + min(offsets))]
    for frame in frames:
        moment = frame.index // step
        assert {box[0, 0] for box in frame.boxes} == {moment}
        assert {track[0] for track in frame.track_ids} == {moment}
        assert {score[0] for score in frame.scores} == {moment / 1000}
        assert frame.clock_offsets == tuple(offsets)


def test_instants_without_a_frame_are_empty_views():
    frames = [frame for frame in stamped(range(6), [0, 2]) if frame.index != 3]
    aligned = align_frames(frames, [0, 2])
    assert [frame.index for frame in aligned] == [2, 3, 4, 5]
    assert [frame.counts for frame in aligned] == [(1, 1), (0, 1), (1, 1), (1, 0)]
    assert all(frame.scores is not None for frame in aligned)


def test_frames_say_that_they_were_brought_in_line():
    """Also where no clock is off, and without boxes; frames as they came don't, and stay as they were."""
    came = stamped(range(6), [0, 0, 0])
    assert {frame.clock_offsets for frame in align_frames(came, np.zeros(3, np.int64))} == {(0, 0, 0)}
    empty = [Frame([[], []], t) for t in range(6)]
    assert {frame.clock_offsets for frame in align_frames(empty, [0, -1])} == {(0, -1)}
    assert {frame.clock_offsets for frame in (*came, *empty)} == {None}


def test_small_and_missing():
    assert align_frames([], [0, 1]) == []
    assert count_instants([]).shape == (0,)
    assert count_instants(stamped([4], [0])).tolist() == [0]
    assert align_frames(stamped(range(3), [0, 0]), [0, 9]) == []  # never recorded together
    assert align_frames(stamped(range(9), [0, 1], scores=False), [0, 1])[0].scores is None


def test_errors():
    with pytest.raises(InputError, match="offsets; give one a view"):
        align_frames(stamped(range(3), [0, 0]), [0])
    with pytest.raises(InputError, match="order of time"):
        count_instants(stamped([0, 2, 1], [0]))


def test_sightings_move_like_frames():
    recording = Simulated(views=2, people=3, instants=60)
    # Boxes of no track, and of tracks of one box, are not smoothed, so that a frame's can be told.
    boxes = [recording.frame(t).boxes for t in range(60)]
    frames = [Frame(views, t, None, [np.arange(len(view)) + 10 * t for view in views]) for t, views in enumerate(boxes)]
    offsets = [0, 3]
    time = count_instants(frames)
    sightings = sightings_of_recording(recording.views, frames)
    moved = [shift_view(view, time, offset) for view, offset in zip(sightings, offsets, strict=True)]
    aligned = align_frames(frames, offsets)
    for view, seen in enumerate(moved):
        assert (np.diff(seen.starts) == np.bincount(seen.instant, minlength=60)).all()
        for frame in aligned:
            rows = slice(*seen.starts[frame.index : frame.index + 2])
            width = recording.views[view].width
            centres = np.sort(frame.boxes[view][:, [0, 2]].mean(axis=1) / width - 0.5)
            np.testing.assert_allclose(np.sort(seen.feet[rows, 0]), centres)
