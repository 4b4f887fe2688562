"""What was learnt, as one value: what frames it takes, what its report tells, and what happens to its views."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from floor_scenes import flip, frames_of, walkers
from small_scenes import fitted_on_a_floor, partition

from selfmva import Associator
from selfmva.core.types import Frame, reorder_views
from selfmva.datasets.simulated import Simulated
from selfmva.errors import AppearanceMissingWarning, InputError, RigChangedWarning, UnalignedWarning
from selfmva.geometry.align_frames import align_frames

if TYPE_CHECKING:
    from pathlib import Path

ORDER = [2, 0, 1]
APART = 3  # instants


def late(recording: Simulated, instants: int) -> list[Frame]:
    """View 1 shows what the others showed APART instants before."""
    frames = [recording.frame(t) for t in range(instants)]
    return [
        Frame([frame.boxes[0], frames[max(t - APART, 0)].boxes[1], frame.boxes[2]], t) for t, frame in enumerate(frames)
    ]


def test_views_in_another_order_are_the_same_model() -> None:
    associator, recording = fitted_on_a_floor()
    turned = Associator.from_model(associator.model_.reordered(ORDER))
    assert [view.name for view in turned.views_] == [associator.views_[view].name for view in ORDER]
    assert {frozenset((p.view_i, p.view_j)): p.support for p in turned.fit_report_.pairs} == {
        frozenset((p.view_i, p.view_j)): p.support for p in associator.fit_report_.pairs
    }
    for index in range(240, 260):
        frame = recording.frame(index)
        one, other = associator.associate(frame), turned.associate(reorder_views(frame, ORDER))
        assert partition(one) == partition(other)
    back = turned.model_.reordered(np.argsort(ORDER).tolist())
    assert back.views == associator.views_
    assert back.tables is not None
    assert associator.tables_ is not None
    assert {pair: table.bias for pair, table in back.tables.items()} == {
        pair: table.bias for pair, table in associator.tables_.items()
    }


def test_moves_are_told_in_the_order_of_the_views() -> None:
    recording = Simulated(views=3, people=6, instants=150, seed=1)
    frames = [recording.frame(t) for t in range(150)]
    for order in ([0, 1, 2], ORDER):
        views, turned = [recording.views[view] for view in order], [reorder_views(frame, order) for frame in frames]
        associator = Associator(recipe="geometry").fit(views, turned).adapt(turned)
        assert list(associator.fit_report_.moved) == [view.name for view in views]


def test_cameras_that_are_not_what_they_seem_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One hangs upside down, which does no harm; one shows a mirror image, and stays off the floor."""
    recording = walkers(instants=120)
    frames = flip(recording, frames_of(recording), 2, over=True)
    associator = Associator(recipe="geometry").fit(recording.views, flip(recording, frames, 1))
    report = associator.fit_report_
    assert report.views_on_floor == ("camera0", "camera2")
    assert (report.views_upside_down, report.mirrored) == (("camera2",), ("camera1",))
    assert associator.floor_ is not None
    assert associator.floor_.views_upside_down == (2,)
    assert caplog.messages == ["camera1 shows a mirror image: flip its images (x -> width - x) and fit again"]
    turned = associator.model_.reordered(ORDER)
    assert turned.mirrored == (2,)
    associator.save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    assert loaded.model_.mirrored == (1,)
    assert repr(loaded.fit_report_) == repr(report)


@pytest.fixture(scope="module")
def dressed() -> tuple[Associator, Simulated]:
    scene = Simulated(views=3, people=6, instants=60, seed=2, clothes=2.0)
    return Associator(recipe="geometry").fit(scene), scene


def test_features_of_another_length_are_refused(dressed: tuple[Associator, Simulated], tmp_path: Path) -> None:
    associator, scene = dressed
    frame = scene.frame(50)
    assert frame.features is not None
    assert associator.appearance_ == "frames"
    associator.save_pretrained(tmp_path)
    short = replace(frame, features=[part[:, :5] for part in frame.features])
    for each in (associator, Associator.from_pretrained(tmp_path)):
        length = frame.features[0].shape[1]
        with pytest.raises(InputError, match=f"features have 5 numbers, but appearance was learnt from .* {length}"):
            each.associate(short)
        with pytest.raises(InputError, match="features have 5 numbers"):
            each.adapt([short])
    with pytest.warns(AppearanceMissingWarning):
        associator.associate(replace(frame, features=None))


def test_the_report_says_what_the_held_out_instants_were_held_out_from() -> None:
    report = fitted_on_a_floor()[0].fit_report_
    train = len(fitted_on_a_floor()[1].splits["train"])
    assert report.held_out
    assert report.instants < report.calibrated_instants == train
    assert f"geometry and probabilities were learnt from all {train} instants, these too" in report.summary()
    assert report.to_dict()["calibrated_instants"] == train


def test_frames_that_are_not_in_line_are_told() -> None:
    recording = Simulated(views=3, people=5, instants=300, seed=0)
    frames = late(recording, 300)
    geometry = {"clock_bound": 5, "correct_clock": True}
    associator = Associator(recipe="geometry", geometry=geometry).fit(recording.views, frames)
    assert associator.clock_offsets_.tolist() == [0, -APART, 0]
    with pytest.warns(UnalignedWarning, match=r"whose clocks are apart \(clock_offsets_ \[0, -3, 0\] instants\)"):
        associator.associate(frames[250])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        associator.associate(frames[251])  # it was said once
        in_line = align_frames(frames[200:260], associator.clock_offsets_)
        fresh = Associator.from_model(associator.model_)
        list(fresh.associate_many(in_line))
    # What comes out of line contradicts what was learnt, too: nothing is learnt from it.
    with pytest.warns(UnalignedWarning), pytest.warns(RigChangedWarning, match=r"camera1 .*\(clock\).* 3 instants"):
        fresh.adapt(frames[:150])
