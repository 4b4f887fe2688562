"""What a model's tables say of any pairs of boxes, of all pairs of views at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.distance_table import LARGEST_LOG_ODDS
from selfmva.matching.posterior.edges import EDGES
from selfmva.matching.posterior.fusion import log_ratios

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from selfmva.core.types import FloatArray, IntArray
    from selfmva.core.view_pairs import ViewPair
    from selfmva.matching.posterior.distance_table import DistanceTable
    from selfmva.matching.posterior.fusion import FusedTable

    BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CueEvidence:
    """What the distances of one cue add to log-odds: all its different tables, times their weights, in one row.

    Attributes:
        table: `(P,)` number of each view pair's table; -1 where it has none.
        low: `(T,)` first knot of each table.
        high: `(T,)` last knot.
        shift: `(T,)` what is added to distances, so that no two tables overlap.
        knots: `(K,)` increasing, shifted.
        values: `(K,)` log-ratios times weights.
        largest: `(P,)` the most it adds, at least 0: a cue that does not know a box adds nothing.
    """

    table: IntArray
    low: FloatArray
    high: FloatArray
    shift: FloatArray
    knots: FloatArray
    values: FloatArray
    largest: FloatArray

    @classmethod
    def of(cls, tables: Sequence[tuple[DistanceTable, float] | None]) -> CueEvidence:
        """From each view pair's table and weight."""
        numbers: dict[tuple[bytes, bytes], int] = {}
        table = np.full(len(tables), -1)
        kept: list[tuple[FloatArray, FloatArray]] = []
        for pair, found in enumerate(tables):
            if found is None or not found[1] or found[0].true_fraction == 0:
                continue
            values = found[1] * log_ratios(found[0], found[0].distances)
            key = found[0].distances.tobytes(), values.tobytes()
            table[pair] = numbers.setdefault(key, len(numbers))
            if table[pair] == len(kept):
                kept.append((found[0].distances, values))
        low, high = (np.array([knots[end] for knots, _ in kept]) for end in (0, -1))
        shift = np.concatenate([np.zeros(1), np.cumsum(high - low + 1.0)])[: len(kept)] - low
        most = np.array([max(values.max(), 0.0) for _, values in kept] + [0.0])
        return cls(
            table,
            low,
            high,
            shift,
            np.concatenate([np.zeros(0), *(knots + move for (knots, _), move in zip(kept, shift, strict=True))]),
            np.concatenate([np.zeros(0), *(values for _, values in kept)]),
            most[table],
        )

    def __call__(self, pair: IntArray, distances: FloatArray) -> FloatArray:
        """What distances `(E,)` of boxes of view pairs `(E,)` add; NaN adds nothing."""
        if not len(self.low):
            return np.zeros(len(distances))
        if len(self.low) == 1 and self.table.min() == 0:  # one table for all
            added = np.interp(distances + self.shift[0], self.knots, self.values)
        else:
            table = self.table[pair]
            moved = np.clip(distances, self.low[table], self.high[table]) + self.shift[table]
            added = np.where(table >= 0, np.interp(moved, self.knots, self.values), 0.0)
        return np.where(np.isnan(distances), 0.0, added)

    def farthest(self, need: FloatArray) -> FloatArray:
        """From which distance on it adds at most so much `(P,)`; NaN where it has no table, or none adds so little."""
        result = np.full(len(need), np.nan)
        for number, (low, high, shift) in enumerate(zip(self.low, self.high, self.shift, strict=True)):
            here = (self.knots >= low + shift) & (self.knots <= high + shift)
            # From behind: the last distance at which it adds more, for tables that do not fall everywhere, too.
            knots, values = self.knots[here][::-1] - shift, np.maximum.accumulate(self.values[here][::-1])
            own = (self.table == number) & (need > values[0])
            result[own] = np.interp(need[own], values, knots)
        return result


@dataclass(frozen=True, eq=False)
class Search:
    """Where edges are looked for, with the help of one cue that finds near boxes by itself.

    Attributes:
        near: `(V, V)` pairs of views i < j whose boxes are too far apart by that cue alone, from some distance on.
        farthest: From this distance on, for all of them.
        anywhere: `(V, V)` pairs of views i < j of which all boxes are looked at. Of pairs of views in neither, none is.
    """

    near: BoolArray
    farthest: float
    anywhere: BoolArray


@dataclass(frozen=True, eq=False)
class Evidence:
    """The tables of all view pairs.

    Attributes:
        pair: `(V, V)` number of the pair (i, j), i < j, in the order of `view_pairs`.
        bias: `(P,)` log-odds of boxes that no cue knows anything about.
        cues: By name.
        searches: By the name of the cue that helps; None for no help.
    """

    pair: IntArray
    bias: FloatArray
    cues: Mapping[str, CueEvidence]
    searches: Mapping[str | None, Search]

    @classmethod
    def of(cls, tables: Mapping[ViewPair, FusedTable], views: int) -> Evidence:
        """From the tables of a model.

        Example:
            >>> from selfmva.matching.posterior.distance_table import DistanceTable
            >>> from selfmva.matching.posterior.fusion import FusedTable
            >>> near = DistanceTable(np.array([0.0, 10.0]), np.array([6.0, -14.0]), true_fraction=0.5)
            >>> evidence = Evidence.of({(0, 1): FusedTable({"floor": near}, {"floor": 1.0}, 0.0)}, views=2)
            >>> evidence.log_odds(np.array([0, 0]), {"floor": np.array([5.0, np.nan])}).tolist()
            [-4.0, 0.0]
            >>> evidence.searches["floor"].farthest
            7.0
        """
        pairs = view_pairs(views)
        number = np.zeros((views, views), dtype=np.int64)
        number[np.triu_indices(views, 1)] = np.arange(len(pairs))
        fused = [tables[pair] for pair in pairs]
        bias = np.array([table.bias for table in fused], dtype=np.float64)
        names = sorted({name for table in fused for name in table.tables})
        cues = {
            name: CueEvidence.of(
                [(table.tables[name], table.weights[name]) if name in table.tables else None for table in fused]
            )
            for name in names
        }
        most = bias + sum((cue.largest for cue in cues.values()), np.zeros(len(bias)))
        plausible, upper = most > EDGES.least_log_odds, np.triu(np.ones_like(number, dtype=bool), 1)
        searches: dict[str | None, Search] = {
            None: Search(np.zeros_like(upper), 0.0, upper & plausible[number] if len(pairs) else upper)
        }
        for name, cue in cues.items():
            farthest = cue.farthest(EDGES.least_log_odds - (most - cue.largest))
            near = plausible & ~np.isnan(farthest)
            searches[name] = Search(
                upper & near[number], float(farthest[near].max(initial=0.0)), upper & (plausible & ~near)[number]
            )
        return cls(number, bias, cues, searches)

    def log_odds(self, pair: IntArray, distances: Mapping[str, FloatArray]) -> FloatArray:
        """Log-odds `(E,)` of boxes of view pairs `(E,)`; see `selfmva.matching.posterior.fusion.FusedTable`."""
        total = self.bias[pair]
        for name, given in distances.items():
            if name in self.cues:
                total += self.cues[name](pair, given)
        return np.clip(total, -2 * LARGEST_LOG_ODDS, 2 * LARGEST_LOG_ODDS)
