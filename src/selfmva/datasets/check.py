"""The conformance kit: does an adapter keep the contract of `selfmva.datasets.base`?"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from selfmva.core.arguments import offers
from selfmva.core.conformance import Examination
from selfmva.core.messages import shown
from selfmva.core.types import Frame, View, clip_to_views
from selfmva.datasets.base import LabelledDataset, MultiViewDataset
from selfmva.errors import InputError, PluginError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import IntArray


def check_adapter(adapter: Any) -> None:
    """Read everything that an adapter offers, twice, and hold it against the contract.

    For the tests of whoever writes an adapter. `identities` is checked where there is one.

    Args:
        adapter: The dataset.

    Raises:
        PluginError: The adapter breaks a rule: which, what came and what was expected.

    Example:
        >>> from selfmva.datasets.recording import Recording
        >>> box = [[0, 0, 5, 5]]
        >>> views = [View("left", 640, 480), View("right", 640, 480)]
        >>> check_adapter(Recording(views, detections=[Frame([box, box], index=3)], annotated_splits={}))
    """
    _Check(adapter).run()


class _Check(Examination):
    """One run of the kit."""

    def __init__(self, adapter: Any) -> None:
        super().__init__(adapter)
        self.adapter = adapter

    def run(self) -> None:
        if not offers(self.adapter, MultiViewDataset):
            names = ("views", "splits", "__len__", "frame")
            missing = self.call("looking at it", lambda: [name for name in names if not hasattr(self.adapter, name)])
            self.fail("has views, splits, __len__ and frame", f"no {', '.join(missing or names)}", "all of them")
        views = self.views()
        length = self.call("len(adapter)", lambda: len(self.adapter))
        frames = [self.frame(index, views) for index in range(length)]
        self.out_of_range(length)
        splits = self.splits(frames)
        labels = [self.identities(index, frame) for index, frame in enumerate(frames)]

        self.unchanged("views", views, self.views())
        self.unchanged("len(adapter)", length, self.call("len(adapter)", lambda: len(self.adapter)))
        self.unchanged("splits", splits, self.splits(frames))
        for index, (frame, label) in enumerate(zip(frames, labels, strict=True)):
            again = self.frame(index, views)
            self.unchanged(f"frame({index}).index", frame.index, again.index)
            self.unchanged(f"frame({index}).boxes", frame.boxes, again.boxes)
            self.unchanged(f"identities({index})", label, self.identities(index, again))

    def unchanged(self, what: str, first: Any, second: Any) -> None:
        arrays = isinstance(first, tuple) and any(isinstance(part, np.ndarray) for part in first)
        same = all(map(np.array_equal, first, second)) if arrays else first == second
        self.require("reading changes nothing", same, f"{what}: {shown(second)}", f"at first {shown(first)}")

    def views(self) -> tuple[View, ...]:
        views = tuple(self.call("views", lambda: self.adapter.views))
        self.require("views are View", all(isinstance(v, View) for v in views), views, "a sequence of selfmva View")
        self.require("at least two views", len(views) >= 2, len(views), "2 or more")
        names = [view.name for view in views]
        self.require("names of views differ", len(set(names)) == len(names), names, "each name once")
        return views

    def frame(self, index: int, views: Sequence[View]) -> Frame:
        what = f"frame({index})"
        frame = self.call(what, lambda: self.adapter.frame(index))
        if not isinstance(frame, Frame):
            raise PluginError(f"{self.owner} breaks the rule 'frame(i) is a Frame': {what} gave {type(frame).__name__}")
        self.require("a frame has all views", len(frame) == len(views), f"{what} with {len(frame)}", len(views))
        try:
            clip_to_views(frame, views)
        except InputError as error:
            raise PluginError(f"{self.owner} breaks the rule 'boxes touch their image': {what}: {error}") from error
        return frame

    def out_of_range(self, length: int) -> None:
        for index in (length, -length - 1):
            try:
                outcome = repr(self.adapter.frame(index))
            except IndexError:
                continue
            except Exception as error:  # noqa: BLE001  # any other kind is what the rule forbids
                outcome = f"{type(error).__name__}: {error}"
            self.fail("an index out of range raises IndexError", f"frame({index}) -> {outcome}", "IndexError")

    def splits(self, frames: Sequence[Frame]) -> dict[str, list[int]]:
        given: Mapping[str, Sequence[int]] = self.call("splits", lambda: self.adapter.splits)
        splits: dict[str, list[Any]] = self.call(
            "splits", lambda: {name: list(indices) for name, indices in given.items()}
        )
        for name, indices in splits.items():
            what = f"splits[{name!r}]"
            wrong = [k for k in indices if not isinstance(k, int | np.integer) or not 0 <= k < len(frames)]
            self.require("splits hold indices", not wrong, f"{what} with {wrong[:3]}", f"0 to {len(frames) - 1}")
            instants = [frames[k].index for k in indices]
            late = [pair for pair in pairwise(instants) if pair[1] <= pair[0]]
            self.require("instants of a split increase", not late, f"{what} with {late[:1]}", "the order of time")
        for name in ("validation", "test"):
            shared = sorted(set(splits.get("train", [])) & set(splits.get(name, [])))
            self.require(f"train and {name} share no index", not shared, shared[:3], "none")
        return splits

    def identities(self, index: int, frame: Frame) -> tuple[IntArray, ...]:
        if not isinstance(self.adapter, LabelledDataset):
            return ()
        what = f"identities({index})"
        labels: tuple[IntArray, ...] = self.call(what, lambda: tuple(self.adapter.identities(index)))
        kinds = {getattr(label, "dtype", type(label).__name__) for label in labels}
        self.require("identities are int64 arrays", kinds <= {np.dtype(np.int64)}, f"{what} with {kinds}", "int64")
        counts = tuple(label.shape for label in labels)
        expected = tuple((count,) for count in frame.counts)
        self.require("one identity per box", counts == expected, f"{what} of shapes {counts}", expected)
        for view, label in enumerate(labels):
            known, times = np.unique(label[label >= 0], return_counts=True)
            twice = known[times > 1].tolist()
            self.require("a person has one box in a view", not twice, f"{what}, view {view}: {twice} twice", "once")
        return tuple(label.copy() for label in labels)
