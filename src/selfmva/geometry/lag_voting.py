"""Two views at one lag: the turn and shift of one floor on the other that most whole walks agree on.

Cheaper than counting boxes that meet, and blind to those who stand: what `selfmva.geometry.clock_offsets` scans lags
with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.geometry.pair_alignment import ALIGNMENT, Alignment, common_walks, walks_of

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.sightings import Sightings


@dataclass(frozen=True)
class VotingSettings:
    """Voting of whole walks."""

    shape_noise: float = 0.35  # body heights between two walks laid on each other, beside a common offset
    offset_noise: float = 0.7  # body heights of that offset: cameras are not refined yet
    hypotheses: int = 300  # of a pair of views at one lag, the most likely ones
    voters: int = 2000  # pairs of walks that are asked about each


VOTING = VotingSettings()


def on_a_line(view: Sightings, time: IntArray, longest: int) -> tuple[np.ndarray, FloatArray]:
    """Walks `(K, D)` over time without gaps, so that a lag is a roll; gaps longer than any lag are shortened."""
    place, there = walks_of(view)
    column = np.concatenate([[0], np.cumsum(np.minimum(np.diff(time), longest))])
    size = (len(place), int(column[-1]) + 1)
    places, present = np.zeros(size, complex), np.zeros(size)
    places[:, column], present[:, column] = place, there
    return places, present


def vote(place_i: np.ndarray, there_i: FloatArray, place_j: np.ndarray, there_j: FloatArray) -> Alignment | None:
    """The turn and shift that most pairs of walks agree on.

    A pair of walks with n common instants, scatter r around a common offset m, votes n exp(-(r^2 / a^2 + m^2 / b^2) /
    2) for a hypothesis, a and b the noise of shape and offset; of all pairs of one walk, the best counts. All
    hypotheses and pairs at once: the exponent is a sum of products of what the hypothesis says and what the pair says.
    """
    pairs = common_walks(place_i, there_i, place_j, there_j, most=VOTING.voters)
    if not len(pairs.i):
        return None
    mean_i, mean_j, covariance = pairs.mean_i, pairs.mean_j, pairs.covariance
    turn = pairs.turn[: VOTING.hypotheses]
    shift = mean_j[: VOTING.hypotheses] - turn * mean_i[: VOTING.hypotheses]
    shape, offset = 0.5 / VOTING.shape_noise**2, 0.5 / VOTING.offset_noise**2
    # |z|^2 of the common offset z = mean_j - turn mean_i - shift, multiplied out, beside the scatter.
    fixed = shape * (pairs.spread_i + pairs.spread_j) + offset * (np.abs(mean_i) ** 2 + np.abs(mean_j) ** 2)
    turned = -2.0 * (shape * covariance + offset * np.conj(mean_i) * mean_j)
    says = np.stack([fixed, np.ones(len(pairs.i)), *_parts(turned), *_parts(mean_j), *_parts(mean_i)])
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
    scores = np.exp(-np.maximum(asks @ says, 0.0).astype(np.float32)) * np.minimum(
        pairs.common, ALIGNMENT.long_walk
    ).astype(np.float32)
    total = np.minimum(_best_of_each(scores, pairs.i), _best_of_each(scores, pairs.j))
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
