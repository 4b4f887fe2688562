"""Two sets of tracks over the same frames, and which of their boxes may be one: what all scores of tracking read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray

    Similarity = Callable[[IntArray, IntArray], FloatArray]

MOST_PAIRS_AT_ONCE = 1_000_000  # of boxes that are compared in one go: memory stays flat over a long recording
SIMILARITY_ROUNDING = float(np.finfo(np.float64).eps)  # by which a similarity may miss its threshold, as in TrackEval


class Side(NamedTuple):
    """The boxes (or points of the floor) of one side, in the order of frames.

    Attributes:
        frames: `(N,)` int64 number of the frame, from 0, not decreasing.
        ids: `(N,)` int64 number of the identity, from 0; -1 = a person who is not known.
        people: One more than the largest id.
    """

    frames: IntArray
    ids: IntArray
    people: int


class TrackSequence(NamedTuple):
    """Truth and what was found, frame by frame.

    Attributes:
        length: Number of frames.
        truth: Who is there.
        found: Who was found.
        rows: `(K,)` int64 rows of `truth`, in the order of frames, of the pairs that are similar at all.
        columns: `(K,)` int64 rows of `found`.
        similarity: `(K,)` in (0, 1] of each pair.
    """

    length: int
    truth: Side
    found: Side
    rows: IntArray
    columns: IntArray
    similarity: FloatArray

    @property
    def frames(self) -> IntArray:
        """`(K,)` the frame of each pair."""
        return self.truth.frames[self.rows]

    def part(self, first: int, last: int) -> TrackSequence:
        """The frames from `first` to before `last`, numbered from 0; identities keep their numbers."""
        of_truth, of_found = (slice(*np.searchsorted(side.frames, [first, last])) for side in (self.truth, self.found))
        pairs = slice(*np.searchsorted(self.frames, [first, last]))
        return TrackSequence(
            last - first,
            Side(self.truth.frames[of_truth] - first, self.truth.ids[of_truth], self.truth.people),
            Side(self.found.frames[of_found] - first, self.found.ids[of_found], self.found.people),
            self.rows[pairs] - of_truth.start,
            self.columns[pairs] - of_found.start,
            self.similarity[pairs],
        )

    def keep(self, truth: NDArray[np.bool_], found: NDArray[np.bool_]) -> TrackSequence:
        """Without the boxes that a mask leaves out on either side."""
        pairs = truth[self.rows] & found[self.columns]
        rows, columns = (np.cumsum(mask) - 1 for mask in (truth, found))
        return TrackSequence(
            self.length,
            Side(self.truth.frames[truth], self.truth.ids[truth], self.truth.people),
            Side(self.found.frames[found], self.found.ids[found], self.found.people),
            rows[self.rows[pairs]],
            columns[self.columns[pairs]],
            self.similarity[pairs],
        )


def compare(length: int, truth: Side, found: Side, similarity: Similarity) -> TrackSequence:
    """Compare all boxes of a frame with all others of it.

    Args:
        length: Number of frames.
        truth: Who is there.
        found: Who was found.
        similarity: From rows of `truth` and of `found`, `(K,)` each, to similarities in [0, 1].

    Returns:
        Both sides and the pairs whose similarity is above 0.

    Example:
        >>> one = Side(np.array([0, 1]), np.array([0, 0]), 1)
        >>> compare(2, one, one, lambda rows, columns: np.ones(len(rows))).rows
        array([0, 1])
    """
    starts, counts = _starts(found, length)
    each = counts[truth.frames]  # partners of every box of the truth
    ends = np.cumsum(each)
    parts = []
    begin = 0
    while begin < len(truth.frames):
        done = ends[begin] - each[begin]
        end = max(begin + 1, int(np.searchsorted(ends, done + MOST_PAIRS_AT_ONCE, side="right")))
        rows = np.repeat(np.arange(begin, end), each[begin:end])
        nth = np.arange(len(rows)) - np.repeat(ends[begin:end] - each[begin:end] - done, each[begin:end])
        columns = starts[truth.frames[rows]] + nth
        values = similarity(rows, columns)
        near = values > 0
        parts.append((rows[near], columns[near], values[near]))
        begin = end
    none = np.zeros(0, np.int64)
    rows, columns, values = (np.concatenate(column) for column in zip((none, none, np.zeros(0)), *parts, strict=True))
    return TrackSequence(length, truth, found, rows, columns, values)


def _starts(side: Side, length: int) -> tuple[IntArray, IntArray]:
    """The first row of every frame, and how many it has."""
    counts = np.bincount(side.frames, minlength=length)
    return np.cumsum(counts) - counts, counts
