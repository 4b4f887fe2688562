"""The kit passes an adapter that keeps the contract, and names the rule that any other breaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from selfmva.core.types import Frame, View
from selfmva.datasets import check_adapter
from selfmva.errors import PluginError

BOX = [[0, 0, 5, 5], [20, 20, 30, 30]]


class Unlabelled:
    """Ten instants, two views, two people."""

    def __init__(self) -> None:
        self.views: Any = [View("left", 100, 100), View("right", 100, 100)]
        self.splits: Any = {"train": range(5), "validation": [5], "test": range(6, 10)}
        self.readings = 0

    def __len__(self) -> int:
        return 10

    def frame(self, index: int) -> Any:
        if not -10 <= index < 10:
            raise IndexError(index)
        return Frame([BOX, BOX], index=3 * index)


class Good(Unlabelled):
    """The same, and who they are."""

    def identities(self, index: int) -> Any:
        return (np.array([1, 2]), np.array([2, -1]))


class OneView(Good):
    def __init__(self) -> None:
        super().__init__()
        self.views = self.views[:1]


class NotViews(Good):
    views: Any = property(lambda self: [(100, 100), (100, 100)], lambda self, value: None)


class SameNames(Good):
    views: Any = property(lambda self: [View("a", 100, 100)] * 2, lambda self, value: None)


class NotFrames(Good):
    def frame(self, index: int) -> Any:
        return super().frame(index).boxes


class WrongViewCount(Good):
    def frame(self, index: int) -> Any:
        return Frame([BOX] * (3 if index == 4 else 2), index=super().frame(index).index)


class Outside(Good):
    def frame(self, index: int) -> Any:
        return Frame([BOX, [[100, 0, 110, 5], [0, 0, 1, 1]]], index=super().frame(index).index)


class Restless(Good):
    def frame(self, index: int) -> Any:
        self.readings += 1
        return Frame([BOX, np.array(BOX) + self.readings / 100], index=super().frame(index).index)


class NoEnd(Good):
    def frame(self, index: int) -> Any:
        return Frame([BOX, BOX], index=index)


class WrongError(Good):
    def frame(self, index: int) -> Any:
        return {k: Frame([BOX, BOX], index=k) for k in range(10)}[index]


class Raises(Good):
    def frame(self, index: int) -> Any:
        if index == 7:
            raise OSError("disk gone")
        return super().frame(index)


class SplitTooFar(Good):
    splits: Any = property(lambda self: {"train": [8, 10]}, lambda self, value: None)


class SplitNames(Good):
    splits: Any = property(lambda self: {"train": ["a"]}, lambda self, value: None)


class Overlap(Good):
    splits: Any = property(lambda self: {"train": [1, 2], "test": [2, 3]}, lambda self, value: None)


class OverlapValidation(Good):
    splits: Any = property(lambda self: {"train": [1, 2], "validation": [2]}, lambda self, value: None)


class Backwards(Good):
    splits: Any = property(lambda self: {"unseen": [4, 3]}, lambda self, value: None)


class Twice(Good):
    splits: Any = property(lambda self: {"unseen": [4, 4]}, lambda self, value: None)


class ShiftingSplits(Good):
    @property
    def splits(self) -> Any:
        self.readings += 1
        return {"train": [self.readings % 10]}

    @splits.setter
    def splits(self, value: Any) -> None:
        pass


class Growing(Good):
    def __len__(self) -> int:
        self.readings += 1
        return 10 + (self.readings > 1)


class TooFewIdentities(Good):
    def identities(self, index: int) -> Any:
        return (np.array([1, 2]), np.array([2]))


class IdentitiesOfOneView(Good):
    def identities(self, index: int) -> Any:
        return (np.array([1, 2]),)


class FloatIdentities(Good):
    def identities(self, index: int) -> Any:
        return (np.array([1.0, 2.0]), np.array([2, 3]))


class ListIdentities(Good):
    def identities(self, index: int) -> Any:
        return ([1, 2], [2, 3])


class OnePersonTwice(Good):
    def identities(self, index: int) -> Any:
        return (np.array([1, 2]), np.array([2, 2] if index == 8 else [2, -1]))


class ShiftingIdentities(Good):
    labels = np.array([1, 2])

    def identities(self, index: int) -> Any:
        self.labels += 1  # the same array each time: a careless comparison sees nothing
        return (self.labels, self.labels)


@pytest.mark.parametrize("adapter", [Good(), Unlabelled()])
def test_good(adapter: Unlabelled) -> None:
    check_adapter(adapter)


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (OneView, "at least two views.*got 1, expected 2 or more"),
        (NotViews, "views are View"),
        (SameNames, "names of views differ"),
        (NotFrames, "frame\\(i\\) is a Frame.*frame\\(0\\) gave tuple"),
        (WrongViewCount, "a frame has all views.*frame\\(4\\) with 3, expected 2"),
        (Outside, "boxes touch their image.*frame\\(0\\): instant 0, view 1 \\('right'\\), row 0"),
        (Restless, "reading changes nothing.*frame\\(0\\)\\.boxes"),
        (NoEnd, "an index out of range raises IndexError.*frame\\(10\\) -> Frame"),
        (WrongError, "an index out of range raises IndexError.*frame\\(10\\) -> KeyError"),
        (Raises, "frame\\(7\\) raised OSError: disk gone"),
        (SplitTooFar, "splits hold indices.*splits\\['train'\\] with \\[10\\], expected 0 to 9"),
        (SplitNames, "splits hold indices.*\\['a'\\]"),
        (Overlap, "train and test share no index.*got \\[2\\]"),
        (OverlapValidation, "train and validation share no index.*got \\[2\\]"),
        (Backwards, "instants of a split increase.*\\(12, 9\\)"),
        (Twice, "instants of a split increase.*\\(12, 12\\)"),
        (ShiftingSplits, "reading changes nothing.*splits"),
        (Growing, "reading changes nothing.*len\\(adapter\\): 11"),
        (TooFewIdentities, "one identity per box.*\\(2,\\), \\(1,\\)"),
        (IdentitiesOfOneView, "one identity per box"),
        (FloatIdentities, "identities are int64 arrays.*float64"),
        (ListIdentities, "identities are int64 arrays.*list"),
        (OnePersonTwice, "a person has one box in a view.*identities\\(8\\), view 1: \\[2\\] twice"),
        (ShiftingIdentities, "reading changes nothing.*identities\\(0\\)"),
    ],
)
def test_each_broken_rule_is_named(adapter: type[Good], message: str) -> None:
    with pytest.raises(PluginError, match=rf"test_check_adapter\.{adapter.__name__}.*{message}"):
        check_adapter(adapter())


@pytest.mark.parametrize("adapter", [object(), None, [], {"views": []}])
def test_no_adapter_at_all(adapter: object) -> None:
    with pytest.raises(PluginError, match=r"has views, splits, __len__ and frame.*got no .*frame"):
        check_adapter(adapter)
