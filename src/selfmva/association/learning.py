"""What a recording says about what was learnt: what distances mean, and whether anything was learnt."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.appearance import NOTHING_SEEN, as_table, learn_appearance, stack_blocks
from selfmva.association.appearance.within_views import own_distances
from selfmva.association.comparison import compare_views
from selfmva.association.cues import cues_of
from selfmva.association.cues.appearance import AppearanceCue
from selfmva.association.cues.base import LearningContext
from selfmva.association.cues.floor import FloorCue
from selfmva.association.fit_report import build_report
from selfmva.association.head_lines import find_lines, trusted_lines
from selfmva.association.health.measure import look_at, profile_of
from selfmva.association.health.within import find_changes
from selfmva.association.synchrony import SYNCHRONY, measure_synchrony, pooled
from selfmva.core.packed_boxes import gather, jitter, pack
from selfmva.core.view_pairs import view_pairs
from selfmva.matching.posterior.fusion import Comparison, FusedTable, fuse

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from selfmva.association.appearance import Verdict
    from selfmva.association.health.measure import Seen
    from selfmva.association.model import FittedModel
    from selfmva.association.synchrony import PairSynchrony
    from selfmva.core.packed_boxes import PackedBoxes
    from selfmva.core.types import Frame, IntArray
    from selfmva.core.view_pairs import ViewPair

logger: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableLearningSettings:
    """How tables are learnt from boxes that the encoder knows, and how partners are counted."""

    # An encoder knows the boxes it was trained on too well. Moving them by a tenth of their size stands in for the
    # difference to new ones: without, the posteriors of unseen instants are too low (docs/benchmarks.md).
    trained_jitter: float = 0.1  # standard deviation, as a fraction of a box's size


TABLE_LEARNING = TableLearningSettings()


def learn(
    model: FittedModel,
    frames: Sequence[Frame],
    appearance: str | None,
    *,
    trained_on: bool,
    held_out: IntArray | None = None,
    decision: str = "",
    seek_changes: bool = True,
) -> FittedModel:
    """Find head lines, learn what distances mean, and write the report.

    Args:
        model: Encoder and floor, in the order of its views.
        frames: Clipped frames in the order of time.
        appearance: Identity of the encoder that their features come from; None where they have none.
        trained_on: True where the encoder was trained on these frames.
        held_out: Numbers of the frames that were kept from that training; the report speaks of them, if any.
        decision: Why an embedding was trained, or why none was, for the report.
        seek_changes: Whether the report names views that changed during the recording.

    Returns:
        The model with lines, tables, report and profile. View pairs that nothing tells apart better than chance have no
        evidence.
    """
    kept = held_out is not None and len(held_out) > 0
    judged = held_out if held_out is not None and kept else np.arange(len(frames))
    lines = {}
    if model.encoder is not None:
        lines = find_lines(model.views, frames, model.encoder, model.floor, model.minimum_shift)
    recording = pack(frames, len(model.views))
    length = None if recording.features is None else recording.features.shape[1]
    model = replace(model, lines=trusted_lines(lines), appearance=appearance, feature_length=length)
    synchrony = synchrony_of(model, recording, judged)
    model, verdict = learn_tables(model, recording, synchrony, trained_on=trained_on)
    model = with_live_tables(model)
    seen = look_at(model, [frames[t] for t in judged]) if len(judged) else None
    report = build_report(
        model.views,
        synchrony,
        dict.fromkeys(view_pairs(recording.views), 0.0) if seen is None else partner_fractions(seen),
        model.floor,
        lines,
        instants=len(judged),
        held_out=kept or not trained_on,
        seen=verdict,
    )
    report = replace(
        report,
        embedding=model.encoder is not None,
        decision=decision,
        calibrated_instants=len(frames),
        mirrored=tuple(model.views[view].name for view in model.mirrored),
    )
    if seen is None:
        return replace(model, report=report)
    if seek_changes:
        report = replace(report, changes=find_changes(model, seen, judged))
    return replace(model, report=report, profile=profile_of(model, seen))


def synchrony_of(model: FittedModel, recording: PackedBoxes, instants: IntArray) -> dict[ViewPair, PairSynchrony]:
    """Whether the embedding tells synchronous from shifted images, for every view pair, at some of the instants."""
    return measure_synchrony(model.encoder, gather(recording, instants), instants, model.minimum_shift)


def learn_tables(
    model: FittedModel, recording: PackedBoxes, synchrony: Mapping[ViewPair, PairSynchrony], *, trained_on: bool
) -> tuple[FittedModel, Verdict]:
    """Learn what the distances of all cues mean, for every view pair.

    Args:
        model: Encoder and geometry.
        recording: Boxes to learn from.
        synchrony: Of the embedding; where it is no better than chance, the embedding is no cue.
        trained_on: True where the encoder was trained on these boxes.

    Returns:
        The model with tables, without what appearance refutes; and what appearance is worth. A view pair without any
        cue is never matched.
    """
    known = trained_on and model.encoder is not None
    jittered = jitter(recording, TABLE_LEARNING.trained_jitter, np.random.default_rng(0)) if known else None
    cues = cues_of(model)
    context = LearningContext(model, recording, _embedded_pairs(model, synchrony))
    pairs, nothing = view_pairs(recording.views), Comparison([], [], np.zeros((0, 2), np.int64))
    needed = {pair for cue in cues for pair in cue.pairs_to_compare(pairs, context)}
    compared = [pair for pair in pairs if pair in needed]
    comparisons = dict.fromkeys(pairs, nothing) | compare_views(
        cues, recording, jittered, model.minimum_shift, compared
    )
    found = {cue: cue.learn_tables(comparisons, context) for cue in cues}
    tables = {pair: {cue.name: found[cue][pair] for cue in cues if pair in found[cue]} for pair in comparisons}
    fused = fuse(tables, comparisons, absolute=next((cue.name for cue in cues if cue.absolute), None))
    if model.appearance is None:
        return replace(model, tables=fused), NOTHING_SEEN
    evidence = {}
    for pair, comparison in comparisons.items():
        blocks = [block[AppearanceCue.name] for block in comparison.synchronous]
        scores = [fused[pair](block) for block in comparison.synchronous] if fused[pair].tells else None
        evidence[pair] = stack_blocks(blocks, scores)
    verdict = learn_appearance(evidence, own_distances(recording, model.views, model.minimum_shift))
    return _without_refuted(replace(model, tables=_with_appearance(fused, verdict)), verdict), verdict


def _embedded_pairs(model: FittedModel, synchrony: Mapping[ViewPair, PairSynchrony]) -> Collection[ViewPair]:
    """View pairs whose embedding may be a cue.

    On a trusted floor, how much it adds is learnt, and is nothing where it adds nothing (`fuse`): few instants are held
    out, and whether images are told apart on them is as good as chance in a short recording, whatever an embedding is
    worth. Where lines of heads prove that two views show the same people, it needs to beat chance for this pair alone.
    Elsewhere all pairs together must, too: a pair has too few instants to tell what repeats itself.
    """
    all_together = pooled(synchrony.values()).margin > SYNCHRONY.standard_errors
    floor, lines = model.floor, model.lines
    return {
        pair
        for pair, found in synchrony.items()
        if (floor is not None and floor.trusted(*pair))
        or (found.margin > SYNCHRONY.standard_errors_of_a_pair and (all_together or pair in lines))
    }


def _with_appearance(fused: dict[ViewPair, FusedTable], verdict: Verdict) -> dict[ViewPair, FusedTable]:
    """Tables of all cues: what appearance says is added to what geometry says, for their errors are independent."""
    if verdict.model is None:
        return fused
    result = {}
    for pair, table in fused.items():
        alone = pair in verdict.bias
        tables, weights = dict(table.tables), dict.fromkeys(table.tables, 0.0) if alone else dict(table.weights)
        if pair in verdict.model.strangers:
            tables[AppearanceCue.name], weights[AppearanceCue.name] = as_table(verdict.model, pair), 1.0
        result[pair] = FusedTable(tables, weights, verdict.bias[pair] if alone else table.bias)
    return result


def _without_refuted(model: FittedModel, verdict: Verdict) -> FittedModel:
    """The model without what appearance refutes, and without appearance where that tells nothing."""
    floor = model.floor
    if floor is not None:
        supports = {pair: replace(support, refuted=pair in verdict.refuted) for pair, support in floor.supports.items()}
        floor = replace(floor, supports=supports)
    lines = {pair: matrix for pair, matrix in model.lines.items() if pair not in verdict.refuted}
    model = replace(model, floor=floor, lines=lines)
    return model if verdict.model is not None else replace(model, appearance=None, feature_length=None)


def with_live_tables(model: FittedModel) -> FittedModel:
    """The model with tables that can say "same person" of every pair of views on a trusted floor.

    A table that cannot, whatever the distances, is an error of ours: the pair would never be matched, however good its
    floor. It is logged, and the pair is taken at what the floor says.
    """
    floor, tables = model.floor, dict(model.tables or {})
    dead = [] if floor is None else [pair for pair in tables if floor.trusted(*pair) and tables[pair].largest <= 0]
    for pair in dead:
        logger.error(
            "the tables of %s and %s could never say 'same person', although their floor is trusted: an error of "
            "selfmva, please report it; the floor alone decides between them",
            *(model.views[view].name for view in pair),
        )
        weights = {name: float(name == FloorCue.name) for name in tables[pair].tables}
        tables[pair] = FusedTable(tables[pair].tables, weights, 0.0)
    return replace(model, tables=tables) if dead else model


def partner_fractions(seen: Seen) -> dict[ViewPair, float]:
    """Which fraction of the boxes has a partner, as the posteriors expect it.

    Args:
        seen: What a recording shows.

    Returns:
        By view pair, of the boxes of both views at instants where both see somebody; 0 where they never do.
    """
    count = np.array([frame.counts for frame in seen.frames])
    partners = seen.mass.sum(axis=(0, 2))
    fractions = {}
    for i, j in view_pairs(count.shape[1]):
        both = (count[:, i] > 0) & (count[:, j] > 0)
        fractions[i, j] = float(2.0 * partners[i, j] / max(count[both][:, [i, j]].sum(), 1))
    return fractions
