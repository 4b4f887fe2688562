"""From the distances of a chunk of frames to probabilities and ids."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from selfmva.affinity import LARGEST_LOG_ODDS, competition
from selfmva.matching.assignment import solve
from selfmva.matching.cost import SIMILARITY_EPSILON, padded_rows, similarity, view_pairs
from selfmva.matching.multiview import group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.fusion import FusedTable
    from selfmva.types import FloatArray, IntArray

ViewPair = tuple[int, int]
LARGEST_FUSED = 4 * LARGEST_LOG_ODDS  # what products of odds can hold
UNMATCHED_LOG_ODDS = -0.5  # uncalibrated: half the weight of the best match


def posteriors(distances: Sequence[FloatArray], count: IntArray, tables: Mapping[ViewPair, FusedTable]) -> FloatArray:
    """Posterior of every pair of boxes of two views, for a chunk of frames at once.

    Args:
        distances: For each of F frames, `(C, M, M)` distances of its boxes by C cues, view after view.
        count: `(F, V)` number of boxes.
        tables: What distances mean, for every view pair.

    Returns:
        `(F, P, K, K)`, P view pairs in the order of `view_pairs`, K the largest number of boxes; 0 in the padding.
    """
    pairs = view_pairs(count.shape[1])
    one, other = (np.array(side) for side in zip(*pairs, strict=True))
    width = int(count.max(initial=0))
    rows = padded_rows(np.cumsum(count, axis=1) - count, count, width)  # (F, V, K)
    log_odds = np.zeros((len(count), len(pairs), width, width))
    for number, matrices in enumerate(distances):
        if matrices.shape[1]:
            blocks = matrices[:, rows[number, one][:, :, None], rows[number, other][:, None, :]]
            for place, pair in enumerate(pairs):
                log_odds[number, place] = tables[pair](blocks[:, place])
    filled = np.arange(width) < count[..., None]  # (F, V, K)
    log_odds[~(filled[:, one][..., :, None] & filled[:, other][..., None, :])] = -np.inf
    return agree(log_odds, count.shape[1])


def agree(log_odds: FloatArray, views: int) -> FloatArray:
    """Competition of the boxes, and agreement of the views.

    If a and b are one person, every third view that shows a partner of a shows the same box as partner of b. With
    posteriors P, a third view k speaks for the pair by sum_c P_ac P_cb and against it by the rest of the probability
    that both have a partner there. The log-odds of a and b are raised by the first and lowered by the second, summed
    over third views: a mean-field step towards consistent groups. One step, for in a second a pair would hear its own
    voice through the others.

    Args:
        log_odds: `(F, P, K, K)` before any competition, -inf in the padding.
        views: Number of views V.

    Returns:
        `(F, P, K, K)` posteriors.

    Example:
        >>> sure, unsure = np.full((1, 1), 4.0), np.full((1, 1), 0.0)
        >>> alone, helped = agree(np.stack([unsure])[None], 2), agree(np.stack([sure, sure, unsure])[None], 3)
        >>> bool(helped[0, 2] > alone[0, 0])
        True
    """
    posterior = competition(log_odds)
    if views < 3:
        return posterior
    one, other = (np.array(side) for side in zip(*view_pairs(views), strict=True))
    frames, width = len(log_odds), log_odds.shape[-1]
    matrix = np.zeros((frames, views, views, width, width))
    matrix[:, one, other], matrix[:, other, one] = posterior, np.swapaxes(posterior, -1, -2)
    partner = matrix.sum(axis=-1).swapaxes(2, 3).reshape(frames, views * width, views)
    flat = matrix.swapaxes(2, 3).reshape(frames, views * width, views * width)
    # Third views alone are in the sums: no box has a partner in its own view.
    change = 2.0 * flat @ flat - partner @ partner.swapaxes(1, 2)
    change = change.reshape(frames, views, width, views, width).swapaxes(2, 3)
    return competition(np.minimum(log_odds + change[:, one, other], LARGEST_FUSED))


def similarities(
    distances: FloatArray, starts: IntArray, count: IntArray
) -> tuple[dict[ViewPair, FloatArray], FloatArray]:
    """What stands in for probabilities before anything is calibrated: the published similarity and its matches.

    Args:
        distances: `(M, M)` distances of the boxes of one frame, view after view.
        starts: `(V,)` first row of each view.
        count: `(V,)` number of boxes.

    Returns:
        For every view pair the similarities `1 - distance / largest distance`; and an `(M, M)` matrix that is
        the similarity where the optimal assignment matches two boxes and negative elsewhere, for grouping.
    """
    links = np.full(distances.shape, UNMATCHED_LOG_ODDS)
    scores: dict[ViewPair, FloatArray] = {}
    for i, j in view_pairs(len(count)):
        rows, columns = slice(starts[i], starts[i] + count[i]), slice(starts[j], starts[j] + count[j])
        block = distances[rows, columns].astype(np.float64)
        scores[i, j] = similarity(block) if block.size else np.zeros(block.shape)
        row, column = solve(block).matches(0).T
        links[starts[i] + row, starts[j] + column] = scores[i, j][row, column] + SIMILARITY_EPSILON
    return scores, np.maximum(links, links.T)


def pair_up(
    distances: Sequence[FloatArray],
    count: IntArray,
    tables: Mapping[ViewPair, FusedTable] | None,
    threshold: float,
) -> list[tuple[tuple[IntArray, ...], dict[ViewPair, FloatArray]]]:
    """Ids and pairwise probabilities of a chunk of frames.

    Args:
        distances: For each of F frames, `(C, M, M)` distances of its boxes by C cues, view after view.
        count: `(F, V)` number of boxes.
        tables: What distances mean; None: similarities of the first cue stand in (see `similarities`).
        threshold: Probability above which boxes are joined; not used without tables.

    Returns:
        For each frame the ids of every view and the probabilities of every view pair.
    """
    pairs = view_pairs(count.shape[1])
    padded = posteriors(distances, count, tables) if tables is not None else None
    starts = np.cumsum(count, axis=1) - count
    results = []
    for number, matrices in enumerate(distances):
        n, start = count[number], starts[number]
        if padded is None:
            scores, links = similarities(matrices[0], start, n)
            level = 0.0
        else:
            scores = {(i, j): padded[number, p, : n[i], : n[j]].copy() for p, (i, j) in enumerate(pairs)}
            links = _log_odds_matrix(scores, start, n)
            level = _log_odds(threshold)
        view = np.repeat(np.arange(len(n)), n)
        ids = group(links, view, level)
        results.append((tuple(np.split(ids, np.cumsum(n)[:-1])), scores))
    return results


def _log_odds(probability: float) -> float:
    if probability <= 0.0:
        return -LARGEST_LOG_ODDS
    return math.log(probability) - math.log1p(-probability)


def _log_odds_matrix(scores: Mapping[ViewPair, FloatArray], start: IntArray, count: IntArray) -> FloatArray:
    """Log-odds of all box pairs of a frame, `(M, M)` symmetric."""
    size = int(count.sum())
    matrix = np.zeros((size, size))
    for (i, j), block in scores.items():
        matrix[start[i] : start[i] + count[i], start[j] : start[j] + count[j]] = block
    matrix += matrix.T
    bounded = np.clip(matrix, np.exp(-LARGEST_LOG_ODDS), 1.0 - np.exp(-LARGEST_LOG_ODDS))
    return np.asarray(np.log(bounded) - np.log1p(-bounded))
