"""From frames to what they show of a model's views, and from the frames of fit() to what is expected of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.cues.base import batch_of_frames
from selfmva.association.frame_edges import find_edges
from selfmva.association.health.close_look import measure_bodies
from selfmva.association.health.profile import learn_profile
from selfmva.association.health.tally import TALLY, Tally, partners_by_cell, tally_edges
from selfmva.core.thinning import evenly_spaced_blocks
from selfmva.matching.posterior.edges import posteriors_of_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selfmva.association.health.profile import Profile
    from selfmva.association.model import FittedModel
    from selfmva.core.types import FloatArray, Frame, IntArray


@dataclass(frozen=True)
class MeasureSettings:
    """How much is looked at."""

    chunk: int = 32  # instants that are associated at once, and that stay together in a profile
    profile_instants: int = 1600  # of a recording
    closely: int = 400  # instants, the last ones, whose bodies are measured


MEASURE = MeasureSettings()


def measure(model: FittedModel, frames: Sequence[Frame], length: int = TALLY.slice) -> Tally:
    """What frames show, in slices of so many."""
    parts = []
    step = max(MEASURE.chunk // length, 1) * length
    for first in range(0, len(frames), step):
        part = frames[first : first + step]
        batch, _ = batch_of_frames(part)
        edges, log_odds = find_edges(model, part)
        posterior = posteriors_of_edges(log_odds, edges)
        parts.append(tally_edges(model.views, [f.index for f in part], batch.boxes, edges, log_odds, posterior, length))
    return Tally.joined(parts)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a recording shows of a model.

    Attributes:
        frames: F of its frames, in blocks of neighbours.
        rows: `(F,)` their numbers in the recording.
        tally: S slices of these frames.
        mass: `(S, V, IMAGE_CELLS, V)` posterior mass of the boxes in each cell, by partner's view.
    """

    frames: Sequence[Frame]
    rows: IntArray
    tally: Tally
    mass: FloatArray

    def positions(self, number: int) -> range:
        """Which of the frames a slice is of."""
        return range(number * TALLY.slice, min((number + 1) * TALLY.slice, len(self.frames)))


def look_at(model: FittedModel, frames: Sequence[Frame]) -> Seen:
    """Look at a recording, or at blocks of it where it is long.

    Args:
        model: With tables.
        frames: Clipped frames in the order of time, at least one.
    """
    rows = evenly_spaced_blocks(len(frames), MEASURE.profile_instants, MEASURE.chunk)
    frames = [frames[t] for t in rows]
    tallies, masses = [], []
    for first in range(0, len(frames), TALLY.slice):
        part = frames[first : first + TALLY.slice]
        batch, _ = batch_of_frames(part)
        edges, log_odds = find_edges(model, part)
        posterior = posteriors_of_edges(log_odds, edges)
        tallies.append(tally_edges(model.views, [f.index for f in part], batch.boxes, edges, log_odds, posterior))
        masses.append(partners_by_cell(model.views, batch.boxes, edges, posterior))
    return Seen(frames, rows, Tally.joined(tallies), np.stack(masses))


def profile_of(model: FittedModel, seen: Seen) -> Profile:
    """What a model sees on frames that it fits."""
    return learn_profile(seen.tally, seen.mass, *measure_bodies(model, seen.frames))
