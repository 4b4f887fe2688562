"""Bodies in three dimensions, from keypoints of several views."""

from selfmva.core.skeletons import SKELETONS, Skeleton
from selfmva.pose.pose_tracks import PoseTracks
from selfmva.pose.poses import Poses3D

__all__ = ["SKELETONS", "PoseTracks", "Poses3D", "Skeleton"]
