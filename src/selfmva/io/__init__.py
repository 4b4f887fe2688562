"""Reading and writing boxes, one file per format; `read_boxes` and `write_boxes` choose by the file."""

from selfmva.io.atomic import atomic_write
from selfmva.io.boxes_argument import resolve_boxes
from selfmva.io.coco import read_coco, write_coco
from selfmva.io.files import read_boxes, write_boxes
from selfmva.io.mot import read_mot, write_mot
from selfmva.io.selfmva_json import read_selfmva, write_selfmva
from selfmva.io.table import frames_from_table, read_table, table_from_frames, write_table
from selfmva.io.views import resolve_view, resolve_views

__all__ = [
    "atomic_write",
    "frames_from_table",
    "read_boxes",
    "read_coco",
    "read_mot",
    "read_selfmva",
    "read_table",
    "resolve_boxes",
    "resolve_view",
    "resolve_views",
    "table_from_frames",
    "write_boxes",
    "write_coco",
    "write_mot",
    "write_selfmva",
    "write_table",
]
