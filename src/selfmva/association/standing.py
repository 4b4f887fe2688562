"""Where the people of a frame stand: by their joints where these are known, else by their boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.packed_boxes import stack_keypoints
from selfmva.core.skeletons import SKELETONS
from selfmva.geometry.body_boxes import standing_boxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import Frame, IntArray
    from selfmva.geometry.floor import Floor
    from selfmva.geometry.floor_likelihood import FloorReadings


def read_standing(floor: Floor, frames: Sequence[Frame], rows: IntArray) -> FloorReadings:
    """What some of the boxes of frames, counted frame after frame and view after view, say of where people stand.

    Args:
        floor: The common floor.
        frames: Boxes, with keypoints or without.
        rows: `(M,)` which boxes.
    """
    boxes = np.concatenate([np.zeros((0, 4)), *(part for frame in frames for part in frame.boxes)])[rows]
    views = [np.repeat(np.arange(len(frame)), frame.counts) for frame in frames]
    view = np.concatenate([np.zeros(0, np.int64), *views])[rows]
    keypoints = stack_keypoints(frames)
    skeleton = None
    if keypoints is not None:
        skeleton = next((one for one in SKELETONS.values() if len(one) == keypoints.shape[1]), None)
    if keypoints is None or skeleton is None:
        return floor.read(boxes, view)
    return floor.read(standing_boxes(keypoints[rows][..., :2], boxes, skeleton), view)
