"""Learnt poses: a training that resumes, files that come back, what nobody should give, and how good poses are."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "pose"))
from rings import ring
from walkers import SKELETON, crowd, film

from selfmva import Frame
from selfmva.errors import CheckpointError, InputError
from selfmva.metrics.pose import score
from selfmva.pose import Poses3D
from selfmva.pose.learned import MultiViewPoseEstimator
from selfmva.pose.triangulation import triangulate
from selfmva.training.poses import SelfSupervisedPoseTrainer

STATURE = 1.75
TINY = {
    "root_steps": 2,
    "pose_steps": 2,
    "refine_steps": 3,
    "cells": 8,
    "most_cells": 1500,
    "map_side": 48,
    "most_people": 2,
}
RIG = ring(4, focal=1100.0)


@cache
def recording(instants: int = 6, seed: int = 1, missing: float = 0.1, wrong: float = 0.0):
    random = np.random.default_rng(seed)
    people = crowd(random, instants, 2)
    return people, *film(*RIG, people, random, missing=missing, wrong=wrong)


def fit(recipe=TINY, frames=None, **options) -> MultiViewPoseEstimator:
    cameras, views = RIG
    return SelfSupervisedPoseTrainer(recipe).fit(
        views, recording()[1] if frames is None else frames, cameras, body_height=STATURE, **options
    )


def weights(estimator: MultiViewPoseEstimator) -> torch.Tensor:
    return torch.cat([value.double().flatten() for value in estimator.model.state_dict().values()])


@cache
def never_stopped() -> torch.Tensor:
    return weights(fit())


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_training_goes_on_where_it_stopped(tmp_path: Path, stop: int) -> None:
    """In every stage: the weights are those of a training that was never stopped."""

    def interrupt(state) -> None:
        if state.step == stop:
            raise KeyboardInterrupt

    import selfmva.training.poses.trainer as module

    options = {"checkpoint": tmp_path / "state.safetensors"}
    eager = module.read_watch
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "read_watch", lambda *given: _eager(eager(*given)))
        with pytest.raises(KeyboardInterrupt):
            fit(callbacks=[interrupt], **options)
    steps = []
    resumed = fit(callbacks=[lambda state: steps.append(state.step)], resume=True, **options)
    assert steps == list(range(stop + 1, 8))
    assert torch.equal(weights(resumed), never_stopped())


def _eager(watch):
    from dataclasses import replace

    return replace(watch, checkpoint_seconds=0.0)


def test_another_recording_does_not_go_on(tmp_path: Path) -> None:
    kept = tmp_path / "state.safetensors"
    fit(checkpoint=kept)
    with pytest.raises(CheckpointError, match="other"):
        fit(frames=recording(seed=2)[1], checkpoint=kept, resume=True)
    with pytest.raises(CheckpointError, match="root_steps"):
        fit(TINY | {"root_steps": 3}, checkpoint=kept, resume=True)


def test_saved_and_loaded(tmp_path: Path) -> None:
    made = fit(ids=recording()[2])
    made.save(tmp_path / "poses")
    loaded = MultiViewPoseEstimator.load(tmp_path / "poses")
    frame, ids = recording()[1][0], recording()[2][0]
    one, other = made.poses(frame, ids), loaded.poses(frame, ids)
    assert np.array_equal(one.joints, other.joints)
    assert np.array_equal(one.uncertainties, other.uncertainties)
    assert loaded.rig.skeleton == made.rig.skeleton
    assert loaded.recipe == made.recipe
    config = tmp_path / "poses" / "config.json"
    told = json.loads(config.read_text())
    config.write_text(json.dumps(told | {"recipe": told["recipe"] | {"cells": 16, "unknown": 1}}))
    with pytest.raises(CheckpointError, match="damaged"):
        MultiViewPoseEstimator.load(tmp_path / "poses")
    config.write_text(json.dumps(told | {"skeleton": {"name": "coco17", "joints": ["left_hip", "right_hip"]}}))
    with pytest.raises(CheckpointError, match="does not fit"):
        MultiViewPoseEstimator.load(tmp_path / "poses")
    config.write_text(json.dumps(told | {"format": "other"}))
    with pytest.raises(CheckpointError, match="another format"):
        MultiViewPoseEstimator.load(tmp_path / "poses")
    (tmp_path / "poses" / "model.safetensors").write_bytes(b"\x80\x04")
    with pytest.raises(CheckpointError, match="no learnt poses"):
        MultiViewPoseEstimator.load(tmp_path / "poses")


def test_what_poses_say() -> None:
    estimator = fit(ids=recording()[2])
    frame, ids = recording()[1][3], recording()[2][3]
    poses = estimator.poses(frame, ids)
    assert poses.joints.shape == (2, 15, 3)
    assert np.isfinite(poses.joints).all()
    assert poses.ids.tolist() == [0, 1]
    assert poses.unit == "metres"
    assert poses.skeleton == SKELETON
    away = np.linalg.norm(poses.joints - recording()[0][3], axis=-1)
    assert np.median(away) < 0.02
    views = poses.views_used.sum(-1)
    assert (poses.scores[views >= 3].min() > poses.scores[views < 2].max(initial=0)).all()
    assert ((poses.scores >= 0) & (poses.scores <= 1)).all()


def test_nobody() -> None:
    estimator = fit(TINY | {"refine_steps": 1}, ids=recording()[2])
    nobody = [np.zeros((0, 15, 3))] * 4
    empty = estimator.poses(Frame(keypoints=nobody, index=3))
    assert (len(empty), empty.index) == (0, 3)
    told = estimator.poses(Frame(keypoints=nobody), [np.zeros(0, int)] * 4)
    assert told.joints.shape == (0, 15, 3)
    alone = [recording()[1][0].keypoints[0], *nobody[1:]]
    assert len(estimator.poses(Frame(keypoints=alone), [np.arange(len(part)) for part in alone])) == 0


def test_a_view_without_a_camera_is_left_out() -> None:
    cameras, views = RIG
    trainer = SelfSupervisedPoseTrainer(TINY | {"refine_steps": 1})
    people, frames, ids = recording()
    estimator = trainer.fit(views, frames, [None, *cameras[1:]], body_height=STATURE, ids=ids)
    poses = estimator.poses(frames[0], ids[0])
    assert poses.views_used.shape == (2, 15, 4)
    assert not poses.views_used[..., 0].any()
    assert np.median(np.linalg.norm(poses.joints - people[0], axis=-1)) < 0.03


def test_errors() -> None:
    cameras, views = RIG
    trainer = SelfSupervisedPoseTrainer(TINY)
    frames = recording()[1]
    with pytest.raises(InputError, match="no frame has any"):
        trainer.fit(views, [Frame([[]] * 4)], cameras)
    with pytest.raises(InputError, match="one camera per view"):
        trainer.fit(views, frames, cameras[:3])
    with pytest.raises(InputError, match="two cameras that are known"):
        trainer.fit(views, frames, [cameras[0], None, None, None])
    with pytest.raises(InputError, match="ids must be given"):
        trainer.fit(views, frames, cameras, ids=[])
    with pytest.raises(InputError, match="body_height"):
        trainer.fit(views, frames, cameras, body_height=0)
    with pytest.raises(InputError, match="has 17"):
        trainer.fit(views, frames, cameras, skeleton="coco17")
    with pytest.raises(InputError, match="ids must be one per body"):
        MultiViewPoseEstimator(views, cameras, skeleton=SKELETON, body_height=STATURE).poses(frames[0], [[0]])
    with pytest.raises(InputError, match="the frame has none"):
        MultiViewPoseEstimator(views, cameras, skeleton=SKELETON, body_height=STATURE).poses(Frame([[]] * 4))
    with pytest.raises(ValueError, match="unknown"):
        SelfSupervisedPoseTrainer({"unknown": 1})


def plain(frame: Frame, ids) -> np.ndarray:
    """`(2, 15, 3)` by triangulation, who is who being told."""
    cameras, _ = RIG
    seen = np.full((2, 15, len(cameras), 3), np.nan)
    for view, (bodies, names) in enumerate(zip(frame.keypoints, ids, strict=True)):
        seen[names, :, view] = bodies
    return triangulate(cameras, seen, 6.0).joints


@cache
def learnt(told: bool) -> MultiViewPoseEstimator:
    torch.set_num_threads(1)
    _, frames, ids = recording(instants=60, seed=7, wrong=0.02)
    recipe = {"refine_steps": 1500, "pose_steps": 200, "cells": 32, "most_cells": 12_000}
    return fit(recipe, frames, ids=ids if told else None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "wrong", "most"), [(0.0, 0.0, 1.02), (0.5, 0.02, 0.90), (0.5, 0.0, 1.0), (0.1, 0.02, 1.0)]
)
def test_poses_against_triangulation(missing: float, wrong: float, most: float) -> None:
    """Over the joints that triangulation knows; the others have places, too, and say how far they may be off."""
    people, frames, ids = recording(instants=60, seed=8, missing=missing, wrong=wrong)
    ours, theirs, stated = [], [], []
    for frame, names in zip(frames, ids, strict=True):
        poses = learnt(told=True).poses(frame, names)
        ours.append(poses.joints)
        stated.append(poses.uncertainties)
        theirs.append(plain(frame, names))
    away = np.linalg.norm(np.array(ours) - people, axis=-1)
    other = np.linalg.norm(np.array(theirs) - people, axis=-1)
    known = np.isfinite(other)
    assert away[known].mean() <= most * other[known].mean(), (away[known].mean(), other[known].mean())
    if missing:
        assert away[~known].mean() < 0.1
        assert 0.5 < np.mean(stated) / away.mean() < 3.0


@pytest.mark.slow
def test_poses_of_people_whom_nobody_told_apart() -> None:
    """From end to end, with noise of 2 pixels and a tenth of the joints missing."""
    people, frames, ids = recording(instants=60, seed=8)
    truth = [Poses3D(one, np.ones(one.shape[:2]), np.arange(2), skeleton=SKELETON, unit="metres") for one in people]
    found = [learnt(told=False).poses(frame) for frame in frames]
    scores = score(truth, found)
    other = np.linalg.norm(np.array([plain(*pair) for pair in zip(frames, ids, strict=True)]) - people, axis=-1)
    assert scores.average_precision[0.1] >= 0.80
    assert scores.mpjpe <= 0.045
    assert scores.mpjpe <= 1.1 * np.nanmean(other)
