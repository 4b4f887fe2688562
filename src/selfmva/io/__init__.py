"""Reading and writing: boxes (`read_boxes` and `write_boxes` choose the format by the file), images and video."""

from selfmva.io.array_cache import ArrayCache
from selfmva.io.atomic import atomic_write
from selfmva.io.boxes_argument import resolve_boxes
from selfmva.io.coco import read_coco, write_coco
from selfmva.io.detections import (
    frame_from_supervision,
    frame_from_torchvision,
    frame_from_ultralytics,
    frame_to_supervision,
)
from selfmva.io.files import read_boxes, write_boxes
from selfmva.io.fingerprints import fingerprint
from selfmva.io.image_sources import ImageArray, ImageFiles
from selfmva.io.images import read_image, write_image
from selfmva.io.mot import read_mot, write_mot
from selfmva.io.selfmva_json import read_selfmva, write_selfmva
from selfmva.io.source_argument import open_source
from selfmva.io.sources import ImageSource
from selfmva.io.synchronized import SynchronizedImages, SynchronizedReader
from selfmva.io.table import frames_from_table, read_table, table_from_frames, write_table
from selfmva.io.video import VideoFile
from selfmva.io.video_writer import VideoWriter
from selfmva.io.views import resolve_view, resolve_views
from selfmva.pixels import as_rgb

__all__ = [
    "ArrayCache",
    "ImageArray",
    "ImageFiles",
    "ImageSource",
    "SynchronizedImages",
    "SynchronizedReader",
    "VideoFile",
    "VideoWriter",
    "as_rgb",
    "atomic_write",
    "fingerprint",
    "frame_from_supervision",
    "frame_from_torchvision",
    "frame_from_ultralytics",
    "frame_to_supervision",
    "frames_from_table",
    "open_source",
    "read_boxes",
    "read_coco",
    "read_image",
    "read_mot",
    "read_selfmva",
    "read_table",
    "resolve_boxes",
    "resolve_view",
    "resolve_views",
    "table_from_frames",
    "write_boxes",
    "write_coco",
    "write_image",
    "write_mot",
    "write_selfmva",
    "write_table",
]
