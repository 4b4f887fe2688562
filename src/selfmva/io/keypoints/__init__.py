"""Keypoints in files, one folder or file a view."""

from selfmva.io.keypoints.any_format import read_keypoints
from selfmva.io.keypoints.openpose import write_openpose

__all__ = ["read_keypoints", "write_openpose"]
