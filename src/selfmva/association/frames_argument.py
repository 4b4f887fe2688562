"""A stream of frames as a user gives it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from selfmva.core.arguments import stream
from selfmva.core.messages import shown
from selfmva.core.types import Frame
from selfmva.datasets.reading import is_dataset
from selfmva.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


def each_frame(frames: Any) -> Iterator[Any]:
    """Go through a stream; what its entries are is seen when their turn comes.

    Args:
        frames: An iterable of frames, or of boxes.

    Raises:
        InputError: It is none: one frame alone, a file, a table, or nothing that can be gone through.

    Example:
        >>> each_frame(Frame([[], []]))
        Traceback (most recent call last):
        ...
        selfmva.errors.InputError: frames must be one after the other, got a single Frame: give [frame], or call ...
    """
    if isinstance(frames, Frame):
        raise InputError("frames must be one after the other, got a single Frame: give [frame], or call associate()")
    if isinstance(frames, str | os.PathLike):
        raise InputError(f"frames must be an iterable, got {shown(frames)}: give selfmva.io.read_boxes(...) of it")
    if is_dataset(frames):
        raise InputError("frames must be an iterable, got a dataset: give (dataset.frame(k) for k in its split)")
    return stream(frames, "frames", "Frame or of boxes[v]")
