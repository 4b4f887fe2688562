"""What a recording says about a trained encoder: what its distances mean, and whether it learnt anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfmva.affinity import DistanceTable, fit_distance_table
from selfmva.pretext.recording import gather, pack
from selfmva.report import FitReport, build_report
from selfmva.synchrony import measure_synchrony

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.encoders.box import BoxEncoder
    from selfmva.types import Frame, IntArray, View

Tables = dict[tuple[int, int], DistanceTable]


def gather_evidence(
    encoder: BoxEncoder,
    views: Sequence[View],
    frames: Sequence[Frame],
    instants: IntArray,
    *,
    minimum_shift: int,
    held_out: bool,
) -> tuple[Tables, FitReport]:
    """Learn the tables of all view pairs and write the report.

    Args:
        encoder: Trained.
        views: The cameras.
        frames: Clipped frames in the order of time.
        instants: Numbers of the frames to look at.
        minimum_shift: Least distance of shifted instants.
        held_out: True where these frames were kept from training.

    Returns:
        Tables by view pair, and the report.
    """
    recording = gather(pack(frames, len(views)), instants).to(encoder.view_tokens.device)
    measured = measure_synchrony(encoder, recording, instants, minimum_shift)
    tables = {pair: fit_distance_table(found.synchronous, found.shifted) for pair, found in measured.items()}
    return tables, build_report(views, measured, tables, instants=len(instants), held_out=held_out)
