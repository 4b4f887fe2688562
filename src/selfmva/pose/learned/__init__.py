"""Poses by networks that have learnt without labels what people, rigs and bodies look like."""

from selfmva.pose.learned.estimator import MultiViewPoseEstimator
from selfmva.pose.learned.recipe import PoseRecipe

__all__ = ["MultiViewPoseEstimator", "PoseRecipe"]
