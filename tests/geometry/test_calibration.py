"""From recordings to a common floor, and back to what moved: simulated and real."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from floor_scenes import floor_error
from small_scenes import reorder_cameras

from selfmva import Associator, Frame, evaluate, load_dataset
from selfmva.association.head_lines import find_lines
from selfmva.association.model import FittedModel, no_offsets
from selfmva.association.recording import CanonicalRecording
from selfmva.core.config import AssociatorConfig
from selfmva.core.types import clip_to_views
from selfmva.core.view_pairs import view_pairs
from selfmva.datasets.simulated import Simulated
from selfmva.encoders.box import BoxEncoder
from selfmva.geometry.align_frames import align_frames
from selfmva.geometry.calibration import (
    CALIBRATION,
    calibrate_floor,
    find_offsets,
    recalibrate_floor,
    sightings_of_recording,
    thin_to_walking,
)
from selfmva.geometry.floor_cameras import upside_down
from selfmva.geometry.meetings import walking_time
from selfmva.geometry.sightings import turn_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from selfmva.core.types import View
    from selfmva.core.view_pairs import ViewPair
    from selfmva.geometry.epipolar_search import EpipolarGeometry
    from selfmva.geometry.floor import Floor

LARGEST_ERROR = 0.3  # body heights


@pytest.fixture(scope="module")
def recording() -> Simulated:
    return Simulated(views=3, people=5, instants=300, seed=3)


@pytest.fixture(scope="module")
def frames(recording: Simulated) -> list[Frame]:
    return [recording.frame(t) for t in range(300)]


@pytest.fixture(scope="module")
def floor(recording: Simulated, frames: list[Frame]) -> Floor:
    found = calibrate_floor(recording.views, frames)
    assert found is not None
    return found


def similarity_error(floor: Floor, recording: Simulated) -> float:
    """Largest median distance of floor places from true ones, after the best similarity, in body heights."""
    worst = 0.0
    for view in floor.views_on_floor:
        feet = np.concatenate([recording.frame(t).boxes[view] for t in range(0, 300, 10)])
        pixels = np.column_stack([(feet[:, 0] + feet[:, 2]) / 2, feet[:, 3]])
        found = floor.place(view, pixels)
        homogeneous = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(recording.homographies[view]).T
        true = homogeneous[:, :2] / homogeneous[:, 2:]
        inside = np.isfinite(found).all(axis=1) & (np.abs(true - true.mean(axis=0)) < 8).all(axis=1)
        a, b = (places[inside, 0] + 1j * places[inside, 1] for places in (found, true))
        a, b = a - a.mean(), b - b.mean()
        scale = (np.conj(a) * b).sum() / (np.abs(a) ** 2).sum()
        worst = max(worst, float(np.median(np.abs(scale * a - b)) / 1.75))
    return worst


def test_every_view_sees_the_true_floor(floor: Floor, recording: Simulated) -> None:
    assert floor.views_on_floor == (0, 1, 2)
    assert all(floor.trusted(i, j) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert similarity_error(floor, recording) < LARGEST_ERROR


def floor_in_canonical_order(views: Sequence[View], frames: list[Frame]) -> Floor:
    """As `fit` finds it."""
    canonical = CanonicalRecording.of(views, frames, AssociatorConfig())
    found = calibrate_floor(canonical.views, canonical.frames)
    assert found is not None
    return found.reordered(canonical.places)


def test_the_order_of_cameras_changes_only_their_numbers(recording: Simulated, frames: list[Frame]) -> None:
    order = (2, 0, 1)
    own = floor_in_canonical_order(recording.views, frames)
    turned = [recording.views[k] for k in order]
    other = floor_in_canonical_order(turned, [reorder_cameras(frame, order) for frame in frames])
    assert own.views == recording.views
    assert other.views == tuple(turned)
    assert other.views_on_floor == (0, 1, 2)
    for number, view in enumerate(order):
        np.testing.assert_allclose(other.cameras[number], own.cameras[view], atol=1e-9)
    for (a, b), support in other.supports.items():
        i, j = order[a], order[b]
        assert support == own.supports[min(i, j), max(i, j)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_canonical_order_is_one_for_all_and_leads_back(
    order: tuple[int, ...], floor: Floor, recording: Simulated, frames: list[Frame]
) -> None:
    """All orders: some of them are their own inverse, and would not show which way round they are applied."""
    own = CanonicalRecording.of(recording.views, frames[:20], AssociatorConfig())
    listed, turned = [recording.views[k] for k in order], [reorder_cameras(frame, order) for frame in frames[:20]]
    other = CanonicalRecording.of(listed, turned, AssociatorConfig())
    assert other.views == own.views
    for one, same in zip(own.frames, other.frames, strict=True):
        assert all(map(np.array_equal, one.boxes, same.boxes))
    in_order = floor.reordered(own.order)
    assert in_order.views == other.views
    back = in_order.reordered(other.places)
    assert back.views == tuple(listed)
    assert all(back.cameras[number] is floor.cameras[view] for number, view in enumerate(order))


def test_a_nudged_camera_stands_out(floor: Floor, frames: list[Frame]) -> None:
    """View 1 was moved by 60 pixels."""
    shift = np.array([60.0, 0.0, 60.0, 0.0])
    nudged = [
        clip_to_views(Frame([f.boxes[0], np.clip(f.boxes[1] + shift, 0, 1279), f.boxes[2]], f.index), floor.views)
        for f in (Frame([b[b[:, 2] < 1200] if k == 1 else b for k, b in enumerate(f.boxes)], f.index) for f in frames)
    ]
    found, moves = recalibrate_floor(floor, nudged)
    assert found is not None
    distances = {move.view: move.distance for move in moves}
    assert max(distances, key=distances.__getitem__) == "camera1"
    assert distances["camera1"] > 2 * max(distances["camera0"], distances["camera2"])


def test_cameras_that_show_different_people_do_not_confirm_a_floor(floor: Floor) -> None:
    other = Simulated(views=3, people=5, instants=200, seed=11, unrelated_views=True)
    assert recalibrate_floor(floor, [other.frame(t) for t in range(200)])[0] is None
    assert recalibrate_floor(floor, [])[0] is None


def test_a_view_that_nobody_walks_through_stays_where_it_was(floor: Floor, frames: list[Frame]) -> None:
    hidden = [Frame([*frame.boxes[:2], frame.boxes[2][:0]], frame.index) for frame in frames[:150]]
    found, moves = recalibrate_floor(floor, hidden)
    assert found is not None
    assert [move.view for move in moves] == ["camera0", "camera1"]
    assert max(move.distance for move in moves) < 0.1
    np.testing.assert_array_equal(found.cameras[2], floor.cameras[2])
    assert found.supports[0, 2] == floor.supports[0, 2]
    assert found.supports[0, 1] != floor.supports[0, 1]


def turned_views(recording: Simulated, frames: list[Frame], view: int) -> list[Frame]:
    """As if one of the cameras hung upside down."""
    size = (recording.views[view].width, recording.views[view].height)
    return [
        Frame([turn_boxes(boxes, *size) if number == view else boxes for number, boxes in enumerate(f.boxes)], f.index)
        for f in frames
    ]


def test_a_camera_that_hangs_upside_down_sees_the_same_floor(
    floor: Floor, recording: Simulated, frames: list[Frame]
) -> None:
    hanging = turned_views(recording, frames, 1)
    found = calibrate_floor(recording.views, hanging)
    assert found is not None
    assert [bool(upside_down(camera)) for camera in found.cameras if camera is not None] == [False, True, False]
    assert all(found.trusted(i, j) for i, j in ((0, 1), (0, 2), (1, 2)))
    view = np.repeat(np.arange(3), frames[7].counts)
    upright, turned = (
        side.read(np.concatenate(f.boxes), view) for side, f in ((floor, frames[7]), (found, hanging[7]))
    )
    # Boxes come in another order, so that others of them are looked at: the floor is the same up to its own error.
    np.testing.assert_allclose(turned.foot, upright.foot, atol=0.15)
    np.testing.assert_allclose(turned.hidden, upright.hidden, atol=0.3)
    np.testing.assert_array_equal(turned.known, upright.known)
    # Its feet are where boxes begin in the image.
    boxes = hanging[7].boxes[1]
    tops = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 1]])
    np.testing.assert_allclose(found.place(1, tops), turned.foot[view == 1], atol=1e-6)
    # And it is so after refining on other boxes.
    again, moves = recalibrate_floor(found, hanging[:100])
    assert again is not None
    assert [bool(upside_down(camera)) for camera in again.cameras if camera is not None] == [False, True, False]
    assert max(move.distance for move in moves) < 0.1


@pytest.fixture(scope="module")
def fast() -> Simulated:
    """25 instants a second."""
    return Simulated(views=2, people=5, instants=1000, interval_seconds=0.04, seed=1)


def test_a_scene_at_another_frame_rate_has_the_same_floor(fast: Simulated) -> None:
    every = [fast.frame(t) for t in range(len(fast))]
    found, slow = calibrate_floor(fast.views, every), calibrate_floor(fast.views, every[::10])
    assert found is not None
    assert slow is not None
    for side in (found, slow):
        assert side.trusted(0, 1)
        cameras = {view: camera for view, camera in enumerate(side.cameras) if camera is not None}
        assert floor_error(fast, cameras, 0, 1) < LARGEST_ERROR / 2
    # People walk as far.
    assert found.supports[0, 1].walked == pytest.approx(slow.supports[0, 1].walked, rel=0.3)


def test_instants_are_thinned_to_six_a_body_height(fast: Simulated, recording: Simulated, frames: list[Frame]) -> None:
    view, every = fast.views[:1], [Frame(fast.frame(t).boxes[:1], t) for t in range(400)]
    time = walking_time(sightings_of_recording(view, every))
    thinned, sightings = thin_to_walking(view, every)
    stride = time // CALIBRATION.instants_a_height
    assert stride > 2
    assert [frame.index for frame in thinned] == list(range(0, 400, stride))
    assert 5 <= walking_time(sightings_of_recording(view, thinned)) < 2 * CALIBRATION.instants_a_height
    assert walking_time(sightings) == walking_time(sightings_of_recording(view, thinned))
    # At 2.5 instants a second, nothing is left out.
    assert list(thin_to_walking(recording.views, frames[:40])[0]) == frames[:40]
    assert list(thin_to_walking(view, [])[0]) == []


def lines_in_canonical_order(
    model: FittedModel, frames: list[Frame]
) -> tuple[dict[ViewPair, EpipolarGeometry], FittedModel]:
    """What is found in that order, as in `adapt`, and the model with its matrices, in the order of its own views."""
    canonical = CanonicalRecording.of(model.views, frames, model.config)
    turned = model.reordered(canonical.order)
    assert turned.encoder is not None
    found = find_lines(canonical.views, canonical.frames, turned.encoder, None, 5)
    matrices = {pair: line.matrix for pair, line in found.items() if line.matrix is not None}
    return found, replace(turned, lines=matrices).reordered(canonical.places)


def test_lines_do_not_depend_on_the_order_of_cameras_or_boxes(recording: Simulated, frames: list[Frame]) -> None:
    encoder = BoxEncoder(recording.views, generator=torch.Generator().manual_seed(0))
    model = FittedModel(recording.views, AssociatorConfig(), no_offsets(recording.views), encoder)
    order, rng = [2, 0, 1], np.random.default_rng(0)
    mixed = [Frame([rng.permutation(boxes) for boxes in frame.boxes], frame.index) for frame in frames[:40]]
    plain, own = lines_in_canonical_order(model, frames[:40])
    found, other = lines_in_canonical_order(model.reordered(order), [reorder_cameras(frame, order) for frame in mixed])
    assert set(found) == set(plain) == set(own.lines) == set(other.lines) == set(view_pairs(3))
    for pair, line in found.items():
        assert (line.support, line.trusted) == (plain[pair].support, plain[pair].trusted)
    for (a, b), matrix in other.lines.items():
        i, j = order[a], order[b]
        expected = own.lines[min(i, j), max(i, j)]
        np.testing.assert_allclose(matrix if i < j else matrix.T, expected, atol=1e-9)


def test_lines_do_not_depend_on_the_order_of_boxes(recording: Simulated, frames: list[Frame]) -> None:
    encoder = BoxEncoder(recording.views, generator=torch.Generator().manual_seed(0))
    plain = find_lines(recording.views, frames[:40], encoder, None, 5)
    rng = np.random.default_rng(0)
    mixed = [Frame([rng.permutation(boxes) for boxes in frame.boxes], frame.index) for frame in frames[:40]]
    other = find_lines(recording.views, mixed, encoder, None, 5)
    assert set(other) == set(plain) == set(view_pairs(3))
    for pair, line in other.items():
        expected = plain[pair]
        assert (line.support, line.trusted) == (expected.support, expected.trusted)
        assert line.matrix is not None
        np.testing.assert_allclose(line.matrix, expected.matrix, atol=1e-9)


@pytest.mark.parametrize("options", [{"unrelated_views": True}, {"moving_cameras": True}, {"standing": True}])
def test_where_nothing_can_be_learnt_there_is_no_floor(options: dict[str, bool]) -> None:
    scene = Simulated(views=3, people=1 if "standing" in options else 4, instants=160, seed=5, **options)  # type: ignore[arg-type]
    assert calibrate_floor(scene.views, [scene.frame(t) for t in range(160)]) is None


def test_clocks_are_found_and_set_right(recording: Simulated, frames: list[Frame]) -> None:
    """View 2 shows at instant t what view 0 shows at t + 4."""
    late = [
        Frame([a.boxes[0], a.boxes[1], b.boxes[2]], t)
        for t, (a, b) in enumerate(zip(frames[:120], frames[4:124], strict=True))
    ]
    clock = find_offsets(recording.views, late, bound=5)
    assert clock.offsets.tolist() == [0, 0, 4]
    aligned = align_frames(late, clock.offsets)
    np.testing.assert_array_equal(aligned[10].boxes[2], recording.frame(aligned[10].index).boxes[2])


def test_a_floor_without_a_camera_is_refined_without_it(floor: Floor, frames: list[Frame]) -> None:
    two = replace(floor, cameras=(*floor.cameras[:2], None))
    found, moves = recalibrate_floor(two, frames[:150])
    assert found is not None
    assert found.views_on_floor == (0, 1)
    assert [move.view for move in moves] == ["camera0", "camera1"]


@pytest.mark.realdata
def test_campus_lies_on_one_floor(data_root: Path) -> None:
    dataset = load_dataset("mvmhat", root=data_root / "epfl", scene="11")
    found = calibrate_floor(dataset.views, [dataset.frame(t) for t in dataset.splits["train"]])
    assert found is not None
    assert [found.trusted(i, j) for i, j in ((0, 1), (0, 2), (1, 2))] == [True] * 3
    assert max(support.residual for support in found.supports.values()) < 0.25


@pytest.mark.slow
@pytest.mark.realdata
def test_passageway_without_calibration_is_as_good_as_with_labels(data_root: Path) -> None:
    """The bars of a labelled homography, 0.98 of its average precision .977, and F1 .93."""
    dataset = load_dataset("mvmhat", root=data_root / "epfl", scene="13")
    scores = evaluate(Associator().fit(dataset), dataset)
    assert scores.average_precision > 0.957
    assert scores.f1 > 0.93
    assert scores.calibration_error < 0.05
