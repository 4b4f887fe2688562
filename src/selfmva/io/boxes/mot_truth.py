"""Which rows of ground truth in MOT text are people: it also holds cars, reflections, and rows that don't count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray

_MOT16_CLASSES = np.arange(1, 14)  # 1 a pedestrian, 2 a person on a vehicle, 3 a car, ..., 12 a reflection, 13 a crowd
_MOT16_DISTRACTORS = (2, 7, 8, 12)  # a person on a vehicle, one who never moves, a distractor, a reflection
_VISDRONE_CLASSES = np.arange(12)  # 0 an ignored region, 1 a pedestrian, 2 another person, 3 a bicycle, 4 a car, ...

IGNORED = -1  # identity of what is neither to be found nor wrong to find


def people_of_truth(table: FloatArray) -> NDArray[np.bool_] | None:
    """Which rows of a file are people that count; None where its form is not that of such ground truth.

    Nothing but the form tells: nine columns of MOT16 to MOT20 (flag 0 or 1, class, visible part), or ten whole ones of
    VisDrone (flag, class, truncation, occlusion). Detections, results and tracks of other benchmarks have -1, 0 or
    coordinates in the place of the class.

    Args:
        table: `(R, C)` numbers of one file.

    Returns:
        `(R,)` bool, or None.

    Example:
        >>> people_of_truth(np.array([[1, 5, 10, 20, 30, 80, 1, 1, 1], [1, 6, 10, 20, 30, 80, 1, 3, 0.5]]))
        array([ True, False])
        >>> people_of_truth(np.array([[1, 5, 10, 20, 30, 80, 0.9, -1, -1, -1]])) is None
        True
    """
    if table.shape[1] not in {9, 10} or not len(table) or not _all_in(table[:, 6], [0, 1]):
        return None
    kind, last = table[:, 7], table[:, 8:]
    counts: NDArray[np.bool_] = table[:, 6] == 1
    if table.shape[1] == 9:
        visible = ((last >= 0) & (last <= 1)) | (last == -1)
        counts &= kind == 1
        return counts if _all_in(kind, _MOT16_CLASSES) and visible.all() else None
    if _all_in(kind, _VISDRONE_CLASSES) and kind.any() and _all_in(last, [-1, 0, 1, 2]):
        counts &= (kind == 1) | (kind == 2)
        return counts
    return None


def ignore_distractors(table: FloatArray, people: NDArray[np.bool_] | None) -> FloatArray:
    """Ground truth whose distractors have the identity -1, in the form of MOT16 to MOT20; other tables as they are.

    MOTChallenge does not count what a tracker finds there: Dendorfer et al., IJCV 2021
    (https://doi.org/10.1007/s11263-020-01393-0), section 5.

    Args:
        table: `(R, C)` numbers of one file.
        people: What `people_of_truth` says of it.

    Example:
        >>> table = np.array([[1, 5, 10, 20, 30, 80, 1, 1, 1], [1, 6, 10, 20, 30, 80, 0, 12, 1]])
        >>> ignore_distractors(table, people_of_truth(table))[:, 1]
        array([ 5, -1])
    """
    if people is None or table.shape[1] != 9:
        return table
    marked = table.copy()
    marked[np.isin(table[:, 7], _MOT16_DISTRACTORS), 1] = IGNORED
    return marked


def _all_in(values: FloatArray, allowed: Any) -> bool:
    return bool(np.isin(values, allowed).all())
