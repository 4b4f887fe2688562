"""Frames with boxes that are none: left out, counted, and warned of once; an error where most boxes are bad."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.bad_boxes import is_placeholder
from selfmva.core.box_units import UNITS, likely_mistake
from selfmva.core.thinning import evenly_spaced
from selfmva.core.types import first_bad, select_boxes
from selfmva.errors import BadBoxWarning, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import FloatArray, Frame, View

LEAST_BOXES = 20  # of which most are bad, before that is no accident; placeholders for nobody apart
MOST_BAD = 0.5  # fraction of the boxes


def without_bad_boxes(frame: Frame) -> Frame:
    """A frame without the boxes that `Frame.bad` marks, which `Frame.dropped` counts then.

    Example:
        >>> from selfmva.core.types import Frame
        >>> kept = without_bad_boxes(Frame([[[0, 0, 5, 5], [5, 0, 5, 5]]], scores=[[0.5, 0.9]], on_bad_box="drop"))
        >>> kept.counts, kept.scores[0].tolist(), kept.dropped
        ((1,), [0.5], 1)
    """
    if frame.bad is None:
        return frame
    clean = select_boxes(frame, [~bad for bad in frame.bad])
    object.__setattr__(clean, "bad", None)
    object.__setattr__(clean, "dropped", frame.dropped + count_bad(frame))
    return clean


def count_bad(frame: Frame) -> int:
    """How many boxes `Frame.bad` marks."""
    return 0 if frame.bad is None else int(sum(map(np.count_nonzero, frame.bad)))


def without_bad_boxes_of_all(frames: Sequence[Frame], views: Sequence[View]) -> list[Frame]:
    """A recording without its bad boxes.

    Args:
        frames: Of these views, bad boxes marked.
        views: The cameras.

    Returns:
        As many frames; `Frame.dropped` counts.

    Raises:
        InputError: Most boxes are bad: with the likely mistake.

    Warns:
        BadBoxWarning: Boxes are left out; how many, and where the first is.
    """
    worse = [frame for frame in frames if frame.bad is not None]
    if not worse:
        return list(frames)
    bad, boxes = sum(map(count_bad, worse)), sum(sum(frame.counts) for frame in frames)
    nobody = sum(map(_placeholders, worse))
    if is_mostly_bad(bad - nobody, boxes - nobody):
        reason = _mistake([frames[t].boxes for t in evenly_spaced(len(frames), UNITS.instants)], views)
        raise InputError(f"{bad} of {boxes} boxes are none, {reason}; the first: {first_bad(worse[0], views)}")
    warnings.warn(
        f"{bad} of {boxes} boxes are none and left out, the first: {first_bad(worse[0], views)}; "
        "on_bad_box='raise' makes them errors",
        BadBoxWarning,
        stacklevel=5,
    )
    return list(map(without_bad_boxes, frames))


def is_mostly_bad(bad: int, boxes: int) -> bool:
    """Whether so many bad boxes, placeholders for nobody apart, are no accident."""
    return boxes >= LEAST_BOXES and bad > MOST_BAD * boxes


class BadBoxWatch:
    """Counts the bad boxes of a stream, warns once, and stops where most boxes so far are bad.

    Args:
        views: The cameras.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = views
        self._boxes = self._bad = 0
        self._warned = False
        self._seen: list[tuple[FloatArray, ...]] = []  # boxes of the first frames, for what is wrong with them

    def look(self, frame: Frame) -> None:
        """Take a frame into account.

        Args:
            frame: Of these views, its bad boxes marked.

        Raises:
            InputError: Most of the boxes so far are bad: with the likely mistake.

        Warns:
            BadBoxWarning: This is the first frame with a bad box.
        """
        self._boxes += sum(frame.counts)
        if self._boxes <= 10 * LEAST_BOXES:
            self._seen.append(frame.boxes)
        if frame.bad is None:
            return
        nobody = _placeholders(frame)
        self._boxes -= nobody
        self._bad += count_bad(frame) - nobody
        if is_mostly_bad(self._bad, self._boxes):
            reason = _mistake(self._seen or [frame.boxes], self._views)
            raise InputError(
                f"{self._bad} of {self._boxes} boxes so far are none, {reason}; the last: "
                f"{first_bad(frame, self._views)}"
            )
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"{first_bad(frame, self._views)}. It is left out, and so are later ones, without another warning; "
                "on_bad_box='raise' makes them errors",
                BadBoxWarning,
                stacklevel=4,
            )


def _placeholders(frame: Frame) -> int:
    """How many of the bad boxes stand for nobody."""
    parts = zip(frame.boxes, frame.bad or (), strict=True)
    return sum(int(np.count_nonzero(is_placeholder(boxes[bad]))) for boxes, bad in parts)


def _mistake(instants: Sequence[Sequence[FloatArray]], views: Sequence[View]) -> str:
    boxes = [np.concatenate([parts[view] for parts in instants]) for view in range(len(views))]
    mistake = likely_mistake(boxes, views)
    return "check where they come from" if mistake is None else mistake.text
