"""The contract of a dataset: what an adapter offers, and nothing about where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import Frame, IntArray, View


@runtime_checkable
class MultiViewDataset(Protocol):
    """A recording of several fixed, synchronized cameras.

    `splits` maps a name to the indices that belong to it, in the order of time. `"train"` is what `fit` reads
    (the boxes of a detector), `"validation"` and `"test"` are what is evaluated (annotated boxes); an adapter
    may offer more. Without splits, `fit` reads everything.
    """

    @property
    def views(self) -> Sequence[View]:
        """The cameras, in the order of every frame's boxes."""

    @property
    def splits(self) -> Mapping[str, Sequence[int]]:
        """Indices of the frames of each split."""

    def __len__(self) -> int: ...

    def frame(self, index: int) -> Frame:
        """The boxes of all views at the `index`-th instant of the adapter."""


@runtime_checkable
class LabelledDataset(MultiViewDataset, Protocol):
    """A dataset that also knows who is who. `fit` never calls `identities`; evaluation does."""

    def identities(self, index: int) -> tuple[IntArray, ...]:
        """One `(N,)` int64 array per view: the person of each box of `frame(index)`, -1 = not known."""
