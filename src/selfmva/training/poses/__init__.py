"""Learning where people are and how they stand, from keypoints that nobody has labelled."""

from selfmva.training.poses.trainer import SelfSupervisedPoseTrainer

__all__ = ["SelfSupervisedPoseTrainer"]
