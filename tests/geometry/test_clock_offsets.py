"""The clocks of views, found from people who walk."""

from __future__ import annotations

import numpy as np
import pytest

from selfmva import load_dataset
from selfmva.core.types import Frame
from selfmva.datasets.simulated import Simulated
from selfmva.errors import InputError
from selfmva.geometry.align_frames import align_frames, count_instants
from selfmva.geometry.calibration import sightings_of_recording
from selfmva.geometry.clock_offsets import _consistent, find_clock

BOUND = 6


def late(recording, offsets):
    """View v shows at instant t what view 0 shows at instant t + offsets[v]."""
    return align_frames([recording.frame(t) for t in range(len(recording))], -np.asarray(offsets))


def clock_of(views, frames, bound=BOUND):
    return find_clock(sightings_of_recording(views, frames), count_instants(frames), bound)


@pytest.fixture(scope="module")
def recording():
    return Simulated(views=3, people=5, instants=100, seed=3)


@pytest.mark.parametrize("offsets", [(0, 0, 0), (0, 4, -2)])
def test_finds_the_offsets_exactly(recording, offsets):
    clock = clock_of(recording.views, late(recording, offsets))
    assert clock.offsets.dtype == np.int64
    assert clock.offsets.tolist() == list(offsets)
    assert (clock.confidence > 0.3).all()


def test_the_order_of_views_does_not_matter(recording):
    order, offsets = [2, 0, 1], np.array([0, 4, -2])
    frames = [Frame([f.boxes[v] for v in order], f.index) for f in late(recording, offsets)]
    clock = clock_of([recording.views[v] for v in order], frames)
    assert clock.offsets.tolist() == (offsets[order] - offsets[order[0]]).tolist()


def test_a_view_of_other_people_keeps_the_clock_of_the_others(recording):
    stranger = Simulated(views=3, people=5, instants=100, seed=11)
    frames = [
        Frame([*f.boxes, stranger.frame(t).boxes[0]], f.index) for t, f in enumerate(late(recording, (0, -3, -3)))
    ]
    clock = clock_of([*recording.views, stranger.views[0]], frames)
    assert clock.offsets.tolist() == [0, -3, -3, -3]
    assert np.isnan(clock.confidence).tolist() == [False, False, False, True]


@pytest.mark.parametrize("option", ["unrelated_views", "standing"])
def test_nothing_to_learn_means_no_confidence(option):
    recording = Simulated(views=3, people=4, instants=150, seed=1, **{option: True})
    clock = clock_of(recording.views, late(recording, (0, 0, 0)))
    assert clock.offsets.tolist() == [0, 0, 0]
    assert np.isnan(clock.confidence).all()


def test_no_view_one_view_no_instant(recording):
    frames = late(recording, (0, 0, 0))
    assert find_clock([], np.zeros(0, np.int64), 3).offsets.shape == (0,)
    alone = clock_of(recording.views[:1], [Frame(f.boxes[:1], f.index) for f in frames])
    assert alone.offsets.tolist() == [0]
    assert np.isnan(alone.confidence).all()
    short = clock_of(recording.views, frames[:3])
    assert short.offsets.tolist() == [0, 0, 0]
    assert np.isnan(short.confidence).all()


@pytest.mark.parametrize("bound", [-1, 2.5])
def test_errors(bound):
    with pytest.raises(InputError, match="bound must be"):
        find_clock([], np.zeros(0, np.int64), bound)


def test_loops_outvote_one_wrong_pair():
    right = {(0, 1): 2, (0, 2): -1, (1, 2): -3, (0, 3): 1, (1, 3): -1}
    curves = {pair: {lag - 1: 3.0, lag: 5.0, lag + 1: 3.0} for pair, lag in right.items()}
    curves[2, 3] = {5: 6.0, 2: 1.0}  # the strongest, and wrong: it should be 2
    assert _consistent(curves, 5).tolist()[1:] == [_consistent(curves, 5)[0] + lag for lag in (2, -1, 1)] + [0]


@pytest.mark.realdata
def test_real_recording(data_root):
    dataset = load_dataset("mvmhat", root=data_root / "epfl", scene="12", stride=10)
    frames = align_frames([dataset.frame(k) for k in dataset.splits["train"][:120]], [0, 0, 7, 0])
    clock = clock_of(dataset.views, frames, bound=8)
    assert clock.offsets.tolist() == [0, 0, -7, 0]
    assert (clock.confidence > 0.3).all()
