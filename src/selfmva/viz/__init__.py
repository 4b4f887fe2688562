"""Pictures of what was associated."""

from selfmva.viz.draw import draw_association, draw_boxes, mosaic, palette, save_image

__all__ = ["draw_association", "draw_boxes", "mosaic", "palette", "save_image"]
