"""The simulator: where feet meet, its rates against what was asked, and its promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from selfmva.datasets.base import LabelledDataset
from selfmva.datasets.check import check_adapter
from selfmva.datasets.simulated import Simulated, SimulationConfig, SimulationOptions
from selfmva.errors import ConfigError

EXACT: dict[str, Any] = {
    "occlusion_threshold": 1,
    "truncation_threshold": 1,
    "miss_rate": 0,
    "false_rate": 0,
    "jitter": 0,
    "cut_feet_rate": 0,
}


def all_boxes(recording: Simulated) -> tuple[np.ndarray, np.ndarray]:
    """All boxes and identities, flat, by instant and view."""
    instants = range(len(recording))
    boxes = [b for t in instants for b in recording.frame(t).boxes]
    return np.concatenate(boxes), np.concatenate([i for t in instants for i in recording.identities(t)])


def feet_errors(recording: Simulated, instants: range) -> np.ndarray:
    """Distance in metres from the bottom of each untruncated box, on the floor, to where its person stands."""
    to_floor = np.linalg.inv(recording.homographies)
    errors = []
    for instant in instants:
        who, where = recording.ground_positions(instant)
        places = dict(zip(who.tolist(), where, strict=True))
        for view, (boxes, ids) in enumerate(
            zip(recording.frame(instant).boxes, recording.identities(instant), strict=True)
        ):
            size = (recording.config.width, recording.config.height)
            whole = (boxes[:, :2] > 0).all(axis=1) & (boxes[:, 2:] < size).all(axis=1)
            feet = np.column_stack([boxes[whole][:, [0, 2]].mean(axis=1), boxes[whole][:, 3], np.ones(whole.sum())])
            floor = feet @ to_floor[view].T
            truth = np.array([places[i] for i in ids[whole].tolist()]).reshape(-1, 2)
            errors.append(np.linalg.norm(floor[:, :2] / floor[:, 2:] - truth, axis=1))
    return np.concatenate(errors)


@pytest.mark.parametrize("views", range(1, 9))
@pytest.mark.parametrize("people", [1, 4, 40])
def test_smoke_invariants(views: int, people: int) -> None:
    recording = Simulated(views=views, people=people, instants=12, seed=views, false_rate=1.0, jitter=0.2)
    assert isinstance(recording, LabelledDataset)
    assert len(recording) == 12
    assert len({view.name for view in recording.views}) == views
    for index in range(12):
        frame, identities = recording.frame(index), recording.identities(index)
        present = set(recording.ground_positions(index)[0].tolist())
        assert frame.index == index
        assert tuple(map(len, identities)) == frame.counts
        assert len(frame) == views
        for boxes, ids in zip(frame.boxes, identities, strict=True):
            assert (boxes >= 0).all()
            assert (boxes <= [1280, 720, 1280, 720]).all()
            people_seen = ids[ids >= 0].tolist()
            assert len(set(people_seen)) == len(people_seen)
            assert set(people_seen) <= present


@pytest.mark.parametrize("instants", [1, 2, 3, 10, 257])
def test_splits_part_the_recording_in_the_order_of_time(instants: int) -> None:
    splits = Simulated(instants=instants, people=1).splits
    assert list(splits) == ["train", "validation", "test"]
    assert [i for split in splits.values() for i in split] == list(range(instants))
    assert len(splits["train"]) == round(0.7 * instants) >= 1


def test_same_seed_same_recording_in_any_order_of_access() -> None:
    one, two, other = Simulated(instants=300), Simulated(instants=300), Simulated(instants=300, seed=1)
    backwards = [two.frame(i) for i in reversed(range(300))][::-1]
    for index in range(300):
        for a, b in zip(one.frame(index).boxes, backwards[index].boxes, strict=True):
            np.testing.assert_array_equal(a, b)
        for i, j in zip(one.identities(index), two.identities(index), strict=True):
            np.testing.assert_array_equal(i, j)
    assert not np.array_equal(all_boxes(one)[0], all_boxes(other)[0])
    assert not np.allclose(one.projections, other.projections)


def test_what_is_handed_out_cannot_change_the_recording() -> None:
    recording = Simulated(instants=2)
    recording.identities(0)[0][:] = 99
    recording.projections[:] = 0
    recording.homographies[:] = 0
    recording.ground_positions(0)[1][:] = 0
    assert not (recording.identities(0)[0] == 99).any()
    np.testing.assert_array_equal(recording.projections, Simulated(instants=2).projections)
    assert recording.ground_positions(0)[1].any()


@pytest.mark.parametrize("index", [-1, 5, 10**9])
def test_no_such_instant(index: int) -> None:
    recording = Simulated(instants=5)
    for ask in (recording.frame, recording.identities, recording.ground_positions):
        with pytest.raises(IndexError, match="0 to 4"):
            ask(index)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vews": 3}, "vews.*views"),
        ({"views": 0}, "views.*greater than or equal to 1.*0"),
        ({"miss_rate": 1.5}, r"miss_rate.*less than or equal to 1.*1\.5"),
        ({"people": "many"}, "people.*'many'"),
        ({"interval_seconds": 0}, "interval_seconds.*greater than 0"),
        ({"jitter": float("nan")}, "jitter"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Simulated(**options)


def test_options_are_the_fields_and_the_repr_shows_them() -> None:
    assert set(SimulationOptions.__annotations__) == set(SimulationConfig.model_fields)
    assert repr(Simulated(views=2, instants=1)) == "Simulated(instants=1, views=2)"


def test_exact_feet_meet_on_the_floor() -> None:
    """Tolerance: 0.55 m at worst and 0.2 m in the median, the lean of an upright body at the side of an image."""
    for seed in range(3):
        errors = feet_errors(Simulated(instants=60, seed=seed, **EXACT), range(60))
        assert len(errors) > 500
        assert errors.max() < 0.55
        assert np.median(errors) < 0.2


def test_moving_cameras_leave_their_homographies() -> None:
    recording = Simulated(instants=60, moving_cameras=True, **EXACT)
    assert feet_errors(recording, range(1)).max() < 0.55
    assert np.median(feet_errors(recording, range(10, 60))) > 1


def test_projections_and_homographies_agree() -> None:
    recording = Simulated(instants=1)
    floor = recording.projections @ np.array([3.0, 2.0, 0.0, 1.0])
    np.testing.assert_allclose(floor, recording.homographies @ np.array([3.0, 2.0, 1.0]))


def test_miss_rate() -> None:
    everything = len(all_boxes(Simulated(instants=400, **EXACT))[0])
    found = len(all_boxes(Simulated(instants=400, **EXACT | {"miss_rate": 0.3}))[0])
    assert abs(found - 0.7 * everything) < 4 * np.sqrt(0.21 * everything)
    assert not len(all_boxes(Simulated(instants=20, **EXACT | {"miss_rate": 1}))[0])


def test_false_rate() -> None:
    boxes, identities = all_boxes(Simulated(instants=500, **EXACT | {"miss_rate": 1, "false_rate": 0.4}))
    assert (identities == -1).all()
    expected = 0.4 * 500 * 4
    assert abs(len(boxes) - expected) < 4 * np.sqrt(expected)
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_cut_feet_rate() -> None:
    whole, _ = all_boxes(Simulated(instants=300, **EXACT))
    cut, _ = all_boxes(Simulated(instants=300, **EXACT | {"cut_feet_rate": 0.2}))
    shortened = 1 - (cut[:, 3] - cut[:, 1]) / (whole[:, 3] - whole[:, 1])
    hit = shortened > 1e-9
    assert abs(hit.mean() - 0.2) < 4 * np.sqrt(0.16 / len(hit))
    assert shortened[hit].min() > 0.14
    assert shortened.max() < 0.41
    np.testing.assert_array_equal(cut[:, :3], whole[:, :3])


def test_truncation_threshold() -> None:
    whole, _ = all_boxes(Simulated(instants=100, **EXACT | {"truncation_threshold": 0}))
    assert (whole[:, :2] > 0).all()
    assert (whole[:, 2:] < [1280, 720]).all()
    assert len(all_boxes(Simulated(instants=100, **EXACT))[0]) > len(whole) > 0


def test_occlusion_threshold_is_monotone() -> None:
    counts = [
        len(all_boxes(Simulated(instants=100, people=20, **EXACT | {"occlusion_threshold": fraction}))[0])
        for fraction in (0, 0.3, 0.6, 0.9, 1)
    ]
    assert counts == sorted(counts)
    assert len(set(counts)) == 5


def test_the_order_of_boxes_tells_nothing() -> None:
    recording = Simulated(instants=600, people=8, **EXACT)
    ranks = []
    for index in range(600):
        for boxes, ids in zip(recording.frame(index).boxes, recording.identities(index), strict=True):
            if len(ids) > 1:
                ranks.append(np.array([np.argmin(ids), np.argmax(boxes[:, 3])]) / (len(ids) - 1))
    # A rank among n >= 2 has a variance of at most 1 / 4.
    np.testing.assert_allclose(np.mean(ranks, axis=0), 0.5, atol=4 * 0.5 / np.sqrt(len(ranks)))


def test_long_intervals_stay_on_the_floor() -> None:
    recording = Simulated(instants=200, interval_seconds=30)
    places = np.concatenate([recording.ground_positions(i)[1] for i in range(200)])
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= [12, 9])).all()


def test_standing_people_stay() -> None:
    recording = Simulated(instants=30, people=6, standing=True, **EXACT)
    who, where = recording.ground_positions(0)
    assert len(who) == 6
    for index in (1, 29):
        np.testing.assert_array_equal(recording.ground_positions(index)[0], who)
        np.testing.assert_array_equal(recording.ground_positions(index)[1], where)
        for a, b in zip(recording.frame(index).boxes, recording.frame(0).boxes, strict=True):
            np.testing.assert_array_equal(a[np.lexsort(a.T)], b[np.lexsort(b.T)])


def test_unrelated_views_share_nothing() -> None:
    recording = Simulated(instants=100, unrelated_views=True, views=3)
    seen = [np.concatenate([recording.identities(t)[v] for t in range(100)]) for v in range(3)]
    people = [set(ids[ids >= 0].tolist()) for ids in seen]
    assert all(people)
    assert not people[0] & people[1] | people[0] & people[2] | people[1] & people[2]
    who, where = recording.ground_positions(0)
    assert len(who) == len(where) == 30
    assert len(np.unique(where.round(3), axis=0)) == 30


def test_detector_options_leave_people_and_cameras_alone() -> None:
    one, two = Simulated(instants=50), Simulated(instants=50, miss_rate=0.4, jitter=0, false_rate=2)
    np.testing.assert_array_equal(one.projections, two.projections)
    np.testing.assert_array_equal(one.ground_positions(49)[1], two.ground_positions(49)[1])


@pytest.mark.parametrize("seed", range(3))
def test_a_default_recording_looks_like_a_real_one(seed: int) -> None:
    recording = Simulated(instants=500, seed=seed)
    boxes, identities = all_boxes(recording)
    heights = (boxes[:, 3] - boxes[:, 1])[identities >= 0]
    assert np.percentile(heights, 10) > 60
    assert np.percentile(heights, 99) < 550
    present = sum(len(recording.ground_positions(t)[0]) for t in range(500))
    assert 0.6 < (identities >= 0).sum() / (4 * present) < 0.92
    shared = 0
    for t in range(500):
        people = np.concatenate([np.unique(ids[ids >= 0]) for ids in recording.identities(t)])
        counts = np.unique(people, return_counts=True)[1]
        shared += counts[counts > 1].sum()
    assert shared / len(identities) > 0.6


@pytest.mark.parametrize(
    "options",
    [
        {"width": 64, "height": 64, "jitter": 0.5, "truncation_threshold": 1, "occlusion_threshold": 0.99},
        {
            "floor_width": 3,
            "floor_depth": 3,
            "people": 60,
            "jitter": 0.5,
            "cut_feet_rate": 1,
            "truncation_threshold": 1,
        },
        {"floor_width": 100, "floor_depth": 100, "moving_cameras": True, "interval_seconds": 60, "false_rate": 20},
        {"unrelated_views": True, "moving_cameras": True, "standing": True, "views": 2, "width": 128, "height": 4096},
    ],
)
def test_extreme_options_give_boxes_inside_the_images(options: dict[str, Any]) -> None:
    recording = Simulated(instants=60, **options)
    boxes, _ = all_boxes(recording)  # a frame refuses boxes that are empty or not finite
    size = (recording.config.width, recording.config.height)
    assert len(boxes)
    assert (boxes >= 0).all()
    assert (boxes <= [*size, *size]).all()


def test_conformance() -> None:
    check_adapter(Simulated(instants=20))


def test_lockstep_people_keep_their_distances_and_all_move_alike() -> None:
    recording = Simulated(instants=60, people=9, lockstep=True, seed=3, **EXACT)
    shared_steps = 0
    for t in range(59):
        now, then = (dict(zip(*recording.ground_positions(s), strict=True)) for s in (t, t + 1))
        steps = np.array([then[who] - now[who] for who in now.keys() & then.keys()]).reshape(-1, 2)
        shared_steps += len(steps) > 1
        np.testing.assert_allclose(steps - steps[:1], 0.0, atol=1e-9)
        places = np.array(list(now.values())).reshape(-1, 2)
        assert ((places >= 0) & (places <= [12, 9])).all()
    assert shared_steps > 20


def test_lockstep_speed_is_one_of_walking() -> None:
    recording = Simulated(instants=60, people=1, lockstep=True, interval_seconds=0.2, seed=3, **EXACT)
    places = np.array([recording.ground_positions(t)[1].ravel() for t in range(60)])
    speeds = np.linalg.norm(np.diff(places, axis=0), axis=1) / 0.2
    steady = np.median(speeds)
    assert 0.5 <= steady <= 1.6
    assert np.sum(~np.isclose(speeds, steady)) <= 3  # where it turns around


def test_furniture_cuts_boxes_from_below_and_changes_nothing_else() -> None:
    options: dict[str, Any] = {"instants": 60, "people": 5, "seed": 2, **EXACT, "occlusion_threshold": 0.9}
    bare, furnished = Simulated(**options), Simulated(furniture=8, **options)
    shorter, total = 0, 0
    for t in range(60):
        for view in range(4):
            whole = dict(zip(bare.identities(t)[view].tolist(), bare.frame(t).boxes[view], strict=True))
            seen = dict(zip(furnished.identities(t)[view].tolist(), furnished.frame(t).boxes[view], strict=True))
            assert seen.keys() <= whole.keys()
            for who, box in seen.items():
                np.testing.assert_array_equal(box[:3], whole[who][:3])
                assert box[3] <= whole[who][3]
                shorter += box[3] < whole[who][3]
            total += len(seen)
    assert 0.05 < shorter / total < 0.8


def test_a_lens_moves_feet_to_where_its_formula_says() -> None:
    options: dict[str, Any] = {"instants": 40, "people": 6, "seed": 1, **EXACT}
    ideal, bent = Simulated(**options), Simulated(distortion=-0.12, **options)
    moved, missed = [], []
    for t in range(40):
        for view in range(4):
            seen = dict(zip(bent.identities(t)[view].tolist(), bent.frame(t).boxes[view], strict=True))
            straight = dict(zip(ideal.identities(t)[view].tolist(), ideal.frame(t).boxes[view], strict=True))
            for who, (x1, y1, x2, y2) in straight.items():
                if x1 > 0 and y1 > 0 and x2 < 1280 and y2 < 720:
                    arm = np.array([(x1 + x2) / 2, y2]) - [640, 360]
                    expected = 360 + arm[1] * (1 - 0.12 * (arm @ arm) / (640**2 + 360**2))
                    moved.append(y2 - expected)
                    missed.append(abs(seen[who][3] - expected))
    assert len(moved) > 200
    assert np.percentile(moved, 90) > 5
    assert np.median(missed) < 1  # the middle of a box is not quite above the foot


@pytest.mark.parametrize("option", [{"children": 0.5}, {"linger": 10}, {"pixel_aspect": 1.3}, {"eye_level": 1}])
def test_where_nothing_bends_feet_meet_on_the_floor(option: dict[str, Any]) -> None:
    recording = Simulated(instants=40, people=6, seed=1, **option, **EXACT)
    assert np.median(feet_errors(recording, range(40))) < 0.15  # a foot is a circle of a radius of up to 0.08
