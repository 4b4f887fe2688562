"""Groups of boxes over all views of an instant: at most one box of a view in a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy.special import logsumexp

from selfmva.core.arguments import is_one_of
from selfmva.core.messages import shown
from selfmva.core.scalars import real
from selfmva.core.values import integer_array, real_array
from selfmva.errors import InputError
from selfmva.matching.grouping.exact import solve_exactly
from selfmva.matching.grouping.local_search import search

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray

Solver = Literal["search", "exact"]
CELLS_AT_ONCE = 2**22  # log-odds of the frames that are looked at together: bounds the memory
INFINITE_LOG_ODDS = 1e6  # what stands for infinity; sums of it still tell one box from two


def group(log_odds: FloatArray, view: IntArray, threshold: float = 0.0, solver: Solver = "search") -> IntArray:
    """Group the boxes of one instant so that the summed log-odds inside groups are as high as can be.

    Unlike in the transitive closure of pairwise matches, one wrong pair cannot merge two people: all pairs count.

    Args:
        log_odds: `(M, M)` symmetric log-odds that two boxes are the same person; values inside one view are not read.
        view: `(M,)` integers, the view of each box.
        threshold: Log-odds that count as nothing: two boxes alone are joined where theirs are higher.
        solver: `"search"`, a local search that is fast in crowds (see `selfmva.matching.grouping.local_search`), or
            `"exact"`, an integer program for small frames (see `selfmva.matching.grouping.exact`).

    Returns:
        `(M,)` int64 group of each box, numbered from 0 by first appearance.

    Raises:
        InputError: Shapes do not agree, a value is NaN, or the frame is too large for `"exact"`.

    Example:
        >>> odds = np.array([[0, 3, 2.0], [3, 0, -1], [2, -1, 0]])
        >>> group(odds, np.array([0, 1, 1]))
        array([0, 0, 1])
    """
    if not is_one_of(solver, get_args(Solver)):
        raise InputError(f"solver must be one of {', '.join(get_args(Solver))}; got {shown(solver)}")
    odds, number = _checked(log_odds, view)
    threshold = real(threshold, "threshold")
    if solver == "exact":
        return _by_first_appearance(solve_exactly(odds - threshold, number))
    count = np.bincount(number)
    width = int(count.max(initial=0))
    order = np.argsort(number, kind="stable")
    place = np.empty_like(number)
    place[order] = np.arange(len(number)) + np.repeat(width * np.arange(len(count)) - np.cumsum(count) + count, count)
    padded = np.zeros((len(count) * width, len(count) * width))
    padded[place[:, None], place] = odds - threshold
    found = search(padded.reshape(1, len(count), width, len(count), width), count[None])
    return _by_first_appearance(found.ravel()[place])


def group_frames(log_odds: FloatArray, count: IntArray, threshold: float = 0.0) -> IntArray:
    """Group the boxes of many instants at once; see `group`.

    Args:
        log_odds: `(F, V, K, V, K)` symmetric, of box k of view v and box l of view w in each of F frames. What
            lies inside a view or in the padding is not read.
        count: `(F, V)` number of boxes, at most K.
        threshold: Log-odds that count as nothing.

    Returns:
        `(F, V, K)` int64 group of each box, numbered from 0 within its frame by first appearance; -1 in the padding.

    Raises:
        InputError: Shapes do not agree, or a value is NaN.

    Example:
        >>> odds = np.zeros((1, 2, 2, 2, 2))
        >>> odds[0, 0, :, 1, :] = [[-3.0, 2.0], [4.0, -3.0]]
        >>> group_frames(odds + odds.transpose(0, 3, 4, 1, 2), np.array([[2, 2]]))
        array([[[0, 1],
                [1, 0]]])
    """
    threshold = real(threshold, "threshold")
    log_odds, count = _as_real(log_odds), integer_array(count, "count")
    if log_odds.ndim != 5 or log_odds.shape[1:3] != log_odds.shape[3:] or count.shape != log_odds.shape[:2]:
        raise InputError(
            f"log_odds must have shape (F, V, K, V, K) and count (F, V), got {log_odds.shape} and {count.shape}"
        )
    if count.size and not 0 <= count.min() <= count.max() <= log_odds.shape[2]:
        raise InputError(f"count must be from 0 to {log_odds.shape[2]}, got {count.min()} to {count.max()}")
    found = np.full(log_odds.shape[:3], -1, dtype=np.int64)
    together = max(CELLS_AT_ONCE // max(log_odds[:1].size, 1), 1)
    for first in range(0, len(found), together):
        part = slice(first, first + together)
        bounded = np.clip(log_odds[part], -INFINITE_LOG_ODDS, INFINITE_LOG_ODDS) - threshold
        found[part] = search(bounded, count[part])
    for ids in found:
        ids[ids >= 0] = _by_first_appearance(ids[ids >= 0])
    return found


def confidence(log_odds: FloatArray, view: IntArray, ids: IntArray) -> FloatArray:
    """How sure each box is of its group.

    The alternatives of a box are every group, and to be alone. A group speaks by the mean log-odds of its boxes of
    other views, for their sum would count again what they agree about. The confidence is the softmax of these.

    Args:
        log_odds: `(M, M)` symmetric log-odds that two boxes are the same person, 0 where undecided.
        view: `(M,)` integers, the view of each box.
        ids: `(M,)` group of each box, counted from 0.

    Returns:
        `(M,)` in [0, 1].

    Raises:
        InputError: Shapes do not agree or a value is NaN.

    Example:
        >>> odds = np.array([[0, 4, 4.0], [4, 0, 0], [4, 0, 0]])
        >>> confidence(odds, np.array([0, 1, 1]), np.array([0, 0, 1])).round(2)
        array([0.5 , 0.98, 0.02])
    """
    odds, number = _checked(log_odds, view)
    ids = integer_array(ids, "ids")
    if ids.shape != number.shape or ids.min(initial=0) < 0:
        raise InputError(f"ids must be a group of each of the {len(number)} boxes, counted from 0, got {shown(ids)}")
    ids = np.unique(ids, return_inverse=True)[1]
    apart = number[:, None] != number
    members = np.eye(ids.max(initial=-1) + 1)[ids]  # (M, G)
    voices = apart @ members
    mean = np.full_like(voices, -np.inf)
    np.divide((odds * apart) @ members, voices, out=mean, where=voices > 0)
    own = mean[np.arange(len(ids)), ids]
    everything = logsumexp(np.concatenate([np.zeros((len(ids), 1)), mean], axis=1), axis=1)
    return np.asarray(np.exp(np.where(np.isfinite(own), own, 0.0) - everything))  # alone: nobody speaks


def _checked(log_odds: FloatArray, view: IntArray) -> tuple[FloatArray, IntArray]:
    """Finite log-odds, and views numbered from 0."""
    view, log_odds = integer_array(view, "view"), _as_real(log_odds)
    size = view.size
    if view.shape != (size,):
        raise InputError(f"view must have shape (M,), the view of each box, got {view.shape}")
    if log_odds.shape != (size, size):
        raise InputError(f"log_odds must have shape ({size}, {size}) for {size} boxes, got {log_odds.shape}")
    if np.isnan(log_odds).any():
        raise InputError("log_odds must not be NaN")
    bounded = np.clip(log_odds, -INFINITE_LOG_ODDS, INFINITE_LOG_ODDS)
    return bounded, np.unique(view, return_inverse=True)[1].astype(np.int64)


def _as_real(log_odds: FloatArray) -> FloatArray:
    """Not copied where they are real numbers already."""
    if type(log_odds) is np.ndarray and log_odds.dtype.kind == "f":
        return log_odds
    return real_array(log_odds, "log_odds")


def _by_first_appearance(ids: IntArray) -> IntArray:
    """The same groups, numbered from 0 in the order of their first boxes."""
    first = np.full(ids.max(initial=-1) + 1, len(ids))
    first[ids[::-1]] = np.arange(len(ids))[::-1]  # where a number occurs twice, the last one stays
    return np.argsort(np.argsort(first))[ids]
