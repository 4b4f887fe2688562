"""Several cues, one posterior: the log-odds of a box pair from all its distances, learnt without labels.

Each cue c (embedding, floor, epipolar line) has a table of its own: the log-ratio r_c(d_c) of the densities of its
distance for one person and for two (`selfmva.matching.posterior.distance_table`). Were cues independent and tables
exact, ratios would add. They are not quite: so the log-odds of a pair of boxes of the view pair p are

    S_ij = b_p + sum_c w_c r_c(d_cij),    w_c >= 0,

with one weight per cue, shared by all view pairs of a kind, and one bias per view pair. A cue that a view pair doesn't
have, or that doesn't know a box (its head is cut), is not in the sum. Every one-to-one matching of two images has the
weight of the product of exp(S) over its pairs; if people are scattered at random (Poisson), exp(b_p) is one over the
number of people that neither view sees. `selfmva.matching.posterior.marginals.matching_marginals` gives the marginals.

Weights and biases are those that tell synchronous boxes from shifted ones best. By the same model, the evidence that
box i is of the same instant as the boxes j of the other view, given all other boxes of this instant, is

    L_i = log(1 + sum_j f_ji exp(S_ij)) - log(1 + sum_j f_ji exp(b_p)),

f_ji the probability that j has no partner but i (belief propagation). L_i is the log-odds of a logistic regression
whose positive examples are the boxes of synchronous images and whose negatives are boxes of shifted instants put in
their place; f is computed anew from its solution until nothing changes. A box at a time, because whole images of a
crowd are told apart with certainty, from which nothing about the confidence of a single match can be learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize

from selfmva.core.thinning import evenly_spaced
from selfmva.errors import InputError
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS, TABLE_FIT
from selfmva.matching.posterior.marginals import cavity_messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.matching.posterior.distance_table import DistanceTable

# Synchronous, of all view pairs together, for `choose_instants`: more would sharpen nothing. In crowds that many views
# see, it is exceeded by the least number of instants of each pair.
MOST_BOX_PAIRS = 100_000


@dataclass(frozen=True)
class FusionSettings:
    """Weights of cues."""

    shifts: int = 3  # shifted instants for every synchronous one
    # Synchronous instants of a pair of views, where it has so many: a table from fewer knows a moment, not a scene.
    least_instants: int = 24
    least_pairs: int = 8  # of views, from which weights that all pairs share are learnt
    largest_weight: float = 1.0  # no cue says more than its own table
    # Beside an absolute cue: the others were trained on its matches and repeat its errors, more than shifted instants
    # tell.
    largest_weight_beside: float = 0.25
    # People who walk together are near each other at synchronous instants alone, as true pairs are. Where all who are
    # seen do, nothing keeps the bias from growing, until any two boxes are one person. Two lone boxes of which no cue
    # knows anything are one person with odds of at most e.
    largest_bias: float = 1.0
    most_rounds: int = 12  # of examples and regression
    settled: float = 0.02  # change of any number between two rounds


FUSION = FusionSettings()


@dataclass(frozen=True, eq=False)
class FusedTable:
    """Log-odds of "same person" from the distances of several cues, of a pair of boxes on its own.

    Attributes:
        tables: By the name of the cue; none of a cue that this view pair doesn't have.
        weights: Of the same cues, at least 0.
        bias: Log-odds of a pair of boxes that no cue knows anything about.
    """

    tables: Mapping[str, DistanceTable]
    weights: Mapping[str, float]
    bias: float

    def __call__(self, distances: Mapping[str, FloatArray]) -> FloatArray:
        """Log-odds `(...)` of distances `(...)` by cue; a cue without a distance, or with NaN, says nothing."""
        shape = np.broadcast_shapes(*(np.shape(given) for given in distances.values()))
        total = np.full(shape, self.bias)
        for name, table in self.tables.items():
            if name in distances and self.weights[name]:
                total = total + self.weights[name] * log_ratios(table, distances[name])
        # Bounded, so that products of odds stay within what the marginals can compute.
        return np.asarray(np.clip(total, -2 * LARGEST_LOG_ODDS, 2 * LARGEST_LOG_ODDS))

    @property
    def largest(self) -> float:
        """The largest log-odds that any distances have."""
        return self.bias + sum(
            weight * float(log_ratios(self.tables[name], self.tables[name].distances).max(initial=0.0))
            for name, weight in self.weights.items()
        )

    @property
    def tells(self) -> bool:
        """False where no cue has a weight, and any two boxes are as likely to be one person."""
        return any(self.weights.values())


class Comparison(NamedTuple):
    """Distances of one view pair at synchronous and at shifted instants.

    Attributes:
        synchronous: F times, by cue `(N_f, M_f)`: the boxes of both views at one instant.
        shifted: G times, by cue `(N, M)`: boxes of one view and boxes of the other at another instant.
        instants: `(G, 2)` numbers, in `synchronous`, of the instants of the rows and of the columns of `shifted`.
    """

    synchronous: Sequence[Mapping[str, FloatArray]]
    shifted: Sequence[Mapping[str, FloatArray]]
    instants: IntArray


def choose_instants(time: IntArray, box_pairs: IntArray, minimum_shift: int, most: int) -> tuple[IntArray, IntArray]:
    """Which instants of a view pair to compare.

    Args:
        time: `(T,)` increasing numbers of the instants.
        box_pairs: `(T,)` number of boxes of the one view times that of the other.
        minimum_shift: Least distance of shifted instants.
        most: Number of synchronous box pairs, about; `MOST_BOX_PAIRS` over the number of view pairs is plenty. As many
            more as `FUSION.least_instants` have.

    Returns:
        `(F,)` positions of the synchronous instants, evenly spread over those where both views see somebody; and
        `(G, 2)` numbers among these F, for `Comparison.instants`.

    Example:
        >>> chosen, shifted = choose_instants(np.arange(8), np.array([1, 1, 0, 1, 1, 1, 1, 1]), 3, 100)
        >>> chosen.tolist(), shifted.shape[1], bool((abs(chosen[shifted[:, 0]] - chosen[shifted[:, 1]]) >= 3).all())
        ([0, 1, 3, 4, 5, 6, 7], 2, True)
    """
    both = np.flatnonzero(box_pairs)
    wanted = max(most // max(box_pairs[both].mean(), 1.0), FUSION.least_instants) if len(both) else 0
    size = int(min(len(both), wanted))
    chosen = both[evenly_spaced(len(both), size, to_nearest=True)]
    first = np.tile(np.arange(size), FUSION.shifts)
    # By a quarter, a half and three quarters of the recording, so that both directions are alike.
    second = (first + np.repeat(np.arange(1, FUSION.shifts + 1), size) * size // (FUSION.shifts + 1)) % max(size, 1)
    pairs = np.column_stack([first, second])
    when = np.asarray(time)[chosen]
    return chosen, pairs[np.abs(when[first] - when[second]) >= minimum_shift]


def log_ratios(table: DistanceTable | None, distances: FloatArray) -> FloatArray:
    """What a cue says: log-ratio of the densities of its distance, for one person and for two.

    Args:
        table: What its distances mean; None, or one that found nothing, says 0 throughout.
        distances: `(...)`; NaN says 0.

    Returns:
        `(...)`.
    """
    if table is None or table.true_fraction == 0:
        return np.zeros(distances.shape)
    prior = np.log(table.true_fraction) - np.log1p(-table.true_fraction)
    return np.where(np.isnan(distances), 0.0, table(distances) - prior)


def fuse(
    tables: Mapping[ViewPair, Mapping[str, DistanceTable]],
    comparisons: Mapping[ViewPair, Comparison],
    absolute: str | None = None,
) -> dict[ViewPair, FusedTable]:
    """Learn how to weigh the cues.

    Args:
        tables: For every view pair, a table for each cue that it has, by the cue's name.
        comparisons: For the same view pairs, distances to learn from: best of boxes that no cue was trained on.
        absolute: Name of a cue whose table tells odds, not ratios: where a view pair has it, its weight is 1 and the
            bias 0, whether there is anything to compare or not, and only how much other cues add is learnt, up to
            `FUSION.largest_weight_beside`.

    Returns:
        The fused table of every view pair; one without any cue says "not the same person" throughout.

    Raises:
        InputError: View pairs of both arguments differ.
    """
    if set(tables) != set(comparisons):
        raise InputError("every view pair needs one comparison and its tables, if any")
    fused = {pair: FusedTable(found, dict.fromkeys(found, 0.0), -LARGEST_LOG_ODDS) for pair, found in tables.items()}
    known = [pair for pair in sorted(tables) if absolute in tables[pair]]
    if absolute is not None and known:
        beside = _weights_beside(absolute, {pair: tables[pair] for pair in known}, comparisons)
        for pair in known:
            fused[pair] = FusedTable(tables[pair], {name: beside[name] for name in tables[pair]}, 0.0)
    others = [pair for pair in sorted(tables) if pair not in known and _tells(tables[pair], comparisons[pair])]
    if others:
        cues = sorted({name for pair in others for name in tables[pair]})
        data = _stack(cues, [(tables[pair], comparisons[pair]) for pair in others])
        weights, biases = _learn(*data, len(others), None)
        learnt = dict(zip(cues, weights.tolist(), strict=True))
        for pair, bias in zip(others, biases.tolist(), strict=True):
            fused[pair] = FusedTable(tables[pair], {name: learnt[name] for name in tables[pair]}, bias)
    return fused


def _weights_beside(
    absolute: str, tables: Mapping[ViewPair, Mapping[str, DistanceTable]], comparisons: Mapping[ViewPair, Comparison]
) -> dict[str, float]:
    """Weights of all cues beside the absolute one, of view pairs that have it: its own is 1, of others up to a bound.

    All pairs share them, so that a part of the pairs is enough to learn them from, where there are many boxes.
    """
    cues = sorted({name for found in tables.values() for name in found})
    weights = {name: float(name == absolute) for name in cues}
    beside = {
        pair: {name: table for name, table in found.items() if name != absolute} for pair, found in tables.items()
    }
    telling = [pair for pair in tables if _tells(beside[pair], comparisons[pair])]
    if not telling:
        return weights
    sizes = [block[absolute].size for pair in telling for block in comparisons[pair].synchronous]
    most = max(MOST_BOX_PAIRS * len(telling) // sum(sizes), FUSION.least_pairs)
    chosen = [telling[place] for place in evenly_spaced(len(telling), most, to_nearest=True).tolist()]
    data = _stack(cues, [(tables[pair], comparisons[pair]) for pair in chosen])
    learnt, _ = _learn(*data, len(chosen), cues.index(absolute))
    return weights | dict(zip(cues, learnt.tolist(), strict=True))


def _tells(tables: Mapping[str, DistanceTable], comparison: Comparison) -> bool:
    """True where at least one cue found something, and there are instants to weigh it by."""
    return len(comparison.instants) > 0 and any(table.true_fraction > 0 for table in tables.values())


class _Blocks(NamedTuple):
    """Log-ratios `(C, F, N, M)`, which entries are boxes `(F, N, M)`, and the view pair `(F,)`."""

    ratios: FloatArray
    there: np.ndarray
    pair: IntArray

    def turned(self) -> _Blocks:
        """Rows and columns exchanged."""
        return _Blocks(np.swapaxes(self.ratios, 2, 3), np.swapaxes(self.there, 1, 2), self.pair)

    @property
    def rows_pair(self) -> IntArray:
        """`(F, N)` the view pair of every row."""
        return np.broadcast_to(self.pair[:, None], self.there.shape[:2])


class _Examples(NamedTuple):
    """U boxes against the K boxes of another view: log-ratios `(C, U, K)`, how free those are `(U, K)`, view pair."""

    ratios: FloatArray
    free: FloatArray
    pair: IntArray
    weight: float
    sign: int


def _stack(
    cues: Sequence[str], data: Sequence[tuple[Mapping[str, DistanceTable], Comparison]]
) -> tuple[_Blocks, _Blocks, IntArray]:
    """All view pairs' synchronous blocks, their shifted blocks, and the synchronous blocks that these belong to."""
    synchronous: list[tuple[FloatArray, int]] = []
    shifted: list[tuple[FloatArray, int]] = []
    instants = []
    first = 0
    for number, (tables, comparison) in enumerate(data):
        for blocks, found in ((comparison.synchronous, synchronous), (comparison.shifted, shifted)):
            for block in blocks:
                found.append((np.stack([log_ratios(tables.get(name), block[name]) for name in cues]), number))
        instants.append(comparison.instants + first)
        first += len(comparison.synchronous)
    size = np.max([block.shape[1:] for block, _ in synchronous + shifted], axis=0)
    return _pad(synchronous, size), _pad(shifted, size), np.concatenate(instants)


def _pad(blocks: Sequence[tuple[FloatArray, int]], size: IntArray) -> _Blocks:
    ratios = np.zeros((len(blocks[0][0]), len(blocks), *size))
    there = np.zeros((len(blocks), *size), bool)
    for number, (block, _) in enumerate(blocks):
        where = (number, slice(block.shape[1]), slice(block.shape[2]))
        ratios[:, *where] = block
        there[where] = True
    return _Blocks(ratios, there, np.array([pair for _, pair in blocks]))


def _learn(
    synchronous: _Blocks, shifted: _Blocks, instants: IntArray, pairs: int, absolute: int | None
) -> tuple[FloatArray, FloatArray]:
    """Weights of the cues and biases of the view pairs; of those whose odds the absolute cue tells, if there is one."""
    cues = len(synchronous.ratios)
    if absolute is None:
        bounds = [(0.0, FUSION.largest_weight)] * cues + [(-LARGEST_LOG_ODDS, FUSION.largest_bias)] * pairs
    else:
        bounds = [(1.0, 1.0) if cue == absolute else (0.0, FUSION.largest_weight_beside) for cue in range(cues)]
        bounds += [(0.0, 0.0)] * pairs
    found = np.concatenate([[largest for _, largest in bounds[:cues]], np.zeros(pairs)])
    for _ in range(FUSION.most_rounds):
        examples = _examples(found[:cues], found[cues:], synchronous, shifted, instants)
        before, found = found, minimize(_negative_log_likelihood, found, args=(examples,), jac=True, bounds=bounds).x
        if np.abs(found - before).max() < FUSION.settled:
            break
    return found[:cues], found[cues:]


def _examples(
    weights: FloatArray, biases: FloatArray, synchronous: _Blocks, shifted: _Blocks, instants: IntArray
) -> list[_Examples]:
    """Boxes of synchronous images, and boxes of shifted instants in their places."""
    scores = np.tensordot(weights, synchronous.ratios, axes=1) + biases[synchronous.pair, None, None]
    limit = 2 * LARGEST_LOG_ODDS
    odds = np.where(synchronous.there, np.exp(np.clip(scores, -limit, limit)), 0.0)
    rows_free, columns_free = cavity_messages(odds)
    # A shifted block puts its rows among the columns' contemporaries, and its columns among the rows'.
    of_rows, of_columns = instants.T
    return [
        *_in_places(synchronous, columns_free, shifted, of_columns),
        *_in_places(synchronous.turned(), np.swapaxes(rows_free, 1, 2), shifted.turned(), of_rows),
    ]


def _in_places(synchronous: _Blocks, free: FloatArray, shifted: _Blocks, host: IntArray) -> tuple[_Examples, _Examples]:
    """Rows of synchronous blocks, and rows of shifted ones that take their places in the block `host`."""
    own = np.asarray(synchronous.there.any(axis=-1))
    placed = np.asarray(shifted.there.any(axis=-1) & own[host])
    weight = own.sum() / max(placed.sum(), 1)
    return (
        _Examples(synchronous.ratios[:, own], (free * synchronous.there)[own], synchronous.rows_pair[own], 1.0, 1),
        _Examples(
            shifted.ratios[:, placed], (free[host] * shifted.there)[placed], shifted.rows_pair[placed], weight, -1
        ),
    )


def _negative_log_likelihood(parameters: FloatArray, examples: Sequence[_Examples]) -> tuple[float, FloatArray]:
    """Negative log-likelihood of which examples are synchronous, and its gradient."""
    cues = len(examples[0].ratios)
    weights, biases = parameters[:cues], parameters[cues:]
    # The prior: `prior_count` more lone pairs of boxes in every view pair that are known to be of different people.
    value = TABLE_FIT.prior_count * np.logaddexp(0.0, biases).sum()
    by_weight, by_bias = np.zeros(cues), TABLE_FIT.prior_count / (1.0 + np.exp(-biases))
    total = 1.0
    for ratios, free, pair, count, sign in examples:
        total += len(pair) * (sign > 0)
        odds = np.exp(np.tensordot(weights, ratios, axes=1) + biases[pair, None]) * free
        here, anywhere = odds.sum(axis=-1), np.exp(biases[pair]) * free.sum(axis=-1)
        evidence = np.log1p(here) - np.log1p(anywhere)
        value += count * np.logaddexp(0.0, -sign * evidence).sum()
        slope = -sign * count / (1.0 + np.exp(sign * evidence))
        chosen = odds * (slope / (1.0 + here))[:, None]
        by_weight += (ratios * chosen).sum(axis=(1, 2))
        by_bias += np.bincount(pair, chosen.sum(axis=-1) - slope * anywhere / (1.0 + anywhere), len(biases))
    return value / total, np.concatenate([by_weight, by_bias]) / total
