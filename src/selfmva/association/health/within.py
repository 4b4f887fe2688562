"""`fit` looks at itself: whether one half of its recording fits what the other half shows.

A camera that is knocked, swapped or covered while it is filmed leaves a model that fits a part of the recording. What
the first half shows is what is expected of the second, and the other way round: the half that a model fits tells that
it does not fit the other, and since when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from selfmva.association.health.changes import DARK, OTHER_DETECTOR
from selfmva.association.health.health import RigChange
from selfmva.association.health.profile import learn_profile
from selfmva.association.health.watch import Watch

if TYPE_CHECKING:
    from selfmva.association.health.measure import Seen
    from selfmva.association.health.profile import Profile
    from selfmva.association.health.tally import Tally
    from selfmva.association.model import FittedModel
    from selfmva.core.types import IntArray


@dataclass(frozen=True)
class WithinSettings:
    """When a recording is held against itself."""

    least_slices: int = 8  # of it: halves of fewer say too little
    window: int = 6  # slices
    # Of what is expected of a view in a window. Crowds that change come to 0.62, changes of a rig that matter to 0.37
    # and less: only these are asked about, since an answer costs seconds.
    suspicious: float = 0.5
    least: float = 10.0  # partners that are expected in a window, without which it tells nothing


WITHIN = WithinSettings()
HARMLESS = frozenset({DARK, OTHER_DETECTOR})  # people who are gone for a while, and boxes that are drawn otherwise


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
        if not _falls_behind(profile, seen.tally[watched]):
            continue
        watch = Watch(replace(model, profile=profile))
        for number in watched:
            positions = seen.positions(int(number))
            frames = [replace(seen.frames[t], index=int(instants[seen.rows[t]])) for t in positions]
            watch.add(frames if fits_before else frames[::-1], seen.tally[np.array([number])])
        watch.look()
        changes += [
            RigChange(problem.view, problem.kind, problem.since + (not fits_before), fits_before)
            for problem in watch.problems
            if problem.kind not in HARMLESS and problem.view not in {change.view for change in changes}
        ]
    return tuple(changes)


def _falls_behind(profile: Profile, tally: Tally) -> bool:
    """Whether a view shows much less than is expected, in any window."""
    expected, found = profile.expected_of_pairs(tally).sum(axis=2), tally.worth.sum(axis=2)
    for first in range(max(len(tally) - WITHIN.window + 1, 1)):
        window = slice(first, first + WITHIN.window)
        means = expected[window].sum(axis=0)
        told = means > WITHIN.least * profile.unit
        if (found[window].sum(axis=0) < WITHIN.suspicious * means)[told].any():
            return True
    return False
