"""Pictures of what was associated, and of the floor it stands on."""

from selfmva.viz.draw import draw_association, draw_boxes, mosaic, palette, save_image
from selfmva.viz.floor import draw_floor

__all__ = ["draw_association", "draw_boxes", "draw_floor", "mosaic", "palette", "save_image"]
