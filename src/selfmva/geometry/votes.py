"""Two views at one lag: the turn and shift of one floor on the other that most whole walks agree on.

Cheaper than counting boxes that meet, and blind to those who stand: what `selfmva.geometry.clock` scans lags with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.alignment import (
    LARGEST_RESIDUAL,
    LARGEST_SCALE,
    LEAST_COMMON,
    LEAST_SPREAD,
    Alignment,
    _walks,
)

if TYPE_CHECKING:
    from selfmva.geometry.sightings import Sightings
    from selfmva.types import FloatArray, IntArray

SHAPE_NOISE = 0.35  # body heights between two walks laid on each other, beside a common offset
OFFSET_NOISE = 0.7  # body heights of that offset: cameras are not refined yet
LONG = 25  # instants; more make a common walk no better
HYPOTHESES, VOTERS = 300, 2000  # of a pair of views at one lag


def on_a_line(view: Sightings, time: IntArray, longest: int) -> tuple[np.ndarray, FloatArray]:
    """Walks `(K, D)` over time without gaps, so that a lag is a roll; gaps longer than any lag are shortened."""
    place, there = _walks(view)
    column = np.concatenate([[0], np.cumsum(np.minimum(np.diff(time), longest))])
    size = (len(place), int(column[-1]) + 1)
    places, present = np.zeros(size, complex), np.zeros(size)
    places[:, column], present[:, column] = place, there
    return places, present


def vote(place_i: np.ndarray, there_i: FloatArray, place_j: np.ndarray, there_j: FloatArray) -> Alignment | None:
    """The turn and shift that most pairs of walks agree on.

    A pair of walks with n common instants, scatter r around a common offset m, says n exp(-(r^2 / SHAPE_NOISE^2 +
    m^2 / OFFSET_NOISE^2) / 2) for a hypothesis; of all pairs of one walk, the best counts. All hypotheses and pairs
    at once: the exponent is a sum of products of what the hypothesis says and what the pair says.
    """
    common = there_i @ there_j.T
    i, j = np.nonzero(common >= LEAST_COMMON)
    if not len(i):
        return None
    n = common[i, j]
    mean_i, mean_j = (place_i @ there_j.T)[i, j] / n, (there_i @ place_j.T)[i, j] / n
    spread_i = np.maximum((np.abs(place_i) ** 2 @ there_j.T)[i, j] / n - np.abs(mean_i) ** 2, 1e-12)
    spread_j = np.maximum((there_i @ np.abs(place_j.T) ** 2)[i, j] / n - np.abs(mean_j) ** 2, 1e-12)
    covariance = (np.conj(place_i) @ place_j.T)[i, j] / n - np.conj(mean_i) * mean_j
    residual = np.sqrt(np.maximum(spread_j - np.abs(covariance) ** 2 / spread_i, 0.0))
    way = np.sqrt(2.0 * np.minimum(spread_i, spread_j))
    good = (way > LEAST_SPREAD) & (np.abs(np.log(spread_j / spread_i)) < 2.0 * np.log(LARGEST_SCALE))
    good &= (residual < np.minimum(LARGEST_RESIDUAL, 0.5 * np.sqrt(spread_j))) & (np.abs(covariance) > 0)
    worth = np.minimum(n, LONG) * np.minimum(way, 4.0) / (0.15 + residual)
    best = np.flatnonzero(good)
    best = best[np.argsort(-worth[best], kind="stable")[:VOTERS]]
    if not len(best):
        return None
    i, j, n = i[best], j[best], n[best]
    mean_i, mean_j, covariance = mean_i[best], mean_j[best], covariance[best]
    turn = (covariance / np.abs(covariance))[:HYPOTHESES]
    shift = mean_j[:HYPOTHESES] - turn * mean_i[:HYPOTHESES]
    shape, offset = 0.5 / SHAPE_NOISE**2, 0.5 / OFFSET_NOISE**2
    # |z|^2 of the common offset z = mean_j - turn mean_i - shift, multiplied out, beside the scatter.
    fixed = shape * (spread_i + spread_j)[best] + offset * (np.abs(mean_i) ** 2 + np.abs(mean_j) ** 2)
    turned = -2.0 * (shape * covariance + offset * np.conj(mean_i) * mean_j)
    says = np.stack([fixed, np.ones(len(best)), *_parts(turned), *_parts(mean_j), *_parts(mean_i)])
    asks = np.stack(
        [
            np.ones(len(turn)),
            offset * np.abs(shift) ** 2,
            *_parts(turn),
            *_parts(-2.0 * offset * shift),
            *_parts(2.0 * offset * np.conj(turn) * shift),
        ],
        axis=1,
    )
    scores = np.exp(-np.maximum(asks @ says, 0.0).astype(np.float32)) * np.minimum(n, LONG).astype(np.float32)
    total = np.minimum(_best_of_each(scores, i), _best_of_each(scores, j))
    winner = int(np.argmax(total))
    return Alignment(complex(turn[winner]), complex(shift[winner]), float(total[winner]))


def _parts(values: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Real and imaginary part: Re(conj(a) b) is the product of the parts of a and b."""
    return values.real, values.imag


def _best_of_each(scores: np.ndarray, walk: IntArray) -> np.ndarray:
    """`(H,)` sums over walks of the best score `(H, P)` that a pair with this walk has."""
    order = np.argsort(walk, kind="stable")
    starts = np.flatnonzero(np.diff(walk[order], prepend=-1))
    return np.asarray(np.maximum.reduceat(scores[:, order], starts, axis=1).sum(axis=1))
