"""`MultiViewPoseEstimator`: from the keypoints of an instant to the joints of people in space."""

from __future__ import annotations

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
from selfmva.pose.poses import Poses3D

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.cameras import Camera
    from selfmva.pose.learned.people import FoundPeople
    from selfmva.pose.networks.refiner import Refined


AGREEING_DEVIATIONS = 3.0  # a keypoint so near to where a joint was put was used
DOUBTFUL = 0.1  # body heights: standard deviation of a joint whose score is 1 / e of its person's
WEAKEST = 0.05  # strength of the prior for joints that views leave open, where it is not heard on the others


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

    def poses(self, frame: Frame, ids: Sequence[IntArray] | None = None) -> Poses3D:
        """The people of one instant, with all joints.

        Every joint has a place: where one view alone sees it, or none, it is where the body must have it. `views_used`
        says so, and `uncertainties` how far it may be off, as the networks state it.

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
            return self._read(people, self.refine(people), frame.index)

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

    def _read(self, people: FoundPeople, refined: Refined, index: int) -> Poses3D:
        observed = people.observed
        away = observed.residuals(refined.joints)
        near = (observed.weight > 0) & (away <= AGREEING_DEVIATIONS * observed.noise)
        count = near.sum(dim=1)
        error = torch.where(count > 0, (away.square() * near).sum(dim=1) / count.clamp(min=1), torch.nan).sqrt()
        deviation = refined.covariance.diagonal(dim1=-2, dim2=-1).sum(-1).sqrt()
        doubt = torch.exp(-deviation / (DOUBTFUL * self.rig.body_height))
        used = np.zeros((*near.shape[::2], len(self.rig.views)), bool)
        used[..., list(self.rig.known)] = near.transpose(1, 2).cpu().numpy()
        return Poses3D(
            _numbers(refined.joints),
            _numbers(people.scores[:, None] * doubt),
            people.ids,
            _numbers(deviation),
            _numbers(error),
            used,
            self.rig.skeleton,
            index,
            "body heights" if self.rig.body_height == 1 else "metres",
        )


def _numbers(values: Tensor) -> FloatArray:
    return values.cpu().numpy().astype(np.float64)
