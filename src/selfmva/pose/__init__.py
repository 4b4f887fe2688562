"""Bodies in three dimensions, from keypoints of several views."""

from selfmva.core.skeletons import SKELETONS, Skeleton
from selfmva.pose.poses import Poses3D

__all__ = ["SKELETONS", "Poses3D", "Skeleton"]
