"""What boxes are given in: pixels of their views, as they must be, or one of the usual mistakes, by its name."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.core.thinning import evenly_spaced
from selfmva.errors import BoxUnitsWarning, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, Frame, View


@dataclass(frozen=True)
class UnitSettings:
    """By what a mistake is known."""

    normalized: float = 1.5  # largest coordinate of boxes from 0 to 1, which may stick out; no person has 1.5 pixels
    least_side: int = 32  # pixels of an image, below which a box of that size means nothing
    nearly_all: float = 0.95  # fraction of the boxes
    many: float = 0.25  # fraction of the boxes whose corners are turned, by which they are no corners
    few_boxes: int = 20  # from which on that is judged
    least_boxes: int = 60  # from which on resolutions are
    spread: float = 0.3  # of the image, over which left edges are spread, before widths can be said to grow with them
    centres_outside: float = 0.2  # fraction of the boxes; of right recordings, one or two in a hundred
    # Of another resolution: farthest right and bottom edges, as fractions of the image, of a recording that uses no
    # more than a part of all its images. People are cut off at the border, so that many of these are the same.
    largest_part: float = 0.8
    agreement: float = 0.01  # by which these fractions may differ, relative to the largest
    fewest_alike: int = 3  # of them, and at least half
    farthest: float = 99.5  # percentile that stands for the farthest edge, where some boxes stick out
    instants: int = 2000  # of a recording that are looked at


UNITS = UnitSettings()
LOOKS_NORMALIZED = (
    "the boxes look normalized, from 0 to 1: multiply them by the width and height of their images in pixels"
)


class Mistake(NamedTuple):
    """What boxes look like.

    Attributes:
        text: What they look like, and what to do.
        certain: False where right boxes could look like that in a rare recording.
    """

    text: str
    certain: bool = True


def normalized_view(frame: Frame, views: Sequence[View]) -> int | None:
    """The first view all of whose boxes lie within the first pixel and a half; None where there is none."""
    if not any(frame.counts):
        return None
    small = np.abs(np.concatenate(frame.boxes)).max(axis=1) <= UNITS.normalized
    if not small.any():
        return None
    start = 0
    for number, (boxes, view) in enumerate(zip(frame.boxes, views, strict=False)):
        own = small[start : start + len(boxes)]
        start += len(boxes)
        # A box that sticks out at the corner of its image may leave as little; it lies at the very corner then.
        if len(own) and own.all() and _large(view) and (boxes[:, :2] > 0).all(axis=1).any():
            return number
    return None


def normalized_text(number: int, view: View) -> str:
    """What to say of a view with such boxes."""
    return (
        f"the boxes of view {number} ({view.name!r}) look normalized, all within 0 to {UNITS.normalized}, and not like "
        f"pixels of images of {view.width} x {view.height}: multiply x by {view.width} and y by {view.height}"
    )


def likely_mistake(boxes: Sequence[FloatArray], views: Sequence[View] | None) -> Mistake | None:
    """The usual mistake that boxes look like; None where they look like pixels of their views.

    Args:
        boxes: By view, `(N, 4)` boxes as they were given, those that are none among them.
        views: The cameras; None where they are not known, so that less can be told.

    Returns:
        The mistake.

    Example:
        >>> from selfmva.core.types import View
        >>> likely_mistake([np.array([[0.1, 0.2, 0.15, 0.5]])], [View("door", 1280, 720)]).text[:51]
        "the boxes of view 0 ('door') look normalized, all w"
    """
    finite = [array[np.isfinite(array).all(axis=1)] for array in boxes]
    for number, array in enumerate(finite):
        if len(array) and (views is None or _large(views[number])):
            small = np.abs(array).max(axis=1) <= UNITS.normalized
            if small.mean() >= UNITS.nearly_all and (array[:, :2] > 0).all(axis=1).any():
                return Mistake(LOOKS_NORMALIZED if views is None else normalized_text(number, views[number]))
    everything = np.concatenate(finite) if finite else np.zeros((0, 4))
    if not len(everything):
        return None
    turned = (everything[:, 2:] < everything[:, :2]).any(axis=1) & (everything[:, 2:] > 0).all(axis=1)
    if len(everything) >= UNITS.few_boxes and turned.mean() >= UNITS.many:
        return Mistake(
            f"{turned.mean():.0%} of the boxes have x2 <= x1 or y2 <= y1, they look like (x, y, width, height): give "
            "corners, in pixels, x1, y1, x2 = x1 + width, y2 = y1 + height"
        )
    if views is None or len(everything) < UNITS.least_boxes:
        return None
    return _corners_as_sizes(finite, views) or _other_resolution(finite, views)


def check_units(frames: Sequence[Frame], views: Sequence[View]) -> None:
    """Refuse a recording in other units.

    Args:
        frames: As they were given, before anything is clipped.
        views: The cameras.

    Raises:
        InputError: Boxes are normalized, or widths grow with x: nothing could be learnt.

    Warns:
        BoxUnitsWarning: Boxes look as if they were of images of another size.
    """
    sample = [frames[t] for t in evenly_spaced(len(frames), UNITS.instants)]
    if any(len(frame) != len(views) for frame in sample):
        return  # said elsewhere
    boxes = [np.concatenate([np.zeros((0, 4)), *(frame.boxes[v] for frame in sample)]) for v in range(len(views))]
    mistake = likely_mistake(boxes, views)
    if mistake is None:
        return
    if mistake.certain:
        raise InputError(mistake.text)
    warnings.warn(mistake.text, BoxUnitsWarning, stacklevel=4)


class UnitsWatch:
    """Looks at the boxes of streams, and warns once where they are in other units.

    Args:
        views: The cameras.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = views
        self._boxes: list[list[FloatArray]] | None = [[] for _ in views]
        self._count = 0
        self._warned = False

    def look(self, frame: Frame) -> None:
        """Take a frame into account, as it was given.

        Warns:
            BoxUnitsWarning: Once.
        """
        if self._warned or len(frame) != len(self._views):
            return
        number = normalized_view(frame, self._views)
        if number is not None:
            self._say(normalized_text(number, self._views[number]))
        elif self._boxes is not None:
            for kept, boxes in zip(self._boxes, frame.boxes, strict=True):
                kept.append(boxes)
            self._count += sum(frame.counts)
            if self._count >= 4 * UNITS.least_boxes:
                seen = [np.concatenate(kept) for kept in self._boxes]
                self._boxes = None
                mistake = likely_mistake(seen, self._views)
                if mistake is not None:
                    self._say(mistake.text)

    def _say(self, text: str) -> None:
        self._warned = True
        warnings.warn(text, BoxUnitsWarning, stacklevel=4)


def _large(view: View) -> bool:
    return min(view.width, view.height) >= UNITS.least_side


def _corners_as_sizes(boxes: Sequence[FloatArray], views: Sequence[View]) -> Mistake | None:
    """Widths and heights that are no less than x and y, wherever a box is."""
    grown, spread = [], 0.0
    for array, view in zip(boxes, views, strict=True):
        sides, left = array[:, 2:] - array[:, :2], array[:, :2]
        grown.append((sides > left).all(axis=1))
        if len(array):
            spread = max(spread, float(np.percentile(left[:, 0], 90)) / view.width)
    if np.concatenate(grown).mean() < UNITS.nearly_all or spread < UNITS.spread:
        return None
    return Mistake(
        "widths and heights of the boxes grow with x and y: they look like corners (x1, y1, x2, y2) that were read as "
        "(x, y, width, height); give widths x2 - x1 and heights y2 - y1, or corners where corners are read"
    )


def _other_resolution(boxes: Sequence[FloatArray], views: Sequence[View]) -> Mistake | None:
    """Boxes that use the same part of all images, or reach beyond them."""
    size = [np.array([view.width, view.height], float) for view in views]
    centres = [(array[:, :2] + array[:, 2:]) / 2 for array in boxes]
    beyond = np.concatenate([(middle > own).any(axis=1) for middle, own in zip(centres, size, strict=True)])
    edges = [array[:, 2:] / own for array, own in zip(boxes, size, strict=True) if len(array)]
    # All of them, or without the few boxes that stick out of their image.
    factor = max(_common_part(edges, 100.0), _common_part(edges, UNITS.farthest))
    if beyond.mean() >= UNITS.centres_outside:
        factor = max(float(np.percentile(edge, UNITS.farthest)) for edge in edges)
        said = f"{beyond.mean():.0%} of the boxes have their centres outside of the images"
    elif factor > 0:
        said = f"the boxes of all views end at {factor:.0%} of their images"
    else:
        return None
    first = views[0]
    return Mistake(
        f"{said}: they look as if they were of images of another resolution, {factor * first.width:.0f} x "
        f"{factor * first.height:.0f} or so where view {first.name!r} has {first.width} x {first.height} pixels; give "
        "the size of the images that the boxes are of, or scale the boxes",
        certain=False,
    )


def _common_part(edges: Sequence[FloatArray], percentile: float) -> float:
    """The part of all images, less than the whole, at which the boxes of many end; 0 where there is no such part."""
    reached = np.array([np.percentile(edge, percentile, axis=0) for edge in edges])
    alike = np.count_nonzero(reached >= reached.max() * (1 - UNITS.agreement))
    many = alike >= max(UNITS.fewest_alike, reached.size / 2)
    return float(reached.max()) if many and reached.max() <= UNITS.largest_part else 0.0
