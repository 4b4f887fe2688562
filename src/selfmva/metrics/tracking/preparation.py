"""From trajectories to sequences: all views one after another, or the floor; without what is not to be counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.errors import InputError
from selfmva.metrics.tracking.matching import best_pairs
from selfmva.metrics.tracking.sequence import SIMILARITY_ROUNDING, Side, TrackSequence, compare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.metrics.tracking.trajectories import Trajectories

AT_THE_LIMIT = 0.5  # similarity of two points as far apart as a match may be


def check_once(given: Trajectories, what: str) -> None:
    """Refuse an id that stands twice in one view at one instant.

    Args:
        given: Trajectories.
        what: They are: `"truth"` or `"found"`.

    Raises:
        InputError: One does; where, and how often.
    """
    known = given.ids >= 0
    keys = np.stack([given.frames, given.views, given.ids], axis=1)[known]
    places, times = np.unique(keys, axis=0, return_counts=True)
    if (times > 1).any():
        frame, view, number = places[np.argmax(times > 1)]
        raise InputError(
            f"{what}: the id {number} stands {times[np.argmax(times > 1)]} times in view {view} at instant {frame}, "
            f"one of {np.count_nonzero(times > 1)} such places; a person has one box in a view. Mend the ids, or give "
            "Trajectories and call without_duplicates(), which keeps the first box of each"
        )


def union_sequence(truth: Trajectories, found: Trajectories) -> TrackSequence:
    """The frames of all views one after another: boxes of different views never meet, identities are shared.

    Args:
        truth: Trajectories with boxes.
        found: Trajectories with boxes, at instants and in views of the truth.

    Returns:
        A sequence with as many frames for each view as there are instants at which anybody is, whose similarity is the
        intersection over union.
    """
    occupied = np.union1d(truth.frames, found.frames)  # empty instants change no score, and there may be many
    T = len(occupied)
    sides, boxes = [], []
    for given in (truth, found):
        assert given.boxes is not None  # noqa: S101  # as asked for
        present = ~np.isnan(given.boxes).any(axis=1)
        frames = given.views[present] * T + np.searchsorted(occupied, given.frames[present])
        # The order of rows and the numbers of people must not decide between matchings that are equally good.
        order = np.lexsort((*given.boxes[present].T, frames))
        sides.append(_side(frames[order], given.ids[present][order]))
        boxes.append(given.boxes[present][order])
    V = max(truth.least_views, found.least_views)
    return compare(T * V, sides[0], sides[1], lambda rows, columns: overlap(boxes[0][rows], boxes[1][columns]))


def floor_sequence(truth: Trajectories, found: Trajectories, distance: float) -> TrackSequence:
    """One frame an instant, one point a person: the mean of the positions of their rows.

    Args:
        truth: Trajectories with positions.
        found: Trajectories with positions, at instants of the truth.
        distance: Where a match ends.

    Returns:
        A sequence whose similarity is 1 - distance of two points / (2 `distance`), at least 0.
    """
    occupied = np.union1d(truth.frames, found.frames)
    sides, points = [], []
    for given in (truth, found):
        frames, ids, positions = _points(given, np.searchsorted(occupied, given.frames))
        order = np.lexsort((*positions.T, frames))
        sides.append(_side(frames[order], ids[order]))
        points.append(positions[order])

    def nearness(rows: IntArray, columns: IntArray) -> FloatArray:
        apart = np.linalg.norm(points[0][rows] - points[1][columns], axis=1)
        return np.asarray(np.maximum(1 - (1 - AT_THE_LIMIT) * apart / distance, 0.0))

    return compare(len(occupied), sides[0], sides[1], nearness)


def without_ignored(sequence: TrackSequence, threshold: float, ignore_unknown: bool) -> TrackSequence:
    """Without boxes of nobody known: those of the truth, and found ones that are nobody's or match these best.

    What is found is matched with all of the truth, known and unknown, as MOTChallenge does before it counts.

    Args:
        sequence: Truth and what was found.
        threshold: Least similarity of a match.
        ignore_unknown: Whether found boxes on unknown people are left out.
    """
    truth, found = sequence.truth.ids >= 0, sequence.found.ids >= 0
    kept = sequence.keep(np.ones(len(truth), bool), found)
    if truth.all():
        return kept
    counted = np.ones(len(kept.found.ids), bool)
    if ignore_unknown:
        good = kept.similarity >= threshold - SIMILARITY_ROUNDING
        best = best_pairs(kept, np.where(good, kept.similarity, 0.0))
        counted[kept.columns[best & ~truth[kept.rows]]] = False
    return kept.keep(truth, counted)


def overlap(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of `(K, 4)` boxes with `(K, 4)` others, one by one.

    Example:
        >>> overlap(np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([[1.0, 0.0, 3.0, 2.0]])).round(3)
        array([0.333])
    """
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    common = np.prod(np.maximum(high - low, 0.0), axis=1)
    sizes = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    return np.asarray(common / (sizes[0] + sizes[1] - common))


def _side(frames: IntArray, ids: IntArray) -> Side:
    """People numbered from 0, those who are not known by -1."""
    known: NDArray[np.bool_] = ids >= 0
    people, number = np.unique(ids[known], return_inverse=True)
    numbers = np.full(len(ids), -1)
    numbers[known] = number
    return Side(frames, numbers, len(people))


def _points(given: Trajectories, frames: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Frames, ids and positions of people: one point a person and instant, each row one where nobody is known."""
    assert given.floor is not None  # noqa: S101  # as asked for
    placed = ~np.isnan(given.floor).any(axis=1)
    ids, frames, floor = given.ids[placed], frames[placed], given.floor[placed]
    apart = np.where(ids < 0, -1 - np.arange(len(ids)), ids)
    keys, person = np.unique(np.stack([frames, apart], axis=1), axis=0, return_inverse=True)
    person = person.reshape(-1)
    rows = np.bincount(person, minlength=len(keys))
    sums = [np.bincount(person, floor[:, k], minlength=len(keys)) for k in (0, 1)]
    return keys[:, 0], np.maximum(keys[:, 1], -1), np.stack(sums, axis=1) / np.maximum(rows, 1)[:, None]
