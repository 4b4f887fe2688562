"""From the distances of a chunk of frames to probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logit

from selfmva.core.view_pairs import ViewPair, view_pairs
from selfmva.matching.distances import padded_rows
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.matching.posterior.marginals import matching_marginals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.matching.posterior.fusion import FusedTable

LARGEST_FUSED = 4 * LARGEST_LOG_ODDS  # what products of odds can hold
MUCH_PADDING = 20_000  # entries of a frame, from where on the padding costs more than a loop over view pairs


def posteriors(
    distances: Sequence[Mapping[str, FloatArray]], count: IntArray, tables: Mapping[ViewPair, FusedTable]
) -> FloatArray:
    """Posterior of every pair of boxes of two views, for a chunk of frames at once.

    Args:
        distances: For each of F frames, by cue, `(M, M)` distances of its boxes, view after view.
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
    peopled = np.flatnonzero(count.any(axis=1)).tolist()
    blocks = {
        name: np.stack(
            [distances[n][name][rows[n, one][:, :, None], rows[n, other][:, None, :]] for n in peopled], axis=1
        )
        for name in (distances[peopled[0]] if peopled else ())
    }
    for place, pair in enumerate(pairs):
        log_odds[peopled, place] = tables[pair]({name: block[place] for name, block in blocks.items()})
    filled = np.arange(width) < count[..., None]  # (F, V, K)
    log_odds[~(filled[:, one][..., :, None] & filled[:, other][..., None, :])] = -np.inf
    return agree(log_odds, count)


def agree(log_odds: FloatArray, count: IntArray) -> FloatArray:
    """Matching marginals of the boxes, and agreement of the views.

    If a and b are one person, every third view that shows a partner of a shows the same box as partner of b. With
    posteriors P, a third view k speaks for the pair by sum_c P_ac P_cb and against it by the rest of the probability
    that both have a partner there. The log-odds of a and b are raised by the first and lowered by the second, summed
    over third views: a mean-field step towards consistent groups. One step, for in a second a pair would hear its own
    voice through the others.

    Args:
        log_odds: `(F, P, K, K)` of each pair on its own, -inf in the padding.
        count: `(F, V)` number of boxes.

    Returns:
        `(F, P, K, K)` posteriors.

    Example:
        >>> sure, unsure = np.full((1, 1), 4.0), np.full((1, 1), 0.0)
        >>> alone = agree(np.stack([unsure])[None], np.ones((1, 2), int))
        >>> helped = agree(np.stack([sure, sure, unsure])[None], np.ones((1, 3), int))
        >>> bool(helped[0, 2] > alone[0, 0])
        True
    """
    posterior, views = _marginals(log_odds, count), count.shape[1]
    if views < 3:
        return posterior
    one, other = (np.array(side) for side in zip(*view_pairs(views), strict=True))
    width = log_odds.shape[-1]
    matrix = symmetric(posterior, views).reshape(len(count), views * width, views * width)
    view, real = np.repeat(np.arange(views), width), (np.arange(width) < count[:, :, None]).reshape(len(count), -1)
    change = np.zeros_like(matrix)
    for number, used in enumerate(real):  # frame by frame, for products grow with the cube of the padding
        cells = np.ix_(used, used)
        flat = matrix[number][cells]
        partner = flat @ (view[used, None] == np.arange(views))
        # Third views alone are in the sums: no box has a partner in its own view.
        change[number][cells] = 2.0 * flat @ flat - partner @ partner.T
    change = change.reshape(len(count), views, width, views, width).swapaxes(2, 3)
    return _marginals(np.minimum(log_odds + change[:, one, other], LARGEST_FUSED), count)


def _marginals(log_odds: FloatArray, count: IntArray) -> FloatArray:
    """Matching marginals `(F, P, K, K)`; where there is much padding, view pair by view pair without it."""
    if log_odds[0].size < MUCH_PADDING:
        return matching_marginals(log_odds)
    most = count.max(axis=0)
    posterior = np.zeros_like(log_odds)
    for number, (i, j) in enumerate(view_pairs(count.shape[1])):
        block = (slice(None), number, slice(most[i]), slice(most[j]))
        posterior[block] = matching_marginals(log_odds[block])
    return posterior


def bounded_log_odds(probabilities: FloatArray) -> FloatArray:
    """Log-odds of probabilities, bounded, so that one pair that is certain does not outweigh all others.

    Args:
        probabilities: Any shape, in [0, 1].

    Returns:
        The same shape.

    Example:
        >>> bounded_log_odds(np.array([0.0, 0.5, 1.0])).tolist() == [-LARGEST_LOG_ODDS, 0.0, LARGEST_LOG_ODDS]
        True
    """
    return np.asarray(np.clip(logit(probabilities), -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS))


def symmetric(links: FloatArray, views: int) -> FloatArray:
    """What `group_frames` reads: `(F, V, K, V, K)` from the blocks `(F, P, K, K)` of the pairs of views."""
    one, other = (np.array(side) for side in zip(*view_pairs(views), strict=True))
    frames, _, width, _ = links.shape
    full = np.zeros((frames, views, views, width, width))
    full[:, one, other], full[:, other, one] = links, np.swapaxes(links, -1, -2)
    return full.swapaxes(2, 3)
