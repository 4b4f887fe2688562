"""`MultiViewPoseEstimator`: from the keypoints of an instant to the joints of people in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from selfmva.core.devices import find_device
from selfmva.core.skeletons import Skeleton
from selfmva.errors import InputError
from selfmva.pose.learned.files import read_model, write_model
from selfmva.pose.learned.model import PoseModel
from selfmva.pose.learned.people import find_people, told_people
from selfmva.pose.learned.recipe import PoseRecipe
from selfmva.pose.learned.rig import make_pose_rig

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.cameras import Camera
    from selfmva.pose.learned.people import FoundPeople
    from selfmva.pose.networks.refiner import Refined


@dataclass(frozen=True, eq=False)
class LearnedPoses:
    """People of one instant in space.

    Attributes:
        joints: `(P, K, 3)` in the unit of the world. Every joint has a place: where no view or one alone sees it, it is
            where the body must have it, which `covariance` says, and `seen`.
        covariance: `(P, K, 3, 3)` of the errors of the joints, in the square of that unit, as the network states it.
        seen: `(P, K)` how many views see a joint: below 2 its depth is a guess by the prior of bodies.
        triangulated: `(P, K, 3)` by the views alone, NaN where fewer than two see a joint.
        rows: `(P, V)` which body of each view is whose, -1 where there is none.
        scores: `(P,)` in [0, 1] how sure it is that there is somebody.
    """

    joints: FloatArray
    covariance: FloatArray
    seen: IntArray
    triangulated: FloatArray
    rows: IntArray
    scores: FloatArray

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def deviation(self) -> FloatArray:
        """`(P, K)` standard deviation of each joint's place, in the unit of the world."""
        return np.asarray(np.sqrt(np.trace(self.covariance, axis1=-2, axis2=-1)))


class MultiViewPoseEstimator:
    """Poses of people in a calibrated rig by networks; `SelfSupervisedPoseTrainer.fit` makes one.

    Args:
        views: The cameras' names and sizes.
        cameras: Of each view; None where one is not known.
        skeleton: Of the keypoints, or its name.
        body_height: Of a grown-up in the unit of the world, whose z is up and whose floor is z = 0: 1.7 where that is
            metres, 1 where it is body heights.
        recipe: Sizes of the networks.
        device: `"cpu"`, `"cuda"`, `"cuda:N"` or `"auto"`.

    Attributes:
        model: The networks.
        rig: The cameras, and the grid that they see.
    """

    def __init__(
        self,
        views: Sequence[View],
        cameras: Sequence[Camera | None],
        *,
        skeleton: Skeleton | str,
        body_height: float = 1.0,
        recipe: PoseRecipe | None = None,
        device: str = "cpu",
    ) -> None:
        self.recipe = PoseRecipe() if recipe is None else recipe
        named = Skeleton.named(skeleton) if isinstance(skeleton, str) else skeleton
        if not 0 < body_height < float("inf"):
            raise InputError(f"body_height must be above 0, in the unit of the world, got {body_height}")
        where = find_device(device)
        self.rig = make_pose_rig(views, cameras, named, float(body_height), self.recipe, where)
        self.model = PoseModel(self.recipe, named).to(where).eval()

    def poses(self, frame: Frame, ids: Sequence[IntArray] | None = None) -> LearnedPoses:
        """The people of one instant.

        Args:
            frame: With keypoints of the skeleton.
            ids: Who is who, `(N,)` per view, -1 for nobody, such as the ids of an association; None: the networks find
                that out by themselves.

        Raises:
            InputError: The frame has no keypoints, of other views or another skeleton; or the ids don't fit.
        """
        bodies = self.rig.bodies(frame)
        if ids is not None and [len(part) for part in ids] != [len(part) for part in frame.keypoints or ()]:
            raise InputError(f"instant {frame.index}: ids must be one per body of each view, for all views")
        with torch.no_grad():
            if ids is None:
                people = find_people(self.model, self.rig, bodies)
            else:
                people = told_people(self.rig, bodies, ids, float(self.model.noise))
            return self._read(people, self.refine(people))

    def refine(self, people: FoundPeople, strength: float | None = None) -> Refined:
        """Joints of people with the prior of bodies.

        Args:
            people: Found or told.
            strength: Of the prior; None: as it was chosen on held-out keypoints.
        """
        chosen = float(self.model.strength) if strength is None else strength
        refined: Refined = self.model.refiner(people.observed, people.start, self.rig.body_height, max(chosen, WEAKEST))
        if chosen > 0:
            return refined
        known = ~torch.isnan(people.start[..., :1])
        return refined._replace(joints=torch.where(known, people.start, refined.joints))

    def save(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder, which is made.

        Raises:
            DataError: The disk is full or refuses.
        """
        write_model(folder, self.model, self.rig, self.recipe)

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> Self:
        """The estimator that was saved in a folder.

        Raises:
            CheckpointError: A file is missing, damaged or of another kind.
            ConfigError: There is no such device.
        """
        stored = read_model(folder)
        estimator = cls(
            stored.views,
            stored.cameras,
            skeleton=stored.skeleton,
            body_height=stored.body_height,
            recipe=stored.recipe,
            device=device,
        )
        stored.fill(estimator.model)
        return estimator

    def _read(self, people: FoundPeople, refined: Refined) -> LearnedPoses:
        rows = np.full((len(people.rows), len(self.rig.views)), -1)
        rows[:, list(self.rig.known)] = people.rows
        return LearnedPoses(
            joints=_numbers(refined.joints),
            covariance=_numbers(refined.covariance),
            seen=(people.observed.weight > 0).sum(dim=1).cpu().numpy(),
            triangulated=_numbers(people.start),
            rows=rows,
            scores=_numbers(people.scores),
        )


WEAKEST = 0.05  # strength of the prior for joints that views leave open, where it is not heard on the others


def _numbers(values: Tensor) -> FloatArray:
    return values.cpu().numpy().astype(np.float64)
