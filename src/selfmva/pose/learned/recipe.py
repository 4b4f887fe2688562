"""Hyper-parameters of learnt poses."""

from __future__ import annotations

from pydantic import Field

from selfmva.core.config import MOST_STEPS, Stage


class PoseRecipe(Stage):
    """How networks of poses are built and trained."""

    root_steps: int = Field(700, ge=0, le=MOST_STEPS, description="Steps of the root network, on invented people.")
    pose_steps: int = Field(300, ge=0, le=MOST_STEPS, description="Steps of the pose network, by rendering.")
    refine_steps: int = Field(2000, ge=0, le=MOST_STEPS, description="Steps of the prior of bodies.")
    cells: int = Field(24, ge=8, le=128, description="Cells of the cube around a person along each side.")
    most_cells: int = Field(20_000, ge=1000, le=10**7, description="Cells of the grid that covers the rig, at most.")
    map_side: int = Field(120, ge=32, le=2000, description="Longer side of the heatmaps in pixels.")
    sigma: float = Field(1.5, gt=0.3, le=20, description="Of a keypoint in a heatmap, in its pixels.")
    most_people: int = Field(6, ge=1, le=100, description="People in an invented scene, at most.")
    rings: float = Field(0.25, ge=0, le=1, description="Fraction of the root network's steps on invented rigs.")
    held_out_fraction: float = Field(0.2, ge=0, le=0.5, description="Of the instants: kept to choose the model by.")
