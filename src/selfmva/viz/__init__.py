"""Pictures, videos and pages of what was associated, and of the floor it stands on."""

from selfmva.viz.blur import blur_people
from selfmva.viz.draw import draw_boxes, mosaic, palette, save_image
from selfmva.viz.floor import draw_floor, draw_tracks
from selfmva.viz.instant import draw_association
from selfmva.viz.pose_video import draw_orbit, write_pose_video
from selfmva.viz.report.page import write_report
from selfmva.viz.skeletons import draw_poses, draw_skeletons
from selfmva.viz.space import Space, draw_space
from selfmva.viz.video import write_mosaic_video, write_view_videos

__all__ = [
    "Space",
    "blur_people",
    "draw_association",
    "draw_boxes",
    "draw_floor",
    "draw_orbit",
    "draw_poses",
    "draw_skeletons",
    "draw_space",
    "draw_tracks",
    "mosaic",
    "palette",
    "save_image",
    "write_mosaic_video",
    "write_pose_video",
    "write_report",
    "write_view_videos",
]
