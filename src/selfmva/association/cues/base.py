"""A cue: one thing that tells whether two boxes are one person."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from selfmva.core.packed_boxes import stack_features, stack_keypoints
from selfmva.matching.posterior.distance_table import fit_distance_table

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.association.model import FittedModel
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, Frame, IntArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.matching.posterior.fusion import Comparison

    NearPairs = tuple[IntArray, IntArray, FloatArray]


@dataclass(frozen=True, eq=False)
class BoxBatch:
    """M boxes of any views, as cues read them.

    Attributes:
        boxes: `(M, 4)` float64 xyxy in pixels of their views.
        view: `(M,)` number of each box's view.
        features: `(M, D)` float32 features of appearance, as they came; NaN where not known. None where no box has any.
        jittered: `(M, 4)` the boxes as another detector may have drawn them, for a cue that was trained on these very
            boxes and knows them too well; None: as they are.
        keypoints: `(M, K, 3)` joints of the bodies in the boxes: x, y in pixels, score; NaN where not seen. None where
            no box has any.
    """

    boxes: FloatArray
    view: IntArray
    features: NDArray[np.float32] | None = None
    jittered: FloatArray | None = None
    keypoints: NDArray[np.floating] | None = None


@dataclass(frozen=True, eq=False)
class LearningContext:
    """What a cue may ask when it learns what its distances mean.

    Attributes:
        model: What was learnt before: encoder, floor, lines.
        recording: All boxes to learn from.
        embedded_pairs: Pairs of views whose embedding may tell who is who.
    """

    model: FittedModel
    recording: PackedBoxes
    embedded_pairs: Collection[ViewPair]


class Readings(Protocol):
    """What a cue reads of boxes, one entry a box."""

    def __getitem__(self, rows: Any, /) -> Any:
        """The readings of some of the boxes."""


class Cue(ABC):
    """One thing that tells whether two boxes are one person: its name, its distance, and what that means.

    A new cue is a subclass in a file of its own, and a line in `selfmva.association.cues.CUES`.

    Attributes:
        name: By which tables are kept, in memory and in files.
        absolute: True where its table tells odds, not ratios of densities: other cues then only add to it.
        local: True where it finds near boxes by itself, by `pairs_within`, without looking at all pairs.
    """

    name: ClassVar[str]
    absolute: ClassVar[bool] = False
    local: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def of(cls, model: FittedModel) -> Self | None:
        """The cue as a model knows it; None where it has nothing of the kind."""

    @abstractmethod
    def read(self, batch: BoxBatch) -> Readings:
        """Everything that its distances need to know of boxes, once for each box."""

    @abstractmethod
    def distances(self, first: Any, second: Any) -> FloatArray:
        """`(N, M)` distances of boxes from their readings; NaN where nothing is known of two boxes."""

    @abstractmethod
    def distances_of_pairs(self, readings: Any, first: IntArray, second: IntArray) -> FloatArray:
        """`(E,)` the same of some pairs of boxes: those of rows `first` and of rows `second` of the readings."""

    def pairs_within(self, readings: Any, frame: IntArray, view: IntArray, farthest: float) -> NearPairs:
        """Pairs of boxes of one frame and two views that are nearer than a distance, or of which nothing is known.

        Args:
            readings: Of M boxes.
            frame: `(M,)` number of each box's frame, increasing.
            view: `(M,)` number of its view, increasing within each frame.
            farthest: Distance.

        Returns:
            Rows `(E,)` of first and second boxes, in order, and distances `(E,)`, NaN where not known.
        """
        raise NotImplementedError(f"the cue {self.name} finds no near boxes by itself")

    def pairs_to_compare(
        self,
        pairs: Sequence[ViewPair],
        context: LearningContext,  # noqa: ARG002  # other cues ask it
    ) -> Collection[ViewPair]:
        """Of which of all pairs of views it has to see distances to learn what they mean; the others cost nothing."""
        return pairs

    def learn_tables(
        self,
        comparisons: Mapping[ViewPair, Comparison],
        context: LearningContext,  # noqa: ARG002  # other cues ask it
    ) -> dict[ViewPair, DistanceTable]:
        """What its distances mean, for every view pair that has the cue: synchronous instants against shifted ones."""
        tables = {pair: table_of_comparison(found, self.name) for pair, found in comparisons.items()}
        return {pair: table for pair, table in tables.items() if table is not None}


def table_of_comparison(comparison: Comparison, cue: str) -> DistanceTable | None:
    """What the distances of one cue mean on their own; None where the view pair doesn't have it."""
    synchronous, shifted = (
        np.concatenate([np.zeros(0), *(block[cue].ravel() for block in blocks)])
        for blocks in (comparison.synchronous, comparison.shifted)
    )
    synchronous, shifted = synchronous[~np.isnan(synchronous)], shifted[~np.isnan(shifted)]
    if not len(synchronous) or not len(shifted):
        return None
    # True pairs come out of all pairs, in proportion to the most that there can be.
    shapes = np.array([block[cue].shape for block in comparison.synchronous])
    return fit_distance_table(
        synchronous, shifted, largest_fraction=shapes.min(axis=1).sum() / shapes.prod(axis=1).sum()
    )


def batch_of_frames(frames: Sequence[Frame]) -> tuple[BoxBatch, list[slice]]:
    """All boxes of some frames, frame after frame and view after view, and which rows are each frame's."""
    counts = np.array([frame.counts for frame in frames])
    boxes = np.concatenate([boxes for frame in frames for boxes in frame.boxes])
    view = np.repeat(np.tile(np.arange(counts.shape[1]), len(frames)), counts.reshape(-1))
    ends = np.cumsum(counts.sum(axis=1)).tolist()
    rows = [slice(end - size, end) for end, size in zip(ends, counts.sum(axis=1).tolist(), strict=True)]
    return BoxBatch(boxes, view, stack_features(frames), keypoints=stack_keypoints(frames)), rows
