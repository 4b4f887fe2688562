"""The three stages of a training of poses as one objective: what each needs of those before is found as it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.pose.invented.scenes import DetectorHabits
from selfmva.pose.learned.people import MOST_FOUND, find_people, told_people
from selfmva.pose.networks.evidence import Observations, noise_of, place_joints
from selfmva.pose.networks.root import SPREAD
from selfmva.pose.voxels.grid import LEAST_VIEWS
from selfmva.pose.voxels.peaks import find_peaks
from selfmva.training.poses.judging import find_invented
from selfmva.training.poses.refine import RefineObjective, refine_rate
from selfmva.training.poses.render import RenderObjective, render_rate
from selfmva.training.poses.root import RootObjective, best_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from selfmva.core.types import Frame, IntArray
    from selfmva.pose.learned.model import PoseModel
    from selfmva.pose.learned.recipe import PoseRecipe
    from selfmva.pose.learned.rig import PoseRig

JUDGED_SCENES = 48  # invented ones that the height of a person's peak is chosen by
MOST_INSTANTS_SEEN = 300  # of a recording, evenly: what people do in it, more would take longer than the training
LEAST_NOISE = 0.5  # pixels, of keypoints: no detector is surer, and perfect ones would leave nothing to weigh
LEAST_FLOOR = 0.3  # body heights: middle of somebody who must be seen by two cameras for a place to count


class StagedObjective:
    """Root network, then pose network and attention, then the prior of bodies.

    Args:
        rig: Cameras, grid and skeleton.
        recipe: Steps of the stages.
        seed: Of all draws, together with the step.
        frames: Of the recording, with keypoints.
        learnt: Numbers of those to learn from.
        ids: Who is who, where that is told; then the first two stages are left out.
    """

    def __init__(
        self,
        rig: PoseRig,
        recipe: PoseRecipe,
        seed: int,
        frames: Sequence[Frame],
        learnt: Sequence[int],
        ids: Sequence[Sequence[IntArray]] | None,
    ) -> None:
        self._rig, self._recipe, self._seed, self._frames, self._ids = rig, recipe, seed, frames, ids
        every = np.linspace(0, len(learnt) - 1, min(len(learnt), MOST_INSTANTS_SEEN)).round().astype(int)
        self._learnt = [learnt[number] for number in every] if len(learnt) else []
        # Draws of the stages differ, though each counts its own steps.
        self._root = RootObjective(
            rig.space,
            seed,
            max(recipe.root_steps, 1),
            most_people=recipe.most_people,
            sigma=rig.sigma,
            ring_fraction=recipe.rings,
        )
        self._ends = np.cumsum(
            [0, 0, recipe.refine_steps]
            if ids is not None
            else [recipe.root_steps, recipe.pose_steps, recipe.refine_steps]
        )
        self.steps = int(self._ends[-1])
        self._render: RenderObjective | None = None
        self._refine: RefineObjective | None = None

    def averages_after(self, step: int) -> bool:  # noqa: ARG002  # the step sizes fall to 0 instead
        """No weights enter a mean."""
        return False

    def learning_rate(self, step: int) -> float:
        """Of the stage that a step is in."""
        if step < self._ends[0]:
            return self._root.learning_rate(step)
        if step < self._ends[1]:
            return render_rate((step - int(self._ends[0])) / self._recipe.pose_steps)
        return refine_rate((step - int(self._ends[1])) / self._recipe.refine_steps)

    def loss(self, encoder: PoseModel, step: int) -> Tensor | None:
        """Of the stage that a step is in; the others' networks have no gradient."""
        if step < self._ends[0]:
            return self._root.loss(encoder.root, step)
        if step < self._ends[1]:
            if self._render is None:
                self._render = self._begin_rendering(encoder)
            return self._render.loss(encoder, step - int(self._ends[0]))
        if self._refine is None:
            self._refine = self._begin_refining(encoder)
        return self._refine.loss(encoder.refiner, step - int(self._ends[1]))

    def settle(self, model: PoseModel) -> None:
        """Find what the last stage would have found on its way, where there was none."""
        if self._refine is None:
            self._begin_refining(model)

    def people_of(self, model: PoseModel, instants: Sequence[int]) -> Observations:
        """What is seen of the people of some instants."""
        parts = []
        with torch.no_grad():
            for number in instants:
                bodies = self._rig.bodies(self._frames[number])
                if self._ids is None:
                    parts.append(find_people(model, self._rig, bodies).observed)
                else:
                    parts.append(told_people(self._rig, bodies, self._ids[number], float(model.noise)).observed)
        joints, views = len(self._rig.skeleton), len(self._rig.known)
        empty = self._rig.matrices.new_zeros((0, views, joints))
        pixels = torch.cat([part.pixels for part in parts] or [empty[..., None].expand(0, views, joints, 2)])
        weight = torch.cat([part.weight for part in parts] or [empty])
        return Observations(self._rig.matrices, pixels, weight, float(model.noise))

    def _begin_rendering(self, model: PoseModel) -> RenderObjective:
        """Choose the height of a person's peak, and find the people of the recording."""
        choose_threshold(model, self._rig, self._recipe)
        instants = [self._rig.bodies(self._frames[number]) for number in self._learnt]
        centres = []
        with torch.no_grad():
            for bodies in instants:
                volume = model.root(self._rig.root_maps(bodies)[None], self._rig.cells)
                places, heights = find_peaks(volume, self._rig.space.grid, MOST_FOUND, SPREAD * self._rig.body_height)
                centres.append(places[0][heights[0] > model.threshold])
        return RenderObjective(self._rig, instants, centres, self._seed)

    def _begin_refining(self, model: PoseModel) -> RefineObjective:
        """Learn how noisy keypoints are, and collect the people of the recording."""
        if self._ids is None and self._render is None:
            choose_threshold(model, self._rig, self._recipe)
        people = self.people_of(model, self._learnt)
        for _ in range(2):  # what counts as agreeing depends on the noise
            people = Observations(people.matrices, people.pixels, people.weight, float(model.noise))
            model.noise.fill_(max(noise_of(people, place_joints(people)), LEAST_NOISE))
        recorded = Observations(people.matrices, people.pixels, people.weight, float(model.noise))
        return RefineObjective(
            self._rig.matrices,
            self._places(),
            self._rig.space.cameras.size,
            self._rig.skeleton,
            self._rig.body_height,
            recorded if len(recorded) else None,
            float(model.noise),
            self._seed,
        )

    def _places(self) -> np.ndarray:
        """`(M, 3)` places of the floor over which two cameras see the middle of a body."""
        points = self._rig.space.grid.points()
        middles = points.copy()
        middles[:, 2] = LEAST_FLOOR * self._rig.body_height
        seen = self._rig.space.cameras.project(torch.from_numpy(middles).to(self._rig.matrices))[2].sum(dim=0)
        floor = np.unique(points[(seen >= LEAST_VIEWS).cpu().numpy()][:, :2], axis=0)
        if not len(floor):
            floor = np.unique(points[:, :2], axis=0)
        return np.column_stack([floor, np.zeros(len(floor))])


def choose_threshold(model: PoseModel, rig: PoseRig, recipe: PoseRecipe) -> None:
    """Set `model.threshold` to what finds invented people best."""
    found = find_invented(model.root, [rig.space] * JUDGED_SCENES, DetectorHabits(), rig.sigma, recipe.most_people)
    model.threshold.fill_(best_threshold(found.heights, ~np.isnan(found.distance), found.people)[0])
