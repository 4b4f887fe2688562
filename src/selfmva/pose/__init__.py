"""Bodies in three dimensions, from keypoints of several views."""

from selfmva.core.skeletons import SKELETONS, Skeleton

__all__ = ["SKELETONS", "Skeleton"]
