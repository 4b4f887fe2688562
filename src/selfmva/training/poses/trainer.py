"""`SelfSupervisedPoseTrainer`: from keypoints and cameras to an estimator of poses, without one label."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from selfmva.core.devices import check_device
from selfmva.core.scalars import integer
from selfmva.core.skeletons import Skeleton, skeleton_of
from selfmva.errors import InputError
from selfmva.pose.learned.estimator import MultiViewPoseEstimator
from selfmva.pose.learned.recipe import PoseRecipe
from selfmva.training.callbacks import read_watch
from selfmva.training.checkpoint import Fingerprint
from selfmva.training.loop import train
from selfmva.training.poses.choice import choose_strength
from selfmva.training.poses.stages import StagedObjective

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from selfmva.core.types import Frame, IntArray, View
    from selfmva.geometry.cameras import Camera
    from selfmva.training.callbacks import Callback, ProgressHook


class SelfSupervisedPoseTrainer:
    """Learn poses in a calibrated rig from 2D keypoints alone, after SelfPose3d (Srivastav et al., CVPR 2024).

    Three networks learn one after the other: the root network where people are, from invented people; the pose network
    how they stand, by rendering, two showings of an instant that must explain each other; and a prior of bodies, from
    invented bodies and from keypoints that were hidden from it. How far the prior is heard is chosen by hidden
    keypoints of held-out instants, never by truth.

    Args:
        recipe: Sizes and steps, or a mapping of those that differ from `PoseRecipe`'s.
        seed: Of everything that is drawn.
        device: `"cpu"`, `"cuda"`, `"cuda:N"` or `"auto"`.

    Example:
        >>> trainer = SelfSupervisedPoseTrainer({"root_steps": 100}, seed=1)
        >>> trainer.recipe.root_steps, trainer.recipe.pose_steps
        (100, 300)
    """

    def __init__(
        self, recipe: PoseRecipe | Mapping[str, Any] | None = None, *, seed: int = 0, device: str = "cpu"
    ) -> None:
        check_device(device)
        self.recipe = recipe if isinstance(recipe, PoseRecipe) else PoseRecipe(**dict(recipe or {}))
        self.seed = integer(seed, "seed", least=0, most=2**31 - 1)
        self.device = device

    def fit(  # noqa: PLR0913  # who watches is said as everywhere
        self,
        views: Sequence[View],
        frames: Iterable[Frame],
        cameras: Sequence[Camera | None],
        *,
        skeleton: Skeleton | str | None = None,
        body_height: float = 1.0,
        ids: Sequence[Sequence[IntArray]] | None = None,
        progress: ProgressHook | None = None,
        callbacks: Iterable[Callback] | None = None,
        checkpoint: str | Path | None = None,
        resume: bool = False,
    ) -> MultiViewPoseEstimator:
        """Learn from a recording.

        Args:
            views: The cameras' names and sizes.
            frames: With keypoints.
            cameras: Of each view; None where one is not known.
            skeleton: Of the keypoints, or its name; None: their number tells.
            body_height: Of a grown-up in the unit of the world, whose z is up and whose floor is z = 0: 1.7 where that
                is metres, 1 where it is body heights.
            ids: Who is who in each frame, `(N,)` per view, -1 for nobody; None: the networks find that out.
            progress: Called after every step.
            callbacks: Called after every step with a `StepState`.
            checkpoint: File to keep the state in.
            resume: Go on from the checkpoint where it exists.

        Returns:
            The estimator, on the device of the trainer.

        Raises:
            InputError: No frame has keypoints, or what is given does not fit.
            CheckpointError, DataError, ConfigError: As for `Associator.fit`.
        """
        watch = read_watch(progress, callbacks, checkpoint, resume)
        recording = list(frames)
        named = _skeleton(skeleton, recording)
        if ids is not None and len(ids) != len(recording):
            raise InputError(f"ids must be given for every frame, got {len(ids)} for {len(recording)}")
        torch.manual_seed(self.seed)
        estimator = MultiViewPoseEstimator(
            views, cameras, skeleton=named, body_height=body_height, recipe=self.recipe, device=self.device
        )
        learnt, held_out = _split(len(recording), self.recipe.held_out_fraction)
        objective = StagedObjective(estimator.rig, self.recipe, self.seed, recording, learnt, ids)
        estimator.model.train()
        train(
            estimator.model,
            objective,
            bfloat16=False,
            belongs_to=_fingerprint(estimator, recording, self.seed),
            watch=watch,
        )
        estimator.model.eval()
        objective.settle(estimator.model)
        judged = objective.people_of(estimator.model, held_out if len(held_out) else learnt)
        choose_strength(estimator.model, judged, estimator.rig.body_height, self.seed)
        return estimator


def _skeleton(skeleton: Skeleton | str | None, frames: Sequence[Frame]) -> Skeleton:
    if isinstance(skeleton, Skeleton):
        return skeleton
    arrays = [array for frame in frames for array in frame.keypoints or () if len(array)]
    if not arrays:
        raise InputError("poses are learnt from keypoints, and no frame has any: give Frame(keypoints=...)")
    return skeleton_of(skeleton, arrays[0].shape[1])


def _split(count: int, fraction: float) -> tuple[list[int], list[int]]:
    """Numbers of the instants to learn from, and of those that are kept: whole stretches of time, the last ones."""
    kept = int(count * fraction)
    return list(range(count - kept)), list(range(count - kept, count))


def _fingerprint(estimator: MultiViewPoseEstimator, frames: Sequence[Frame], seed: int) -> Fingerprint:

    digest = hashlib.sha256()
    for frame in frames:
        for array in frame.keypoints or ():
            digest.update(np.nan_to_num(array).tobytes())
    for camera in estimator.rig.cameras:
        if camera is not None:
            digest.update(np.concatenate([camera.matrix.ravel(), camera.distortion]).tobytes())
    settings = {"recipe": estimator.recipe.model_dump(), "seed": seed, "skeleton": estimator.rig.skeleton.name}
    return Fingerprint(json.dumps(settings, sort_keys=True), digest.hexdigest())
