"""What a recording says about a trained encoder: what its distances mean, and whether it learnt anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from selfmva.affinity import DistanceTable, fit_distance_table, no_evidence
from selfmva.matching.cost import frame_distances, view_pairs
from selfmva.pairing import posteriors
from selfmva.pretext.recording import canonical_view_order, gather, jitter, pack
from selfmva.report import FitReport, build_report
from selfmva.synchrony import measure_synchrony

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.encoders.box import BoxEncoder
    from selfmva.pretext.recording import PackedBoxes
    from selfmva.synchrony import PairSynchrony
    from selfmva.types import Frame, IntArray, View

Tables = dict[tuple[int, int], DistanceTable]
# An encoder knows the boxes it was trained on too well. Moving them by a tenth of their size stands in for the
# difference to new ones: without, the posteriors of unseen instants are too low (docs/benchmarks.md).
TRAINED_JITTER = 0.1
CHUNK_INSTANTS = 16


def gather_evidence(
    encoder: BoxEncoder,
    views: Sequence[View],
    frames: Sequence[Frame],
    *,
    minimum_shift: int,
    trained_on: bool,
    held_out: IntArray | None = None,
) -> tuple[Tables, FitReport]:
    """Learn the tables of all view pairs and write the report.

    Args:
        encoder: Trained.
        views: The cameras.
        frames: Clipped frames in the order of time.
        minimum_shift: Least distance of shifted instants.
        trained_on: True where the encoder was trained on these frames.
        held_out: Numbers of the frames that were kept from that training; the report speaks of them, if any.

    Returns:
        Tables by view pair, and the report. A view pair that is told apart no better than by chance has no evidence.
    """
    order = canonical_view_order(frames, len(views))
    recording = _pack_in_order(frames, order).to(encoder.view_tokens.device)
    everything = np.arange(len(frames))
    kept = held_out is not None and len(held_out) > 0
    judged = held_out if held_out is not None and kept else everything
    measured = measure_synchrony(encoder, gather(recording, judged), judged, minimum_shift)
    learnt = measured
    if trained_on:
        moved = jitter(recording, TRAINED_JITTER, np.random.default_rng(0))
        learnt = measure_synchrony(encoder, moved, everything, minimum_shift)
    measured, learnt = _renumber(measured, order), _renumber(learnt, order)
    tables = {
        pair: fit_distance_table(found.synchronous, found.shifted)
        if measured[pair].better_than_chance
        else no_evidence()
        for pair, found in learnt.items()
    }
    partners = _expected_partners(encoder, gather(pack(frames, len(views)), judged).to(recording.boxes.device), tables)
    report = build_report(views, measured, partners, instants=len(judged), held_out=kept or not trained_on)
    return tables, report


def _expected_partners(encoder: BoxEncoder, recording: PackedBoxes, tables: Tables) -> dict[tuple[int, int], float]:
    """For every view pair, the sum of all posteriors."""
    pairs = view_pairs(recording.views)
    total = np.zeros(len(pairs))
    for first in range(0, len(recording), CHUNK_INSTANTS):
        part = gather(recording, np.arange(first, min(first + CHUNK_INSTANTS, len(recording))))
        with torch.inference_mode():
            distances = frame_distances(encoder(part.boxes, part.view), part.count)
        total += posteriors(distances, part.count, tables).sum(axis=(0, 2, 3))
    return dict(zip(pairs, total.tolist(), strict=True))


def _pack_in_order(frames: Sequence[Frame], order: list[int]) -> PackedBoxes:
    """Frames packed with their views in another order; `view` still says what the encoder calls them.

    In an order of their own, so that listing the cameras differently changes neither noise nor rounding.
    """
    packed = pack(frames, len(order), order)
    return replace(packed, view=torch.as_tensor(order)[packed.view])


def _renumber(measured: dict[tuple[int, int], PairSynchrony], order: list[int]) -> dict[tuple[int, int], PairSynchrony]:
    """What was measured, by the views' own numbers."""
    own = {(min(order[a], order[b]), max(order[a], order[b])): found for (a, b), found in measured.items()}
    return dict(sorted(own.items()))
