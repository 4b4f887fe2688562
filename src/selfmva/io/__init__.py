"""Reading and writing: boxes (`read_boxes` and `write_boxes` choose the format by the file), images and video."""

from selfmva.core.images import as_rgb
from selfmva.io.boxes.any_format import read_boxes, write_boxes
from selfmva.io.boxes.coco import read_coco, write_coco
from selfmva.io.boxes.detections import (
    frame_from_supervision,
    frame_from_torchvision,
    frame_from_ultralytics,
    frame_to_supervision,
)
from selfmva.io.boxes.mot import read_mot, write_mot
from selfmva.io.boxes.selfmva_json import read_selfmva, write_selfmva
from selfmva.io.boxes.table import frames_from_table, read_table, table_from_frames, write_table
from selfmva.io.keypoints.any_format import read_keypoints
from selfmva.io.keypoints.openpose import write_openpose
from selfmva.io.storage.array_cache import ArrayCache
from selfmva.io.video.image_sources import ImageArray, ImageFiles
from selfmva.io.video.images import read_image, write_image
from selfmva.io.video.sources import ImageSource
from selfmva.io.video.synchronized import SynchronizedImages, SynchronizedReader
from selfmva.io.video.video import VideoFile
from selfmva.io.video.video_writer import VideoWriter
from selfmva.io.video.view_argument import resolve_views

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
    "frame_from_supervision",
    "frame_from_torchvision",
    "frame_from_ultralytics",
    "frame_to_supervision",
    "frames_from_table",
    "read_boxes",
    "read_coco",
    "read_image",
    "read_keypoints",
    "read_mot",
    "read_selfmva",
    "read_table",
    "resolve_views",
    "table_from_frames",
    "write_boxes",
    "write_coco",
    "write_image",
    "write_mot",
    "write_openpose",
    "write_selfmva",
    "write_table",
]
