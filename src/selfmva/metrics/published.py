"""What the published protocol makes of boxes and distances, quirks and all.

Source: Self-MVA, section 4.1 (arXiv 2503.13739), and what its evaluation does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.matching.assignment import solve
from selfmva.matching.published import similarity

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, Frame, IntArray


def published_similarity(distances: FloatArray) -> FloatArray:
    """Similarity of the published protocol: 1 - distance / (largest distance of the pair + 1e-6), in float32.

    Args:
        distances: `(N, M)` L2 distances of one view pair, N and M at least 1.

    Returns:
        `(N, M)` float32 in [0, 1]. A pair with one box on each side scores about 0, right or wrong.

    Example:
        >>> published_similarity(np.array([[1.0, 2.0]])).round(3)
        array([[0.5, 0. ]], dtype=float32)
    """
    return similarity(distances.astype(np.float32))


def published_matches(distances: FloatArray, threshold: float = 0.0) -> IntArray:
    """Matches of the published protocol.

    Args:
        distances: `(N, M)` L2 distances of one view pair, N and M at least 1.
        threshold: Least similarity of a match.

    Returns:
        `(K, 2)` int64, the optimal assignment without the matches below the threshold. These are dropped from the
        last row to the first until one match is left: if all are below, the first row's match stays.

    Example:
        >>> published_matches(np.array([[1.0, 4.0], [4.0, 3.9]]), threshold=0.5)
        array([[0, 0]])
    """
    matches = solve(distances.astype(np.float64)).matches(0)
    good = published_similarity(distances)[matches[:, 0], matches[:, 1]] >= threshold
    good[0] |= not good.any()
    return matches[good]


def published_boxes(frame: Frame) -> list[FloatArray]:
    """Boxes as the published protocol reads them: corners truncated to integers and clipped at 0, not above."""
    return [np.maximum(np.trunc(array), 0.0) for array in frame.boxes]
