"""Calibrations in files: read and written in the formats of other programs."""

from selfmva.geometry.camera_files.any_format import CAMERA_FORMATS, read_cameras, write_cameras
from selfmva.geometry.camera_files.world import with_world

__all__ = ["CAMERA_FORMATS", "read_cameras", "with_world", "write_cameras"]
