"""What a recording says about what was learnt: what distances mean, and whether anything was learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.appearance import NOTHING_SEEN, Verdict, as_table, learn_appearance, stack_blocks
from selfmva.association.appearance.within_views import own_distances
from selfmva.association.cues import (
    APPEARANCE,
    EMBEDDING,
    FLOOR,
    LINES,
    Rig,
    appearance_distances,
    frame_cues,
    line_distances,
)
from selfmva.association.fit_report import FitReport, build_report
from selfmva.association.head_lines import find_lines, trusted_lines
from selfmva.association.synchrony import STANDARD_ERRORS, STANDARD_ERRORS_OF_A_PAIR, measure_synchrony, pooled
from selfmva.core.packed_boxes import canonical_view_order, gather, jitter, pack
from selfmva.core.view_pairs import view_pairs
from selfmva.geometry.floor_likelihood import distances_on_floor
from selfmva.matching.posterior.distance_table import DistanceTable, fit_distance_table
from selfmva.matching.posterior.fusion import MOST_BOX_PAIRS, Comparison, FusedTable, choose_instants, fuse
from selfmva.matching.posterior.posterior import posteriors
from selfmva.training.pseudo_labels import floor_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from selfmva.association.synchrony import PairSynchrony
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import FloatArray, Frame, IntArray, View
    from selfmva.encoders.box import BoxEncoder
    from selfmva.geometry.floor import Floor

Tables = dict[tuple[int, int], FusedTable]
# An encoder knows the boxes it was trained on too well. Moving them by a tenth of their size stands in for the
# difference to new ones: without, the posteriors of unseen instants are too low (docs/benchmarks.md).
TRAINED_JITTER = 0.1
CHUNK_INSTANTS = 16


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a recording says.

    Attributes:
        rig: Encoder and trusted geometry.
        tables: What distances mean.
        report: In numbers and words.
    """

    rig: Rig
    tables: Tables
    report: FitReport


def gather_evidence(
    encoder: BoxEncoder | None,
    floor: Floor | None,
    views: tuple[View, ...],
    frames: Sequence[Frame],
    *,
    minimum_shift: int,
    trained_on: bool,
    held_out: IntArray | None = None,
) -> Evidence:
    """Learn what distances mean, and write the report.

    Args:
        encoder: Trained; None where there is none.
        floor: The common floor, None where none was found.
        views: The cameras.
        frames: Clipped frames in the order of time.
        minimum_shift: Least distance of shifted instants.
        trained_on: True where the encoder was trained on these frames.
        held_out: Numbers of the frames that were kept from that training; the report speaks of them, if any.

    Returns:
        Rig, tables and report. A view pair that nothing tells apart better than chance has no evidence.
    """
    kept = held_out is not None and len(held_out) > 0
    judged = held_out if held_out is not None and kept else np.arange(len(frames))
    lines = {} if encoder is None else find_lines(views, frames, encoder, floor, minimum_shift)
    pictured = any(frame.features is not None for frame in frames)
    rig = Rig(views, encoder, floor, trusted_lines(lines), appearance=pictured)
    synchrony = synchrony_of(rig, frames, judged, minimum_shift)
    tables, seen = learn_tables(rig, frames, synchrony, minimum_shift=minimum_shift, trained_on=trained_on)
    rig = _without(rig, seen)
    partners = expected_partners(rig, frames, tables, judged)
    report = build_report(
        views, synchrony, partners, rig.floor, lines, instants=len(judged), held_out=kept or not trained_on, seen=seen
    )
    return Evidence(rig, tables, replace(report, embedding=encoder is not None))


def _without(rig: Rig, verdict: Verdict) -> Rig:
    """The rig without what appearance refutes, and without appearance where that tells nothing."""
    floor = rig.floor
    if floor is not None:
        supports = {pair: replace(support, refuted=pair in verdict.refuted) for pair, support in floor.supports.items()}
        floor = replace(floor, supports=supports)
    lines = {pair: matrix for pair, matrix in rig.lines.items() if pair not in verdict.refuted}
    return replace(rig, floor=floor, lines=lines, appearance=verdict.model is not None)


def synchrony_of(
    rig: Rig, frames: Sequence[Frame], instants: IntArray, minimum_shift: int
) -> dict[tuple[int, int], PairSynchrony]:
    """Whether the embedding tells synchronous from shifted images, for every view pair, at some of the instants."""
    order = canonical_view_order(frames, len(rig.views))
    recording = _pack_in_order(frames, order)
    if rig.encoder is not None:
        recording = recording.to(rig.encoder.view_tokens.device)
    measured = measure_synchrony(rig.encoder, gather(recording, instants), instants, minimum_shift)
    own = {(min(order[a], order[b]), max(order[a], order[b])): found for (a, b), found in measured.items()}
    return dict(sorted(own.items()))


def learn_tables(
    rig: Rig,
    frames: Sequence[Frame],
    synchrony: Mapping[tuple[int, int], PairSynchrony],
    *,
    minimum_shift: int,
    trained_on: bool,
) -> tuple[Tables, Verdict]:
    """Learn what the distances of all cues mean, for every view pair.

    Args:
        rig: Encoder and geometry.
        frames: Clipped frames in the order of time.
        synchrony: Of the embedding; where it is no better than chance, the embedding is no cue.
        minimum_shift: Least distance of shifted instants.
        trained_on: True where the encoder was trained on these frames.

    Returns:
        Tables by view pair, and what appearance is worth. A view pair without any cue is never matched.
    """
    order = canonical_view_order(frames, len(rig.views))
    packed = _pack_in_order(frames, order)
    noisy = jitter(packed, TRAINED_JITTER, np.random.default_rng(0)) if trained_on else packed
    pairs = view_pairs(len(rig.views))
    on_the_floor = None if rig.floor is None else floor_table(rig.floor, packed, range(len(rig.views)))
    all_together = pooled(synchrony.values()).margin > STANDARD_ERRORS
    comparisons, tables = {}, {}
    for i, j in pairs:
        comparison = _compare(rig, packed, noisy, order, (i, j), minimum_shift, MOST_BOX_PAIRS // len(pairs))
        comparisons[i, j] = comparison
        both = rig.floor is not None and {i, j} <= set(rig.floor.views_on_floor)
        proven = all_together or _is_trusted((i, j), rig)
        tables[i, j] = [
            _table(comparison, EMBEDDING) if proven and synchrony[i, j].margin > STANDARD_ERRORS_OF_A_PAIR else None,
            on_the_floor if both else None,
            _table(comparison, LINES),
        ]
    geometric = {pair: found.of_cues(APPEARANCE) for pair, found in comparisons.items()}
    fused = fuse(tables, geometric, absolute=FLOOR)
    if not rig.appearance:
        return fused, NOTHING_SEEN
    evidence = {}
    for pair, found in comparisons.items():
        blocks = [block[APPEARANCE] for block in found.synchronous]
        scores = [fused[pair](block[:APPEARANCE]) for block in found.synchronous]
        evidence[pair] = stack_blocks(blocks, scores if fused[pair].weights.any() else None)
    verdict = learn_appearance(evidence, own_distances(packed, [rig.views[view] for view in order], minimum_shift))
    return _with_appearance(fused, verdict), verdict


def _with_appearance(fused: Tables, verdict: Verdict) -> Tables:
    """Tables of all cues: what appearance says is added to what geometry says, for their errors are independent."""
    if verdict.model is None:
        return fused
    nothing = np.zeros(APPEARANCE)
    result = {}
    for pair, table in fused.items():
        own = as_table(verdict.model, pair) if pair in verdict.model.strangers else None
        alone = pair in verdict.bias
        weights = np.append(nothing if alone else table.weights, 0.0 if own is None else 1.0)
        result[pair] = FusedTable((*table.tables, own), weights, verdict.bias[pair] if alone else table.bias)
    return result


def _is_trusted(pair: tuple[int, int], rig: Rig) -> bool:
    """Whether geometry proves that two views show the same people.

    Then the embedding needs to beat chance for this pair alone. Elsewhere all pairs together must, too: a pair has too
    few instants to tell what repeats itself.
    """
    return pair in rig.lines or (rig.floor is not None and rig.floor.trusted(*pair))


def expected_partners(
    rig: Rig, frames: Sequence[Frame], tables: Tables, instants: IntArray
) -> dict[tuple[int, int], float]:
    """For every view pair, the sum of all posteriors at some of the instants."""
    pairs = view_pairs(len(rig.views))
    total = np.zeros(len(pairs))
    for first in range(0, len(instants), CHUNK_INSTANTS):
        part = [frames[t] for t in instants[first : first + CHUNK_INSTANTS]]
        count = np.array([frame.counts for frame in part])
        total += posteriors(frame_cues(rig, part), count, tables).sum(axis=(0, 2, 3))
    return dict(zip(pairs, total.tolist(), strict=True))


def _compare(
    rig: Rig,
    packed: PackedBoxes,
    noisy: PackedBoxes,
    order: list[int],
    pair: tuple[int, int],
    minimum_shift: int,
    most: int,
) -> Comparison:
    """Distances of one view pair by every cue, at synchronous and at shifted instants."""
    i, j = pair
    at = order.index(i), order.index(j)
    box_pairs = packed.count[:, at[0]] * packed.count[:, at[1]]
    chosen, shifted = choose_instants(np.arange(len(packed)), box_pairs, minimum_shift, most)
    if at[0] > at[1]:  # the same instants are compared in whatever order the cameras are listed
        shifted = shifted[:, ::-1]
    first, second = (_Side(rig, packed, noisy, view, place, chosen) for view, place in zip(pair, at, strict=True))
    return Comparison(
        [_distances(rig, pair, first, second, t, t) for t in range(len(chosen))],
        [_distances(rig, pair, first, second, s, t) for s, t in shifted.tolist()],
        shifted,
    )


class _Side:
    """The boxes of one view at some instants, read once: raw, embedded, and on the floor."""

    def __init__(
        self, rig: Rig, packed: PackedBoxes, noisy: PackedBoxes, view: int, place: int, chosen: IntArray
    ) -> None:
        import torch

        count, start = packed.count[chosen, place], packed.start[chosen, place]
        offset = np.repeat(start - (np.cumsum(count) - count), count)
        rows = torch.from_numpy(np.arange(len(offset)) + offset)
        self.embedded = None if rig.encoder is None else rig.encoder.embed(noisy.boxes[rows], view).cpu().numpy()
        self.features = None if packed.features is None else packed.features[rows].numpy()
        self.boxes = packed.boxes[rows].numpy().astype(np.float64)
        self.standing = None if rig.floor is None else rig.floor.read(self.boxes, np.full(len(rows), view))
        self.bounds = np.concatenate([[0], np.cumsum(count)]).tolist()

    def rows(self, instant: int) -> slice:
        """Its boxes at one of the instants."""
        return slice(self.bounds[instant], self.bounds[instant + 1])


def _distances(rig: Rig, pair: tuple[int, int], first: _Side, second: _Side, s: int, t: int) -> FloatArray:
    """`(C, N, M)` distances of boxes of view i at its instant s and of view j at its instant t."""
    rows, columns = first.rows(s), second.rows(t)
    result = np.full((rig.cues, rows.stop - rows.start, columns.stop - columns.start), np.nan)
    if first.embedded is not None and second.embedded is not None:
        one, other = first.embedded[rows], second.embedded[columns]
        squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
        result[EMBEDDING] = np.sqrt(np.maximum(squares, 1e-6))
    if first.standing is not None and second.standing is not None:
        result[FLOOR] = distances_on_floor(first.standing.at(rows), second.standing.at(columns))
    result[LINES] = line_distances(rig, *pair, first.boxes[rows], second.boxes[columns])
    if rig.appearance and first.features is not None and second.features is not None:
        result[APPEARANCE] = appearance_distances(first.features[rows], second.features[columns])
    return result


def _table(comparison: Comparison, cue: int) -> DistanceTable | None:
    """What the distances of one cue mean on their own; None where the view pair doesn't have it."""
    synchronous, shifted = (
        np.concatenate([np.zeros(0), *(block[cue].ravel() for block in blocks)])
        for blocks in (comparison.synchronous, comparison.shifted)
    )
    synchronous, shifted = synchronous[~np.isnan(synchronous)], shifted[~np.isnan(shifted)]
    if not len(synchronous) or not len(shifted):
        return None
    # True pairs come out of all pairs, in proportion to the most that there can be.
    most = sum(min(block.shape[1:]) for block in comparison.synchronous)
    pairs = sum(block.shape[1] * block.shape[2] for block in comparison.synchronous)
    return fit_distance_table(synchronous, shifted, largest_fraction=most / pairs)


def _pack_in_order(frames: Sequence[Frame], order: list[int]) -> PackedBoxes:
    """Frames packed with their views in another order; `view` still says what the encoder calls them.

    In an order of their own, so that listing the cameras differently changes neither noise nor rounding.
    """
    import torch

    packed = pack(frames, len(order), order)
    return replace(packed, view=torch.as_tensor(order)[packed.view])
