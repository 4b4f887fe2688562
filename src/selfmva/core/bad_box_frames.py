"""Frames with boxes that are none: left out, counted, and warned of once; an error where most boxes are bad."""

from __future__ import annotations

import warnings
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.bad_boxes import is_placeholder
from selfmva.core.box_units import likely_mistake
from selfmva.core.types import first_bad
from selfmva.errors import BadBoxWarning, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.core.types import Frame, View

LEAST_BOXES = 20  # of which most are bad, before that is no accident; placeholders for nobody apart
MOST_BAD = 0.5  # fraction of the boxes
PER_BOX = ("boxes", "scores", "track_ids", "features")  # columns of a frame with one entry a box


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
    kept, clean = [~bad for bad in frame.bad], copy(frame)  # what was checked is not checked again
    for name in PER_BOX:
        column = getattr(frame, name)
        if column is not None:
            parts = tuple(part[rows] for part, rows in zip(column, kept, strict=True))
            for part in parts:
                part.flags.writeable = False
            object.__setattr__(clean, name, parts)
    object.__setattr__(clean, "bad", None)
    object.__setattr__(clean, "dropped", frame.dropped + count_bad(frame))
    return clean


def count_bad(frame: Frame) -> int:
    """How many boxes `Frame.bad` marks."""
    return 0 if frame.bad is None else int(sum(map(np.count_nonzero, frame.bad)))


class BadBoxWatch:
    """Counts the bad boxes of a stream or a recording, warns once, and stops where most boxes are bad.

    Args:
        views: The cameras.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = views
        self._boxes = self._bad = 0
        self._warned = False
        self._seen: list[Frame] = []  # of the first frames, for what is wrong with them

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
            self._seen.append(frame)
        if frame.bad is None:
            return
        nobody = sum(int(is_placeholder(boxes[bad]).sum()) for boxes, bad in zip(frame.boxes, frame.bad, strict=True))
        self._boxes -= nobody
        self._bad += count_bad(frame) - nobody
        mostly = self._bad > MOST_BAD * self._boxes
        if mostly and self._boxes >= LEAST_BOXES:
            raise InputError(
                f"{self._bad} of {self._boxes} boxes are none, {self._mistake(frame)}; the last: "
                f"{first_bad(frame, self._views)}"
            )
        if not self._warned:
            self._warned = True
            reason = f"; {self._mistake(frame)}" if mostly else ""
            warnings.warn(
                f"{first_bad(frame, self._views)}{reason}. It is left out, and so are later ones, without another "
                "warning; on_bad_box='raise' makes them errors",
                BadBoxWarning,
                stacklevel=4,
            )

    def _mistake(self, frame: Frame) -> str:
        frames = self._seen or [frame]
        boxes = [np.concatenate([seen.boxes[view] for seen in frames]) for view in range(len(self._views))]
        mistake = likely_mistake(boxes, self._views)
        return "check where they come from" if mistake is None else mistake.text
