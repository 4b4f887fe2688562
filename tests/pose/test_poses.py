"""Poses of an associator that learnt from keypoints: against the truth, and what they give on request."""

from __future__ import annotations

import numpy as np
import pytest
from body_scenes import fitted_on_people as fitted
from body_scenes import frames_of_people, people

from selfmva import Associator, Frame
from selfmva.core.skeletons import SKELETONS
from selfmva.errors import InputError, NotFittedError
from selfmva.pose import Poses3D


def aligned(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Points after the similarity that lays them on others best (Umeyama, 1991)."""
    ours, theirs = found.mean(axis=0), true.mean(axis=0)
    left, scales, right = np.linalg.svd((true - theirs).T @ (found - ours))
    sign = np.array([1, 1, np.sign(np.linalg.det(left @ right))])
    turn = left * sign @ right
    scale = (scales * sign).sum() / ((found - ours) ** 2).sum()
    return scale * (found - ours) @ turn.T + theirs


def test_joints_are_where_they_are() -> None:
    scene, pairs = people(), []
    for t in range(100, 150, 5):
        frame, poses = scene.frame(t), fitted().poses(scene.frame(t))
        ids, identities = fitted().associate(frame).ids, scene.identities(t)
        known, joints = scene.joints(t)
        for person, pose in zip(poses.ids, poses.joints, strict=True):
            whose = np.concatenate([one[found == person] for one, found in zip(identities, ids, strict=True)])
            row = np.flatnonzero(known == np.bincount(whose[whose >= 0]).argmax())
            pairs.append((pose, joints[row[0]]))
    assert len(pairs) > 10
    found, true = (np.concatenate(side) for side in zip(*pairs, strict=True))
    seen = np.isfinite(found).all(axis=1)
    assert seen.mean() > 0.8
    away = np.linalg.norm(aligned(found[seen], true[seen]) - true[seen], axis=1)
    assert np.median(away) < 0.03


def test_units_cameras_and_floor_are_one_world() -> None:
    associator = fitted()
    assert associator.poses(people().frame(120)).unit == "metres"
    assert associator.floor_ is not None
    for camera, projection in zip(associator.cameras_, associator.floor_.projections, strict=True):
        assert camera is not None
        assert projection is not None
        scale = np.linalg.norm(camera.matrix) / np.linalg.norm(projection)
        assert np.allclose(camera.matrix, scale * projection, rtol=1e-6, atol=1e-6 * scale)


def test_streams_tracks_and_single_instants_agree() -> None:
    frames = list(frames_of_people()[100:130])
    one = [fitted().poses(frame).joints for frame in frames]
    many = [poses.joints for poses in fitted().poses_many(frames)]
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, many, strict=True))
    tracks = fitted().track(frames)
    lasting = list(fitted().poses_many(tracks))
    assert [poses.index for poses in lasting] == [frame.index for frame in frames]
    assert set(np.concatenate([poses.ids for poses in lasting])) <= set(tracks.people)


def test_a_model_is_saved_with_its_cameras(tmp_path) -> None:
    fitted().save_pretrained(tmp_path)
    loaded = Associator.from_pretrained(tmp_path)
    frame = people().frame(120)
    assert np.array_equal(loaded.poses(frame).joints, fitted().poses(frame).joints, equal_nan=True)
    assert all(np.array_equal(a.matrix, b.matrix) for a, b in zip(loaded.cameras_, fitted().cameras_, strict=True))


def test_tables_and_other_skeletons() -> None:
    poses = fitted().poses(people().frame(120))
    table = poses.to_dataframe()
    assert len(table) == np.isfinite(poses.joints).all(axis=-1).sum()
    nose = table[(table["id"] == poses.ids[0]) & (table["joint"] == "nose")]
    assert np.allclose(nose[["x", "y", "z"]].to_numpy()[0], poses.joints[0, 0])
    panoptic = poses.converted(SKELETONS["panoptic15"])
    both = poses.joints[:, list(SKELETONS["coco17"].indices(["left_hip", "right_hip"]))]
    assert np.allclose(panoptic.joints[:, 2], both.mean(axis=1), equal_nan=True)
    assert "person" in poses._repr_html_()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fitted().poses([[[0, 0, 50, 90]], [], []]), "keypoints"),
        (lambda: fitted().associate([[[0, 0, 50, 90]], [], []]), "keypoints"),
        (
            lambda: fitted().associate(
                Frame(keypoints=[np.random.default_rng(0).random((1, 5, 3)) * [900, 700, 1]] * 3)
            ),
            "5 joints",
        ),
        (lambda: Poses3D(np.zeros((1, 2, 2)), np.zeros((1, 2)), np.zeros(1, np.int64)), r"\(P, K, 3\)"),
        (lambda: Poses3D(np.zeros((1, 2, 3)), np.zeros((1, 2)), np.zeros(2, np.int64)), "one a person"),
    ],
)
def test_errors(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()


def test_nobody_has_no_pose() -> None:
    assert len(fitted().poses([[], [], []])) == 0


def test_poses_need_two_cameras() -> None:
    with pytest.raises(NotFittedError):
        Associator().poses([[], []])
