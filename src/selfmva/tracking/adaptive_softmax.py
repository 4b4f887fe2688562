"""The adaptive-temperature softmax of MvMHAT, with a dust-bin; and who is who over the views of one instant by it.

Gan et al., "Self-supervised Multi-view Multi-Human Association and Tracking" (ACM MM 2021). Without the dust-bin, a
lone box of another view is a match whatever it looks like, since nothing competes with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.scalars import real
from selfmva.core.values import integer_array
from selfmva.errors import InputError
from selfmva.matching.grouping.groups import group
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.tracking.anchors import normalised
from selfmva.tracking.columns import read_table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from selfmva.core.types import FloatArray, IntArray

# Cosine that the dust-bin stands for: in the middle between one person and two in embeddings that tell people apart.
DUSTBIN = 0.5


def adaptive_softmax(
    similarities: ArrayLike, *, dustbin: float | None = DUSTBIN, delta: float = 0.5, margin: float = 0.1
) -> FloatArray:
    """Probabilities over the columns of each row, whose temperature adapts to how many columns there are.

    With K answers, the similarities are multiplied by ln(delta / (1 - delta) * K) / margin: a true match that beats all
    others by the margin gets a probability of about delta whatever K is.

    Args:
        similarities: `(N, K)` cosines.
        dustbin: The similarity of one more answer, "nobody of these"; None: none, as published, so that a single column
            has probability 1 whoever it is.
        delta: Probability of a match that is better by the margin, in (0, 1).
        margin: Of similarities; smaller is sharper.

    Returns:
        `(N, K)`; rows sum to 1 with their dust-bin, that is to less without it.

    Raises:
        InputError: The similarities are no such array, or a number is out of its range.

    Example:
        >>> adaptive_softmax([[0.8], [0.2]]).round(3).tolist()
        [[0.889], [0.111]]
        >>> adaptive_softmax([[0.8], [0.2]], dustbin=None).tolist()
        [[1.0], [1.0]]
    """
    cosines = read_table(similarities, "similarities", None, None)
    if not np.isfinite(cosines).all():
        raise InputError("similarities must be finite: leave out boxes without an embedding")
    delta = real(delta, "delta", above=0)
    if delta >= 1:
        raise InputError(f"delta must be a probability between 0 and 1, got {delta}")
    margin = real(margin, "margin", above=0)
    answers = cosines
    if dustbin is not None:
        answers = np.column_stack([cosines, np.full(len(cosines), real(dustbin, "dustbin"))])
    if not answers.size:
        return cosines
    # Of delta below a half and few answers, the published factor is below 0, and would turn the order round.
    sharpness = max(np.log(delta / (1 - delta) * answers.shape[1]) / margin, 0.0)
    powers = np.exp(sharpness * (answers - answers.max(axis=1, keepdims=True)))
    return np.asarray((powers / powers.sum(axis=1, keepdims=True))[:, : cosines.shape[1]])


def group_views(
    embeddings: ArrayLike, views: ArrayLike, *, dustbin: float = DUSTBIN, delta: float = 0.5, margin: float = 0.1
) -> IntArray:
    """Group the boxes of one instant over all views, at most one of a view in each group.

    The probability of a pair is the geometric mean of both directions, so that no order of views matters; all pairs
    of a group count, so that the result is one partition, not matches that contradict each other.

    Args:
        embeddings: `(N, D)` of all boxes, of any length; a row that is not finite, or 0, stays alone.
        views: `(N,)` the view of each.
        dustbin: See `adaptive_softmax`.
        delta: See there.
        margin: See there.

    Returns:
        `(N,)` int64 group of each box, from 0, by first appearance.

    Raises:
        InputError: The columns do not fit together, or a number is out of its range.

    Example:
        >>> group_views([[1, 0], [0, 1], [0, 1], [-1, 0]], [0, 0, 1, 1]).tolist()
        [0, 1, 1, 2]
    """
    numbers = integer_array(views, "views").reshape(-1)
    directions = normalised(read_table(embeddings, "embeddings", len(numbers), None))
    if not len(numbers):
        return numbers
    known = np.isfinite(directions).all(axis=1)
    directions = np.nan_to_num(directions)
    cosines = directions @ directions.T
    likely = np.zeros_like(cosines)
    for one in np.unique(numbers):
        rows = np.flatnonzero((numbers == one) & known)
        for other in np.unique(numbers):
            columns = np.flatnonzero((numbers == other) & known)
            if other != one and len(rows) and len(columns):
                block = cosines[np.ix_(rows, columns)]
                likely[np.ix_(rows, columns)] = adaptive_softmax(block, dustbin=dustbin, delta=delta, margin=margin)
    both = np.clip(np.sqrt(likely * likely.T), 1e-9, 1 - 1e-9)
    return group(np.clip(np.log(both) - np.log1p(-both), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS), numbers)
