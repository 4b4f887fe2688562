"""`fit` looks at itself: whether one half of its recording fits what the other half shows.

A camera that is knocked, swapped or covered while it is filmed leaves a model that fits a part of the recording. What
the first half shows is what is expected of the second, and the other way round: the half that a model fits tells that
it does not fit the other, and since when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.health.health import RigChange
from selfmva.association.health.profile import learn_profile
from selfmva.association.health.watch import Watch

if TYPE_CHECKING:
    from selfmva.association.health.measure import Seen
    from selfmva.association.model import FittedModel
    from selfmva.core.types import IntArray


@dataclass(frozen=True)
class WithinSettings:
    """When a recording is held against itself."""

    least_slices: int = 8  # of it: halves of fewer say too little


WITHIN = WithinSettings()


def find_changes(model: FittedModel, seen: Seen, instants: IntArray) -> tuple[RigChange, ...]:
    """Hold both halves of a recording against each other.

    Args:
        model: What was learnt from it.
        seen: What it shows.
        instants: `(T,)` numbers of its instants among those that `fit` was given.

    Returns:
        The views that changed, in the order in which they were noticed; those by which the earlier half is the one that
        fits come first.
    """
    slices = len(seen.tally)
    if slices < WITHIN.least_slices:
        return ()
    changes: list[RigChange] = []
    nothing = np.full(len(model.views), np.nan)
    for fits_before in (True, False):
        order = np.arange(slices) if fits_before else np.arange(slices)[::-1]
        learnt, watched = order[: slices // 2], order[slices // 2 :]
        profile = learn_profile(seen.tally[np.sort(learnt)], seen.mass[np.sort(learnt)], nothing, nothing)
        watch = Watch(replace(model, profile=profile))
        for number in watched:
            positions = seen.positions(int(number))
            frames = [replace(seen.frames[t], index=int(instants[seen.rows[t]])) for t in positions]
            watch.add(frames if fits_before else frames[::-1], seen.tally[np.array([number])])
        watch.look()
        changes += [
            RigChange(problem.view, problem.kind, problem.since + (not fits_before), fits_before)
            for problem in watch.problems
            if problem.view not in {change.view for change in changes}
        ]
    return tuple(changes)
