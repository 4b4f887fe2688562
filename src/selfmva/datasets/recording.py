"""Frames in memory with their identities and splits: what the built-in adapters are made of."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.scalars import integer
from selfmva.errors import DataError, DuplicateIdentityWarning, InputError, OutOfRangeError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from selfmva.core.types import Frame, IntArray, View


class Recording:
    """A labelled dataset in memory.

    One range of indices runs over the detector's frames, then over the annotated ones. Frames carry no labels:
    `identities` alone does, so that what reads frames cannot see them.

    Args:
        views: The cameras.
        detections: Frames of a detector, the split `"train"`; their track ids are dropped.
        annotated: Frames whose track ids are identities, or None where nothing is known. Scores, images and features
            stay with all frames.
        annotated_splits: Name of a split -> the instants (`Frame.index`) of its annotated frames.
        source: Where the labels come from, for messages.

    Warns:
        DuplicateIdentityWarning: An identity stands twice in one view at one instant: how often, and where first.
            Labels stay as they are; see `selfmva.metrics.AssociationScores` for how such a person counts.

    Example:
        >>> from selfmva.core.types import Frame, View
        >>> views = [View("left", 640, 480), View("right", 640, 480)]
        >>> annotated = [Frame([[[0, 0, 5, 5]], []], index=7, track_ids=[[3], []])]
        >>> recording = Recording(views, annotated=annotated, annotated_splits={"test": [7]})
        >>> dict(recording.splits), recording.identities(0)[0]
        ({'train': (), 'test': (0,)}, array([3]))
    """

    def __init__(
        self,
        views: Sequence[View],
        *,
        detections: Sequence[Frame] = (),
        annotated: Sequence[Frame] = (),
        annotated_splits: Mapping[str, Collection[int]],
        source: str = "annotations",
    ) -> None:
        self._views = tuple(views)
        self._frames = tuple(replace(frame, track_ids=None) for frame in (*detections, *annotated))
        self._identities = (*map(_nobody_known, detections), *map(_identities, annotated))
        _warn_of_duplicates(annotated, source)
        splits = {"train": tuple(range(len(detections)))}
        for name, instants in annotated_splits.items():
            chosen = set(instants)
            splits[name] = tuple(k for k, frame in enumerate(annotated, start=len(detections)) if frame.index in chosen)
        self._splits = MappingProxyType(splits)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {len(indices)}" for name, indices in self._splits.items())
        return f"{type(self).__name__}({len(self._views)} views; {sizes})"

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def views(self) -> tuple[View, ...]:
        """The cameras, in the order of every frame's boxes."""
        return self._views

    @property
    def splits(self) -> Mapping[str, tuple[int, ...]]:
        """Indices of the frames of each split, in the order of time."""
        return self._splits

    def frame(self, index: int) -> Frame:
        """The boxes of all views; `Frame.index` is the number of the instant.

        Raises:
            OutOfRangeError: There is no such index.
        """
        return self._frames[self._place(index)]

    def identities(self, index: int) -> tuple[IntArray, ...]:
        """The person of each box of `frame(index)`: one `(N,)` int64 array per view, -1 = not known.

        Raises:
            OutOfRangeError: There is no such index.
        """
        return self._identities[self._place(index)]

    def _place(self, index: int) -> int:
        """From the end, where it is negative."""
        try:
            return integer(index, "an index", least=-len(self), most=len(self) - 1)
        except InputError as error:
            raise OutOfRangeError(f"of this recording, {error}") from None


def split_by_time(frames: Sequence[Frame]) -> dict[str, list[int]]:
    """The published split: the last 10 % test, the last 20 % of the rest validation, the rest training.

    Args:
        frames: Annotated frames in the order of time; those seen in fewer than two views are dropped first.

    Returns:
        `"train"`, `"validation"` and `"test"` -> numbers of instants.

    Example:
        >>> from selfmva.core.types import Frame
        >>> box = [[0, 0, 5, 5]]
        >>> {name: len(part) for name, part in split_by_time([Frame([box, box], index=t) for t in range(100)]).items()}
        {'train': 72, 'validation': 18, 'test': 10}
    """
    usable = [frame.index for frame in frames if np.count_nonzero(frame.counts) >= 2]
    rest = len(usable) - len(usable) // 10
    train = rest - rest // 5
    return {"train": usable[:train], "validation": usable[train:rest], "test": usable[rest:]}


def find_path(root: str | Path, candidates: Sequence[str], what: str) -> Path:
    """The first of `candidates` that exists under `root`.

    Raises:
        DataError: None exists; the message lists what was looked for.

    Example:
        >>> find_path("nowhere", ["a.json", "output/a.json"], "detections")
        Traceback (most recent call last):
        ...
        selfmva.errors.DataError: no detections found; looked for nowhere/a.json, nowhere/output/a.json
    """
    paths = [Path(root) / candidate for candidate in candidates]
    for path in paths:
        if path.exists():
            return path
    raise DataError(f"no {what} found; looked for {', '.join(map(str, paths))}")


def _nobody_known(frame: Frame) -> tuple[IntArray, ...]:
    return tuple(np.broadcast_to(np.int64(-1), count) for count in frame.counts)  # read-only, as all that is shared


def _identities(frame: Frame) -> tuple[IntArray, ...]:
    return _nobody_known(frame) if frame.track_ids is None else frame.track_ids


def _warn_of_duplicates(annotated: Sequence[Frame], source: str) -> None:
    first, count = "", 0
    for frame in annotated:
        for view, ids in enumerate(frame.track_ids or ()):
            values, times = np.unique(ids[ids >= 0], return_counts=True)
            twice = values[times > 1]
            count += len(twice)
            if len(twice) and not first:
                first = f"instant {frame.index}, view {view}: identity {twice[0]} stands there {times.max()} times"
    if count:
        warnings.warn(
            f"{source}: {count} times, a person has more than one box in a view, the first at {first}; in scores, such "
            "a person counts as often as matches can be right",
            DuplicateIdentityWarning,
            stacklevel=4,
        )
