"""Two views at one lag: the turn and shift of one floor on the other that most whole walks agree on.

Cheaper than counting boxes that meet, and blind to those who stand: what `selfmva.geometry.clock_offsets` scans lags
with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from selfmva.geometry.pair_alignment import Alignment
from selfmva.geometry.walks import WALKS, common_walks

if TYPE_CHECKING:
    from selfmva.core.types import FloatArray, IntArray
    from selfmva.geometry.walks import Walks


@dataclass(frozen=True)
class VotingSettings:
    """Voting of whole walks."""

    shape_noise: float = 0.35  # body heights between two walks laid on each other, beside a common offset
    offset_noise: float = 0.7  # body heights of that offset: cameras are not refined yet
    hypotheses: int = 300  # of a pair of views at one lag, the most likely ones
    voters: int = 2000  # pairs of walks that are asked about each


VOTING = VotingSettings()


class Ballot(NamedTuple):
    """What walks say of hypotheses, `(H,)` each.

    Attributes:
        turn: Complex turns of length 1.
        shift: Complex shifts in body heights.
        votes: For each of them.
    """

    turn: np.ndarray
    shift: np.ndarray
    votes: FloatArray

    @property
    def winner(self) -> Alignment | None:
        """The hypothesis with most votes; None where there is none."""
        if not len(self.votes):
            return None
        best = int(np.argmax(self.votes))
        return Alignment(complex(self.turn[best]), complex(self.shift[best]), float(self.votes[best]))


def vote(first: Walks, second: Walks) -> Ballot:
    """How many pairs of walks agree on each turn and shift that one of them proposes.

    A pair of walks with n common instants, scatter r around a common offset m, votes n exp(-(r^2 / a^2 + m^2 / b^2) /
    2) for a hypothesis, a and b the noise of shape and offset; of all pairs of one walk, the best counts. All
    hypotheses and pairs at once: the exponent is a sum of products of what the hypothesis says and what the pair says.

    Args:
        first: Of view i.
        second: Of view j.

    Returns:
        The most likely hypotheses, and their votes.
    """
    pairs = common_walks(first, second, most=VOTING.voters)
    if not len(pairs.i):
        return Ballot(np.zeros(0, complex), np.zeros(0, complex), np.zeros(0))
    mean_i, mean_j, covariance = pairs.mean_i, pairs.mean_j, pairs.covariance
    turn, shift = pairs.turn[: VOTING.hypotheses], pairs.shift[: VOTING.hypotheses]
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
    scores = np.exp(-np.maximum(asks @ says, 0.0).astype(np.float32)) * np.minimum(pairs.common, WALKS.long).astype(
        np.float32
    )
    return Ballot(turn, shift, np.minimum(_best_of_each(scores, pairs.i), _best_of_each(scores, pairs.j)))


def _parts(values: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Real and imaginary part: Re(conj(a) b) is the product of the parts of a and b."""
    return values.real, values.imag


def _best_of_each(scores: np.ndarray, walk: IntArray) -> np.ndarray:
    """`(H,)` sums over walks of the best score `(H, P)` that a pair with this walk has."""
    order = np.argsort(walk, kind="stable")
    starts = np.flatnonzero(np.diff(walk[order], prepend=-1))
    return np.asarray(np.maximum.reduceat(scores[:, order], starts, axis=1).sum(axis=1))
