"""Draw skeletons on images, and the people of an instant in all views."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.arguments import entries
from selfmva.core.images import as_rgb
from selfmva.core.messages import shown
from selfmva.core.scalars import real
from selfmva.core.values import real_array
from selfmva.errors import InputError
from selfmva.pose.poses import Poses3D
from selfmva.viz.blur import check_part
from selfmva.viz.draw import CANVAS, INK, LARGEST_SCALE, checked_ids, colour_of, scale_of, write
from selfmva.viz.instant import backdrop
from selfmva.viz.tiles import lay_tiles, paste

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from selfmva.core.images import Image
    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.geometry.cameras import Camera
    from selfmva.viz.blur import Part

LIMB_WIDTH = 3  # pixels at scale 1
FARTHEST_PIXEL = 30_000  # OpenCV draws with 16 bits


def draw_skeletons(
    image: Image,
    joints: ArrayLike,
    ids: ArrayLike,
    limbs: Sequence[tuple[int, int]],
    *,
    scale: float = 1.0,
    numbered: bool = True,
) -> Image:
    """Draw skeletons on a copy of an image.

    Args:
        image: `(H, W, 3)` uint8 RGB.
        joints: `(P, K, 2)` x, y in pixels; NaN where not known.
        ids: `(P,)` whole numbers; an id has the same colour in every picture.
        limbs: Pairs of numbers of joints to join, such as `skeleton.limbs`.
        scale: Size of lines; 1 suits an image 800 pixels wide.
        numbered: Whether to write the ids at the highest joints.

    Returns:
        `(H, W, 3)` uint8 RGB.

    Raises:
        InputError: The image, the joints, the ids or the scale have a wrong shape, type or range.

    Example:
        >>> drawn = draw_skeletons(np.zeros((90, 160, 3), np.uint8), [[[20, 40], [60, 40]]], [0], [(0, 1)])
        >>> drawn[40, 40].tolist()
        [230, 159, 0]
    """
    import cv2

    canvas, places = as_rgb(image).copy(), real_array(joints, "joints")
    if places.ndim != 3 or places.shape[2] != 2:
        raise InputError(f"joints to draw must have shape (P, K, 2), got {places.shape}")
    numbers = checked_ids(ids, len(places))
    scale = real(scale, "scale", above=0, most=LARGEST_SCALE)
    width = max(1, round(LIMB_WIDTH * scale))
    known = np.isfinite(places).all(axis=-1) & (np.abs(np.nan_to_num(places)) < FARTHEST_PIXEL).all(axis=-1)
    pixels = np.where(known[..., None], places, 0.0).round().astype(np.int32)
    for person, number in enumerate(numbers.tolist()):
        colour = colour_of(number)
        lines = [pixels[person, list(limb)] for limb in limbs if known[person, list(limb)].all()]
        dots = [np.stack([pixel, pixel]) for pixel in pixels[person, known[person]]]  # lines of no length
        cv2.polylines(canvas, lines, False, CANVAS, width + 2, cv2.LINE_AA)
        cv2.polylines(canvas, lines, False, colour, width, cv2.LINE_AA)
        cv2.polylines(canvas, dots, False, colour, 2 * width)
    for number, row, there in zip(numbers.tolist(), pixels, known, strict=True):
        if numbered and there.any():
            x, y = row[there][row[there, 1].argmin()].tolist()
            write(canvas, str(number), (x + 2 * width, max(y - 2 * width, round(16 * scale))), 0.8 * scale)
    return canvas


def draw_poses(
    poses: Poses3D,
    cameras: Sequence[Camera | None],
    views: Sequence[View],
    images: Sequence[Image | None] | None = None,
    *,
    frame: Frame | None = None,
    width: int = 1600,
    blur: Part | None = None,
) -> Image:
    """Draw poses as all cameras see them, side by side, the same person in the same colour.

    Where lines and people part, cameras or joints are wrong: it is a check by eye.

    Args:
        poses: Of an instant, of a skeleton that is known.
        cameras: One a view, in the unit of the poses, such as `associator.cameras_`; None where it is not known.
        views: The V cameras' names and sizes.
        images: What each camera saw, `(H, W, 3)` uint8 RGB, None where it gave no image. By default those that the
            frame carries; dark canvases where there are none.
        frame: What the detector saw; its keypoints are drawn as small light dots, and its boxes say whom to blur.
        width: Width of the picture in pixels.
        blur: `"faces"` or `"people"`, see `blur_people`; it needs the frame.

    Returns:
        `(H, width, 3)` uint8 RGB.

    Raises:
        InputError: The numbers of cameras, views and images do not fit together, or an argument is wrong.

    Example:
        >>> from selfmva.core.skeletons import Skeleton
        >>> from selfmva.core.types import View
        >>> from selfmva.geometry.cameras import Camera
        >>> arm = Skeleton("arm", ("left_elbow", "left_wrist"))
        >>> one = Poses3D(np.array([[[0, 0, 5.0], [1, 0, 5]]]), np.ones((1, 2)), np.array([0]), skeleton=arm)
        >>> camera = Camera([[100, 0, 80], [0, 100, 50], [0, 0, 1]], np.eye(3), [0, 0, 0])
        >>> draw_poses(one, [camera, None], [View("a", 160, 100), View("b", 160, 100)], width=424).shape
        (141, 424, 3)
    """
    if not isinstance(poses, Poses3D):
        raise InputError(f"draw_poses() draws Poses3D, as associator.poses() gives, got {shown(poses)}")
    if blur is not None:
        check_part(blur)
        if frame is None:
            raise InputError("blur needs frame=, whose boxes say where people are")
    given = images if images is not None else None if frame is None else frame.images
    pictures = [None] * len(views) if given is None else entries(given, "images", "one image per view")
    if not len(entries(cameras, "cameras", "one Camera or None per view")) == len(views) == len(pictures):
        raise InputError(f"{len(cameras)} cameras, {len(views)} views and {len(pictures)} images do not fit together")
    tiles = lay_tiles([(view.width, view.height) for view in views], width)
    scale = scale_of(tiles.cell[0])
    panels = []
    for number, (camera, view) in enumerate(zip(cameras, views, strict=True)):
        factor = tiles.factors[number]
        boxes = np.zeros((0, 4)) if frame is None else factor * np.nan_to_num(frame.boxes[number])
        panel = backdrop(pictures[number], tiles.sizes[number], boxes, blur, absent=given is not None)
        if frame is not None and frame.keypoints is not None:
            panel = _with_dots(panel, factor * frame.keypoints[number][..., :2].reshape(-1, 2), scale)
        if camera is not None and len(poses):
            limbs = () if poses.skeleton is None else poses.skeleton.limbs
            panel = draw_skeletons(panel, factor * camera.project(poses.joints)[0], poses.ids, limbs, scale=scale)
        name = view.name if camera is not None else f"{view.name}: its camera is not known"
        panels.append(write(panel, name, (round(12 * scale), panel.shape[0] - round(14 * scale)), scale))
    return paste(panels, tiles, width)


def _with_dots(canvas: Image, places: FloatArray, scale: float) -> Image:
    """Small light dots on a copy."""
    import cv2

    dotted = canvas.copy()
    inside = np.isfinite(places).all(axis=1) & (np.abs(np.nan_to_num(places)) < FARTHEST_PIXEL).all(axis=1)
    pixels: IntArray = places[inside].round().astype(np.int64)
    dots = list(np.stack([pixels, pixels], axis=1).astype(np.int32))
    cv2.polylines(dotted, dots, False, CANVAS, max(3, round(7 * scale)))
    cv2.polylines(dotted, dots, False, INK, max(2, round(4 * scale)))
    return dotted
