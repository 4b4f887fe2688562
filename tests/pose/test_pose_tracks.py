"""Poses over time: what refining gains on simulated people, gaps, tables and files."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import c3d
import numpy as np
import pandas as pd
import pytest
from body_scenes import people, true_cameras

from selfmva.association.poses import find_poses
from selfmva.association.tracks import TrackedFrame
from selfmva.core.skeletons import SKELETONS
from selfmva.errors import DataError, InputError
from selfmva.pose import Poses3D, PoseTracks

if TYPE_CHECKING:
    from pathlib import Path


@cache
def walked(seconds: float = 0.1, seed: int = 2) -> tuple[PoseTracks, tuple[np.ndarray, ...]]:
    """Poses by true cameras and identities, and the true joints of the same people."""
    scene = people(seed, 4, interval_seconds=seconds)
    cameras, poses, true = true_cameras(scene), [], []
    for t in range(len(scene)):
        ids = scene.identities(t)
        instant = TrackedFrame(scene.frame(t), scene.views, ids, tuple(np.ones(len(one)) for one in ids))
        poses.append(find_poses(instant, cameras, "coco17", "metres"))
        who, joints = scene.joints(t)
        row = {person: number for number, person in enumerate(who.tolist())}
        true.append(joints[[row[person] for person in poses[-1].ids.tolist()]])
    return PoseTracks.of(poses), tuple(true)


def errors(tracks: PoseTracks, true: tuple[np.ndarray, ...]) -> np.ndarray:
    away = [np.linalg.norm(one.joints - joints, axis=-1) for one, joints in zip(tracks, true, strict=True) if len(one)]
    return np.concatenate(away)


@pytest.mark.parametrize(("seconds", "seed", "gain"), [(0.04, 5, 0.75), (0.1, 2, 0.85), (0.4, 6, 0.98)])
def test_refining_is_nearer_to_the_truth(seconds: float, seed: int, gain: float) -> None:
    """Much at 25 instants a second; at 2.5, where nothing can be smoothed, by the lengths of limbs alone."""
    tracks, true = walked(seconds, seed)
    before, after = errors(tracks, true), errors(tracks.refined(), true)
    assert np.array_equal(np.isnan(before), np.isnan(after))
    for measure in (np.nanmedian, np.nanmean, lambda away: np.nanquantile(away, 0.95)):
        assert measure(after) < gain * measure(before)


def test_gaps_are_filled_where_asked() -> None:
    tracks, true = walked()
    filled = tracks.refined(longest_gap=5)
    added = np.isnan(errors(tracks, true)) & np.isfinite(errors(filled, true))
    assert added.sum() > 50
    assert np.median(errors(filled, true)[added]) < 0.03
    scores = np.concatenate([one.scores for one in filled if len(one)])
    used = np.concatenate([one.views_used for one in filled if len(one)])
    assert (scores[added] > 0).all()
    assert not used[added].any()
    sure = np.concatenate([one.uncertainties for one in filled if len(one)])
    assert np.nanmedian(sure[added]) > np.nanmedian(sure[~added])


def line(places: list[float], seen: list[bool]) -> PoseTracks:
    """Somebody of one joint at successive instants."""
    joints = [
        np.array([[[x, 0.0, 1.0]]]) if there else np.full((1, 1, 3), np.nan)
        for x, there in zip(places, seen, strict=True)
    ]
    one = np.ones((1, 1))
    return PoseTracks.of(
        Poses3D(place, one * np.isfinite(place[..., 0]), np.zeros(1, np.int64), 0.01 * one, index=t)
        for t, place in enumerate(joints)
    )


def test_longer_gaps_stay() -> None:
    seen = [True] * 6 + [False] * 3 + [True] * 6
    tracks = line([0.1 * t for t in range(15)], seen)
    assert [np.isfinite(one.joints).all() for one in tracks.refined(longest_gap=2)] == seen
    places = [one.joints[0, 0, 0] for one in tracks.refined(longest_gap=3)]
    assert places == pytest.approx([0.1 * t for t in range(15)], abs=1e-6)


def test_lengths_are_those_of_the_people() -> None:
    tracks, true = walked(0.04, 5)
    table = tracks.limb_lengths()
    assert list(table.columns) == ["id", "start", "end", "length", "spread", "instants"]
    thigh = table[(table["start"] == "left_hip") & (table["end"] == "left_knee") & (table["instants"] > 50)]
    assert len(thigh) >= 2
    hip, knee = SKELETONS["coco17"].indices(["left_hip", "left_knee"])
    for person, length in zip(thigh["id"], thigh["length"], strict=True):
        lengths = [
            np.linalg.norm(joints[row, hip] - joints[row, knee])
            for one, joints in zip(tracks, true, strict=True)
            for row in np.flatnonzero(one.ids == person)
        ]
        assert length == pytest.approx(np.median(lengths), abs=0.01)


def test_files_hold_everything(tmp_path: Path) -> None:
    tracks = walked()[0].refined(longest_gap=5)
    tracks.save(tmp_path / "poses.npz")
    loaded = PoseTracks.load(tmp_path / "poses.npz")
    assert repr(loaded) == repr(tracks)
    for one, other in zip(tracks, loaded, strict=True):
        assert (one.index, one.unit) == (other.index, other.unit)
        for name in ("ids", "joints", "scores", "uncertainties", "reprojection_errors", "views_used"):
            if len(one):
                assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "views_used")
    assert loaded.to_dataframe().equals(tracks.to_dataframe())
    PoseTracks(()).save(tmp_path / "nobody.npz")
    assert len(PoseTracks.load(tmp_path / "nobody.npz")) == 0


def path_of(tracks: PoseTracks, person: int) -> tuple[list[int], np.ndarray]:
    rows = [(one.index, one.joints[one.ids == person][0]) for one in tracks if person in one.ids]
    return [number for number, _ in rows], np.array([joints for _, joints in rows])


def test_trc_is_read_as_it_was(tmp_path: Path) -> None:
    tracks = walked()[0]
    files = tracks.to_trc(tmp_path / "trc", frames_per_second=10)
    assert [path.name for path in files] == [f"person{person}.trc" for person in tracks.people]
    instants, joints = path_of(tracks, tracks.people[0])
    lines = files[0].read_text().splitlines()
    assert lines[2].split("\t")[:5] == ["10", "10", str(instants[-1] - instants[0] + 1), "17", "m"]
    assert lines[3].split("\t")[2::3] == list(SKELETONS["coco17"].joints)
    table = pd.read_csv(files[0], sep="\t", skiprows=6, header=None)
    known = table[table[1].round(3).isin(np.round(np.array(instants) / 10, 3))]
    places = known.iloc[:, 2:].to_numpy().reshape(len(instants), 17, 3)
    assert np.allclose(places[..., 1], joints[..., 2], atol=1e-6, equal_nan=True)  # y is up
    assert np.allclose(places[..., 0], joints[..., 0], atol=1e-6, equal_nan=True)
    assert np.allclose(places[..., 2], -joints[..., 1], atol=1e-6, equal_nan=True)  # and it is no mirror image
    same = tracks.to_trc(tmp_path / "z", frames_per_second=10, up="z")[0]
    row = pd.read_csv(same, sep="\t", skiprows=6, header=None).iloc[0, 2:].to_numpy().reshape(17, 3)
    assert np.allclose(row, joints[0], atol=1e-6, equal_nan=True)


def test_c3d_is_read_as_it_was(tmp_path: Path) -> None:
    tracks = walked()[0]
    files = tracks.to_c3d(tmp_path, frames_per_second=10)
    instants, joints = path_of(tracks, tracks.people[0])
    with files[0].open("rb") as handle, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = c3d.Reader(handle)
        assert [label.strip() for label in reader.point_labels] == list(SKELETONS["coco17"].joints)
        assert reader.point_rate == 10
        read = {number: points for number, points, _ in reader.read_frames()}
    for instant, expected in zip(instants, joints, strict=True):
        points = read[instant + 1]
        there = points[:, 3] >= 0
        assert np.array_equal(there, np.isfinite(expected).all(axis=1))
        assert np.allclose(points[there, :3], 1000 * expected[there], atol=0.01)


def test_units() -> None:
    tracks = PoseTracks.of(replace(one, unit="body heights") for one in line([0.0, 1.0], [True, True]))
    metres = tracks.in_metres(1.7)
    assert metres.unit == "metres"
    assert metres.poses[1].joints[0, 0].tolist() == [1.7, 0.0, 1.7]
    assert metres.poses[1].uncertainties[0, 0] == pytest.approx(0.017)
    with pytest.raises(InputError, match="in_metres"):
        tracks.to_trc("nowhere", frames_per_second=10)
    with pytest.raises(InputError, match="already"):
        metres.in_metres(1.7)


def test_nobody_is_normal(tmp_path: Path) -> None:
    empty = PoseTracks.of([Poses3D(np.zeros((0, 0, 3)), np.zeros((0, 0)), np.zeros(0, np.int64), index=3)])
    assert empty.people == ()
    assert len(empty.refined(longest_gap=3)) == 1
    assert len(empty.limb_lengths()) == 0
    assert len(empty.to_dataframe()) == 0
    assert empty.in_metres(1.7).to_trc(tmp_path, frames_per_second=5) == []
    assert empty.in_metres(1.7).to_c3d(tmp_path, frames_per_second=5) == []
    assert len(PoseTracks(()).to_dataframe()) == 0


def test_what_is_no_recording_is_an_error(tmp_path: Path) -> None:
    one = line([0.0, 1.0], [True, True]).poses
    with pytest.raises(InputError, match="increase"):
        PoseTracks((one[1], one[0]))
    with pytest.raises(InputError, match="one unit"):
        PoseTracks((one[0], replace(one[1], unit="metres")))
    with pytest.raises(InputError, match="one id"):
        PoseTracks.of([Poses3D(np.zeros((2, 1, 3)), np.ones((2, 1)), np.array([4, 4]))])
    with pytest.raises(InputError, match="Poses3D"):
        PoseTracks.of([3])
    with pytest.raises(InputError, match="longest_gap"):
        PoseTracks(one).refined(longest_gap=-1)
    with pytest.raises(InputError, match="up must be"):
        PoseTracks(tuple(replace(p, unit="metres") for p in one)).to_trc(tmp_path, frames_per_second=5, up="x")
    with pytest.raises(InputError, match="which joints"):
        PoseTracks(one).limb_lengths()
    (tmp_path / "text.npz").write_text("no poses")
    with pytest.raises(DataError, match="no poses"):
        PoseTracks.load(tmp_path / "text.npz")
    with pytest.raises(DataError, match="cannot read"):
        PoseTracks.load(tmp_path / "missing.npz")
